"""Tables of goods that come back, of claims, and of the photographs that both are shown with."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import QUANTITY, Base, Created, Id, Kopeks, Moment, PublicId, one_value_enum, ref
from app.orders.return_rules import (
    CLAIM_KINDS,
    CLAIM_OPEN,
    CLAIM_STATES,
    RETURN_REASONS,
    RETURN_STATES,
    RIGHT,
    WISHES,
)

PHOTO_STATES = ("waiting", "ready", "refused")


class ReturnRequest(Base):
    """Goods going back. Money and stock move when it is refunded, not before."""

    __tablename__ = "return_request"
    __table_args__ = (
        one_value_enum("status", RETURN_STATES),
        one_value_enum("reason", RETURN_REASONS),
        sa.CheckConstraint("fee_percent BETWEEN 0 AND 50 AND goods >= 0 AND fee BETWEEN 0 AND goods", name="money"),
        sa.CheckConstraint("refund_id IS NULL OR status = 'refunded'", name="refund_when_refunded"),
        sa.CheckConstraint(
            "(warehouse_id IS NOT NULL) = (received_at IS NOT NULL)", name="counted_somewhere"
        ),
        sa.Index("ix_return_request_status_id", "status", "id"),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    order_id: Mapped[int] = ref("seller_order.id")
    user_id: Mapped[int] = ref("user_account.id")
    status: Mapped[str] = mapped_column(server_default="requested")
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    """Of the buyer."""
    answer: Mapped[str] = mapped_column(server_default="")
    """Of the seller: with the approval, or why not."""
    count_note: Mapped[str] = mapped_column(server_default="")
    """Why less was counted than was sent, or is not fit for sale."""
    carried_by: Mapped[str] = mapped_column(server_default="buyer")
    fee_percent: Mapped[Decimal] = mapped_column(sa.Numeric(4, 2), server_default="0")
    goods: Mapped[Kopeks] = mapped_column(server_default="0")
    """What the goods that were counted came to when it was refunded; `goods` - `fee` went back."""
    fee: Mapped[Kopeks] = mapped_column(server_default="0")
    refund_id: Mapped[int | None] = ref("refund.id", index=False, unique=True)
    warehouse_id: Mapped[int | None] = ref("warehouse.id", index=False)
    due_at: Mapped[Moment | None]
    """When the market decides for who does not answer; empty when it is over."""
    escalated_at: Mapped[Moment | None]
    received_at: Mapped[Moment | None]
    closed_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class ReturnLine(Base):
    """Base units: asked to go back, counted on arrival, and how many of those can be sold again."""

    __tablename__ = "return_line"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0 AND (received IS NULL OR received >= 0)", name="positive"),
        sa.CheckConstraint("received IS NULL OR received <= quantity", name="received_range"),
        sa.CheckConstraint(
            "(fit IS NULL) = (received IS NULL) AND (fit IS NULL OR fit BETWEEN 0 AND received)", name="fit_range"
        ),
        sa.CheckConstraint("paid BETWEEN 0 AND coalesce(received, 0)", name="paid_range"),
    )

    return_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("return_request.id", ondelete="CASCADE"), primary_key=True
    )
    order_line_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("order_line.id"), primary_key=True, index=True
    )
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    received: Mapped[Decimal | None] = mapped_column(QUANTITY)
    fit: Mapped[Decimal | None] = mapped_column(QUANTITY)
    paid: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    """Base units that were paid back."""


class Claim(Base):
    """A buyer says that a line came damaged, short or wrong; the two agree, or the operator decides."""

    __tablename__ = "claim"
    __table_args__ = (
        one_value_enum("status", CLAIM_STATES),
        one_value_enum("kind", CLAIM_KINDS),
        one_value_enum("wish", WISHES),
        one_value_enum("in_favour", RIGHT),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("wanted >= 0 AND (wish = 'money') = (wanted > 0)", name="wanted_money"),
        sa.CheckConstraint("offered >= 0 AND settled >= 0", name="sums"),
        sa.CheckConstraint(
            "(settled IS NOT NULL) = (status IN ('agreed', 'settled'))", name="settled_when_decided"
        ),
        sa.CheckConstraint("(in_favour <> '') = (status = 'settled')", name="judged_when_settled"),
        sa.CheckConstraint("refund_id IS NULL OR settled > 0", name="refund_of_a_sum"),
        sa.Index(
            "uq_claim_open_line", "order_line_id", unique=True,
            postgresql_where=sa.text(f"status IN ({', '.join(repr(one) for one in CLAIM_OPEN)})"),
        ),
        sa.Index("ix_claim_status_id", "status", "id"),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    order_id: Mapped[int] = ref("seller_order.id")
    order_line_id: Mapped[int] = ref("order_line.id", index=False)
    user_id: Mapped[int] = ref("user_account.id")
    status: Mapped[str] = mapped_column(server_default="opened")
    kind: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    """Base units that it is about."""
    wish: Mapped[str]
    wanted: Mapped[Kopeks] = mapped_column(server_default="0")
    note: Mapped[str]
    answer: Mapped[str] = mapped_column(server_default="")
    offered: Mapped[int | None] = mapped_column(sa.BigInteger)
    settled: Mapped[int | None] = mapped_column(sa.BigInteger)
    """Kopeks that were agreed or decided; 0 when no money goes back."""
    in_favour: Mapped[str] = mapped_column(server_default="")
    decision: Mapped[str] = mapped_column(server_default="")
    """The operator's reasons, for both sides."""
    refund_id: Mapped[int | None] = ref("refund.id", index=False, unique=True)
    due_at: Mapped[Moment | None]
    decided_by_id: Mapped[int | None] = ref("user_account.id", index=False)
    closed_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class EvidencePhoto(Base):
    """A photograph of a return or a claim. Only the buyer, the order's seller and the operator may see it."""

    __tablename__ = "evidence_photo"
    __table_args__ = (
        one_value_enum("state", PHOTO_STATES),
        sa.CheckConstraint("num_nonnulls(return_id, claim_id) <= 1", name="of_one_thing"),
        sa.Index(
            "ix_evidence_photo_loose", "created_at",
            postgresql_where=sa.text("return_id IS NULL AND claim_id IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    user_id: Mapped[int] = ref("user_account.id")
    return_id: Mapped[int | None] = ref("return_request.id")
    claim_id: Mapped[int | None] = ref("claim.id")
    file_name: Mapped[str]
    kind: Mapped[str]
    original: Mapped[str]
    stored: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="waiting")
    error: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]
