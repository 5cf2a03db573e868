"""Price lists on pages: the form, progress, the difference, questions, errors; without script, nobody else's."""

from __future__ import annotations

import io
import re
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app.core.db import session
from app.offers.import_models import ImportRow, PriceFeed, PriceImport
from app.offers.imports import service
from app.offers.imports.service import Upload
from tests.factories import orders as people
from tests.imports import lists
from tests.imports.test_life import GOOD, Shop, offer

PART = {"HX-Request": "true"}


class Desk(Shop):
    """The shop with its seller and another one in browsers."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app
        self.browser = people.signed_browser(app, self.seller)
        self.others = people.signed_browser(app, self.other)

    def send(self, content: bytes, name: str = "прайс.csv", **more: str) -> TestResponse:
        data = {"file": (io.BytesIO(content), name), "warehouse": str(self.where)} | more
        return self.browser.post("/seller/imports", data=data, content_type="multipart/form-data")

    def checked(self, content: bytes) -> str:
        """The address of an import that the worker has read."""
        answer = self.send(content)
        assert answer.status_code == 303, answer.text
        self.work(answer.location)
        return answer.location

    def work(self, address: str) -> None:
        job = session.scalars(sa.select(PriceImport.job_id).where(PriceImport.public_id == key(address))).one()
        assert job is not None
        lists.work(self.app, job)
        session.expire_all()


def key(address: str) -> uuid.UUID:
    return uuid.UUID(address.rsplit("/", 1)[1])


@pytest.fixture
def desk(app: Flask, db_session: Any) -> Desk:
    return Desk(app)


def text_of(answer: TestResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("\u00a0", " ").split())


def test_a_file_goes_from_the_form_to_the_offers(desk: Desk) -> None:
    assert "Прайс-листы" in text_of(desk.browser.get("/seller/imports"))
    answer = desk.send(lists.csv_file([*GOOD, ["K-4", "Клей", "x", "1"]]))
    waiting = desk.browser.get(answer.location)
    assert 'hx-trigger="every 1s"' in waiting.text
    assert "Страницу можно закрыть" in text_of(waiting)
    desk.work(answer.location)
    page = desk.browser.get(answer.location)
    assert "ждёт решения" in text_of(page)
    assert "hx-trigger" not in page.text
    assert "Изменятся 2 цена у 1" in text_of(page)
    assert "Цена, ₽: Нужно число." in text_of(page)
    assert desk.browser.get(answer.location, headers=PART).status_code == 286
    assert offer(desk, "K-1").price == 50_000
    assert desk.browser.post(f"{answer.location}/confirm", data={}).status_code == 303
    desk.work(answer.location)
    assert "Записано 2 строки" in text_of(desk.browser.get(answer.location))
    assert offer(desk, "K-1").price == 51_000
    assert "прайс.csv" in text_of(desk.browser.get("/seller/imports"))


def test_a_form_without_a_file_says_so_and_keeps_the_choices(desk: Desk) -> None:
    answer = desk.browser.post("/seller/imports", data={"mode": "all_or_nothing", "warehouse": str(desk.where)})
    assert answer.status_code == 422
    assert "Заполните" in text_of(answer) or "error-summary" in answer.text
    assert re.search(r'value="all_or_nothing" checked', answer.text)


def test_a_file_that_cannot_be_taken_is_explained(desk: Desk) -> None:
    address = desk.checked(b"%PDF-1.7 ...")
    page = desk.browser.get(address)
    assert "Это не прайс-лист" in text_of(page)
    assert "Отправить другой файл" in text_of(page)


def test_columns_are_asked_and_said(desk: Desk) -> None:
    address = desk.checked(lists.csv_file(GOOD, ("Ихнее", "Что", "Почём", "Сколько")))
    page = desk.browser.get(address)
    assert "Что значат столбцы?" in text_of(page)
    refused = desk.browser.post(f"{address}/columns", data={"column-0": "sku"})
    assert refused.status_code == 422
    assert "Скажите, в каком столбце" in text_of(refused)
    said = {"column-0": "sku", "column-2": "price", f"column-{3}": f"stock:{desk.where}"}
    assert desk.browser.post(f"{address}/columns", data=said).status_code == 303
    desk.work(address)
    assert "Изменятся 2" in text_of(desk.browser.get(address))


def test_jumps_are_ticked_one_by_one(desk: Desk) -> None:
    address = desk.checked(lists.csv_file([["K-1", "К", "900", "1"], ["K-2", "Ш", "900", "1"]]))
    page = desk.browser.get(address)
    assert "2 цены меняются больше чем на 30 %" in text_of(page)
    assert "+80 %" in text_of(page)
    desk.browser.post(f"{address}/confirm", data={"jump": ["3"]})
    desk.work(address)
    assert (offer(desk, "K-1").price, offer(desk, "K-2").price) == (50_000, 90_000)


def test_questions_are_answered_on_the_page(desk: Desk) -> None:
    address = desk.checked(lists.csv_file([["N-1", "Затирка 2 кг", "100", "3"]]))
    page = desk.browser.get(f"{address}?view=doubtful")
    assert "Затирка 2 кг" in text_of(page)
    [first, *_] = re.findall(r'name="choice" value="([0-9a-f-]{36})"', page.text)
    assert desk.browser.post(f"{address}/rows/2", data={"choice": first}).status_code == 303
    assert "Новые предложения 1" in text_of(desk.browser.get(address))
    assert desk.browser.post(f"{address}/rows/99", data={"choice": "new"}).status_code == 404
    assert desk.browser.post(f"{address}/rows/2", data={"choice": "nonsense"}).status_code == 404


@pytest.mark.parametrize("view", ["jump", "changed", "new", "doubtful", "unknown", "error", "gone", "nonsense"])
def test_every_view_opens(desk: Desk, view: str) -> None:
    rows = [
        ["K-1", "К", "900", "1"],
        ["N-1", "Затирка 2 кг", "1", "1"],
        ["N-2", "Неведомое", "1", "1"],
        ["", "", "1", ""],
    ]
    address = desk.checked(lists.csv_file(rows))
    page = desk.browser.get(f"{address}?view={view}&after=0")
    assert page.status_code == 200
    if view == "gone":
        assert "K-2" in text_of(page)


def test_long_lists_are_paged(desk: Desk) -> None:
    address = desk.checked(lists.csv_file([[f"N-{n:03}", "Краска белая 9 л", "10", "1"] for n in range(120)]))
    page = desk.browser.get(f"{address}?view=new")
    seen = set(re.findall(r"N-\d{3}", text_of(page)))
    while following := re.search(r'href="([^"]+)" rel="next"', page.text):
        page = desk.browser.get(following.group(1).replace("&amp;", "&"))
        seen |= set(re.findall(r"N-\d{3}", text_of(page)))
    assert len(seen) == 120


def test_the_errors_are_downloaded_in_the_language_of_the_reader(desk: Desk) -> None:
    address = desk.checked(lists.csv_file([["K-1", "К", "x", "1"]], encoding="cp1251"))
    answer = desk.browser.get(f"{address}/errors")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data.decode("cp1251").splitlines()[1] == "K-1;К;x;1;2;Цена, руб.: Нужно число."


def test_an_import_can_be_stopped_and_says_so_afterwards(desk: Desk) -> None:
    answer = desk.send(lists.csv_file(GOOD))
    assert desk.browser.post(f"{answer.location}/cancel").status_code == 303
    assert "остановлено" in text_of(desk.browser.get(answer.location))
    assert desk.browser.post(f"{answer.location}/cancel").status_code == 409


def test_another_sellers_import_is_absent(desk: Desk) -> None:
    address = desk.checked(lists.csv_file(GOOD))
    assert "прайс.csv" not in desk.others.get("/seller/imports").text
    for path in (address, f"{address}/errors"):
        assert desk.others.get(path).status_code == 404
    for path in ("columns", "confirm", "cancel", "rows/2"):
        assert desk.others.post(f"{address}/{path}", data={"choice": "new"}).status_code == 404
    assert {row.kind for row in session.scalars(sa.select(ImportRow))} == {"same", "changed"}


def test_two_imports_do_not_wait_for_each_other_but_six_do(desk: Desk) -> None:
    storage = desk.app.extensions["storage"]
    for _ in range(service.MOST_OPEN):
        service.receive(desk.seller, storage, Upload("a.csv", lists.csv_file(GOOD)))
    answer = desk.send(lists.csv_file(GOOD))
    assert answer.status_code == 409
    assert "Уже идёт загрузок" in text_of(answer)


def test_addresses_are_saved_changed_and_removed(desk: Desk) -> None:
    given = {"url": "http://price.example/a.yml", "hour": "7", "mode": "good_rows"}
    refused = desk.browser.post("/seller/feeds", data=given)
    assert refused.status_code == 422
    assert "должен начинаться с https" in text_of(refused)
    assert "http://price.example/a.yml" in refused.text
    given["url"] = "https://price.example/a.yml"
    assert desk.browser.post("/seller/feeds", data=given).status_code == 303
    assert given["url"] in desk.browser.get("/seller/feeds").text
    [feed] = session.scalars(sa.select(PriceFeed))
    address = f"/seller/feeds/{feed.public_id}"
    assert "Прайс по адресу" in text_of(desk.browser.get(address))
    assert desk.browser.post(address, data=given | {"hour": "99"}).status_code == 422
    assert desk.browser.post(address, data=given | {"hour": "8", "active": "1", "hide_gone": "1"}).status_code == 303
    assert desk.browser.post(f"{address}/run").status_code == 303
    for path in (address, f"{address}/run", f"{address}/remove"):
        assert desk.others.post(path, data=given).status_code == 404
    session.expire_all()
    assert (feed.hour, feed.hide_gone) == (8, True)
    assert desk.browser.post(f"{address}/remove").status_code == 303
    assert session.scalars(sa.select(PriceFeed)).all() == []
