"""Names of sections of the catalogue, for whoever keeps their ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from app.catalog.models import Category
from app.core.db import session


@dataclass(frozen=True, slots=True)
class Section:
    """A section by its inner id."""

    id: int
    slug: str
    name_ru: str
    name_en: str


def sections(ids: Iterable[int] = (), slugs: Iterable[str] = ()) -> list[Section]:
    """Sections with one of these ids or slugs, by slug; those that are gone are left out."""
    one, other = list(ids), list(slugs)
    if not one and not other:
        return []
    rows = session.execute(
        sa.select(Category.id, Category.slug, Category.name_ru, Category.name_en)
        .where(sa.or_(Category.id.in_(one), Category.slug.in_(other)))
        .order_by(Category.slug)
    )
    return [Section(*row) for row in rows]
