"""Documents: every letter is on the paper, long tables go on with their headings, pages are numbered."""

from __future__ import annotations

from datetime import UTC, datetime

from app.core.pdf import Column, Document
from tests.core.pdf_text import pages_of

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def long_document() -> bytes:
    paper = Document("Отчёт", footer="Тутуу Маркет", at=AT)
    paper.heading("Отчёт № 7 — «Ёж»")
    paper.facts([("Продавец", "ООО «Очень длинное имя» " * 12), ("ИНН", "7700000016")])
    rows = [
        [str(n), f"Плита перекрытия {n} с длинным именем, которое переносится", f"{n} 000,50 ₽"] for n in range(120)
    ]
    paper.table([Column("№", 1), Column("Товар", 5), Column("Сумма", 2, right=True)], rows)
    paper.totals([("Всего", "1 234,56 ₽"), ("К выплате", "1 000,00 ₽")])
    paper.signature("Бухгалтер")
    return paper.output()


def test_a_long_document_loses_no_letter_and_repeats_its_headings() -> None:
    pages = pages_of(long_document())
    assert len(pages) > 2
    text = " ".join(pages)
    assert "Отчёт № 7 — «Ёж»" in text
    assert "7700000016" in text
    assert all(f"{n} 000,50 ₽" in text for n in range(120))
    assert "К выплате" in pages[-1]
    for number, page in enumerate(pages, 1):
        assert f"{number} / {len(pages)}" in page.replace("  ", " ")
        assert "Тутуу Маркет" in page
        assert "Товар" in page
    assert "?" not in text


def test_the_same_words_make_the_same_file() -> None:
    assert long_document() == long_document()
