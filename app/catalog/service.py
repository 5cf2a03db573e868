"""The operator's commands on categories and master cards."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.catalog import cards, dictionary, words
from app.catalog.models import Attribute, Category, Product, ProductUnit, ProductValue
from app.core import audit, jobs
from app.core.db import changed, lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.core.permissions import Actor
from app.core.units import UNITS

CATEGORY_FIELDS = ("name_ru", "name_en", "position", "drawing", "synonyms")
PRODUCT_FIELDS = (
    "name_ru", "name_en", "brand", "article", "description_ru", "description_en", "mass_kg", "volume_m3", "length_mm",
)  # fmt: skip
MAX_DEPTH = 3


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit of a product: one of it is `factor` base units."""

    code: str
    factor: Fraction
    step: Decimal = Decimal(1)
    minimum: Decimal = Decimal(1)
    is_sold: bool = True
    is_content: bool = False
    barcode: str = ""


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
def add_product(
    actor: Actor, category: str, base_unit: str, given: Mapping[str, Any], units: Sequence[NewUnit],
    values: Mapping[str, str],
) -> uuid.UUID:  # fmt: skip
    """Open a master card; its outward id. The base unit is added by itself unless it is among `units`.

    Raises:
        Invalid: with every wrong field.
    """
    place = _category(category)
    errors = [] if place else [FieldError("/category", "unknown_option")]
    errors += _unit_errors(base_unit, units)
    known = cards.known_attributes(place.slug) if place else {}
    errors += [FieldError(f"/attributes/{key}", "unknown_field") for key in values if key not in known]
    if errors or place is None:
        raise Invalid(errors)
    row = Product(category_id=place.id, base_unit=base_unit, slug=f"new-{uuid.uuid4().hex}", **given)
    session.add(row)
    session.flush()
    row.slug = f"{_slug(row.name_en or words.latin(row.name_ru.lower()))}-{row.id}"
    if base_unit not in {unit.code for unit in units}:
        units = [NewUnit(base_unit, Fraction(1)), *units]
    for position, unit in enumerate(units):
        session.add(
            ProductUnit(
                product_id=row.id, code=unit.code, numerator=unit.factor.numerator, denominator=unit.factor.denominator,
                step=unit.step, minimum=unit.minimum, is_sold=unit.is_sold, is_content=unit.is_content,
                barcode=unit.barcode, position=position,
            )
        )  # fmt: skip
    cards.flush("/units", "barcode_taken")
    cards.set_values(row.id, known, {key: text for key, text in values.items() if text})
    audit.record(actor, "product.added", "product", row.id, after={"name_ru": row.name_ru})
    dictionary.write([row.id])
    return row.public_id


@unit_of_work
def edit_product(
    actor: Actor, public_id: uuid.UUID, given: Mapping[str, Any], values: Mapping[str, str] | None = None,
    version: int | None = None,
) -> int:  # fmt: skip
    """Change fields of a master card (PRODUCT_FIELDS, `hidden`); its new version. Orders keep what they copied.

    Whoever hides or shows a card refreshes its row of the lists (`offers.listing.refresh`).

    Raises:
        NotFound, Stale, Invalid.
    """
    row = _locked(public_id)
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    known = cards.known_attributes(session.get_one(Category, row.category_id).slug)
    unknown = [FieldError(f"/attributes/{key}", "unknown_field") for key in values or () if key not in known]
    if unknown:
        raise Invalid(unknown)
    before = {name: str(getattr(row, name)) for name in PRODUCT_FIELDS if name in given}
    for name in before:
        setattr(row, name, given[name])
    if "hidden" in given:
        row.status = "hidden" if given["hidden"] else "active"
    if values is not None:
        session.execute(sa.delete(ProductValue).where(ProductValue.product_id == row.id))
        cards.set_values(row.id, known, values)
    row.version += 1
    session.flush()
    audit.record(actor, "product.edited", "product", row.id, before=before, after={k: str(v) for k, v in given.items()})
    dictionary.write([row.id])
    return row.version


def _locked(public_id: uuid.UUID) -> Product:
    found = session.scalar(sa.select(Product.id).where(Product.public_id == public_id, Product.status != "merged"))
    if found is None:
        raise NotFound()
    [row] = lock_rows(Product, [found])
    assert isinstance(row, Product)
    return row


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


def _unit_errors(base_unit: str, units: Sequence[NewUnit]) -> list[FieldError]:
    errors = [] if base_unit in UNITS else [FieldError("/unit", "unknown_option")]
    seen: set[str] = set()
    for index, unit in enumerate(units):
        where = f"/units/{index}"
        if unit.code not in UNITS or unit.code in seen:
            errors.append(FieldError(f"{where}/code", "unknown_option"))
        if unit.factor <= 0 or (unit.code == base_unit and unit.factor != 1):
            errors.append(FieldError(f"{where}/factor", "malformed"))
        if unit.step <= 0 or unit.minimum <= 0:
            errors.append(FieldError(f"{where}/step", "too_small", {"minimum": 0}))
        seen.add(unit.code)
    if sum(unit.is_content for unit in units) > 1:
        errors.append(FieldError("/units", "one_content_unit"))
    return errors


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:80] or "product"
