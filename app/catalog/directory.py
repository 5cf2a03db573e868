"""Cards as the operator looks for them: by a part of the name, an article, a barcode or the address of the page."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.catalog.models import Category, Product, ProductUnit
from app.core.db import session

STATES = ("active", "hidden", "merged")


@dataclass(frozen=True, slots=True)
class CardRow:
    """A row of the operator's list."""

    id: int
    public_id: uuid.UUID
    name_ru: str
    name_en: str
    brand: str
    article: str
    slug: str
    status: str
    created_at: datetime
    category_ru: str
    category_en: str
    into: str | None
    """Slug of the card that took it over."""

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru

    def category(self, locale: str) -> str:
        return self.category_en if locale == "en" else self.category_ru


def cards(text: str, status: str, before: int | None, limit: int) -> list[CardRow]:
    """A page of cards in one state, newest first."""
    survivor = sa.orm.aliased(Product)
    statement = (
        sa.select(
            Product.id, Product.public_id, Product.name_ru, Product.name_en, Product.brand, Product.article,
            Product.slug, Product.status, Product.created_at, Category.name_ru, Category.name_en, survivor.slug,
        )
        .join(Category, Category.id == Product.category_id)
        .outerjoin(survivor, survivor.id == Product.merged_into_id)
        .where(Product.status == status)
        .order_by(Product.id.desc())
        .limit(limit)
    )  # fmt: skip
    if text:
        part = text.lower().replace("ё", "е")
        coded = sa.select(ProductUnit.product_id).where(ProductUnit.barcode == text)
        statement = statement.where(
            sa.or_(Product.name_key.contains(part, autoescape=True), Product.id.in_(coded), Product.slug == text)
        )
    if before is not None:
        statement = statement.where(Product.id < before)
    rows: Iterable[tuple[Any, ...]] = session.execute(statement).tuples()
    return [CardRow(*row) for row in rows]


def by_slug(slug: str) -> uuid.UUID | None:
    """The outward id of the card at this address."""
    return session.scalar(sa.select(Product.public_id).where(Product.slug == slug.partition("?")[0]))
