"""The form of a card: all fields, attributes by kind, units; read into parts (`app.catalog.cards`) and shown again.

Names: `f.<field>`, `a.<attribute>`, `u.<number>.<code, factor, ...>`. One form serves the edit and the new product of a
seller and the operator's own hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from flask import request

from app import texts
from app.catalog import cards, values
from app.catalog.cards import Content
from app.catalog.queries import AttributeRow
from app.core.errors import DomainError, Invalid
from app.core.units import UNITS
from app.texts import cards as words
from app.web.card_words import Words, leaves
from app.web.filters import language
from app.web.unit_texts import unit_label

SPARE_UNITS = 2
"""Empty rows under the units of a card."""
MEASURES = {"mass_kg": "kg", "volume_m3": "m3", "length_mm": "mm"}


@dataclass(frozen=True, slots=True)
class Refused:
    """What is wrong with a form that was sent: sentence by pointer, and sentences about the whole."""

    errors: Mapping[str, str] = field(default_factory=dict)
    general: tuple[str, ...] = ()


def refused(error: DomainError) -> Refused:
    """A refusal as the form shows it."""
    if not isinstance(error, Invalid):
        return Refused({}, (texts.message(error),))
    return Refused({one.pointer: texts.error_text(one.code, one.context) for one in error.errors})


def posted() -> Content:
    """The card that the form says."""
    form = request.form
    names = (*cards.TEXTS, *cards.NUMBERS, "category")
    found: Content = {
        "fields": {name: form[f"f.{name}"].strip() for name in names if f"f.{name}" in form},
        "attributes": {key.removeprefix("a."): form[key].strip() for key in form if key.startswith("a.")},
    }
    if "u.0.code" in form:
        found["units"] = [_unit(n) for n in range(cards.MOST_UNITS + 1) if form.get(f"u.{n}.code")]
    return found


def _unit(number: int) -> dict[str, Any]:
    def said(name: str) -> str:
        return request.form.get(f"u.{number}.{name}", "").strip()

    return {
        "code": said("code"), "factor": factor_of(said("factor")), "step": said("step"), "minimum": said("minimum"),
        "sold": said("sold") == "1", "content": request.form.get("content") == str(number), "barcode": said("barcode"),
    }  # fmt: skip


def factor_of(text: str) -> str:
    """25, 0,04 or 1/25 as `num/den`; anything else as it is, to be refused by the card."""
    bare = text.replace(",", ".").replace(" ", "")
    if not re.fullmatch(r"\d{1,12}(\.\d{1,6}|/[1-9]\d{0,11})?", bare):
        return text
    factor = Fraction(bare)
    return f"{factor.numerator}/{factor.denominator}"


def context(card: Mapping[str, Any], base_unit: str, wrong: Refused) -> dict[str, Any]:
    """What `components/card.html` shows: labels, the attributes of the card's section, rows of units, errors."""
    slug = card["fields"].get("category", "")
    known = Words((), (slug,) if slug else ())
    shown = [_attribute(row, card) for row in known.attributes.values()]
    units = [dict(unit) for unit in card.get("units", ())]
    units += [{"code": ""} for _spare in range(min(SPARE_UNITS, cards.MOST_UNITS - len(units)))]
    for number, unit in enumerate(units):
        unit["error"] = next((text for at, text in wrong.errors.items() if at.startswith(f"/units/{number}/")), "")
        unit["shown"] = str(unit.get("factor", "")).removesuffix("/1")
    return {
        "card": card, "base_unit": base_unit, "labels": words.LABELS, "leaves": leaves(known.tree), "units": units,
        "attributes": shown, "suggestions": values.frequent(slug) if slug else {}, "wrong": wrong.errors,
        "texts": cards.TEXTS, "measures": MEASURES, "unit_options": [(code, unit_label(code)) for code in UNITS],
        "summary": _summary(wrong, known), "yes": cards.YES, "no": cards.NO,
    }  # fmt: skip


def _attribute(row: AttributeRow, card: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": row.key, "label": row.name(language()), "kind": row.kind, "facet": row.is_facet,
        "unit": unit_label(row.unit) if row.unit else "", "value": card["attributes"].get(row.key, ""),
    }  # fmt: skip


def _summary(wrong: Refused, known: Words) -> list[tuple[str, str]]:
    """(id of the field, sentence) for the box above the form."""
    found = []
    for pointer, text in wrong.errors.items():
        _root, part, *rest = pointer.split("/")
        key = rest[0] if rest else ""
        number = int(key) + 1 if part == "units" and key.isdecimal() else 0
        label = f"{words.LABELS['units']}, {number}" if number else known.label(part, "" if part == "units" else key)
        found.append((f"{part}-{key}" if key else part, f"{label}: {text}"))
    return found + [("", text) for text in wrong.general]
