"""The way of goods from the shelf to the door: one command for each transition of a trip."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.core import clock, mail
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.permissions import Actor
from app.logistics import service as logistics
from app.offers import stock
from app.offers.levels import StockLine
from app.orders import papers, promoting, rules
from app.orders.models import Fulfilment, Order, OrderGroup
from app.orders.pallets import deposit_of
from app.orders.totals import (
    Load,
    cash_of_trip,
    factor_of,
    load_of,
    recount,
    resize,
    sum_group,
    worth_of,
)
from app.orders.transitions import SYSTEM, locked_order, move_order, move_trip, note
from app.payments import ledger
from app.payments import queries as money_queries
from app.payments import service as payments
from app.payments.rules import NOTHING_BORNE

OVER = frozenset({"delivered", "partially_delivered", "failed", "returning", "returned", "cancelled"})


@unit_of_work
def start_picking(actor: Actor, trip_id: uuid.UUID) -> None:
    """The warehouse begins to collect an accepted order.

    Raises:
        NotFound: absent, or another seller's.
        Conflict: `order_state`, `fulfilment_state`, `not_paid_yet` when it is to be paid by card first.
    """
    group, order, trips, trip = _of_seller(actor, trip_id)
    _check_accepted(order)
    if group.payment_method == "card" and order.payment_status == "awaiting":
        raise Conflict("not_paid_yet")
    move_trip(actor, order, trip, "picking")
    _derive(order, trips)


@unit_of_work
def ready(actor: Actor, trip_id: uuid.UUID, counted: Mapping[uuid.UUID, Decimal] | None = None) -> int:
    """Everything found is packed and waits for the truck; what was not found is taken off the order.

    Args:
        counted: order line -> units of sale found; a line not named was found whole.

    Returns:
        By how many kopeks the order became cheaper.

    Raises:
        NotFound: absent, or another seller's.
        Invalid: a line of another order, more than is needed, nothing at all.
        Conflict: `fulfilment_state`.
    """
    group, order, trips, trip = _of_seller(actor, trip_id)
    rules.way_of(trip.method).check(trip.status, "ready")
    load = load_of(order.id)
    found = _check_counts(load, trip, counted or {})
    short = []
    for piece in load.of_trip(trip.id):
        piece.picked = found.get(piece.order_line_id, piece.quantity)
        if piece.picked < piece.quantity:
            line = load.line(piece.order_line_id)
            missing = piece.quantity - piece.picked
            short.append({"position": line.position, "missing": f"{rules.per_unit(missing, factor_of(line)):f}"})
            stock.release([StockLine(line.offer_id, trip.warehouse_id, missing)], _because(actor, trip, "not_found"))
            piece.quantity = piece.picked
    trip.ready_at = clock.now()
    move_trip(actor, order, trip, "ready", details={"short": short} if short else None)
    less = 0
    if short:
        resize(trip, load)
        less = recount(actor, group, order, trips, load, "not_found")
    _derive(order, trips)
    session.flush()
    if trip.method == "pickup":
        _tell_who_fetches(group, order, trip)
    else:
        _tell_carrier(actor, group, trip, trips, load)
    return less


def _check_counts(load: Load, trip: Fulfilment, counted: Mapping[uuid.UUID, Decimal]) -> dict[int, Decimal]:
    """Base units found of each line that was counted."""
    pieces = {p.order_line_id: p for p in load.of_trip(trip.id)}
    lines = {line.public_id: line for line in load.lines if line.id in pieces}
    errors = []
    found: dict[int, Decimal] = {}
    for public_id, units in counted.items():
        line = lines.get(public_id)
        if line is None:
            errors.append(FieldError(f"/lines/{public_id}", "unknown_order_line"))
            continue
        needed = pieces[line.id].quantity
        most = rules.per_unit(needed, factor_of(line))
        if not units.is_finite() or not 0 <= units <= most:
            errors.append(FieldError(f"/lines/{public_id}", "counted_range", {"maximum": f"{most.normalize():f}"}))
            continue
        found[line.id] = needed if units == most else min(needed, rules.to_base(units, factor_of(line)))
    left = [found.get(line_id, piece.quantity) for line_id, piece in pieces.items()]
    if not errors and not any(left):
        errors.append(FieldError("/lines", "nothing_found"))
    if errors:
        raise Invalid(errors)
    return found


def _tell_carrier(actor: Actor, group: OrderGroup, trip: Fulfilment, trips: Sequence[Fulfilment], load: Load) -> None:
    mass, volume = carried_size(trip)
    cash = cash_of_trip(trip, trips, load) if group.payment_method == "cash" else 0
    logistics.mark_ready(
        trip.id, user_id=actor.user_id, cargo=cargo_of(trip, load), mass_kg=mass, volume_l=volume, cash_due=cash
    )


def _tell_who_fetches(group: OrderGroup, order: Order, trip: Fulfilment) -> None:
    """The code stays on the page of the order: a forwarded letter must not open the counter."""
    buyer, place = accounts.acting_as(group.user_id), trip.allocation
    opens, closes = (f"{place[name] // 60}:{place[name] % 60:02d}" for name in ("opens_at", "closes_at"))
    mail.queue(
        buyer.email, "pickup_ready", buyer.locale, name=group.contact_name, number=order.number,
        seller=order.seller_name, address=place["address"], opens=opens, closes=closes,
        path=f"/orders/trips/{trip.public_id}",
    )  # fmt: skip


def carried_size(trip: Fulfilment) -> tuple[int, int]:
    """Whole kilograms and litres of a trip, rounded up: a truck needs at least that."""
    return -int(-trip.mass_kg // 1), -int(-(trip.volume_m3 * 1000) // 1)


def cargo_of(trip: Fulfilment, load: Load) -> list[dict[str, Any]]:
    """The waybill of a trip; `line` is the position in the order and comes back in the counts."""
    cargo = []
    for piece in load.of_trip(trip.id):
        line = load.line(piece.order_line_id)
        if piece.quantity:
            units = rules.per_unit(piece.quantity, factor_of(line))
            cargo.append(
                {
                    "line": str(line.position),
                    "name_ru": line.name_ru,
                    "name_en": line.name_en,
                    "sku": line.sku,
                    "unit": line.unit,
                    "quantity": f"{units.normalize():f}",
                    "quantity_base": f"{piece.quantity:f}",
                }
            )
    return cargo


@unit_of_work
def receive_back(actor: Actor, trip_id: uuid.UUID) -> None:
    """What could not be handed over is on the shelf again.

    Raises:
        NotFound: absent, or another seller's.
        Conflict: `fulfilment_state`: nothing of this trip is coming back.
    """
    group, order, trips, trip = _of_seller(actor, trip_id)
    if trip.status != "returning":
        move_trip(actor, order, trip, "returning")
    move_trip(actor, order, trip, "returned")
    load = load_of(order.id)
    for piece in load.of_trip(trip.id):
        rest = piece.quantity - (piece.delivered or Decimal(0))
        if rest > 0:
            line = load.line(piece.order_line_id)
            stock.release([StockLine(line.offer_id, trip.warehouse_id, rest)], _because(actor, trip, "came_back"))
    _derive(order, trips)
    _close(actor, group, order, trips)


@unit_of_work
def handed_over(trip_id: int, user_id: int | None = None) -> None:
    """The courier has loaded the goods. Told twice, or late: nothing changes."""
    _advance(trip_id, "handed_over", user_id)


@unit_of_work
def on_the_way(trip_id: int, user_id: int | None = None) -> None:
    """The truck has left the warehouse. Told twice, or late: nothing changes."""
    _advance(trip_id, "in_transit", user_id)


_ROAD = ("ready", "handed_over", "in_transit")


def _advance(trip_id: int, wanted: str, user_id: int | None) -> None:
    order_id = session.scalar(sa.select(Fulfilment.order_id).where(Fulfilment.id == trip_id))
    if order_id is None:
        return
    group, order, trips = locked_order(order_id)
    trip = next(t for t in trips if t.id == trip_id)
    _walk(Actor(user_id=user_id), group, order, trip, trips, wanted)
    _derive(order, trips)


def _walk(
    actor: Actor, group: OrderGroup, order: Order, trip: Fulfilment, trips: Sequence[Fulfilment], wanted: str
) -> None:
    """Make every step up to `wanted`: facts of the road may be told out of turn. What leaves gets its document."""
    if trip.status in _ROAD:
        for state in _ROAD[_ROAD.index(trip.status) + 1 : _ROAD.index(wanted) + 1]:
            move_trip(actor, order, trip, state)
            if state == "handed_over":
                papers.issue_upd(group, order, trip, trips, load_of(order.id))


@unit_of_work
def complete(
    trip_id: int,
    outcome: str,
    reason: str,
    lines: Sequence[Mapping[str, Any]],
    cash_counted: int | None,
    user_id: int | None = None,
) -> None:
    """The truck was at the door: stock leaves, the order and its money follow. Told twice: nothing changes.

    Args:
        outcome: delivered, partially_delivered or failed.
        lines: [{line, delivered_base}] as counted; `line` is the position in the order.
        cash_counted: kopeks the courier took, None when nothing was to be taken.
    """
    order_id = session.scalar(sa.select(Fulfilment.order_id).where(Fulfilment.id == trip_id))
    if order_id is None:
        return
    group, order, trips = locked_order(order_id)
    trip = next(t for t in trips if t.id == trip_id)
    if trip.status in OVER:
        return
    actor = Actor(user_id=user_id)
    _walk(actor, group, order, trip, trips, "in_transit")
    load = load_of(order.id)
    _count_at_door(load, trip, outcome, lines)
    if outcome == "failed":
        trip.delivery_price = 0
    details = {} if cash_counted is None else {"cash_counted": cash_counted}
    move_trip(actor, order, trip, outcome, reason=reason, details=details)
    _ship(actor, load, trip)
    recount(actor, group, order, trips, load, "not_delivered")
    _earn(group, order, trip, load)
    _close(SYSTEM, group, order, trips)


def collect(actor: Actor, trip_id: uuid.UUID, code: str) -> None:
    """The buyer is at the counter, tells the code and takes the goods. Told twice: nothing changes.

    Raises:
        Invalid: `pickup_code_wrong` with the tries left, which are kept. And as `collected`.
    """
    left = collected(actor, trip_id, code)
    if left is not None:
        raise Invalid.one("/code", "pickup_code_wrong", left=left)


@unit_of_work
def collected(actor: Actor, trip_id: uuid.UUID, code: str) -> int | None:
    """Hand a pickup over, if the code is right: None; else the number of tries left.

    Raises:
        NotFound: absent, or another seller's.
        Invalid: no code.
        Conflict: `not_a_pickup`, `fulfilment_state` while it is not ready, `pickup_locked` after too many tries.
    """
    group, order, trips, trip = _pickup_of_seller(actor, trip_id)
    if trip.status == "delivered":
        return None
    rules.PICKUP.check(trip.status, "handed_over")
    if trip.pickup_failures >= rules.PICKUP_TRIES:
        raise Conflict("pickup_locked")
    told = "".join(code.split())
    if not told:
        raise Invalid.one("/code", "pickup_code_needed")
    if not secrets.compare_digest(told.encode(), trip.pickup_code.encode()):
        trip.pickup_failures += 1
        return rules.PICKUP_TRIES - trip.pickup_failures
    load = load_of(order.id)
    move_trip(actor, order, trip, "handed_over")
    papers.issue_upd(group, order, trip, trips, load)
    _count_at_door(load, trip, "delivered", ())
    move_trip(actor, order, trip, "delivered", details={"receiver": trip.receiver or group.contact_name})
    _ship(actor, load, trip)
    recount(actor, group, order, trips, load, "not_delivered")
    _earn(group, order, trip, load)
    _close(SYSTEM, group, order, trips)
    return None


@unit_of_work
def not_collected(actor: Actor, trip_id: uuid.UUID) -> int:
    """The buyer has not come in the time agreed: the goods are on sale again and not paid for.

    Returns:
        By how many kopeks the order became cheaper.

    Raises:
        NotFound: absent, or another seller's.
        Conflict: `not_a_pickup`, `fulfilment_state` when it was taken or called off, `pickup_not_over`.
    """
    group, order, trips, trip = _pickup_of_seller(actor, trip_id)
    rules.PICKUP.check(trip.status, "cancelled")
    if trip.window_to > clock.now():
        raise Conflict("pickup_not_over", until=trip.window_to.isoformat())
    load = load_of(order.id)
    back = [
        StockLine(load.line(p.order_line_id).offer_id, trip.warehouse_id, p.quantity)
        for p in load.of_trip(trip.id)
        if p.quantity
    ]
    move_trip(actor, order, trip, "cancelled", reason="not_collected")
    stock.release(back, _because(actor, trip, "not_collected"))
    less = recount(actor, group, order, trips, load, "not_collected")
    _close(actor, group, order, trips)
    return less


def _pickup_of_seller(actor: Actor, trip_id: uuid.UUID) -> tuple[OrderGroup, Order, list[Fulfilment], Fulfilment]:
    found = _of_seller(actor, trip_id)
    if found[-1].method != "pickup":
        raise Conflict("not_a_pickup")
    return found


def _count_at_door(load: Load, trip: Fulfilment, outcome: str, lines: Sequence[Mapping[str, Any]]) -> None:
    counts = {str(item["line"]): Decimal(str(item["delivered_base"])) for item in lines}
    for piece in load.of_trip(trip.id):
        if outcome == "failed":
            piece.delivered = Decimal(0)
        elif outcome == "delivered":
            piece.delivered = piece.quantity
        else:
            position = str(load.line(piece.order_line_id).position)
            piece.delivered = min(piece.quantity, max(Decimal(0), counts.get(position, piece.quantity)))


def _ship(actor: Actor, load: Load, trip: Fulfilment) -> None:
    gone = [
        StockLine(load.line(p.order_line_id).offer_id, trip.warehouse_id, p.delivered)
        for p in load.of_trip(trip.id)
        if p.delivered
    ]
    if gone:
        stock.ship(gone, _because(actor, trip, "delivered"))


def _earn(group: OrderGroup, order: Order, trip: Fulfilment, load: Load) -> None:
    """What the seller has earned up to this trip, less what the ledger says already; the fee as it was frozen. The act
    says the same to the buyer.
    """
    fees = money_queries.fees_of(line.id for line in load.lines)
    borne = promoting.borne_by_operator(load.lines)
    goods = fee = promotion = 0
    for line in load.lines:
        handed = sum((p.delivered or Decimal(0) for p in load.of_line(line.id)), Decimal(0))
        worth = worth_of(line, handed).gross
        of_operator = borne.get(line.id, NOTHING_BORNE).kept(worth)
        goods += worth
        promotion += of_operator
        fee += fees[line.id].kept(worth + of_operator) if line.id in fees else 0
    own = trip.delivery_price if trip.carrier_id and accounts.is_same_company(order.seller_id, trip.carrier_id) else 0
    at_buyer = [piece for piece in load.pieces if piece.delivered is not None]
    earned = ledger.Earned(goods, fee, own, promotion, deposit_of(load.lines, at_buyer))
    ledger.earn(order.seller_id, order.id, f"trip:{trip.id}", earned)
    papers.issue_act(group, order, trip, load, own)


def _close(actor: Actor, group: OrderGroup, order: Order, trips: Sequence[Fulfilment]) -> None:
    """Complete an order whose trips are all over, and the cash payment of a purchase whose orders are."""
    outcome = rules.order_outcome(t.status for t in trips)
    if order.status == "accepted" and outcome is not None:
        reason = "" if outcome == "completed" else "not_delivered"
        move_order(actor, order, outcome, reason=reason)
    if group.payment_method == "cash":
        _settle_cash(group, order, trips)
    sum_group(group)


def _settle_cash(group: OrderGroup, order: Order, trips: Sequence[Fulfilment]) -> None:
    if all(t.status in OVER for t in trips) and order.total and order.payment_status == "awaiting":
        order.payment_status = "paid"
    session.flush()
    waiting = session.scalar(
        sa.select(sa.func.count())
        .select_from(Order)
        .where(Order.group_id == group.id, Order.payment_status == "awaiting", Order.total > 0)
    )
    if not waiting and payments.settle_cash(group.id):
        note(SYSTEM, order, "payment.paid", "awaiting", "paid", details={"amount": group.total})


def _of_seller(actor: Actor, trip_id: uuid.UUID) -> tuple[OrderGroup, Order, list[Fulfilment], Fulfilment]:
    """A trip of the actor's seller, with everything locked.

    Raises:
        NotFound: absent, or another seller's.
    """
    row = session.execute(
        sa.select(Fulfilment.id, Fulfilment.order_id)
        .join(Order, Order.id == Fulfilment.order_id)
        .where(Fulfilment.public_id == trip_id, Order.seller_id == actor.seller_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    group, order, trips = locked_order(row.order_id)
    return group, order, trips, next(t for t in trips if t.id == row.id)


def _check_accepted(order: Order) -> None:
    if order.status != "accepted":
        raise Conflict("order_state", state=order.status, wanted="picking")


def _derive(order: Order, trips: Sequence[Fulfilment]) -> None:
    order.fulfilment_status = rules.derived_fulfilment(t.status for t in trips)


def _because(actor: Actor, trip: Fulfilment, reason: str) -> stock.Cause:
    return stock.Cause("fulfilment", trip.id, actor, reason)
