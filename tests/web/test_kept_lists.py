"""A kept list is forgotten the moment a command changes what it shows, and not before that is committed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import forget_kept
from app.catalog.models import Category
from app.core import db
from app.core.db import changed, session, unit_of_work
from app.core.permissions import ANONYMOUS
from app.offers import service, stock
from app.offers.levels import StockLine
from app.offers.models import Warehouse
from app.offers.stock import Cause
from tests.factories import catalog as make
from tests.factories import orders as people


class Shop:
    """A section with one product of one seller."""

    def __init__(self) -> None:
        self.market = make.market(sellers=2)
        self.thing = make.product(make.category("Смеси"), "Смесь")
        self.offer = make.offer(self.market, self.thing, price=50_000, stock=7)
        self.path = f"/catalog/{session.get_one(Category, self.thing.category_id).slug}"
        make.ready()


@pytest.fixture
def shop(db_session: Any) -> Shop:
    return Shop()


@pytest.fixture
def told() -> Iterator[list[str]]:
    names: list[str] = []
    db.tell_after_commit(names.append)
    yield names
    db._told.remove(names.append)


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("\u00a0", " ").split())


def test_a_sellers_new_price_shows_at_once(app: Flask, client: FlaskClient, shop: Shop) -> None:
    assert "500 ₽" in text_of(client.get(shop.path))
    service.edit_offer(shop.market.sellers[0], shop.offer.public_id, {"price": 61_000})
    assert "610 ₽" in text_of(client.get(shop.path))
    desk = people.signed_browser(app, shop.market.sellers[0])
    desk.post(f"/seller/offers/{shop.offer.public_id}/price", data={"price": "620", "version": "2"})
    assert "620 ₽" in text_of(client.get(shop.path))


def test_a_new_rival_and_the_end_of_the_stock_show_at_once(client: FlaskClient, shop: Shop) -> None:
    assert "1 предложение" in text_of(client.get(shop.path))
    new = service.NewOffer(shop.thing.public_id, "N1", shop.thing.base_unit, 40_000)
    service.add_offer(shop.market.sellers[1], new)
    page = text_of(client.get(shop.path))
    assert "2 предложения" in page
    assert "400 ₽" in page
    place = session.get_one(Warehouse, shop.market.warehouses[0])
    line = StockLine(shop.offer.id, place.id, Decimal(7))
    stock.take([line], Cause("order", 1, ANONYMOUS))
    assert "под заказ" in text_of(client.get(shop.path))


def test_prices_leave_the_tree_of_sections_alone_and_what_comes_or_goes_does_not(
    client: FlaskClient, shop: Shop, told: list[str]
) -> None:
    """Counting the whole catalogue for each row of a price list would slow every page."""
    thing = make.product(session.get_one(Category, shop.thing.category_id), "Новинка")
    make.ready()
    assert "1 товар" in text_of(client.get(shop.path))
    told.clear()
    service.edit_offer(shop.market.sellers[0], shop.offer.public_id, {"price": 61_000})
    assert told == ["listing"]
    new = service.NewOffer(thing.public_id, "N2", thing.base_unit, 40_000)
    offer = service.add_offer(shop.market.sellers[0], new)
    assert set(told) == {"listing", "taxonomy"}
    assert "2 товара" in text_of(client.get(shop.path))
    told.clear()
    service.edit_offer(shop.market.sellers[0], offer, {"active": False})
    assert "taxonomy" in told
    assert "1 товар" in text_of(client.get(shop.path))


def test_only_a_smaller_stock_may_wait_a_minute(client: FlaskClient, shop: Shop, told: list[str]) -> None:
    stock.take([StockLine(shop.offer.id, shop.market.warehouses[0], Decimal(2))], Cause("order", 1, ANONYMOUS))
    assert told == []


def test_nothing_is_told_of_a_command_that_failed(db_session: Any, told: list[str]) -> None:
    @unit_of_work
    def fails() -> None:
        changed("listing")
        raise RuntimeError

    @unit_of_work
    def works() -> None:
        changed("other")

    with pytest.raises(RuntimeError):
        fails()
    works()
    assert told == ["other"]
    assert db._told.count(forget_kept) == 1, "however many applications a process has"
