"""The cart page: fills without an account, applies changes at once, says what changed."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.core.db import session
from app.core.permissions import ANONYMOUS
from app.offers.models import Offer, StockLevel
from app.orders import carts, queries
from app.orders.models import Cart, CartLine
from tests.factories import orders as make


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).replace("\u00a0", " ").split())


def put(client: FlaskClient, offer: Offer, quantity: str = "2") -> Any:
    data = {"offer_id": str(offer.public_id), "quantity": quantity}
    return client.post("/cart/lines", data=data, follow_redirects=True)


def test_an_empty_cart_says_what_to_do(client: FlaskClient) -> None:
    answer = client.get("/cart")
    assert answer.status_code == 200
    assert "/estimates" in answer.text


def test_a_guest_fills_a_cart_kept_by_a_cookie(app: Flask, client: FlaskClient) -> None:
    market = make.market(sellers=2)
    glue, block = make.offer(market, 0), make.offer(market, 1, price=31_200)
    put(client, glue, "2")
    page = text_of(put(client, block, "3"))
    assert "1 090 ₽" in page
    assert "936 ₽" in page
    assert session.scalar(sa.select(sa.func.count()).select_from(Cart)) == 1
    cookie = client.get_cookie("cart")
    assert cookie is not None
    assert cookie.http_only
    assert queries.cart_count(ANONYMOUS, cookie.value, app.extensions["cache"]) == 2


def test_quantities_add_and_are_capped_by_what_is_there(client: FlaskClient) -> None:
    market = make.market()
    glue = make.offer(market, stock=5)
    put(client, glue, "3")
    page = text_of(put(client, glue, "4"))
    assert session.scalars(sa.select(CartLine.quantity)).one() == 5
    assert "5 мешков" in page


def test_part_of_a_pack_is_rounded_up(client: FlaskClient) -> None:
    market = make.market()
    block = make.offer(market, step="48", minimum="48", stock=480)
    put(client, block, "50")
    assert session.scalars(sa.select(CartLine.quantity)).one() == 96


def test_the_buttons_work_without_script_and_zero_takes_out_with_a_way_back(client: FlaskClient) -> None:
    market = make.market()
    glue = make.offer(market)
    put(client, glue, "1")
    line = session.scalars(sa.select(CartLine.public_id)).one()
    client.post(f"/cart/lines/{line}", data={"quantity": "1", "quantity_step": "1"})
    assert session.scalars(sa.select(CartLine.quantity)).one() == 2
    answer = client.post(f"/cart/lines/{line}", data={"quantity": "0"}, follow_redirects=True)
    assert session.scalars(sa.select(CartLine.quantity)).all() == []
    assert str(glue.public_id) in answer.text
    assert glue_name(glue) in answer.text


def glue_name(offer: Offer) -> str:
    return str(session.scalar(sa.text("SELECT name_ru FROM product WHERE id = :id"), {"id": offer.product_id}))


def test_a_part_is_answered_to_htmx(client: FlaskClient) -> None:
    market = make.market()
    put(client, make.offer(market), "1")
    line = session.scalars(sa.select(CartLine.public_id)).one()
    answer = client.post(
        f"/cart/lines/{line}", data={"quantity": "4"}, headers={"HX-Request": "true", "HX-Target": "cart"}
    )
    assert answer.text.lstrip().startswith('<div id="cart"')
    assert 'id="cart-count" hx-swap-oob="true"' in answer.text


@pytest.mark.parametrize("typed", ["много", "", "1e5", "NaN"])
def test_a_quantity_that_is_none_is_refused_and_nothing_changes(client: FlaskClient, typed: str) -> None:
    market = make.market()
    put(client, make.offer(market), "2")
    line = session.scalars(sa.select(CartLine.public_id)).one()
    assert client.post(f"/cart/lines/{line}", data={"quantity": typed}).status_code == 422
    assert session.scalars(sa.select(CartLine.quantity)).one() == 2


def test_another_guests_line_is_absent(app: Flask, client: FlaskClient) -> None:
    market = make.market()
    put(client, make.offer(market), "2")
    line = session.scalars(sa.select(CartLine.public_id)).one()
    assert app.test_client().post(f"/cart/lines/{line}", data={"quantity": "1"}).status_code == 404


def test_a_changed_price_and_a_vanished_stock_are_told(client: FlaskClient) -> None:
    market = make.market()
    glue, block = make.offer(market), make.offer(market)
    put(client, glue, "2")
    put(client, block, "5")
    session.execute(sa.update(Offer).where(Offer.id == glue.id).values(price=60_000))
    session.execute(sa.update(StockLevel).where(StockLevel.offer_id == block.id).values(on_hand=3))
    page = text_of(client.get("/cart"))
    assert "545 ₽ → 600 ₽" in page
    assert "3 мешка" in page
    assert "/checkout" not in client.get("/cart").text


def test_login_merges_the_guests_cart(app: Flask, client: FlaskClient) -> None:
    market = make.market()
    glue, block = make.offer(market, stock=10), make.offer(market)
    put(client, glue, "6")
    put(client, block, "1")
    cookie = client.get_cookie("cart")
    assert cookie is not None
    buyer = make.person()
    session.commit()
    carts.add(buyer, "", glue.public_id, Decimal(7))
    changes = carts.merge_guest_cart(buyer, cookie.value)
    assert [(c.quantity, c.note) for c in changes] == [(10, "stock")]
    assert queries.cart_count(buyer, "", app.extensions["cache"]) == 2
    assert carts.merge_guest_cart(buyer, cookie.value) == []


def test_the_number_of_queries_grows_neither_with_lines_nor_with_sellers(
    client: FlaskClient, count_queries: Any
) -> None:
    market = make.market(sellers=4)
    put(client, make.offer(market), "1")
    client.get("/cart")
    with count_queries() as few:
        client.get("/cart")
    for more in range(4):
        put(client, make.offer(market, more), "1")
    with count_queries() as many:
        client.get("/cart")
    assert len(many) == len(few)
    assert len(many) <= 7


def test_the_number_that_pages_keep_follows_every_change(app: Flask, client: FlaskClient) -> None:
    market, buyer, cache = make.market(), make.person(), app.extensions["cache"]
    session.commit()
    first = carts.add(buyer, "", make.offer(market).public_id, Decimal(1))
    assert queries.cart_count(buyer, "", cache) == 1
    carts.add(buyer, "", make.offer(market).public_id, Decimal(1))
    assert queries.cart_count(buyer, "", cache) == 2
    assert first.line is not None
    carts.remove(buyer, "", first.line)
    assert queries.cart_count(buyer, "", cache) == 1
