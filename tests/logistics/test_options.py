"""Which carriers are offered for a delivery, and for how much."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.logistics import serving
from app.logistics.options import Cargo, DeliveryOption, carriers
from app.logistics.options import options as carriage
from app.offers import queries as offers
from tests.factories import logistics as make

pytestmark = pytest.mark.usefixtures("db_session")


def options(w: make.World, cargo: Cargo = Cargo(1000, 2, 2000), **site: Any) -> list[DeliveryOption]:
    place = offers.warehouses([w.warehouse.id])[w.warehouse.id]
    return carriage(carriers([w.warehouse.id], clock.today()), place, make.site(0, **site), cargo)


def test_options_come_cheapest_first_and_explain_themselves() -> None:
    w = make.world()
    make.tariff(w.carrier.id, name="dear", base=900_000)
    cheap = make.tariff(w.carrier.id, name="cheap")
    found = options(w)
    assert next(o.tariff_id for o in found) == cheap.id
    assert [o.price for o in found] == sorted(o.price for o in found)
    assert all(sum(line.amount for line in o.lines) == o.price for o in found)
    assert 500 < found[0].distance_m < 20_000
    assert not found[0].is_estimate


def test_a_seller_chooses_who_picks_up_and_whom_checkout_offers_first() -> None:
    w, dear, stranger = make.world(), make.world(), make.world()
    make.tariff(w.carrier.id)
    make.tariff(dear.carrier.id, base=900_000)
    session.commit()
    owner = make.actor(w.buyer, w.seller, "seller", "owner")
    both = [w.carrier.public_id, dear.carrier.public_id]
    serving.choose(owner, w.warehouse.public_id, both)
    assert [one.carrier_id for one in options(w)] == [w.carrier.id, dear.carrier.id]  # the cheaper first
    serving.choose(owner, w.warehouse.public_id, both, both[1:])
    assert [one.carrier_id for one in options(w)] == [dear.carrier.id, w.carrier.id]
    serving.choose(owner, w.warehouse.public_id, both[:1])
    rows = {one.public_id: (one.serves, one.is_preferred) for one in serving.carriers_of(w.warehouse.id)}
    assert [rows[key] for key in (*both, stranger.carrier.public_id)] == [(True, False), (False, False), (False, False)]
    with pytest.raises(Invalid):
        serving.choose(owner, w.warehouse.public_id, both[:1], both[1:])
    with pytest.raises(Invalid):
        serving.choose(owner, w.warehouse.public_id, [w.warehouse.public_id])
    with pytest.raises(NotFound):
        serving.choose(make.actor(w.buyer, dear.seller, "seller", "owner"), w.warehouse.public_id, both)


@pytest.mark.parametrize(
    ("site", "reason"),
    [({"max_vehicle_kg": 3500}, "site_mass_limit"), ({"unloading": "crane"}, "no_crane"), ({"lat": 56.9}, "too_far")],
)
def test_no_carrier_says_why(site: dict[str, Any], reason: str) -> None:
    w = make.world()
    make.tariff(w.carrier.id)
    with pytest.raises(Conflict) as refused:
        options(w, **site)
    assert refused.value.code == "no_carrier"
    assert refused.value.context["reason"] == reason


def test_an_ended_tariff_and_a_warehouse_nobody_serves_are_not_offered() -> None:
    w = make.world()
    make.tariff(w.carrier.id, valid_to=date(2026, 1, 2))
    with pytest.raises(Conflict) as refused:
        options(w)
    assert refused.value.context["reason"] == "no_carrier_here"


def test_a_heavy_load_is_priced_in_trips() -> None:
    w = make.world()
    make.tariff(w.carrier.id)
    found = options(w, Cargo(12_000, 10, 2000))
    assert found[0].trips == 3


def test_of_several_tariffs_of_a_carrier_the_cheapest_for_the_load_counts() -> None:
    w = make.world()
    usual = make.tariff(w.carrier.id)
    make.tariff(w.carrier.id, name="Zones", base=usual.base + 100_000)
    assert [option.tariff_id for option in options(w)] == [usual.id]
