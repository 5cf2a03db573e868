"""Reads of refunds."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core.db import session
from app.payments.models import Payment, PaymentSplit, Refund

TABS = {"requested": ("requested",), "approved": ("approved",), "done": ("paid", "declined")}


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A refund with the order it is of and how that was paid."""

    id: int
    public_id: uuid.UUID
    order_id: int
    method: str
    kind: str
    amount: int
    goods: int
    delivery: int
    deposit: int
    reason: str
    status: str
    requested_by_id: int | None
    note: str
    payee: dict[str, Any]
    bank_reference: str
    decided_at: datetime | None
    paid_at: datetime | None
    created_at: datetime

    @property
    def wants_payee(self) -> bool:
        """Whether the buyer has to say where the money shall go."""
        return self.status in ("requested", "approved") and self.method != "card"


_COLUMNS: list[Any] = [
    Refund.id, Refund.public_id, PaymentSplit.order_id, Payment.method, Refund.kind, Refund.amount, Refund.goods,
    Refund.delivery, Refund.deposit, Refund.reason, Refund.status, Refund.requested_by_id, Refund.note,
    Refund.payee, Refund.bank_reference, Refund.decided_at, Refund.paid_at, Refund.created_at,
]  # fmt: skip


def _select() -> sa.Select[Any]:
    return (
        sa.select(*_COLUMNS)
        .join(PaymentSplit, PaymentSplit.id == Refund.split_id)
        .join(Payment, Payment.id == PaymentSplit.payment_id)
    )


def of_orders(order_ids: Iterable[int]) -> list[RefundRow]:
    """Refunds of orders, oldest first."""
    rows = session.execute(_select().where(PaymentSplit.order_id.in_(list(order_ids))).order_by(Refund.id))
    return [RefundRow(*row) for row in rows]


def page(tab: str, *, before: int | None = None, limit: int = 50) -> list[RefundRow]:
    """Refunds of a tab of the operator's list, newest first."""
    statement = _select().where(Refund.status.in_(TABS[tab]))
    if before is not None:
        statement = statement.where(Refund.id < before)
    return [RefundRow(*row) for row in session.execute(statement.order_by(Refund.id.desc()).limit(limit))]


def counts() -> dict[str, int]:
    """How many wait in each tab that is not over."""
    rows = session.execute(
        sa.select(Refund.status, sa.func.count())
        .where(Refund.status.in_(("requested", "approved")))
        .group_by(Refund.status)
    )
    return dict(rows.tuples().all())
