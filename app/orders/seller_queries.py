"""Reads of a seller's desk: the inbox with deadlines, an order with the buyer's contact and the fee."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from app.core.db import session
from app.core.errors import NotFound
from app.orders import promoting
from app.orders.models import Fulfilment, Order, OrderGroup, OrderLine
from app.orders.queries import GROUP_COLUMNS, ORDER_COLUMNS, GroupRow, OrderRow, OrderView, whole_orders
from app.orders.return_models import ReturnRequest
from app.payments import queries as payments
from app.payments.rules import NOTHING_BORNE


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An order in the list of the seller."""

    order: OrderRow
    site_address: str
    contact_name: str
    day: date | None
    window_from: datetime | None
    window_to: datetime | None
    mass_kg: Decimal
    lines: int
    payment_method: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of the seller's orders and how many there are in each tab."""

    rows: tuple[InboxRow, ...]
    counts: dict[str, int]


TABS: dict[str, tuple[str, ...]] = {
    "new": ("placed",),
    "work": ("accepted",),
    "done": ("completed",),
    "off": ("rejected", "expired", "cancelled"),
}


def inbox(seller_id: int, tab: str = "", *, before: int | None = None, limit: int = 24) -> Inbox:
    """Orders of a seller: new ones first by deadline, then the rest, newest first."""
    counts = {
        status: int(number)
        for status, number in session.execute(
            sa.select(Order.status, sa.func.count()).where(Order.seller_id == seller_id).group_by(Order.status)
        )
    }
    trips = (
        sa.select(
            Fulfilment.order_id,
            sa.func.min(Fulfilment.day).label("day"),
            sa.func.min(Fulfilment.window_from).label("window_from"),
            sa.func.min(Fulfilment.window_to).label("window_to"),
            sa.func.sum(Fulfilment.mass_kg).label("mass_kg"),
        )
        .where(Fulfilment.order_id == Order.id)
        .group_by(Fulfilment.order_id)
        .lateral()
    )
    lines = sa.select(sa.func.count()).where(OrderLine.order_id == Order.id).scalar_subquery()
    statement = (
        sa.select(
            *ORDER_COLUMNS, OrderGroup.site["address"].astext, OrderGroup.contact_name, trips.c.day,
            trips.c.window_from, trips.c.window_to, sa.func.coalesce(trips.c.mass_kg, 0), lines,
            OrderGroup.payment_method,
        )
        .join(OrderGroup, OrderGroup.id == Order.group_id)
        .outerjoin(trips, sa.true())
        .where(Order.seller_id == seller_id)
        .order_by(Order.id.desc())
        .limit(limit)
    )  # fmt: skip
    if tab in TABS:
        statement = statement.where(Order.status.in_(TABS[tab]))
    elif tab:
        statement = statement.where(Order.status == tab)
    if before is not None:
        statement = statement.where(Order.id < before)
    size = len(ORDER_COLUMNS)
    rows = [InboxRow(OrderRow(*r[:size]), *r[size:]) for r in session.execute(statement)]
    rows.sort(key=_urgency)
    return Inbox(tuple(rows), {name: sum(counts.get(s, 0) for s in states) for name, states in TABS.items()})


def _urgency(row: InboxRow) -> tuple[bool, float, int]:
    waits = row.order.status == "placed"
    return not waits, row.order.accept_by.timestamp() if waits else 0.0, -row.order.id


def count_new(seller_id: int) -> int:
    """Orders that wait for the seller's answer."""
    return session.scalar(sa.select(sa.func.count()).where(Order.seller_id == seller_id, Order.status == "placed")) or 0


@dataclass(frozen=True, slots=True)
class SellerOrderView:
    """An order as its seller sees it: with the buyer's contact and the fee, without PIN and tracking."""

    order: OrderView
    group: GroupRow
    fee: int
    fee_percents: tuple[Decimal, ...]
    borne: int
    """Kopeks of the discounts that the market bears."""


def seller_order(seller_id: int, number: str) -> SellerOrderView:
    """An order of a seller.

    Raises:
        NotFound: absent, or another seller's.
    """
    row = session.execute(
        sa.select(*GROUP_COLUMNS)
        .join(Order, Order.group_id == OrderGroup.id)
        .where(Order.number == number, Order.seller_id == seller_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    order = whole_orders(Order.number == number)[0]
    fees = payments.fees_of(line.id for line in order.lines)
    borne = promoting.borne_by_operator(order.lines)
    gets = {line.id: line.gross + borne.get(line.id, NOTHING_BORNE).kept(line.gross) for line in order.lines}
    fee = sum(fees[line].kept(kopeks) for line, kopeks in gets.items() if line in fees)
    percents = tuple(sorted({fee.percent for fee in fees.values()}))
    of_market = sum(gets.values()) - sum(line.gross for line in order.lines)
    return SellerOrderView(order, GroupRow(*row), fee, percents, of_market)


def order_of_trip(seller_id: int, trip: uuid.UUID) -> str:
    """The number of the order that a trip of the seller belongs to.

    Raises:
        NotFound: absent, or another seller's.
    """
    number: str | None = session.scalar(
        sa.select(Order.number)
        .join(Fulfilment, Fulfilment.order_id == Order.id)
        .where(Fulfilment.public_id == trip, Order.seller_id == seller_id)
    )
    if number is None:
        raise NotFound()
    return number


def numbers_behind(seller_id: int, ids: Mapping[str, Sequence[int]]) -> dict[tuple[str, int], str]:
    """(`order_group`, `order`, `fulfilment` or `return`, id) -> the seller's own order behind a movement of stock."""
    own = Order.seller_id == seller_id
    groups = sa.select(sa.literal("order_group"), Order.group_id, Order.number).where(
        own, Order.group_id.in_(ids.get("order_group", ()))
    )
    orders = sa.select(sa.literal("order"), Order.id, Order.number).where(own, Order.id.in_(ids.get("order", ())))
    trips = (
        sa.select(sa.literal("fulfilment"), Fulfilment.id, Order.number)
        .join(Order, Order.id == Fulfilment.order_id)
        .where(own, Fulfilment.id.in_(ids.get("fulfilment", ())))
    )
    returns = (
        sa.select(sa.literal("return"), ReturnRequest.id, Order.number)
        .join(Order, Order.id == ReturnRequest.order_id)
        .where(own, ReturnRequest.id.in_(ids.get("return", ())))
    )
    rows = session.execute(sa.union_all(groups, orders, trips, returns)).tuples()
    return {(entity, entity_id): number for entity, entity_id, number in rows}
