"""Figures of a seller's trade: by day and by product, against the period of the same length before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.core.money import round_half_up
from app.orders.models import Fulfilment, FulfilmentLine, Order, OrderLine
from app.orders.return_models import ReturnLine, ReturnRequest
from app.orders.totals import DONE

FALLEN = ("rejected", "expired", "cancelled")
"""States of an order that nothing was sold by."""
_DAY = sa.cast(sa.func.timezone(clock.MARKET_ZONE.key, Order.created_at), sa.Date)


@dataclass(frozen=True, slots=True)
class Day:
    """Orders placed on a day, the units of sale in them, and what they come to, in kopeks with delivery left out."""

    day: date
    orders: int
    revenue: int
    units: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """Two periods of the same length, the earlier one in `before`; days without orders are there with zeros."""

    days: tuple[Day, ...]
    before: tuple[Day, ...]

    @property
    def revenue(self) -> int:
        return sum(day.revenue for day in self.days)

    @property
    def orders(self) -> int:
        return sum(day.orders for day in self.days)

    @property
    def units(self) -> Decimal:
        return sum((day.units for day in self.days), Decimal(0))

    @property
    def units_before(self) -> Decimal:
        return sum((day.units for day in self.before), Decimal(0))

    @property
    def revenue_before(self) -> int:
        return sum(day.revenue for day in self.before)

    @property
    def orders_before(self) -> int:
        return sum(day.orders for day in self.before)


@dataclass(frozen=True, slots=True)
class ProductTrade:
    """What was sold of an offer in the period and in the one before, in kopeks and units of sale."""

    offer_id: int
    sku: str
    name_ru: str
    name_en: str
    unit: str
    revenue: int
    quantity: Decimal
    revenue_before: int
    quantity_before: Decimal

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru


def trade(seller_id: int, last: date, length: int) -> Trade:
    """Orders and revenue of the `length` days up to and including `last`, and of as many days before them."""
    first = last - timedelta(days=2 * length - 1)
    units = (
        sa.select(sa.func.sum(sa.func.coalesce(OrderLine.accepted, OrderLine.quantity)))
        .where(OrderLine.order_id == Order.id)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(_DAY, sa.func.count(), sa.func.sum(Order.goods), sa.func.sum(units))
        .where(Order.seller_id == seller_id, Order.status.not_in(FALLEN), Order.created_at >= clock.at(first, 0))
        .group_by(_DAY)
    )
    known = {day: Day(day, count, int(goods), units) for day, count, goods, units in rows}
    every = [first + timedelta(days=i) for i in range(2 * length)]
    filled = [known.get(day, Day(day, 0, 0, Decimal(0))) for day in every]
    return Trade(tuple(filled[length:]), tuple(filled[:length]))


def products(seller_id: int, last: date, length: int) -> list[ProductTrade]:
    """What was sold in either period, by revenue; a line that was accepted in part counts by what was accepted."""
    middle, first = clock.at(last - timedelta(days=length - 1), 0), clock.at(last - timedelta(days=2 * length - 1), 0)
    quantity = sa.func.coalesce(OrderLine.accepted, OrderLine.quantity)
    revenue = sa.cast(sa.func.round(OrderLine.gross * quantity / OrderLine.quantity), sa.BigInteger)
    is_now = Order.created_at >= middle
    rows = session.execute(
        sa.select(
            OrderLine.offer_id, sa.func.max(OrderLine.sku), sa.func.max(OrderLine.name_ru),
            sa.func.max(OrderLine.name_en), sa.func.max(OrderLine.unit),
            sa.func.coalesce(sa.func.sum(revenue).filter(is_now), 0).label("revenue"),
            sa.func.coalesce(sa.func.sum(quantity).filter(is_now), 0),
            sa.func.coalesce(sa.func.sum(revenue).filter(sa.not_(is_now)), 0),
            sa.func.coalesce(sa.func.sum(quantity).filter(sa.not_(is_now)), 0),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.seller_id == seller_id, Order.status.not_in(FALLEN), Order.created_at >= first)
        .group_by(OrderLine.offer_id)
        .order_by(sa.desc("revenue"), OrderLine.offer_id)
    )  # fmt: skip
    return [ProductTrade(*row[:5], int(row[5]), row[6], int(row[7]), row[8]) for row in rows]


def dying(found: Sequence[ProductTrade], most: int = 10) -> list[ProductTrade]:
    """Products that brought less than half of what they brought before, the largest loss first."""
    fallen = [one for one in found if 2 * one.revenue < one.revenue_before]
    return sorted(fallen, key=lambda one: (one.revenue - one.revenue_before, one.offer_id))[:most]


@dataclass(frozen=True, slots=True)
class CameBack:
    """Goods of finished trips in kopeks, at the price of their orders: all that was sent, and what came back of it."""

    sent: int
    back: int


def came_back(seller_id: int, first: date) -> CameBack:
    """Trips since the day `first` whose door was reached: refused there, never handed over, or sent back later."""
    value = OrderLine.price * OrderLine.factor_denominator / sa.cast(OrderLine.factor_numerator, sa.Numeric)
    kept = sa.func.coalesce(FulfilmentLine.delivered, 0)
    later = (
        sa.select(sa.func.coalesce(sa.func.sum(ReturnLine.received), 0))
        .join(ReturnRequest, ReturnRequest.id == ReturnLine.return_id)
        .where(ReturnLine.order_line_id == OrderLine.id, ReturnRequest.status != "rejected")
    )
    trips = (
        sa.select(
            OrderLine.id,
            sa.func.sum(value * FulfilmentLine.quantity).label("sent"),
            sa.func.sum(value * (FulfilmentLine.quantity - kept)).label("door"),
            (value * later.correlate(OrderLine).scalar_subquery()).label("later"),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .join(FulfilmentLine, FulfilmentLine.order_line_id == OrderLine.id)
        .join(Fulfilment, Fulfilment.id == FulfilmentLine.fulfilment_id)
        .where(Order.seller_id == seller_id, Fulfilment.status.in_(DONE), Fulfilment.day >= first)
        .group_by(OrderLine.id)
        .subquery()
    )
    row = session.execute(sa.select(sa.func.sum(trips.c.sent), sa.func.sum(trips.c.door + trips.c.later))).one()
    return CameBack(round_half_up(Fraction(row[0] or 0)), round_half_up(Fraction(row[1] or 0)))


@dataclass(frozen=True, slots=True)
class ToDo:
    """What waits for the seller: orders to answer, to pick, to hand over, and returns asked for."""

    answer: int
    pick: int
    hand_over: int
    returns: int


def to_do(seller_id: int) -> ToDo:
    """Counted now."""
    accepted = Order.status == "accepted"
    row = session.execute(
        sa.select(
            sa.func.count().filter(Order.status == "placed"),
            sa.func.count().filter(accepted, Order.fulfilment_status.in_(("planned", "picking"))),
            sa.func.count().filter(accepted, Order.fulfilment_status == "ready"),
        ).where(Order.seller_id == seller_id)
    ).one()
    returns = session.scalar(
        sa.select(sa.func.count())
        .select_from(ReturnRequest)
        .join(Order, Order.id == ReturnRequest.order_id)
        .where(Order.seller_id == seller_id, ReturnRequest.status == "requested")
    )
    return ToDo(*row, returns or 0)
