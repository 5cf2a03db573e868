"""Reads of returns and claims: lists with counts for each side, one of them whole, what an order may give back."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.catalog.sections import Section
from app.core.db import session
from app.core.errors import NotFound
from app.core.permissions import Actor
from app.offers import queries as offers
from app.offers import return_terms
from app.offers.return_terms import Terms
from app.orders import cases, refunds, return_rules
from app.orders.handed import HandedLine, handed_lines
from app.orders.models import Order, OrderEvent, OrderGroup, OrderLine
from app.orders.return_models import Claim, EvidencePhoto, ReturnLine, ReturnRequest
from app.payments import refund_queries
from app.payments.refund_queries import RefundRow

Scope = sa.ColumnElement[bool]
EVERYBODY: Scope = sa.true()
"""The operator's scope."""
_stuck = sa.and_(ReturnRequest.status == "in_transit", ReturnRequest.escalated_at.is_not(None))
RETURN_TABS: Mapping[str, Scope] = {
    "requested": ReturnRequest.status == "requested",
    "coming": ReturnRequest.status.in_(("approved", "in_transit")),
    "received": ReturnRequest.status == "received",
    "stuck": _stuck,
    "over": ReturnRequest.status.in_(return_rules.RETURN.last),
}
CLAIM_TABS: Mapping[str, Scope] = {
    "opened": Claim.status == "opened",
    "answered": Claim.status.in_(("offered", "refused")),
    "escalated": Claim.status == "escalated",
    "over": Claim.status.in_(return_rules.CLAIM.last),
}


def buyers(actor: Actor) -> Scope:
    """What the person placed."""
    return cases.is_buyers(actor)


def sellers(actor: Actor) -> Scope:
    """What the actor's seller sold."""
    return Order.seller_id == actor.seller_id


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph of a case: waiting, ready or refused."""

    public_id: uuid.UUID
    state: str
    file_name: str


@dataclass(frozen=True, slots=True)
class Said:
    """A step of a case: who moved it (by name; empty for the market) where to, why."""

    kind: str
    reason: str
    details: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """A return in a list. Kopeks."""

    id: int
    public_id: uuid.UUID
    order_id: int
    number: str
    seller_name: str
    buyer: str
    status: str
    reason: str
    note: str
    answer: str
    count_note: str
    carried_by: str
    fee_percent: Decimal
    goods: int
    fee: int
    refund_id: int | None
    due_at: datetime | None
    escalated_at: datetime | None
    received_at: datetime | None
    closed_at: datetime | None
    created_at: datetime
    lines: int

    @property
    def is_open(self) -> bool:
        return self.status in return_rules.RETURN_OPEN


_lines = sa.select(sa.func.count()).where(ReturnLine.return_id == ReturnRequest.id).scalar_subquery()
_RETURN: list[Any] = [
    getattr(ReturnRequest, name)
    for name in (
        "status", "reason", "note", "answer", "count_note", "carried_by", "fee_percent", "goods", "fee", "refund_id",
        "due_at", "escalated_at", "received_at", "closed_at", "created_at",
    )
]  # fmt: skip
_ORDER: list[Any] = [Order.id, Order.number, Order.seller_name, OrderGroup.contact_name]


def _joined(columns: Sequence[Any], model: type[ReturnRequest] | type[Claim]) -> sa.Select[Any]:
    return (
        sa.select(*columns)
        .select_from(model)
        .join(Order, Order.id == model.order_id)
        .join(OrderGroup, OrderGroup.id == Order.group_id)
    )


def _returns(*conditions: Scope) -> sa.Select[Any]:
    columns = [ReturnRequest.id, ReturnRequest.public_id, *_ORDER, *_RETURN, _lines]
    return _joined(columns, ReturnRequest).where(*conditions).order_by(ReturnRequest.id.desc())


def returns(
    scope: Scope, tab: str = "", reason: str = "", *, before: int | None = None, limit: int = 24
) -> list[ReturnRow]:  # fmt: skip
    """Returns of a tab (all without one), newest first."""
    statement = _returns(scope, RETURN_TABS.get(tab, sa.true())).limit(limit)
    if reason in return_rules.RETURN_REASONS:
        statement = statement.where(ReturnRequest.reason == reason)
    if before is not None:
        statement = statement.where(ReturnRequest.id < before)
    return [ReturnRow(*row) for row in session.execute(statement)]


def _counts(scope: Scope, model: type[ReturnRequest] | type[Claim], tabs: Mapping[str, Scope]) -> dict[str, int]:
    counted = [sa.func.count().filter(condition) for condition in tabs.values()]
    row = session.execute(_joined(counted, model).where(scope)).one()
    return dict(zip(tabs, row, strict=True))


def return_counts(scope: Scope) -> dict[str, int]:
    """How many returns stand in each tab."""
    return _counts(scope, ReturnRequest, RETURN_TABS)


def claim_counts(scope: Scope) -> dict[str, int]:
    """How many claims stand in each tab."""
    return _counts(scope, Claim, CLAIM_TABS)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Cases that wait for the seller."""

    returns: int
    claims: int


def waiting_for_seller(seller_id: int) -> Waiting:
    """Requests to answer, goods to settle, claims to answer; one query."""
    returns = sa.select(sa.func.count()).select_from(ReturnRequest).join(Order, Order.id == ReturnRequest.order_id)
    asked = returns.where(Order.seller_id == seller_id, ReturnRequest.status.in_(("requested", "received")))
    opened = sa.select(sa.func.count()).select_from(Claim).join(Order, Order.id == Claim.order_id)
    claimed = opened.where(Order.seller_id == seller_id, Claim.status == "opened")
    return Waiting(*session.execute(sa.select(asked.scalar_subquery(), claimed.scalar_subquery())).one())


@dataclass(frozen=True, slots=True)
class BackLine:
    """A line that goes back, in units of sale; `worth` and `back`: kopeks before and after the fee."""

    line: HandedLine
    quantity: Decimal
    received: Decimal | None
    fit: Decimal | None
    worth: int
    back: int


@dataclass(frozen=True, slots=True)
class ReturnView:
    """A return whole. `goods`, `fee`: kopeks as they are, or as they would be now."""

    row: ReturnRow
    lines: tuple[BackLine, ...]
    photos: tuple[Photo, ...]
    history: tuple[Said, ...]
    refund: RefundRow | None
    warehouses: tuple[tuple[uuid.UUID, str], ...]
    goods: int
    fee: int

    @property
    def back(self) -> int:
        """Kopeks that go back to the buyer."""
        return self.goods - self.fee


def return_view(scope: Scope, public_id: uuid.UUID) -> ReturnView:
    """One return.

    Raises:
        NotFound: absent, or outside the scope.
    """
    found = session.execute(_returns(scope, ReturnRequest.public_id == public_id)).one_or_none()
    if found is None:
        raise NotFound()
    row = ReturnRow(*found)
    lines = _back_lines(row)
    seller_id = session.get_one(Order, row.order_id).seller_id
    places = tuple((one.public_id, one.name) for one in offers.warehouses_of(seller_id) if one.is_active)
    goods = sum(line.worth for line in lines)
    fee = goods - sum(line.back for line in lines)
    if row.status == "refunded":
        goods, fee = row.goods, row.fee
    return ReturnView(
        row, lines, _photos(EvidencePhoto.return_id == row.id), _history(row.order_id, row.public_id),
        _refund(row.order_id, row.refund_id), places, goods, fee,
    )  # fmt: skip


def _back_lines(row: ReturnRow) -> tuple[BackLine, ...]:
    handed = {line.id: line for line in handed_lines([row.order_id])}
    order = session.get_one(Order, row.order_id)
    left = refunds.left_of(order, refunds.lines_of(order.id)).lines
    kept = session.scalars(
        sa.select(ReturnLine).where(ReturnLine.return_id == row.id).order_by(ReturnLine.order_line_id)
    )
    found = []
    for one in kept:
        line = handed[one.order_line_id]
        counted = one.fit if row.reason == "leftover" else one.received
        base = one.quantity if counted is None else counted
        found.append((line, one, max(0, min(line.worth(base), left[line.id]))))
    back = return_rules.less_fee([worth for *_rest, worth in found], row.fee_percent)
    return tuple(
        BackLine(
            line, line.units(one.quantity), None if one.received is None else line.units(one.received),
            None if one.fit is None else line.units(one.fit), worth, amount,
        )
        for (line, one, worth), amount in zip(found, back, strict=True)
    )  # fmt: skip


def _photos(condition: Scope) -> tuple[Photo, ...]:
    columns = (EvidencePhoto.public_id, EvidencePhoto.state, EvidencePhoto.file_name)
    rows = session.execute(sa.select(*columns).where(condition).order_by(EvidencePhoto.id))
    return tuple(Photo(*row) for row in rows)


def _history(order_id: int, case: uuid.UUID) -> tuple[Said, ...]:
    rows = session.execute(
        sa.select(OrderEvent.kind, OrderEvent.reason, OrderEvent.details, OrderEvent.created_at)
        .where(OrderEvent.order_id == order_id, OrderEvent.details["case"].astext == str(case))
        .order_by(OrderEvent.id.desc())
    )
    return tuple(Said(*row) for row in rows)


def _refund(order_id: int, refund_id: int | None) -> RefundRow | None:
    if refund_id is None:
        return None
    return next(one for one in refund_queries.of_orders([order_id]) if one.id == refund_id)


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim in a list. Kopeks; `quantity` in `unit`."""

    id: int
    public_id: uuid.UUID
    order_id: int
    number: str
    seller_name: str
    buyer: str
    status: str
    kind: str
    wish: str
    wanted: int
    note: str
    answer: str
    offered: int | None
    settled: int | None
    in_favour: str
    decision: str
    refund_id: int | None
    due_at: datetime | None
    closed_at: datetime | None
    created_at: datetime
    order_line_id: int
    name_ru: str
    name_en: str
    sku: str
    unit: str
    gross: int
    quantity: Decimal

    @property
    def is_open(self) -> bool:
        return self.status in return_rules.CLAIM_OPEN

    @property
    def waits_for_money(self) -> bool:
        """Agreed, but the order is not completed or paid yet."""
        return bool(self.settled) and self.refund_id is None and self.due_at is not None


_CLAIM: list[Any] = [
    getattr(Claim, name)
    for name in (
        "status", "kind", "wish", "wanted", "note", "answer", "offered", "settled", "in_favour", "decision",
        "refund_id", "due_at", "closed_at", "created_at", "order_line_id",
    )
]  # fmt: skip
_units = sa.func.round(Claim.quantity * OrderLine.factor_denominator / OrderLine.factor_numerator, 3)


def _claims(*conditions: Scope) -> sa.Select[Any]:
    columns = [
        Claim.id, Claim.public_id, *_ORDER, *_CLAIM, OrderLine.name_ru, OrderLine.name_en, OrderLine.sku,
        OrderLine.unit, OrderLine.gross, _units,
    ]  # fmt: skip
    lines = _joined(columns, Claim).join(OrderLine, OrderLine.id == Claim.order_line_id)
    return lines.where(*conditions).order_by(Claim.id.desc())


def claims(
    scope: Scope, tab: str = "", kind: str = "", *, before: int | None = None, limit: int = 24
) -> list[ClaimRow]:  # fmt: skip
    """Claims of a tab (all without one), newest first."""
    statement = _claims(scope, CLAIM_TABS.get(tab, sa.true())).limit(limit)
    if kind in return_rules.CLAIM_KINDS:
        statement = statement.where(Claim.kind == kind)
    if before is not None:
        statement = statement.where(Claim.id < before)
    return [ClaimRow(*row) for row in session.execute(statement)]


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim whole. `left`: kopeks of the line that may still be given back."""

    row: ClaimRow
    photos: tuple[Photo, ...]
    history: tuple[Said, ...]
    refund: RefundRow | None
    left: int


def claim_view(scope: Scope, public_id: uuid.UUID) -> ClaimView:
    """One claim.

    Raises:
        NotFound: absent, or outside the scope.
    """
    found = session.execute(_claims(scope, Claim.public_id == public_id)).one_or_none()
    if found is None:
        raise NotFound()
    row = ClaimRow(*found)
    order = session.get_one(Order, row.order_id)
    left = refunds.left_of(order, refunds.lines_of(order.id)).lines[row.order_line_id]
    return ClaimView(
        row, _photos(EvidencePhoto.claim_id == row.id), _history(row.order_id, row.public_id),
        _refund(row.order_id, row.refund_id), max(0, left),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cases:
    """Returns and claims of some orders, newest first, and the terms that the orders were placed under."""

    returns: tuple[ReturnRow, ...]
    claims: tuple[ClaimRow, ...]
    terms: Mapping[int, Terms]
    sections: Mapping[int, Section]


def of_orders(order_ids: Iterable[int]) -> Cases:
    """What the page of a purchase shows."""
    ids = list(order_ids)
    terms = return_terms.at_orders(ids)
    return Cases(
        tuple(ReturnRow(*row) for row in session.execute(_returns(ReturnRequest.order_id.in_(ids)))),
        tuple(ClaimRow(*row) for row in session.execute(_claims(Claim.order_id.in_(ids)))),
        terms, return_terms.names_of(terms.values()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """What a buyer may still send back of an order, or claim."""

    number: str
    seller_name: str
    terms: Terms
    lines: tuple[HandedLine, ...]
    left: Mapping[int, int]


def options(scope: Scope, number: str) -> Options:
    """Lines that were handed over, with the terms of the order and the kopeks left of each.

    Raises:
        NotFound: absent, outside the scope, or nothing of it was handed over.
    """
    row = session.execute(
        sa.select(Order)
        .join(OrderGroup, OrderGroup.id == Order.group_id)
        .where(Order.number == number, scope)
    ).scalar_one_or_none()  # fmt: skip
    if row is None:
        raise NotFound()
    lines = handed_lines([row.id])
    if not lines:
        raise NotFound()
    left = refunds.left_of(row, refunds.lines_of(row.id)).lines
    return Options(row.number, row.seller_name, return_terms.at_orders([row.id])[row.id], tuple(lines), left)
