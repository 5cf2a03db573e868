"""Promotions as people and programs meet them: desks of the operator and sellers, the code, what is shown and paid."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import session
from app.orders import promotions
from app.orders.models import OrderGroup
from app.orders.promotion_models import Promotion
from app.orders.promotions import PromotionData
from tests.core.pdf_text import pages_of
from tests.factories import orders as make
from tests.payments import stories
from tests.web.test_cart import text_of
from tests.web.test_checkout import WHO, Visit

FORM = {
    "name_ru": "Осень", "name_en": "Autumn", "kind": "percent", "percent": "10", "scope": "all", "priority": "100",
    "operator_share": "50", "code": "осень 10",
}  # fmt: skip


@pytest.fixture
def visit(app: Flask, db_session: Any) -> Visit:
    return Visit(app)


def only() -> Promotion:
    return session.scalars(sa.select(Promotion).execution_options(populate_existing=True)).one()


def test_by_forms_alone_from_the_operators_desk_to_the_bill(app: Flask, visit: Visit) -> None:
    operator, desk = stories.operator(), "/admin/promotions"
    office = make.signed_browser(app, operator)
    session.commit()
    assert f'<form class="panel stack" method="post" action="{desk}"' in office.get(f"{desk}/new").text
    wrong = office.post(desk, data=FORM | {"percent": "120", "minimum": "много", "name_ru": "Весна"})
    assert wrong.status_code == 422
    assert 'value="Весна"' in wrong.text
    assert 'id="minimum-error"' in wrong.text
    assert office.post(desk, data=FORM | {"percent": "120"}).status_code == 422
    assert office.post(desk, data=FORM).status_code == 303
    made = only()
    assert (made.code, made.percent, made.operator_share) == ("ОСЕНЬ10", 10, 50)
    assert f'method="post" action="{desk}/{made.public_id}"' in office.get(f"{desk}/{made.public_id}").text
    stale = office.post(f"{desk}/{made.public_id}", data=FORM | {"version": "7"})
    assert stale.status_code == 412

    buyer = visit.client
    refused = buyer.post("/cart/code", data={"code": "nope"})
    assert refused.status_code == 422
    assert "Такого кода нет" in refused.text
    assert 'value="nope"' in refused.text
    part = buyer.post("/cart/code", data={"code": "Осень10"}, headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "−163,50 ₽" in text_of(part)
    first = buyer.get("/checkout").text
    assert 'value="ОСЕНЬ10"' in first
    quote = visit.quoted(code="ОСЕНЬ10")
    page = text_of(buyer.get(f"/checkout?quote={quote}"))
    assert "Осень −163,50 ₽" in page
    promotions.stop(operator, made.public_id)
    again = buyer.post("/checkout", data={**WHO, "quote": quote})
    assert again.status_code == 409
    assert "акция закончилась, поэтому 163,50 ₽ не вычитаются" in text_of(again)
    fresh = re.search(r'name="quote" value="([0-9a-f-]+)"', again.text)
    assert fresh is not None
    assert "Код" in text_of(buyer.get("/cart"))  # the cart is kept, with its code and why it does not work

    promotions.make(operator, PromotionData("Зима", "Winter", amount=100_01))
    quote = visit.quoted(code="")
    answer = buyer.post("/checkout", data={**WHO, "quote": quote})
    group = session.scalars(sa.select(OrderGroup)).one()
    assert answer.headers["Location"] == f"/orders/{group.number}?placed=1"
    assert group.goods == 3 * 54_500 - 100_01
    seen = text_of(buyer.get(f"/orders/{group.number}"))
    assert "Зима (уже вычтено) −100,01 ₽" in seen
    bill = " ".join(pages_of(buyer.get(f"/orders/{group.number}/invoice.pdf").data))
    assert "Скидка" in bill
    assert "100,01" in bill
    assert f"{group.total // 1000_00} {group.total // 100 % 1000:03d},{group.total % 100:02d}" in bill.replace(
        "\u00a0", " "
    )
    listed = text_of(office.get(desk))
    assert "100,01 ₽" in listed
    assert "остановлена" in listed


def test_the_same_by_the_api_within_ones_own_goods(app: Flask, visit: Visit) -> None:
    seller = make.signed_api(app, visit.market.sellers[0])
    stranger = make.signed_api(app, make.market().sellers[0])
    operator = make.signed_api(app, stories.operator())
    buys = make.signed_api(app, visit.buyer)
    session.commit()
    terms = {"name_ru": "Своя", "name_en": "Own", "percent": "10", "scope": "offers", "skus": [visit.offer.sku]}
    made = seller.post("/seller/promotions", terms | {"code": "OWN"})
    assert made.status_code == 201, made.text
    assert (made.json["state"], made.json["by_seller"], made.json["operator_share"]) == ("running", True, "0")
    where = f"/seller/promotions/{made.json['id']}"
    assert seller.post("/seller/promotions", terms | {"operator_share": "50"}).json["errors"][0]["code"] == (
        "unknown_field"
    )
    assert seller.post("/seller/promotions", terms | {"code": "own"}).json["errors"][0]["code"] == "code_taken"
    assert [stranger.get(where).status_code, stranger.put(where, terms).status_code] == [404, 404]
    assert stranger.post(f"{where}/stop").status_code == 404
    assert seller.put(where, terms | {"code": "OWN", "percent": "20"}, headers={"If-Match": '"5"'}).status_code == 412
    assert seller.put(where, terms | {"code": "OWN", "percent": "20"}, headers={"If-Match": '"1"'}).status_code == 200

    assert buys.post("/cart/code", {"code": "none"}).json["errors"][0] | {"message": ""} == {
        "pointer": "/code", "code": "code_unknown", "message": "",
    }  # fmt: skip
    where_to = {"address": "Учебная ул., 1", "lat": 55.8, "lon": 37.72}
    quote = buys.post("/checkout/quote", {"address": where_to, "code": "own"}).json
    [discount] = quote["discounts"]
    assert (discount["name_en"], discount["code"], discount["amount"]["amount"]) == ("Own", "OWN", 327_00)
    assert quote["discount"]["amount"] == 327_00
    assert quote["code"]["problem"] == ""
    cart = buys.get("/cart").json
    assert cart["totals"]["goods"]["amount"] == 1635_00 - 327_00 == cart["groups"][0]["goods"]["amount"]
    assert buys.delete("/cart/code").json["discounts"] == []
    contact = {"name": "Покупатель Демо", "phone": "+7 916 123-45-67"}
    body = {"quote": quote["id"], "contact": contact, "payment_method": "invoice"}
    assert seller.post(f"{where}/stop").json["state"] == "stopped"
    lost = buys.post("/checkout", body, headers={"Idempotency-Key": "a"})
    assert (lost.status_code, lost.json["code"]) == (409, "discount_changed")
    assert [(d["kind"], d["why"], d["was"]) for d in lost.json["differences"]] == [("discount", "ended", 327_00)]

    general = {"name_ru": "Все", "name_en": "All", "amount": {"amount": 5001}, "operator_share": "100"}
    assert operator.post("/admin/promotions", general).status_code == 201
    quote = buys.post("/checkout/quote", {"address": where_to}).json
    bought = buys.post("/checkout", body | {"quote": quote["id"]}, headers={"Idempotency-Key": "b"}).json
    [order] = bought["orders"]
    [discount], [line] = order["discounts"], order["lines"]
    assert discount["amount"]["amount"] == line["discount"]["amount"] == 5001
    assert order["totals"]["goods"]["amount"] == 1635_00 - 5001 == line["total"]["amount"]
    [seen] = operator.get("/admin/promotions?limit=1").json["items"]
    assert (seen["uses"], seen["given_by_operator"]["amount"], seen["editable"]) == (1, 5001, False)
    used = operator.put(f"/admin/promotions/{seen['id']}", general)
    assert (used.status_code, used.json["code"]) == (409, "promotion_used")
