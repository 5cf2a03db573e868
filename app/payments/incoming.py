"""Reads of money that came: what waits for the operator, what is to be given back, files that were read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app.core.db import session
from app.payments.bank_models import BankStatement, IncomingPayment
from app.payments.models import Invoice, Payment, PaymentSplit

SHOWN = 100


@dataclass(frozen=True, slots=True)
class WaitingPayment:
    """A payment that found no invoice by itself. `problem`: unknown, less, more, closed or ambiguous."""

    public_id: uuid.UUID
    day: date
    number: str
    amount: int
    payer_name: str
    payer_inn: str
    purpose: str
    problem: str


@dataclass(frozen=True, slots=True)
class ToGiveBack:
    """More came for an invoice than it asks, or something came for a void one. Kopeks."""

    number: str
    status: str
    asked: int
    received: int
    kept: int
    refunded: int

    @property
    def extra(self) -> int:
        """Kopeks that are kept and are not for goods."""
        return self.kept - (0 if self.status == "voided" else self.asked - self.refunded)


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A file that was read."""

    file_name: str
    first_day: date | None
    last_day: date | None
    documents: int
    added: int
    at: datetime


def waiting() -> list[WaitingPayment]:
    """Payments for the operator to decide, oldest first."""
    columns = [getattr(IncomingPayment, name) for name in WaitingPayment.__dataclass_fields__]
    statement = sa.select(*columns).where(IncomingPayment.state == "waiting").order_by(IncomingPayment.id).limit(SHOWN)
    return [WaitingPayment(*row) for row in session.execute(statement)]


def to_give_back() -> list[ToGiveBack]:
    """Invoices with more money than they ask for, newest first."""
    return [ToGiveBack(*row) for row in session.execute(_extra().order_by(Payment.id.desc()).limit(SHOWN))]


def extra_of(number: str) -> ToGiveBack | None:
    """What is to be given back of one invoice; None when nothing is."""
    row = session.execute(_extra().where(Invoice.number == number)).one_or_none()
    return None if row is None else ToGiveBack(*row)


def _extra() -> sa.Select[Any]:
    refunded = (
        sa.select(sa.cast(sa.func.coalesce(sa.func.sum(PaymentSplit.refunded), 0), sa.BigInteger))
        .where(PaymentSplit.payment_id == Payment.id)
        .scalar_subquery()
    )
    owed = sa.case((Payment.status == "voided", 0), else_=Payment.amount - refunded)
    kept = Payment.received - Payment.returned
    return (
        sa.select(Invoice.number, Payment.status, Payment.amount, Payment.received, kept, refunded)
        .join(Payment, Payment.id == Invoice.payment_id)
        .where(kept > owed)
    )


def files() -> list[StatementRow]:
    """The last files, newest first."""
    statement = sa.select(
        BankStatement.file_name, BankStatement.first_day, BankStatement.last_day, BankStatement.documents,
        BankStatement.added, BankStatement.created_at,
    ).order_by(BankStatement.id.desc()).limit(20)  # fmt: skip
    return [StatementRow(*row) for row in session.execute(statement)]
