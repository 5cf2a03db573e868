"""Who drives what: licences, skills, days off, repairs, copied weeks, yards; checkout sells no day without a driver."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.logistics import calendar, depots, driving, fleet, slots
from app.logistics.calendar import AbsenceFacts
from app.logistics.depots import DepotFacts
from app.logistics.driving import Driver
from app.logistics.fleet_facts import CourierFacts
from app.logistics.models import Courier
from app.logistics.slots import Wish
from app.logistics.timetable import timetables
from tests.factories import logistics as make

pytestmark = pytest.mark.usefixtures("db_session")


def day(n: int = 1) -> date:
    return clock.today() + timedelta(days=n)


def shift(w: make.World, truck: Any, on: date, start: int = 480, end: int = 1000) -> uuid.UUID:
    [driver] = fleet.couriers(w.carrier.id)
    return calendar.add_shift(w.dispatcher, driver.public_id, truck.public_id, on, start, end)


@pytest.mark.parametrize(
    ("gross", "held", "code"),
    [
        (3500, {"B": None}, ""), (3501, {"B": None}, "licence_not_enough"), (3500, {"C": None}, "licence_not_enough"),
        (7500, {"C1": None}, ""), (7501, {"C1": None}, "licence_not_enough"), (40_000, {"C": None}, ""),
        (9000, {"C": date(2026, 1, 31)}, "licence_over"), (9000, {"C": date(2026, 2, 1)}, ""),
        (9000, {"C": date(2026, 1, 1), "CE": None}, ""),
    ],
)  # fmt: skip
def test_a_category_covers_a_mass_until_its_last_day(gross: int, held: dict[str, date | None], code: str) -> None:
    truck = make.vehicle(make.world().carrier.id, gross_mass_kg=gross, payload_kg=1000)
    found = ""
    try:
        driving.check(Driver(held), truck, date(2026, 2, 1))
    except Conflict as error:
        found = error.code
    assert found == code


def test_a_shift_needs_the_licence_and_the_skill_and_somebody_who_is_there() -> None:
    w = make.world()
    light = make.vehicle(w.carrier.id, gross_mass_kg=3500, payload_kg=1500)
    crane = make.vehicle(w.carrier.id, has_crane=True)
    session.commit()
    for truck, code in ((light, "licence_not_enough"), (crane, "no_crane_operator")):
        with pytest.raises(Conflict) as refused:
            shift(w, truck, day())
        assert refused.value.code == code
    [driver] = fleet.couriers(w.carrier.id)
    facts = CourierFacts("Driver", licences={"B": None, "C": day(1)}, skills=["crane_operator"])
    fleet.change_courier(w.dispatcher, driver.public_id, facts, None)
    shift(w, crane, day(1))
    shift(w, light, day(2))
    with pytest.raises(Conflict) as over:
        shift(w, crane, day(2), 1001, 1100)
    assert (over.value.code, over.value.context["until"]) == ("licence_over", day(1).isoformat())
    calendar.add_absence(w.dispatcher, AbsenceFacts("repair", day(3), day(4), vehicle=light.public_id))
    with pytest.raises(Conflict) as broken:
        shift(w, light, day(4))
    assert broken.value.code == "vehicle_away"
    with pytest.raises(Conflict) as twice:
        calendar.add_absence(w.dispatcher, AbsenceFacts("repair", day(4), day(9), vehicle=light.public_id))
    assert twice.value.code == "absence_overlaps"


def test_a_usual_truck_needs_its_driver_to_be_allowed() -> None:
    w = make.world()
    light = make.vehicle(w.carrier.id, gross_mass_kg=3500, payload_kg=1500)
    session.commit()
    [driver] = fleet.couriers(w.carrier.id)
    facts = CourierFacts("Driver", licences={"C": None}, vehicle=light.public_id)
    with pytest.raises(Conflict, match="licence_not_enough"):
        fleet.change_courier(w.dispatcher, driver.public_id, facts, None)
    fleet.change_courier(w.dispatcher, driver.public_id, replace(facts, licences={"B": day(1)}), None)
    assert [len(fleet.trucks_of_day(w.carrier.id, day(n))) for n in (1, 2)] == [1, 0]  # the licence ends in between


def test_who_is_away_stays_at_home_and_shifts_are_struck() -> None:
    w = make.world()
    shift(w, w.vehicle, day(2))
    [driver] = fleet.couriers(w.carrier.id)
    calendar.add_absence(w.dispatcher, AbsenceFacts("sick", day(1), day(2), courier=driver.public_id))
    assert calendar.shifts(w.carrier.id, day(2)) == []
    assert [len(fleet.trucks_of_day(w.carrier.id, day(n))) for n in (0, 1, 2, 3)] == [1, 0, 0, 1]
    [row] = calendar.absences(w.carrier.id, day())
    calendar.remove_absence(w.dispatcher, row.public_id)
    assert len(fleet.trucks_of_day(w.carrier.id, day(1))) == 1


def test_a_shift_that_has_begun_is_not_struck_by_a_day_off() -> None:
    from app.logistics.models import Shift

    w = make.world()
    shift(w, w.vehicle, day(0), 0, 1439)
    session.query(Shift).one().started_at = clock.now()
    session.commit()
    [driver] = fleet.couriers(w.carrier.id)
    with pytest.raises(Conflict, match="shift_started"):
        calendar.add_absence(w.dispatcher, AbsenceFacts("sick", day(0), day(0), courier=driver.public_id))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"kind": "repair"}, "unknown_option"), ({"to_day": date(2020, 1, 1)}, "days_not_in_order"),
     ({"vehicle": uuid.uuid4()}, "courier_or_vehicle"), ({"to_day": date(2040, 1, 1)}, "too_large")],
)  # fmt: skip
def test_days_off_that_cannot_be(wrong: dict[str, Any], code: str) -> None:
    w = make.world()
    facts = AbsenceFacts("sick", day(1), day(2), courier=fleet.couriers(w.carrier.id)[0].public_id)
    with pytest.raises(Invalid) as refused:
        calendar.add_absence(w.dispatcher, replace(facts, **wrong))
    assert code in [error.code for error in refused.value.errors]


def test_a_week_is_copied_once_and_says_what_could_not_be() -> None:
    w = make.world()
    monday = calendar.monday_of(day(7))
    for n in range(3):
        shift(w, w.vehicle, monday + timedelta(days=n))
    [driver] = fleet.couriers(w.carrier.id)
    into = monday + timedelta(days=7)
    tuesday = into + timedelta(days=1)
    calendar.add_absence(w.dispatcher, AbsenceFacts("holiday", tuesday, tuesday, courier=driver.public_id))
    found = calendar.copy_week(w.dispatcher, into + timedelta(days=3))
    assert (found.made, [(d, code) for d, _name, code in found.refused]) == (2, [(tuesday, "courier_away")])
    again = calendar.copy_week(w.dispatcher, into)
    assert (again.made, sorted(code for _d, _n, code in again.refused)) == (
        0, ["courier_away", "shift_overlaps", "shift_overlaps"],
    )  # fmt: skip
    grid = calendar.week(w.carrier.id, into)
    assert [grid.driving[d] for d in grid.days] == [1, 0, 1, 1, 1, 1, 1]


def test_no_day_is_sold_on_which_nobody_drives() -> None:
    w = make.world()
    [driver] = fleet.couriers(w.carrier.id)
    calendar.add_absence(w.dispatcher, AbsenceFacts("holiday", day(2), day(3), courier=driver.public_id))
    assert calendar.idle_days([w.carrier.id], day(0), day(6)) == {w.carrier.id: frozenset({day(2), day(3)})}
    table = timetables([w.carrier.id], day(0), day(6))[w.carrier.id]
    assert [one.why for one in table.days(1, day(1), day(1), 4, clock.now())] == ["", "closed", "closed", ""]
    with pytest.raises(Conflict) as refused:
        slots.take(Wish(w.carrier.id, clock.at(day(2), 540), clock.at(day(2), 840), 100))
    assert (refused.value.code, refused.value.context["reason"]) == ("slot_full", "closed")
    second = make.driver(w.carrier, make.vehicle(w.carrier.id))[1]
    session.commit()
    assert calendar.idle_days([w.carrier.id], day(0), day(6)) == {}
    second.work_days = [day(2).isoweekday()]
    session.commit()
    assert calendar.idle_days([w.carrier.id], day(0), day(6)) == {w.carrier.id: frozenset({day(3)})}


def test_the_calendar_says_nothing_behind_what_is_written_and_without_drivers() -> None:
    w, empty = make.world(), make.world()
    session.query(Courier).filter_by(carrier_id=empty.carrier.id).delete()
    session.query(Courier).filter_by(carrier_id=w.carrier.id).one().vehicle_id = None
    session.commit()
    shift(w, w.vehicle, day(2))
    found = calendar.idle_days([w.carrier.id, empty.carrier.id], day(1), day(9))
    assert found == {w.carrier.id: frozenset({day(1)})}  # day 2 is driven, later days are not written yet


def test_trucks_start_from_their_yard() -> None:
    w = make.world()
    assert fleet.trucks_of_day(w.carrier.id, day())[0].yard == make.DEPOT
    main = depots.add_depot(w.dispatcher, DepotFacts("Main", 55.8, 37.5))
    assert [d.is_main for d in depots.depots(w.carrier.id)] == [True]
    assert fleet.trucks_of_day(w.carrier.id, day())[0].yard == (55.8, 37.5)
    north = depots.add_depot(w.dispatcher, DepotFacts("North", 55.9, 37.6))
    [row] = fleet.vehicles(w.carrier.id)
    from app.logistics.fleet_facts import VehicleFacts

    facts = VehicleFacts(**{f: getattr(row, f) for f in VehicleFacts.__dataclass_fields__})
    fleet.change_vehicle(w.dispatcher, row.public_id, replace(facts, depot=north), None)
    assert fleet.trucks_of_day(w.carrier.id, day())[0].yard == (55.9, 37.6)
    with pytest.raises(Conflict, match="depot_has_trucks"):
        depots.remove_depot(w.dispatcher, north)
    with pytest.raises(Conflict, match="depot_is_main"):
        depots.remove_depot(w.dispatcher, main)
    depots.change_depot(w.dispatcher, north, DepotFacts("North", 55.9, 37.6, is_main=True), 1)
    assert {d.name: d.is_main for d in depots.depots(w.carrier.id)} == {"North": True, "Main": False}
    depots.remove_depot(w.dispatcher, main)
    other = make.world()
    with pytest.raises(NotFound):
        depots.remove_depot(other.dispatcher, north)
    with pytest.raises(Invalid):
        fleet.change_vehicle(other.dispatcher, other.vehicle.public_id, replace(facts, depot=north), None)


def test_fuel_is_a_part_of_a_kilometre() -> None:
    from app.logistics.fleet_facts import VehicleFacts, check_vehicle

    facts = VehicleFacts("T", "A1", 1000, 1000, 1000, 2000, 2275, 0, fuel_ml_per_km=325, fuel_price=7000)
    check_vehicle(facts)
    assert driving.fuel_per_km(325, 7000) == 2275
    with pytest.raises(Invalid) as refused:
        check_vehicle(replace(facts, cost_per_km=2274))
    assert [error.code for error in refused.value.errors] == ["cheaper_than_fuel"]
