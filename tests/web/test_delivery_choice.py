"""Choosing a delivery by forms alone: carriers, windows, the counter, parts, one truck; the order after it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app.core import clock
from app.core.db import session
from app.logistics.models import Vehicle
from app.offers.models import Warehouse
from app.orders import fulfilments, service
from app.orders.models import Fulfilment, Order, OrderGroup
from tests.factories import orders as make
from tests.orders.test_slots import MORNING, declared
from tests.web.test_cart import put, text_of
from tests.web.test_checkout import PLACE, WHO, Visit


@pytest.fixture
def visit(app: Flask, db_session: Any) -> Visit:
    made = Visit(app)
    declared(made.market, MORNING)
    session.execute(sa.update(Warehouse).values(allows_pickup=True))
    session.commit()
    return made


def link_of(visit: Visit, quote: str) -> str:
    """The way to the choice of the first group."""
    page = visit.client.get(f"/checkout?quote={quote}").text
    found = re.search(r'href="(/checkout/quote/[^"]+)"', page)
    assert found is not None
    return found.group(1)


def followed(answer: TestResponse) -> str:
    assert answer.status_code == 303, text_of(answer)
    return answer.headers["Location"].partition("quote=")[2]


def option_on(page: str) -> str:
    found = re.search(r'name="how" value="([0-9a-f-]{36})"', page)
    assert found is not None
    return found.group(1)


def test_a_window_a_counter_and_parts_are_chosen_by_forms(visit: Visit) -> None:
    link = link_of(visit, visit.quoted())
    page = visit.client.get(link).text
    option, day = option_on(page), clock.today() + timedelta(days=3)
    slot = f"{day.isoformat()}/9-12"
    assert f'value="{slot}"' in page
    quote = followed(visit.client.post(link, data={"how": option, "slot": slot}))
    assert f'value="{slot}" checked' in visit.client.get(link_of(visit, quote)).text
    wrong = visit.client.post(link, data={"how": option, "slot": f"{day.isoformat()}/9-11"})
    assert wrong.status_code == 422
    # in two deliveries: what is typed is kept when it does not sum
    parted = visit.client.get(f"{link}?parts=2").text
    first, second = re.findall(r'name="(q-\d-[^"]+)"', parted)
    later = f"{(day + timedelta(days=7)).isoformat()}/9-12"
    typed = {"how": option, "parts": "2", "slot-0": slot, "slot-1": later, first: "1", second: "1"}
    refused = visit.client.post(link, data=typed)
    assert refused.status_code == 422
    assert "а заказано 3" in text_of(refused)
    assert f'value="{later}" selected' in refused.text
    quote = followed(visit.client.post(link, data=typed | {second: "2"}))
    answer = visit.client.post("/checkout", data={**WHO, "quote": quote})
    group = session.scalars(sa.select(OrderGroup)).one()
    assert answer.headers["Location"] == f"/orders/{group.number}?placed=1"
    assert "доставка 2 из 2" in text_of(visit.client.get(f"/orders/{group.number}"))
    trips = session.scalars(sa.select(Fulfilment).order_by(Fulfilment.id)).all()
    assert [(trip.day - day).days for trip in trips] == [0, 7]
    # one of them is moved
    way = f"/orders/trips/{trips[1].public_id}"
    moved = visit.client.post(f"{way}/move", data={"slot": f"{(day + timedelta(days=8)).isoformat()}/9-12"})
    assert moved.status_code == 303
    assert visit.client.post(f"{way}/move", data={"slot": slot}).status_code == 409  # its sister is there
    assert "Перенести" in visit.client.get(way).text


def test_the_counter_from_checkout_to_the_sellers_button(app: Flask, visit: Visit) -> None:
    session.execute(sa.update(Vehicle).values(longest_mm=1, is_active=False))
    session.commit()
    quote = visit.quoted()  # nobody can bring it: the page offers the counter and says so
    assert "самовывоз" in text_of(visit.client.get(f"/checkout?quote={quote}"))
    link = link_of(visit, quote)
    quote = followed(visit.client.post(link, data={"how": "pickup", "receiver": "Прораб Демо"}))
    cash = visit.client.post("/checkout", data={**WHO, "payment_method": "cash", "quote": quote})
    assert cash.status_code == 422
    visit.client.post("/checkout", data={**WHO, "quote": quote})
    trip, order = session.scalars(sa.select(Fulfilment)).one(), session.scalars(sa.select(Order)).one()
    page = visit.client.get(f"/orders/trips/{trip.public_id}").text
    assert f"{trip.pickup_code[:3]} {trip.pickup_code[3:]}" in page
    assert len(visit.client.get(f"/orders/trips/{trip.public_id}/map.json").get_json()["stops"]) == 2
    seller = visit.market.sellers[0]
    desk = make.signed_browser(app, seller)
    service.accept(seller, order.number)
    fulfilments.start_picking(seller, trip.public_id)
    fulfilments.ready(seller, trip.public_id)
    session.commit()
    shown = desk.get(f"/seller/orders/{order.number}").text
    assert "Прораб Демо" in shown
    assert trip.pickup_code not in shown
    wrong = desk.post(f"/seller/fulfilments/{trip.public_id}/collected", data={"code": "12"})
    assert (wrong.status_code, 'id="code"' in wrong.text) == (422, True)
    code = session.scalars(sa.select(Fulfilment.pickup_code)).one()
    assert desk.post(f"/seller/fulfilments/{trip.public_id}/collected", data={"code": code}).status_code == 303
    assert session.scalars(sa.select(Order.status)).one() == "completed"


def test_one_truck_is_taken_and_given_up_again(app: Flask, db_session: Any) -> None:
    market, who = make.market(sellers=2), make.person()
    client = make.signed_browser(app, who)
    offers = [make.offer(market, 0), make.offer(market, 1)]
    session.commit()
    for offer in offers:
        put(client, offer, "2")
    quote = followed(client.post("/checkout/quote", data=PLACE))
    page = text_of(client.get(f"/checkout?quote={quote}"))
    assert "Вы экономите" in page
    one = followed(client.post(f"/checkout/quote/{quote}/together", data={"joint": "1"}))
    assert "общая машина" in text_of(client.get(f"/checkout?quote={one}"))
    session.execute(sa.update(Warehouse).values(allows_pickup=True))
    session.commit()
    link = re.search(r'href="(/checkout/quote/[^"]+)"', client.get(f"/checkout?quote={one}").text)
    assert link is not None
    fetched = followed(client.post(link.group(1), data={"how": "pickup"}))  # one alone is no common truck
    assert "общая машина" not in text_of(client.get(f"/checkout?quote={fetched}"))
    apart = followed(client.post(f"/checkout/quote/{one}/together", data={"joint": "0"}))
    assert "общая машина" not in text_of(client.get(f"/checkout?quote={apart}"))


def test_the_api_offers_chooses_and_keeps_old_clients(app: Flask, db_session: Any) -> None:
    market, who = make.market(), make.person()
    declared(market, MORNING)
    session.execute(sa.update(Warehouse).values(allows_pickup=True))
    api = make.signed_api(app, who)
    offer = make.offer(market)
    session.commit()
    api.post("/cart/lines", json={"offer": str(offer.public_id), "quantity": "4"})
    body: dict[str, Any] = {"address": make.SITE, "payment_method": "invoice"}
    old = api.post("/checkout/quote", json=body).get_json()
    assert old["groups"][0]["carrier"]
    assert old["slots"][1]["windows"] == ["9-12"]
    [group] = old["options"]
    day = group["carriers"][0]["days"][4]["day"]
    chosen = body | {"deliveries": [{"group": group["group"], "slot": {"day": day, "window": "9-12"}}]}
    assert api.post("/checkout/quote", json=chosen).get_json()["groups"][0]["slot"] == {"day": day, "window": "9-12"}
    fetched = body | {"deliveries": [{"group": group["group"], "method": "pickup"}]}
    answer = api.post("/checkout/quote", json=fetched).get_json()
    assert answer["totals"]["delivery"]["amount"] == 0
    assert group["pickup"]["days"][0]["day"] == answer["groups"][0]["slot"]["day"]
    refused = api.post("/checkout/quote", json=body | {"joint": True})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "no_joint")
