"""Positions: what of a batch is kept, the last one only moves forward, days come and go, kilometres stay."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.db import session
from app.logistics import courier_day, courier_views, position_keeping, shift_day
from app.logistics.models import LastPosition, Position, Route
from app.logistics.position_keeping import travelled
from app.logistics.positions import Fix, OnShift, metres, record_positions, sifted
from app.logistics.shift_day import Look
from app.logistics.tracking_models import Driven
from tests.factories import logistics as make

NOW = clock.at(date(2026, 11, 24), 720)
SHIFT = OnShift(1, NOW - timedelta(hours=8), NOW + timedelta(hours=8), None)


def fix(minutes: float, north_m: float = 0, **known: float) -> Fix:
    return Fix(NOW + timedelta(minutes=minutes), 55.8 + north_m / 111_195, 37.6, **known)


def test_what_cannot_be_true_is_dropped_and_counted() -> None:
    given_fixes = [
        fix(-10), fix(-10), fix(5), fix(-60 * 24 * 3), fix(-9, accuracy_m=900), fix(-8.5, 30_000), fix(-8, 300),
        fix(-60 * 9),
    ]  # fmt: skip
    kept, why = sifted(given_fixes, [SHIFT], NOW)
    assert [f.at for f in kept[1]] == [fix(-10).at, fix(-8).at]
    assert why == {"again": 1, "future": 1, "old": 1, "vague": 1, "jump": 1, "off_shift": 1}


def test_one_wrong_position_does_not_silence_a_truck_for_long() -> None:
    wrong = OnShift(1, SHIFT.since, SHIFT.until, fix(-40, 60_000))
    kept, why = sifted([fix(-39), fix(-30), fix(-20), fix(-10)], [wrong], NOW)
    assert len(kept[1]) == 2
    assert why == {"jump": 2}


@given(st.lists(st.integers(-6000, 200), max_size=60), st.integers(0, 10**6))
def test_the_order_of_a_batch_does_not_matter(minutes: list[int], seed: int) -> None:
    batch = [fix(m, m * 50) for m in minutes]
    shuffled = batch.copy()
    random.Random(seed).shuffle(shuffled)
    one, other = sifted(batch, [SHIFT], NOW), sifted(shuffled, [SHIFT], NOW)
    assert one == other
    kept = sum(len(fixes) for fixes in one[0].values())
    assert kept + sum(one[1].values()) == len(batch)


def test_standing_adds_no_way_and_driving_adds_its_length() -> None:
    dice = random.Random(4)
    standing = [fix(n / 12, dice.gauss(0, 6), accuracy_m=12.0) for n in range(720)]
    way = travelled(standing)
    assert way is not None
    assert way.distance_m < 150
    assert way.points == 720
    driving = travelled(fix(n / 12, n * 60 + dice.gauss(0, 4)) for n in range(500))
    assert driving is not None
    assert abs(driving.distance_m - 499 * 60) < 600
    assert travelled([]) is None


def test_distances_are_those_of_the_sphere() -> None:
    assert metres(55.0, 37.0, 55.0, 37.0) == 0
    assert abs(metres(0, 0, 0, 1) - 111_195) < 10
    assert abs(metres(90, 0, -90, 0) - 20_015_115) < 10


def on_route(w: make.World, day: date | None = None) -> Any:
    made = make.delivery(w, day)
    make.published(w, [made], day)
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    courier_day.start_route(w.courier, route.public_id)
    return made


@pytest.mark.usefixtures("db_session")
class TestKept:
    def test_the_last_position_only_moves_forward(self, count_queries: Callable[[], Any]) -> None:
        w = make.world()
        on_route(w)
        now = clock.now()
        assert (
            record_positions(w.courier, [Fix(now, 55.81, 37.6), Fix(now - timedelta(seconds=60), 55.80, 37.6)]).accepted
            == 2
        )
        kept = record_positions(w.courier, [Fix(now - timedelta(seconds=30), 55.805, 37.6), Fix(now, 55.81, 37.6)])
        assert (kept.accepted, kept.dropped, kept.why) == (1, 1, {"again": 1})
        last = session.get_one(LastPosition, w.courier_id, populate_existing=True)
        assert (last.at, last.lat) == (now, 55.81)

    def test_a_batch_of_any_size_is_two_statements(
        self, count_queries: Callable[[], AbstractContextManager[list[str]]]
    ) -> None:
        w = make.world()
        on_route(w)
        now = clock.now()
        with count_queries() as seen:
            kept = record_positions(
                w.courier, [Fix(now - timedelta(milliseconds=100 * n), 55.81, 37.6) for n in range(500)]
            )
        assert kept.accepted == 500
        assert len(seen) == 2

    def test_what_was_sent_off_shift_is_not_kept(self) -> None:
        w = make.world()
        on_route(w)
        session.execute(
            sa.update(Route).where(Route.courier_id == w.courier_id).values(
                started_at=clock.now() - timedelta(hours=3), finished_at=clock.now() - timedelta(hours=1)
            )
        )  # fmt: skip
        session.commit()
        now = clock.now()
        batch = [Fix(now - timedelta(minutes=m), 55.81, 37.6) for m in (5, 90, 240)]
        kept = record_positions(w.courier, batch)
        assert (kept.accepted, kept.why) == (1, {"off_shift": 2})

    def test_a_driver_who_ended_the_shift_is_not_watched_whatever_the_route_says(self) -> None:
        w = make.world()
        on_route(w)
        session.execute(sa.update(Route).where(Route.courier_id == w.courier_id).values(
            started_at=clock.now() - timedelta(hours=3)))  # fmt: skip
        session.commit()
        route = session.scalars(sa.select(Route).where(Route.courier_id == w.courier_id)).one()
        shift_day.end_shift(w.courier, route.public_id, Look(120_000))
        assert route.state == "started"
        later = clock.now() + timedelta(minutes=20)
        with time_machine.travel(later, tick=False):
            kept = record_positions(w.courier, [Fix(later, 55.81, 37.6), Fix(later - timedelta(hours=1), 55.81, 37.6)])
        assert (kept.accepted, kept.why) == (1, {"off_shift": 1})

    def test_kilometres_stay_by_route_when_positions_go(self) -> None:
        w = make.world()
        on_route(w)
        route = session.scalars(sa.select(Route).where(Route.courier_id == w.courier_id)).one()
        day = clock.today() - timedelta(days=120)
        noon = clock.at(day, 720)
        route.started_at, route.finished_at = noon, noon + timedelta(hours=2)
        session.flush()
        session.execute(sa.text("SELECT make_position_day(:day)"), {"day": day})
        session.add_all(
            Position(courier_id=w.courier_id, at=noon + timedelta(minutes=n), lat=55.8 + n / 200, lon=37.6)
            for n in (*range(11), *range(180, 183))
        )
        session.commit()
        before = {part.name for part in position_keeping.partitions()}
        assert position_keeping.drop_old() == [f"position_{day:%Y%m%d}"]
        assert before - {part.name for part in position_keeping.partitions()} == {f"position_{day:%Y%m%d}"}
        rows = {
            row.route_id: (row.distance_m, row.points)
            for row in session.scalars(sa.select(Driven).where(Driven.day == day))
        }
        assert rows[route.id][1] == 11
        assert abs(rows[route.id][0] - 10 / 200 * 111_195) < 20
        assert rows[None][1] == 3
        assert (
            session.scalar(
                sa.select(sa.func.count()).select_from(Position).where(Position.at < noon + timedelta(hours=12))
            )
            == 0
        )

    def test_the_days_ahead_are_made_and_made_again(self) -> None:
        position_keeping.make_days()
        with time_machine.travel(clock.now() + timedelta(days=6)):
            session.execute(sa.text("SELECT make_position_day(:d)"), {"d": clock.now().date() + timedelta(days=14)})
        position_keeping.make_days()
        first = clock.now().date()
        covered = {
            part.first + timedelta(days=n)
            for part in position_keeping.partitions()
            for n in range((part.end - part.first).days)
        }
        assert {first + timedelta(days=n) for n in range(-2, 15)} <= covered

    def test_a_day_is_settled_twice_to_the_same_figure(self) -> None:
        w = make.world()
        on_route(w)
        now = clock.now()
        session.execute(
            sa.update(Route).where(Route.courier_id == w.courier_id).values(started_at=now - timedelta(hours=30))
        )
        session.commit()
        record_positions(
            w.courier, [Fix(now - timedelta(hours=20, minutes=-n), 55.8 + n / 300, 37.6) for n in range(9)]
        )
        days = {clock.local(now - timedelta(hours=20, minutes=-n)).date() for n in range(9)}
        for _ in range(2):
            for day in days:
                position_keeping.settle(day)
        total = session.scalar(sa.select(sa.func.sum(Driven.points)).where(Driven.courier_id == w.courier_id))
        assert total == 9


def test_batches_of_one_truck_at_the_same_time_keep_every_position_once(committed_db: Flask) -> None:
    w = make.world()
    on_route(w)
    now = clock.now()
    batch = [Fix(now - timedelta(seconds=n), 55.81, 37.6) for n in range(100)]
    accepted: list[int] = []

    def send() -> None:
        with committed_db.app_context():
            accepted.append(record_positions(w.courier, batch).accepted)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(accepted) == 100
    kept = session.scalar(sa.select(sa.func.count()).where(Position.courier_id == w.courier_id))
    assert kept == 100
