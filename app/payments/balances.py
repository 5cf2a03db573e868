"""Reads of the ledger of sellers: balance, rows, payouts, one order to the kopek. Everything is derived from rows."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.core.errors import NotFound
from app.payments import rules
from app.payments.models import (
    Payment,
    PaymentSplit,
    PayoutTransfer,
    SellerPayout,
    SellerTransfer,
)

BOUGHT = ("paid", "partially_refunded", "refunded")


def _unswept() -> sa.ColumnElement[bool]:
    return sa.and_(
        SellerTransfer.kind != "payout",
        ~sa.exists().where(PayoutTransfer.transfer_id == SellerTransfer.id),
    )


def _available(at: datetime) -> sa.ColumnElement[bool]:
    """Earned longer ago than the hold-back and paid by the buyer; what is taken back or corrected counts at once."""
    bought = (
        sa.exists()
        .where(PaymentSplit.order_id == SellerTransfer.order_id, PaymentSplit.payment_id == Payment.id)
        .where(Payment.status.in_(BOUGHT))
    )
    held = at - timedelta(days=rules.HOLD_DAYS)
    return sa.or_(
        SellerTransfer.order_id.is_(None),
        ~SellerTransfer.reference.startswith("trip:"),
        sa.and_(SellerTransfer.created_at <= held, bought),
    )


def available_rows(seller_id: int) -> sa.Select[int, int]:
    """(id, kopeks) of the rows that a payout would sweep now."""
    return (
        sa.select(SellerTransfer.id, SellerTransfer.amount)
        .where(SellerTransfer.seller_id == seller_id, _unswept(), _available(clock.now()))
        .order_by(SellerTransfer.id)
    )


def with_money() -> list[int]:
    """Sellers to whom something is available, by id."""
    statement = (
        sa.select(SellerTransfer.seller_id)
        .where(_unswept(), _available(clock.now()))
        .group_by(SellerTransfer.seller_id)
        .having(sa.func.sum(SellerTransfer.amount) > 0)
        .order_by(SellerTransfer.seller_id)
    )
    return list(session.scalars(statement))


@dataclass(frozen=True, slots=True)
class Balance:
    """Kopeks: to be paid out now, delivered but held back or not paid by the buyer, owed by the seller, in all."""

    available: int
    coming: int

    @property
    def owed(self) -> int:
        return max(0, -self.available)

    @property
    def total(self) -> int:
        return self.available + self.coming


def balance(seller_id: int) -> Balance:
    """The balance of a seller, out of the rows that no payout has swept."""
    ripe = _available(clock.now())
    row = session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(SellerTransfer.amount).filter(ripe), 0),
            sa.func.coalesce(sa.func.sum(SellerTransfer.amount).filter(~ripe), 0),
        ).where(SellerTransfer.seller_id == seller_id, _unswept())
    ).one()
    return Balance(int(row[0]), int(row[1]))


@dataclass(frozen=True, slots=True)
class Transfer:
    """A row of the ledger."""

    id: int
    public_id: uuid.UUID
    kind: str
    amount: int
    order_id: int | None
    reference: str
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows: days included, kind empty for all."""

    first: date | None = None
    last: date | None = None
    kind: str = ""


COLUMNS: list[Any] = [getattr(SellerTransfer, name) for name in Transfer.__dataclass_fields__]


def _matching(seller_id: int, wanted: Filter) -> list[sa.ColumnElement[bool]]:
    found = [SellerTransfer.seller_id == seller_id]
    if wanted.first:
        found.append(SellerTransfer.created_at >= clock.at(wanted.first, 0))
    if wanted.last:
        found.append(SellerTransfer.created_at < clock.at(wanted.last + timedelta(days=1), 0))
    if wanted.kind:
        found.append(SellerTransfer.kind == wanted.kind)
    return found


def transfers(seller_id: int, wanted: Filter, *, before: int | None = None, limit: int = 50) -> list[Transfer]:
    """Rows of a seller, newest first; `before`: the id where the last page ended."""
    statement = sa.select(*COLUMNS).where(*_matching(seller_id, wanted))
    if before is not None:
        statement = statement.where(SellerTransfer.id < before)
    rows = session.execute(statement.order_by(SellerTransfer.id.desc()).limit(limit))
    return [Transfer(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Statement:
    """A period of the ledger: what it began with, its rows, what it ended with."""

    first: date
    last: date
    opening: int
    rows: tuple[Transfer, ...]

    @property
    def closing(self) -> int:
        return self.opening + sum(row.amount for row in self.rows)

    def sums(self) -> dict[str, int]:
        """Kind -> kopeks of the period."""
        found: dict[str, int] = {}
        for row in self.rows:
            found[row.kind] = found.get(row.kind, 0) + row.amount
        return found


def statement(seller_id: int, first: date, last: date) -> Statement:
    """All rows of the days, oldest first."""
    opening = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(SellerTransfer.amount), 0)).where(
            SellerTransfer.seller_id == seller_id, SellerTransfer.created_at < clock.at(first, 0)
        )
    )
    rows = session.execute(
        sa.select(*COLUMNS).where(*_matching(seller_id, Filter(first, last))).order_by(SellerTransfer.id)
    )
    return Statement(first, last, int(opening or 0), tuple(Transfer(*row) for row in rows))


def of_order(order_id: int) -> list[Transfer]:
    """Rows of one order, oldest first."""
    rows = session.execute(sa.select(*COLUMNS).where(SellerTransfer.order_id == order_id).order_by(SellerTransfer.id))
    return [Transfer(*row) for row in rows]


def paid_out_of(transfer_ids: Sequence[int]) -> int:
    """Kopeks of these rows that payouts which did not fail have swept."""
    found = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(SellerTransfer.amount), 0))
        .join(PayoutTransfer, PayoutTransfer.transfer_id == SellerTransfer.id)
        .join(SellerPayout, SellerPayout.id == PayoutTransfer.payout_id)
        .where(SellerTransfer.id.in_(transfer_ids), SellerPayout.status != "failed")
    )
    return int(found or 0)


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """A payout."""

    id: int
    public_id: uuid.UUID
    run_id: int | None
    seller_id: int
    amount: int
    requisites: dict[str, Any]
    status: str
    note: str
    paid_at: datetime | None
    created_at: datetime


PAYOUT_COLUMNS: list[Any] = [getattr(SellerPayout, name) for name in PayoutRow.__dataclass_fields__]


def payouts(seller_id: int, *, before: int | None = None, limit: int = 50) -> list[PayoutRow]:
    """Payouts of a seller, newest first."""
    found = sa.select(*PAYOUT_COLUMNS).where(SellerPayout.seller_id == seller_id)
    if before is not None:
        found = found.where(SellerPayout.id < before)
    return [PayoutRow(*row) for row in session.execute(found.order_by(SellerPayout.id.desc()).limit(limit))]


def payout(seller_id: int, public_id: uuid.UUID) -> PayoutRow:
    """A payout of a seller.

    Raises:
        NotFound: absent, or another seller's.
    """
    row = session.execute(
        sa.select(*PAYOUT_COLUMNS).where(SellerPayout.seller_id == seller_id, SellerPayout.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return PayoutRow(*row)
