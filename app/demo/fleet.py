"""How the demo carriers work: a calendar of the coming days, a tariff by zones, a delivery that changes hands, and one
that needs a truck nobody drives that day.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.core import clock
from app.core.db import session
from app.core.permissions import Actor
from app.logistics import calendar, fleet, hand_overs, tariff_book
from app.logistics.calendar import AbsenceFacts
from app.logistics.fleet_facts import TariffFacts
from app.logistics.hand_overs import Offer

SHIFTS = (2, 3, 4)
"""Days from today on which shifts are written; on others the usual hours count."""


def keep_calendar(dispatcher: Actor) -> None:
    """Shifts of some coming days, a holiday, a truck in repair."""
    people = fleet.couriers(dispatcher.carrier_id)
    for number, person in enumerate(people[:4]):
        for ahead in SHIFTS:
            assert person.vehicle is not None
            day = clock.today() + timedelta(days=ahead)
            calendar.add_shift(dispatcher, person.public_id, person.vehicle, day, (7 + number % 2) * 60, 19 * 60)
    start = clock.today() + timedelta(days=5)
    calendar.add_absence(
        dispatcher, AbsenceFacts("holiday", start, start + timedelta(days=6), courier=people[0].public_id)
    )


def price_by_zones(dispatcher: Actor) -> None:
    """A second tariff: zones, steps of distance and mass, waiting. The first one stays the cheaper of the two."""
    middle = sa.text("SELECT depot_lat, depot_lon FROM carrier WHERE id = :c")
    lat, lon = session.execute(middle, {"c": dispatcher.carrier_id}).one()
    zone = {"name": "Вокруг площадки", "price": 690_000, "lat": lat, "lon": lon, "radius_m": 4000}
    steps = [(10, 750_000), (20, 890_000), (40, 1_190_000)]
    masses = [(500, 90_000), (1500, 190_000), (5000, 490_000), (20_000, 1_490_000)]
    tariff_book.add_tariff(
        dispatcher,
        TariffFacts(
            "Зоны и ступени", base=0, per_km=9_000, per_tonne=90_000, max_mass_kg=20_000,
            valid_from=clock.today() - timedelta(days=30), hands_tonne=120_000, per_floor_tonne=90_000, crane=550_000,
            tail_lift=190_000, max_km=60, zones=[zone],
            distance_steps=[{"up_to_km": km, "price": price} for km, price in steps],
            mass_steps=[{"up_to_kg": kg, "price": price} for kg, price in masses],
            free_minutes=45, waiting_step=30, per_waiting_step=60_000,
        ),
    )  # fmt: skip


def repair_the_crane(dispatcher: Actor) -> None:
    """The only truck with a crane is in repair for some days: what was ordered with a crane has a problem."""
    crane = next(one for one in fleet.vehicles(dispatcher.carrier_id) if one.has_crane)
    tomorrow = clock.today() + timedelta(days=1)
    calendar.add_absence(
        dispatcher, AbsenceFacts("repair", tomorrow, tomorrow + timedelta(days=2), vehicle=crane.public_id,
                                 note="Гидравлика"),
    )  # fmt: skip


def change_hands(dispatcher: Actor, other: Actor) -> None:
    """One delivery was taken over by the other carrier, one is offered to it and waits for an answer."""
    to = accounts.outward_ids([other.carrier_id])[other.carrier_id]
    waiting = _free_deliveries(dispatcher.carrier_id)
    if waiting:
        key = hand_overs.offer(
            dispatcher, waiting[0], Offer(to, "overbooked", 310_000, 24, "Окно заполнено, у вас машина рядом")
        )
        hand_overs.accept(other, key)
    if len(waiting) > 1:
        hand_overs.offer(dispatcher, waiting[1], Offer(to, "no_truck", 280_000, 48))


def _free_deliveries(carrier_id: int) -> list[uuid.UUID]:
    """Deliveries to come that wait at the warehouse or are being picked, for any truck."""
    rows = session.scalars(
        sa.text(
            "SELECT public_id FROM delivery WHERE carrier_id = :c AND state IN ('waiting', 'ready')"
            " AND joint_id IS NULL AND needs = '[]' AND window_to > now() + interval '12 hours' ORDER BY id"
        ),
        {"c": carrier_id},
    )
    return list(rows)
