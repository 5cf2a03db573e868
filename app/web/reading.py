"""What many pages read out of a request, and how they word what was refused."""

from __future__ import annotations

import uuid
from decimal import Decimal

from flask import request

from app import texts
from app.core.errors import DomainError, FieldError, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.units import NotANumber, parse_decimal


def key_of(text: str) -> uuid.UUID:
    """An outward id of a path or field.

    Raises:
        NotFound: it is none.
    """
    found = parse_uuid(text)
    if found is None:
        raise NotFound()
    return found


def before() -> int | None:
    """The row before which the next page begins; None when the address names none that can be."""
    text = request.args.get("before", "")
    return int(text) if text.isdecimal() and len(text) < 18 else None


def sentence(refusal: DomainError) -> str:
    """One sentence: the first wrong field's, or the refusal's own."""
    if isinstance(refusal, Invalid) and refusal.errors:
        return str(texts.error_text(refusal.errors[0].code, refusal.errors[0].context))
    return str(texts.message(refusal))


def by_field(error: Invalid) -> dict[str, str]:
    """Name of a field -> its sentence."""
    return {e.pointer.strip("/"): str(texts.error_text(e.code, e.context)) for e in error.errors}


def quantities(*, skip_blank: bool = False) -> dict[uuid.UUID, Decimal]:
    """Fields `q-<line>` of a posted form.

    Args:
        skip_blank: a field left empty says nothing; otherwise it is no number.

    Raises:
        Invalid: a text that is no number.
    """
    found: dict[uuid.UUID, Decimal] = {}
    errors = []
    for name, text in request.form.items():
        line = parse_uuid(name.removeprefix("q-")) if name.startswith("q-") else None
        if line is None or (skip_blank and not text.strip()):
            continue
        try:
            found[line] = parse_decimal(text)
        except NotANumber as error:
            errors.append(FieldError(f"/lines/{line}", error.code))
    if errors:
        raise Invalid(errors)
    return found


def money_or_none(text: str, name: str) -> int | None:
    """Kopeks of roubles as people type them; None when nothing is typed.

    Raises:
        Invalid: it is no sum, under the name of the field.
    """
    if not text.strip().rstrip("₽"):
        return None
    try:
        kopeks = parse_decimal(text.strip().rstrip("₽")) * 100
    except NotANumber as error:
        raise Invalid.one(f"/{name}", error.code) from None
    if kopeks != kopeks.to_integral_value():
        raise Invalid.one(f"/{name}", "not_a_number")
    return int(kopeks)
