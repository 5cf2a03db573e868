"""A proposed product becomes a card with the seller's offer, or comes back with a note; nothing is decided twice."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.catalog.models import Product, ProductChange, ProductUnit
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.models import AuditEntry
from app.offers import moderation
from app.offers.models import Offer
from tests.factories import catalog as make
from tests.factories import orders as people

SAID = {
    "sku": "N-1", "name_ru": "Шпаклёвка финишная 20 кг", "brand": "Проба", "article": "F20", "barcode": "2000000000015",
    "category": "Шпаклёвки", "unit": "bag", "price": 45_000, "source": "import",
}  # fmt: skip


class Desk:
    """An operator, two sellers, a leaf to put things into, one proposal of the first seller."""

    def __init__(self) -> None:
        self.market = make.market(sellers=2)
        self.seller, self.other = self.market.sellers
        self.leaf = make.category("Шпаклёвки")
        self.operator = people.person("Оператор", is_admin=True)
        self.change = self.propose()
        session.commit()

    def propose(self, **said: Any) -> ProductChange:
        row = ProductChange(
            seller_id=self.seller.seller_id, user_id=self.seller.user, payload=SAID | said, status="pending"
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row

    def decide(self, decision: str, note: str = "", category: str | None = None) -> None:
        leaf = self.leaf.slug if category is None else category
        moderation.decide(self.operator, self.change.public_id, decision, note, leaf)


@pytest.fixture
def desk(db_session: Any) -> Desk:
    return Desk()


def test_approval_makes_the_card_and_the_sellers_offer(desk: Desk) -> None:
    desk.decide("approve")
    product = session.scalars(sa.select(Product).where(Product.name_ru == SAID["name_ru"])).one()
    assert (product.brand, product.article, product.category_id) == ("Проба", "F20", desk.leaf.id)
    unit = session.scalars(sa.select(ProductUnit).where(ProductUnit.product_id == product.id)).one()
    assert (unit.code, unit.barcode, unit.is_sold) == ("bag", "2000000000015", True)
    offer = session.scalars(sa.select(Offer).where(Offer.product_id == product.id)).one()
    assert (offer.seller_id, offer.sku, offer.price, offer.unit) == (desk.seller.seller_id, "N-1", 45_000, "bag")
    assert moderation.counts() == {"pending": 0, "revision_requested": 0, "declined": 0, "approved": 1}
    assert session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == "product_change.decided")) == 1
    with pytest.raises(Conflict):
        desk.decide("decline", "поздно")


def test_a_sku_that_is_taken_meanwhile_keeps_its_offer(desk: Desk) -> None:
    make.offer(desk.market, make.product(desk.leaf, "Другая"), sku="N-1")
    desk.decide("approve")
    assert session.scalar(sa.select(sa.func.count()).where(Offer.sku == "N-1")) == 1


@pytest.mark.parametrize(
    ("decision", "note", "category", "pointer"),
    [
        ("approve", "", "no-such", "/category"),
        ("decline", " ", "", "/note"),
        ("revise", "", "", "/note"),
        ("burn", "", "", "/decision"),
    ],
)
def test_a_decision_that_lacks_something_leaves_all_as_it_was(
    desk: Desk, decision: str, note: str, category: str, pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        desk.decide(decision, note, category)
    assert refused.value.errors[0].pointer == pointer
    assert moderation.counts()["pending"] == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(Product)) == 0


def test_a_barcode_of_another_card_stops_the_approval_whole(desk: Desk) -> None:
    make.product(desk.leaf, "Первая", barcode=SAID["barcode"])
    session.commit()
    with pytest.raises(Invalid) as refused:
        desk.decide("approve")
    assert refused.value.errors[0].code == "barcode_taken"
    assert session.scalar(sa.select(sa.func.count()).select_from(Product)) == 1


def test_sent_back_mended_and_sent_again(desk: Desk) -> None:
    desk.decide("revise", "Уточните бренд")
    assert [p.note for p in moderation.proposals("revision_requested", desk.seller.seller_id)] == ["Уточните бренд"]
    with pytest.raises(NotFound):
        moderation.send_again(desk.other, desk.change.public_id, {"brand": "Чужой"})
    with pytest.raises(Invalid):
        moderation.send_again(desk.seller, desk.change.public_id, {"name_ru": " "})
    moderation.send_again(desk.seller, desk.change.public_id, {"brand": "Волма", "price": "1", "sku": "X"})
    [again] = moderation.proposals("pending", desk.seller.seller_id)
    assert (again.text("brand"), again.price, again.text("sku")) == ("Волма", 45_000, "N-1")
    assert moderation.proposals("pending", desk.other.seller_id) == []


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("\u00a0", " ").split())


def test_operator_and_seller_on_their_pages(app: Flask, desk: Desk) -> None:
    make.ready()
    session.commit()
    operator = people.signed_browser(app, desk.operator)
    seller = people.signed_browser(app, desk.seller)
    page = operator.get("/admin/proposals")
    assert "1 товар ждёт решения" in text_of(page)
    assert re.search(rf'<option value="{desk.leaf.slug}" selected>', page.text)
    path = f"/admin/proposals/{desk.change.public_id}"
    refused = operator.post(path, data={"decision": "revise", "note": ""})
    assert (refused.status_code, "Замечание продавцу: Заполните это поле" in text_of(refused)) == (422, True)
    assert operator.post(path, data={"decision": "revise", "note": "Какой вес?"}).status_code == 303
    assert "Какой вес?" in seller.get("/seller/proposals?state=revision_requested").text
    own = f"/seller/proposals/{desk.change.public_id}"
    assert people.signed_browser(app, desk.other).post(own, data={"name_ru": "Чужое"}).status_code == 404
    assert seller.post(own, data={"name_ru": ""}).status_code == 422
    assert seller.post(own, data={"name_ru": "Шпаклёвка 25 кг"}).status_code == 303
    assert "Шпаклёвка 25 кг" in operator.get("/admin/proposals").text
    assert operator.post(path, data={"decision": "approve", "category": desk.leaf.slug}).status_code == 303
    assert "Шпаклёвка 25 кг" in seller.get("/seller/offers").text
