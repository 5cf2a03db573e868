"""Search finds the right thing in every form people type it."""

from __future__ import annotations

import pytest

from app.catalog import listing, search
from app.catalog.listing import Filters
from app.core.db import session
from app.offers.models import Offer
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


@pytest.mark.parametrize("typed", ["", "   ", "ъъъъыыы", "%%%", "'; drop table product; --", "\\", "()&|!:*", "\x00"])
def test_odd_queries_are_answered(goods: dict[str, int], typed: str) -> None:
    assert goods["brush"] not in found(typed)
