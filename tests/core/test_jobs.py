"""Jobs as rows: claimed once, tried again, buried, given back; an effect is written once."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app import registry
from app.core import jobs
from app.core.db import session, unit_of_work
from app.core.errors import NotFound
from app.core.models import CacheVersion, Job
from tests.factories import accounts as make
from workers import relay
from workers.worker import handler_of, run_in_context

KIND = "probe.work"


@unit_of_work
def put(**options: Any) -> int:
    """A queued job; returns its inner id."""
    key = jobs.enqueue(options.pop("kind", KIND), options.pop("payload", {}), **options)
    return session.scalars(sa.select(Job.id).where(Job.public_id == key)).one()


def row(job_id: int) -> Job:
    return session.scalars(sa.select(Job).where(Job.id == job_id).execution_options(populate_existing=True)).one()


@unit_of_work
def change(job_id: int, **values: Any) -> None:
    session.execute(sa.update(Job).where(Job.id == job_id).values(**values))


def due_now(job_id: int) -> None:
    change(job_id, run_at=sa.func.now() - timedelta(seconds=1))


def claimed(job_id: int) -> jobs.RunningJob:
    job = jobs.claim(job_id)
    assert job is not None
    return job


def noted() -> list[str]:
    return sorted(session.scalars(sa.select(CacheVersion.name)))


def note(name: str) -> dict[str, Any]:
    session.add(CacheVersion(name=name))
    return {"made": name}


def test_a_job_is_written_with_the_change_or_not_at_all(committed_db: Flask) -> None:
    @unit_of_work
    def failing() -> None:
        jobs.enqueue(KIND, {})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert session.scalar(sa.select(sa.func.count(Job.id))) == 0


def test_a_job_lives_from_queued_to_done(db_session: Any) -> None:
    user = make.account()
    job_id = put(user_id=user.id, payload={"a": 1})
    assert row(job_id).state == "queued"
    job = claimed(job_id)
    assert (job.kind, job.payload, job.user_id, row(job_id).state) == (KIND, {"a": 1}, user.id, "running")
    assert job.progress(2, 5, "loading")
    seen = jobs.view(job.public_id, user.id)
    assert (seen.state, seen.done, seen.total, seen.message, seen.is_finished) == ("running", 2, 5, "loading", False)
    assert job.complete(lambda: note("x"))
    seen = jobs.view(job.public_id, user.id)
    assert (seen.state, seen.done, seen.total, seen.result, seen.is_finished) == ("done", 5, 5, {"made": "x"}, True)
    assert jobs.claim(job_id) is None


def test_a_job_is_claimed_by_one_of_many_at_once(committed_db: Flask) -> None:
    job_id = put()
    session.remove()
    got: list[jobs.RunningJob | None] = []
    gate = threading.Barrier(6)

    def turn() -> None:
        with committed_db.app_context():
            gate.wait()
            got.append(jobs.claim(job_id))

    threads = [threading.Thread(target=turn) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([job for job in got if job is not None]) == 1
    assert row(job_id).attempts == 1


def test_a_job_that_fails_waits_longer_each_time_and_dies_after_the_last_attempt(db_session: Any) -> None:
    job_id = put()
    pauses = []
    for _ in range(4):
        assert claimed(job_id).fail("it broke") == "queued"
        pauses.append(
            session.scalar(sa.select(sa.extract("epoch", Job.run_at - sa.func.now())).where(Job.id == job_id))
        )
        assert jobs.claim(job_id) is None  # not due yet
        due_now(job_id)
    assert [float(p or 0) for p in pauses] == list(jobs.BACKOFF_SECONDS)
    assert claimed(job_id).fail("for good" + "!" * 9000) == "dead"
    dead = row(job_id)
    assert (dead.state, dead.attempts, len(dead.error or "")) == ("dead", 5, 4000)
    assert dead.finished_at is not None
    assert jobs.view(dead.public_id, any_user=True).state == "failed"
    due_now(job_id)
    assert jobs.claim(job_id) is None
    assert jobs.take_due() == []


def test_a_dead_job_gets_new_attempts_and_nothing_else_does(db_session: Any) -> None:
    job_id = put(max_attempts=1)
    key = row(job_id).public_id
    with pytest.raises(NotFound):
        jobs.retry_dead(key)
    claimed(job_id).fail("x")
    jobs.retry_dead(key)
    fresh = row(job_id)
    assert (fresh.state, fresh.attempts, fresh.error, fresh.finished_at) == ("queued", 0, None, None)
    assert claimed(job_id).complete()
    for absent in (key, uuid.uuid4()):
        with pytest.raises(NotFound):
            jobs.retry_dead(absent)


def test_a_worker_that_died_gives_its_job_back_and_its_late_answer_changes_nothing(db_session: Any) -> None:
    job_id = put()
    late = claimed(job_id)
    assert jobs.sweep_expired() == 0
    change(job_id, lease_until=sa.func.now() - timedelta(seconds=1))
    assert jobs.sweep_expired() == 1
    assert row(job_id).state == "queued"
    second = claimed(job_id)
    assert not late.complete(lambda: note("late"))
    assert late.fail("late") == "lost"
    assert not late.progress(1, 2)
    assert second.complete(lambda: note("second"))
    assert not second.complete(lambda: note("again"))
    assert noted() == ["second"]


def test_a_job_whose_worker_dies_every_time_is_buried(db_session: Any) -> None:
    job_id = put(max_attempts=2)
    for expected in ("queued", "dead"):
        claimed(job_id)
        change(job_id, lease_until=sa.func.now() - timedelta(seconds=1))
        jobs.sweep_expired()
        assert row(job_id).state == expected
    assert row(job_id).error == "the worker died"


def test_an_effect_that_raises_leaves_the_job_running_and_nothing_written(committed_db: Flask) -> None:
    job = claimed(put())

    def effect() -> dict[str, Any]:
        note("half")
        session.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        job.complete(effect)
    assert noted() == []
    assert row(job.id).state == "running"
    assert job.fail("x") == "queued"


def test_a_dedupe_key_makes_one_job(db_session: Any) -> None:
    assert put(dedupe_key="one") == put(dedupe_key="one")
    assert put(dedupe_key="two") != put(dedupe_key="one")
    assert put() != put()


def test_a_delayed_job_waits(db_session: Any) -> None:
    job_id = put(delay=timedelta(minutes=5))
    assert jobs.claim(job_id) is None
    assert jobs.take_due() == []


def test_due_rows_are_told_once_and_again_when_the_wire_lost_them(db_session: Any) -> None:
    job_id = put(queue="slow")
    assert jobs.take_due() == [(job_id, "slow")]
    assert jobs.take_due() == []
    change(job_id, dispatched_at=sa.func.now() - jobs.LOST_AFTER - timedelta(seconds=1))
    assert jobs.take_due() == [(job_id, "slow")]
    claimed(job_id)
    change(job_id, dispatched_at=sa.func.now() - jobs.LOST_AFTER - timedelta(seconds=1))
    assert jobs.take_due() == []


def test_cancelling_ends_a_queued_job_and_asks_a_running_one(db_session: Any) -> None:
    user, stranger = make.account(), make.account()
    queued, running = put(user_id=user.id), put(user_id=user.id)
    job = claimed(running)
    with pytest.raises(NotFound):
        jobs.request_cancel(job.public_id, stranger.id)
    with pytest.raises(NotFound):
        jobs.request_cancel(job.public_id, None)
    for job_id in (queued, running):
        jobs.request_cancel(row(job_id).public_id, user.id)
    assert (row(queued).state, row(running).state) == ("cancelled", "running")
    assert jobs.claim(queued) is None
    assert not job.progress(1, 2)
    assert job.complete()  # the best result so far is kept
    with pytest.raises(NotFound):
        jobs.request_cancel(job.public_id, user.id)


def test_another_persons_job_is_as_absent(db_session: Any) -> None:
    user, stranger = make.account(), make.account()
    key = row(put(user_id=user.id)).public_id
    for who in (stranger.id, None):
        with pytest.raises(NotFound):
            jobs.view(key, who)
    with pytest.raises(NotFound):
        jobs.view(uuid.uuid4(), any_user=True)
    assert jobs.view(key, any_user=True).state == "queued"


def test_the_worker_turns_any_exception_into_a_retry_with_its_trace(app: Flask, db_session: Any) -> None:
    job_id = put(kind="mail.send", payload={"to": "a@b.ru", "template": "no_such", "locale": "ru", "values": {}})
    run_in_context(job_id, app)
    failed = row(job_id)
    assert (failed.state, failed.attempts) == ("queued", 1)
    assert "no_such" in (failed.error or "")
    run_in_context(job_id, app)  # not due: left alone
    assert row(job_id).attempts == 1


def test_an_unknown_kind_ends_dead_where_the_operator_sees_it(app: Flask, db_session: Any) -> None:
    job_id = put(max_attempts=1)
    run_in_context(job_id, app)
    assert row(job_id).state == "dead"
    assert KIND in (row(job_id).error or "")


@pytest.mark.parametrize("kind", sorted(registry.JOB_HANDLERS))
def test_every_declared_kind_has_a_handler(kind: str) -> None:
    assert callable(handler_of(kind))


def test_every_subscriber_is_a_declared_kind() -> None:
    assert {kind for _, kind in registry.SUBSCRIPTIONS} <= registry.JOB_HANDLERS.keys()


def test_without_valkey_the_row_stays_due_for_later(app: Flask, db_session: Any) -> None:
    job_id = put()
    before = app.config["REDIS_URL"]
    app.config["REDIS_URL"] = "redis://127.0.0.1:1/0"
    try:
        with pytest.raises(OSError, match="Valkey"):
            relay.push_due()
    finally:
        app.config["REDIS_URL"] = before
    assert row(job_id).state == "queued"
    change(job_id, dispatched_at=sa.func.now() - jobs.LOST_AFTER - timedelta(seconds=1))
    assert jobs.take_due() == [(job_id, "fast")]
