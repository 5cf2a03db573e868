"""Tables of money: payments, refunds, commission, transfers. Ledger rows are never changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Json, Kopeks, Moment, PublicId, one_value_enum, ref

PAYMENT_STATES = ("awaiting", "authorised", "paid", "partially_refunded", "refunded", "voided", "overdue")


class Payment(Base):
    """One payment of a purchase. Providers sit behind one interface; `method` names the provider."""

    __tablename__ = "payment"
    __table_args__ = (
        one_value_enum("method", ("invoice", "cash", "card")),
        one_value_enum("status", PAYMENT_STATES),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("received >= 0", name="received_not_negative"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    group_id: Mapped[int] = ref("order_group.id")
    method: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="awaiting", index=True)
    amount: Mapped[Kopeks]
    received: Mapped[Kopeks] = mapped_column(server_default="0")
    """What has come, be it less or more than is asked; what goes back is not taken off."""
    provider_ref: Mapped[str | None] = mapped_column(unique=True)
    due_on: Mapped[date | None]
    paid_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class PaymentSplit(Base):
    """The part of a payment that belongs to one seller's order; the parts sum to the payment."""

    __tablename__ = "payment_split"
    __table_args__ = (
        sa.UniqueConstraint("payment_id", "order_id"),
        sa.CheckConstraint("amount >= 0 AND refunded BETWEEN 0 AND amount", name="refund_within_amount"),
    )

    id: Mapped[Id]
    payment_id: Mapped[int] = ref("payment.id", index=False)
    order_id: Mapped[int] = ref("seller_order.id")
    amount: Mapped[Kopeks]
    refunded: Mapped[Kopeks] = mapped_column(server_default="0")


class Refund(Base):
    """Money going back against a split; several are allowed."""

    __tablename__ = "refund"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        one_value_enum("status", ("requested", "approved", "paid", "declined")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    split_id: Mapped[int] = ref("payment_split.id")
    amount: Mapped[Kopeks]
    reason: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="requested")
    requested_by_id: Mapped[int | None] = ref("user_account.id", index=False)
    approved_by_id: Mapped[int | None] = ref("user_account.id", index=False)
    created_at: Mapped[Created]


class Invoice(Base):
    """A bill for a bank transfer: requisites of both sides as they were."""

    __tablename__ = "invoice"

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    payment_id: Mapped[int] = ref("payment.id", index=False, unique=True)
    requisites: Mapped[Json]
    due_on: Mapped[date]
    created_at: Mapped[Created]


class ProviderEvent(Base):
    """A webhook seen, by its id at the provider: handled once."""

    __tablename__ = "provider_event"
    __table_args__ = (sa.UniqueConstraint("provider", "event_id"),)

    id: Mapped[Id]
    provider: Mapped[str]
    event_id: Mapped[str]
    payload: Mapped[Json]
    created_at: Mapped[Created]


class CommissionRule(Base):
    """The operator's list, by position; the first rule that matches an order line wins."""

    __tablename__ = "commission_rule"
    __table_args__ = (
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name="percent_range"),
        sa.UniqueConstraint("position"),
    )

    id: Mapped[Id]
    position: Mapped[int]
    seller_id: Mapped[int | None] = ref("seller.id", index=False)
    category_id: Mapped[int | None] = ref("category.id", index=False)
    percent: Mapped[Decimal] = mapped_column(sa.Numeric(5, 2))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class CommissionLine(Base):
    """Append-only: the fee frozen when the order was placed."""

    __tablename__ = "commission_line"

    id: Mapped[Id]
    order_line_id: Mapped[int] = ref("order_line.id", index=False, unique=True)
    rule_id: Mapped[int | None] = ref("commission_rule.id", index=False)
    percent: Mapped[Decimal] = mapped_column(sa.Numeric(5, 2))
    amount: Mapped[Kopeks]
    vat: Mapped[Kopeks]
    created_at: Mapped[Created]


class SellerTransfer(Base):
    """Append-only ledger of a seller: earned on delivery, reversed by new negative rows."""

    __tablename__ = "seller_transfer"
    __table_args__ = (
        one_value_enum("kind", ("sale", "commission", "refund", "delivery", "payout", "correction")),
        sa.CheckConstraint("amount <> 0", name="amount_not_zero"),
        sa.UniqueConstraint("order_id", "kind", "reference"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    seller_id: Mapped[int] = ref("seller.id")
    order_id: Mapped[int | None] = ref("seller_order.id", index=False)
    kind: Mapped[str]
    amount: Mapped[Kopeks]
    reference: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]


class SellerPayout(Base):
    """A bank transfer to a seller that sweeps the balance."""

    __tablename__ = "seller_payout"
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_positive"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    seller_id: Mapped[int] = ref("seller.id")
    amount: Mapped[Kopeks]
    requisites: Mapped[Json]
    paid_at: Mapped[Moment | None]
    created_at: Mapped[Created]
