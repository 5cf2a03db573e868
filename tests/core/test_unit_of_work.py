"""One command, one transaction: what is kept, what is undone, what is tried again."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import exc

from app.core import clock, timers
from app.core.db import db, is_unavailable, lock_rows, session, unit_of_work
from app.core.errors import Unavailable
from app.core.models import CacheVersion, Job, Timer


@unit_of_work
def note(name: str) -> str:
    session.add(CacheVersion(name=name))
    return name


def names() -> set[str]:
    """What another connection can see."""
    with db.engine.connect() as other:
        return set(other.scalars(sa.select(CacheVersion.name)))


def test_a_command_is_kept_when_it_returns(committed_db: Flask) -> None:
    assert note("kept") == "kept"
    assert names() == {"kept"}


def test_a_command_that_raises_leaves_nothing(committed_db: Flask) -> None:
    @unit_of_work
    def failing() -> None:
        note("half")
        session.flush()
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        failing()
    assert names() == set()
    note("after")
    assert names() == {"after"}


def test_an_inner_command_joins_the_outer_one(committed_db: Flask) -> None:
    seen: list[set[str]] = []

    @unit_of_work
    def outer() -> None:
        note("inner")
        session.flush()
        seen.append(names())

    outer()
    assert seen == [set()]
    assert names() == {"inner"}


def test_a_caught_fault_of_an_inner_command_does_not_commit_early(committed_db: Flask) -> None:
    @unit_of_work
    def refused() -> None:
        raise ValueError

    @unit_of_work
    def outer() -> None:
        note("one")
        with pytest.raises(ValueError):
            refused()
        session.flush()
        assert names() == set()

    outer()
    assert names() == {"one"}


def test_a_command_after_reads_of_a_get_may_write(committed_db: Flask) -> None:
    session.info["read_only"] = True
    with pytest.raises(exc.DBAPIError, match="read-only"):
        session.execute(sa.insert(CacheVersion).values(name="read"))
    session.rollback()
    session.execute(sa.text("SELECT 1"))
    note("written")
    assert session.info["read_only"] is True
    assert names() == {"written"}


@unit_of_work
def _serializable(attempts: list[int], lasting: int) -> None:
    attempts.append(1)
    note(f"try {len(attempts)}")
    session.flush()
    if len(attempts) <= lasting:
        session.execute(sa.text("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"))


def test_a_serialization_failure_runs_the_whole_command_again(committed_db: Flask) -> None:
    attempts: list[int] = []
    _serializable(attempts, 2)
    assert names() == {"try 3"}


def test_a_failure_that_lasts_is_unavailable(committed_db: Flask) -> None:
    attempts: list[int] = []
    with pytest.raises(Unavailable):
        _serializable(attempts, 99)
    assert len(attempts) == 4
    assert names() == set()


@pytest.mark.parametrize(("state", "expected"), [
    ("57014", Unavailable), ("55P03", Unavailable), ("57P01", Unavailable), ("53300", Unavailable),
    ("22012", exc.DBAPIError), ("23514", exc.IntegrityError), ("42601", exc.ProgrammingError),
])  # fmt: skip
def test_only_waits_and_outages_are_unavailable(db_session: Any, state: str, expected: type[Exception]) -> None:
    @unit_of_work
    def broken() -> None:
        session.execute(sa.text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$"))

    with pytest.raises(expected):
        broken()


def test_our_own_faults_are_not_called_an_outage() -> None:
    assert not is_unavailable(ValueError())
    assert not is_unavailable(exc.IntegrityError("", {}, Exception()))
    assert is_unavailable(exc.OperationalError("", {}, Exception("could not connect")))
    assert is_unavailable(exc.TimeoutError())


def test_a_lock_held_too_long_is_unavailable(committed_db: Flask) -> None:
    note("row")

    @unit_of_work
    def wait() -> None:
        session.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
        session.execute(sa.update(CacheVersion).values(version=2))

    with db.engine.begin() as other:
        other.execute(sa.update(CacheVersion).values(version=3))
        with pytest.raises(Unavailable):
            wait()
    assert session.scalar(sa.select(CacheVersion.version)) == 3


@unit_of_work
def _timers(count: int) -> list[int]:
    for entity_id in range(count):
        timers.set_timer("probe", entity_id, "ring", clock.now())
    return list(session.scalars(sa.select(Timer.id)))


def test_rows_are_locked_in_one_order_so_crossing_callers_do_not_deadlock(committed_db: Flask) -> None:
    ids = _timers(6)
    session.remove()
    failures: list[Exception] = []
    orders: list[list[int]] = []
    gate = threading.Barrier(4)

    @unit_of_work
    def take(wanted: list[int]) -> None:
        orders.append([row.id for row in lock_rows(Timer, wanted)])

    def turn(wanted: list[int]) -> None:
        with committed_db.app_context():
            gate.wait()
            try:
                for _ in range(5):
                    take(wanted)
            except (Unavailable, exc.SQLAlchemyError) as error:  # told by the assertion below
                failures.append(error)

    threads = [threading.Thread(target=turn, args=(ids if n % 2 else ids[::-1] + ids[:2],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert orders == [sorted(ids)] * 20


def test_locked_rows_are_fresh(committed_db: Flask) -> None:
    (one,) = _timers(1)
    stale = session.get_one(Timer, one)
    session.rollback()
    with db.engine.begin() as other:
        other.execute(sa.update(Timer).values(entity_id=77))
    assert [row.entity_id for row in lock_rows(Timer, [one, one])] == [77]
    assert stale.entity_id == 77
    assert lock_rows(Job, []) == []
