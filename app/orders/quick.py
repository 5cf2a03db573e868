"""Quick order: lines of codes and quantities, pasted or in a sheet, answered line by line."""

from __future__ import annotations

import csv
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from app.catalog import queries as catalog
from app.catalog import search
from app.catalog.queries import Suggestion
from app.core.cache import Cache
from app.core.db import unit_of_work
from app.core.errors import Invalid
from app.core.permissions import Actor
from app.core.units import NotANumber, ceil_to_step, parse_decimal
from app.offers import codes
from app.offers.codes import Coded
from app.offers.imports import columns
from app.offers.imports.cells import unit_of
from app.offers.imports.csv_file import encoding_of
from app.offers.imports.table import within_limits
from app.offers.imports.xlsx_file import open_xlsx
from app.offers.queries import OfferForSale
from app.orders import carts, list_to_cart, rules
from app.orders.carts import CartChange

MOST_LINES = 500
MOST_BYTES = 1024 * 1024
LONGEST_LINE = 300
SUGGESTED_LINES = 10
"""Lines for which near products are looked up; the others get a link to the search."""
_NUMBER = r"(?:\d{1,3}(?:[ \u00a0]\d{3})+|\d+)(?:[.,]\d+)?"
_BETWEEN = r"(?:\s*[,:=]\s*|\s+(?:[xXхХ×*–—-]\s*)?)"
_LINE = re.compile(rf"(?P<code>.+?){_BETWEEN}(?P<quantity>{_NUMBER})\s*(?P<unit>[^\d\s].*)?")
_DELIMITERS = ("\t", ";", "|")
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was given. `offer`: the one that was chosen of several."""

    number: int
    text: str
    code: str
    quantity: str
    unit: str = ""
    offer: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a line comes to. `state`:

    found: `offer`, so many `quantity` units of sale of it; `note`: stock (fewer are there), or empty.
    choose: the code fits several products, one of `candidates` is to be named.
    quantity: `note` says what is wrong (required, not_a_number, step, minimum, ...), `quantity` is the nearest sold.
    unit: the product is not sold or measured in that unit.
    sold_out: nobody has any now. missing: the code is unknown; `suggestions` are near.
    """

    line: Line
    state: str
    offer: OfferForSale | None = None
    quantity: Decimal = Decimal(0)
    note: str = ""
    candidates: tuple[OfferForSale, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def is_good(self) -> bool:
        """It can go into the cart as it stands."""
        return self.state == "found"

    @property
    def gross(self) -> int:
        """Kopeks of the whole line."""
        if self.offer is None or not self.quantity:
            return 0
        price = self.offer.price_for(self.quantity).price
        return rules.line_money(price, self.quantity, self.offer.vat_percent).gross


def of_text(text: str) -> list[Line]:
    """Lines of a pasted text; empty ones and a line of headings are skipped.

    Raises:
        Invalid: nothing in it, or more than MOST_LINES.
    """
    if len(text.encode()) > MOST_BYTES:
        raise Invalid.one("/text", "file_too_large", maximum=MOST_BYTES // 1024 // 1024)
    given = [
        (number, line.strip()[:LONGEST_LINE])
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip(' \t;|,"').strip()  # a no-break space alone is an empty line too
    ]
    return _read([(number, line, _cells(line)) for number, line in given], "/text")


def of_file(content: bytes) -> list[Line]:
    """Lines of a sheet (XLSX) or a text (CSV).

    Raises:
        Invalid: nothing in it, or too much. BadFile: it cannot be read.
    """
    if len(content) > MOST_BYTES:
        raise Invalid.one("/file", "file_too_large", maximum=MOST_BYTES // 1024 // 1024)
    if not content.strip():
        raise Invalid.one("/file", "file_empty")
    if not content.startswith(_ZIP):
        return of_text(content.decode(encoding_of(content), errors="replace"))
    grid = open_xlsx(content, columns.recognised)
    rows = [(row.number, [_cell(cell) for cell in row.cells]) for row in within_limits(grid.rows())]
    return _read([(number, "\t".join(cells), cells) for number, cells in rows], "/file")


def _cell(value: str | int | float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value).strip()


def _cells(line: str) -> list[str]:
    """The code, the quantity and the unit of a line in its own writing."""
    delimiter = next((d for d in _DELIMITERS if d in line), None)
    if delimiter is not None:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    bare = line.replace('"', " ").strip()
    found = _LINE.fullmatch(bare)
    if found is None:
        return [bare]
    return [found["code"].strip(" ,:="), found["quantity"], (found["unit"] or "").strip()]


def _read(rows: Sequence[tuple[int, str, list[str]]], pointer: str) -> list[Line]:
    if not rows:
        raise Invalid.one(pointer, "required")
    place = {"code": 0, "quantity": 1, "unit": 2}
    head = rows[0][2]
    if columns.recognised(head) or not any(c.isdigit() for c in rows[0][1]):
        place |= _places(head)
        rows = rows[1:]
    if not rows:
        raise Invalid.one(pointer, "required")
    if len(rows) > MOST_LINES:
        raise Invalid.one(pointer, "too_many_lines", maximum=MOST_LINES)
    return [
        Line(number, text[:LONGEST_LINE], _at(cells, place["code"]), _at(cells, place["quantity"]),
             _at(cells, place["unit"]))
        for number, text, cells in rows
    ]  # fmt: skip


def _places(head: Sequence[str]) -> dict[str, int]:
    """Which columns the headings name."""
    named = {name: int(column) for column, name in columns.guess(list(head), [], {}).items()}
    found = {}
    for field, names in (("code", ("sku", "article", "barcode")), ("quantity", ("stock",)), ("unit", ("unit",))):
        column = next((named[name] for name in names if name in named), None)
        if column is not None:
            found[field] = column
    if not {"code", "quantity"} <= found.keys():
        return {}
    return {"unit": len(head)} | found


def _at(cells: Sequence[str], column: int) -> str:
    return cells[column][:LONGEST_LINE] if column < len(cells) else ""


def check(lines: Sequence[Line], cache: Cache | None = None) -> list[Answer]:
    """What every line comes to now; nothing is written. Queries: three, and a few for each suggestion."""
    coded = codes.by_codes({line.code for line in lines if line.code})
    answers = [_answer(line, coded) for line in lines]
    lost = [answer for answer in answers if answer.state == "missing" and answer.line.code][:SUGGESTED_LINES]
    near = {answer.line.number: _near(answer.line.code, cache) for answer in lost}
    return [replace(one, suggestions=near[one.line.number]) if one.line.number in near else one for one in answers]


def _near(code: str, cache: Cache | None) -> tuple[Suggestion, ...]:
    match = search.match(code, cache)
    return tuple(catalog.suggestions(match, 3)) if match else ()


def _answer(line: Line, coded: Coded) -> Answer:
    found = coded.offers.get(line.code, ())
    if not found:
        return Answer(line, "missing")
    chosen = tuple(offer for offer in found if offer.public_id == line.offer) or found
    if len({offer.product_id for offer in chosen}) > 1:
        return Answer(line, "choose", candidates=found)
    unit = unit_of(line.unit) if line.unit else ""
    if unit is None or (unit and (chosen[0].product_id, unit) not in coded.factors):
        return Answer(line, "unit", chosen[0], candidates=found)
    try:
        typed = parse_decimal(line.quantity)
        rules.check_quantity(typed)
    except NotANumber as error:
        return Answer(line, "quantity", chosen[0], chosen[0].minimum, error.code, found)
    except Invalid as refusal:
        return Answer(line, "quantity", chosen[0], chosen[0].minimum, refusal.errors[0].code, found)
    return _priced(line, chosen, found, [(offer, _units(typed, unit, offer, coded)) for offer in chosen])


def _units(typed: Decimal, unit: str, offer: OfferForSale, coded: Coded) -> Fraction:
    """Units of sale, not rounded yet."""
    if not unit or unit == offer.unit:
        return Fraction(typed)
    return Fraction(typed) * coded.factors[offer.product_id, unit] / offer.factor


def _priced(
    line: Line,
    chosen: Sequence[OfferForSale],
    found: tuple[OfferForSale, ...],
    wanted: Sequence[tuple[OfferForSale, Fraction]],
) -> Answer:
    whole = [(offer, ceil_to_step(units, offer.step, offer.minimum)) for offer, units in wanted]
    best = list_to_cart.best([one for one in whole if one[0].available >= one[0].minimum])
    if best is None:
        return Answer(line, "sold_out", chosen[0], candidates=found)
    offer, quantity = best
    units = next(units for one, units in wanted if one.id == offer.id)
    if Fraction(quantity) != units:
        note = "minimum" if units < Fraction(offer.minimum) else "step"
        return Answer(line, "quantity", offer, quantity, note, found)
    if offer.available < quantity:
        return Answer(line, "found", offer, offer.available, "stock", found)
    return Answer(line, "found", offer, quantity, "", found)


@unit_of_work
def to_cart(actor: Actor, token: str, answers: Iterable[Answer]) -> tuple[dict[int, CartChange], str]:
    """Put the good lines into the cart.

    Returns:
        Number of the line -> what it came to, and the token of a cart made for a guest just now.
    """
    good = [answer for answer in answers if answer.is_good and answer.offer is not None]
    if not good:
        return {}, ""
    changes, made = carts.add_many(actor, token, [(a.offer.id, a.quantity) for a in good if a.offer is not None])
    return {answer.line.number: change for answer, change in zip(good, changes, strict=True)}, made
