"""Jobs: rows in Postgres, written with the change that needs them. RQ is only told that a row is due.

States: queued -> running -> done; running -> queued again (raised, or the lease ran out) -> dead after
`max_attempts`; queued | running -> cancelled. Only the holder of the lease token may finish a job, so a worker that
comes back from the dead changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core.db import session, unit_of_work
from app.core.errors import NotFound
from app.core.models import Job

LEASE = timedelta(seconds=60)
BACKOFF_SECONDS = (2, 10, 60, 300)
LOST_AFTER = timedelta(seconds=20)
"""A row told to RQ this long ago and not claimed is told again: RQ may have lost it."""


@dataclass(frozen=True, slots=True)
class JobView:
    """What a person or client sees of a job. `state` is queued, running, done, failed or cancelled."""

    id: uuid.UUID
    kind: str
    state: str
    done: int
    total: int
    message: str
    result: dict[str, Any] | None
    error: str | None
    user_id: int | None

    @property
    def is_finished(self) -> bool:
        return self.state in ("done", "failed", "cancelled")


def enqueue(
    kind: str,
    payload: dict[str, Any],
    *,
    queue: str = "fast",
    dedupe_key: str | None = None,
    user_id: int | None = None,
    delay: timedelta = timedelta(),
    max_attempts: int = 5,
) -> uuid.UUID:
    """Write a job into the present transaction; with a known `dedupe_key` the present job is returned instead.

    Returns the public id of the job.
    """
    statement = (
        insert(Job)
        .values(
            kind=kind,
            payload=payload,
            queue=queue,
            dedupe_key=dedupe_key,
            user_id=user_id,
            max_attempts=max_attempts,
            run_at=sa.func.now() + delay,
        )
        .on_conflict_do_nothing(index_elements=[Job.dedupe_key])
        .returning(Job.public_id)
    )
    made = session.scalar(statement)
    if made is not None:
        return made
    return session.scalars(sa.select(Job.public_id).where(Job.dedupe_key == dedupe_key)).one()


def view(public_id: uuid.UUID, user_id: int | None = None, *, any_user: bool = False) -> JobView:
    """A job as its owner sees it; `any_user` for the operator.

    Raises:
        NotFound: absent, or another person's.
    """
    row = session.scalars(sa.select(Job).where(Job.public_id == public_id)).one_or_none()
    if row is None or (not any_user and row.user_id != user_id):
        raise NotFound()
    state = "failed" if row.state == "dead" else row.state
    return JobView(row.public_id, row.kind, state, row.done, row.total, row.message, row.result, row.error, row.user_id)


@unit_of_work
def request_cancel(public_id: uuid.UUID, user_id: int | None) -> None:
    """Ask a job to stop; a queued one is cancelled at once, a running one keeps its best result.

    Raises:
        NotFound: absent, foreign or already finished.
    """
    changed = session.execute(
        sa.update(Job)
        .where(Job.public_id == public_id, Job.user_id == user_id, Job.state.in_(("queued", "running")))
        .values(
            cancel_requested=True,
            state=sa.case((Job.state == "queued", "cancelled"), else_=Job.state),
            finished_at=sa.case((Job.state == "queued", sa.func.now()), else_=None),
        )
    )
    if not changed.rowcount:  # type: ignore[attr-defined]  # CursorResult of an UPDATE
        raise NotFound()


@unit_of_work
def retry_dead(public_id: uuid.UUID) -> None:
    """Give a dead job a new set of attempts.

    Raises:
        NotFound: there is no such dead job.
    """
    changed = session.execute(
        sa.update(Job)
        .where(Job.public_id == public_id, Job.state == "dead")
        .values(state="queued", attempts=0, run_at=sa.func.now(), dispatched_at=None, error=None, finished_at=None)
    )
    if not changed.rowcount:  # type: ignore[attr-defined]  # CursorResult of an UPDATE
        raise NotFound()


@dataclass(slots=True)
class RunningJob:
    """A claimed job in the hands of a worker."""

    id: int
    public_id: uuid.UUID
    kind: str
    payload: dict[str, Any]
    token: uuid.UUID
    user_id: int | None

    @unit_of_work
    def progress(self, done: int, total: int, message: str = "") -> bool:
        """Show progress and prolong the lease. False when the job was cancelled or taken away: stop soon."""
        row = session.execute(
            sa.update(Job)
            .where(Job.id == self.id, Job.lease_token == self.token)
            .values(done=done, total=total, message=message, lease_until=sa.func.now() + LEASE)
            .returning(Job.cancel_requested)
        ).one_or_none()
        return row is not None and not row.cancel_requested

    def complete(self, effect: Callable[[], dict[str, Any] | None] = lambda: None) -> bool:
        """Write the effect and `done` in one transaction; does nothing when the lease is lost. True if written."""

        @unit_of_work
        def write() -> bool:
            held = session.execute(
                sa.select(Job.id).where(Job.id == self.id, Job.lease_token == self.token).with_for_update()
            ).one_or_none()
            if held is None:
                return False
            result = effect()
            session.execute(
                sa.update(Job)
                .where(Job.id == self.id)
                .values(
                    state="done",
                    lease_token=None,
                    lease_until=None,
                    result=result,
                    finished_at=sa.func.now(),
                    done=sa.func.greatest(Job.total, 1),
                    total=sa.func.greatest(Job.total, 1),
                    error=None,
                )
            )
            return True

        return write()

    @unit_of_work
    def fail(self, error: str) -> str:
        """Queue the job again with backoff, or bury it after the last attempt. Returns the new state."""
        row = session.scalars(
            sa.select(Job).where(Job.id == self.id, Job.lease_token == self.token).with_for_update()
        ).one_or_none()
        if row is None:
            return "lost"
        row.error = error[:4000]
        row.lease_token = row.lease_until = row.dispatched_at = None
        if row.attempts >= row.max_attempts:
            row.state = "dead"
            row.finished_at = sa.func.now()
        else:
            row.state = "queued"
            pause = BACKOFF_SECONDS[min(row.attempts, len(BACKOFF_SECONDS)) - 1]
            row.run_at = sa.func.now() + timedelta(seconds=pause)
        return row.state


@unit_of_work
def claim(job_id: int) -> RunningJob | None:
    """Take the lease of a due job, or None when it is taken, finished or not due."""
    token = uuid.uuid4()
    row = session.execute(
        sa.update(Job)
        .where(Job.id == job_id, Job.state == "queued", Job.run_at <= sa.func.now())
        .values(state="running", lease_token=token, lease_until=sa.func.now() + LEASE, attempts=Job.attempts + 1)
        .returning(Job.id, Job.public_id, Job.kind, Job.payload, Job.user_id)
    ).one_or_none()
    if row is None:
        return None
    return RunningJob(row.id, row.public_id, row.kind, row.payload, token, row.user_id)


@unit_of_work
def take_due(limit: int = 100) -> list[tuple[int, str]]:
    """Mark due rows as told to RQ and return (id, queue). Rows RQ seems to have lost are due again."""
    due = (
        sa.select(Job.id)
        .where(
            Job.state == "queued",
            Job.run_at <= sa.func.now(),
            sa.or_(Job.dispatched_at.is_(None), Job.dispatched_at < sa.func.now() - LOST_AFTER),
        )
        .order_by(Job.run_at, Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(
        sa.update(Job)
        .where(Job.id.in_(due.scalar_subquery()))
        .values(dispatched_at=sa.func.now())
        .returning(Job.id, Job.queue)
    )
    return [(r.id, r.queue) for r in rows]


@unit_of_work
def sweep_expired() -> int:
    """Give back jobs whose worker died: queued again, or dead after the last attempt. Returns how many."""
    expired = (
        sa.select(Job.id)
        .where(Job.state == "running", Job.lease_until < sa.func.now())
        .with_for_update(skip_locked=True)
    )
    last = Job.attempts >= Job.max_attempts
    changed = session.execute(
        sa.update(Job)
        .where(Job.id.in_(expired.scalar_subquery()))
        .values(
            state=sa.case((last, "dead"), else_="queued"),
            finished_at=sa.case((last, sa.func.now()), else_=None),
            lease_token=None,
            lease_until=None,
            dispatched_at=None,
            run_at=sa.func.now(),
            error="the worker died",
        )
    )
    return int(changed.rowcount)  # type: ignore[attr-defined]  # CursorResult of an UPDATE
