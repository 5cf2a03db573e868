"""Lists: facets count what the filters would leave, pages neither lose nor repeat a product."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from app.catalog import listing, queries
from app.catalog.listing import Filters
from app.catalog.models import Category, Product
from app.core.db import session
from app.core.errors import Invalid
from app.offers.models import Offer
from tests.factories import catalog as make

pytestmark = pytest.mark.usefixtures("db_session")
COLOURS, SIZES, BRANDS = ("red", "green", "blue"), ("5", "10", "25"), ("Альфа", "Бета")


@dataclass
class Shelf:
    """A category full of products, with what is true of each."""

    place: Category
    known: list[queries.AttributeRow]
    truth: list[dict[str, object]]
    sellers: list[int]


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
            "sellers": frozenset(chance.sample(range(3), chance.randint(1, 3))),
        }  # fmt: skip
        thing = make.product(
            place, "Краска", brand=facts["brand"], values={colour: facts["colour"], size: facts["size"]},
            content=("kg", 1, int(facts["size"])),
        )  # fmt: skip
        for seller in facts["sellers"]:
            make.offer(market, thing, seller, price=facts["price"], stock=facts["stock"])
        truth.append(facts | {"id": thing.id})
    make.ready()
    return Shelf(place, queries.attributes([place.id]), truth, [s.seller_id for s in market.sellers])


def passes(facts: dict[str, object], filters: Filters, sellers: list[int], but: str = "") -> bool:
    chosen = {key: values for key, values in filters.attributes.items() if key != but}
    wanted = {sellers.index(s) for s in filters.seller_ids}
    return (
        all(facts[key] in values for key, values in chosen.items())
        and (but == "price" or filters.price_min is None or facts["price"] >= filters.price_min)
        and (but == "price" or filters.price_max is None or facts["price"] <= filters.price_max)
        and (but == "seller" or not wanted or bool(wanted & facts["sellers"]))
        and (but == "in_stock" or not filters.in_stock or facts["stock"] > 0)
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
    )


def test_counts_equal_a_count_by_hand_for_random_filters(shelf: Shelf) -> None:
    chance = random.Random(3)
    for _ in range(40):
        filters = some_filters(shelf, chance)
        found = listing.facets(filters, shelf.known)
        assert found.total == sum(passes(f, filters, shelf.sellers) for f in shelf.truth), filters
        for facet in found.facets:
            for value in facet.values:
                others = [f for f in shelf.truth if passes(f, filters, shelf.sellers, facet.key)]
                true = sum(f[facet.key] == value.value for f in others)
                assert (value.count, value.selected) == (true, value.value in filters.attributes.get(facet.key, ()))
        by_seller = dict(found.sellers)
        for number, seller in enumerate(shelf.sellers):
            true = sum(number in f["sellers"] and passes(f, filters, shelf.sellers, "seller") for f in shelf.truth)
            assert by_seller.get(seller, 0) == true
        others = [f for f in shelf.truth if passes(f, filters, shelf.sellers, "in_stock")]
        assert found.in_stock == sum(f["stock"] > 0 for f in others)
        without = listing.without_each(filters, shelf.known)
        assert without == {k: sum(passes(f, filters, shelf.sellers, k) for f in shelf.truth) for k in without}


def test_pages_hold_every_product_once_in_order(shelf: Shelf) -> None:
    chance = random.Random(5)
    for sort in listing.SORTS:
        filters = replace(some_filters(shelf, chance), seller_ids=(), price_min=None)
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
        if sort == "newest":
            assert [i.id for i in found] == sorted((i.id for i in found), reverse=True)


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
    assert (item.offers_count, item.available, item.lead_time_days) == (2, Decimal(5), 1)


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
