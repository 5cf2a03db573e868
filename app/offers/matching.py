"""Which products on sale satisfy a line of an estimate, and who has them now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.catalog.models import Attribute, Category, Product, ProductListing, ProductUnit, ProductValue
from app.core.db import session
from app.offers.queries import OfferForSale, offers_of_products

BRAND = "brand"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that fits. `content`: how many `content_unit` one base unit holds."""

    product_id: int
    slug: str
    name_ru: str
    name_en: str
    base_unit: str
    content_unit: str
    content: Fraction
    offers: tuple[OfferForSale, ...]


def offers_matching(
    category_slug: str, spec: Mapping[str, str], content_unit: str | None = None, limit: int = 40
) -> list[Candidate]:
    """Products of a category with these attribute values and their active offers, in two queries.

    The cheapest per content unit come first, those in stock before the others. With `content_unit` only products
    counted in it. A product without a content unit is counted in its base unit.
    """
    content = sa.orm.aliased(ProductUnit)
    statement = (
        sa.select(
            Product.id, Product.slug, Product.name_ru, Product.name_en, Product.base_unit,
            sa.func.coalesce(content.code, Product.base_unit), content.numerator, content.denominator,
        )
        .join(Category, Category.id == Product.category_id)
        .join(ProductListing, ProductListing.product_id == Product.id)
        .outerjoin(content, sa.and_(content.product_id == Product.id, _counts(content, content_unit)))
        .where(Category.slug == category_slug, Product.status == "active", *_meets(spec))
        .order_by(
            (ProductListing.available <= 0),
            sa.func.coalesce(ProductListing.unit_price, ProductListing.price_from),
            Product.id,
        )
        .limit(limit)
    )  # fmt: skip
    if content_unit is not None:
        statement = statement.where(sa.or_(content.code == content_unit, Product.base_unit == content_unit))
    rows = session.execute(statement).all()
    return _with_offers(rows)


def _counts(content: type[ProductUnit], content_unit: str | None) -> sa.ColumnElement[bool]:
    return content.is_content.is_(True) if content_unit is None else content.code == content_unit


def _meets(spec: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    for key, value in spec.items():
        if key == BRAND:
            found.append(Product.brand == value)
            continue
        found.append(
            sa.exists().where(
                ProductValue.product_id == Product.id,
                ProductValue.attribute_id == Attribute.id,
                Attribute.category_id == Product.category_id,
                Attribute.key == key,
                ProductValue.text == value,
            )
        )
    return found


def _with_offers(rows: Sequence[Any]) -> list[Candidate]:
    by_product: dict[int, list[OfferForSale]] = {}
    for offer in offers_of_products([row[0] for row in rows]) if rows else ():
        by_product.setdefault(offer.product_id, []).append(offer)
    return [
        Candidate(
            product_id=row[0], slug=row[1], name_ru=row[2], name_en=row[3], base_unit=row[4], content_unit=row[5],
            content=Fraction(row[7], row[6]) if row[6] else Fraction(1), offers=tuple(by_product.get(row[0], ())),
        )
        for row in rows
    ]  # fmt: skip
