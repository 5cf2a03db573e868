"""The operator's commands on categories and master cards."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app.catalog import cards, dictionary, words
from app.catalog.models import Attribute, Category, Product
from app.core import audit, jobs
from app.core.db import changed, lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.core.permissions import Actor
from app.core.units import UNITS

CATEGORY_FIELDS = ("name_ru", "name_en", "position", "drawing", "synonyms")
MAX_DEPTH = 3


@unit_of_work
def add_category(actor: Actor, slug: str, parent: str | None, given: Mapping[str, Any]) -> None:
    """Open a category under `parent` (a slug), or at the top.

    Raises:
        Invalid: the slug is taken, the parent unknown or too deep.
    """
    above = _category(parent) if parent else None
    if parent and above is None:
        raise Invalid.one("/parent", "unknown_option")
    if above is not None and above.depth >= MAX_DEPTH:
        raise Invalid.one("/parent", "too_deep", maximum=MAX_DEPTH)
    row = Category(
        slug=slug, parent_id=above.id if above else None, depth=above.depth + 1 if above else 1,
        **{name: given[name] for name in CATEGORY_FIELDS if name in given},
    )  # fmt: skip
    session.add(row)
    cards.flush("/slug", "slug_taken")
    row.path = [*(above.path if above else []), row.id]
    audit.record(actor, "category.added", "category", row.id, after={"slug": slug})
    changed("listing")


@unit_of_work
def edit_category(actor: Actor, slug: str, given: Mapping[str, Any], version: int | None = None) -> int:
    """Change names, drawing, place or synonyms; its new version. A worker lets products be found by the new words.

    Raises:
        NotFound, Stale.
    """
    found = _category(slug)
    if found is None:
        raise NotFound()
    [row] = lock_rows(Category, [found.id])
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    before = {name: getattr(row, name) for name in CATEGORY_FIELDS if name in given}
    for name in before:
        setattr(row, name, given[name])
    row.version += 1
    session.flush()
    audit.record(actor, "category.edited", "category", row.id, before=before, after=dict(given))
    jobs.enqueue("search.rebuild", {"category": row.id}, user_id=actor.user_id)
    changed("listing")
    return int(row.version)


@unit_of_work
def remove_category(actor: Actor, slug: str) -> None:
    """Take an empty category away.

    Raises:
        NotFound.
        Conflict: `category_in_use` when it holds products or other categories.
    """
    row = _category(slug)
    if row is None:
        raise NotFound()
    used = session.scalar(
        sa.select(
            sa.or_(sa.exists().where(Product.category_id == row.id), sa.exists().where(Category.parent_id == row.id))
        )
    )
    if used:
        raise Conflict("category_in_use")
    session.execute(sa.delete(Attribute).where(Attribute.category_id == row.id))
    audit.record(actor, "category.removed", "category", row.id, before={"slug": slug})
    session.delete(row)
    changed("listing")


@unit_of_work
def add_product(actor: Actor, category: str, base_unit: str, wanted: Mapping[str, Any]) -> uuid.UUID:
    """Open a master card; its outward id. The base unit is added by itself unless it is among the units.

    Args:
        wanted: parts of a card (`app.catalog.cards`), the category apart.

    Raises:
        Invalid: with every wrong field.
    """
    place = _category(category)
    errors = [] if place else [FieldError("/category", "unknown_option")]
    errors += [] if base_unit in UNITS else [FieldError("/unit", "unknown_option")]
    units = list(wanted.get("units", ()))
    errors += [
        FieldError(f"/units/{index}/factor", "malformed")
        for index, unit in enumerate(units)
        if unit["code"] == base_unit and unit.get("factor", "1/1") != "1/1"
    ]
    parts = {"fields": wanted["fields"], "attributes": wanted.get("attributes", {}) if place else {}, "units": units}
    try:
        card = cards.checked(parts, category)
    except Invalid as refused:
        errors += refused.errors
    if errors or place is None:
        raise Invalid(errors)
    if all(unit["code"] != base_unit for unit in card["units"]):
        card["units"] = [cards.base_unit(base_unit), *card["units"]]
    row = Product(
        category_id=place.id, base_unit=base_unit, slug=f"new-{uuid.uuid4().hex}", **cards.columns(card["fields"])
    )
    session.add(row)
    session.flush()
    row.slug = f"{_slug(row.name_en or words.latin(row.name_ru.lower()))}-{row.id}"
    cards.PARTS["units"].write(actor, row, card["units"])
    known = cards.known_attributes(place.slug)
    cards.set_values(row.id, known, {key: text for key, text in card["attributes"].items() if text})
    audit.record(actor, "product.added", "product", row.id, after={"name_ru": row.name_ru})
    dictionary.write([row.id])
    return row.public_id


def product_id(public_id: uuid.UUID) -> int:
    """The inward id of a card, hidden or not.

    Raises:
        NotFound.
    """
    found = session.scalar(sa.select(Product.id).where(Product.public_id == public_id))
    if found is None:
        raise NotFound()
    return found


def _category(slug: str | None) -> Category | None:
    return session.scalars(sa.select(Category).where(Category.slug == slug)).one_or_none()


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:80] or "product"
