"""The planning job makes exactly one plan, however often it runs and whenever its worker dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.core import clock, jobs
from app.core.db import db, session, unit_of_work
from app.core.models import Job
from app.logistics import plan_views, plans
from app.logistics.models import Route, RoutePlan, Stop
from tests.factories import logistics as make
from workers import routing, worker


def tomorrow() -> Any:
    return clock.today() + timedelta(days=1)


def job_row(public_id: uuid.UUID) -> Any:
    return session.execute(
        sa.select(Job.id, Job.state, Job.error, Job.result, Job.done).where(Job.public_id == public_id)
    ).one()


def plans_made() -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(RoutePlan)) or 0


def test_a_day_is_planned_checked_and_stored_once(app: Flask, db_session: Any) -> None:
    w = make.world()
    made = [make.delivery(w, index=i) for i in range(4)]
    long = make.delivery(w, index=4, longest_mm=9000)
    nowhere = make.delivery(w, index=4, site=make.site(4, lat=None))
    job = plans.request(w.dispatcher, tomorrow(), 1)
    number = job_row(job).id
    worker.run_in_context(number, app)
    worker.run_in_context(number, app)
    row = job_row(job)
    assert (row.state, row.error) == ("done", None)
    assert plans_made() == 1
    view = plan_views.plan(w.carrier.id, uuid.UUID(row.result["plan"]))
    assert view.head.quality == "graph"
    assert view.head.cost > 0
    assert {s.delivery for r in view.routes for s in r.drops} == {m.public_id for m in made}
    assert {left.reason for left in view.left} == {"too_long", "no_coordinates"}
    assert {left.delivery for left in view.left} == {long.public_id, nowhere.public_id}
    [route] = view.routes
    assert len(route.geometry) > 20, "the line follows streets, not the sky"
    assert route.courier_id == w.courier_id
    for stop in route.drops:
        assert stop.window_from <= stop.planned_departure
        assert stop.planned_arrival <= stop.window_to


def test_a_load_larger_than_the_truck_goes_in_lots(app: Flask, db_session: Any) -> None:
    w = make.world()
    make.delivery(w, mass_kg=11_000)
    job = plans.request(w.dispatcher, tomorrow(), 1)
    worker.run_in_context(job_row(job).id, app)
    lots = session.execute(sa.select(Stop.kind, Stop.lot, Stop.lots).order_by(Stop.kind, Stop.lot)).all()
    assert [tuple(row) for row in lots] == [(kind, lot, 3) for kind in ("drop", "pickup") for lot in (1, 2, 3)]


def test_two_of_the_same_carrier_are_planned_apart_from_another_carrier(app: Flask, db_session: Any) -> None:
    w, other = make.world(), make.world()
    mine, foreign = make.delivery(w), make.delivery(other)
    worker.run_in_context(job_row(plans.request(w.dispatcher, tomorrow(), 1)).id, app)
    carried = set(session.scalars(sa.select(Stop.delivery_id)))
    assert carried == {mine.id}
    assert foreign.id not in carried


def test_a_job_asked_to_stop_keeps_its_best_plan(app: Flask, db_session: Any) -> None:
    w = make.world()
    for index in range(3):
        make.delivery(w, index=index)
    job = plans.request(w.dispatcher, tomorrow(), 60)
    running = jobs.claim(job_row(job).id)
    assert running is not None
    jobs.request_cancel(job, w.dispatcher.user_id)
    started = time.monotonic()
    routing.plan(running)
    assert time.monotonic() - started < 20
    assert job_row(job).state == "done"
    assert plans_made() == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(Stop)) == 6


def test_a_worker_killed_in_the_middle_leaves_one_plan_after_the_next_run(committed_db: Flask) -> None:
    w = make.world()
    for index in range(4):
        make.delivery(w, index=index)
    w_carrier = w.carrier.id
    job = plans.request(w.dispatcher, tomorrow(), 30)
    number = job_row(job).id
    session.rollback()
    _start_and_kill(committed_db, number, job)
    assert plans_made() == 0
    _expire(number)
    assert jobs.sweep_expired() == 1
    _shorten(number)
    worker.run_in_context(number, committed_db)
    worker.run_in_context(number, committed_db)
    assert job_row(job).state == "done"
    assert plans_made() == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(Route)) == 1
    assert [h.version for h in plan_views.heads(w_carrier, tomorrow())] == [1]


def _start_and_kill(app: Flask, number: int, job: uuid.UUID) -> None:
    """A real worker process, killed with SIGKILL once it is solving."""
    environment = os.environ | {
        "TUTUU_ENV": "test",
        "SECRET_KEY": app.config["SECRET_KEY"],
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "REDIS_URL": app.config["REDIS_URL"],
    }
    code = f"from workers.worker import run; run({number})"
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 40
        while job_row(job).done < 5 and time.monotonic() < deadline and process.poll() is None:
            session.rollback()
            time.sleep(0.1)
        session.rollback()
        assert job_row(job).done >= 5, (
            process.stderr.read() if process.poll() is not None and process.stderr else "slow"
        )
        session.rollback()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@unit_of_work
def _expire(number: int) -> None:
    session.execute(sa.update(Job).where(Job.id == number).values(lease_until=sa.func.now() - timedelta(seconds=1)))


@unit_of_work
def _shorten(number: int) -> None:
    """The second run need not polish for half a minute."""
    changed = db.func.jsonb_set(Job.payload, sa.cast("{seconds}", sa.ARRAY(sa.Text)), sa.text("'1'::jsonb"))
    session.execute(sa.update(Job).where(Job.id == number).values(payload=changed))
