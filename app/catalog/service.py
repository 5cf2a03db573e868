"""Opening of master cards; `app.catalog.cards` changes them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app.catalog import cards, dictionary, words
from app.catalog.models import Category, Product
from app.core import audit
from app.core.db import session, unit_of_work
from app.core.errors import FieldError, Invalid, NotFound
from app.core.permissions import Actor
from app.core.units import UNITS


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
