"""What a buyer does on the way to a choice: sorting sellers, comparing, hearts, lists into the cart."""

from __future__ import annotations

import html
import re
import uuid
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.accounts import service as accounts
from app.accounts import sites
from app.accounts.service import Client, NewUser
from app.catalog import listing, lists
from app.catalog.facts import truck_kg
from app.catalog.listing import Filters, ToSite
from app.core.db import session
from app.core.errors import Invalid, NotFound, Stale
from app.offers.models import Seller
from app.orders import list_to_cart, queries
from tests.factories import catalog as make
from tests.factories import orders as people


class Shop:
    """Three paints of two sellers and a brush of another section."""

    def __init__(self) -> None:
        self.market = make.market(sellers=2)
        self.place, other = make.category("Краски"), make.category("Кисти")
        colour = make.attribute(self.place, "colour")
        self.paints = [
            make.product(self.place, f"Краска {n}", unit="can", content=("kg", 1, 9), values={colour: value})
            for n, value in enumerate(("белая", "белая", "синяя", "серая"))
        ]
        self.brush = make.product(other, "Кисть", unit="pcs")
        for paint in self.paints:
            make.offer(self.market, paint, 0, price=90_000, stock=5, lead_time_days=3)
            make.offer(self.market, paint, 1, price=100_000, stock=50)
        make.offer(self.market, self.brush, 0, price=20_000, stock=0)
        for actor, rating in zip(self.market.sellers, ("4.10", "4.90"), strict=True):
            session.get_one(Seller, actor.seller_id).rating = Decimal(rating)
        self.names = [f"Продавец {actor.seller_id}" for actor in self.market.sellers]
        make.ready()

    def id(self, number: int = 0) -> str:
        return str(self.paints[number].public_id)


@pytest.fixture
def shop(db_session: Any) -> Shop:
    return Shop()


def text_of(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).replace("\u00a0", " ").split())


def test_sellers_are_sorted_and_delivery_is_that_of_lists(app: Flask, client: FlaskClient, shop: Shop) -> None:
    path = f"/product/{shop.paints[0].slug}"

    def order(sort: str) -> list[str]:
        rows = re.findall(r'<th scope="row"><b>([^<]+)</b>', client.get(f"{path}?sort={sort}").text)
        return [name for name in rows if name in shop.names]

    first, second = shop.names
    assert [order(s) for s in ("price", "rating", "date", "zzz")] == [
        [first, second], [second, first], [second, first], [first, second],
    ]  # fmt: skip
    assert "Выберите, куда везти" in text_of(client.get(path))
    calls = people.signed_api(app, people.person())
    site = f"{people.SITE['lat']},{people.SITE['lon']}"
    api_path = f"/products/{shop.id()}/offers"
    assert {o["delivered_price"] for o in calls.get(api_path).json} == {None}
    by_json = [o["delivered_price"]["amount"] for o in calls.get(f"{api_path}?site={site}").json]
    [listed] = [
        p["delivered"]["amount"]
        for p in calls.get(f"/products?category={shop.place.slug}&site={site}").json["items"] if p["id"] == shop.id()
    ]  # fmt: skip
    assert min(by_json) == listed > 90_000
    client.post("/site", data={"lat": str(people.SITE["lat"]), "lon": str(people.SITE["lon"])})
    said = text_of(client.get(f"{path}?sort=delivered"))
    for amount in by_json:
        assert f"{amount // 100:,}".replace(",", " ") in said
    assert order("delivered") == [first, second]


@given(
    mass=st.decimals(0, 5000, places=4), volume=st.decimals(0, 20, places=6), rate=st.integers(0, 10**7),
    price=st.integers(1, 10**8),
)  # fmt: skip
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_page_counts_delivery_as_lists_do(
    db_session: Any, mass: Decimal, volume: Decimal, rate: int, price: int
) -> None:  # fmt: skip
    with db_session.get_bind().begin_nested() as mark:
        market = make.market()
        thing = make.product(make.category(), mass_kg=mass, volume_m3=volume)
        make.offer(market, thing, price=price)
        make.ready()
        to_site = ToSite({market.sellers[0].seller_id: rate})
        [item], _next = listing.page(Filters(product_ids=[thing.id], to_site=to_site), [], "newest", None, 1)
        share = to_site.share(market.sellers[0].seller_id, truck_kg(mass, volume), Fraction(1))
        assert item.delivered == price + (share or 0)
        assert share is not None
        db_session.remove()
        mark.rollback()


def test_four_products_are_compared_and_a_fifth_is_refused(client: FlaskClient, shop: Shop) -> None:
    assert "Сравнивать пока нечего" in text_of(client.get("/compare"))
    for number in range(3):
        assert client.post("/compare", data={"toggle": shop.id(number), "next": "/catalog"}).status_code == 303
    listed = client.get(f"/catalog/{shop.place.slug}").text
    assert len(re.findall(r'name="toggle" value="[^"]+" aria-pressed="true"', listed)) == 3
    part = client.post("/compare", data={"toggle": str(shop.brush.public_id)}, headers={"HX-Request": "true"})
    assert 'hx-swap-oob="true"' in part.text
    assert "В сравнении: 4 из 4." in text_of(part)
    refused = client.post("/compare", data={"toggle": shop.id(3)}, follow_redirects=True)
    assert "В сравнении уже четыре товара" in text_of(refused)
    page = client.get("/compare")
    said = text_of(page)
    assert all(name in said for name in ("Краска 0", "Краска 1", "Краска 2", "Кисть", "900 ₽"))
    assert "Краска 3" not in said
    assert "из разных разделов" in said
    shared = re.findall(r'href="(/compare\?ids=[^"]+)"', page.text)[0].replace("&amp;", "&")
    stranger = client.application.test_client()
    assert "Кисть" in text_of(stranger.get(shared))
    pair = stranger.get(f"/compare?ids={shop.id(0)},{shop.id(2)},zzz&only=differences")
    assert re.findall(r'<tr class="is-different"><th scope="row">(\w+)', pair.text) == ["Colour"]
    assert "Бренд" not in text_of(pair)
    client.post("/compare", data={"toggle": shop.id(0)})
    assert "Краска 0" not in text_of(client.get("/compare"))
    client.post("/compare", data={"clear": "1"})
    assert "Сравнивать пока нечего" in text_of(client.get("/compare"))
    assert client.post("/compare", data={"toggle": "zzz"}).status_code == 404


def test_a_heart_pressed_before_signing_in_is_there_after_it(client: FlaskClient, shop: Shop) -> None:
    accounts.register(NewUser("heart@test.example", "correct horse battery", "Ольга"), Client(uuid.uuid4(), "", ""))
    path = f"/product/{shop.paints[1].slug}"
    pressed = client.post("/lists/favourites", data={"product": shop.id(1), "next": path})
    assert pressed.location.startswith("/login?next=")
    signing = {"email": "heart@test.example", "password": "correct horse battery", "next": path}
    assert client.post("/login", data=signing).location == path
    assert f'name="product" value="{shop.id(1)}" aria-pressed="true"' in client.get(path).text
    listed = f"/catalog/{shop.place.slug}"
    assert f'value="{shop.id(1)}" aria-pressed="true"' in client.get(listed).text
    stranger = client.application.test_client()
    assert 'aria-pressed="true"' not in stranger.get(listed).text  # the list is kept for all, the marks are not
    part = client.post("/lists/favourites", data={"product": shop.id(1)}, headers={"HX-Request": "true"})
    assert 'aria-pressed="false"' in part.text
    assert 'aria-pressed="true"' not in client.get(listed).text
    assert client.post("/lists/favourites", data={"product": "zzz"}).status_code == 404


def test_a_list_goes_into_the_cart_and_says_what_could_not(app: Flask, client: FlaskClient, shop: Shop) -> None:
    buyer = people.person()
    session.commit()
    page = people.signed_browser(app, buyer)
    assert page.post("/lists", data={"name": "  "}).status_code == 422
    made = page.post("/lists", data={"name": " Баня  у реки ", "add": shop.id(0)}).location
    wanted = ((0, "3", "can"), (1, "90", "kg"), (2, "80", "can"))
    for number, quantity, unit in wanted:
        data = {"product": shop.id(number), "quantity": quantity, "unit": unit}
        assert page.post(f"{made}/items", data=data).status_code == 303
    bad = page.post(f"{made}/items", data={"product": shop.id(0), "quantity": "много", "unit": "can"})
    assert bad.status_code == 422
    assert 'value="много"' in bad.text
    page.post(f"{made}/items", data={"product": str(shop.brush.public_id)})
    shown = text_of(page.get(made))
    assert "Баня у реки" in shown
    assert "4 товара" in shown
    told = text_of(page.post(f"{made}/to-cart", follow_redirects=True))
    assert "3 товара из списка в корзине." in told
    assert "Краска 2: 50 канистр" in told
    assert "Кисть: " in told
    plan = queries.cart_plan(buyer, "")
    lines = {line.offer.name_ru: (line.offer.seller_name, line.quantity) for line in plan.lines}
    cheap, stocked = shop.names
    assert lines == {
        "Краска 0": (cheap, 3),  # the cheapest has enough
        "Краска 1": (stocked, 10),  # 90 kg are 10 cans, and the cheapest has 5
        "Краска 2": (stocked, 50),  # nobody has 80: who has the most
    }
    stale = page.post(f"{made}/name", data={"name": "Дом", "version": "9"})
    assert stale.status_code == 412
    assert 'value="Дом"' in stale.text
    assert page.post(f"{made}/name", data={"name": "Дом", "version": "1"}).status_code == 303
    assert "Удалить список «Дом»?" in text_of(page.get(f"{made}/delete"))
    assert page.post(f"{made}/delete").status_code == 303
    assert page.get(made).status_code == 404


def test_lists_have_bounds_and_one_owner(app: Flask, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, other = people.person(), people.person()
    session.commit()
    monkeypatch.setattr(lists, "MOST_LISTS", 2)
    monkeypatch.setattr(lists, "MOST_ITEMS", 2)
    made = lists.create(owner, "Баня")
    paints = [paint.public_id for paint in shop.paints]
    for paint in (*paints[:2], paints[0]):
        lists.put(owner, made, paint, Decimal(2))
    with pytest.raises(Invalid):
        lists.put(owner, made, paints[2])
    with pytest.raises(Invalid):
        lists.put(owner, made, paints[0], Decimal(1), "sheet")
    with pytest.raises(Stale):
        lists.rename(owner, made, "Дом", 5)
    for attempt in (lambda: lists.put(other, made, paints[0]), lambda: lists.remove(other, made),
                    lambda: list_to_cart.put(other, made)):  # fmt: skip
        with pytest.raises(NotFound):
            attempt()
    assert lists.favour(owner, paints[0])
    assert not lists.favour(owner, paints[0])
    assert not lists.favour(owner, paints[0], on=False)
    assert lists.favour(owner, paints[0], on=True)
    [hearts, named] = lists.lists_of(owner.user)
    assert (hearts.is_favourites, hearts.items, named.items) == (True, 1, 2)
    for refused in (lambda: lists.remove(owner, hearts.public_id), lambda: lists.create(owner, "Третий"),
                    lambda: lists.rename(owner, hearts.public_id, "Мои")):  # fmt: skip
        with pytest.raises(Invalid):
            refused()
    by_json(app, shop, owner, str(made))


def by_json(app: Flask, shop: Shop, owner: Any, made: str) -> None:
    """The same lists by the API."""
    sites.add(owner, {"title": "Дача", **people.SITE})
    calls = people.signed_api(app, owner)
    session.commit()
    rows = calls.get("/me/lists").json["items"]
    assert [(row["favourites"], row["items"]) for row in rows] == [(True, 1), (False, 2)]
    renamed = calls.patch(f"/me/lists/{made}", {"name": "Дом"}, headers={"If-Match": '"1"'})
    assert (renamed.status_code, renamed.headers["ETag"]) == (200, '"2"')
    assert calls.patch(f"/me/lists/{made}", {"name": "Сад"}, headers={"If-Match": '"1"'}).status_code == 412
    assert calls.delete(f"/me/lists/{made}/items/{shop.id(1)}").status_code == 204
    put = calls.post(f"/me/lists/{made}/items", {"product": shop.id(0), "quantity": "80", "unit": "can"})
    assert [(i["product"], i["quantity"]) for i in put.json["items"]] == [(shop.id(0), "80")]
    moved = calls.post(f"/me/lists/{made}/to-cart").json
    assert moved["not_as_wanted"] == [{"product": shop.id(0), "code": "stock", "in_cart": "50"}]
    assert moved["cart"]["lines"][0]["quantity"] == "50"
    assert calls.post("/me/favourites", {"product": shop.id(2)}).status_code == 204
    assert calls.delete(f"/me/favourites/{shop.id(2)}").status_code == 204
    assert calls.delete(f"/me/lists/{made}").status_code == 204
    assert calls.get(f"/me/lists/{made}").status_code == 404
