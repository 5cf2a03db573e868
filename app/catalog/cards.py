"""A master card as plain text by part, so that it can be compared, changed in part and put back.

    {"fields": {name: text}, "attributes": {key: text}, "units": [...], "images": [...]}

Numbers are written as the API writes them, an empty text is "nothing said". A change holds the same parts with only
what differs; `units` and `images` are lists that are replaced whole. Each part has one place where it is read, checked
and written: `PARTS`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from app.catalog import dictionary, pictures
from app.catalog.models import Attribute, Category, Product, ProductUnit, ProductValue
from app.core import audit
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import FieldError, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Actor
from app.core.units import UNITS, NotANumber, parse_decimal, to_api

Content = dict[str, Any]
"""A card or a change of one, by part."""

TEXTS = {
    "name_ru": 300, "name_en": 300, "brand": 100, "article": 100, "description_ru": 10_000, "description_en": 10_000,
}  # fmt: skip
"""Fields of text, with the most letters they may have."""
NUMBERS = {"mass_kg": (4, 1_000_000), "volume_m3": (6, 1_000_000), "length_mm": (0, 30_000)}
"""Fields of numbers, with decimal places and the most they may be."""
FIELDS = ("category", *TEXTS, *NUMBERS, "hidden")
MOST_UNITS = 12
MOST_VALUE = 200
_FACTOR = re.compile(r"[1-9]\d{0,11}/[1-9]\d{0,11}")
_RANGE = re.compile(r"\d{1,9}([.,]\d{1,6})?\s*[-–]\s*\d{1,9}([.,]\d{1,6})?")
YES, NO = "да", "нет"


@dataclass(frozen=True, slots=True)
class Known:
    """An attribute by which values are checked."""

    id: int
    kind: str


@dataclass(frozen=True, slots=True)
class Part:
    """How a part of a card is read, checked (returning it as it is kept) and written."""

    read: Callable[[int], Any]
    check: Callable[[Any, Mapping[str, Known], list[FieldError]], Any]
    write: Callable[[Actor, Product, Any], None]


@dataclass(frozen=True, slots=True)
class Head:
    """What is needed before a card is changed."""

    id: int
    version: int
    base_unit: str


def head(public_id: uuid.UUID) -> Head:
    """The card of a product that is not merged, hidden or not.

    Raises:
        NotFound.
    """
    row = session.execute(
        sa.select(Product.id, Product.version, Product.base_unit).where(
            Product.public_id == public_id, Product.status != "merged"
        )
    ).one_or_none()
    if row is None:
        raise NotFound()
    return Head(*row)


def read(product_id: int) -> Content:
    """The whole card as it is now."""
    return {name: part.read(product_id) for name, part in PARTS.items()}


def known_attributes(category_slug: str) -> dict[str, Known]:
    """The attributes of a category by key."""
    rows = session.execute(
        sa.select(Attribute.key, Attribute.id, Attribute.kind)
        .join(Category, Category.id == Attribute.category_id)
        .where(Category.slug == category_slug)
    )
    return {row.key: Known(row.id, row.kind) for row in rows}


def place_of(product_id: int) -> str:
    """The slug of the category that a product stands in."""
    return session.scalars(
        sa.select(Category.slug).join(Product, Product.category_id == Category.id).where(Product.id == product_id)
    ).one()


def checked(wanted: Mapping[str, Any], category_slug: str) -> Content:
    """What is wanted in the form in which it is kept.

    Args:
        category_slug: where the card will be; its attributes are the ones that may be said.

    Raises:
        Invalid: with every wrong value.
    """
    errors = [FieldError(f"/{name}", "unknown_field") for name in wanted if name not in PARTS]
    known = known_attributes(category_slug)
    found = {name: part.check(wanted[name], known, errors) for name, part in PARTS.items() if name in wanted}
    if errors:
        raise Invalid(errors)
    return found


def merged(card: Mapping[str, Any], change: Mapping[str, Any]) -> Content:
    """The card with the change on it; a card that moves keeps the values that its new category knows."""
    found = {name: _laid_over(card.get(name), change.get(name)) for name in PARTS}
    moves_to = change.get("fields", {}).get("category", "")
    if moves_to and moves_to != card["fields"].get("category"):
        known = known_attributes(moves_to)
        found["attributes"] = {key: text for key, text in found["attributes"].items() if key in known}
    return found


def _laid_over(now: Any, wanted: Any) -> Any:
    if isinstance(now, dict):
        return {key: text for key, text in (now | dict(wanted or {})).items() if text != "" or key in FIELDS}
    return now if wanted is None else wanted


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Content:
    """What must be said to make one card of the other; empty when they are alike."""
    found: Content = {}
    for name in PARTS:
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            keys = [*old, *(key for key in new if key not in old)]
            differs = {key: new.get(key, "") for key in keys if old.get(key, "") != new.get(key, "")}
            if differs:
                found[name] = differs
        elif old != new:
            found[name] = new
    return found


def only(card: Mapping[str, Any], change: Mapping[str, Any]) -> Content:
    """What the card says of the things that the change names."""
    return {
        name: {key: card[name].get(key, "") for key in value} if isinstance(value, dict) else card.get(name)
        for name, value in change.items()
    }


@unit_of_work
def write(actor: Actor, product_id: int, change: Mapping[str, Any]) -> tuple[Content, Content, int]:
    """Put a checked change on a card: what the card said before, what it says now, and its new version.

    Whoever calls refreshes the row of the lists (`offers.listing.refresh`).

    Raises:
        NotFound: the card is merged or absent.
        Invalid: a barcode of another product, a unit that offers are sold in.
    """
    [row] = lock_rows(Product, [product_id]) or [None]
    if row is None or row.status == "merged":
        raise NotFound()
    before = read(product_id)
    for name, value in change.items():
        PARTS[name].write(actor, row, value)
    row.version += 1
    session.flush()
    after = read(product_id)
    told = difference(before, after)
    audit.record(actor, "product.edited", "product", row.id, before=only(before, told), after=told)
    dictionary.write([row.id])
    return before, after, int(row.version)


def _read_fields(product_id: int) -> dict[str, str]:
    row = session.execute(
        sa.select(*(getattr(Product, name) for name in (*TEXTS, *NUMBERS)), Product.status, Category.slug)
        .join(Category, Category.id == Product.category_id)
        .where(Product.id == product_id)
    ).one()
    numbers = {name: to_api(Decimal(getattr(row, name))) for name in NUMBERS}
    texts = {name: getattr(row, name) for name in TEXTS}
    return {"category": row.slug} | texts | numbers | {"hidden": "1" if row.status == "hidden" else ""}


def _check_fields(given: Any, _known: Mapping[str, Known], errors: list[FieldError]) -> dict[str, str]:
    found = {}
    for name, value in given.items():
        pointer, text = f"/fields/{name}", "" if value is None else str(value).strip()
        if name in TEXTS:
            if len(text) > TEXTS[name]:
                errors.append(FieldError(pointer, "too_long", {"maximum": TEXTS[name]}))
            elif not text and name in ("name_ru", "name_en"):
                errors.append(FieldError(pointer, "required"))
        elif name in NUMBERS:
            text = _number_text(text or "0", *NUMBERS[name], pointer, errors)
        elif name == "category":
            errors += _place_errors(text, pointer)
        elif name == "hidden":
            text = "1" if text else ""
        else:
            errors.append(FieldError(pointer, "unknown_field"))
        found[name] = text
    return found


def _number_text(text: str, places: int, most: int, pointer: str, errors: list[FieldError]) -> str:
    try:
        value = parse_decimal(text)
    except NotANumber as error:
        errors.append(FieldError(pointer, error.code))
        return text
    if value < 0:
        errors.append(FieldError(pointer, "too_small", {"minimum": 0}))
    elif value > most:
        errors.append(FieldError(pointer, "too_large", {"maximum": most}))
    elif value != round(value, places):
        errors.append(FieldError(pointer, "too_many_digits"))
    return to_api(value)


def _place_errors(slug: str, pointer: str) -> list[FieldError]:
    below = sa.orm.aliased(Category)
    found = session.execute(
        sa.select(Category.id, sa.exists().where(below.parent_id == Category.id)).where(Category.slug == slug)
    ).one_or_none()
    return [] if found is not None and not found[1] else [FieldError(pointer, "unknown_option")]


def columns(fields: Mapping[str, str]) -> dict[str, Any]:
    """Checked fields as columns of a product, the category apart."""
    found: dict[str, Any] = {name: text for name, text in fields.items() if name in TEXTS}
    for name in NUMBERS:
        if name in fields:
            found[name] = int(fields[name]) if name == "length_mm" else Decimal(fields[name])
    if "hidden" in fields:
        found["status"] = "hidden" if fields["hidden"] else "active"
    return found


def _write_fields(_actor: Actor, row: Product, given: Mapping[str, str]) -> None:
    for name, value in columns(given).items():
        setattr(row, name, value)
    if "category" in given:
        _move(row, given["category"])
    session.flush()


def _move(row: Product, slug: str) -> None:
    """To another category; values whose key the new one has too go along, the rest goes."""
    known = known_attributes(slug)
    values = _read_attributes(row.id)
    session.execute(sa.delete(ProductValue).where(ProductValue.product_id == row.id))
    row.category_id = session.scalars(sa.select(Category.id).where(Category.slug == slug)).one()
    set_values(row.id, known, {key: text for key, text in values.items() if key in known})


def _read_attributes(product_id: int) -> dict[str, str]:
    rows = session.execute(
        sa.select(Attribute.key, ProductValue.text)
        .join(ProductValue, ProductValue.attribute_id == Attribute.id)
        .where(ProductValue.product_id == product_id)
        .order_by(Attribute.position, Attribute.id)
    )
    return {row.key: row.text for row in rows}


def _check_attributes(given: Any, known: Mapping[str, Known], errors: list[FieldError]) -> dict[str, str]:
    found = {}
    for key, value in given.items():
        text = "" if value is None else " ".join(str(value).split())
        pointer = f"/attributes/{key}"
        if key not in known and text:
            errors.append(FieldError(pointer, "unknown_field"))
        elif text:
            text = as_kind(text, known[key].kind) or text
            errors += [FieldError(pointer, code, context) for code, context in _value_errors(text, known[key].kind)]
        found[key] = text
    return found


def as_kind(text: str, kind: str) -> str | None:
    """A value as an attribute of this kind keeps it; None when it cannot be one."""
    if kind == "number":
        try:
            return to_api(parse_decimal(text))
        except NotANumber:
            return None
    if kind == "range":
        return re.sub(r"\s*–\s*|\s*-\s*", "-", text.replace(",", ".")) if _RANGE.fullmatch(text) else None
    if kind == "bool":
        return (
            YES
            if text.lower() in (YES, "yes", "true", "1")
            else NO
            if text.lower() in (NO, "no", "false", "0")
            else None
        )
    return text


def _value_errors(text: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
    if len(text) > MOST_VALUE:
        return [("too_long", {"maximum": MOST_VALUE})]
    if as_kind(text, kind) is None:
        return [({"number": "not_a_number", "range": "not_a_range"}.get(kind, "unknown_option"), {})]
    return []


def _write_attributes(_actor: Actor, row: Product, given: Mapping[str, str]) -> None:
    known = known_attributes(place_of(row.id))
    ids = [known[key].id for key in given if key in known]
    session.execute(
        sa.delete(ProductValue).where(ProductValue.product_id == row.id, ProductValue.attribute_id.in_(ids))
    )
    set_values(row.id, known, {key: text for key, text in given.items() if text and key in known})


def set_values(product_id: int, known: Mapping[str, Known], values: Mapping[str, str]) -> None:
    """Write values of attributes that have none yet."""
    rows = [
        {"product_id": product_id, "attribute_id": known[key].id, "text": text, "number": number_of(text)}
        for key, text in values.items()
    ]
    if rows:
        session.execute(sa.insert(ProductValue), rows)


def number_of(text: str) -> Decimal | None:
    """The number that a value is, for sorting and comparing; None for any other text."""
    return Decimal(text.replace(",", ".")) if re.fullmatch(r"\d{1,9}([.,]\d{1,6})?", text) else None


def _read_units(product_id: int) -> list[dict[str, Any]]:
    rows = session.scalars(
        sa.select(ProductUnit).where(ProductUnit.product_id == product_id)
        .order_by(ProductUnit.position, ProductUnit.code)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    return [
        {
            "code": row.code, "factor": _ratio(Fraction(row.numerator, row.denominator)), "step": to_api(row.step),
            "minimum": to_api(row.minimum), "sold": row.is_sold, "content": row.is_content, "barcode": row.barcode,
        }
        for row in rows
    ]  # fmt: skip


def base_unit(code: str) -> dict[str, Any]:
    """The unit that stock is counted in, as a new card has it."""
    return {
        "code": code, "factor": "1/1", "step": "1", "minimum": "1", "sold": True, "content": False, "barcode": "",
    }  # fmt: skip


def _ratio(factor: Fraction) -> str:
    return f"{factor.numerator}/{factor.denominator}"


def _check_units(given: Any, _known: Mapping[str, Known], errors: list[FieldError]) -> list[dict[str, Any]]:
    if len(given) > MOST_UNITS:
        errors.append(FieldError("/units", "too_long", {"maximum": MOST_UNITS}))
    found = [_checked_unit(said, f"/units/{index}", errors) for index, said in enumerate(given[:MOST_UNITS])]
    codes = [unit["code"] for unit in found]
    for index, code in enumerate(codes):
        if code not in UNITS or code in codes[:index]:
            errors.append(FieldError(f"/units/{index}/code", "unknown_option"))
    if len([unit for unit in found if unit["content"]]) > 1:
        errors.append(FieldError("/units", "one_content_unit"))
    return found


def _checked_unit(said: Mapping[str, Any], where: str, errors: list[FieldError]) -> dict[str, Any]:
    factor, barcode = str(said.get("factor") or "1/1"), str(said.get("barcode") or "")
    if _FACTOR.fullmatch(factor):
        factor = _ratio(Fraction(factor))
    else:
        errors.append(FieldError(f"{where}/factor", "malformed"))
    if not re.fullmatch(r"\d{0,14}", barcode):
        errors.append(FieldError(f"{where}/barcode", "malformed"))
    sizes = {}
    for name in ("step", "minimum"):
        sizes[name] = _number_text(str(said.get(name) or "1"), 6, 10**9, f"{where}/{name}", errors)
        if sizes[name] == "0":
            errors.append(FieldError(f"{where}/{name}", "too_small", {"minimum": 0}))
    return {
        "code": str(said.get("code") or ""), "factor": factor, **sizes, "sold": bool(said.get("sold")),
        "content": bool(said.get("content")), "barcode": barcode,
    }  # fmt: skip


def _write_units(_actor: Actor, row: Product, units: list[dict[str, Any]]) -> None:
    base = next((unit for unit in units if unit["code"] == row.base_unit), None)
    if base is None or base["factor"] != "1/1":
        raise Invalid.one("/units", "base_unit_stays", unit=row.base_unit)
    present = {
        unit.code: unit for unit in session.scalars(sa.select(ProductUnit).where(ProductUnit.product_id == row.id))
    }
    for code in present.keys() - {unit["code"] for unit in units}:
        session.delete(present[code])
    flush("/units", "unit_in_use")
    for kept in present.values():
        kept.barcode = ""  # two units may exchange their barcodes
    flush("/units", "barcode_taken")
    for position, unit in enumerate(units):
        factor = Fraction(unit["factor"])
        kept = present.get(unit["code"]) or ProductUnit(product_id=row.id, code=unit["code"])
        kept.numerator, kept.denominator = factor.numerator, factor.denominator
        kept.step, kept.minimum = Decimal(unit["step"]), Decimal(unit["minimum"])
        kept.is_sold, kept.is_content = unit["sold"], unit["content"]
        kept.barcode, kept.position = unit["barcode"], position
        session.add(kept)
    flush("/units", "barcode_taken")


def flush(pointer: str, code: str) -> None:
    """Write now; what a constraint of the database refuses is a wrong field."""
    try:
        session.flush()
    except exc.IntegrityError as error:
        raise Invalid.one(pointer, code) from error


def _read_images(product_id: int) -> list[str]:
    return [str(one) for one in pictures.shown_ids(product_id)]


def _check_images(given: Any, _known: Mapping[str, Known], errors: list[FieldError]) -> list[str]:
    found = [parse_uuid(str(one)) for one in given]
    if None in found:
        errors.append(FieldError("/images", "unknown_picture"))
    return [str(one) for one in found]


def _write_images(actor: Actor, row: Product, ids: list[str]) -> None:
    pictures.set_images(actor, row.id, [uuid.UUID(one) for one in ids])


PARTS: dict[str, Part] = {
    "fields": Part(_read_fields, _check_fields, _write_fields),
    "attributes": Part(_read_attributes, _check_attributes, _write_attributes),
    "units": Part(_read_units, _check_units, _write_units),
    "images": Part(_read_images, _check_images, _write_images),
}
"""In the order in which they are written."""
