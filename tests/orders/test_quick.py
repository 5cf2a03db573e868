"""Quick orders: how lines are read, and what each is answered."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.core.permissions import ANONYMOUS
from app.orders import carts, checkout, quick
from tests.factories import catalog
from tests.factories import orders as make
from tests.orders import steps


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("KN-1 24", ("KN-1", "24", "")),
        ("KN-1\t2,5\tм2", ("KN-1", "2,5", "м2")),
        ("KN-1; 1 200 ; шт", ("KN-1", "1 200", "шт")),
        ("KN-1|3", ("KN-1", "3", "")),
        ("KN-1, 2,5 кг", ("KN-1", "2,5", "кг")),
        ("KN-1 x 7", ("KN-1", "7", "")),
        ("4601234567893 - 10 мешков", ("4601234567893", "10", "мешков")),
        ("AB 100 12", ("AB 100", "12", "")),
        ('"KN-1" 5', ("KN-1", "5", "")),
        ("KN-1", ("KN-1", "", "")),
        ("KN-1;много", ("KN-1", "много", "")),
    ],
)
def test_a_line_is_read_in_any_usual_writing(text: str, read: tuple[str, str, str]) -> None:
    line = quick.of_text(f"Артикул  количество\n\n{text}")[0]
    assert (line.code, line.quantity, line.unit) == read


@given(st.text(max_size=200))
@example("\xa0")
def test_no_text_breaks_the_reading_and_no_line_is_lost(text: str) -> None:
    try:
        lines = quick.of_text("SKU;количество\n" + text)
    except Invalid:
        return
    kept = [number for number, one in enumerate(text.splitlines(), 2) if one.strip(' \t;|,"').strip()]
    assert [line.number for line in lines] == kept


def workbook(*rows: tuple[Any, ...]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def test_a_sheet_is_read_by_its_headings_or_by_its_places() -> None:
    named = quick.of_file(workbook(("Наименование", "Артикул", "Ед. изм.", "Кол-во"), ("Клей", "KN-1", "шт", 2.5)))
    assert [(one.code, one.quantity, one.unit) for one in named] == [("KN-1", "2.5", "шт")]
    bare = quick.of_file(workbook(("KN-1", 3), ("KN-2", 4)))
    assert [(one.code, one.quantity) for one in bare] == [("KN-1", "3"), ("KN-2", "4")]
    assert [one.code for one in quick.of_file("KN-1;3\nKN-2;4".encode("cp1251"))] == ["KN-1", "KN-2"]
    with pytest.raises(Invalid):
        quick.of_file(b"a;1\n" * 501)
    with pytest.raises(Invalid):
        quick.of_file(b"x" * (quick.MOST_BYTES + 1))


@pytest.mark.usefixtures("db_session")
def test_every_line_gets_its_answer_and_the_good_ones_go_into_the_cart(app: Flask, count_queries: Any) -> None:
    market = make.market(sellers=2)
    place = catalog.category()
    glue = catalog.product(place, "Клей", article="GLUE", barcode="4601234567893", content=("kg", 1, 25))
    catalog.offer(market, glue, price=50_000, sku="ONE", stock=10)
    catalog.offer(market, glue, 1, price=40_000, sku="two", stock=3)
    other = catalog.product(place, "Шпаклёвка", article="ONE")
    catalog.offer(market, other, sku="P1")
    packs = make.offer(market, step="4", minimum="8", stock=100)
    catalog.ready()
    wanted = ("ONE 2", "TwО 2", "glue 5", "4601234567893 3", "glue 30 кг", "glue 2 рулона", f"{packs.sku} 9")
    text = "\n".join((*wanted, f"{packs.sku} 4", "glue 99", "glue", "НЕТ-1 5"))
    lines = quick.of_text(text)
    with count_queries() as seen:
        answers = quick.check(lines)
    assert len(seen) <= 3 + 5, "\n".join(seen)
    told = [(a.state, a.note, a.offer.sku if a.offer else "", a.quantity) for a in answers]
    assert told == [
        ("choose", "", "", 0),  # a SKU of one product, the article of another
        ("found", "", "two", 2),  # Cyrillic letters in the code
        ("found", "", "ONE", 5),  # the cheaper one has not enough
        ("found", "", "two", 3),
        ("quantity", "step", "two", 2),  # 30 kg are more than a bag of 25
        ("unit", "", "two", 0),
        ("quantity", "step", packs.sku, 12),
        ("quantity", "minimum", packs.sku, 8),
        ("found", "stock", "ONE", 10),
        ("quantity", "required", "two", 1),
        ("missing", "", "", 0),
    ]
    changes, token = quick.to_cart(ANONYMOUS, "", answers[:4])
    assert {number: change.quantity for number, change in changes.items()} == {2: 2, 3: 5, 4: 3}
    cart = carts.find_cart(ANONYMOUS, token)
    assert {wish.quantity for wish in checkout.wishes_of(cart or 0)} == {Decimal(3), Decimal(5)}
    page = app.test_client().post("/quick", data={"text": text})
    assert page.status_code == 200
    assert page.text.count('name="n"') == len(lines)
    form = {"n": ["2", "7", "11"], "c2": "two", "q2": "1", "c7": packs.sku, "q7": "9", "c11": "НЕТ-1", "q11": "5"}
    browser = app.test_client()
    rest = browser.post("/quick/to-cart", data=form)
    assert 'value="two"' not in rest.text
    assert 'value="НЕТ-1"' in rest.text  # nothing is lost
    assert "two" in browser.get("/cart").text or "Клей" in browser.get("/cart").text
    api = app.test_client().post("/api/v1/cart/lines/bulk", json={"lines": [{"code": "two", "quantity": "2"}]})
    assert api.json["lines"][0]["in_cart"] == "2"
    steps.check_everything_sums()
