"""What was told is compared with what came true, and the next windows and warnings follow from it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from app.core import clock
from app.core.db import session, unit_of_work
from app.core.models import Job
from app.logistics import courier_day, courier_views, eta, eta_samples, tracking
from app.logistics.lateness import lateness
from app.logistics.models import Stop
from app.logistics.tracking_models import EtaSample, EtaSpread
from tests.factories import logistics as make
from tests.factories.accounts import run_jobs

pytestmark = pytest.mark.usefixtures("db_session")


def started() -> tuple[make.World, list[Any], Any]:
    w = make.world()
    made = [make.delivery(w, clock.today()), make.delivery(w, clock.today(), 1)]
    make.published(w, made, clock.today())
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    courier_day.start_route(w.courier, route.public_id)
    return w, made, route


def samples() -> list[EtaSample]:
    return list(session.scalars(sa.select(EtaSample).order_by(EtaSample.stop_id, EtaSample.step)))


def test_a_door_gives_one_sample_for_each_step_and_the_error_when_the_truck_is_there() -> None:
    with time_machine.travel(clock.at(clock.today(), 480), tick=False) as clocks:
        w, made, route = started()
        assert eta_samples.take() == 2
        assert eta_samples.take() == 0
        assert {one.lead_s for one in samples()} == {2 * 3600, 9000}
        assert eta_samples.settle() == 0
        clocks.shift(100 * 60)
        assert eta_samples.take() == 2
        stops = {(s.kind, s.delivery): s.public_id for s in route.stops}
        for one in made:
            courier_day.complete(w.courier, stops["pickup", one.public_id])
        clocks.shift(40 * 60)
        courier_day.arrive(w.courier, stops["drop", made[0].public_id])
        assert eta_samples.settle() == 2
        known = [one for one in samples() if one.error_s is not None]
        assert len({one.stop_id for one in known}) == 1
        for one in known:
            assert one.error_s == int((clock.now() - one.expected_at).total_seconds())
        own = sa.select(EtaSpread).where(EtaSpread.carrier_id == w.carrier.id)
        spread = {row.step: row for row in session.scalars(own)}
        assert {row.samples for row in spread.values()} == {1}
        everybody = session.scalars(sa.select(EtaSpread).where(EtaSpread.carrier_id.is_(None))).all()
        assert len(everybody) == len(spread)


def test_a_sample_made_after_the_arrival_or_of_a_door_nobody_reached_goes() -> None:
    with time_machine.travel(clock.at(clock.today(), 480), tick=False) as clocks:
        _w, made, _route = started()
        clocks.shift(3600)
        eta_samples.take()
        rows = {row.delivery_id: row for row in session.scalars(sa.select(Stop).where(Stop.kind == "drop"))}
        rows[made[0].id].arrived_at = clock.now() - timedelta(minutes=20)  # the tap came late from the phone
        rows[made[1].id].state = "skipped"
        session.commit()
        assert eta_samples.settle() == 0
        assert samples() == []


def learned(carrier_id: int, low_s: int, high_s: int) -> None:
    session.add_all(
        EtaSpread(carrier_id=carrier_id, step=step, low_s=low_s, high_s=high_s, samples=eta.ENOUGH)
        for step in range(eta.LAST_STEP + 1)
    )
    session.commit()


def test_the_buyers_window_is_as_wide_as_the_errors_were() -> None:
    with time_machine.travel(clock.at(clock.today(), 600), tick=False):
        w, made, route = started()
        for stop in route.stops:
            if stop.kind == "pickup":
                courier_day.complete(w.courier, stop.public_id)
        wide = tracking.of_delivery(made[1].id)
        learned(w.carrier.id, -300, 300)
        narrow = tracking.of_delivery(made[1].id)
        assert wide.eta_from is not None
        assert wide.eta_to is not None
        assert narrow.eta_from is not None
        assert narrow.eta_to is not None
        assert narrow.eta_to - narrow.eta_from < wide.eta_to - wide.eta_from
        assert wide.eta_from <= narrow.eta_from
        assert tracking.windows([one.public_id for one in made])[made[1].public_id] == (narrow.eta_from, narrow.eta_to)


def test_late_doors_and_silent_trucks_are_found_with_two_queries(
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    with time_machine.travel(clock.at(clock.today(), 480), tick=False) as clocks:
        w, made, route = started()
        calm = lateness(w.carrier.id, clock.today())
        assert [door.risk for door in calm.doors] == ["", ""]
        assert [one.seen_at for one in calm.silent] == [None]
        tracking.record_positions(w.courier, [tracking.Fix(clock.now(), 55.81, 37.6)])
        assert lateness(w.carrier.id, clock.today()).silent == ()
        clocks.shift(8 * 3600)  # 16:00: nothing is loaded, windows end at 18:00
        risky = lateness(w.carrier.id, clock.today())
        assert [one.seen_at for one in risky.silent] == [clock.now() - timedelta(hours=8)]
        clocks.shift(3600)
        with count_queries() as seen:
            late = lateness(w.carrier.id, clock.today())
        assert len(seen) == 2
        assert late.doors[0].risk == "late"
        assert late.doors[0].delivery == made[1].public_id
        assert late.doors[0].late_by > timedelta(0)
        assert lateness(make.world().carrier.id, clock.today()).doors == ()
        assert route.public_id == late.doors[0].route


def test_the_job_does_both() -> None:
    with time_machine.travel(clock.at(clock.today(), 480), tick=False):
        _w, made, _route = started()
        for _ in range(2):
            unit_of_work(eta_samples.queue)()
        assert session.scalar(sa.select(sa.func.count()).where(Job.kind == "eta.sample")) == 1
        run_jobs("eta.sample")
        assert len(samples()) == len(made)
