"""Fetching at the counter and several dated deliveries: from the checkout to the last state, to the kopek."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Invalid
from app.core.models import Job
from app.logistics.models import Delivery
from app.offers.models import StockLevel, Warehouse
from app.orders import carts, checkout, choice_views, fulfilments, moving, service
from app.orders.checkout import Quote, wanted_of
from app.orders.choices import Choice, Part
from app.orders.models import Fulfilment, OrderGroup
from tests.factories import orders as make
from tests.orders import steps


def chosen(who: Any, quote: Quote, choice: Choice) -> Quote:
    """The quote with another choice for its first warehouse."""
    key = choice_views.groups(quote)[0].key
    wanted = wanted_of(quote.payload)
    return checkout.quote_anew(who, checkout.Wanted(wanted.site, None, "", "invoice", choices={key: choice}))


def counter(market: make.Market) -> Warehouse:
    place = session.get_one(Warehouse, market.warehouses[0])
    place.allows_pickup = True
    session.flush()
    return place


def test_what_is_fetched_costs_no_delivery_and_opens_with_the_code_only(db_session: Any) -> None:
    market, who = make.market(), make.person()
    offer, seller = make.offer(market), market.sellers[0]
    quote = steps.quoted(who, (offer, 4))
    with pytest.raises(Invalid) as closed:
        chosen(who, quote, Choice("pickup"))
    assert closed.value.errors[0].code == "no_pickup_here"
    place = counter(market)
    fetched = chosen(who, quote, Choice("pickup", receiver="Прораб Демо"))
    assert (fetched.payload["totals"]["delivery"], fetched.payload["trips"][0]["method"]) == (0, "pickup")
    with pytest.raises(Invalid) as cash:
        service.place(who, fetched.public_id, steps.CONTACT, "cash")
    assert cash.value.errors[0].code == "cash_needs_driver"
    group = session.get_one(OrderGroup, service.place(who, fetched.public_id, steps.CONTACT, "invoice").id)
    order = steps.orders_of(group)[0]
    trip = steps.trips_of(order)[0]
    assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 0
    assert (trip.carrier_id, trip.delivery_price, len(trip.pickup_code)) == (None, 0, 6)
    service.accept(seller, order.number)
    fulfilments.start_picking(seller, trip.public_id)
    with pytest.raises(Conflict, match="fulfilment_state"):
        fulfilments.collect(seller, trip.public_id, trip.pickup_code)  # not ready yet
    fulfilments.ready(seller, trip.public_id)
    code = steps.trips_of(order)[0].pickup_code
    [told] = session.scalars(sa.select(Job.payload).where(Job.payload["template"].as_string() == "pickup_ready"))
    assert (told["to"], told["values"]["number"]) == (who.email, order.number)
    assert code not in str(told), "a forwarded letter must not open the counter"
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(Invalid) as refused:
            fulfilments.collect(seller, trip.public_id, wrong)
        assert refused.value.errors[0].context == {"left": left}
    with pytest.raises(Conflict, match="pickup_locked"):
        fulfilments.collect(seller, trip.public_id, code)
    moving.new_code(who, trip.public_id)
    code = steps.trips_of(order)[0].pickup_code
    fulfilments.collect(seller, trip.public_id, f"{code[:3]} {code[3:]}")
    fulfilments.collect(seller, trip.public_id, code)  # told twice
    order = steps.orders_of(group)[0]
    assert (order.status, order.fulfilment_status, steps.trips_of(order)[0].status) == ("completed",) + (
        "delivered",
    ) * 2
    level = session.scalars(sa.select(StockLevel).execution_options(populate_existing=True)).one()
    assert (level.on_hand, level.allocated) == (96, 0)
    paper = session.execute(sa.text("SELECT payload FROM order_document WHERE kind = 'upd'")).scalar_one()
    assert (paper["to"], paper["receiver"]) == (place.address, "Прораб Демо")
    steps.check_everything_sums()


def test_what_nobody_fetched_is_on_sale_again_after_its_time(db_session: Any) -> None:
    market, who = make.market(), make.person()
    offer, seller = make.offer(market), market.sellers[0]
    counter(market)
    quote = chosen(who, steps.quoted(who, (offer, 4)), Choice("pickup"))
    group = session.get_one(OrderGroup, service.place(who, quote.public_id, steps.CONTACT, "invoice").id)
    order = steps.orders_of(group)[0]
    trip = steps.trips_of(order)[0]
    service.accept(seller, order.number)
    fulfilments.start_picking(seller, trip.public_id)
    fulfilments.ready(seller, trip.public_id)
    with pytest.raises(Conflict, match="pickup_not_over"):
        fulfilments.not_collected(seller, trip.public_id)
    total = order.total
    with time_machine.travel(trip.window_to + timedelta(minutes=1), tick=False):
        assert fulfilments.not_collected(seller, trip.public_id) == total
    order = steps.orders_of(group)[0]
    assert (order.status, order.total) == ("cancelled", 0)
    assert session.scalars(sa.select(StockLevel.allocated)).one() == 0
    steps.check_everything_sums()


def test_several_dated_deliveries_sum_to_the_order(db_session: Any) -> None:
    market, who = make.market(), make.person()
    first, second = make.offer(market, price=33_333), make.offer(market, price=10_001)
    quote = steps.quoted(who, (first, 7), (second, 5))
    view = choice_views.groups(quote)[0]
    a, b = (piece.line.public_id for piece in view.trip.pieces)
    days = [clock.today() + timedelta(days=n) for n in (3, 10, 20)]
    parts = tuple(
        Part({a: Decimal(x), b: Decimal(y)}, day, "9-14")
        for (x, y), day in zip(((3, 1), (2, 0), (2, 4)), days, strict=True)
    )
    for wrong in (
        parts[:2],
        (*parts[:2], Part({}, days[2], "9-14")),
        (*parts[:2], Part({a: Decimal("2"), b: Decimal("4.5")})),
    ):
        with pytest.raises(Invalid):
            chosen(who, quote, Choice(parts=wrong))
    made = chosen(who, quote, Choice(parts=parts))
    trips = made.payload["trips"]
    assert [(t["part"], t["parts"], t["day"]) for t in trips] == [(n, 3, d.isoformat()) for n, d in enumerate(days, 1)]
    assert sum(t["delivery"] for t in trips) == made.payload["totals"]["delivery"]
    assert sum(p["gross"] for t in trips for p in t["pieces"]) == made.payload["totals"]["goods"]
    carts.add(who, "", first.public_id, Decimal(1))  # the parts do not sum any more: they fall away, nothing is refused
    assert [t["parts"] for t in checkout.quote_again(who, made, "invoice").payload["trips"]] == [1]
    carts.change(who, "", a, Decimal(7))
    group = session.get_one(OrderGroup, service.place(who, made.public_id, steps.CONTACT, "invoice").id)
    order = steps.orders_of(group)[0]
    assert [t.day for t in steps.trips_of(order)] == days
    assert order.delivery == sum(t.delivery_price for t in steps.trips_of(order)) == made.payload["totals"]["delivery"]
    # one of them is brought, another called off: the order counts what came
    service.accept(market.sellers[0], order.number)
    deliver(market, steps.trips_of(order)[0])
    assert steps.orders_of(group)[0].status == "accepted"
    steps.check_everything_sums()


def deliver(market: make.Market, trip: Fulfilment) -> None:
    fulfilments.start_picking(market.sellers[0], trip.public_id)
    fulfilments.ready(market.sellers[0], trip.public_id)
    fulfilments.complete(trip.id, "delivered", "", [], None)
