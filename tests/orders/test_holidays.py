"""A seller goes on holiday and comes back: lists, product page, cart and checkout say so, placed orders go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from app.catalog.models import Product, ProductListing
from app.core import clock, timers
from app.core.db import session
from app.core.errors import Invalid
from app.core.models import OutboxEvent, Timer
from app.offers import desk, selling
from app.offers.models import Seller
from app.orders import service
from app.orders.models import Order
from app.web.filters import day
from tests.factories import orders as make
from tests.web.test_cart import text_of
from tests.web.test_checkout import WHO, Visit


def sweep() -> None:
    """What the schedule does; the database's clock is not moved by tests, so due timers are made due for it."""
    due = sa.and_(Timer.entity == "seller", Timer.due_at <= clock.now())
    session.execute(sa.update(Timer).where(due).values(due_at=sa.func.now() - timedelta(seconds=1)))
    session.commit()
    timers.fire_due()


def events(seller_id: int) -> list[str]:
    rows = sa.select(OutboxEvent.name).where(OutboxEvent.entity == "seller", OutboxEvent.entity_id == seller_id)
    return list(session.scalars(rows.order_by(OutboxEvent.id)))


def test_a_holiday_begins_and_ends_by_itself(app: Flask, db_session: Any) -> None:
    visit = Visit(app)
    seller, offer = visit.market.sellers[0], visit.offer
    product = session.get_one(Product, offer.product_id)
    page, listed = f"/product/{product.slug}", sa.select(ProductListing.available).where(
        ProductListing.product_id == product.id
    )  # fmt: skip
    placed = visit.client.post("/checkout", data={**WHO, "quote": visit.quoted()})
    assert placed.status_code == 303
    put_again = visit.client.post("/cart/lines", data={"offer_id": str(offer.public_id), "quantity": "3"})
    assert put_again.status_code in (200, 303)
    quote = visit.quoted()
    first, last = clock.today() + timedelta(days=2), clock.today() + timedelta(days=5)
    for wrong in ((None, last), (last, first), (clock.today() - timedelta(days=1), last),
                  (first, first + timedelta(days=92))):  # fmt: skip
        with pytest.raises(Invalid):
            selling.set_holiday(seller, *wrong)
    selling.set_holiday(seller, first, last)
    sweep()
    assert session.scalar(listed) is not None, "it has not begun"
    back = text_day(app, last + timedelta(days=1))
    with time_machine.travel(clock.at(first, 1)):
        sweep()
        sweep()
        assert session.scalar(listed) is None
        assert desk.offer(seller.seller_id, offer.public_id).why_not_sold == "seller_holiday"
        assert back in text_of(app.test_client().get(page))
        cart = visit.client.get("/cart")
        assert back in text_of(cart)
        assert offer_lines(cart.text), "the line is kept"
        refused = visit.client.post("/checkout", data={**WHO, "quote": quote})
        assert refused.status_code == 409
        assert back in text_of(refused)
        order = session.scalars(sa.select(Order).where(Order.seller_id == seller.seller_id)).one()
        with time_machine.travel(clock.now() - timedelta(days=2)):
            service.accept(seller, order.number)
        assert order.status == "accepted"
    with time_machine.travel(clock.at(last + timedelta(days=1), 1)):
        sweep()
        sweep()
        assert session.scalar(listed) is not None
        assert back not in text_of(visit.client.get("/cart"))
    assert events(seller.seller_id) == ["SellerPaused", "SellerOpened"]


def text_day(app: Flask, value: Any) -> str:
    with app.test_request_context(headers={"Accept-Language": "ru"}):
        return str(day(value)).replace("\u00a0", " ")


def offer_lines(html: str) -> bool:
    return 'action="/cart/lines/' in html


def test_a_holiday_is_called_off_and_another_reason_keeps_the_seller_closed(db_session: Any) -> None:
    market = make.market()
    seller = market.sellers[0]
    make.offer(market)
    selling.set_holiday(seller, clock.today(), clock.today() + timedelta(days=3))
    assert selling.selling(seller.seller_id).pause == "holiday"
    session.execute(sa.text("UPDATE organisation SET status = 'suspended' WHERE id = :id"), {"id": seller.seller_id})
    selling.end_holiday(seller)
    selling.end_holiday(seller)
    row = session.get_one(Seller, seller.seller_id, populate_existing=True)
    assert (row.is_active, row.pause, row.holiday_from) == (False, "suspended", None)
    left = sa.select(sa.func.count()).where(Timer.entity == "seller", Timer.entity_id == row.id)
    assert session.scalar(left) == 0
