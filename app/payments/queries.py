"""Reads of money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.core.db import session
from app.payments.models import (
    CommissionLine,
    CommissionRule,
    Invoice,
    Payment,
)
from app.payments.rules import Rule, kept_fee


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """The payment of a purchase; `invoice_number` is empty unless it is by bank."""

    id: int
    public_id: object
    method: str
    status: str
    amount: int
    due_on: date | None
    paid_at: datetime | None
    invoice_number: str
    requisites: dict[str, Any]
    received: int = 0

    @property
    def is_unpaid(self) -> bool:
        """Whether money is waited for."""
        return self.status in ("awaiting", "overdue", "authorised")

    @property
    def left(self) -> int:
        """Kopeks still to come."""
        return max(0, self.amount - self.received) if self.is_unpaid else 0


@dataclass(frozen=True, slots=True)
class FrozenFee:
    """The fee of an order line as it was frozen, for `base` kopeks of it."""

    percent: Decimal
    base: int
    amount: int

    def kept(self, gross: int) -> int:
        """The part that falls on so much of the line."""
        return kept_fee(self.amount, self.base, gross)


def commission_rules(day: date) -> list[Rule]:
    """The operator's list on a day, first rule first."""
    rows = session.execute(
        sa.select(
            CommissionRule.id, CommissionRule.seller_id, CommissionRule.category_id, CommissionRule.percent,
            CommissionRule.valid_from, CommissionRule.valid_to, CommissionRule.amount_from, CommissionRule.amount_to,
            CommissionRule.fixed, CommissionRule.floor, CommissionRule.cap,
        )
        .where(
            CommissionRule.ended_at.is_(None),
            CommissionRule.valid_from <= day,
            sa.func.coalesce(CommissionRule.valid_to, day) >= day,
        )
        .order_by(CommissionRule.position)
    )  # fmt: skip
    return [Rule(r.id, r.seller_id, None if r.category_id is None else (r.category_id,), *r[3:]) for r in rows]


def has_category_rules(day: date) -> bool:
    """Whether any rule of the day speaks of a category."""
    return any(rule.category_ids is not None for rule in commission_rules(day))


def payment_of(group_id: int) -> PaymentRow | None:
    """The payment of a purchase."""
    row = session.execute(
        sa.select(
            Payment.id, Payment.public_id, Payment.method, Payment.status, Payment.amount, Payment.due_on,
            Payment.paid_at, Invoice.number, Invoice.requisites, Payment.received,
        )
        .outerjoin(Invoice, Invoice.payment_id == Payment.id)
        .where(Payment.group_id == group_id)
    ).one_or_none()  # fmt: skip
    if row is None:
        return None
    return PaymentRow(
        row.id, row.public_id, row.method, row.status, row.amount, row.due_on, row.paid_at, row.number or "",
        row.requisites or {}, row.received,
    )  # fmt: skip


def group_of(payment_id: int) -> int | None:
    """The purchase that a payment is for."""
    return session.scalar(sa.select(Payment.group_id).where(Payment.id == payment_id))


def fees_of(order_line_ids: Iterable[int]) -> dict[int, FrozenFee]:
    """Order line -> its frozen fee."""
    rows = session.execute(
        sa.select(
            CommissionLine.order_line_id, CommissionLine.percent, CommissionLine.base, CommissionLine.amount
        ).where(CommissionLine.order_line_id.in_(list(order_line_ids)))
    )
    return {r.order_line_id: FrozenFee(r.percent, r.base, r.amount) for r in rows}
