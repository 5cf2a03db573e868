"""Transport waybills as PDF: the sections of the form in appendix 4 to the Rules of carriage of goods by road
(Government resolution 2200 of 2020-12-21), filled with what the market knows; the rest is left to be written by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from app.accounts.queries import OrganisationRow
from app.core import clock
from app.core.pdf import Column, Document
from app.logistics.carrying_papers import Ends, TruckAndDriver, Waybill, counted
from app.texts import logistics as words
from app.web.filters import time_of_day, unit
from app.web.papers import company_of, figure, in_russian, long_day, roubles

CARGO = (
    Column("№", 0.4, right=True), Column("Наименование груза", 4.2), Column("Артикул", 1.6), Column("Ед.", 0.9),
    Column("Сдано", 1.0, right=True), Column("Выдано", 1.0, right=True),
)  # fmt: skip
BLANK = "____________________"


def waybills_pdf(papers: Sequence[Waybill], title: str) -> bytes:
    """Waybills, each from a new page; always the same bytes for the same state."""
    first = papers[0].issued_on
    with in_russian():
        paper = Document(title, footer=title, at=datetime(first.year, first.month, first.day, tzinfo=UTC))
        for index, one in enumerate(papers):
            if index:
                paper.paper.add_page()
            _one(paper, one)
        return paper.output()


def company(side: OrganisationRow, phone: str = "") -> str:
    """A company on a paper of carrying."""
    told = company_of({"name": side.name, "inn": side.inn, "kpp": side.kpp, "address": side.address})
    return f"{told}, тел. {phone}" if phone else told


def when(moment: datetime | None) -> str:
    """A moment on paper, or a line to write it on."""
    return BLANK if moment is None else f"{clock.local(moment):%d.%m.%Y} {time_of_day(moment)}"


def _one(paper: Document, said: Waybill) -> None:
    site, pickup = said.site, said.pickup
    receiver = f"{site.get('contact_name', '')}, тел. {site.get('contact_phone', '')}, {site['address']}"
    paper.heading(f"Транспортная накладная № {said.number} от {long_day(said.issued_on)}", 13)
    paper.text(f"Заказ (заявка) № {said.number.partition('/')[0]}. Экземпляр № ____", 9, grey=True)
    paper.space(1)
    _section(paper, "1. Грузоотправитель", [
        ("Грузоотправитель", company(said.shipper, str(pickup.get("phone", "")))),
    ])  # fmt: skip
    _section(paper, "2. Грузополучатель", [("Грузополучатель", receiver)])
    _section(paper, "3. Груз", [])
    rows = [
        [str(n), str(item["name_ru"]), str(item["sku"]), unit(str(item["unit"]), whole), figure(whole),
         "" if given is None else figure(given)]
        for n, (item, whole, given) in enumerate(counted(said), 1)
    ]  # fmt: skip
    paper.table(CARGO, rows, 8)
    paper.facts([
        ("Масса брутто, объём", f"{said.mass_kg} кг, {figure(Decimal(said.volume_l) / 1000)} м³, самое длинное место "
                                f"{figure(Decimal(said.longest_mm) / 1000)} м"),
        ("Число мест, тара", BLANK),
    ])  # fmt: skip
    _section(paper, "4. Сопроводительные документы на груз", [
        ("Перечень", f"Универсальный передаточный документ продавца к заказу {said.number.partition('/')[0]}"),
    ])  # fmt: skip
    access = str(site.get("access") or "")
    limit = f"не тяжелее {figure(Decimal(site['max_vehicle_kg']) / 1000)} т" if site.get("max_vehicle_kg") else ""
    window = f"{long_day(said.window_from)}, {time_of_day(said.window_from)}–{time_of_day(said.window_to)}"
    _section(paper, "5. Указания грузоотправителя по особым условиям перевозки", [
        ("Срок доставки", window),
        ("Разгрузка, подъезд", ", ".join(filter(None, (
            str(words.UNLOADING.get(site.get("unloading", ""), "")), access, limit))) or "без особых условий"),
    ])  # fmt: skip
    truck = said.truck
    driver = f", водитель {truck.courier_name}, тел. {truck.courier_phone}" if truck and truck.courier_name else ""
    vehicle = f"{truck.vehicle_name}, гос. номер {truck.plate}, {_size(truck)}" if truck else BLANK
    _section(paper, "6. Перевозчик", [("Перевозчик", company(said.carrier, said.carrier_phone) + driver)])
    _section(paper, "7. Транспортное средство", [("Машина", vehicle), ("Тип владения", BLANK)])
    _section(paper, "8. Приём груза", [
        ("Место", f"{pickup.get('name', '')}, {pickup['address']}"), *_times(said.loading, "погрузку"),
    ])  # fmt: skip
    paper.signature("Сдал: грузоотправитель")
    paper.signature("Принял: водитель", truck.courier_name if truck else "")
    _section(paper, "9. Переадресовка: –", [])
    _section(paper, "10. Выдача груза", [
        ("Место", str(site["address"])), *_times(said.unloading, "выгрузку"), ("Состояние груза", _outcome(said)),
    ])  # fmt: skip
    paper.signature("Сдал: водитель", truck.courier_name if truck else "")
    received = said.handover.proof.get("received_by") if said.handover else ""
    paper.signature("Принял: грузополучатель", str(received or site.get("contact_name", "")))
    _section(paper, "11. Отметки грузоотправителей, грузополучателей, перевозчиков: –", [])
    _section(paper, "12. Стоимость перевозки груза", [
        ("Провозная плата, руб.", roubles(said.price) if said.price else "по договору"),
    ])  # fmt: skip


def _size(truck: TruckAndDriver) -> str:
    return f"{figure(Decimal(truck.payload_kg) / 1000)} т, {figure(Decimal(truck.volume_l) / 1000)} м³"


def _section(paper: Document, title: str, rows: Sequence[tuple[str, str]]) -> None:
    paper.keep_together(12)
    paper.space(1.5)
    paper.text(title, 9.5, bold=True)
    paper.facts(list(rows))


def _times(ends: Ends | None, what: str) -> list[tuple[str, str]]:
    if ends is None:
        return [(f"Подача под {what}", BLANK)]
    return [
        (f"Подача под {what}", f"заявлено {when(ends.planned_at)}, прибыл {when(ends.arrived_at)}"),
        ("Убыл", when(ends.completed_at)),
    ]


def _outcome(said: Waybill) -> str:
    if said.handover is None:
        return BLANK
    told = {
        "delivered": "Груз выдан полностью", "partially_delivered": "Груз выдан не полностью, см. раздел 3",
        "failed": "Груз не выдан",
    }[said.handover.outcome]  # fmt: skip
    return f"{told}: {words.fail_reason(said.handover.reason)}" if said.handover.reason else told
