"""Files of offers: what the table shows, as CSV or XLSX that a spreadsheet opens without running anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from flask import Response
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app.core import clock
from app.offers.desk import DeskOffer
from app.offers.queries import WarehouseRow
from app.texts import offers as words
from app.web.filters import language

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Cell = str | Decimal | int
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is run by spreadsheets (CWE-1236)."""


def answer(kind: str, offers: Iterator[DeskOffer], places: Sequence[WarehouseRow]) -> Response:
    """The file as an answer to save. CSV is sent while it is read."""
    rows = _rows(offers, places)
    body = _csv(rows) if kind == "csv" else _xlsx(rows)
    response = Response(body, mimetype=None, content_type=KINDS[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="offers-{clock.today():%Y-%m-%d}.{kind}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _rows(offers: Iterator[DeskOffer], places: Sequence[WarehouseRow]) -> Iterator[list[Cell]]:
    """A heading, then one row an offer: money in roubles, quantities in units of sale."""
    heads = [_("SKU"), _("Product"), _("Unit of sale"), _("Price, ₽"), _("Price ladder"), _("Days to make ready")]
    yield [*map(str, heads), *(place.name for place in places), str(_("Free")), str(_("State"))]
    for offer in offers:
        yield [
            offer.sku, offer.name(language()), offer.unit, _roubles(offer.price),
            "; ".join(f"{_plain(step.from_quantity)} = {_plain(_roubles(step.price))}" for step in offer.ladder),
            offer.lead_time_days,
            *(_stock(offer, place.id) for place in places),
            _number(offer.in_units(offer.free)),
            str(words.NOT_SOLD[offer.why_not_sold]),
        ]  # fmt: skip


def _roubles(kopeks: int) -> Decimal:
    return Decimal(kopeks) / 100


def _stock(offer: DeskOffer, place: int) -> Cell:
    level = offer.levels.get(place)
    return _number(offer.in_units(level.on_hand)) if level else ""


def _number(value: Decimal | Fraction) -> Decimal:
    """Six places are what stock is kept in."""
    if isinstance(value, Fraction):
        value = (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.000001"))
    return value


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if language() == "en" else text.replace(".", ",")


def safe(text: str) -> str:
    """The text as a spreadsheet shows it, never as a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _csv(rows: Iterator[list[Cell]]) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf"  # without the mark spreadsheets take Russian letters for another encoding
    delimiter = "," if language() == "en" else ";"
    for row in rows:
        line = io.StringIO()
        csv.writer(line, delimiter=delimiter).writerow(
            [safe(cell) if isinstance(cell, str) else _plain(Decimal(cell)) for cell in row]
        )
        yield line.getvalue().encode()


def _xlsx(rows: Iterator[list[Cell]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet(str(_("Offers")))
    for row in rows:
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=value)
            if isinstance(value, str):
                cell.data_type = "s"  # a text, also when it begins with an equals sign
            cells.append(cell)
        sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
