"""What a seller takes back: terms are never changed, a newer row takes the place of an older one."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, one_value_enum, ref

CARRIERS_BACK = ("buyer", "seller")


class ReturnTermsRow(Base):
    """Append-only: terms of a seller from `created_at` on. An order has those that were in force when it was placed."""

    __tablename__ = "return_terms"
    __table_args__ = (
        sa.CheckConstraint("days BETWEEN 1 AND 365", name="days_range"),
        sa.CheckConstraint("fee_percent BETWEEN 0 AND 50", name="fee_range"),
        one_value_enum("carried_by", CARRIERS_BACK),
        sa.Index("ix_return_terms_seller_id_id", "seller_id", "id"),
    )

    id: Mapped[Id]
    seller_id: Mapped[int] = ref("seller.id", index=False)
    accepts: Mapped[bool]
    """Leftovers at all; damaged and wrong goods are taken back in any case."""
    days: Mapped[int]
    whole_packs: Mapped[bool]
    fee_percent: Mapped[Decimal] = mapped_column(sa.Numeric(4, 2))
    carried_by: Mapped[str]
    category_ids: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger), server_default=sa.text("'{}'::bigint[]"))
    """Sections whose goods are not taken back, with everything below them."""
    user_id: Mapped[int | None] = ref("user_account.id", index=False)
    created_at: Mapped[Created]
