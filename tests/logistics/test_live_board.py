"""The live board: who is where, who will be late, what needs the dispatcher; a truck that breaks down."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, NotFound
from app.logistics import calendar, courier_day, courier_views, fleet, live_board, tracking, trouble
from app.logistics.courier_day import Tap
from app.logistics.models import Delivery, LastPosition, Shift
from app.logistics.plan_edit_models import VehicleTrouble
from tests.factories import logistics as make

pytestmark = pytest.mark.usefixtures("db_session")


@pytest.fixture
def w(monkeypatch: pytest.MonkeyPatch) -> make.World:
    """A carrier with two deliveries on a route of today, at 10:00."""
    at(monkeypatch, 600)
    w = make.world()
    w.made = [make.delivery(w, clock.today(), index=index) for index in range(2)]  # type: ignore[attr-defined]
    w.plan = make.published(w, w.made, clock.today())  # type: ignore[attr-defined]
    return w


def at(monkeypatch: pytest.MonkeyPatch, minute: int) -> datetime:
    """Make it this minute of today."""
    moment = clock.at(clock.today(), minute)
    monkeypatch.setattr(clock, "now", lambda: moment)
    return moment


def one(w: make.World, state: str = "") -> live_board.TruckNow:
    session.rollback()
    [truck] = live_board.board(w.carrier.id, clock.today(), state).trucks
    return truck


def codes(w: make.World) -> list[str]:
    return [alert.code for alert in one(w).alerts]


def start(w: make.World) -> Any:
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    courier_day.start_route(w.courier, route.public_id)
    return route


def test_a_day_without_a_published_plan_has_an_empty_board() -> None:
    w = make.world()
    found = live_board.board(w.carrier.id, clock.today())
    assert (found.head, found.trucks, found.is_over) == (None, (), False)


def test_a_truck_that_has_not_left_is_an_alert_and_makes_its_stops_later(
    w: make.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, 545)
    assert codes(w) == []
    moment = at(monkeypatch, 545 + 600)  # the plan leaves at 9:00, the windows end at 18:00
    assert codes(w) == ["late", "late", "not_started"]
    truck = one(w)
    stop = truck.late[0]
    assert stop.at == stop.stop.planned_arrival + (moment - truck.route.starts_at)
    assert stop.late_by == stop.at - stop.stop.window_to


def test_positions_have_an_age_and_silence_is_an_alert(w: make.World, monkeypatch: pytest.MonkeyPatch) -> None:
    start(w)
    assert codes(w) == ["no_signal"]
    tracking.record_positions(w.courier, [tracking.Fix(clock.now(), 55.8, 37.6)])
    truck = one(w)
    assert (truck.alerts, truck.age, truck.is_old) == ((), timedelta(0), False)
    at(monkeypatch, 602)
    truck = one(w)
    assert (truck.alerts, truck.age, truck.is_old) == ((), timedelta(minutes=2), True)
    at(monkeypatch, 606)
    assert codes(w) == ["no_signal"]
    assert session.scalar(sa.select(sa.func.count()).select_from(LastPosition)) == 1


def test_a_next_stop_that_is_overdue_makes_the_rest_late(w: make.World, monkeypatch: pytest.MonkeyPatch) -> None:
    start(w)
    tracking.record_positions(w.courier, [tracking.Fix(clock.now(), 55.8, 37.6)])
    assert one(w).late == ()
    moment = at(monkeypatch, 1075)
    late = one(w).late
    assert [item.stop.kind for item in late] == ["drop", "drop"]
    assert late[0].at > moment


def test_pin_locked_failed_and_refused_stand_first(w: make.World) -> None:
    route = start(w)
    pickups = [stop for stop in route.stops if stop.kind == "pickup"]
    drops = [stop for stop in route.stops if stop.kind == "drop"]
    courier_day.load_all_here(w.courier, pickups[0].public_id, Tap())
    session.execute(sa.update(Delivery).where(Delivery.public_id == drops[1].delivery).values(pin_failures=3))
    session.commit()
    courier_day.arrive(w.courier, drops[0].public_id)
    courier_day.fail(w.courier, drops[0].public_id, "refused")
    assert codes(w) == ["pin_locked", "refused", "no_signal"]
    truck = one(w)
    assert truck.done == 3
    assert truck.next is not None
    assert truck.next.stop.public_id == drops[1].public_id
    assert truck.alerts[0].stop is not None
    assert truck.alerts[0].stop.delivery == drops[1].delivery
    courier_day.fail(w.courier, drops[1].public_id, "nobody_there")
    found = live_board.board(w.carrier.id, clock.today())
    assert found.is_over
    assert [(a.code, a.reason) for a in found.trucks[0].alerts] == [("failed", "nobody_there"), ("refused", "")]


def test_the_filter_counts_and_trucks_with_alerts_come_first(w: make.World) -> None:
    found = live_board.board(w.carrier.id, clock.today(), "started")
    assert found.trucks == ()
    assert found.counts == {"": 1, "alert": 1, "planned": 1, "started": 0, "finished": 0}
    assert len(live_board.board(w.carrier.id, clock.today(), "alert").trucks) == 1


def test_another_carrier_sees_nothing(w: make.World) -> None:
    other = make.world()
    assert live_board.board(other.carrier.id, clock.today()).head is None
    with pytest.raises(NotFound):
        trouble.mark_broken(other.dispatcher, w.vehicle.public_id)
    with pytest.raises(NotFound):
        trouble.mark_mended(other.dispatcher, w.vehicle.public_id)


def hours(w: make.World) -> list[tuple[datetime, datetime]]:
    return [(truck.starts_at, truck.ends_at) for truck in fleet.trucks_of_day(w.carrier.id, clock.today())]


@pytest.mark.parametrize("written", [False, True], ids=["usual hours", "a written shift"])
def test_a_broken_truck_ends_its_day_and_gets_it_back(w: make.World, written: bool) -> None:
    if written:
        [driver] = fleet.couriers(w.carrier.id)
        calendar.add_shift(w.dispatcher, driver.public_id, w.vehicle.public_id, clock.today(), 480, 1200)
    before = hours(w)
    trouble.mark_broken(w.dispatcher, w.vehicle.public_id, " gearbox ")
    [(starts, ends)] = hours(w)
    assert (starts, ends) == (before[0][0], clock.now()), "nothing new is planned for it today"
    alert = one(w).alerts[0]
    assert (alert.code, alert.reason) == ("broken", "gearbox")
    with pytest.raises(Conflict, match="already_broken"):
        trouble.mark_broken(w.dispatcher, w.vehicle.public_id)
    trouble.mark_mended(w.dispatcher, w.vehicle.public_id)
    trouble.mark_mended(w.dispatcher, w.vehicle.public_id)
    assert hours(w) == before
    assert "broken" not in codes(w)
    trouble.mark_broken(w.dispatcher, w.vehicle.public_id)
    assert session.scalar(sa.select(sa.func.count()).select_from(VehicleTrouble)) == 2


def test_a_truck_broken_before_its_shift_does_not_leave_at_all(w: make.World, monkeypatch: pytest.MonkeyPatch) -> None:
    [driver] = fleet.couriers(w.carrier.id)
    calendar.add_shift(w.dispatcher, driver.public_id, w.vehicle.public_id, clock.today(), 700, 1200)
    trouble.mark_broken(w.dispatcher, w.vehicle.public_id)
    assert session.scalar(sa.select(sa.func.count()).select_from(Shift)) == 0
    trouble.mark_mended(w.dispatcher, w.vehicle.public_id)
    assert hours(w) == [(clock.at(clock.today(), 700), clock.at(clock.today(), 1200))]
