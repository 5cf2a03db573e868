"""The packing slip of an order as PDF: what lies in each trip, how heavy and how large it is."""

from __future__ import annotations

from app.core.pdf import Column, Document
from app.orders.queries import PieceRow, TripRow
from app.orders.seller_queries import SellerOrderView
from app.web.filters import unit, window
from app.web.papers import figure, in_russian, long_day

COLUMNS = (
    Column("№", 0.5, right=True), Column("Артикул", 1.6), Column("Товар", 4.5), Column("Кол-во", 1.0, right=True),
    Column("Ед.", 1.2), Column("Масса, кг", 1.2, right=True),
)  # fmt: skip


def packing_pdf(view: SellerOrderView) -> bytes:
    """The file, one sheet for each trip."""
    row = view.order.row
    with in_russian():
        paper = Document(f"Упаковочный лист {row.number}", footer=f"Упаковочный лист {row.number}", at=row.created_at)
        for index, trip in enumerate(t for t in view.order.trips if t.status != "cancelled"):
            if index:
                paper.paper.add_page()
            _trip(paper, view, trip)
        return paper.output()


def _trip(paper: Document, view: SellerOrderView, trip: TripRow) -> None:
    paper.heading(f"Упаковочный лист {view.order.row.number}")
    pieces = [p for p in trip.pieces if p.quantity]
    paper.facts([
        ("Продавец", view.order.row.seller_name),
        ("Откуда", f"{trip.warehouse_name}, {trip.warehouse_address}"),
        ("Куда", view.group.site["address"]),
        ("Получатель", f"{view.group.contact_name}, {view.group.contact_phone}"),
        ("Когда", f"{long_day(trip.day)}, {window(trip.window_from, trip.window_to)}"),
        ("Перевозчик", trip.delivery.carrier_name if trip.delivery else "–"),
        ("Масса и объём", f"{figure(trip.mass_kg)} кг, {figure(trip.volume_m3)} м³; самое длинное {trip.length_mm} мм"),
    ])  # fmt: skip
    paper.space()
    paper.table(COLUMNS, [
        [str(n), p.line.sku, p.line.name_ru, figure(p.quantity), unit(p.line.unit, p.quantity), _mass(p)]
        for n, p in enumerate(pieces, 1)
    ])  # fmt: skip
    paper.signature("Собрал")
    paper.signature("Водитель принял")


def _mass(piece: PieceRow) -> str:
    """Kilograms of a part of a line."""
    return figure((piece.line.mass_kg * piece.quantity / piece.line.quantity).quantize(piece.line.mass_kg))
