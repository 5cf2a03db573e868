"""Sellers as others see them: names, ratings, who is trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from app.core import audit
from app.core.cache import Cache
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import NotFound
from app.core.permissions import Actor
from app.offers import listing
from app.offers.models import Offer, Seller


@dataclass(frozen=True, slots=True)
class SellerRow:
    """The public side of a seller."""

    id: int
    slug: str
    name: str
    accept_hours: int
    rating: Decimal
    is_active: bool
    holiday_until: date | None


def sellers(ids: Sequence[int]) -> dict[int, SellerRow]:
    """Sellers by id."""
    rows = session.execute(
        sa.select(
            Seller.id, Seller.slug, Seller.name, Seller.accept_hours, Seller.rating, Seller.is_active,
            Seller.holiday_until,
        ).where(Seller.id.in_(ids))
    )  # fmt: skip
    return {row.id: SellerRow(*row) for row in rows}


def seller_names(ids: Sequence[int], cache: Cache | None = None) -> dict[int, str]:
    """Names by id, for facets; kept in the cache with the lists they stand beside."""
    if not ids:
        return {}
    wanted = sorted(ids)

    def text() -> str:
        rows = session.execute(sa.select(Seller.id, Seller.name).where(Seller.id.in_(wanted)))
        return json.dumps({row.id: row.name for row in rows}, ensure_ascii=False)

    known = cache.get_or_make("listing", f"sellers {wanted}", text) if cache else text()
    return {int(key): name for key, name in json.loads(known).items()}


def ids_of(slugs: Sequence[str]) -> dict[str, int]:
    """Slug -> id of sellers who sell now."""
    rows = session.execute(sa.select(Seller.slug, Seller.id).where(Seller.slug.in_(slugs), Seller.is_active))
    return {row.slug: row.id for row in rows}


def offers_by_sku(seller_id: int, skus: Sequence[str]) -> dict[str, int]:
    """SKU -> the seller's offer, whatever its state."""
    rows = session.execute(sa.select(Offer.sku, Offer.id).where(Offer.seller_id == seller_id, Offer.sku.in_(skus)))
    return dict(rows.tuples().all())


def skus_of(offer_ids: Sequence[int]) -> dict[int, str]:
    """Offer -> its seller's SKU."""
    rows = session.execute(sa.select(Offer.id, Offer.sku).where(Offer.id.in_(offer_ids)))
    return dict(rows.tuples().all())


def sold_by(seller_id: int) -> sa.Select[int]:
    """The ids of products that a seller offers now, to narrow other reads by."""
    return sa.select(Offer.product_id).where(Offer.seller_id == seller_id, Offer.status == "active")


@unit_of_work
def set_trusted(actor: Actor, slug: str, *, trusted: bool) -> None:
    """Let edits of cards by this seller be approved by the rule, or no longer.

    Raises:
        NotFound: there is no such seller.
    """
    found = session.scalar(sa.select(Seller.id).where(Seller.slug == slug))
    if found is None:
        raise NotFound()
    [row] = lock_rows(Seller, [found])
    before, after = {"trusted": row.is_trusted}, {"trusted": trusted}
    audit.record(actor, "seller.trusted", "seller", row.id, before=before, after=after)
    row.is_trusted = trusted


RATED_AT_ONCE = 2_000
"""Offers whose lists are reckoned in one transaction: nobody waits long for their products."""


def rate(figures: Mapping[int, Decimal]) -> int:
    """Set what sellers are rated, 0 for those not named, and show it in lists. Returns how many ratings changed."""
    changed = _write_ratings(figures)
    offers = list(session.scalars(sa.select(Offer.id).where(Offer.seller_id.in_(changed)).order_by(Offer.id)))
    session.rollback()
    for first in range(0, len(offers), RATED_AT_ONCE):
        listing.refresh_stock(offers[first : first + RATED_AT_ONCE])
    return len(changed)


@unit_of_work
def _write_ratings(figures: Mapping[int, Decimal]) -> list[int]:
    rows = session.execute(sa.select(Seller.id, Seller.rating)).all()
    changed = [row.id for row in rows if row.rating != figures.get(row.id, 0)]
    for seller in lock_rows(Seller, changed):
        seller.rating = figures.get(seller.id, Decimal(0))
    return changed
