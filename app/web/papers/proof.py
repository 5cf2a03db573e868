"""The proof of a handover as PDF: what was handed over, when and where, to whom, with photographs and the signature."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from app.core.pdf import Column, Document, as_jpeg
from app.logistics.carrying_papers import Handover, Waybill, counted
from app.texts import logistics as words
from app.web.filters import unit
from app.web.papers import figure, in_russian, long_day, roubles
from app.web.papers.waybill import company, when

LINES = (
    Column("№", 0.4, right=True), Column("Товар", 4.5), Column("Артикул", 1.6), Column("Ед.", 0.9),
    Column("Привезено", 1.2, right=True), Column("Передано", 1.2, right=True),
)  # fmt: skip
OUTCOMES = {
    "delivered": "Передано полностью", "partially_delivered": "Передано не полностью", "failed": "Не передано",
}  # fmt: skip
PHOTO_MM = 84.0
SIGNATURE_MM = 60.0
PIXELS = 1000
"""Longest side of a photograph in the file: 300 dots an inch at its size on paper."""


def proof_pdf(said: Waybill, met: Handover, photos: Sequence[bytes], signature: bytes | None) -> bytes:
    """The file.

    Args:
        photos: clean pictures as the evidence keeps them.
        signature: drawn on the screen; None: the name alone stands there.
    """
    title = f"Подтверждение доставки {said.number}"
    with in_russian():
        paper = Document(title, footer=title, at=met.happened_at.astimezone(UTC))
        paper.heading(title)
        paper.text(OUTCOMES[met.outcome], bold=True)
        paper.space(1)
        paper.facts(_facts(said, met))
        paper.space()
        rows = [
            [str(n), str(item["name_ru"]), str(item["sku"]), unit(str(item["unit"]), whole), figure(whole),
             "" if given is None else figure(given)]
            for n, (item, whole, given) in enumerate(counted(said), 1)
        ]  # fmt: skip
        paper.table(LINES, rows)
        less = {str(line["reason"]) for line in met.lines if line.get("reason")}
        if less:
            paper.text("Передано меньше: " + ", ".join(sorted(words.fail_reason(code) for code in less)) + ".")
        _signed(paper, said, met, signature)
        _pictures(paper, photos)
        return paper.output()


def _facts(said: Waybill, met: Handover) -> list[tuple[str, str]]:
    proof = met.proof
    place = f"{proof['lat']:.5f}, {proof['lon']:.5f}" if proof.get("lat") is not None else "телефон не сообщил"
    facts = [
        ("Продавец", company(said.shipper)), ("Перевозчик", company(said.carrier, said.carrier_phone)),
        ("Водитель, машина", f"{met.courier_name}, {said.truck.vehicle_name} {said.truck.plate}" if said.truck
         else met.courier_name),
        ("Адрес", str(said.site["address"])), ("Когда", f"{when(met.happened_at)} (время на часах водителя)"),
        ("Где был телефон", place),
        ("Код получателя", "назван верно" if proof.get("pin_ok") else "не назван"),
    ]  # fmt: skip
    if proof.get("cash_counted"):
        facts.append(("Получено наличными, руб.", roubles(int(proof["cash_counted"]))))
    if met.reason:
        facts.append(("Причина", words.fail_reason(met.reason)))
    if proof.get("comment"):
        facts.append(("Слова водителя", str(proof["comment"])))
    return facts


def _signed(paper: Document, said: Waybill, met: Handover, signature: bytes | None) -> None:
    if met.outcome == "failed":
        return
    name = str(met.proof.get("received_by") or said.site.get("contact_name", ""))
    paper.keep_together(SIGNATURE_MM / 2 + 12)
    paper.text(f"Принял: {name}", bold=True)
    if signature is None:
        paper.text(f"Подпись на экране не ставилась; передано {long_day(met.happened_at)} по коду получателя."
                   if met.proof.get("pin_ok") else "Подпись на экране не ставилась.", grey=True)  # fmt: skip
        return
    drawn, wide, high = as_jpeg(signature, PIXELS)
    height = min(SIGNATURE_MM / 2, SIGNATURE_MM * high / wide)
    pdf = paper.paper
    top = pdf.get_y()
    pdf.image(drawn, x=pdf.l_margin, y=top, h=height)
    pdf.set_y(top + height + 2)
    paper.text("Подпись на экране телефона водителя", 8, grey=True)


def _pictures(paper: Document, photos: Sequence[bytes]) -> None:
    """Two in a row."""
    if not photos:
        paper.space()
        paper.text("Фотографий нет.", grey=True)
        return
    paper.keep_together(PHOTO_MM + 12)
    paper.space()
    paper.text(f"Фотографии: {len(photos)}", bold=True)
    pdf = paper.paper
    for index in range(0, len(photos), 2):
        made = [as_jpeg(photo, PIXELS) for photo in photos[index : index + 2]]
        heights = [min(PHOTO_MM, PHOTO_MM * high / wide) for _file, wide, high in made]
        paper.keep_together(max(heights) + 4)
        top = pdf.get_y() + 2
        for column, ((file, wide, high), height) in enumerate(zip(made, heights, strict=True)):
            pdf.image(file, x=pdf.l_margin + column * (PHOTO_MM + 6), y=top, h=height, w=height * wide / high)
        pdf.set_y(top + max(heights) + 2)
