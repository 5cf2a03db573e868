"""The seller's table: filters, views that say why something is not sold, every row once whatever the order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.core.db import session
from app.core.errors import Invalid
from app.offers import desk, stock, table
from app.offers.levels import StockLine
from app.offers.models import Seller, StockLevel, Warehouse
from app.offers.stock import Cause
from app.offers.table import TableFilter
from tests.factories import catalog as make

pytestmark = pytest.mark.usefixtures("db_session")


class Shop:
    """A seller with one warehouse, and another beside."""

    def __init__(self) -> None:
        self.market = make.market(sellers=2)
        self.seller, self.other = self.market.sellers
        self.place = make.category()

    @property
    def id(self) -> int:
        return self.seller.seller_id

    def offer(self, name: str = "Товар", **fields: Any) -> Any:
        return make.offer(self.market, make.product(self.place, name, name_key=name.lower()), **fields)

    def shown(self, **wanted: Any) -> list[str]:
        return [row.sku for row in table.page(self.id, TableFilter(**wanted), limit=100)[0]]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_filters_narrow_together(shop: Shop) -> None:
    shop.offer("Клей плиточный", sku="K-1", price=40_000)
    shop.offer("Клей обойный", sku="K-2", price=90_000)
    shop.offer("Ёлка 100%", sku="E_1", price=40_000)
    make.offer(shop.market, make.product(shop.place, "Клей чужой", name_key="клей чужой"), 1)
    assert shop.shown(text="клей") == ["K-1", "K-2"]
    assert shop.shown(text="клей", price_max=50_000) == ["K-1"]
    assert shop.shown(price_min=40_001) == ["K-2"]
    assert shop.shown(text="k-1") == ["K-1"]
    assert (shop.shown(text="100%"), shop.shown(text="10%")) == (["E_1"], [])
    assert shop.shown(text="_1") == ["E_1"]
    assert shop.shown(category=shop.place.slug) == ["E_1", "K-1", "K-2"]
    assert shop.shown(category="no-such") == []


@pytest.mark.parametrize("sort", table.SORTS)
def test_pages_hold_every_row_once_in_order(shop: Shop, sort: str) -> None:
    for number in range(7):
        shop.offer(f"Товар {number % 3}", sku=f"S{number}", price=1000 * (number % 3 + 1), stock=number % 2)
    found, cursor = [], None
    while True:
        rows, cursor = table.page(shop.id, TableFilter(), sort=sort, cursor=cursor, limit=2)
        found += rows
        if cursor is None:
            break
    assert len({row.id for row in found}) == len(found) == 7
    keys = {"sku": "sku", "name": "name_ru", "price": "price", "free": "free", "changed": "id"}
    values = [getattr(row, keys[sort.removeprefix("-")]) for row in found]
    assert values == sorted(values, reverse=sort.startswith("-"))


def test_a_cursor_of_another_order_and_unknown_words_are_refused(shop: Shop) -> None:
    for number in range(3):
        shop.offer(sku=f"S{number}")
    _, cursor = table.page(shop.id, TableFilter(), sort="sku", limit=1)
    for wrong in (cursor, "???", "W10", "WyJhIiwgIjEiXQ"):
        with pytest.raises(Invalid):
            table.page(shop.id, TableFilter(), sort="price", cursor=wrong)
    with pytest.raises(Invalid):
        table.page(shop.id, TableFilter(), sort="colour")
    with pytest.raises(Invalid):
        table.page(shop.id, TableFilter(view="blue"))


def why(offer: Any, shop: Shop) -> str:
    session.flush()
    session.expire_all()
    return desk.offer(shop.id, offer.public_id).why_not_sold


def test_every_reason_why_nobody_can_buy(shop: Shop) -> None:
    offer = shop.offer(stock=10)
    assert why(offer, shop) == ""
    place = session.get_one(Warehouse, shop.market.warehouses[0])
    level = session.get_one(StockLevel, (offer.id, place.id))
    level.safety = Decimal(10)
    assert why(offer, shop) == "safety_stock"
    level.safety = Decimal(0)
    stock.take([StockLine(offer.id, place.id, Decimal(10))], Cause("test", None, shop.seller))
    assert why(offer, shop) == "all_promised"
    place.is_active = False
    assert why(offer, shop) == "warehouses_closed"
    stock.ship([StockLine(offer.id, place.id, Decimal(10))], Cause("test", None, shop.seller))
    assert why(offer, shop) == "no_stock"
    offer.status = "hidden"
    assert why(offer, shop) == "hidden"
    offer.status = "blocked"
    assert why(offer, shop) == "blocked"
    session.get_one(Seller, shop.id).is_active = False
    assert why(offer, shop) == "seller_closed"


def test_views_agree_with_the_reasons(shop: Shop) -> None:
    shop.offer(sku="sold", stock=5)
    shop.offer(sku="gone", stock=0)
    shop.offer(sku="hid", stock=5, status="hidden")
    low = shop.offer(sku="low", stock=5)
    session.get_one(StockLevel, (low.id, shop.market.warehouses[0])).safety = Decimal(3)
    session.flush()
    counted = table.counts(shop.id, TableFilter(view="out"))
    assert {view: len(shop.shown(view=view)) for view in table.VIEWS} == counted
    assert shop.shown(view="selling") == ["low", "sold"]
    assert shop.shown(view="not_selling") == ["gone", "hid"]
    assert shop.shown(view="low") == ["low"]
    every = table.page(shop.id, TableFilter(), limit=100)[0]
    assert {row.sku for row in every if not row.why_not_sold} == set(shop.shown(view="selling"))


def test_the_table_takes_one_query_however_long(shop: Shop, count_queries: Any) -> None:
    for number in range(5):
        shop.offer(sku=f"S{number}")
    with count_queries() as counted:
        table.page(shop.id, TableFilter(), limit=5)
    assert len(counted) == 1
