"""Events become jobs of their subscribers in the same transaction; timers fire once, whoever sweeps."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from flask import Flask

from app import registry
from app.core import clock, events, timers
from app.core.db import session, unit_of_work
from app.core.models import CacheVersion, Job, OutboxEvent, Timer


@dataclasses.dataclass(frozen=True, slots=True)
class ProbeRang(events.Event):
    entity: ClassVar[str] = "probe"
    note: str = ""


@pytest.fixture(autouse=True)
def own_listeners() -> Iterator[None]:
    """Listeners of a test are forgotten after it."""
    subscribers = {name: list(kinds) for name, kinds in events._subscribers.items()}
    handlers = dict(timers._handlers)
    yield
    events._subscribers.clear()
    events._subscribers.update(subscribers)
    timers._handlers.clear()
    timers._handlers.update(handlers)


@unit_of_work
def publish(note: str = "") -> None:
    events.record(ProbeRang(7, note))


def queued() -> list[tuple[str, str, dict[str, Any]]]:
    rows = session.execute(sa.select(Job.kind, Job.queue, Job.payload).order_by(Job.kind))
    return [(row.kind, row.queue, row.payload) for row in rows]


def test_an_event_is_kept_and_becomes_one_job_for_each_subscriber(db_session: Any) -> None:
    for kind, queue in (("a.hear", "fast"), ("b.hear", "slow"), ("a.hear", "fast")):
        events.subscribe(ProbeRang, kind, queue)
    publish("loud")
    payload = {"entity_id": 7, "note": "loud"}
    assert queued() == [("a.hear", "fast", payload), ("b.hear", "slow", payload)]
    row = session.scalars(sa.select(OutboxEvent)).one()
    assert (row.name, row.entity, row.entity_id, row.payload) == ("ProbeRang", "probe", 7, payload)


def test_each_event_has_jobs_of_its_own(db_session: Any) -> None:
    events.subscribe(ProbeRang, "a.hear")
    publish()
    publish()
    assert len(queued()) == 2


def test_an_event_nobody_hears_is_kept(db_session: Any) -> None:
    publish()
    assert queued() == []
    assert session.scalar(sa.select(sa.func.count(OutboxEvent.id))) == 1


def test_an_event_of_what_was_undone_never_happened(committed_db: Flask) -> None:
    events.subscribe(ProbeRang, "a.hear")

    @unit_of_work
    def failing() -> None:
        publish()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert queued() == []
    assert session.scalar(sa.select(sa.func.count(OutboxEvent.id))) == 0


def test_wiring_twice_subscribes_once(app: Flask) -> None:
    before = {name: list(kinds) for name, kinds in events._subscribers.items()}
    registry.wire()
    assert events._subscribers == before


@unit_of_work
def arm(entity_id: int, seconds: int) -> None:
    timers.set_timer("probe", entity_id, "ring", clock.now() + timedelta(seconds=seconds))


def test_only_due_timers_fire_and_each_once(committed_db: Flask) -> None:
    rung: list[int] = []
    timers.handle("probe", "ring", rung.append)
    arm(1, -5)
    arm(2, 60)
    arm(3, -10)
    assert timers.fire_due() == 2
    assert rung == [3, 1]
    assert timers.fire_due() == 0
    assert rung == [3, 1]


def test_a_timer_is_moved_armed_again_and_cleared(committed_db: Flask) -> None:
    rung: list[int] = []
    timers.handle("probe", "ring", rung.append)
    arm(1, -5)
    arm(1, 60)
    assert timers.fire_due() == 0
    arm(1, -5)
    timers.fire_due()
    arm(1, -5)
    timers.fire_due()
    assert rung == [1, 1]
    arm(1, -5)
    unit_of_work(lambda: timers.clear("probe", 1, "ring"))()
    assert timers.fire_due() == 0


def test_a_timer_whose_command_fails_stays_armed(committed_db: Flask) -> None:
    def ring(entity_id: int) -> None:
        session.add(CacheVersion(name=f"rung {entity_id}"))
        session.flush()
        raise RuntimeError

    timers.handle("probe", "ring", ring)
    arm(1, -5)
    with pytest.raises(RuntimeError):
        timers.fire_due()
    assert session.scalar(sa.select(Timer.fired_at)) is None
    assert session.scalar(sa.select(sa.func.count(CacheVersion.name))) == 0
    rung: list[int] = []
    timers.handle("probe", "ring", rung.append)
    timers.fire_due()
    assert rung == [1]


def test_two_sweepers_at_once_make_a_transition_once(committed_db: Flask) -> None:
    rung: list[int] = []
    timers.handle("probe", "ring", rung.append)
    for entity_id in range(5):
        arm(entity_id, -5)
    session.remove()
    gate = threading.Barrier(4)

    def sweep() -> None:
        with committed_db.app_context():
            gate.wait()
            timers.fire_due()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(rung) == [0, 1, 2, 3, 4]
