"""Search finds the right thing in every form people type it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.catalog import listing, queries, search
from app.catalog.listing import Filters
from app.catalog.models import Product
from app.core.db import session
from app.offers.models import Offer, Seller
from tests.factories import catalog as make

pytestmark = pytest.mark.usefixtures("db_session")
BARCODES = {"profile": "4600000000017", "cement": "4600000000024"}


@pytest.fixture
def goods(db_session: object) -> dict[str, int]:
    market = make.market()
    mixes = make.category("Сухие смеси", synonyms=["плиточный клей"])
    metal = make.category("Профили")
    made = {}
    for key, place, name, brand, english in (
        ("cement", mixes, "Цемент М500 Новоросцемент, 50 кг", "Новоросцемент", "Cement M500"),
        ("glue", mixes, "Клей для плитки Церезит СМ11, 25 кг", "Ceresit", "Tile adhesive Ceresit CM11"),
        ("profile", metal, "Профиль потолочный 60х27, 3 м", "Knauf", "Ceiling profile 60x27"),
        ("other", metal, "Профиль направляющий 28х27, 3 м", "Knauf", "Guide profile 28x27"),
        ("brush", metal, "Щётка по металлу", "Зубр", "Wire brush"),
    ):
        thing = make.product(
            place, name, brand=brand, name_en=english, article=f"ART-{key}", barcode=BARCODES.get(key, "")
        )
        make.offer(market, thing, sku=f"SKU-{key}-1")
        made[key] = thing.id
    make.ready()
    return made


def found(text: str) -> list[int]:
    match = search.match(text)
    if match is None:
        return []
    return [i.id for i in listing.page(Filters(match=match), [], "relevance", None, 5)[0]]


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("цемент", "cement"),
        ("цементы", "cement"),
        ("wtvtyn", "cement"),
        ("cement", "cement"),
        ("цимент", "cement"),
        ("цементт м500", "cement"),
        ("tsement", "cement"),
        ("профиль 60х27", "profile"),
        ("профиль 60*27", "profile"),
        ("профиль 60x27", "profile"),
        ("ghjabkm 60x27", "profile"),
        ("щетка", "brush"),
        ("ЩЁТКА", "brush"),
        ("ceresit", "glue"),
        ("церезит", "glue"),
        ("плиточный клей", "glue"),
        ("art-glue", "glue"),
        ("ryfea 60x27", "profile"),
        ("кнауф профиль 60х27", "profile"),
        ("клец церезит", "glue"),
        ("келй cm11", "glue"),
        ("клей см 11", "glue"),
        ("цемент 50кг", "cement"),
        ("щет", "brush"),
        ("gjnjkjxysq 60[27", "profile"),
        ("SKU-BRUSH-1", "brush"),
    ],
)
def test_the_right_thing_comes_first(goods: dict[str, int], typed: str, key: str) -> None:
    assert found(typed)[:1] == [goods[key]]


def test_an_exact_number_finds_only_its_product(goods: dict[str, int]) -> None:
    assert found("ART-profile") == [goods["profile"]]
    assert found("4600000000017") == [goods["profile"]]


def test_an_sku_of_a_hidden_offer_finds_nothing_exact(goods: dict[str, int]) -> None:
    session.query(Offer).filter_by(sku="SKU-cement-1").update({"status": "hidden"})
    make.ready()
    assert goods["cement"] not in found("SKU-cement-1")


def test_it_says_what_was_meant(goods: dict[str, int]) -> None:
    match = search.match("wtvtyn")
    assert match is not None
    assert match.meant == "цемент"
    exact = search.match("цемент")
    assert exact is not None
    assert exact.meant is None


def test_words_that_nothing_has_are_left_out_and_named(goods: dict[str, int]) -> None:
    match = search.match("цемент синхрофазотрон м500")
    assert match is not None
    assert (match.meant, match.dropped) == ("цемент м500", ("синхрофазотрон",))
    assert found("цемент синхрофазотрон м500") == [goods["cement"]]
    assert found("синхрофазотрон") == []


def test_a_product_nobody_sells_is_no_answer(goods: dict[str, int]) -> None:
    session.query(Offer).filter_by(sku="SKU-brush-1").update({"status": "hidden"})
    make.ready()
    assert found("щетка по металлу") == []


def test_in_stock_and_better_sellers_come_first(goods: dict[str, int]) -> None:
    market = make.market(sellers=3)
    place = make.category("Вёдра")
    ids = []
    for seller, (stock, rating) in enumerate(((0, 5), (9, 2), (9, 5))):
        thing = make.product(place, "Ведро оцинкованное")
        make.offer(market, thing, seller, stock=stock)
        session.get_one(Seller, market.sellers[seller].seller_id).rating = rating
        ids.append(thing.id)
    make.ready()
    assert found("ведро") == [ids[2], ids[1], ids[0]]


def test_suggestions_complete_the_word_that_is_being_typed(goods: dict[str, int]) -> None:
    for typed in ("пот", "профиль пот", "ghjabkm gjn", "60х2"):
        match = search.match(typed, typing=True)
        assert match is not None, typed
        assert queries.suggestions(match)[0].public_id == session.get_one(Product, goods["profile"]).public_id, typed


def test_few_queries_read_a_query(
    goods: dict[str, int], count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    for typed, most in (("цемент м500", 3), ("цимент м500", 4), ("ART-glue", 1)):
        with count_queries() as seen:
            search.match(typed)
        assert len(seen) <= most, seen


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_answered(goods: dict[str, int], typed: str) -> None:
    found(typed)
    match = search.match(typed, typing=True)
    if match:
        queries.suggestions(match)


@pytest.mark.parametrize("typed", ["", "   ", "ъъъъыыы", "%%%", "'; drop table product; --", "\\", "()&|!:*", "\x00"])
def test_odd_queries_are_answered(goods: dict[str, int], typed: str) -> None:
    assert goods["brush"] not in found(typed)
