"""Reads of promotions: the lists of the operator and of sellers, and what was taken off orders."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from app.catalog import queries as catalog
from app.core import clock
from app.core.db import session
from app.core.errors import NotFound
from app.offers import sellers
from app.orders.models import Order, OrderLine
from app.orders.promoting import OVER
from app.orders.promotion_models import (
    AppliedPromotion,
    Promotion,
    PromotionCategory,
    PromotionOffer,
    PromotionUse,
)


@dataclass(frozen=True, slots=True)
class PromotionRow:
    """A promotion with its uses that count, all it has ever been used for, and kopeks given."""

    id: int
    public_id: uuid.UUID
    name_ru: str
    name_en: str
    by_seller: bool
    seller_id: int | None
    seller_name: str
    seller_slug: str
    scope: str
    percent: Decimal | None
    amount: int | None
    cap: int | None
    minimum: int
    first_order: bool
    code: str
    is_stackable: bool
    priority: int
    operator_share: Decimal
    valid_from: date
    valid_to: date | None
    limit_total: int | None
    limit_per_buyer: int | None
    uses_left: int | None
    stopped_at: datetime | None
    version: int
    created_at: datetime
    uses: int
    given_back: int
    given: int
    given_by_operator: int

    @property
    def state(self) -> str:
        """stopped, planned, ended, used_up or running, today."""
        day = clock.today()
        if self.stopped_at is not None:
            return "stopped"
        if self.valid_from > day:
            return "planned"
        if self.valid_to is not None and self.valid_to < day:
            return "ended"
        return "used_up" if self.uses_left == 0 else "running"

    @property
    def is_editable(self) -> bool:
        """Nobody has used it and it was not stopped."""
        return not self.uses and not self.given_back and self.stopped_at is None


SUMS = ("given", "given_by_operator")
MADE_OUT = ("seller_name", "seller_slug", "uses", "given_back", *SUMS)
OWN = [name for name in PromotionRow.__dataclass_fields__ if name not in MADE_OUT]


def _rows(*conditions: sa.ColumnElement[bool], limit: int | None = None) -> list[PromotionRow]:
    """Newest first. Sums are what was promised when orders were placed, without those that came to nothing."""
    live = PromotionUse.given_back_at.is_(None)
    used = sa.select(
        sa.func.count().filter(live).label("uses"), sa.func.count().filter(~live).label("given_back")
    ).where(PromotionUse.promotion_id == Promotion.id)
    took = (
        sa.select(
            sa.func.coalesce(sa.func.sum(AppliedPromotion.amount), 0).label("given"),
            sa.func.coalesce(sa.func.sum(AppliedPromotion.by_operator), 0).label("given_by_operator"),
        )
        .join(OrderLine, OrderLine.id == AppliedPromotion.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(AppliedPromotion.promotion_id == Promotion.id, Order.status.not_in(OVER))
    )
    uses, sums = used.lateral("uses"), took.lateral("sums")
    own = [getattr(Promotion, name) for name in OWN]
    statement = (
        sa.select(*own, uses.c.uses, uses.c.given_back, sums.c.given, sums.c.given_by_operator)
        .select_from(Promotion)
        .join(uses, sa.true())
        .join(sums, sa.true())
        .where(*conditions)
        .order_by(Promotion.id.desc())
    )
    rows = session.execute(statement if limit is None else statement.limit(limit)).mappings().all()
    known = sellers.sellers([row["seller_id"] for row in rows if row["seller_id"] is not None])
    return [
        PromotionRow(**{
            **row, **{name: int(row[name]) for name in SUMS},
            "seller_name": known[row["seller_id"]].name if row["seller_id"] else "",
            "seller_slug": known[row["seller_id"]].slug if row["seller_id"] else "",
        })
        for row in rows
    ]  # fmt: skip


def listed(seller_id: int | None = None, *, before: int | None = None, limit: int = 50) -> list[PromotionRow]:
    """Promotions, newest first; of a seller: own ones and those of the operator on this seller's goods alone."""
    conditions = [] if seller_id is None else [Promotion.seller_id == seller_id]
    if before is not None:
        conditions.append(Promotion.id < before)
    return _rows(*conditions, limit=limit)


@dataclass(frozen=True, slots=True)
class Named:
    """The goods that a promotion names."""

    categories: tuple[str, ...]
    skus: tuple[str, ...]


def one(promotion: uuid.UUID, seller_id: int | None = None) -> tuple[PromotionRow, Named]:
    """A promotion with the goods it names.

    Raises:
        NotFound: absent, or on goods of another seller.
    """
    conditions = [Promotion.public_id == promotion]
    if seller_id is not None:
        conditions.append(Promotion.seller_id == seller_id)
    found = _rows(*conditions)
    if not found:
        raise NotFound()
    return found[0], named([found[0].id])[found[0].id]


def named(ids: Sequence[int]) -> dict[int, Named]:
    """Promotion -> the goods it names."""
    slug_of = {key: slug for slug, key in catalog.slugs().items()}
    categories = session.execute(
        sa.select(PromotionCategory.promotion_id, PromotionCategory.category_id).where(
            PromotionCategory.promotion_id.in_(ids)
        )
    ).all()
    offers = session.execute(
        sa.select(PromotionOffer.promotion_id, PromotionOffer.offer_id).where(PromotionOffer.promotion_id.in_(ids))
    ).all()
    sku_of = sellers.skus_of([row.offer_id for row in offers])
    return {
        one: Named(
            tuple(sorted(slug_of[row.category_id] for row in categories if row.promotion_id == one)),
            tuple(sorted(sku_of[row.offer_id] for row in offers if row.promotion_id == one)),
        )
        for one in ids
    }
