"""Windows of delivery: capacity in days, deliveries and kilograms; the last place goes to one; who cancels frees it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core import clock
from app.core.db import db, session, unit_of_work
from app.core.errors import Conflict, DomainError, Invalid
from app.core.permissions import Actor, Membership
from app.logistics import slots
from app.logistics.models import Tariff
from app.logistics.slot_models import DeliverySlot
from app.logistics.slots import WindowFacts
from app.logistics.timetable import timetables
from app.orders import checkout, choice_views, moving, service
from app.orders.checkout import wanted_of
from app.orders.choices import Choice
from app.orders.models import Fulfilment, OrderGroup
from tests.factories import orders as make
from tests.orders import steps
from tests.orders.test_races import all_at_once, buyer

EVERY_DAY = range(1, 8)
MORNING, EVENING = WindowFacts(9 * 60, 12 * 60, 1), WindowFacts(18 * 60, 21 * 60, 2, 500)


def dispatcher(market: make.Market) -> Actor:
    """Who declares windows for the market's carrier."""
    public_id = make.person().public_id
    assert public_id is not None
    return Actor(user_id=make.person().user_id,
                 memberships=(Membership(market.carrier_id, public_id, "c", "carrier", "dispatcher"),))  # fmt: skip


def declared(market: make.Market, *windows: WindowFacts) -> Actor:
    who = dispatcher(market)
    for window in windows:
        slots.declare(who, list(EVERY_DAY), window)
    return who


def in_two_days() -> date:
    return clock.today() + timedelta(days=2)


def quote_for(who: Actor, offer: Any, quantity: int, window: str, day: date | None = None) -> checkout.Quote:
    from app.orders import carts

    carts.add(who, "", offer.public_id, Decimal(quantity))
    return checkout.make_quote(who, make.site(), day or in_two_days(), window, "invoice")


def taken() -> list[tuple[int, int]]:
    rows = session.execute(sa.select(DeliverySlot.taken, DeliverySlot.taken_kg).order_by(DeliverySlot.starts_at))
    return [tuple(row) for row in rows]  # type: ignore[misc]  # two columns


def test_a_place_is_taken_at_ordering_and_free_after_cancelling(db_session: Any) -> None:
    market = make.market()
    offer = make.offer(market)
    declared(market, MORNING, EVENING)
    first, second = make.person(), make.person()
    one = quote_for(first, offer, 2, "9-12")
    rival = quote_for(second, offer, 1, "9-12")  # looking takes nothing
    group = service.place(first, one.public_id, steps.CONTACT, "invoice")
    assert taken() == [(1, 50)]
    with pytest.raises(Conflict) as refused:
        service.place(second, rival.public_id, steps.CONTACT, "invoice")
    assert refused.value.code == "slot_full"
    assert refused.value.context["reason"] == "full"
    assert refused.value.context["next"][0] == {"day": in_two_days().isoformat(), "window": "18-21", "left": 2}
    again = checkout.quote_again(second, rival, "invoice")  # the page offers the first that is free
    assert again.payload["trips"][0]["window"] != "9-12" or again.payload["day"] != in_two_days().isoformat()
    number = steps.orders_of(session.get_one(OrderGroup, group.id))[0].number
    service.cancel(first, number)
    assert taken() == [(0, 0)]
    fresh = checkout.make_quote(second, make.site(), in_two_days(), "9-12", "invoice")
    assert service.place(second, fresh.public_id, steps.CONTACT, "invoice").number
    assert taken() == [(1, 25)]
    steps.check_everything_sums()


def test_days_say_why_nothing_is_free(db_session: Any) -> None:
    market = make.market()
    offer = make.offer(market, mass="100")
    who = declared(market, MORNING, EVENING)
    today, full, closed, late = (clock.today() + timedelta(days=n) for n in (0, 3, 4, 20))
    slots.except_on(who, closed, 0, note="праздник")
    slots.except_on(who, full, 0, span=(18 * 60, 21 * 60))
    early = quote_for(make.person(), offer, 1, "9-12", full)
    buyer = make.person()
    quote = quote_for(buyer, offer, 6, "9-12")
    service.place(Actor(user_id=early_user(early)), early.public_id, steps.CONTACT, "invoice")
    days = {one.day: one for one in choice_views.groups(checkout.quote_of(buyer, quote.public_id))[0].carriers[0].days}
    assert days[full].why == "full"
    assert days[closed].why == "closed"
    assert [(w.window.code, w.why) for w in days[in_two_days()].windows] == [("9-12", ""), ("18-21", "heavy")]
    table = timetables([market.carrier_id], today, late)[market.carrier_id]
    assert table.day(today, 1, in_two_days(), clock.now()).why == "too_soon"
    with pytest.raises(Conflict) as shut:
        checkout.quote_anew(Actor(user_id=early_user(quote)), _on(quote, closed, ""))
    assert (shut.value.code, shut.value.context["reason"]) == ("slot_full", "closed")
    with pytest.raises(Invalid):
        checkout.quote_anew(Actor(user_id=early_user(quote)), _on(quote, in_two_days(), "10-11"))


def _on(quote: checkout.Quote, day: date, window: str) -> checkout.Wanted:
    key = choice_views.groups(quote)[0].key
    wanted = wanted_of(quote.payload)
    return checkout.Wanted(wanted.site, None, "", "invoice", choices={key: Choice(day=day, window=window)})


def early_user(quote: checkout.Quote) -> int:
    found = session.scalar(sa.text("SELECT user_id FROM cart WHERE id = :c"), {"c": quote.cart_id})
    return int(found or 0)


def test_two_trips_of_one_purchase_need_two_places(db_session: Any) -> None:
    market = make.market(sellers=2)
    one, other = make.offer(market, 0), make.offer(market, 1)
    declared(market, MORNING, EVENING)
    quote = steps.quoted(make.person(), (one, 1), (other, 1))
    assert [trip["window"] for trip in quote.payload["trips"]] == ["9-12", "18-21"]


def test_another_carrier_comes_when_the_cheapest_is_full(db_session: Any) -> None:
    market = make.market()
    offer = make.offer(market)
    declared(market, MORNING)
    dear = make.market()  # its carrier serves the first market's warehouse too
    session.add(make.CarrierWarehouse(carrier_id=dear.carrier_id, warehouse_id=market.warehouses[0]))
    session.execute(sa.update(Tariff).where(Tariff.carrier_id == dear.carrier_id).values(base=900_000))
    session.flush()
    first = quote_for(make.person(), offer, 1, "9-12")
    service.place(Actor(user_id=early_user(first)), first.public_id, steps.CONTACT, "invoice")
    second = quote_for(make.person(), offer, 1, "")
    trip = second.payload["trips"][0]
    assert (trip["carrier_id"], trip["window"]) == (dear.carrier_id, "9-14")


def test_the_buyer_moves_a_day_and_the_place_moves_with_it(db_session: Any) -> None:
    market = make.market()
    offer = make.offer(market)
    declared(market, MORNING)
    who, rival = make.person(), make.person()
    quote, other = (
        quote_for(who, offer, 1, "9-12"),
        quote_for(rival, offer, 1, "9-12", clock.today() + timedelta(days=3)),
    )
    group = session.get_one(OrderGroup, service.place(who, quote.public_id, steps.CONTACT, "invoice").id)
    service.place(rival, other.public_id, steps.CONTACT, "invoice")
    order = steps.orders_of(group)[0]
    trip = steps.trips_of(order)[0]
    with pytest.raises(Conflict) as refused:
        moving.move(who, trip.public_id, clock.today() + timedelta(days=3), "9-12")
    assert refused.value.code == "slot_full"
    moving.move(who, trip.public_id, clock.today() + timedelta(days=4), "9-12")
    assert sorted(taken()) == [(0, 0), (1, 25), (1, 25)]
    delivered_on = session.execute(
        sa.text("SELECT day FROM delivery WHERE fulfilment_id = :f"), {"f": trip.id}
    ).scalar()
    assert delivered_on == steps.trips_of(order)[0].day == clock.today() + timedelta(days=4)
    with pytest.raises(DomainError):
        moving.move(rival, trip.public_id, clock.today() + timedelta(days=5), "9-12")
    service.accept(market.sellers[0], order.number)
    from app.orders import fulfilments

    fulfilments.start_picking(market.sellers[0], trip.public_id)
    with pytest.raises(Conflict, match="too_late_to_move"):
        moving.move(who, trip.public_id, clock.today() + timedelta(days=5), "9-12")
    steps.check_everything_sums()


def test_the_last_place_of_a_window_goes_to_one_of_many(committed_db: Flask) -> None:
    @unit_of_work
    def prepared() -> Any:
        market = make.market()
        offer = make.offer(market, stock=100)
        declared(market, WindowFacts(9 * 60, 12 * 60, 3))
        return offer

    offer = prepared()
    works = []
    for _each in range(8):
        who = buyer()
        quote = quote_for(who, offer, 1, "9-12")
        works.append(lambda who=who, quote=quote: service.place(who, quote.public_id, steps.CONTACT, "invoice"))
    db.session.remove()
    results = all_at_once(committed_db, works, 8)
    refused = [r for r in results if isinstance(r, DomainError)]
    assert {r.code for r in refused} == {"slot_full"}
    assert len(results) - len(refused) == 3
    assert taken() == [(3, 75)]
    assert session.scalar(sa.select(sa.func.count()).select_from(OrderGroup)) == 3
    assert session.scalar(sa.select(sa.func.count()).select_from(Fulfilment)) == 3  # nothing half-written
    steps.check_everything_sums()
