"""Tables of money: payments, refunds, commission, transfers. Ledger rows are never changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Json, JsonList, Kopeks, Moment, PublicId, one_value_enum, ref

PAYMENT_STATES = ("awaiting", "authorised", "paid", "partially_refunded", "refunded", "voided", "overdue")


class Payment(Base):
    """One payment of a purchase. Providers sit behind one interface; `method` names the provider."""

    __tablename__ = "payment"
    __table_args__ = (
        one_value_enum("method", ("invoice", "cash", "card")),
        one_value_enum("status", PAYMENT_STATES),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("received >= 0", name="received_not_negative"),
        sa.CheckConstraint("returned >= 0", name="returned_not_negative"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    group_id: Mapped[int] = ref("order_group.id")
    method: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="awaiting", index=True)
    amount: Mapped[Kopeks]
    received: Mapped[Kopeks] = mapped_column(server_default="0")
    """What has ever come, be it less or more than is asked."""
    returned: Mapped[Kopeks] = mapped_column(server_default="0")
    """What has ever gone back: refunds paid, and what came beyond the invoice. `received` - `returned` is kept."""
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


REFUND_STATES = ("requested", "approved", "paid", "declined")
TRANSFER_KINDS = (
    "sale", "commission", "delivery", "refund", "correction", "payout", "payout_failed", "promotion",
    "deposit", "deposit_returned",
)  # fmt: skip
PAYOUT_STATES = ("prepared", "paid", "failed")
CORRECTION_STATES = ("requested", "approved", "declined")


class Refund(Base):
    """Money going back against a split; several are allowed.

    kind `shortage`: the order became cheaper before it was handed over, the seller earned nothing of it;
    `refund`: of what was handed over and earned, so the seller gives it back (delivery too, if the seller carried).
    """

    __tablename__ = "refund"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        one_value_enum("status", REFUND_STATES),
        one_value_enum("kind", ("shortage", "refund")),
        sa.CheckConstraint(
            "goods >= 0 AND delivery >= 0 AND deposit >= 0"
            " AND goods + delivery + deposit = CASE kind WHEN 'refund' THEN amount ELSE 0 END",
            name="parts_sum",
        ),
        sa.CheckConstraint("approved_by_id <> requested_by_id", name="approved_by_another"),
        sa.CheckConstraint("(status = 'paid') = (paid_at IS NOT NULL)", name="paid_is_dated"),
        sa.Index("ix_refund_open", "id", postgresql_where=sa.text("status IN ('requested', 'approved')")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    split_id: Mapped[int] = ref("payment_split.id")
    kind: Mapped[str] = mapped_column(server_default="shortage")
    amount: Mapped[Kopeks]
    goods: Mapped[Kopeks] = mapped_column(server_default="0")
    delivery: Mapped[Kopeks] = mapped_column(server_default="0")
    deposit: Mapped[Kopeks] = mapped_column(server_default="0")
    """For pallets that came back."""
    reason: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="requested")
    requested_by_id: Mapped[int | None] = ref("user_account.id", index=False)
    approved_by_id: Mapped[int | None] = ref("user_account.id", index=False)
    """The second person; nobody when the amount needed none."""
    note: Mapped[str] = mapped_column(server_default="")
    payee: Mapped[Json]
    """Where the buyer wants it by bank: name, account, bik. Empty until named, and for cards."""
    bank_reference: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[Moment | None]
    paid_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class RefundLine(Base):
    """Append-only: how much of a refund of goods falls on a line of the order."""

    __tablename__ = "refund_line"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.UniqueConstraint("refund_id", "order_line_id"),
    )

    id: Mapped[Id]
    refund_id: Mapped[int] = ref("refund.id", index=False)
    order_line_id: Mapped[int] = ref("order_line.id")
    amount: Mapped[Kopeks]


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
    """The operator's list, by position; the first rule that matches an order line wins.

    A rule that froze a fee is never edited: it ends (`ended_at`) and a new one takes its place.
    """

    __tablename__ = "commission_rule"
    __table_args__ = (
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name="percent_range"),
        sa.CheckConstraint("fixed >= 0 AND floor >= 0 AND (cap IS NULL OR cap >= floor)", name="bounds"),
        sa.CheckConstraint("amount_from >= 0 AND (amount_to IS NULL OR amount_to > amount_from)", name="amounts"),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="days"),
        sa.Index("uq_commission_rule_position", "position", unique=True, postgresql_where=sa.text("ended_at IS NULL")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    position: Mapped[int]
    seller_id: Mapped[int | None] = ref("seller.id", index=False)
    category_id: Mapped[int | None] = ref("category.id", index=False)
    amount_from: Mapped[Kopeks] = mapped_column(server_default="0")
    """Kopeks of the order line, from (included) ..."""
    amount_to: Mapped[int | None] = mapped_column(sa.BigInteger)
    """... to (excluded)."""
    percent: Mapped[Decimal] = mapped_column(sa.Numeric(5, 2))
    fixed: Mapped[Kopeks] = mapped_column(server_default="0")
    floor: Mapped[Kopeks] = mapped_column(server_default="0")
    cap: Mapped[int | None] = mapped_column(sa.BigInteger)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    ended_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class CommissionLine(Base):
    """Append-only: the fee frozen when the order was placed, of `base` kopeks; `vat` is inside `amount`."""

    __tablename__ = "commission_line"

    id: Mapped[Id]
    order_line_id: Mapped[int] = ref("order_line.id", index=False, unique=True)
    rule_id: Mapped[int | None] = ref("commission_rule.id")
    percent: Mapped[Decimal] = mapped_column(sa.Numeric(5, 2))
    base: Mapped[Kopeks] = mapped_column(server_default="0")
    amount: Mapped[Kopeks]
    vat: Mapped[Kopeks]
    created_at: Mapped[Created]


class SellerTransfer(Base):
    """Append-only ledger of a seller: earned on delivery, reversed by new negative rows. The balance is their sum."""

    __tablename__ = "seller_transfer"
    __table_args__ = (
        one_value_enum("kind", TRANSFER_KINDS),
        sa.CheckConstraint("amount <> 0", name="amount_not_zero"),
        sa.UniqueConstraint("order_id", "kind", "reference"),
        sa.Index("ix_seller_transfer_seller_id_id", "seller_id", "id"),
        sa.Index(
            "uq_seller_transfer_kind_reference", "kind", "reference", unique=True,
            postgresql_where=sa.text("kind IN ('correction', 'payout', 'payout_failed')"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    seller_id: Mapped[int] = ref("seller.id", index=False)
    order_id: Mapped[int | None] = ref("seller_order.id", index=False)
    kind: Mapped[str]
    amount: Mapped[Kopeks]
    reference: Mapped[str] = mapped_column(server_default="")
    """`trip:<id>`, `refund:<id>`, `correction:<id>`, `payout:<id>`: with the kind, written once."""
    reason: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]


class Correction(Base):
    """A row of the ledger by hand: one person of the operator asks, another one agrees."""

    __tablename__ = "ledger_correction"
    __table_args__ = (
        sa.CheckConstraint("amount <> 0", name="amount_not_zero"),
        one_value_enum("status", CORRECTION_STATES),
        sa.CheckConstraint("status <> 'approved' OR decided_by_id <> requested_by_id", name="approved_by_another"),
        sa.CheckConstraint("(status = 'requested') = (decided_by_id IS NULL)", name="decided_by_somebody"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    seller_id: Mapped[int] = ref("seller.id")
    amount: Mapped[Kopeks]
    reason: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="requested")
    requested_by_id: Mapped[int] = ref("user_account.id", index=False)
    decided_by_id: Mapped[int | None] = ref("user_account.id", index=False)
    decided_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class PayoutRun(Base):
    """One pressing of "pay out", or one week. `job_key` makes a job that is done again find its own run."""

    __tablename__ = "payout_run"

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    job_key: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int | None] = ref("user_account.id", index=False)
    skipped: Mapped[JsonList]
    """Sellers with money that were not paid: seller_id, name, amount, why."""
    finished_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class SellerPayout(Base):
    """A bank transfer to a seller that sweeps rows of the ledger; requisites as they were."""

    __tablename__ = "seller_payout"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        one_value_enum("status", PAYOUT_STATES),
        sa.CheckConstraint("(status = 'paid') = (paid_at IS NOT NULL)", name="paid_is_dated"),
        sa.UniqueConstraint("run_id", "seller_id"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    run_id: Mapped[int | None] = ref("payout_run.id", index=False)
    seller_id: Mapped[int] = ref("seller.id")
    amount: Mapped[Kopeks]
    requisites: Mapped[Json]
    status: Mapped[str] = mapped_column(server_default="prepared", index=True)
    note: Mapped[str] = mapped_column(server_default="")
    """The bank's document, or why it failed."""
    paid_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class PayoutTransfer(Base):
    """Append-only: a row of the ledger is swept by one payout and never by another."""

    __tablename__ = "payout_transfer"

    id: Mapped[Id]
    transfer_id: Mapped[int] = ref("seller_transfer.id", index=False, unique=True)
    payout_id: Mapped[int] = ref("seller_payout.id")
