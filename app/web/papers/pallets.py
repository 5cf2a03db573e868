"""The list of pallets of an order as PDF: what stands on each, how heavy and how large each is, and all together."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from app.core.pdf import Column, Document
from app.orders import pallet_list
from app.orders.pallet_list import Place
from app.orders.queries import LineRow, TripRow
from app.orders.seller_queries import SellerOrderView
from app.web.filters import unit, window
from app.web.papers import figure, in_russian, long_day

COLUMNS = (
    Column("Место", 1.1), Column("Вид", 1.4), Column("Товары на нём", 5.2), Column("Масса, кг", 1.3, right=True),
    Column("Объём, м³", 1.3, right=True), Column("Отметка", 1.2),
)  # fmt: skip
KINDS = {"pallet": "целая паллета", "place": "паллета", "bundle": "пачка"}
PIECE = Decimal("0.000001")


def pallets_pdf(view: SellerOrderView) -> bytes:
    """The file, one sheet for each trip; the same load gives the same bytes."""
    row = view.order.row
    trips = [trip for trip in view.order.trips if trip.status != "cancelled"]
    places = pallet_list.places_of(trips)
    lines = {line.id: line for line in view.order.lines}
    title = f"Паллетный лист {row.number}"
    with in_russian():
        paper = Document(title, footer=title, at=row.created_at)
        for index, trip in enumerate(trips):
            if index:
                paper.paper.add_page()
            paper.heading(title)
            _trip(paper, view, trip, places[trip.id], lines)
        return paper.output()


def _trip(
    paper: Document, view: SellerOrderView, trip: TripRow, places: Sequence[Place], lines: dict[int, LineRow]
) -> None:
    paper.facts([
        ("Продавец", view.order.row.seller_name),
        ("Откуда", f"{trip.warehouse_name}, {trip.warehouse_address}"),
        ("Куда", trip.warehouse_address if trip.method == "pickup" else view.group.site["address"]),
        ("Когда", f"{long_day(trip.day)}, {window(trip.window_from, trip.window_to)}"),
        ("Перевозчик", trip.delivery.carrier_name if trip.delivery else "–"),
    ])  # fmt: skip
    paper.space()
    rows, first = [], 1
    for place, alike in groupby(places):
        count = len(list(alike))
        last = first + count - 1
        each = " каждая" if count > 1 else ""
        rows.append([
            str(first) if count == 1 else f"{first}–{last}", KINDS[place.kind] + each, _goods(place, lines),
            figure(place.mass_kg), figure(place.volume_m3), "",
        ])  # fmt: skip
        first = last + 1
    paper.table(COLUMNS, rows)
    paper.totals([
        ("Мест", str(len(places))), ("Масса груза, кг", figure(trip.mass_kg)),
        ("Объём груза, м³", figure(trip.volume_m3)),
    ], strong=3)  # fmt: skip
    paper.space()
    paper.text(
        "Массы без самих паллет. Место по расчёту: до 1000 кг и 1,7 м³ на паллете 0,8 × 1,2 м; длиннее 1,3 м в пачках.",
        8.5, grey=True,
    )  # fmt: skip
    paper.signature("Собрал")
    paper.signature("Водитель принял")


def _goods(place: Place, lines: dict[int, LineRow]) -> str:
    return "\n".join(f"{lines[key].name_ru}: {_pieces(count, lines[key].unit)}" for key, count in place.goods)


def _pieces(count: Fraction, code: str) -> str:
    quantity = (Decimal(count.numerator) / Decimal(count.denominator)).quantize(PIECE)
    return f"{figure(quantity)} {unit(code, quantity)}"
