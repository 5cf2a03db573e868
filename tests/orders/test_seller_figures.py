"""Figures of a seller: days with zeros, periods that do not overlap, only what was sold, only the own."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.orders import seller_figures, seller_queries
from app.orders.models import FulfilmentLine, Order, OrderLine
from app.orders.return_models import ReturnLine, ReturnRequest
from app.orders.seller_figures import CameBack, ProductTrade
from tests.factories import orders as make
from tests.orders import steps


class Shop:
    """A seller whose orders can be placed on any day; another beside."""

    def __init__(self) -> None:
        self.market = make.market(sellers=2)
        self.buyer = make.person()
        self.offer = make.offer(self.market, price=10_000, stock=10_000)
        self.foreign = make.offer(self.market, 1, price=10_000, stock=10_000)

    @property
    def id(self) -> int:
        return self.market.sellers[0].seller_id

    def sold(self, days_ago: int, quantity: int, offer: Any = None, status: str = "accepted", hour: int = 12) -> Order:
        [order] = steps.orders_of(steps.bought(self.buyer, (offer or self.offer, quantity)))
        order.status = status
        order.created_at = clock.at(clock.today() - timedelta(days=days_ago), hour * 60)
        session.flush()
        return order


@pytest.fixture
def shop(db_session: Any) -> Shop:
    return Shop()


def test_every_day_is_there_and_periods_do_not_overlap(shop: Shop) -> None:
    shop.sold(0, 1)
    shop.sold(6, 2, hour=0)
    shop.sold(7, 4, hour=23)
    shop.sold(13, 8, hour=0)
    shop.sold(14, 16, hour=23)
    found = seller_figures.trade(shop.id, clock.today(), 7)
    assert [day.revenue for day in found.days] == [20_000, 0, 0, 0, 0, 0, 10_000]
    assert [day.revenue for day in found.before] == [80_000, 0, 0, 0, 0, 0, 40_000]
    assert (found.orders, found.revenue, found.orders_before, found.revenue_before) == (2, 30_000, 2, 120_000)
    assert [int(day.units) for day in found.days] == [2, 0, 0, 0, 0, 0, 1]
    assert (found.units, found.units_before) == (3, 12)
    assert found.days[-1].day == clock.today()


def test_only_what_was_sold_counts_and_only_the_own(shop: Shop) -> None:
    shop.sold(1, 1)
    for status in seller_figures.FALLEN:
        shop.sold(1, 5, status=status)
    shop.sold(1, 7, offer=shop.foreign)
    assert seller_figures.trade(shop.id, clock.today(), 7).revenue == 10_000
    assert [one.revenue for one in seller_figures.products(shop.id, clock.today(), 7)] == [10_000]


def test_a_line_accepted_in_part_counts_by_its_part(shop: Shop) -> None:
    order = shop.sold(1, 4)
    line = session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id)).one()
    line.accepted = Decimal(3)
    session.flush()
    [found] = seller_figures.products(shop.id, clock.today(), 7)
    assert (found.revenue, found.quantity) == (30_000, 3)


def product(offer_id: int, now: int, before: int) -> ProductTrade:
    return ProductTrade(offer_id, f"S{offer_id}", "Товар", "Thing", "pcs", now, Decimal(now), before, Decimal(before))


def test_dying_is_less_than_half_with_the_largest_loss_first() -> None:
    found = [product(1, 50, 100), product(2, 49, 100), product(3, 0, 10), product(4, 0, 500), product(5, 90, 0)]
    assert [one.offer_id for one in seller_figures.dying(found)] == [4, 2, 3]


def test_what_waits_is_counted_by_what_has_to_be_done(shop: Shop) -> None:
    for status, carried in (
        ("placed", "planned"),
        ("accepted", "planned"),
        ("accepted", "ready"),
        ("completed", "ready"),
    ):
        shop.sold(1, 1, status=status).fulfilment_status = carried
    shop.sold(1, 1, offer=shop.foreign, status="placed")
    session.flush()
    assert seller_figures.to_do(shop.id) == seller_figures.ToDo(answer=1, pick=1, hand_over=1, returns=0)


def test_of_a_purchase_from_two_sellers_each_sees_the_own_number(shop: Shop) -> None:
    group = steps.bought(shop.buyer, (shop.offer, 1), (shop.foreign, 1))
    mine, theirs = steps.orders_of(group)
    trips = [trip.id for trip in steps.trips_of(theirs)]
    asked = {"order_group": [group.id], "order": [mine.id, theirs.id], "fulfilment": trips}
    assert seller_queries.numbers_behind(shop.id, asked) == {
        ("order_group", group.id): mine.number,
        ("order", mine.id): mine.number,
    }


def test_what_came_back_is_refused_at_the_door_or_sent_back_later(shop: Shop) -> None:
    def gone(status: str, delivered: int | None, days_ago: int = 1) -> Order:
        order = shop.sold(days_ago, 4)
        [trip] = steps.trips_of(order)
        trip.status, trip.day = status, clock.today() - timedelta(days=days_ago)
        piece = session.scalars(sa.select(FulfilmentLine).where(FulfilmentLine.fulfilment_id == trip.id)).one()
        piece.delivered = None if delivered is None else Decimal(delivered)
        session.flush()
        return order

    first = clock.today() - timedelta(days=6)
    assert seller_figures.came_back(shop.id, first) == CameBack(0, 0)
    gone("picking", None)
    gone("delivered", 4, days_ago=7)
    gone("partially_delivered", 3)
    gone("returned", None)
    order = gone("delivered", 4)
    assert seller_figures.came_back(shop.id, first) == CameBack(sent=120_000, back=50_000)
    request = ReturnRequest(order_id=order.id, user_id=shop.buyer.user, reason="leftover", status="received")
    session.add(request)
    session.flush()
    [line] = session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id))
    session.add(
        ReturnLine(return_id=request.id, order_line_id=line.id, quantity=Decimal(2), received=Decimal(2), fit=2)
    )
    session.flush()
    assert seller_figures.came_back(shop.id, first) == CameBack(sent=120_000, back=70_000)
    assert seller_figures.came_back(shop.market.sellers[1].seller_id, first) == CameBack(0, 0)
