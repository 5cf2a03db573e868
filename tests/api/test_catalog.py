"""The catalogue and the seller's things by JSON: names and codes that clients rely on."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask import Flask

from app.core.db import session
from app.offers.models import Warehouse
from tests.client import ApiClient
from tests.factories import catalog as make
from tests.factories import orders as people

PLACE = {"name": "Север", "address": "Складская ул., 1", "lat": 55.8, "lon": 37.7}


class Goods:
    """Two sheets of one category, sold by two sellers."""

    def __init__(self) -> None:
        self.market = make.market(sellers=2)
        self.place = make.category("Листы")
        self.kind = make.attribute(self.place, "kind")
        self.plain = make.product(
            self.place, "Лист обычный", unit="sheet", content=("m2", 1, 3), values={self.kind: "plain"}, brand="Альфа"
        )
        self.wet = make.product(
            self.place, "Лист влагостойкий", unit="sheet", content=("m2", 1, 3), values={self.kind: "wet"}, brand="Бета"
        )
        self.offer = make.offer(self.market, self.plain, 0, price=60_000, stock=5, lead_time_days=2)
        make.offer(self.market, self.plain, 1, price=57_000, stock=0)
        make.offer(self.market, self.wet, 0, price=90_000, stock=7)
        make.ready()

    def warehouse(self) -> str:
        return str(session.get_one(Warehouse, self.market.warehouses[0]).public_id)


@pytest.fixture
def goods(db_session: Any) -> Goods:
    return Goods()


@pytest.fixture
def seller(app: Flask, goods: Goods) -> ApiClient:
    client = people.signed_api(app, goods.market.sellers[0])
    session.commit()
    return client


def pointers(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["pointer"]: error["code"] for error in answer.json["errors"]}


def test_categories_are_a_tree_with_counts(api: ApiClient, goods: Goods) -> None:
    tree = api.get("/categories").json["items"]
    assert [c["products"] for c in tree if c["slug"] == goods.place.slug] == [2]
    one = api.get(f"/categories/{goods.place.slug}").json
    assert [a["key"] for a in one["attributes"]] == ["kind"]
    assert one["path"] == [goods.place.slug]
    assert api.get("/categories/none").status_code == 404


def test_products_are_filtered_with_counts(api: ApiClient, goods: Goods) -> None:
    found = api.get(f"/products?category={goods.place.slug}&attr.kind=plain&facets=1&sort=price").json
    assert [i["id"] for i in found["items"]] == [str(goods.plain.public_id)]
    [item] = found["items"]
    assert item["price_from"] == {"amount": 57_000, "currency": "RUB"}
    assert (item["unit_price"]["amount"], item["content_unit"], item["unit"]) == (19_000, "m2", "sheet")
    assert (item["offers_count"], item["available"], item["category"]) == (2, "5", goods.place.slug)
    assert found["total"] == 1
    kind = next(f for f in found["facets"] if f["key"] == "kind")
    assert {v["value"]: (v["count"], v["selected"]) for v in kind["values"]} == {"plain": (1, True), "wet": (1, False)}


def test_pages_follow_each_other_by_cursor(api: ApiClient, goods: Goods) -> None:
    first = api.get(f"/products?category={goods.place.slug}&limit=1&sort=price").json
    second = api.get(f"/products?category={goods.place.slug}&limit=1&sort=price&cursor={first['next_cursor']}").json
    assert [p["items"][0]["id"] for p in (first, second)] == [str(goods.plain.public_id), str(goods.wet.public_id)]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("nope=1", "/query/nope", "unknown_field"),
        ("sort=best", "/query/sort", "unknown_option"),
        ("limit=0", "/query/limit", "too_small"),
        ("limit=101", "/query/limit", "too_large"),
        ("price_min=-1", "/query/price_min", "too_small"),
        ("category=none", "/query/category", "unknown_option"),
        ("seller=none", "/query/seller", "unknown_option"),
        ("attr.none=1", "/query/attr.none", "unknown_field"),
        ("cursor=zzz&sort=price", "/query/cursor", "malformed"),
    ],
)
def test_what_cannot_be_asked_is_named(api: ApiClient, goods: Goods, query: str, pointer: str, code: str) -> None:
    assert pointers(api.get(f"/products?{query}")) == {pointer: code}


def test_search_and_suggestions(api: ApiClient, goods: Goods) -> None:
    found = api.get("/products?q=влагостойкие").json["items"]
    assert [i["id"] for i in found] == [str(goods.wet.public_id)]
    nothing = api.get("/products?q=ъъъыыы&facets=1").json
    assert (nothing["items"], nothing["next_cursor"], nothing["facets"], nothing["total"]) == ([], None, [], 0)
    assert api.get("/products?q=kbcn").json["corrected"] == "лист"
    near = api.get("/search/suggest?q=kbcn").json
    assert near["corrected"] == "лист"
    assert {p["id"] for p in near["products"]} == {str(goods.plain.public_id), str(goods.wet.public_id)}


def test_a_product_and_its_offers(api: ApiClient, goods: Goods) -> None:
    one = api.get(f"/products/{goods.plain.public_id}").json
    assert {u["code"]: u["factor"] for u in one["units"]} == {"sheet": "1/1", "m2": "1/3"}
    assert [(a["key"], a["value"]) for a in one["attributes"]] == [("kind", "plain")]
    offers = api.get(f"/products/{goods.plain.public_id}/offers").json
    assert [o["price"]["amount"] for o in offers] == [57_000, 60_000]
    assert [o["available"] for o in offers] == ["0", "5"]
    assert offers[0]["earliest"] is None
    assert offers[1]["earliest"] is not None
    for path in (f"/products/{uuid.uuid4()}", "/products/x", f"/products/{uuid.uuid4()}/offers"):
        assert api.get(path).status_code == 404


def test_names_follow_the_language(api: ApiClient, goods: Goods) -> None:
    said = api.get(f"/products/{goods.plain.public_id}", headers={"Accept-Language": "en"}).json
    assert said["name"].startswith("Thing")


def test_a_seller_puts_a_product_on_sale_changes_and_withdraws_it(
    seller: ApiClient, goods: Goods, api: ApiClient
) -> None:
    body = {"product": str(goods.wet.public_id), "sku": "W-2", "unit": "sheet", "price": {"amount": 80_000},
            "ladder": [{"from": "10", "price": {"amount": 70_000}}]}  # fmt: skip
    made = seller.post("/seller/offers", body)
    assert made.status_code == 201, made.text
    assert made.headers["Location"].endswith(made.json["id"])
    path = f"/seller/offers/{made.json['id']}"
    tag = made.headers["ETag"]
    changed = seller.patch(path, {"price": {"amount": 79_000}}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json["price"]["amount"]) == (200, 79_000)
    stale = seller.patch(path, {"price": {"amount": 1}}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json["code"]) == (412, "stale_version")
    [listed] = [i for i in api.get(f"/products?category={goods.place.slug}").json["items"] if "влаго" in i["name"]]
    assert listed["price_from"]["amount"] == 79_000
    assert seller.delete(path).status_code == 204
    assert seller.get(path).json["active"] is False
    hidden = seller.get("/seller/offers?view=hidden").json
    assert [o["sku"] for o in hidden["items"]] == ["W-2"]


def test_a_wrong_offer_names_every_field(seller: ApiClient, goods: Goods) -> None:
    answer = seller.post("/seller/offers", {"sku": "", "unit": "x", "price": {"amount": "a"}, "odd": 1})
    assert pointers(answer) == {
        "/product": "required", "/sku": "too_short", "/unit": "unknown_option", "/price/amount": "wrong_type",
        "/odd": "unknown_field",
    }  # fmt: skip


def test_anothers_offer_answers_like_an_absent_one(app: Flask, goods: Goods) -> None:
    other = people.signed_api(app, goods.market.sellers[1])
    session.commit()
    own, absent = f"/seller/offers/{goods.offer.public_id}", f"/seller/offers/{uuid.uuid4()}"
    for ask in (
        lambda path: other.get(path),
        lambda path: other.patch(path, {"price": {"amount": 1}}),
        lambda path: other.delete(path),
    ):
        foreign, nothing = ask(own), ask(absent)
        assert foreign.status_code == nothing.status_code == 404
        assert foreign.json | {"request_id": ""} == nothing.json | {"request_id": ""}


def test_stock_is_stated_row_by_row_and_a_repeat_changes_nothing(seller: ApiClient, goods: Goods) -> None:
    place = goods.warehouse()
    rows = [
        {"sku": goods.offer.sku, "warehouse": place, "on_hand": "30", "unit": "m2"},
        {"sku": "none", "warehouse": place, "on_hand": "1"},
    ]
    for _ in range(2):
        answer = seller.put("/seller/stock", rows)
        assert answer.status_code == 200, answer.text
        assert (answer.json["changed"], answer.json["refused"]) == (1, 1)
        assert answer.json["rows"][0]["on_hand_base"] == "10"
        assert (answer.json["rows"][1]["code"], bool(answer.json["rows"][1]["message"])) == ("unknown_sku", True)
    assert seller.put("/seller/stock", []).status_code == 422
    assert seller.put("/seller/stock", rows * 501).status_code == 422


def test_warehouses_are_opened_changed_and_closed(seller: ApiClient, goods: Goods) -> None:
    made = seller.post("/seller/warehouses", PLACE)
    assert made.status_code == 201, made.text
    path = f"/seller/warehouses/{made.json['id']}"
    hours = {"opens_at": 540, "closes_at": 1080, "work_days": [1, 2]}
    changed = seller.patch(path, {"hours": hours}, headers={"If-Match": made.headers["ETag"]})
    assert changed.json["hours"] == hours
    assert pointers(seller.patch(path, {"hours": {"opens_at": 900, "closes_at": 800}})) == {"/closes_at": "hours_order"}
    assert pointers(seller.post("/seller/warehouses", PLACE)) == {"/name": "name_taken"}
    assert seller.delete(path).status_code == 204
    states = {w["id"]: w["active"] for w in seller.get("/seller/warehouses").json["items"]}
    assert states[made.json["id"]] is False


def test_buyers_have_no_sellers_desk(app: Flask, goods: Goods, api: ApiClient) -> None:
    buyer = people.signed_api(app, people.person())
    session.commit()
    assert buyer.get("/seller/offers").status_code == 403
    assert api.get("/seller/offers").status_code == 401
