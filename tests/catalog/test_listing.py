"""Lists: facets count what the filters would leave, pages neither lose nor repeat a product."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from app.catalog import listing, queries, search
from app.catalog.listing import Filters, ToSite
from app.catalog.models import Category, Product
from app.core.db import session
from app.core.errors import Invalid
from app.core.permissions import Actor
from app.offers import card_changes, service
from app.offers import listing as offers_listing
from app.offers.models import Offer
from tests.factories import catalog as make

pytestmark = pytest.mark.usefixtures("db_session")
LISTED = sa.text("SELECT * FROM product_listing ORDER BY product_id")
COLOURS, SIZES, BRANDS = ("red", "green", "blue"), ("5", "10", "25"), ("Альфа", "Бета")


@dataclass
class Shelf:
    """A category full of products, with what is true of each."""

    place: Category
    known: list[queries.AttributeRow]
    truth: list[dict[str, object]]
    sellers: list[int]
    actors: list[Actor]


@pytest.fixture
def shelf(db_session: object) -> Shelf:
    chance = random.Random(11)
    market = make.market(sellers=3)
    place = make.category("Краски")
    colour, size = make.attribute(place, "colour"), make.attribute(place, "size", "number", "kg", 1)
    truth = []
    for _ in range(40):
        facts: dict[str, object] = {
            "colour": chance.choice(COLOURS), "size": chance.choice(SIZES), "brand": chance.choice(BRANDS),
            "price": chance.randrange(1, 30) * 1000, "stock": chance.choice((0, 7)),
            "sellers": frozenset(chance.sample(range(3), chance.randint(1, 3))), "lead": chance.choice((0, 1, 5, 30)),
        }  # fmt: skip
        thing = make.product(
            place, "Краска", brand=facts["brand"], values={colour: facts["colour"], size: facts["size"]},
            content=("kg", 1, int(facts["size"])),
        )  # fmt: skip
        for seller in facts["sellers"]:
            make.offer(market, thing, seller, price=facts["price"], stock=facts["stock"], lead_time_days=facts["lead"])
        truth.append(facts | {"id": thing.id})
    make.ready()
    return Shelf(
        place, queries.attributes([place.id]), truth, [s.seller_id for s in market.sellers], list(market.sellers)
    )


def passes(facts: dict[str, object], filters: Filters, sellers: list[int], but: str = "") -> bool:
    chosen = {key: values for key, values in filters.attributes.items() if key != but}
    wanted = {sellers.index(s) for s in filters.seller_ids}
    stocked = facts["stock"] > 0
    return (
        all(facts[key] in values for key, values in chosen.items())
        and (but == "price" or filters.price_min is None or facts["price"] >= filters.price_min)
        and (but == "price" or filters.price_max is None or facts["price"] <= filters.price_max)
        and (but == "seller" or not wanted or bool(wanted & facts["sellers"]))
        and (but == "in_stock" or not filters.in_stock or stocked)
        and (but == "by" or filters.ready_days is None or (stocked and facts["lead"] <= filters.ready_days))
    )


def some_filters(shelf: Shelf, chance: random.Random) -> Filters:
    attributes = {}
    for key, values in (("colour", COLOURS), ("size", SIZES), ("brand", BRANDS)):
        if chance.random() < 0.5:
            attributes[key] = tuple(chance.sample(values, chance.randint(1, len(values))))
    return Filters(
        category_ids=[shelf.place.id],
        attributes=attributes,
        price_min=chance.choice((None, 5000)),
        price_max=chance.choice((None, 20_000)),
        seller_ids=tuple(chance.sample(shelf.sellers, chance.choice((0, 0, 1, 2)))),
        in_stock=chance.random() < 0.3,
        ready_days=chance.choice((None, None, None, 0, 2, 6)),
        match=search.match("краска") if chance.random() < 0.3 else None,
    )


def check_counts(shelf: Shelf, filters: Filters) -> None:
    """Every figure beside a filter is what a count of the products one by one gives."""

    def left(but: str = "") -> list[dict[str, object]]:
        return [f for f in shelf.truth if passes(f, filters, shelf.sellers, but)]

    found = listing.facets(filters, shelf.known)
    assert found.total == len(left()), filters
    assert [facet.key for facet in found.facets] == ["brand", "colour", "size"]
    for facet in found.facets:
        assert {v.value for v in facet.values} >= {f[facet.key] for f in shelf.truth}, "zero is shown"
        for value in facet.values:
            true = sum(f[facet.key] == value.value for f in left(facet.key))
            assert (value.count, value.selected) == (true, value.value in filters.attributes.get(facet.key, ()))
    by_seller = dict(found.sellers)
    for number, seller in enumerate(shelf.sellers):
        assert by_seller.get(seller, 0) == sum(number in f["sellers"] for f in left("seller"))
    assert found.in_stock == sum(f["stock"] > 0 for f in left("in_stock"))
    for days, count in found.ready.items():
        assert count == sum(f["stock"] > 0 and f["lead"] <= days for f in left("by"))
    prices = [f["price"] for f in left("price")]
    assert (found.price_low, found.price_high) == (min(prices, default=None), max(prices, default=None))
    assert found.without == {key: len(left(key)) for key in found.without}
    assert len(found.without) == len(filters.attributes) + sum(
        (filters.price_min or filters.price_max) is not None if name == "price" else bool(value)
        for name, value in (("price", 0), ("seller", filters.seller_ids), ("in_stock", filters.in_stock),
                            ("by", filters.ready_days is not None))
    )  # fmt: skip


def test_counts_equal_a_count_by_hand_for_random_filters(shelf: Shelf) -> None:
    chance = random.Random(3)
    for _ in range(120):
        check_counts(shelf, some_filters(shelf, chance))


def test_counts_follow_every_change_of_offers_cards_and_sellers(shelf: Shelf) -> None:
    chance = random.Random(8)
    for _ in range(12):
        facts = chance.choice(shelf.truth)
        for offer in session.query(Offer).filter_by(product_id=facts["id"]):
            facts["price"] = chance.randrange(1, 30) * 1000
            actor = next(s for s in shelf.actors if s.seller_id == offer.seller_id)
            service.edit_offer(actor, offer.public_id, {"price": facts["price"]})
            break
        facts["price"] = min(o.price for o in session.query(Offer).filter_by(product_id=facts["id"]))
        colour = facts["colour"] = chance.choice(COLOURS)
        card = session.get_one(Product, facts["id"])
        card_changes.edit(shelf.actors[0], card.public_id, {"attributes": {"colour": colour}})
        check_counts(shelf, some_filters(shelf, chance))
    before = session.execute(LISTED).all()
    offers_listing.rebuild()
    assert session.execute(LISTED).all() == before, "one command writes the same rows anew"


def test_pages_hold_every_product_once_in_order(shelf: Shelf) -> None:
    chance = random.Random(5)
    site = ToSite({s: n * 100_000 for n, s in enumerate(shelf.sellers[:2], start=1)}, (shelf.sellers[1],))
    for sort in listing.SORTS:
        filters = replace(some_filters(shelf, chance), seller_ids=(), price_min=None, to_site=site)
        found: list[listing.ListedProduct] = []
        cursor = None
        for _ in itertools.count():
            items, cursor = listing.page(filters, shelf.known, sort, cursor, 7)
            found += items
            if cursor is None:
                break
        true = {f["id"] for f in shelf.truth if passes(f, filters, shelf.sellers)}
        assert [i.id for i in found] == list(dict.fromkeys(i.id for i in found))
        assert {i.id for i in found} == true
        if sort == "price":
            assert [i.price_from for i in found] == sorted(i.price_from for i in found)
        if sort == "unit_price":
            assert [i.unit_price for i in found] == sorted(i.unit_price for i in found)
        if sort == "delivered":
            assert [i.delivered or listing.NOWHERE for i in found] == sorted(
                i.delivered or listing.NOWHERE for i in found
            )
        if sort == "newest":
            assert [i.id for i in found] == sorted((i.id for i in found), reverse=True)


def test_a_price_with_delivery_is_the_lowest_over_sellers_who_deliver(db_session: object) -> None:
    market = make.market(sellers=3)
    thing = make.product(make.category(), unit="bag", content=("kg", 1, 50), mass_kg=Decimal(50))
    for seller, price in enumerate((50_000, 60_000, 10_000)):
        make.offer(market, thing, seller, price=price)
    make.ready()
    near, far, nobody = (s.seller_id for s in market.sellers)
    site = ToSite({near: 400_000, far: 100_000})  # kopeks a tonne: 20,000 and 5,000 for a bag of 50 kg
    [item], _ = listing.page(Filters([thing.category_id], to_site=site), [], "delivered", None, 5)
    assert (item.delivered, item.delivered_unit) == (65_000, 1300)
    [item], _ = listing.page(Filters([thing.category_id], to_site=ToSite({near: 100_000})), [], "delivered", None, 5)
    assert item.delivered == 55_000
    [item], _ = listing.page(Filters([thing.category_id], to_site=ToSite({})), [], "relevance", None, 5)
    assert item.delivered is None
    assert nobody not in site.per_tonne


def test_goods_in_stock_near_the_site_come_first(db_session: object) -> None:
    market = make.market(sellers=2)
    place = make.category()
    for seller, stock in ((0, 0), (0, 5), (1, 5)):
        make.offer(market, make.product(place, f"Товар {seller}{stock}"), seller, stock=stock)
    make.ready()
    here = ToSite({}, (market.sellers[1].seller_id,))
    items, _ = listing.page(Filters([place.id], to_site=here), [], "relevance", None, 5)
    assert [i.name_ru for i in items] == ["Товар 15", "Товар 05", "Товар 00"]


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "WyIxIl0", "WyJOYU4iLCAiMSJd", "🙂", "W10"])
def test_a_foreign_cursor_is_refused(shelf: Shelf, cursor: str) -> None:
    with pytest.raises(Invalid):
        listing.page(Filters(category_ids=[shelf.place.id]), shelf.known, "price", cursor, 5)


def test_the_list_says_what_the_offers_say(db_session: object) -> None:
    market = make.market(sellers=2)
    thing = make.product(make.category(), unit="sheet", content=("m2", 1, 3))
    make.offer(market, thing, 0, price=90_000, stock=5, lead_time_days=2)
    make.offer(market, thing, 1, price=81_000, stock=0, lead_time_days=1)
    make.offer(market, thing, 0, price=10_000, stock=9, status="hidden")
    make.ready()
    [item], _ = listing.page(Filters(category_ids=[thing.category_id]), [], "relevance", None, 5)
    assert (item.price_from, item.unit_price, item.content_unit) == (81_000, 27_000, "m2")
    assert (item.offers_count, item.available) == (2, Decimal(5))
    assert item.lead_time_days == 2, "the day is promised by who has it in stock"


def test_a_product_nobody_sells_is_in_no_list(db_session: object) -> None:
    market = make.market()
    thing = make.product(make.category())
    offer = make.offer(market, thing)
    make.ready()
    session.get_one(Offer, offer.id).status = "hidden"
    make.ready()
    assert listing.page(Filters(category_ids=[thing.category_id]), [], "relevance", None, 5) == ([], None)
    session.get_one(Product, thing.id)


def test_counts_of_the_tree_add_up() -> None:
    market = make.market()
    top = make.category("Верх")
    middle = make.category("Середина", top)
    leaves = [make.category(f"Лист {n}", middle) for n in range(2)]
    for leaf in (*leaves, leaves[0]):
        make.offer(market, make.product(leaf))
    make.ready()
    trail = queries.find_category(queries.tree(), leaves[0].slug)
    assert [(n.id, n.products) for n in trail] == [(top.id, 3), (middle.id, 3), (leaves[0].id, 2)]
    assert queries.trail_of(queries.tree(), leaves[0].id) == trail
    assert sorted(trail[0].leaves()) == sorted([top.id, middle.id, *(leaf.id for leaf in leaves)])
