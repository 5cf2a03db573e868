"""Pages of the catalogue: whole without script, state in the address, few queries."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import sites
from tests.factories import catalog as make
from tests.factories import orders as people


class Shop:
    """A category of three paints and an empty one beside."""

    def __init__(self) -> None:
        self.market = make.market(sellers=2)
        self.top = make.category("Отделка")
        self.place = make.category("Краски", self.top)
        self.colour = make.attribute(self.place, "colour")
        self.things = []
        for number, (colour, brand) in enumerate((("red", "Альфа"), ("red", "Бета"), ("blue", "Бета"))):
            thing = make.product(
                self.place, f"Краска {number}", unit="can", content=("kg", 1, 9), values={self.colour: colour},
                brand=brand,
            )  # fmt: skip
            self.offer = make.offer(self.market, thing, 0, price=(number + 1) * 100_000, stock=number * 10)
            make.offer(self.market, thing, 1, price=(number + 1) * 110_000, stock=5)
            self.things.append(thing)
        make.ready()

    @property
    def path(self) -> str:
        return f"/catalog/{self.place.slug}"


@pytest.fixture
def shop(db_session: Any) -> Shop:
    return Shop()


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("\u00a0", " ").split())


def cards(answer: Any) -> list[str]:
    return re.findall(r'<article class="card">.*?<h2><a[^>]*>([^<]+)</a>', answer.text, flags=re.S)


def test_home_asks_what_is_built_and_leads_to_estimates(client: FlaskClient, shop: Shop) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "Что строим?" in answer.text
    assert 'href="/estimates/new/aerated_block_wall"' in answer.text
    assert f'href="/catalog/{shop.top.slug}"' in answer.text


def test_the_tree_shows_all_sections_with_counts(client: FlaskClient, shop: Shop) -> None:
    answer = client.get("/catalog")
    assert answer.status_code == 200
    assert shop.path in answer.text


def test_a_category_lists_what_is_sold_with_prices_per_measure(client: FlaskClient, shop: Shop) -> None:
    answer = client.get(f"{shop.path}?sort=price")
    assert cards(answer) == ["Краска 0", "Краска 1", "Краска 2"]
    assert "1 000 ₽" in text_of(answer)
    assert "111,11 ₽/кг" in text_of(answer)
    assert "3 товара" in text_of(answer)


def test_filters_narrow_and_show_as_chips_to_take_away(client: FlaskClient, shop: Shop) -> None:
    answer = client.get(f"{shop.path}?colour=red&brand=Бета")
    assert cards(answer) == ["Краска 1"]
    assert answer.text.count('class="chip is-on"') == 2
    assert f'href="{shop.path}?colour=red"' in answer.text
    assert re.search(r'name="colour" value="red"[^>]* checked', answer.text)


def test_an_empty_list_names_the_filter_to_drop(client: FlaskClient, shop: Shop) -> None:
    answer = client.get(f"{shop.path}?colour=blue&brand=Альфа")
    assert cards(answer) == []
    assert "без «Бренд: Альфа»: 1 товар" in text_of(answer)
    assert "без «Colour: blue»: 1 товар" in text_of(answer)


def test_htmx_gets_the_list_alone_from_the_same_address(client: FlaskClient, shop: Shop) -> None:
    part = client.get(f"{shop.path}?colour=red", headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<div class="split left" id="results">')
    assert "<html" not in part.text


@pytest.mark.parametrize(
    "query",
    ["sort=x", "cursor=zzz", "price_min=abc", "seller=zz", "colour=", "odd=1", "in_stock=7", "price_min=" + "9" * 40],
)
def test_an_address_that_makes_no_sense_still_answers(client: FlaskClient, shop: Shop, query: str) -> None:
    assert client.get(f"{shop.path}?{query}").status_code == 200


def test_unknown_places_are_404(client: FlaskClient, shop: Shop) -> None:
    assert client.get("/catalog/none").status_code == 404
    assert client.get("/product/none").status_code == 404


def test_a_product_shows_sellers_side_by_side(client: FlaskClient, shop: Shop) -> None:
    answer = client.get(f"/product/{shop.things[1].slug}")
    said = text_of(answer)
    assert "2 продавца" in said
    assert "2 000 ₽" in said
    assert "2 200 ₽" in said
    assert 'action="/cart/lines"' in answer.text


def test_needed_measure_becomes_whole_packs_without_script(client: FlaskClient, shop: Shop) -> None:
    said = text_of(client.get(f"/product/{shop.things[1].slug}?need=43,2"))
    assert "5 канистр" in said
    assert "45 кг" in said
    for odd in ("0", "-1", "abc", "1e9", "99999999999"):
        assert client.get(f"/product/{shop.things[1].slug}?need={odd}").status_code == 200


def test_a_chosen_seller_stays_chosen(client: FlaskClient, shop: Shop) -> None:
    page = client.get(f"/product/{shop.things[1].slug}")
    other = re.findall(r'href="(/product/[^"]*offer=[^"]+)"', page.text)[0]
    chosen = client.get(other.replace("&amp;", "&"))
    assert other.rsplit("offer=", 1)[1] in re.findall(r'name="offer_id" value="([^"]+)"', chosen.text)


def test_search_finds_by_sku_and_forgives_the_layout(client: FlaskClient, shop: Shop) -> None:
    answer = client.get("/search?q=rhfcrf")
    assert len(cards(answer)) == 3
    assert "вы имели в виду «краска»" in text_of(answer)
    nothing = client.get("/search?q=ъъъъыыы")
    assert nothing.status_code == 200
    assert "ничего не нашлось" in text_of(nothing)
    suggested = client.get("/search/suggest?q=краск")
    assert "Краск<b>а</b>" in suggested.text
    assert "Краск а 0" in text_of(suggested)


@pytest.mark.parametrize("who", ["visitor", "guest with a cart", "signed in with a cart and a site"])
def test_pages_take_few_queries(
    app: Flask, client: FlaskClient, shop: Shop, who: str,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:  # fmt: skip
    if who.startswith("signed"):
        buyer = people.person()
        sites.add(buyer, {"title": "Дача", **people.SITE})
        client = people.signed_browser(app, buyer)
        client.post("/lists/favourites", data={"product": str(shop.things[0].public_id)})
    addresses = ["/", "/catalog", shop.path, f"{shop.path}?colour=red&in_stock=1", f"/product/{shop.things[0].slug}"]
    if who == "visitor":
        addresses.append("/search?q=краска")  # reading the words of a query takes up to three of them
    else:
        client.post("/cart/lines", data={"offer_id": str(shop.offer.public_id), "quantity": "1"})
    for address in addresses:
        client.get(address)
        with count_queries() as seen:
            assert client.get(address).status_code == 200
        assert len(seen) <= 5, (address, seen)
