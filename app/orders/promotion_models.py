"""Tables of promotions: what they say, who used them, what they took off."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Kopeks, Moment, PublicId, one_value_enum, ref

SCOPES = ("all", "categories", "offers")


class Promotion(Base):
    """Percent or a fixed sum off goods. `seller_id`: only of this seller; `by_seller`: made and borne by him.

    It is edited while nobody has used it and only stopped after that, so a use keeps its reason.
    """

    __tablename__ = "promotion"
    __table_args__ = (
        one_value_enum("scope", SCOPES),
        sa.CheckConstraint("(percent IS NULL) <> (amount IS NULL)", name="percent_or_amount"),
        sa.CheckConstraint("percent > 0 AND percent <= 99", name="percent_range"),
        sa.CheckConstraint("amount > 0 AND minimum >= 0 AND cap > 0", name="amounts_positive"),
        sa.CheckConstraint("cap IS NULL OR percent IS NOT NULL", name="cap_of_percent"),
        sa.CheckConstraint("operator_share BETWEEN 0 AND 100", name="share_range"),
        sa.CheckConstraint("NOT by_seller OR (seller_id IS NOT NULL AND operator_share = 0)", name="own_is_own"),
        sa.CheckConstraint("scope <> 'offers' OR seller_id IS NOT NULL", name="offers_of_a_seller"),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="days"),
        sa.CheckConstraint("limit_total > 0 AND limit_per_buyer > 0", name="limits_positive"),
        sa.CheckConstraint("uses_left BETWEEN 0 AND limit_total", name="uses_within_limit"),
        sa.CheckConstraint("(uses_left IS NULL) = (limit_total IS NULL)", name="counted_when_limited"),
        sa.Index(
            "uq_promotion_code", "code", unique=True, postgresql_where=sa.text("code <> '' AND stopped_at IS NULL")
        ),
        sa.Index("ix_promotion_code", "code"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    name_ru: Mapped[str]
    name_en: Mapped[str]
    by_seller: Mapped[bool] = mapped_column(server_default=sa.false())
    seller_id: Mapped[int | None] = ref("seller.id")
    scope: Mapped[str] = mapped_column(server_default="all")
    percent: Mapped[Decimal | None] = mapped_column(sa.Numeric(5, 2))
    amount: Mapped[int | None] = mapped_column(sa.BigInteger)
    """Kopeks off the goods together."""
    cap: Mapped[int | None] = mapped_column(sa.BigInteger)
    minimum: Mapped[Kopeks] = mapped_column(server_default="0")
    """Kopeks of its goods in the cart, at list prices."""
    first_order: Mapped[bool] = mapped_column(server_default=sa.false())
    code: Mapped[str] = mapped_column(server_default="")
    """Upper case; empty: it works by itself."""
    is_stackable: Mapped[bool] = mapped_column(server_default=sa.false())
    priority: Mapped[int] = mapped_column(server_default="100")
    """The declared order: smaller goes first."""
    operator_share: Mapped[Decimal] = mapped_column(sa.Numeric(5, 2), server_default="0")
    """Percent of the discount that the operator bears; the seller bears the rest."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    limit_total: Mapped[int | None]
    limit_per_buyer: Mapped[int | None]
    uses_left: Mapped[int | None]
    """Counted down in the transaction that places an order; the check refuses what is below zero."""
    stopped_at: Mapped[Moment | None]
    created_by_id: Mapped[int] = ref("user_account.id", index=False)
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]


class PromotionCategory(Base):
    """A category that a promotion speaks of, with everything below it."""

    __tablename__ = "promotion_category"

    promotion_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("promotion.id", ondelete="CASCADE"), primary_key=True
    )
    category_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("category.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class PromotionOffer(Base):
    """An offer that a promotion speaks of."""

    __tablename__ = "promotion_offer"

    promotion_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("promotion.id", ondelete="CASCADE"), primary_key=True
    )
    offer_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("offer.id"), primary_key=True, index=True)


class PromotionUse(Base):
    """A purchase that used a promotion. `given_back_at`: none of its discounted orders came to anything."""

    __tablename__ = "promotion_use"

    promotion_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("promotion.id"), primary_key=True)
    group_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("order_group.id"), primary_key=True, index=True)
    given_back_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class AppliedPromotion(Base):
    """Append-only: what a promotion took off a line when it was ordered, and who bears it."""

    __tablename__ = "applied_promotion"
    __table_args__ = (
        sa.CheckConstraint("amount > 0 AND by_seller >= 0 AND by_operator >= 0", name="amounts_positive"),
        sa.CheckConstraint("amount = by_seller + by_operator", name="borne_whole"),
        sa.UniqueConstraint("order_line_id", "promotion_id"),
    )

    id: Mapped[Id]
    order_line_id: Mapped[int] = ref("order_line.id", index=False)
    promotion_id: Mapped[int] = ref("promotion.id")
    amount: Mapped[Kopeks]
    by_seller: Mapped[Kopeks]
    by_operator: Mapped[Kopeks]
    created_at: Mapped[Created]
