"""A seller edits price and stock in place; a conflict shows both values; nobody edits another's."""

from __future__ import annotations

import csv
import io
import re
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook

from app.core import clock
from app.core.db import session
from app.core.models import Job
from app.offers import counts, desk
from app.offers.desk import DeskOffer
from app.offers.models import PriceChange, Warehouse
from tests.factories import catalog as make
from tests.factories import orders as people
from workers.worker import run_in_context

PART = {"HX-Request": "true"}


class Desk:
    """A seller with one offer, in a browser; another seller beside."""

    def __init__(self, app: Flask) -> None:
        self.market = make.market(sellers=2)
        self.seller, self.other = self.market.sellers
        self.thing = make.product(make.category(), "Клей Winter")
        self.id = make.offer(self.market, self.thing, price=54_500, stock=700).public_id
        self.place = str(session.get_one(Warehouse, self.market.warehouses[0]).public_id)
        self.browser = people.signed_browser(app, self.seller)
        self.others = people.signed_browser(app, self.other)
        make.ready()

    @property
    def path(self) -> str:
        return f"/seller/offers/{self.id}"

    def offer(self) -> DeskOffer:
        return desk.offer(self.seller.seller_id, self.id)


@pytest.fixture
def office(app: Flask, db_session: Any) -> Desk:
    return Desk(app)


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("\u00a0", " ").split())


def test_the_table_shows_own_offers_only(office: Desk) -> None:
    assert "Клей Winter" in office.browser.get("/seller/offers").text
    assert "Клей Winter" not in office.others.get("/seller/offers").text
    assert "Клей Winter" in office.browser.get("/seller/offers?q=winter").text
    assert "ничего не нашлось" in text_of(office.browser.get("/seller/offers?q=нет-такого"))


def test_a_price_is_saved_in_its_cell(office: Desk) -> None:
    answer = office.browser.post(f"{office.path}/price", data={"price": "520,50", "version": "1"}, headers=PART)
    assert answer.status_code == 200
    assert "is-saved" in answer.text
    assert office.offer().price == 52_050


def test_without_script_the_cell_posts_and_comes_back(office: Desk) -> None:
    answer = office.browser.post(f"{office.path}/price", data={"price": "520", "version": "1"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/seller/offers")
    assert office.offer().price == 52_000


def test_a_wrong_or_stale_price_is_kept_in_the_cell_and_changes_nothing(office: Desk) -> None:
    for price, version in (("abc", "1"), ("0", "1"), ("-5", "1"), ("500", "9"), ("", "1")):
        answer = office.browser.post(f"{office.path}/price", data={"price": price, "version": version}, headers=PART)
        assert answer.status_code == 422
        assert "is-conflict" in answer.text
        assert f'value="{price}"' in answer.text
    assert office.offer().price == 54_500


def test_a_count_against_a_moved_stock_shows_both_values_to_choose(office: Desk) -> None:
    counts.recount(office.seller, office.id, uuid.UUID(office.place), Decimal(760), None)
    answer = office.browser.post(
        f"{office.path}/stock/{office.place}", data={"on_hand": "720", "was": "700"}, headers=PART
    )
    assert answer.status_code == 422
    assert "Оставить 760" in text_of(answer)
    assert "Поставить 720" in text_of(answer)
    chosen = office.browser.post(
        f"{office.path}/stock/{office.place}", data={"on_hand": "720", "was": "760"}, headers=PART
    )
    assert chosen.status_code == 200
    assert office.offer().free == 720


def test_hiding_and_showing(office: Desk) -> None:
    office.browser.post(f"{office.path}/visibility", data={"active": "0"}, headers=PART)
    assert office.offer().status == "hidden"
    office.browser.post(f"{office.path}/visibility", data={"active": "1"}, headers=PART)
    assert office.offer().status == "active"


def test_the_form_of_an_offer_keeps_what_was_typed_and_shows_the_history(office: Desk) -> None:
    data = {"sku": "NEW", "price": "500", "ladder": "10 = 600", "lead_time_days": "1", "active": "1", "version": "1"}
    refused = office.browser.post(office.path, data=data)
    assert refused.status_code == 422
    assert 'value="10 = 600"' in refused.text
    saved = office.browser.post(office.path, data=data | {"ladder": "10 = 450; 50 = 400,50"})
    assert saved.status_code == 303
    offer = office.offer()
    assert (offer.sku, offer.price, [s.price for s in offer.ladder]) == ("NEW", 50_000, [45_000, 40_050])
    said = text_of(office.browser.get(office.path))
    assert "545 ₽ → 500 ₽" in said
    assert "поступило" in said


def test_a_new_offer_begins_with_the_product(office: Desk) -> None:
    found = office.browser.get(f"/seller/offers/new?product=https://market.example/product/{office.thing.slug}?x=1")
    assert found.headers["Location"] == f"/seller/offers/new/{office.thing.slug}"
    assert office.browser.get("/seller/offers/new?product=ъъъыыы").status_code == 200
    data = {"unit": "bag", "sku": "SECOND", "price": "499", "ladder": "", "lead_time_days": "0", "active": "1"}
    assert office.browser.post(f"/seller/offers/new/{office.thing.slug}", data=data).status_code == 303
    again = office.browser.post(f"/seller/offers/new/{office.thing.slug}", data=data)
    assert again.status_code == 422
    assert "уже есть" in text_of(again)


def test_anothers_offers_and_warehouses_are_as_absent(office: Desk) -> None:
    absent = f"/seller/offers/{uuid.uuid4()}"
    for path in (office.path, absent):
        assert office.others.get(path).status_code == 404
        assert office.others.post(f"{path}/price", data={"price": "1"}).status_code == 404
        assert office.others.post(f"{path}/stock/{office.place}", data={"on_hand": "1"}).status_code == 404
        assert office.others.post(f"{path}/visibility", data={"active": "0"}).status_code == 404
        assert office.others.post(path, data={"sku": "x", "price": "1"}).status_code == 404
    assert office.others.get(f"/seller/warehouses/{office.place}").status_code == 404
    assert office.offer().price == 54_500


def test_warehouses_are_added_and_changed(office: Desk) -> None:
    data = {"name": "Юг", "address": "Складская ул., 9", "lat": "55,81", "lon": "37.7", "opens_at": "9:00",
            "closes_at": "18:00", "max_vehicle_kg": "", "loading_minutes": "15", "is_active": "1"}  # fmt: skip
    assert office.browser.post("/seller/warehouses/new", data=data).status_code == 303
    assert "Складская ул., 9" in office.browser.get("/seller/warehouses").text
    refused = office.browser.post("/seller/warehouses/new", data=data | {"name": "Ю", "lat": "x", "closes_at": "25"})
    assert refused.status_code == 422
    assert 'value="x"' in refused.text
    late = office.browser.post(f"/seller/warehouses/{office.place}", data=data | {"closes_at": "8:00"})
    assert late.status_code == 422
    assert "раньше" in text_of(late)
    assert office.browser.post(f"/seller/warehouses/{office.place}", data=data | {"name": "Центр"}).status_code == 303
    assert "Центр" in office.browser.get("/seller/warehouses").text


def test_a_guest_is_sent_to_sign_in(client: FlaskClient) -> None:
    assert client.get("/seller/offers").status_code in (302, 303)


def test_the_table_takes_the_same_queries_for_one_offer_and_for_many(office: Desk, count_queries: Any) -> None:
    office.browser.get("/seller/offers")
    with count_queries() as one:
        office.browser.get("/seller/offers")
    for _ in range(10):
        make.offer(office.market, office.thing)
    make.ready()
    office.browser.get("/seller/offers")
    with count_queries() as many:
        office.browser.get("/seller/offers")
    assert len(one) == len(many) <= 7


def test_the_address_holds_filter_and_order(office: Desk) -> None:
    make.offer(office.market, make.product(make.category(), "Песок"), sku="P-1", price=1_000)
    dear_first = office.browser.get("/seller/offers?sort=-price").text
    assert dear_first.index("Клей Winter") < dear_first.index("Песок")
    assert 'aria-sort="descending"' in dear_first
    assert "Песок" not in office.browser.get("/seller/offers?price_min=100").text
    assert office.browser.get("/seller/offers?sort=wrong&view=wrong&cursor=wrong&price_min=x").status_code == 200
    assert "нет в продаже" not in text_of(office.browser.get("/seller/offers?view=not_selling")).lower()


def test_the_filtered_rows_as_a_file_that_runs_nothing(office: Desk) -> None:
    make.offer(office.market, make.product(make.category(), '=HYPERLINK("http://x","y")'), sku="@SUM(1)", price=100_050)
    answer = office.browser.get("/seller/offers/export.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert lines[0][:4] == ["Артикул", "Товар", "Единица продажи", "Цена, ₽"]
    assert [line[0] for line in lines[1:]] == ["'@SUM(1)", office.offer().sku]
    assert lines[1][1].startswith("'=HYPERLINK")
    assert (lines[1][3], lines[2][3], lines[2][6]) == ("1000,5", "545", "700")
    narrow = office.browser.get("/seller/offers/export.csv?q=winter").data.decode("utf-8-sig")
    assert len(narrow.splitlines()) == 2
    book = load_workbook(io.BytesIO(office.browser.get("/seller/offers/export.xlsx").data))
    sheet = book.active
    assert sheet is not None
    cell = sheet.cell(2, 2)
    assert (cell.data_type, str(cell.value)[:10], sheet.cell(3, 4).value) == ("s", "=HYPERLINK", 545)
    assert office.browser.get("/seller/offers/export.exe").status_code == 404
    assert office.offer().sku not in office.others.get("/seller/offers/export.csv").text


def test_many_are_looked_at_changed_by_a_worker_and_told(app: Flask, office: Desk) -> None:
    sent = {
        "scope": "chosen",
        "id": str(office.id),
        "action": "percent",
        "value": "-10",
        "rounding": "100",
        "q": "клей",
    }
    looked = office.browser.post("/seller/offers/bulk", data=sent)
    assert "Изменится 1 предложение" in text_of(looked)
    assert "545 ₽ 491 ₽" in text_of(looked)
    assert office.offer().price == 54_500
    asked = office.browser.post("/seller/offers/bulk/apply", data=sent)
    assert asked.status_code == 303
    where = asked.headers["Location"]
    assert "%D0%BA%D0%BB%D0%B5%D0%B9" in where
    assert office.others.get(where).status_code == 404
    run_in_context(session.scalars(sa.select(Job.id).where(Job.kind == "offers.bulk")).one(), app)
    assert "Изменено 1 предложение." in text_of(office.browser.get(where))
    assert office.browser.get(where, headers=PART).status_code == 286
    assert office.offer().price == 49_100


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"id": ""}, "Отметьте хотя бы одно предложение"),
        ({"value": ""}, "Заполните это поле"),
        ({"value": "много"}, "Нужно число"),
        ({"value": "-99"}, "От -95 до 1000"),
        ({"action": "double"}, "Выберите"),
        ({"rounding": "7"}, "Выберите"),
    ],
)
def test_a_change_that_cannot_be_read_is_explained_and_nothing_happens(office: Desk, changed: Any, told: str) -> None:
    sent = {"scope": "chosen", "id": str(office.id), "action": "percent", "value": "5", "rounding": "1"} | changed
    for path in ("/seller/offers/bulk", "/seller/offers/bulk/apply"):
        answer = office.browser.post(path, data=sent)
        assert (answer.status_code, told in text_of(answer)) == (422, True), text_of(answer)[-400:]
    assert office.offer().price == 54_500
    assert session.scalar(sa.select(sa.func.count()).select_from(Job).where(Job.kind == "offers.bulk")) == 0


def test_the_page_of_an_offer_draws_how_its_price_went(office: Desk) -> None:
    first = clock.now() - timedelta(days=10)
    offer = office.offer().id
    session.add(PriceChange(offer_id=offer, old_price=None, new_price=60_000, created_at=first))
    session.commit()
    office.browser.post(f"{office.path}/price", data={"price": "660", "version": "1"})
    page = text_of(office.browser.get(office.path))
    assert "660 ₽: на 10 % дороже, чем 10 дней назад" in page
    assert page.count("600 ₽") >= 10  # each of the days before, in the table under the picture
