"""Many buyers at the same moment: nothing oversold, no purchase doubled. Real commits, real threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import db, session, unit_of_work
from app.core.errors import Conflict, DomainError
from app.offers.models import StockLevel
from app.orders import carts, checkout, fulfilments, proposals, service
from app.orders.models import Order, OrderGroup, OrderLine
from app.orders.proposals import Wish
from tests.factories import orders as make
from tests.orders import steps

BUYERS, UNITS, AT_ONCE = 200, 50, 16


def all_at_once(app: Flask, works: list[Callable[[], Any]], width: int) -> list[Any]:
    """Results, or refusals, of works that begin together in threads with a session each."""
    gate = threading.Barrier(width)
    first = threading.local()

    def run(work: Callable[[], Any]) -> Any:
        if not getattr(first, "waited", False):
            first.waited = True
            gate.wait(timeout=30)
        with app.app_context():
            try:
                return work()
            except DomainError as refusal:
                return refusal
            finally:
                db.session.remove()

    with ThreadPoolExecutor(width) as pool:
        return list(pool.map(run, works))


@unit_of_work
def market_with(units: int) -> tuple[make.Market, Any]:
    market = make.market()
    return market, make.offer(market, stock=units)


@unit_of_work
def buyer() -> Any:
    return make.person()


def test_five_checkouts_of_one_cart_make_one_purchase(committed_db: Flask) -> None:
    _market, offer = market_with(10)
    who = buyer()
    quote = steps.quoted(who, (offer, 3))
    db.session.remove()
    placed = all_at_once(
        committed_db,
        [lambda: service.place(who, quote.public_id, steps.CONTACT, "invoice") for _again in range(5)],
        5,
    )
    assert len({p.number for p in placed}) == 1
    assert sorted(p.replayed for p in placed) == [False, True, True, True, True]
    assert session.scalar(sa.select(sa.func.count()).select_from(OrderGroup)) == 1
    assert session.scalars(sa.select(StockLevel.allocated)).one() == 3
    steps.check_everything_sums()


def test_200_buyers_for_50_units_make_exactly_50_purchases(committed_db: Flask) -> None:
    _market, offer = market_with(UNITS)
    works = []
    for _each in range(BUYERS):
        who = buyer()
        quote = steps.quoted(who, (offer, 1))
        works.append(_place(who, quote.public_id))
    db.session.remove()
    results = all_at_once(committed_db, works, AT_ONCE)
    refused = [r for r in results if isinstance(r, DomainError)]
    assert len(results) - len(refused) == UNITS
    assert {(type(r), r.code) for r in refused} == {(Conflict, "stock_changed")}
    assert session.scalar(sa.select(sa.func.count()).select_from(OrderGroup)) == UNITS
    level = session.execute(sa.select(StockLevel.on_hand, StockLevel.allocated)).one()
    assert tuple(level) == (UNITS, UNITS)
    steps.check_everything_sums()


def _place(who: Any, quote: Any) -> Callable[[], Any]:
    return lambda: service.place(who, quote, steps.CONTACT, "invoice")


@pytest.mark.parametrize("rival", ["reject", "pick", "agree"])
def test_a_cancellation_against_the_other_side_has_one_winner(committed_db: Flask, rival: str) -> None:
    """The buyer cancels while the seller rejects, the warehouse picks, or his other window agrees to a change."""
    market, offer = market_with(10)
    who, seller = buyer(), market.sellers[0]
    group = steps.bought(who, (offer, 4))
    [order] = steps.orders_of(group)
    number = order.number
    trip = steps.trips_of(order)[0].public_id
    if rival == "pick":
        service.accept(seller, number)
    if rival == "agree":
        proposals.propose(seller, number, [Wish(session.scalars(sa.select(OrderLine.public_id)).one(), Decimal(3))])
    db.session.remove()
    acts: dict[str, Callable[[], Any]] = {
        "reject": lambda: service.reject(seller, number, "нет"),
        "pick": lambda: fulfilments.start_picking(seller, trip),
        "agree": lambda: proposals.accept(who, number),
    }
    outcomes = all_at_once(committed_db, [acts[rival], lambda: service.cancel(who, number)], 2)
    refused = [isinstance(o, DomainError) for o in outcomes]
    status = session.scalars(sa.select(Order.status)).one()
    if rival == "agree":  # an order that was agreed to may still be cancelled, a cancelled one not agreed to
        assert (status, refused[1]) == ("cancelled", False)
    else:
        assert sum(refused) == 1
        assert status == ("cancelled" if refused[0] else {"reject": "rejected", "pick": "accepted"}[rival])
    promised = 4 if status == "accepted" else 0
    assert session.scalars(sa.select(StockLevel.allocated)).one() == promised
    steps.check_everything_sums()


def test_a_cart_that_changes_while_a_checkout_begins_holds_nothing(committed_db: Flask) -> None:
    """One tab asks for the price, the other puts something in and waits for the first: the hold is out of date."""
    _market, offer = market_with(10)
    who = buyer()
    carts.add(who, "", offer.public_id, Decimal(3))
    db.session.remove()
    begun = threading.Event()

    @unit_of_work
    def quote() -> None:
        checkout.make_quote(who, make.site(), None, "", "invoice")
        begun.set()
        time.sleep(0.5)  # the other tab comes to the lock meanwhile

    def put() -> None:
        begun.wait(10)
        carts.add(who, "", offer.public_id, Decimal(1))

    assert all_at_once(committed_db, [quote, put], 2) == [None, None]
    assert session.scalars(sa.select(StockLevel.reserved)).one() == 0
    steps.check_everything_sums()


def test_carts_with_the_same_goods_in_any_order_never_deadlock(committed_db: Flask) -> None:
    market, first = market_with(100)
    second = make.committed(lambda: make.offer(market, stock=100))
    works = []
    for index in range(24):
        who = buyer()
        wants = ((first, 1), (second, 1)) if index % 2 else ((second, 1), (first, 1))
        works.append(_place(who, steps.quoted(who, *wants).public_id))
    db.session.remove()
    results = all_at_once(committed_db, works, 12)
    assert not [r for r in results if isinstance(r, DomainError)]
    assert set(session.scalars(sa.select(StockLevel.allocated))) == {24}
    steps.check_everything_sums()
