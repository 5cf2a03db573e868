"""A carrier's invoice for a period as PDF and CSV, and drivers' pay as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.core.money import as_decimal
from app.core.pdf import Column, Document
from app.core.words import roubles_in_words
from app.logistics.pay import DayPay
from app.offers.imports.corrected import safe_text
from app.orders.carrier_bills import Invoice, InvoiceLine
from app.texts import tracking as words
from app.web.papers import company_of, in_russian, long_day, percent, roubles

COLUMNS = (
    Column("№", 0.5, right=True), Column("День", 1.2), Column("Заказ", 1.4), Column("Рейс", 5.4),
    Column("Сумма, ₽", 1.5, right=True),
)  # fmt: skip


def carrier_invoice_pdf(found: Invoice) -> bytes:
    """The file; always the same bytes."""
    head = found.head
    title = f"Счёт перевозчика № {head.number} от {long_day(head.issued_on)}"
    at = datetime(head.issued_on.year, head.issued_on.month, head.issued_on.day, tzinfo=UTC)
    carrier, customer = head.sides["carrier"], head.sides["customer"]
    with in_russian():
        paper = Document(title, footer=title, at=at)
        paper.heading(title)
        bank = f"{carrier['bank']}, БИК {carrier['bik']}, счёт {carrier['account']}" if carrier.get("account") else "–"
        paper.facts([
            ("Перевозчик", company_of(carrier)), ("Банк", bank), ("Заказчик", company_of(customer)),
            ("За что", f"Перевозка грузов с {long_day(head.first_day)} по {long_day(head.last_day)}"),
        ])  # fmt: skip
        paper.space()
        paper.table(COLUMNS, [_row(n, line) for n, line in enumerate(found.lines, 1)], 8)
        vat = ("НДС", "не облагается")
        if head.vat_percent:
            vat = (f"В том числе НДС {percent(Decimal(head.vat_percent))}", roubles(head.vat))
        paper.totals([
            vat,
            ("Всего к оплате, ₽", roubles(head.gross)),
        ])  # fmt: skip
        paper.text(f"Рейсов: {len(found.lines)}. {roubles_in_words(head.gross)}", bold=True)
        paper.signature("Перевозчик", "должность, Ф. И. О.")
        return paper.output()


def _row(number: int, line: InvoiceLine) -> list[str]:
    parts = "; ".join(f"{told(part)} {roubles(part['amount'])}" for part in line.parts)
    return [str(number), f"{line.day:%d.%m.%Y}", line.number, f"{line.address}\n{parts}", roubles(line.gross)]


def told(part: dict[str, Any]) -> str:
    """A part of a line in words."""
    return words.invoice_part(str(part["code"]), part.get("context", {}))


def carrier_invoice_csv(found: Invoice) -> bytes:
    """A row for each part of each trip; they sum to the invoice."""
    with in_russian():
        rows = [
            [
                str(found.head.number),
                f"{line.day:%d.%m.%Y}",
                line.number,
                line.address,
                told(part),
                _sum(part["amount"]),
            ]
            for line in found.lines
            for part in line.parts
        ]
    return _csv(["Счёт", "День", "Заказ", "Адрес", "За что", "Сумма, ₽"], rows)


def pay_csv(days: Sequence[DayPay]) -> bytes:
    """A row for each driver's day."""
    heads = ["Водитель", "День", "Часы", "Остановки", "Км", "Км по данным", "За часы, ₽", "За остановки, ₽", "За км, ₽",
             "Всего, ₽"]  # fmt: skip
    rows = [
        [
            one.courier_name, f"{one.day:%d.%m.%Y}", _number(Decimal(one.seconds) / 3600), str(one.stops),
            _number(Decimal(one.distance_m) / 1000), "телефона" if one.by_gps else "плана", _sum(one.for_hours),
            _sum(one.for_stops), _sum(one.for_km), _sum(one.total),
        ]
        for one in days
    ]  # fmt: skip
    return _csv(heads, rows)


def _csv(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Semicolons and a byte order mark, as spreadsheets here expect; text that looks like a formula is quoted."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(heads)
    for row in rows:
        writer.writerow([safe_text(cell) for cell in row])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _sum(kopeks: int) -> str:
    return f"{as_decimal(kopeks):f}".replace(".", ",")


def _number(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.01')):f}".replace(".", ",")
