"""Checkout by forms alone: place and time, then contact and payment; what changed is shown to be confirmed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.core.db import session
from app.core.permissions import Actor
from app.offers.models import Offer
from app.orders.models import OrderGroup
from tests.factories import orders as make
from tests.web.test_cart import put, text_of

PLACE = {"site": "new", "address": "Учебная ул., 1", "place": "sokolniki", "unloading": "self", "floor": "1"}
WHO = {"name": "Покупатель Демо", "phone": "8 (916) 123-45-67", "payment_method": "invoice", "comment": "ворота"}


class Visit:
    """A signed-in buyer with something in the cart."""

    def __init__(self, app: Flask, quantity: str = "3") -> None:
        self.market = make.market()
        self.offer: Offer = make.offer(self.market)
        self.buyer: Actor = make.person()
        self.client: FlaskClient = make.signed_browser(app, self.buyer)
        session.commit()
        put(self.client, self.offer, quantity)

    def quoted(self, **more: str) -> str:
        answer = self.client.post("/checkout/quote", data={**PLACE, **more})
        assert answer.status_code == 303, text_of(answer)
        found = re.search(r"quote=([0-9a-f-]+)", answer.headers["Location"])
        assert found is not None
        return found.group(1)


@pytest.fixture
def visit(app: Flask, db_session: Any) -> Visit:
    return Visit(app)


def test_a_guest_is_asked_to_sign_in_and_comes_back(client: FlaskClient) -> None:
    answer = client.get("/checkout")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login?next=/checkout")


def test_the_two_steps_place_the_order(visit: Visit) -> None:
    assert "Сокольники" in visit.client.get("/checkout").text
    quote = visit.quoted()
    second = visit.client.get(f"/checkout?quote={quote}")
    group_total = re.search(r"Заказать за ([\d\s\u00a0,]+)", second.text)
    assert group_total is not None
    answer = visit.client.post("/checkout", data={**WHO, "quote": quote})
    group = session.scalars(sa.select(OrderGroup)).one()
    assert answer.headers["Location"] == f"/orders/{group.number}?placed=1"
    assert (group.contact_phone, group.comment, group.site["address"]) == ("+79161234567", "ворота", PLACE["address"])
    page = visit.client.get(answer.headers["Location"])
    assert page.status_code == 200
    assert group.number in page.text


def test_sending_the_form_twice_makes_one_order(visit: Visit) -> None:
    quote = visit.quoted()
    first = visit.client.post("/checkout", data={**WHO, "quote": quote})
    second = visit.client.post("/checkout", data={**WHO, "quote": quote})
    assert first.headers["Location"] == second.headers["Location"]
    assert session.scalar(sa.select(sa.func.count()).select_from(OrderGroup)) == 1


def test_a_wrong_phone_keeps_what_was_typed(visit: Visit) -> None:
    quote = visit.quoted()
    answer = visit.client.post("/checkout", data={**WHO, "phone": "+7 914 222-33-1", "quote": quote})
    assert answer.status_code == 422
    assert "+7 914 222-33-1" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'href="#phone"' in answer.text
    assert session.scalar(sa.select(sa.func.count()).select_from(OrderGroup)) == 0


@pytest.mark.parametrize(
    "wrong", [{"address": ""}, {"place": ""}, {"place": "", "lat": "95", "lon": "37"}, {"slot": "2020-01-01/9-14"},
              {"slot": "soon/9-14"}, {"unloading": "magic"}, {"site": "00000000-0000-7000-8000-000000000000"}],
)  # fmt: skip
def test_a_wrong_first_step_is_refused(visit: Visit, wrong: dict[str, str]) -> None:
    answer = visit.client.post("/checkout/quote", data={**PLACE, **wrong})
    assert answer.status_code == 422
    assert 'id="error-summary"' in answer.text


def test_a_price_that_rose_is_shown_and_can_be_confirmed(visit: Visit) -> None:
    quote = visit.quoted()
    session.execute(sa.update(Offer).values(price=60_000))
    session.commit()
    answer = visit.client.post("/checkout", data={**WHO, "quote": quote})
    assert answer.status_code == 409
    assert "545 ₽" in text_of(answer)
    assert "600 ₽" in text_of(answer)
    fresh = re.search(r'name="quote" value="([0-9a-f-]+)"', answer.text)
    assert fresh is not None
    assert fresh.group(1) != quote
    again = visit.client.post("/checkout", data={**WHO, "quote": fresh.group(1)})
    assert again.status_code == 303
    assert session.scalars(sa.select(OrderGroup.goods)).one() == 180_000


def test_a_saved_site_is_offered_the_next_time(visit: Visit) -> None:
    visit.quoted()
    page = visit.client.get("/checkout").text
    site = session.execute(sa.text("SELECT public_id::text FROM site")).scalar_one()
    assert f'value="{site}" checked' in page
    assert visit.client.post("/checkout/quote", data={"site": site}).status_code == 303


def test_another_persons_quote_is_absent(app: Flask, visit: Visit) -> None:
    quote = visit.quoted()
    stranger = make.signed_browser(app, make.person())
    session.commit()
    foreign = stranger.get(f"/checkout?quote={quote}")
    absent = stranger.get("/checkout?quote=00000000-0000-7000-8000-000000000000")
    assert foreign.status_code == absent.status_code == 404
