"""The sheet of a route as PDF: who drives what, stop by stop, with what order 390 of the Ministry of Transport of
2022-09-28 asks of a trip sheet; odometer, fuel, the doctor and the mechanic are written by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from app.core.pdf import Column, Document
from app.logistics.carrying_papers import RoutePaper
from app.logistics.plan_views import StopView
from app.web.filters import time_of_day
from app.web.papers import figure, in_russian, long_day
from app.web.papers.waybill import BLANK, company, when

STOPS = (
    Column("№", 0.4, right=True), Column("Что делать", 1.0), Column("Адрес, контакт", 4.0), Column("Заказ", 1.4),
    Column("Кг", 0.8, right=True), Column("Окно", 1.3), Column("План", 1.2), Column("Факт", 1.2),
    Column("Подпись", 1.2),
)  # fmt: skip


def route_sheet_pdf(said: RoutePaper) -> bytes:
    """The file; always the same bytes for the same state."""
    title = f"Маршрутный лист № {said.number}"
    day = datetime(said.day.year, said.day.month, said.day.day, tzinfo=UTC)
    with in_russian():
        paper = Document(title, footer=title, at=day, landscape=True)
        paper.heading(f"{title} от {long_day(said.day)}")
        truck = said.truck
        paper.facts([
            ("Перевозчик", company(said.carrier, said.carrier_phone)),
            ("Вид перевозки", "Коммерческая перевозка грузов по договорам, городское и пригородное сообщение"),
            ("Машина", f"{truck.vehicle_name}, гос. номер {truck.plate}, {figure(Decimal(truck.payload_kg) / 1000)} т"),
            ("Водитель", f"{truck.courier_name or BLANK}, категория {truck.licence or '–'}, {truck.courier_phone}"),
            ("Срок действия", f"{when(said.starts_at)} – {when(said.ends_at)}"),
            ("Выезд, возвращение", f"{when(said.started_at)}, {when(said.finished_at)}"),
            ("Перерыв", _pause(said)),
            ("Пробег по плану", f"{figure((Decimal(said.distance_m) / 1000).quantize(Decimal('0.1')))} км, "
                                f"наибольшая загрузка {said.load_kg} кг"),
        ])  # fmt: skip
        paper.space()
        paper.table(STOPS, [_row(stop) for stop in said.stops], 8)
        paper.facts([
            ("Одометр, км", f"при выезде {BLANK}   при возвращении {BLANK}"),
            ("Топливо, л", f"при выезде {BLANK}   выдано {BLANK}   при возвращении {BLANK}"),
            ("Медицинский осмотр", f"предрейсовый: дата, время {BLANK}   послерейсовый: дата, время {BLANK}"),
            ("Контроль машины", f"предрейсовый: дата, время {BLANK}, выпуск разрешён"),
        ])  # fmt: skip
        paper.signature("Медицинский работник")
        paper.signature("Контролёр (механик)")
        paper.signature("Водитель", truck.courier_name)
        return paper.output()


def _pause(said: RoutePaper) -> str:
    if said.break_from is None or said.break_to is None:
        return "не запланирован"
    return f"{time_of_day(said.break_from)}–{time_of_day(said.break_to)}"


def _row(stop: StopView) -> Sequence[str]:
    place = stop.place
    contact = ", ".join(
        str(place[name]) for name in ("name", "contact_name", "contact_phone", "phone") if place.get(name)
    )  # fmt: skip
    lot = f", часть {stop.lot} из {stop.lots}" if stop.lots > 1 else ""
    is_drop = stop.kind == "drop"
    done = {"failed": "не сдано", "skipped": "снято"}.get(stop.state) or (
        time_of_day(stop.completed_at) if stop.completed_at else ""
    )
    return [
        str(stop.sequence), "Сдать" if is_drop else "Погрузить", ", ".join(filter(None, (place["address"], contact))),
        stop.number + lot, str(stop.mass_kg),
        f"{time_of_day(stop.window_from)}–{time_of_day(stop.window_to)}" if is_drop else "",
        time_of_day(stop.planned_arrival), done, "",
    ]  # fmt: skip
