"""A proposed product becomes a card with the seller's offer, or comes back with a note; nothing is decided twice."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.catalog.models import Product, ProductChange, ProductUnit
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.models import AuditEntry
from app.offers import change_queries, new_products
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
        new_products.decide(self.operator, self.change.public_id, decision, note, leaf)


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
    assert change_queries.counts()["approved"] == 1
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
    assert change_queries.counts()["pending"] == 1
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
    [row] = change_queries.page("revision_requested", desk.seller.seller_id)
    assert row.note == "Уточните бренд"
    card = row.card
    with pytest.raises(NotFound):
        new_products.send_again(desk.other, desk.change.public_id, card)
    with pytest.raises(Invalid):
        new_products.send_again(desk.seller, desk.change.public_id, card | {"fields": {"name_ru": " "}})
    mended = {"fields": card["fields"] | {"brand": "Волма"}, "base_unit": "bag", "units": card["units"]}
    new_products.send_again(desk.seller, desk.change.public_id, mended)
    [again] = change_queries.page("pending", desk.seller.seller_id)
    assert (again.card["fields"]["brand"], again.card["price"], again.card["sku"]) == ("Волма", 45_000, "N-1")
    assert change_queries.page("pending", desk.other.seller_id) == []
    desk.decide("approve")
    assert session.scalars(sa.select(Offer.sku)).all() == ["N-1"]


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("\u00a0", " ").split())


def test_operator_and_seller_on_their_pages(app: Flask, desk: Desk) -> None:
    make.ready()
    session.commit()
    operator = people.signed_browser(app, desk.operator)
    seller = people.signed_browser(app, desk.seller)
    page = operator.get("/admin/changes")
    assert "1 изменение ждёт решения" in text_of(page)
    assert re.search(rf'<option value="{desk.leaf.slug}" selected>', page.text)
    path = f"/admin/changes/{desk.change.public_id}"
    refused = operator.post(path, data={"decision": "revise", "note": ""})
    assert (refused.status_code, "Заполните это поле" in text_of(refused)) == (422, True)
    assert operator.post(path, data={"decision": "revise", "note": "Какой вес?"}).status_code == 303
    assert (
        seller.get("/seller/proposals?state=revision_requested").location == "/seller/changes?state=revision_requested"
    )
    assert "Какой вес?" in seller.get("/seller/changes?state=revision_requested").text
    own = f"/seller/changes/{desk.change.public_id}/mend"
    form = form_of(seller.get(own).text)
    assert form["u.0.barcode"] == SAID["barcode"]
    assert people.signed_browser(app, desk.other).post(own, data=form).status_code == 404
    wrong = seller.post(own, data=form | {"f.name_ru": "", "f.mass_kg": "тяжёлый"})
    assert (wrong.status_code, wrong.text.count('class="error"'), 'value="тяжёлый"' in wrong.text) == (422, 2, True)
    assert seller.post(own, data=form | {"f.name_ru": "Шпаклёвка 25 кг"}).status_code == 303
    assert "Шпаклёвка 25 кг" in operator.get("/admin/changes").text
    assert operator.post(path, data={"decision": "approve", "category": desk.leaf.slug}).status_code == 303
    assert "Шпаклёвка 25 кг" in seller.get("/seller/offers").text


def test_an_edit_walks_from_the_seller_to_the_buyer(app: Flask, desk: Desk) -> None:
    make.attribute(desk.leaf, "grain", "number", "mm")
    product = make.product(desk.leaf, "Шпаклёвка 20 кг", mass_kg=20)
    offer = make.offer(desk.market, product)
    session.commit()
    make.ready()
    operator, seller = people.signed_browser(app, desk.operator), people.signed_browser(app, desk.seller)
    card = f"/seller/offers/{offer.public_id}/card"
    form = form_of(seller.get(card).text)
    assert "Ничего не отличается от карточки" in text_of(seller.post(card, data=form))
    sent = seller.post(card, data=form | {"f.name_ru": "Шпаклёвка 25 кг", "a.grain": "0,2"})
    assert "<ins>25</ins>" in seller.get(sent.location).text
    path = sent.location.replace("/seller/", "/admin/")
    assert "<del>20</del>" in operator.get(path).text
    assert operator.post(path, data={"decision": "revise", "note": "А масса?"}).status_code == 303
    assert "А масса?" in seller.get(card).text
    again = form_of(seller.get(card).text)
    assert (again["f.name_ru"], again["a.grain"]) == ("Шпаклёвка 25 кг", "0.2")
    assert seller.post(card, data=again | {"f.mass_kg": "25", "version": "7"}).status_code == 412
    assert seller.post(card, data=again | {"f.mass_kg": "25"}).location == sent.location
    version = form_of(operator.get(path).text)["version"]
    assert operator.post(path, data={"decision": "approve", "version": version}).status_code == 303
    shown = app.test_client().get(f"/product/{product.slug}").text
    assert "Шпаклёвка 25 кг" in shown
    assert "0,2" in shown
    assert operator.post(f"{path}/revert").status_code == 303
    assert "Шпаклёвка 20 кг" in app.test_client().get(f"/product/{product.slug}").text


def form_of(page: str) -> dict[str, str]:
    """What a browser would send of the last form of the page."""
    form = page[page.rindex('<form class="panel') :].partition("</form>")[0]
    found = {}
    for tag in re.findall(r"<input [^>]+>", form):
        name, value = (re.search(rf' {key}="([^"]*)"', tag) for key in ("name", "value"))
        if name and (("checkbox" not in tag and "radio" not in tag) or " checked" in tag):
            found[name[1]] = html.unescape(value[1]) if value else ""
    for name, text in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S):
        found[name] = html.unescape(text)
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found
