"""The universal transfer document, status 1, as PDF.

Fields by the form that the tax service recommends (letter ММВ-20-3/96@ of 2013-10-21) on top of the invoice of
Government decree 1137 of 2011-12-26; their numbers stand beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.core.money import round_half_up
from app.core.pdf import Column, Document
from app.orders.papers import IssuedPaper
from app.web.filters import unit
from app.web.papers import company_of, figure, in_russian, long_day, roubles

OKEI = {
    "pcs": "796", "sheet": "625", "roll": "736", "pack": "778", "set": "839", "box": "812", "m": "006", "m2": "055",
    "m3": "113", "kg": "166", "t": "168", "l": "112",
}  # fmt: skip
"""Codes of units by the all-Russian classifier (OK 015-94); a unit without one has a dash."""
COLUMNS = (
    Column("А Код", 1.4), Column("1 №", 0.5, right=True), Column("1а Наименование товара", 4.5),
    Column("2 ОКЕИ", 0.8), Column("2а Ед.", 1.0), Column("3 Кол-во", 1.0, right=True),
    Column("4 Цена без НДС", 1.3, right=True), Column("5 Стоимость без НДС", 1.5, right=True),
    Column("6 Акциз", 0.9), Column("7 Ставка", 0.9), Column("8 Сумма НДС", 1.3, right=True),
    Column("9 Стоимость с НДС", 1.5, right=True), Column("10, 11 Страна, ДТ", 0.9),
)  # fmt: skip


def upd_pdf(papers: Sequence[IssuedPaper]) -> bytes:
    """The documents of an order in one file; always the same bytes."""
    first = papers[0].issued_on
    at = datetime(first.year, first.month, first.day, tzinfo=UTC)
    with in_russian():
        paper = Document(f"УПД № {papers[0].number}", footer="УПД, статус 1", at=at, landscape=True)
        for index, one in enumerate(papers):
            if index:
                paper.paper.add_page()
            _one(paper, one)
        return paper.output()


def _one(paper: Document, issued: IssuedPaper) -> None:
    said = issued.payload
    seller, buyer = said["seller"], said["buyer"]
    day = long_day(issued.issued_on)
    paper.heading(f"Универсальный передаточный документ. Счёт-фактура № {issued.number} от {day} (1)", 12)
    paper.text("Статус 1: счёт-фактура и передаточный документ (акт). Исправление № – от – (1а)", 8)
    rows = "по порядку 1–" + str(len(said["lines"]))
    paper.facts([
        ("Продавец (2, 2а, 2б)", company_of(seller)),
        ("Грузоотправитель (3)", f"{seller['name']}, {said['from']}"),
        ("Грузополучатель (4)", f"{buyer['name']}, {said['to']}"),
        ("К платёжному документу (5)", "–"),
        ("Документ об отгрузке (5а)", f"УПД № {issued.number} от {day}, {rows}"),
        ("Покупатель (6, 6а, 6б)", company_of(buyer)),
        ("Валюта (7)", "Российский рубль, 643; идентификатор государственного контракта (8): –"),
    ], 50)  # fmt: skip
    paper.space(2)
    paper.table(COLUMNS, [_row(n, line) for n, line in enumerate(said["lines"], 1)], 7)
    paper.totals([
        ("Стоимость без НДС (5)", roubles(said["net"])), ("Сумма НДС (8)", roubles(said["vat"])),
        ("Всего к оплате (9)", roubles(said["gross"])),
    ])  # fmt: skip
    ordered = long_day(date.fromisoformat(said["ordered_on"]))
    paper.facts([
        ("Основание передачи [8]", f"Заказ {said['order']} от {ordered}"),
        ("Транспортировка [9]", f"масса груза {figure(Decimal(said['mass_kg']))} кг"),
        ("Дата отгрузки [11]", day),
        ("Составитель: продавец [14]", company_of(seller, short=True)),
        ("Составитель: покупатель [19]", company_of(buyer, short=True)),
    ], 50)  # fmt: skip
    for who in ("Руководитель", "Главный бухгалтер", "Товар передал [10], [13]", "Товар получил [15], [18]"):
        paper.signature(who)
    paper.text("Дата получения [16] «___» ____________ 20___ г.", 9)


def _row(number: int, line: dict[str, Any]) -> list[str]:
    quantity = Decimal(line["quantity"])
    price = round_half_up(Fraction(line["net"]) / Fraction(quantity))
    vat = Decimal(line["vat_percent"])
    return [
        line["sku"], str(number), line["name"], OKEI.get(line["unit"], "–"), unit(line["unit"], quantity),
        figure(quantity), roubles(price), roubles(line["net"]), "без акциза",
        f"{figure(vat)} %" if vat else "без НДС", roubles(line["vat"]), roubles(line["gross"]), "–",
    ]  # fmt: skip
