"""What the operator reads of the kernel: jobs and the audit log. Keyset pages, newest first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core import audit
from app.core import jobs as job_commands
from app.core.db import session, unit_of_work
from app.core.models import AuditEntry, Job
from app.core.permissions import Actor


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job in the operator's list."""

    id: int
    public_id: uuid.UUID
    kind: str
    queue: str
    state: str
    attempts: int
    max_attempts: int
    done: int
    total: int
    error: str | None
    created_at: datetime
    finished_at: datetime | None


def jobs(state: str | None, before: int | None, limit: int = 50) -> list[JobRow]:
    """Jobs of a state (all when None) with an id below `before`."""
    statement = sa.select(
        Job.id, Job.public_id, Job.kind, Job.queue, Job.state, Job.attempts, Job.max_attempts, Job.done, Job.total,
        Job.error, Job.created_at, Job.finished_at,
    ).order_by(Job.id.desc()).limit(limit)  # fmt: skip
    if state:
        statement = statement.where(Job.state == state)
    if before:
        statement = statement.where(Job.id < before)
    return [JobRow(**row._mapping) for row in session.execute(statement)]


def job_counts() -> dict[str, int]:
    """How many jobs are in each state."""
    return {row[0]: row[1] for row in session.execute(sa.select(Job.state, sa.func.count()).group_by(Job.state))}


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A line of the audit log."""

    id: int
    user: str | None
    action: str
    entity: str
    entity_id: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    ip: str
    created_at: datetime


_users = sa.table("user_account", sa.column("id", sa.BigInteger), sa.column("email", sa.Text))
_AUDIT = (
    sa.select(
        AuditEntry.id, _users.c.email, AuditEntry.action, AuditEntry.entity, AuditEntry.entity_id, AuditEntry.before,
        AuditEntry.after, AuditEntry.ip, AuditEntry.created_at,
    )
    .outerjoin(_users, _users.c.id == AuditEntry.user_id)
    .order_by(AuditEntry.id.desc())
)  # fmt: skip


def audit_log(action: str | None, before: int | None, limit: int = 50) -> list[AuditRow]:
    """Entries whose action starts with `action`, with an id below `before`."""
    statement = _AUDIT.limit(limit)
    if action:
        statement = statement.where(AuditEntry.action.startswith(action, autoescape=True))
    if before:
        statement = statement.where(AuditEntry.id < before)
    return [AuditRow(*row) for row in session.execute(statement)]


def audit_of(entity: str, entity_id: int, limit: int = 50) -> list[AuditRow]:
    """The newest entries about one thing."""
    found = session.execute(_AUDIT.where(AuditEntry.entity == entity, AuditEntry.entity_id == entity_id).limit(limit))
    return [AuditRow(*row) for row in found]


@unit_of_work
def retry(actor: Actor, public_id: uuid.UUID) -> None:
    """Give a dead job a new set of attempts, and write down who did.

    Raises:
        NotFound: there is no such dead job.
    """
    job_commands.retry_dead(public_id)
    audit.record(actor, "job.retried", "job", None, after={"job": str(public_id)})
