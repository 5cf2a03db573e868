"""Tables of changes that a seller proposes to a placed order."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import QUANTITY, Base, Created, Id, Kopeks, Moment, PublicId, one_value_enum, ref

PROPOSAL_STATES = ("offered", "accepted", "declined", "withdrawn", "expired")


class OrderProposal(Base):
    """What the seller can do instead of the whole order; the buyer answers until `answer_by`. One is open at a time."""

    __tablename__ = "order_proposal"
    __table_args__ = (
        one_value_enum("status", PROPOSAL_STATES),
        sa.CheckConstraint("(status = 'offered') = (answered_at IS NULL)", name="answered_once"),
        sa.Index("one_open_proposal", "order_id", unique=True, postgresql_where=sa.text("status = 'offered'")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    order_id: Mapped[int] = ref("seller_order.id")
    status: Mapped[str] = mapped_column(server_default="offered")
    note: Mapped[str] = mapped_column(server_default="")
    user_id: Mapped[int] = ref("user_account.id", index=False)
    answer_by: Mapped[Moment]
    answered_at: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))
    created_at: Mapped[Created]


class OrderProposalLine(Base):
    """So many units of a line would be kept, and perhaps so many of another offer sent instead of the rest."""

    __tablename__ = "order_proposal_line"
    __table_args__ = (
        sa.CheckConstraint("kept >= 0", name="kept_not_negative"),
        sa.CheckConstraint("num_nulls(offer_id, quantity, price) IN (0, 3)", name="substitute_is_whole"),
        sa.CheckConstraint("quantity > 0 AND price > 0", name="positive"),
    )

    proposal_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("order_proposal.id", ondelete="CASCADE"), primary_key=True
    )
    order_line_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("order_line.id"), primary_key=True)
    kept: Mapped[Decimal] = mapped_column(QUANTITY)
    offer_id: Mapped[int | None] = ref("offer.id", index=False)
    quantity: Mapped[Decimal | None] = mapped_column(QUANTITY)
    """In the unit of the substitute."""
    price: Mapped[Kopeks | None]
