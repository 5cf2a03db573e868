"""Documents of an order as PDF. They are Russian whatever the reader's language: banks and tax inspectors read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal

import segno
from flask import Response
from flask_babel import force_locale  # type: ignore[import-untyped]  # the package ships no types

from app.core import clock, money
from app.core.pdf import Document
from app.orders.queries import LineRow, OrderView

MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября",
    "декабря",
)  # fmt: skip
CODE_MM = 36.0
"""Side of the bank's code on paper: at this size telephones read it from a hand's distance."""


def long_day(value: date | datetime) -> str:
    """24 ноября 2026 г."""
    day = clock.local(value).date() if isinstance(value, datetime) else value
    return f"{day.day} {MONTHS[day.month - 1]} {day.year} г."


def roubles(kopeks: int) -> str:
    """12 345,60"""
    return f"{money.as_decimal(kopeks):,.2f}".replace(",", "\u00a0").replace(".", ",")


def figure(value: Decimal) -> str:
    """A quantity without needless places: 12,5"""
    return f"{value.normalize():f}".replace(".", ",")


def percent(value: Decimal) -> str:
    """22 %, or the words of the law for none."""
    return f"{figure(value)} %" if value else "без НДС"


def company_of(side: Mapping[str, str], *, short: bool = False) -> str:
    """A side of a document with its numbers and, unless short, its address."""
    tax = f", ИНН/КПП {side['inn']}/{side['kpp'] or '–'}" if side["inn"] else ""
    place = f", {side['address']}" if side["address"] and not short else ""
    return f"{side['name']}{tax}{place}"


def going(order: OrderView, line: LineRow) -> Decimal:
    """Units of a line that are paid for: what was handed over, or is to be."""
    pieces = [p for t in order.trips if t.status != "cancelled" for p in t.pieces if p.line.id == line.id]
    return sum((p.quantity if p.delivered is None else p.delivered for p in pieces), Decimal(0))


def draw_code(paper: Document, text: str, x: float, y: float, side: float = CODE_MM) -> None:
    """A QR code of the text, its light border included, with the upper left corner at (x, y) millimetres."""
    rows = [
        list(row) for row in segno.make_qr(text, encoding="utf-8", error="m", boost_error=False).matrix_iter(border=4)
    ]
    module = side / len(rows)
    pdf = paper.paper
    pdf.set_fill_color(0)
    for top, row in enumerate(rows):
        for left, dark in enumerate(row):
            if dark:
                pdf.rect(x + left * module, y + top * module, module, module, style="F")


@contextmanager
def in_russian() -> Iterator[None]:
    """Units and numbers in Russian, whoever reads."""
    with force_locale("ru"):
        yield


def as_pdf(data: bytes, name: str) -> Response:
    """The file, shown by the browser or kept under its name."""
    response = Response(data, mimetype="application/pdf")
    response.headers.set("Content-Disposition", "inline", filename=f"{name}.pdf")
    response.headers["Cache-Control"] = "no-store"
    return response
