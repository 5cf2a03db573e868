"""The same purchase by JSON: cart, quote, checkout, the seller's answers; the codes that clients rely on."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import session
from app.offers.models import Offer
from app.orders.models import OrderGroup
from tests.client import ApiClient
from tests.factories import orders as make
from tests.orders import steps

ADDRESS = {"address": "Учебная ул., 1", "lat": 55.8, "lon": 37.72}
CONTACT = {"name": "Покупатель Демо", "phone": "+7 916 123-45-67"}


class Shop:
    """A market, a buyer's client and a seller's client."""

    def __init__(self, app: Flask) -> None:
        self.market = make.market()
        self.offer = make.offer(self.market)
        self.buyer, self.seller = make.person(), self.market.sellers[0]
        self.buys = make.signed_api(app, self.buyer)
        self.sells = make.signed_api(app, self.seller)
        session.commit()

    def put(self, quantity: str = "3") -> Any:
        return self.buys.post("/cart/lines", {"offer": str(self.offer.public_id), "quantity": quantity})

    def quoted(self) -> Any:
        self.put()
        answer = self.buys.post("/checkout/quote", {"address": ADDRESS, "payment_method": "invoice"})
        assert answer.status_code == 200, answer.text
        return answer.json

    def purchase(self, quote: str, key: str = "one") -> Any:
        body = {"quote": quote, "contact": CONTACT, "payment_method": "invoice", "comment": ""}
        return self.buys.post("/checkout", body, headers={"Idempotency-Key": key})


@pytest.fixture
def shop(app: Flask, db_session: Any) -> Shop:
    return Shop(app)


def test_a_guests_cart_is_named_by_a_token(app: Flask, shop: Shop) -> None:
    guest = ApiClient(app)
    made = guest.post("/cart/lines", {"offer": str(shop.offer.public_id), "quantity": "2"})
    assert made.status_code == 200
    assert made.json["cart_token"] == made.headers["X-Cart-Token"] == guest.cart_token
    seen = guest.get("/cart").json
    assert seen["totals"]["goods"] == {"amount": 109_000, "currency": "RUB"}
    assert seen["groups"][0]["delivery"]["amount"] > 0
    [line] = seen["lines"]
    assert (line["quantity"], line["mass_kg"], line["unit"]) == ("2", "50", "bag")
    assert guest.patch(f"/cart/lines/{line['id']}", json={"quantity": "5"}).json["lines"][0]["quantity"] == "5"
    assert guest.delete(f"/cart/lines/{line['id']}").json["lines"] == []
    assert guest.delete(f"/cart/lines/{line['id']}").status_code == 404


def test_more_than_there_is_is_capped_and_said(shop: Shop) -> None:
    answer = shop.put("500")
    assert answer.json["notes"] == [{"offer": str(shop.offer.public_id), "code": "stock", "quantity": "100"}]


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"quantity": "0"}, "/quantity", "too_small"),
        ({"quantity": "-3"}, "/quantity", "too_small"),
        ({"quantity": "1.5"}, "/quantity", "quantity_step"),
        ({"quantity": 3.5}, "/quantity", "malformed"),
        ({"offer": str(uuid.uuid4())}, "/offer", "offer_not_on_sale"),
        ({"unit": "m3"}, "/unit", "unit_not_sold"),
        ({"price": 1}, "/price", "unknown_field"),
    ],
)
def test_a_wrong_line_is_refused(shop: Shop, change: dict[str, Any], pointer: str, code: str) -> None:
    answer = shop.buys.post("/cart/lines", {"offer": str(shop.offer.public_id), "quantity": "3"} | change)
    assert answer.status_code == 422, answer.text
    assert [(e["pointer"], e["code"]) for e in answer.json["errors"]] == [(pointer, code)]


def test_the_whole_purchase(shop: Shop) -> None:
    quote = shop.quoted()
    assert quote["groups"][0]["delivery"]["amount"] == sum(p["amount"] for p in quote["groups"][0]["price_lines"])
    answer = shop.purchase(quote["id"])
    assert answer.status_code == 201, answer.text
    group = answer.json
    assert group["totals"] == quote["totals"]
    [order] = group["orders"]
    assert (order["number"], order["status"]) == (f"{group['number']}-1", "placed")
    assert len(order["fulfilments"][0]["delivery"]["pin"]) == 4
    assert group["payment"]["invoice"] == group["number"]
    assert shop.buys.get(f"/order-groups/{group['number']}").json["totals"] == group["totals"]
    assert shop.buys.get(f"/orders/{order['number']}").json["number"] == order["number"]
    assert [g["number"] for g in shop.buys.get("/order-groups").json["items"]] == [group["number"]]

    inbox = shop.sells.get("/seller/orders").json["items"]
    assert [o["number"] for o in inbox] == [order["number"]]
    line = order["lines"][0]["id"]
    done = shop.sells.post(f"/seller/orders/{order['number']}/accept", {"lines": [{"line": line, "quantity": "2"}]})
    assert done.status_code == 200, done.text
    assert done.json["totals"]["goods"]["amount"] == 109_000
    assert done.json["fulfilments"][0]["delivery"]["pin"] is None
    trip = order["fulfilments"][0]["id"]
    assert shop.sells.post(f"/seller/fulfilments/{trip}/start-picking").status_code == 200
    ready = shop.sells.post(f"/seller/fulfilments/{trip}/ready", {"lines": []})
    assert ready.json["fulfilment_status"] == "ready"
    late = shop.buys.post(f"/orders/{order['number']}/cancel", {"reason": ""})
    assert (late.status_code, late.json["code"]) == (409, "too_late_to_cancel")
    steps.check_everything_sums()


def test_checkout_needs_a_key_and_repeats_its_answer(shop: Shop) -> None:
    quote = shop.quoted()["id"]
    body = {"quote": quote, "contact": CONTACT, "payment_method": "invoice"}
    bare = shop.buys.post("/checkout", body)
    assert (bare.status_code, bare.json["errors"][0]["pointer"]) == (422, "/headers/Idempotency-Key")
    first, second, other = shop.purchase(quote), shop.purchase(quote), shop.purchase(quote, key="another")
    assert first.data == second.data
    assert second.headers["Idempotency-Replayed"] == "true"
    assert other.json["number"] == first.json["number"]
    assert session.scalar(sa.select(sa.func.count()).select_from(OrderGroup)) == 1


def test_a_changed_price_is_a_conflict_with_the_difference(shop: Shop) -> None:
    quote = shop.quoted()["id"]
    session.execute(sa.update(Offer).values(price=60_000))
    session.commit()
    answer = shop.purchase(quote)
    assert (answer.status_code, answer.json["code"]) == (409, "price_changed")
    [difference] = answer.json["differences"]
    assert (difference["was"], difference["now"]) == (54_500, 60_000)


def test_cancelling_and_rejecting(shop: Shop) -> None:
    number = shop.purchase(shop.quoted()["id"]).json["orders"][0]["number"]
    assert shop.sells.post(f"/seller/orders/{number}/reject", {"reason": ""}).status_code == 422
    assert shop.buys.post(f"/orders/{number}/cancel", {"reason": "x"}).json["status"] == "cancelled"
    late = shop.sells.post(f"/seller/orders/{number}/reject", {"reason": "нет"})
    assert (late.status_code, late.json["code"]) == (409, "order_state")


def test_an_empty_cart_and_a_wrong_place_are_refused(shop: Shop) -> None:
    empty = shop.buys.post("/checkout/quote", {"address": ADDRESS})
    assert (empty.status_code, empty.json["code"]) == (409, "cart_empty")
    shop.put()
    assert shop.buys.post("/checkout/quote", {}).json["errors"][0]["code"] == "site_or_address"
    off_earth = shop.buys.post("/checkout/quote", {"address": ADDRESS | {"lat": 99}})
    assert off_earth.json["errors"][0]["pointer"] == "/address/lat"
    card = shop.buys.post("/checkout/quote", {"address": ADDRESS, "payment_method": "card"})
    assert card.status_code == 422


def test_foreign_and_absent_answer_with_the_same_bytes(app: Flask, shop: Shop) -> None:
    group = shop.purchase(shop.quoted()["id"]).json
    number, trip = group["orders"][0]["number"], group["orders"][0]["fulfilments"][0]["id"]
    stranger = make.signed_api(app, make.person())
    rival = make.signed_api(app, make.market().sellers[0])
    session.commit()
    pairs = [
        (stranger.get(f"/order-groups/{group['number']}"), stranger.get("/order-groups/R1")),
        (stranger.get(f"/orders/{number}"), stranger.get("/orders/R1-1")),
        (stranger.post(f"/orders/{number}/cancel", {}), stranger.post("/orders/R1-1/cancel", {})),
        (rival.get(f"/seller/orders/{number}"), rival.get("/seller/orders/R1-1")),
        (rival.post(f"/seller/orders/{number}/accept", {}), rival.post("/seller/orders/R1-1/accept", {})),
        (
            rival.post(f"/seller/fulfilments/{trip}/ready", {}),
            rival.post(f"/seller/fulfilments/{uuid.uuid4()}/ready", {}),
        ),
    ]
    for foreign, absent in pairs:
        assert foreign.status_code == absent.status_code == 404
        assert without_id(foreign) == without_id(absent)


def without_id(answer: Any) -> dict[str, Any]:
    return {key: value for key, value in answer.json.items() if key != "request_id"}


def test_roles_are_kept_apart(app: Flask, shop: Shop) -> None:
    assert ApiClient(app).get("/order-groups").status_code == 401
    assert shop.buys.get("/seller/orders").status_code == 403
