"""The order page follows every step, shows the PIN to the buyer only, and ends its polling."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.accounts.models import Organisation
from app.core.db import session
from app.logistics import places
from app.logistics.models import Delivery
from app.orders import fulfilments, service
from app.orders.models import OrderLine
from tests.factories import logistics
from tests.factories import orders as make
from tests.orders import steps
from tests.web.test_cart import text_of

HTMX = {"HX-Request": "true", "HX-Target": "order"}


class Case:
    """A placed order and the browsers of its buyer and seller."""

    def __init__(self, app: Flask, payment: str = "invoice") -> None:
        self.market = make.market()
        self.seller, self.buyer = self.market.sellers[0], make.person()
        group = steps.bought(self.buyer, (make.offer(self.market), 10), payment=payment)
        [order] = steps.orders_of(group)
        [trip] = steps.trips_of(order)
        self.group, self.number, self.trip, self.trip_id = group.number, order.number, trip.public_id, trip.id
        self.buyers = make.signed_browser(app, self.buyer)
        self.sellers = make.signed_browser(app, self.seller)
        session.commit()


@pytest.fixture
def case(app: Flask, db_session: Any) -> Case:
    return Case(app)


def pin() -> str:
    return str(session.scalars(sa.select(Delivery.pin)).one())


def spaced(code: str) -> str:
    return f"{code[:2]} {code[2:]}"


def test_the_list_and_the_page(case: Case) -> None:
    assert case.group in case.buyers.get("/orders").text
    page = case.buyers.get(f"/orders/{case.group}")
    assert page.status_code == 200
    assert 'hx-trigger="every 4s"' in page.text
    assert spaced(pin()) in page.text


def test_the_buyer_sees_where_the_dispatcher_put_the_site(case: Case) -> None:
    [row] = session.query(Delivery).all()
    page = f"/orders/{case.group}"
    assert "Диспетчер передвинул точку" not in case.buyers.get(page).text
    carrier = session.get_one(Organisation, row.carrier_id)
    who = logistics.actor(logistics.user(), carrier)
    session.commit()
    places.move_pin(who, row.public_id, 55.83125, 37.61375)
    assert "55.83125, 37.61375" in text_of(case.buyers.get(page))


def test_each_step_is_seen_without_reloading_and_polling_ends(case: Case) -> None:
    address = f"/orders/{case.group}"
    first = case.buyers.get(address, headers=HTMX)
    assert case.buyers.get(address, headers=HTMX | {"If-None-Match": first.headers["ETag"]}).status_code == 304
    service.accept(case.seller, case.number)
    fulfilments.start_picking(case.seller, case.trip)
    assert "Склад собирает" in text_of(case.buyers.get(address, headers=HTMX))
    fulfilments.ready(case.seller, case.trip)
    fulfilments.on_the_way(case.trip_id)
    session.execute(sa.update(Delivery).values(state="in_transit"))
    session.commit()
    way = case.buyers.get(address, headers=HTMX)
    token = session.scalars(sa.select(Delivery.tracking_token)).one()
    assert way.status_code == 200
    assert f"/t/{token}" in way.text
    fulfilments.complete(case.trip_id, "delivered", "", [], None)
    session.execute(sa.update(Delivery).values(state="delivered"))
    session.commit()
    last = case.buyers.get(address, headers=HTMX)
    assert last.status_code == 286
    assert "every 4s" not in last.text
    assert spaced(pin()) not in last.text


def test_the_invoice_is_a_page_to_print(case: Case) -> None:
    page = case.buyers.get(f"/orders/{case.group}/invoice")
    assert page.status_code == 200
    assert "5 450 ₽" in text_of(page)


def test_cash_has_no_invoice(app: Flask, db_session: Any) -> None:
    case = Case(app, payment="cash")
    assert case.buyers.get(f"/orders/{case.group}/invoice").status_code == 404


def test_cancelling_asks_first_and_then_shows_it(case: Case) -> None:
    assert case.buyers.get(f"/orders/{case.number}/cancel").status_code == 200
    answer = case.buyers.post(f"/orders/{case.number}/cancel", data={"reason": "передумал"}, follow_redirects=True)
    assert "передумал" in answer.text
    steps.check_everything_sums()


def test_a_foreign_order_answers_like_an_absent_one(app: Flask, case: Case) -> None:
    stranger = make.signed_browser(app, make.person())
    session.commit()
    for path in (f"/orders/{case.group}", f"/orders/{case.group}/invoice", f"/orders/{case.number}/cancel"):
        assert stranger.get(path).status_code == 404


def test_queries_of_the_page_do_not_grow_with_lines(app: Flask, case: Case, count_queries: Any) -> None:
    case.buyers.get(f"/orders/{case.group}")  # what the frame of pages keeps is kept from here on
    with count_queries() as one:
        case.buyers.get(f"/orders/{case.group}")
    group = steps.bought(case.buyer, *((make.offer(case.market), 1) for _more in range(6)))
    session.commit()
    case.buyers.get(f"/orders/{group.number}")
    with count_queries() as six:
        case.buyers.get(f"/orders/{group.number}")
    assert len(six) == len(one) <= 12


def test_some_of_an_order_is_taken_off_by_its_page(case: Case) -> None:
    line = str(session.scalars(sa.select(OrderLine.public_id)).one())
    address = f"/orders/{case.number}/cancel"
    assert "Только часть" in case.buyers.get(address).text
    wrong = case.buyers.post(address, data={"what": "lines", f"q-{line}": "11", "reason": "лишнее"})
    assert wrong.status_code == 422
    assert "лишнее" in wrong.text
    assert 'value="11"' in wrong.text
    assert case.sellers.post(address, data={"what": "lines", f"q-{line}": "1"}).status_code == 404
    done = case.buyers.post(address, data={"what": "lines", f"q-{line}": "4"}, follow_redirects=True)
    assert "Снято с заказа" in text_of(done)
    assert "Часть товаров отменена" in text_of(case.buyers.get(f"/orders/{case.group}"))
    assert session.scalars(sa.select(OrderLine.accepted)).one() == 6


def test_some_of_an_order_is_taken_off_by_the_api(app: Flask, case: Case) -> None:
    line = str(session.scalars(sa.select(OrderLine.public_id)).one())
    buyer = make.signed_api(app, case.buyer)
    session.commit()
    refused = buyer.post(f"/orders/{case.number}/cancel", json={"lines": [{"line": line, "quantity": "11"}]})
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "counted_range"), refused.text
    answer = buyer.post(f"/orders/{case.number}/cancel", json={"lines": [{"line": line, "quantity": "4"}]})
    assert answer.status_code == 200, answer.text
    assert answer.json["lines"][0]["accepted"] == "6"
    whole = buyer.post(f"/orders/{case.number}/cancel", json={"lines": [line]})
    assert whole.json["status"] == "cancelled"
