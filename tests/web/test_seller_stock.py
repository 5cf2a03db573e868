"""A seller sees why stock is what it is, puts it right with a reason, keeps a safety stock and takes stock."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.catalog.models import ProductListing
from app.core.db import session
from app.core.models import AuditEntry
from app.offers import stock
from app.offers.levels import StockLine
from app.offers.models import StockLevel, StockMovement, Warehouse
from app.offers.stock import Cause
from tests.factories import catalog as make
from tests.factories import orders as people


class Store:
    """A seller with 100 bags of one product, 30 of them promised; another seller beside."""

    def __init__(self, app: Flask) -> None:
        self.market = make.market(sellers=2)
        self.seller, self.other = self.market.sellers
        self.offer = make.offer(self.market, make.product(make.category(), "Клей Winter"), sku="K-1", stock=100)
        self.place = session.get_one(Warehouse, self.market.warehouses[0])
        stock.take([StockLine(self.offer.id, self.place.id, Decimal(30))], Cause("test", None, self.seller))
        make.ready()
        self.browser = people.signed_browser(app, self.seller)
        self.others = people.signed_browser(app, self.other)
        self.path = f"/seller/stock/{self.offer.public_id}"

    def level(self) -> StockLevel:
        session.expire_all()
        return session.get_one(StockLevel, (self.offer.id, self.place.id))

    def adjust(self, **changed: str) -> Any:
        sent = {"warehouse": str(self.place.public_id), "reason": "lost", "quantity": "5", "note": ""} | changed
        return self.browser.post(f"{self.path}/adjust", data=sent)


@pytest.fixture
def store(app: Flask, db_session: Any) -> Store:
    return Store(app)


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("\u00a0", " ").split())


def test_the_page_says_how_free_stock_comes_about(store: Store) -> None:
    store.level().safety = Decimal(10)
    session.commit()
    told = text_of(store.browser.get(store.path))
    assert "на складе − обещано − держат − страховой запас = свободно" in told
    assert f"{store.place.name} 100 30 0 Сохранить 60" in told
    assert "обещано заказу" in told
    assert store.others.get(store.path).status_code == 404


@pytest.mark.parametrize(
    ("reason", "kind", "left"),
    [("received", "received", 105), ("found", "adjusted", 105), ("lost", "adjusted", 95), ("damaged", "scrapped", 95)],
)
def test_an_adjustment_is_a_movement_with_its_reason(store: Store, reason: str, kind: str, left: int) -> None:
    assert store.adjust(reason=reason, note="полка 3").status_code == 303
    assert store.level().on_hand == left
    last = session.scalars(sa.select(StockMovement).order_by(StockMovement.id.desc()).limit(1)).one()
    assert (last.kind, last.on_hand_delta, last.reason) == (kind, left - 100, f"{reason}: полка 3")
    assert session.get_one(ProductListing, store.offer.product_id).available == left - 30
    assert "полка 3" in text_of(store.browser.get(store.path))
    assert session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == "stock.adjusted")) == 1


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"quantity": "71"}, "По заказам уже обещано 30"),
        ({"quantity": ""}, "Заполните это поле"),
        ({"quantity": "0"}, "Количество должно быть больше нуля"),
        ({"quantity": "-1"}, "Количество должно быть больше нуля"),
        ({"quantity": "пять"}, "Нужно число"),
        ({"reason": "stolen"}, "Выберите"),
    ],
)
def test_a_refused_adjustment_moves_nothing_and_keeps_what_was_typed(store: Store, changed: Any, told: str) -> None:
    answer = store.adjust(note="полка 3", **changed)
    assert answer.status_code in (409, 422)
    assert told in text_of(answer)
    assert 'value="полка 3"' in answer.text
    assert store.level().on_hand == 100


def test_safety_stock_is_not_sold(store: Store) -> None:
    sent = {"warehouse": str(store.place.public_id), "safety": "65,5"}
    assert store.browser.post(f"{store.path}/safety", data=sent).status_code == 303
    assert store.level().safety == Decimal("65.5")
    assert session.get_one(ProductListing, store.offer.product_id).available == Decimal("4.5")
    assert "K-1" in store.browser.get("/seller/stock?view=low").text
    assert "K-1" not in store.browser.get("/seller/stock?view=out").text
    assert store.browser.post(f"{store.path}/safety", data=sent | {"safety": "-1"}).status_code == 422
    assert store.others.post(f"{store.path}/safety", data=sent).status_code == 404


def test_a_place_of_another_seller_is_no_place(store: Store) -> None:
    foreign = session.get_one(Warehouse, store.market.warehouses[1])
    assert store.adjust(warehouse=str(foreign.public_id)).status_code == 404
    assert store.browser.get(f"/seller/stock/count/{foreign.public_id}").status_code == 404


def test_stock_taking_writes_the_good_rows_and_shows_the_others_again(store: Store) -> None:
    second = make.offer(store.market, make.product(make.category(), "Песок"), sku="P-1", stock=7)
    third = make.offer(store.market, make.product(make.category(), "Гипс"), sku="G-1", stock=9)
    make.ready()
    path = f"/seller/stock/count/{store.place.public_id}"
    assert "Песок" in store.browser.get(path).text
    typed = {f"n-{store.offer.public_id}": "29", f"n-{second.public_id}": "6,5", f"n-{third.public_id}": ""}
    answer = store.browser.post(path, data=typed)
    assert answer.status_code == 422
    assert "По заказам уже обещано 30" in text_of(answer)
    assert "Сохранена 1 строка" in text_of(answer)
    assert 'value="29"' in answer.text
    assert store.level().on_hand == 100
    on_hand = dict(session.execute(sa.select(StockLevel.offer_id, StockLevel.on_hand)).tuples().all())
    assert (on_hand[second.id], on_hand[third.id]) == (Decimal("6.5"), 9)
    assert store.browser.post(path, data={f"n-{store.offer.public_id}": "99"}).status_code == 303
    assert store.level().on_hand == 99
    assert "инвентаризация" in text_of(store.browser.get(store.path))
    assert store.others.post(path, data=typed).status_code == 404
    assert store.browser.post(path, data={"n-nonsense": "1"}).status_code == 404


def test_movements_are_read_page_by_page_with_the_balance_after_each(store: Store) -> None:
    for _ in range(55):
        store.adjust(reason="found", quantity="1")
    first = store.browser.get(store.path)
    following = re.search(r'href="([^"]*before=\d+)"', first.text)
    assert following
    assert "+1 155" in text_of(first)
    rest = text_of(store.browser.get(following.group(1).replace("&amp;", "&")))
    assert "+1 101" in rest
    assert "+30 30" in rest
