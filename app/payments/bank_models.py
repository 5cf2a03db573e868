"""Tables of money that comes in: bank statements and the payments in them, attempts to pay by card."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Kopeks, Moment, PublicId, one_value_enum, ref

INCOMING_STATES = ("matched", "waiting", "attached", "not_ours")
INCOMING_PROBLEMS = ("", "unknown", "less", "more", "closed", "ambiguous")
ATTEMPT_STATES = ("open", "paid", "declined", "abandoned", "suspicious")


class BankStatement(Base):
    """A file of the bank that was read; its payments stand beside it, its text is not kept."""

    __tablename__ = "bank_statement"
    __table_args__ = (sa.CheckConstraint("documents >= added AND added >= 0", name="counts"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    file_name: Mapped[str]
    account: Mapped[str]
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    documents: Mapped[int]
    """Payments to the account in the file."""
    added: Mapped[int]
    """Those that no earlier file had."""
    user_id: Mapped[int | None] = ref("user_account.id", index=False)
    created_at: Mapped[Created]


class IncomingPayment(Base):
    """One payment to the operator's account. The unique key makes a file read twice change nothing.

    state: matched by number and amount, attached by hand, not_ours by hand, or waiting for a hand; `problem` says why
    it could not be matched: no such invoice, less or more than is asked, closed (paid or void already), or two invoices
    in one purpose.
    """

    __tablename__ = "incoming_payment"
    __table_args__ = (
        one_value_enum("state", INCOMING_STATES),
        one_value_enum("problem", INCOMING_PROBLEMS),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("(payment_id IS NOT NULL) = (state IN ('matched', 'attached'))", name="payment_when_known"),
        sa.UniqueConstraint("account", "day", "number", "amount", "payer_inn", "payer_account"),
        sa.Index("ix_incoming_payment_waiting", "id", postgresql_where=sa.text("state = 'waiting'")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    statement_id: Mapped[int] = ref("bank_statement.id")
    account: Mapped[str]
    day: Mapped[date]
    number: Mapped[str]
    amount: Mapped[Kopeks]
    payer_inn: Mapped[str] = mapped_column(server_default="")
    payer_account: Mapped[str] = mapped_column(server_default="")
    payer_name: Mapped[str] = mapped_column(server_default="")
    purpose: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="waiting")
    problem: Mapped[str] = mapped_column(server_default="")
    payment_id: Mapped[int | None] = ref("payment.id")
    decided_by_id: Mapped[int | None] = ref("user_account.id", index=False)
    decided_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class CardAttempt(Base):
    """One visit to the page of a card provider. `public_id` is our reference there; `returned` went back to it."""

    __tablename__ = "card_attempt"
    __table_args__ = (
        one_value_enum("state", ATTEMPT_STATES),
        sa.CheckConstraint("amount > 0 AND returned BETWEEN 0 AND amount", name="amounts"),
        sa.UniqueConstraint("provider", "provider_ref"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    payment_id: Mapped[int] = ref("payment.id")
    provider: Mapped[str]
    provider_ref: Mapped[str | None]
    amount: Mapped[Kopeks]
    state: Mapped[str] = mapped_column(server_default="open")
    told: Mapped[str] = mapped_column(server_default="")
    """What the provider said that could not be believed."""
    returned: Mapped[Kopeks] = mapped_column(server_default="0")
    expires_at: Mapped[Moment]
    created_at: Mapped[Created]
