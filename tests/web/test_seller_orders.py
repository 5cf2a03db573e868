"""The seller's desk: who waits, answering in full or in part, counting, handing to the truck."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import session
from app.orders.models import Order, OrderLine
from tests.factories import orders as make
from tests.orders import steps
from tests.web.test_cart import text_of
from tests.web.test_orders import Case, pin, spaced


@pytest.fixture
def case(app: Flask, db_session: Any) -> Case:
    return Case(app)


def line() -> str:
    return str(session.scalars(sa.select(OrderLine.public_id)).one())


def status() -> tuple[str, str]:
    row = session.execute(sa.select(Order.status, Order.fulfilment_status)).one()
    return row.status, row.fulfilment_status


def test_the_inbox_shows_the_deadline_and_filters(case: Case) -> None:
    page = text_of(case.sellers.get("/seller/orders"))
    assert case.number in page
    assert "23 ч 59 мин" in page
    assert case.number not in case.sellers.get("/seller/orders?tab=work").text


def test_the_sellers_page_never_shows_the_pin(case: Case) -> None:
    page = case.sellers.get(f"/seller/orders/{case.number}")
    assert page.status_code == 200
    assert spaced(pin()) not in page.text


def test_the_whole_way_by_forms(case: Case) -> None:
    case.sellers.post(f"/seller/orders/{case.number}/accept", data={f"q-{line()}": "10"})
    assert status() == ("accepted", "planned")
    case.sellers.post(f"/seller/fulfilments/{case.trip}/start-picking")
    assert status() == ("accepted", "picking")
    page = case.sellers.post(f"/seller/fulfilments/{case.trip}/ready", data={f"q-{line()}": "9"}, follow_redirects=True)
    assert status() == ("accepted", "ready")
    assert "545 ₽" in text_of(page)
    steps.check_everything_sums()


def test_accepting_less_by_the_form(case: Case) -> None:
    case.sellers.post(f"/seller/orders/{case.number}/accept", data={f"q-{line()}": "4"})
    assert session.scalars(sa.select(OrderLine.accepted)).one() == 4
    steps.check_everything_sums()


@pytest.mark.parametrize("typed", ["11", "-1", "много", "0"])
def test_a_wrong_number_is_told_beside_the_line(case: Case, typed: str) -> None:
    answer = case.sellers.post(f"/seller/orders/{case.number}/accept", data={f"q-{line()}": typed})
    assert answer.status_code == 422
    assert 'id="error-summary"' in answer.text
    assert status() == ("placed", "planned")


def test_rejecting_needs_a_reason_and_tells_it_to_the_buyer(case: Case) -> None:
    assert case.sellers.post(f"/seller/orders/{case.number}/reject", data={"reason": ""}).status_code == 422
    case.sellers.post(f"/seller/orders/{case.number}/reject", data={"reason": "нет на складе"})
    assert "нет на складе" in case.buyers.get(f"/orders/{case.group}").text


def test_the_picking_list_is_for_printing(case: Case) -> None:
    page = case.sellers.get(f"/seller/orders/{case.number}/picking-list")
    assert page.status_code == 200
    assert "SKU-" in page.text


def test_a_conflict_is_told_and_nothing_happens(case: Case) -> None:
    answer = case.sellers.post(f"/seller/fulfilments/{case.trip}/start-picking", follow_redirects=True)
    assert answer.status_code == 200
    assert status() == ("placed", "planned")


def test_another_seller_and_a_buyer_are_kept_out(app: Flask, case: Case) -> None:
    stranger = make.signed_browser(app, make.market().sellers[0])
    session.commit()
    assert stranger.get(f"/seller/orders/{case.number}").status_code == 404
    assert stranger.post(f"/seller/orders/{case.number}/accept").status_code == 404
    assert stranger.post(f"/seller/fulfilments/{case.trip}/ready").status_code == 404
    assert case.buyers.get("/seller/orders").status_code == 403


def test_the_overview_says_what_waits_and_how_trade_goes(app: Flask, db_session: Any) -> None:
    market, buyer = make.market(sellers=2), make.person()
    steps.bought(buyer, (make.offer(market, price=54_500), 2))
    session.commit()
    seller = make.signed_browser(app, market.sellers[0])
    assert seller.get("/seller").headers["Location"] == "/seller/overview"
    page = seller.get("/seller/overview?days=7")
    told = text_of(page)
    assert "1 ждут ответа" in told
    assert "1 090 ₽ за 7 дней, до этого продаж не было" in told
    assert page.text.count('class="fill"') >= 7
    other = make.signed_browser(app, market.sellers[1]).get("/seller/overview?days=wrong")
    assert "За последние 60 дней продаж не было" in other.text.replace("\u00a0", " ")
    assert "1 090" not in other.text.replace("\u00a0", " ")
