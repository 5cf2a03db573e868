"""A duplicate goes into the card that stays: nothing sold, kept, wished for or paid changes; old ways lead on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import registry
from app.catalog import cards, dictionary
from app.catalog.models import Product, ProductUnit
from app.core.db import Base, session
from app.core.errors import Conflict, Invalid
from app.estimates.models import Estimate
from app.offers import card_changes, change_queries, listing, merging
from app.offers.imports.match import Catalogue
from app.offers.models import Offer, OfferStep
from app.orders.models import Cart, CartLine
from tests.factories import catalog as make
from tests.factories import orders as people
from tests.offers.test_invariants import broken


def test_every_pointer_at_a_product_is_considered() -> None:
    """A new table with a key to product must say here what a merge does with it (`merging.POINTERS`)."""
    assert registry.MODELS  # all tables are known
    found = {
        f"{table.name}.{key.parent.name}"
        for table in Base.metadata.tables.values()
        for key in table.foreign_keys
        if key.target_fullname in ("product.id", "product_unit.product_id")
    }
    assert found == set(merging.POINTERS)
    assert set(merging.UNIQUE) <= {name for name, policy in merging.POINTERS.items() if policy == merging.MOVE}
    for pointer, policy in merging.POINTERS.items():  # a row must not be twice where only one may be
        table = Base.metadata.tables[pointer.split(".")[0]]
        column = pointer.split(".")[1]
        unique = [set(c.columns.keys()) for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
        unique += [set(table.primary_key.columns.keys())]
        unique += [{c.name for c in i.columns} for i in table.indexes if i.unique]
        if policy == merging.MOVE and any(column in columns for columns in unique):
            assert pointer in merging.UNIQUE, f"{pointer}: say in UNIQUE what else makes a row unique"


class Shop:
    """Two cards of one thing, with what people have sold and wished for."""

    def __init__(self) -> None:
        self.market = make.market(sellers=3)
        self.leaf = make.category("Смеси")
        self.colour, self.size = (make.attribute(self.leaf, key) for key in ("colour", "size"))
        self.operator = people.person("Оператор", is_admin=True)
        self.pair()

    def pair(self, *units: dict[str, tuple[int, int]]) -> tuple[Product, Product]:
        """A survivor and a loser; `units`: code -> factor of each."""
        values = ({self.colour: "белый"}, {self.colour: "серый", self.size: "25"})
        made = [make.product(self.leaf, f"Клей плиточный {n}", values=values[n]) for n in (0, 1)]
        for product, more in zip(made, units, strict=False):
            for code, (top, bottom) in more.items():
                session.add(ProductUnit(product_id=product.id, code=code, numerator=top, denominator=bottom))
        session.flush()
        self.kept, self.gone = made
        return self.kept, self.gone

    def merge(self, *take: str) -> None:
        merging.merge(self.operator, self.kept.public_id, self.gone.public_id, take)


@pytest.fixture
def shop(db_session: Any) -> Shop:
    found = Shop()
    session.commit()
    make.ready()
    return found


FACTORS = st.sampled_from([(1, 1), (2, 1), (40, 1), (1, 25)])
UNITS = st.dictionaries(st.sampled_from(["pallet", "pack", "kg"]), FACTORS, max_size=3)
OFFERS = st.lists(
    st.tuples(
        st.integers(0, 2), st.booleans(), st.integers(0, 3), st.integers(100, 10**6), st.integers(0, 500),
        st.booleans(), st.integers(0, 9),
    ),
    max_size=6,
)  # fmt: skip

FACTS = {
    "offers": "SELECT o.id, o.seller_id, o.sku, o.price, o.unit, o.status, u.numerator::numeric / u.denominator"
    " FROM offer o JOIN product_unit u ON u.product_id = o.product_id AND u.code = o.unit",
    "ladders": "SELECT offer_id, from_quantity, price FROM offer_step",
    "stock": "SELECT offer_id, warehouse_id, on_hand, allocated, reserved FROM stock_level",
    "movements": "SELECT offer_id, sum(on_hand_delta), count(*) FROM stock_movement GROUP BY offer_id",
    "prices": "SELECT offer_id, old_price, new_price FROM price_change",
    "carts": "SELECT l.id, l.offer_id, l.quantity, l.price_seen, l.quantity * u.numerator / u.denominator AS base"
    " FROM cart_line l JOIN offer o ON o.id = l.offer_id"
    " JOIN product_unit u ON u.product_id = o.product_id AND u.code = o.unit",
}


def facts() -> dict[str, list[Any]]:
    return {name: sorted(map(tuple, session.execute(sa.text(sql)))) for name, sql in FACTS.items()}


def sell(shop: Shop, row: tuple[int, bool, int, int, int, bool, int]) -> None:
    seller, on_loser, unit, price, stock, ladder, wished = row
    product = shop.gone if on_loser else shop.kept
    codes = session.scalars(
        sa.select(ProductUnit.code).where(ProductUnit.product_id == product.id).order_by(ProductUnit.code)
    ).all()
    offer = make.offer(shop.market, product, seller, price=price, stock=stock)
    offer.unit = codes[unit % len(codes)]
    if ladder:
        session.add(OfferStep(offer_id=offer.id, from_quantity=Decimal(10), price=price - 1))
    if wished:
        cart = Cart(token_hash=f"{offer.id}".encode())
        session.add(cart)
        session.flush()
        session.add(CartLine(cart_id=cart.id, offer_id=offer.id, quantity=wished, price_seen=price))
    session.flush()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(UNITS, UNITS, OFFERS)
def test_what_is_sold_kept_and_wished_for_stays_the_same(
    shop: Shop, mine: dict[str, tuple[int, int]], theirs: dict[str, tuple[int, int]], rows: list[Any]
) -> None:
    kept, gone = shop.pair(mine, theirs)
    for row in rows:
        sell(shop, row)
    dictionary.write([kept.id, gone.id])
    listing.refresh([kept.id, gone.id])
    session.commit()
    before = facts()
    used = {offer.unit for offer in session.scalars(sa.select(Offer).where(Offer.product_id == gone.id))}
    differs = {code for code in used & set(mine) & set(theirs) if mine[code] != theirs[code]}
    if differs:
        with pytest.raises(Conflict, match="merge_unit_differs"):
            shop.merge()
        assert session.get_one(Product, gone.id).status == "active"
    else:
        shop.merge()
        assert session.get_one(Product, gone.id).merged_into_id == kept.id
        assert not session.scalars(sa.select(Offer.id).where(Offer.product_id == gone.id)).all()
    assert facts() == before
    assert broken() == set()


def test_old_ways_lead_to_the_card_that_stays(app: Flask, shop: Shop) -> None:
    shop.pair()
    kept, gone = shop.kept, shop.gone
    codes = {kept.id: "2000000000015", gone.id: "2000000000022"}
    for row in session.scalars(sa.select(ProductUnit).where(ProductUnit.product_id.in_(codes))):
        row.barcode = codes[row.product_id]
    make.offer(shop.market, kept, 0)
    make.offer(shop.market, gone, 0, sku="SAME-SELLER")
    offer = make.offer(shop.market, gone, 1)
    other = make.product(shop.leaf, "Третий клей", status="merged", merged_into_id=gone.id)
    chosen = {"m": {"product": str(gone.public_id)}}
    session.add(Estimate(token_hash=b"t", title="Дом", items=[], choices=chosen))
    session.commit()
    make.ready()
    edit = card_changes.send(shop.market.sellers[1], gone.public_id, {"fields": {"name_en": "X"}})
    article = gone.article
    assert str(kept.public_id) in [str(one.public_id) for one in merging.candidates(gone.public_id)]
    shop.merge("attributes/size", "fields/article")
    card = cards.read(kept.id)
    assert (card["attributes"], card["fields"]["article"]) == ({"colour": "белый", "size": "25"}, article)
    page = app.test_client().get(f"/product/{gone.slug}?need=3")
    assert (page.status_code, page.location) == (301, f"/product/{kept.slug}?need=3")
    assert app.test_client().get(f"/product/{other.slug}").location == f"/product/{kept.slug}"
    client = people.signed_api(app, shop.market.sellers[1])
    for tail in ("", "/offers"):
        moved = client.get(f"/products/{gone.public_id}{tail}")
        assert (moved.status_code, moved.headers["Location"]) == (308, f"/api/v1/products/{kept.public_id}{tail}")
    assert len(client.get(f"/products/{kept.public_id}/offers").json) == 3
    for barcode in codes.values():
        assert Catalogue().find(barcode=barcode, brand="", article="", name="").product_id == kept.id
        assert [i["slug"] for i in client.get(f"/products?q={barcode}").json["items"]] == [kept.slug]
    assert Catalogue().find(barcode="", brand=gone.brand, article=article, name="").product_id == kept.id
    assert [i["slug"] for i in client.get("/products?q=клей плиточный").json["items"]] == [kept.slug]
    assert session.scalars(sa.select(Estimate.choices)).one() == {"m": {"product": str(kept.public_id)}}
    assert change_queries.find(edit.public_id).status == "withdrawn"
    assert client.get(f"/seller/offers/{offer.public_id}").json["product"] == str(kept.public_id)
    wrong = client.post("/seller/offers", {"product": str(gone.public_id), "sku": "Z", "unit": "bag",
                                           "price": {"amount": 100, "currency": "RUB"}})  # fmt: skip
    assert wrong.json["errors"][0]["code"] == "unknown_product"


def test_quantities_that_would_change_stop_a_merge(app: Flask, shop: Shop) -> None:
    kept, gone = shop.kept, make.product(shop.leaf, "Клей в штуках", unit="pcs")
    make.offer(shop.market, gone)
    session.commit()

    def refusal(*take: str) -> str:
        try:
            merging.merge(shop.operator, kept.public_id, gone.public_id, take)
        except (Conflict, Invalid) as refused:
            return refused.code
        return ""

    assert refusal() == "merge_base_differs"
    unit = ProductUnit(product_id=kept.id, code="pcs", numerator=2, denominator=1)
    session.add(unit)
    session.commit()
    assert refusal() == "merge_base_differs"
    unit.numerator, unit.step = 1, Decimal(5)
    session.commit()
    assert refusal() == "merge_step_differs"
    unit.step = Decimal(1)
    session.commit()
    assert refusal("fields/nothing") == "invalid_fields"
    operator = people.signed_browser(app, shop.operator)
    page = operator.get(f"/admin/products/{kept.public_id}/merge?other={gone.slug}")
    assert "Клей в штуках" in page.text
    form = {"other": str(gone.public_id), "version": "1", "other_version": "1", "take.fields/name_ru": "other"}
    assert operator.post(f"/admin/products/{kept.public_id}/merge", data=form | {"version": "9"}).status_code == 409
    assert operator.post(f"/admin/products/{kept.public_id}/merge", data=form).status_code == 303
    assert "Клей в штуках" in operator.get(f"/admin/products/{kept.public_id}").text
    assert gone.slug not in operator.get("/admin/products?q=клей").text
    assert "Клей в штуках" in operator.get("/admin/products?status=merged").text
    assert operator.post(f"/admin/products/{gone.public_id}", data={"hidden": "1"}).status_code == 404
