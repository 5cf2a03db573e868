"""Reads of carts, purchases and orders. Rows are frozen; each page is a constant number of queries."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.cache import Cache
from app.core.db import session
from app.core.errors import NotFound
from app.core.permissions import Actor
from app.logistics import queries as logistics
from app.logistics.queries import BuyersDelivery
from app.orders import carts, discounts, numbers, pallets, promoting, rules
from app.orders.checkout import wishes_of
from app.orders.models import (
    CartLine,
    Fulfilment,
    FulfilmentLine,
    Order,
    OrderEvent,
    OrderGroup,
    OrderLine,
)
from app.orders.plan import Plan, make_plan, plan_of_cart
from app.orders.promoting import TakenOff
from app.payments import queries as payments
from app.payments.queries import PaymentRow
from app.payments.rules import kept_fee

OPEN_STATES = ("placed", "accepted")


def cart_count(actor: Actor, token: str, cache: Cache) -> int:
    """How many positions are in the cart; a person's number is kept, for every page shows it."""

    def count() -> int:
        whose = carts.open_cart(actor, token)
        if whose is None:
            return 0
        return session.scalar(sa.select(sa.func.count()).where(CartLine.cart_id.in_(whose))) or 0

    return (
        int(cache.get_or_make(carts.kept_as(actor.user), "", lambda: str(count()))) if actor.is_signed_in else count()
    )


def cart_plan(
    actor: Actor,
    token: str,
    site: Mapping[str, Any] | None = None,
    day: date | None = None,
    company_id: int | None = None,
) -> Plan:
    """The cart as it would be ordered now, delivered to the site (the city's centre without one), with its discounts.

    Args:
        company_id: the organisation that will pay; None: the person.
    """
    cart = carts.open_cart(actor, token)
    wishes = wishes_of(cart) if cart is not None else []
    if not wishes:
        return Plan((), ())
    if actor.is_signed_in:
        plan = plan_of_cart(wishes, site, day or clock.today())
    else:
        plan = make_plan(wishes, site, day or clock.today())
    return promoting.on_cart(plan, wishes[0].cart_id, company_id)


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of an order; quantities in `unit`, kopeks."""

    id: int
    public_id: uuid.UUID
    order_id: int
    position: int
    offer_id: int
    product_id: int
    name_ru: str
    name_en: str
    sku: str
    unit: str
    factor: Fraction
    quantity: Decimal
    quantity_base: Decimal
    accepted: Decimal | None
    price: int
    price_rule: str
    vat_percent: Decimal
    net: int
    vat: int
    gross: int
    mass_kg: Decimal
    replaces_id: int | None
    """The line in whose place the seller sends this one."""
    discount: int
    """Kopeks off the whole line as it was ordered; gross is after it."""
    pallet_deposit: int
    """Kopeks for a returnable pallet, 0 without."""

    @property
    def discount_now(self) -> int:
        """The part of the discount that falls on what the line comes to now."""
        return kept_fee(self.discount, discounts.sold_for(self.price, self.quantity, self.discount), self.gross)

    @property
    def missing(self) -> Decimal:
        """What the seller did not agree to."""
        return self.quantity - (self.quantity if self.accepted is None else self.accepted)


@dataclass(frozen=True, slots=True)
class PieceRow:
    """A part of a line on a trip, in units of sale."""

    line: LineRow
    quantity: Decimal
    picked: Decimal | None
    delivered: Decimal | None
    pallets: int


@dataclass(frozen=True, slots=True)
class TripRow:
    """A trip with what it carries and, when the buyer may see it, the delivery."""

    id: int
    public_id: uuid.UUID
    order_id: int
    status: str
    warehouse_name: str
    warehouse_address: str
    reason: str
    day: date
    window_from: datetime
    window_to: datetime
    price: int
    price_lines: list[Any]
    mass_kg: Decimal
    volume_m3: Decimal
    length_mm: int
    ready_at: datetime | None
    pieces: tuple[PieceRow, ...]
    delivery: BuyersDelivery | None
    method: str
    pickup_code: str
    """For the buyer only."""
    pickup_failures: int
    receiver: str
    counter: dict[str, Any]
    """Of a pickup: lat, lon, opens_at, closes_at; of one of several deliveries: part, parts; on one truck: joint."""

    @property
    def is_movable(self) -> bool:
        """Whether its day may still be moved."""
        return self.status == "planned" and not self.counter.get("joint")

    @property
    def waits_at_counter(self) -> bool:
        """Whether the buyer is still to fetch it."""
        return self.method == "pickup" and self.status in ("planned", "picking", "ready")


@dataclass(frozen=True, slots=True)
class EventRow:
    """A line of the history."""

    order_id: int | None
    order_number: str
    kind: str
    reason: str
    details: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as lists show it."""

    id: int
    public_id: uuid.UUID
    number: str
    group_id: int
    seller_id: int
    seller_name: str
    status: str
    payment_status: str
    fulfilment_status: str
    goods: int
    delivery: int
    deposit: int
    total: int
    vat: int
    accept_by: datetime
    accepted_at: datetime | None
    reason: str
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order whole."""

    row: OrderRow
    lines: tuple[LineRow, ...]
    trips: tuple[TripRow, ...]
    events: tuple[EventRow, ...]
    discounts: tuple[TakenOff, ...]

    @property
    def pallets(self) -> dict[int, int]:
        """Kopeks for a returnable pallet -> how many are paid for."""
        return pallets.grouped((p.line.pallet_deposit, p.pallets) for t in self.trips for p in t.pieces)

    @property
    def is_cancellable(self) -> bool:
        """Whether the buyer may still take it back."""
        open_trips = [t for t in self.trips if t.status != "cancelled"]
        return self.row.status in OPEN_STATES and all(t.status in rules.CANCELLABLE for t in open_trips)

    def reached(self, *kinds: str) -> datetime | None:
        """When the order first came to one of these points of its history."""
        return min((e.at for e in self.events if e.kind in kinds), default=None)

    @property
    def was_at_the_door(self) -> bool:
        """Whether some of it was handed over."""
        return self.reached("fulfilment.delivered", "fulfilment.partially_delivered") is not None


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A purchase as lists show it, with its orders."""

    id: int
    public_id: uuid.UUID
    number: str
    user_id: int
    site: dict[str, Any]
    contact_name: str
    contact_phone: str
    payment_method: str
    payment_status: str
    goods: int
    delivery: int
    deposit: int
    total: int
    vat: int
    comment: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class GroupView:
    """A purchase whole."""

    row: GroupRow
    orders: tuple[OrderView, ...]
    payment: PaymentRow | None

    @property
    def pallets(self) -> dict[int, int]:
        """Kopeks for a returnable pallet -> how many are paid for."""
        return pallets.grouped(pair for order in self.orders for pair in order.pallets.items())

    @property
    def is_over(self) -> bool:
        """Nothing more will happen to it by itself."""
        return all(
            o.row.status not in OPEN_STATES and o.row.fulfilment_status not in ("returning", "in_transit")
            for o in self.orders
        )


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """A purchase in the list of the buyer."""

    row: GroupRow
    orders: tuple[OrderRow, ...]


GROUP_COLUMNS: list[Any] = [getattr(OrderGroup, name) for name in GroupRow.__dataclass_fields__]
ORDER_COLUMNS: list[Any] = [getattr(Order, name) for name in OrderRow.__dataclass_fields__]


def groups_of(user_id: int, *, before: int | None = None, limit: int = 24, status: str = "") -> list[GroupSummary]:
    """Purchases of a person, newest first; `before`: the id where the last page ended; `status`: of an order in it."""
    statement = sa.select(*GROUP_COLUMNS).where(OrderGroup.user_id == user_id)
    if before is not None:
        statement = statement.where(OrderGroup.id < before)
    if status:
        with_status = sa.select(Order.group_id).where(Order.status == status)
        statement = statement.where(OrderGroup.id.in_(with_status))
    groups = [GroupRow(*row) for row in session.execute(statement.order_by(OrderGroup.id.desc()).limit(limit))]
    ids = [group.id for group in groups]
    orders = [
        OrderRow(*r)
        for r in session.execute(sa.select(*ORDER_COLUMNS).where(Order.group_id.in_(ids)).order_by(Order.id))
    ]
    return [GroupSummary(g, tuple(o for o in orders if o.group_id == g.id)) for g in groups]


def group_view(user_id: int, number: str) -> GroupView:
    """A purchase of a person.

    Raises:
        NotFound: absent, or another person's.
    """
    row = session.execute(
        sa.select(*GROUP_COLUMNS).where(OrderGroup.number == number, OrderGroup.user_id == user_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    group = GroupRow(*row)
    return GroupView(group, whole_orders(Order.group_id == group.id), payments.payment_of(group.id))


def order_view(user_id: int, number: str) -> tuple[GroupRow, OrderView]:
    """An order of a person, with its purchase.

    Raises:
        NotFound: absent, or another person's.
    """
    row = session.execute(
        sa.select(*GROUP_COLUMNS)
        .join(Order, Order.group_id == OrderGroup.id)
        .where(Order.number == number, OrderGroup.user_id == user_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return GroupRow(*row), whole_orders(Order.number == number)[0]


def lines_of(user_id: int, number: str) -> list[LineRow]:
    """The lines of a person's purchase (R1001) or of one order of it (R1001-2).

    Raises:
        NotFound: absent, or another person's.
    """
    column = Order.number if numbers.ORDER.fullmatch(number) else OrderGroup.number
    own = sa.select(Order.id).join(OrderGroup, OrderGroup.id == Order.group_id)
    found = _lines(own.where(column == number, OrderGroup.user_id == user_id))
    if not found:
        raise NotFound()
    return found


def whole_orders(condition: sa.ColumnElement[bool]) -> tuple[OrderView, ...]:
    """Whole orders: rows, lines, trips with their loads, history, deliveries; five queries for any number, six with
    discounts.
    """
    rows = [OrderRow(*r) for r in session.execute(sa.select(*ORDER_COLUMNS).where(condition).order_by(Order.id))]
    ids = [row.id for row in rows]
    lines = _lines(ids)
    trips = _trips(ids, {line.id: line for line in lines})
    names = {row.id: row.number for row in rows}
    events = _events(ids, names)
    off = promoting.taken_off(lines)
    return tuple(
        OrderView(
            row,
            tuple(line for line in lines if line.order_id == row.id),
            tuple(trip for trip in trips if trip.order_id == row.id),
            tuple(event for event in events if event.order_id == row.id),
            tuple(one for one in off if one.order_id == row.id),
        )
        for row in rows
    )


def _lines(order_ids: Sequence[int] | sa.Select[int]) -> list[LineRow]:
    columns = [
        OrderLine.id, OrderLine.public_id, OrderLine.order_id, OrderLine.position, OrderLine.offer_id,
        OrderLine.product_id, OrderLine.name_ru, OrderLine.name_en, OrderLine.sku, OrderLine.unit,
        OrderLine.factor_numerator, OrderLine.factor_denominator, OrderLine.quantity, OrderLine.quantity_base,
        OrderLine.accepted, OrderLine.price, OrderLine.price_rule, OrderLine.vat_percent, OrderLine.net, OrderLine.vat,
        OrderLine.gross, OrderLine.mass_kg, OrderLine.replaces_id, OrderLine.discount,
        OrderLine.pallet_deposit,
    ]  # fmt: skip
    statement = sa.select(*columns).where(OrderLine.order_id.in_(order_ids))
    rows = session.execute(statement.order_by(OrderLine.order_id, OrderLine.position))
    return [_line(tuple(row)) for row in rows]


def _line(row: Any) -> LineRow:
    """Two whole numbers of the row make the factor."""
    values: tuple[Any, ...] = (*row[:10], Fraction(row[10], row[11]), *row[12:])
    return LineRow(*values)


def _trips(order_ids: Sequence[int], lines: Mapping[int, LineRow]) -> list[TripRow]:
    rows = session.execute(
        sa.select(
            Fulfilment.id, Fulfilment.public_id, Fulfilment.order_id, Fulfilment.status, Fulfilment.allocation,
            Fulfilment.day, Fulfilment.window_from, Fulfilment.window_to, Fulfilment.delivery_price,
            Fulfilment.price_lines, Fulfilment.mass_kg, Fulfilment.volume_m3, Fulfilment.length_mm, Fulfilment.ready_at,
            FulfilmentLine.order_line_id, FulfilmentLine.quantity, FulfilmentLine.picked, FulfilmentLine.delivered,
            Fulfilment.method, Fulfilment.pickup_code, Fulfilment.pickup_failures, Fulfilment.receiver,
            FulfilmentLine.pallets,
        )
        .outerjoin(FulfilmentLine, FulfilmentLine.fulfilment_id == Fulfilment.id)
        .where(Fulfilment.order_id.in_(order_ids))
        .order_by(Fulfilment.id, FulfilmentLine.order_line_id)
    ).all()  # fmt: skip
    deliveries = logistics.of_fulfilments(dict.fromkeys(r.id for r in rows))
    found = []
    for trip_id in dict.fromkeys(r.id for r in rows):
        own = [r for r in rows if r.id == trip_id]
        pieces = tuple(_piece(r, lines[r.order_line_id]) for r in own if r.order_line_id is not None)
        r = own[0]
        found.append(
            TripRow(
                r.id,
                r.public_id,
                r.order_id,
                r.status,
                r.allocation.get("warehouse", ""),
                r.allocation.get("address", ""),
                r.allocation.get("reason", ""),
                r.day,
                r.window_from,
                r.window_to,
                r.delivery_price,
                r.price_lines,
                r.mass_kg,
                r.volume_m3,
                r.length_mm,
                r.ready_at,
                pieces,
                deliveries.get(r.id),
                r.method,
                r.pickup_code,
                r.pickup_failures,
                r.receiver,
                r.allocation,
            )
        )
    return found


def _piece(row: Any, line: LineRow) -> PieceRow:
    def units(base: Decimal | None) -> Decimal | None:
        if base is None:
            return None
        return line.quantity if base == line.quantity_base else rules.per_unit(base, line.factor)

    return PieceRow(line, units(row.quantity) or Decimal(0), units(row.picked), units(row.delivered), row.pallets)


def _events(order_ids: Sequence[int], numbers: Mapping[int, str]) -> list[EventRow]:
    rows = session.execute(
        sa.select(OrderEvent.order_id, OrderEvent.kind, OrderEvent.reason, OrderEvent.details, OrderEvent.created_at)
        .where(OrderEvent.order_id.in_(order_ids))
        .order_by(OrderEvent.created_at.desc(), OrderEvent.id.desc())
    )
    return [EventRow(r.order_id, numbers.get(r.order_id, ""), r.kind, r.reason, r.details, r.created_at) for r in rows]


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What a mail about an order says."""

    user_id: int
    contact_name: str
    number: str
    group_number: str
    seller_name: str
    reason: str
    total: int


def mail_facts(order_id: int) -> MailFacts | None:
    """What to tell the buyer of an order."""
    row = session.execute(
        sa.select(
            OrderGroup.user_id,
            OrderGroup.contact_name,
            Order.number,
            OrderGroup.number.label("group_number"),
            Order.seller_name,
            Order.reason,
            Order.total,
        )
        .join(OrderGroup, OrderGroup.id == Order.group_id)
        .where(Order.id == order_id)
    ).one_or_none()
    return None if row is None else MailFacts(*row)
