"""The act of acceptance of a trip as PDF: what of the goods that left was handed over at the door.

A primary document: everything that Federal law 402-FZ of 2011-12-06, article 9, part 2 asks for stands on it (its name,
day, who made it, what happened, measures in things and money, posts and names of who signs, signatures).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from app.core import clock
from app.core.pdf import Column, Document
from app.orders.papers import IssuedPaper
from app.web.filters import time_of_day, unit
from app.web.papers import company_of, figure, in_russian, long_day, percent, roubles

COLUMNS = (
    Column("№", 0.5, right=True), Column("Артикул", 1.5), Column("Товар", 3.3), Column("Ед.", 1.1),
    Column("Отправлено", 1.6, right=True), Column("Передано", 1.4, right=True), Column("НДС", 0.9),
    Column("Сумма НДС", 1.3, right=True), Column("Стоимость с НДС, ₽", 1.6, right=True),
)  # fmt: skip


def act_pdf(acts: Sequence[IssuedPaper]) -> bytes:
    """The acts of an order in one file; always the same bytes."""
    first = acts[0].issued_on
    at = datetime(first.year, first.month, first.day, tzinfo=UTC)
    with in_russian():
        paper = Document(f"Акт № {acts[0].number}", footer="Акт приёма-передачи товаров", at=at)
        for index, one in enumerate(acts):
            if index:
                paper.paper.add_page()
            _one(paper, one)
        return paper.output()


def _one(paper: Document, issued: IssuedPaper) -> None:
    said = issued.payload
    lines = said["lines"]
    paper.heading(f"Акт приёма-передачи товаров № {issued.number} от {long_day(issued.issued_on)}")
    ordered = long_day(date.fromisoformat(said["ordered_on"]))
    upd = f", УПД № {said['upd']}" if said["upd"] else ""
    at = clock.local(datetime.fromisoformat(said["at"]))
    paper.facts([
        ("Составил: продавец", company_of(said["seller"])),
        ("Покупатель", company_of(said["buyer"])),
        ("Основание", f"Заказ {said['order']} от {ordered}{upd}"),
        ("Где передано", said["to"]),
        ("Когда передано", f"{long_day(at)}, {time_of_day(at)}"),
        ("Кто вёз", said["carrier"] or "Покупатель забрал со склада"),
    ])  # fmt: skip
    paper.space()
    paper.text("Продавец передал, а покупатель принял товары:")
    paper.space(1)
    paper.table(COLUMNS, [_row(n, line) for n, line in enumerate(lines, 1)], 8)
    paper.totals([
        ("Стоимость без НДС, ₽", roubles(said["net"])), ("Сумма НДС, ₽", roubles(said["vat"])),
        ("Передано на сумму, ₽", roubles(said["gross"])),
    ])  # fmt: skip
    paper.space()
    less = [str(n) for n, line in enumerate(lines, 1) if Decimal(line["quantity"]) < Decimal(line["sent"])]
    if less:
        paper.text(f"Передано меньше, чем отправлено, в строках: {', '.join(less)}. Недостающее не оплачивается.",
                   bold=True)  # fmt: skip
    paper.text(_delivery(said))
    paper.signature("Передал от продавца", "должность, Ф. И. О.")
    paper.signature("Принял от покупателя", f"должность, {said['receiver']}")


def _row(number: int, line: dict[str, Any]) -> list[str]:
    quantity, sent = Decimal(line["quantity"]), Decimal(line["sent"])
    return [
        str(number), line["sku"], line["name"], unit(line["unit"], quantity), figure(sent), figure(quantity),
        percent(Decimal(line["vat_percent"])), roubles(line["vat"]), roubles(line["gross"]),
    ]  # fmt: skip


def _delivery(said: dict[str, Any]) -> str:
    if not said["carrier"]:
        return "Доставка не оказывалась."
    if said["own_delivery"]:
        return f"Услуга доставки оказана продавцом: 1 усл. на сумму {roubles(said['own_delivery'])} руб."
    return "Доставку оказал перевозчик; в стоимость товаров она не входит и стоит в счёте на оплату отдельной строкой."
