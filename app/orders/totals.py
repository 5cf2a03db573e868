"""Amounts after goods were taken off: lines, orders, the purchase and its payment sum again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.core import money
from app.core.db import session
from app.core.permissions import Actor
from app.orders import discounts, pallets, rules
from app.orders.models import Fulfilment, FulfilmentLine, Order, OrderGroup, OrderLine
from app.orders.transitions import note
from app.payments import service as payments

DONE = ("delivered", "partially_delivered", "failed", "returning", "returned")
"""States in which the door has been reached: what counts is what was handed over."""


@dataclass(frozen=True, slots=True)
class Load:
    """The lines of an order and what each trip carries of them."""

    lines: list[OrderLine]
    pieces: list[FulfilmentLine]

    def of_line(self, line_id: int) -> list[FulfilmentLine]:
        """The parts of a line, first trip first."""
        return sorted((p for p in self.pieces if p.order_line_id == line_id), key=lambda p: p.fulfilment_id)

    def of_trip(self, trip_id: int) -> list[FulfilmentLine]:
        """What a trip carries."""
        return sorted((p for p in self.pieces if p.fulfilment_id == trip_id), key=lambda p: p.order_line_id)

    def line(self, line_id: int) -> OrderLine:
        """A line by its id."""
        return next(line for line in self.lines if line.id == line_id)


def load_of(order_id: int) -> Load:
    """Lines and pieces of an order, fresh."""
    fresh = {"populate_existing": True}
    lines = list(
        session.scalars(
            sa.select(OrderLine)
            .where(OrderLine.order_id == order_id)
            .order_by(OrderLine.position)
            .execution_options(**fresh)
        )
    )
    pieces = list(
        session.scalars(
            sa.select(FulfilmentLine)
            .where(FulfilmentLine.order_line_id.in_([line.id for line in lines]))
            .execution_options(**fresh)
        )
    )
    return Load(lines, pieces)


def counted(piece: FulfilmentLine, status: str) -> Decimal:
    """Base units of a piece that are paid for, by the state of its trip."""
    if status == "cancelled":
        return Decimal(0)
    if status in DONE:
        return piece.delivered or Decimal(0)
    return piece.quantity


def factor_of(line: OrderLine) -> Fraction:
    """Base units in one unit of sale."""
    return Fraction(line.factor_numerator, line.factor_denominator)


def units_of(line: OrderLine, base: Decimal) -> Fraction:
    """Base units of a line as units of sale; the whole line is exactly what was ordered."""
    if base == line.quantity_base:
        return Fraction(line.quantity)
    return Fraction(base) / factor_of(line)


def worth_of(line: OrderLine, base: Decimal) -> rules.LineMoney:
    """Money of so many base units of a line, after its discount."""
    return discounts.worth_of(line.price, line.quantity, line.discount, units_of(line, base), line.vat_percent)


def recount(actor: Actor, group: OrderGroup, order: Order, trips: Sequence[Fulfilment], load: Load, reason: str) -> int:
    """Recalculate an order after its pieces changed, then the purchase and what is to be paid.

    The caller holds the locks. Writes the difference into the history.

    Returns:
        By how many kopeks the order became cheaper.
    """
    before = order.total
    states = {trip.id: trip.status for trip in trips}
    for line in load.lines:
        base = sum((counted(p, states[p.fulfilment_id]) for p in load.of_line(line.id)), Decimal(0))
        worth = worth_of(line, base)
        line.gross, line.vat, line.net = worth.gross, worth.vat, worth.net
    order.goods = sum(line.gross for line in load.lines)
    order.vat = sum(line.vat for line in load.lines)
    order.delivery = sum(trip.delivery_price for trip in trips)
    order.deposit = pallets.recount(load.lines, load.pieces, lambda piece: counted(piece, states[piece.fulfilment_id]))
    order.total = order.goods + order.delivery + order.deposit
    order.fulfilment_status = rules.derived_fulfilment(states.values())
    session.flush()
    less = before - order.total
    if less:
        _pay_less(actor, group, order, less, reason)
    return less


def _pay_less(actor: Actor, group: OrderGroup, order: Order, less: int, reason: str) -> None:
    owed = payments.change_parts(group.id, {order.id: order.total}, reason, actor.user_id)
    if owed and order.payment_status in ("awaiting", "overdue"):
        order.payment_status = "paid"  # the money came a moment ago, and the order has not been told yet
    if not order.total:
        order.payment_status = "refunded" if order.payment_status == "paid" and not owed else order.payment_status
        if order.payment_status in ("none", "awaiting", "overdue", "authorised"):
            order.payment_status = "voided"
    details: dict[str, Any] = {"less": less, "total": order.total, "refund": owed.get(order.id, 0)}
    note(actor, order, "order.recounted", reason=reason, details=details)
    sum_group(group)


def sum_group(group: OrderGroup) -> None:
    """Totals and payment status of a purchase out of its orders."""
    session.flush()
    rows = session.execute(
        sa.select(Order.goods, Order.delivery, Order.deposit, Order.total, Order.vat, Order.payment_status).where(
            Order.group_id == group.id
        )
    ).all()
    group.goods = sum(r.goods for r in rows)
    group.delivery = sum(r.delivery for r in rows)
    group.deposit = sum(r.deposit for r in rows)
    group.total = sum(r.total for r in rows)
    group.vat = sum(r.vat for r in rows)
    group.payment_status = rules.derived_payment([(r.payment_status, r.total) for r in rows])
    session.flush()


def resize(trip: Fulfilment, load: Load) -> None:
    """Mass, volume and longest piece of a trip out of what it carries now."""
    mass = volume = Fraction(0)
    longest = 0
    for piece in load.of_trip(trip.id):
        line = load.line(piece.order_line_id)
        share = Fraction(piece.quantity) / Fraction(line.quantity_base)
        mass += Fraction(line.mass_kg) * share
        volume += Fraction(line.volume_m3) * share
        longest = max(longest, line.length_mm if piece.quantity else 0)
    trip.mass_kg = _rounded(mass, 4)
    trip.volume_m3 = _rounded(volume, 6)
    trip.length_mm = longest


def _rounded(value: Fraction, places: int) -> Decimal:
    return Decimal(money.round_half_up(value * 10**places)).scaleb(-places)


def goods_of_trip(trip_id: int, trips: Sequence[Fulfilment], load: Load) -> int:
    """Kopeks of the goods of one trip: each line's sum is shared among its trips by quantity, to the kopek."""
    states = {trip.id: trip.status for trip in trips}
    worth = 0
    for line in load.lines:
        pieces = load.of_line(line.id)
        counts = [counted(p, states[p.fulfilment_id]) for p in pieces]
        if any(p.fulfilment_id == trip_id for p in pieces) and any(counts):
            parts = rules.shares(line.gross, counts)
            worth += sum(part for part, p in zip(parts, pieces, strict=True) if p.fulfilment_id == trip_id)
    return worth


def cash_of_trip(trip: Fulfilment, trips: Sequence[Fulfilment], load: Load) -> int:
    """Kopeks the driver takes for a trip: its goods, the way, and the deposit for its pallets."""
    return (
        goods_of_trip(trip.id, trips, load)
        + trip.delivery_price
        + pallets.deposit_of(load.lines, load.of_trip(trip.id))
    )
