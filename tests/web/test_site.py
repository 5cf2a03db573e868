"""The site is chosen once, stands in the header, and adds delivery to prices of lists."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import sites
from app.core.db import session
from app.logistics import site_rates
from app.offers import service as offers
from app.offers.models import Warehouse
from tests.factories import catalog as make
from tests.factories import orders as people


class Shop:
    """A category whose only product is carried from its seller's warehouse."""

    def __init__(self) -> None:
        self.market = make.market(sellers=1)
        self.place = make.category("Блоки")
        self.thing = make.product(self.place, "Блок", mass_kg=20)
        self.offer = make.offer(self.market, self.thing, price=10_000)
        self.warehouse = session.get_one(Warehouse, self.market.warehouses[0])
        make.ready()

    @property
    def path(self) -> str:
        return f"/catalog/{self.place.slug}"


@pytest.fixture
def shop(db_session: Any) -> Shop:
    return Shop()


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("\u00a0", " ").split())


def near(shop: Shop) -> dict[str, str]:
    return {"address": "Рядом", "lat": str(shop.warehouse.lat), "lon": str(shop.warehouse.lon)}


def rate(shop: Shop) -> int:
    rates, close = site_rates.of((shop.warehouse.lat, shop.warehouse.lon))
    assert close == (shop.market.sellers[0].seller_id,)
    return rates[shop.market.sellers[0].seller_id]


def test_a_guest_chooses_a_point_once(client: FlaskClient, shop: Shop) -> None:
    assert "Куда доставить?" in client.get(shop.path).text
    assert "с доставкой" not in text_of(client.get(shop.path))
    back = client.post("/site", data=near(shop) | {"next": shop.path})
    assert (back.status_code, back.location) == (303, shop.path)
    page = text_of(client.get(shop.path))
    assert "Доставка: Рядом" in page
    whole = 10_000 + round(rate(shop) * 20 / 1000)
    assert f"с доставкой {whole // 100}" in page
    assert "Сначала дешевле с доставкой" in page
    client.post("/site", data={"forget": "1", "next": "https://evil.example/"})
    assert "с доставкой" not in text_of(client.get(shop.path))


def test_a_street_is_enough_and_an_unknown_one_is_said_so(client: FlaskClient, shop: Shop) -> None:
    wrong = client.post("/site", data={"address": "улица Которой Нет, 1"})
    assert wrong.status_code == 422
    assert "Такой улицы мы не знаем" in wrong.text
    assert "улица Которой Нет, 1" in wrong.text
    assert client.post("/site", data={"address": "Москва, улица Руставели, 12"}).status_code == 303
    assert "Доставка: Москва, улица Руставели, 12" in client.get("/catalog").text


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"lat": "91", "lon": "0"},
        {"lat": "x", "lon": "1"},
        {"lat": "1"},
        {"address": "🙂"},
        {"lat": "nan", "lon": "1"},
    ],
)
def test_what_is_no_place_is_refused(client: FlaskClient, shop: Shop, data: dict[str, str]) -> None:
    assert client.post("/site", data=data).status_code == 422


@pytest.mark.parametrize(
    "cookie", ["", "x", "[1]", '["a", "b", "c"]', '["a", 1e999, 2]', "%5B%22%3Cb%3E%22%2C1%2C2%5D"]
)
def test_an_odd_cookie_is_no_site_or_is_escaped(client: FlaskClient, shop: Shop, cookie: str) -> None:
    client.set_cookie("site", cookie)
    answer = client.get(shop.path)
    assert answer.status_code == 200
    assert "<b>" not in re.findall(r'<a href="/site[^>]*>(.*?)</a>', answer.text, flags=re.S)[0]


def test_a_person_chooses_one_of_own_sites(app: Flask, shop: Shop) -> None:
    person, other = people.person(), people.person()
    browser = people.signed_browser(app, person)
    first = sites.add(person, {"title": "Дача", **people.SITE})
    assert "Доставка: Дача" in browser.get("/catalog").text, "the only site needs no choice"
    second = sites.add(person, {"title": "Дом", **people.SITE})
    assert "Куда доставить?" in browser.get("/catalog").text
    browser.post("/site", data={"site": str(second.public_id)})
    assert "Доставка: Дом" in browser.get("/catalog").text
    browser.post("/site", data={"site": str(first.public_id)})
    assert "Доставка: Дача" in browser.get("/catalog").text
    foreign = sites.add(other, {"title": "Чужая", **people.SITE})
    assert browser.post("/site", data={"site": str(foreign.public_id)}).status_code == 422
    assert browser.post("/site", data={}).status_code == 422
    sites.remove(person, first.public_id)
    assert "Доставка: Дом" in browser.get("/catalog").text


def test_the_api_counts_delivery_to_a_point_or_an_own_site(app: Flask, api: Any, shop: Shop) -> None:
    person = people.person()
    own = sites.add(person, {"title": "Дом", **people.SITE})
    foreign = sites.add(people.person(), {"title": "Чужая", **people.SITE})
    client = people.signed_api(app, person)
    session.commit()
    path = f"/products?category={shop.place.slug}"
    assert api.get(path).json["items"][0]["delivered"] is None
    [item] = api.get(f"{path}&site={shop.warehouse.lat},{shop.warehouse.lon}&sort=delivered").json["items"]
    assert item["delivered"]["amount"] == 10_000 + round(rate(shop) * 20 / 1000)
    assert client.get(f"{path}&site={own.public_id}").status_code == 200
    for wrong in (str(foreign.public_id), "x", "91,0", "1,2,3", "nan,nan"):
        answer = client.get(f"{path}&site={wrong}")
        assert [e["pointer"] for e in answer.json["errors"]] == ["/query/site"], (wrong, answer.json)
    assert api.get(f"{path}&site={own.public_id}").status_code == 422, "nobody's site for a guest"
    assert api.get(f"{path}&sort=delivered").json["errors"][0]["pointer"] == "/query/site"


def test_rates_follow_tariffs_and_warehouses_at_once(client: FlaskClient, shop: Shop) -> None:
    client.post("/site", data=near(shop))
    before = text_of(client.get(shop.path))
    seller = shop.market.sellers[0]
    offers.edit_warehouse(seller, shop.warehouse.public_id, {"lat": 10.0, "lon": 10.0})
    assert "на площадку не везут" not in before
    assert "на площадку не везут" in text_of(client.get(f"{shop.path}?sort=newest"))


def test_pages_with_a_site_take_few_queries(
    app: Flask, shop: Shop, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    person = people.person()
    sites.add(person, {"title": "Дом", **people.SITE})
    browser = people.signed_browser(app, person)
    for path in (shop.path, f"{shop.path}?sort=delivered", "/search?q=блок"):
        browser.get(path)
        browser.get(path)
        with count_queries() as seen:
            assert browser.get(f"{path}{'&' if '?' in path else '?'}in_stock=1").status_code == 200
        assert len(seen) <= 5, seen


def test_far_from_every_tariff_nobody_delivers(shop: Shop) -> None:
    assert site_rates.of((0.0, 0.0)) == ({}, ())
    assert site_rates.road_metres((55.8, 37.6), (55.8, 37.6)) == 0
