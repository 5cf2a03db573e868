"""Price lists of two sellers whose words are alike: neither touches or reads what is the other's."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.offers import desk
from app.offers.imports import columns, service
from app.offers.imports.service import Upload
from app.offers.models import Warehouse
from tests.factories import catalog as make
from tests.imports import lists
from tests.imports.test_life import GOOD, Shop, offer, on_hand, shop

__all__ = ["shop"]  # the fixture


def test_two_sellers_with_the_same_names_touch_each_other_nowhere(app: Flask, shop: Shop) -> None:
    """SKUs, names of warehouses and headings are alike; what one loads says nothing of the other."""
    theirs = shop.other.seller_id
    names = sa.select(Warehouse).where(Warehouse.seller_id == theirs).order_by(Warehouse.name)
    foreign = session.scalars(names).first()
    assert foreign is not None
    foreign.name = session.get_one(Warehouse, shop.first).name
    make.offer(shop.market, shop.paint, seller=1, sku="X-9")
    session.commit()
    assert {unit for sku, unit in desk.unit_factors(shop.seller.seller_id, ["K-1"])} == {shop.glue.base_unit}
    assert shop.primer.base_unit != shop.glue.base_unit
    before = lists.state_of(theirs)
    rows = [["K-1", "Клей", "510,00", "80"], ["K-2", "Штукатурка", "400", "10"]]
    head = lists.load(
        app, shop.seller, lists.csv_file(rows, headings=["Код", "Наименование", "Цена", f"Остаток {foreign.name}"])
    )
    assert (head.state, head.counts["gone"]) == ("done", 1), "K-3 of mine; what the other sells is not asked about"
    assert on_hand(offer(shop, "K-1"), shop.first) == 80
    assert lists.state_of(theirs) == before
    with pytest.raises(Invalid) as strange:
        lists.send(app, shop.seller, lists.csv_file(rows), warehouse=foreign.public_id)
    assert strange.value.errors[0].code == "unknown_warehouse"
    for number in range(service.MOST_OPEN):
        service.receive(shop.other, app.extensions["storage"], Upload(f"{number}.csv", lists.csv_file(rows)))
    with pytest.raises(Conflict, match="too_many_imports"):
        service.receive(shop.other, app.extensions["storage"], Upload("more.csv", lists.csv_file(rows)))
    again = lists.send(app, shop.seller, lists.csv_file(GOOD), warehouse=shop.where)  # my doors stay open
    assert lists.look(shop.seller, again).state == "checked"
    with pytest.raises(NotFound):
        lists.look(shop.other, again)


def test_what_one_seller_said_of_columns_is_not_what_another_means(shop: Shop) -> None:
    headings = ["Код", "Опт", "Розница"]
    wholesale = {"Код": "sku", "Опт": "price", "Розница": ""}
    columns.remember(shop.seller.seller_id, headings, wholesale)
    assert columns.remembered(shop.seller.seller_id, headings) == wholesale
    assert columns.remembered(shop.other.seller_id, headings) is None
