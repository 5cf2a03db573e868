"""Everything by one truck: its price, whose share is what to the kopek, one place in the window, one carrier."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict
from app.core.money import split
from app.logistics.models import CarrierWarehouse, Delivery, JointDelivery, Tariff, Vehicle
from app.logistics.slot_models import DeliverySlot
from app.logistics.slots import WindowFacts
from app.offers.models import Warehouse
from app.orders import checkout, moving, service
from app.orders.checkout import wanted_of
from app.orders.models import OrderGroup
from tests.factories import orders as make
from tests.orders import steps
from tests.orders.test_slots import declared


@given(
    price=st.integers(0, 10**9),
    loads=st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 100_000)), min_size=1, max_size=6),
)
def test_shares_of_a_truck_sum_to_its_price(price: int, loads: list[tuple[int, int]]) -> None:
    weights = [kg * metres for kg, metres in loads]
    parts = split(price, weights)
    assert sum(parts) == price
    assert all(part >= 0 for part in parts)
    if any(weights):
        assert all(abs(part - price * own / sum(weights)) < 1.001 for part, own in zip(parts, weights, strict=True))


def two_sellers(who: Any) -> tuple[make.Market, checkout.Quote]:
    market = make.market(sellers=2)
    session.execute(sa.update(Tariff).where(Tariff.carrier_id == market.carrier_id).values(extra_pickup=30_000))
    session.execute(sa.update(Warehouse).where(Warehouse.id == market.warehouses[1]).values(lat=55.83, lon=37.70))
    session.flush()
    quote = steps.quoted(who, (make.offer(market, 0), 40), (make.offer(market, 1), 4))
    return market, quote


def together(who: Any, quote: checkout.Quote) -> checkout.Quote:
    return checkout.quote_anew(who, replace(wanted_of(quote.payload), is_joint=True))


def test_one_truck_is_one_price_one_place_and_shares_that_sum(db_session: Any) -> None:
    who = make.person()
    market, quote = two_sellers(who)
    declared(market, WindowFacts(9 * 60, 18 * 60, 1))
    kept = quote.payload["joint"]
    assert kept["separate"] == sum(trip["delivery"] for trip in quote.payload["trips"])
    assert kept["price"] == sum(line["amount"] for line in kept["lines"])
    assert [line["amount"] for line in kept["lines"] if line["code"] == "extra_pickup"] == [30_000]
    made = together(who, quote)
    trips = made.payload["trips"]
    assert sum(trip["delivery"] for trip in trips) == kept["price"] == made.payload["totals"]["delivery"]
    assert trips[0]["delivery"] > trips[1]["delivery"]  # ten times the mass
    assert kept["price"] < kept["separate"]
    group = session.get_one(OrderGroup, service.place(who, made.public_id, steps.CONTACT, "invoice").id)
    truck = session.scalars(sa.select(JointDelivery)).one()
    rows = session.scalars(sa.select(Delivery).order_by(Delivery.id)).all()
    assert {row.joint_id for row in rows} == {truck.id}
    assert {row.carrier_id for row in rows} == {truck.carrier_id}
    assert sum(row.price for row in rows) == truck.price
    assert session.scalars(sa.select(DeliverySlot.taken)).one() == 1
    steps.check_everything_sums()
    first, second = steps.orders_of(group)
    with pytest.raises(Conflict, match="joint_stays"):
        moving.move(who, steps.trips_of(first)[0].public_id, clock.today() + timedelta(days=5), "9-18")
    service.cancel(who, first.number)
    assert session.scalars(sa.select(DeliverySlot.taken)).one() == 1  # the truck still comes
    assert steps.trips_of(second)[0].delivery_price == trips[1]["delivery"]  # for the price agreed
    service.cancel(who, second.number)
    assert session.scalars(sa.select(DeliverySlot.taken)).one() == 0
    steps.check_everything_sums()


def of_trucks(market: make.Market, **values: int) -> Any:
    return sa.update(Vehicle).where(Vehicle.carrier_id == market.carrier_id).values(**values)


def of_second(market: make.Market, **values: int) -> Any:
    return sa.update(Warehouse).where(Warehouse.id == market.warehouses[1]).values(**values)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: of_trucks(m, payload_kg=1000), "heavy_together"),
        (lambda m: of_trucks(m, volume_l=500), "large_together"),
        (lambda m: of_second(m, max_vehicle_kg=3500), "site_mass_limit"),
        (lambda m: sa.delete(CarrierWarehouse).where(CarrierWarehouse.warehouse_id == m.warehouses[1]),
         "no_common_carrier"),
    ],
)  # fmt: skip
def test_why_one_truck_cannot(db_session: Any, change: Any, reason: str) -> None:
    who = make.person()
    market, quote = two_sellers(who)
    session.execute(change(market))
    session.flush()
    with pytest.raises(Conflict) as refused:
        together(who, quote)
    assert (refused.value.code, refused.value.context["reason"]) == ("no_joint", reason)
