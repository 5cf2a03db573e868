"""Tables of the kernel: jobs, outbox, audit, idempotency, timers."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Json, Moment, PublicId, one_value_enum

JOB_STATES = ("queued", "running", "done", "dead", "cancelled")


class Job(Base):
    """Long work. The row is the truth; RQ only wakes a worker. `attempts` counts claims."""

    __tablename__ = "job"
    __table_args__ = (
        one_value_enum("state", JOB_STATES),
        sa.CheckConstraint("attempts >= 0 AND max_attempts >= 1", name="attempts_positive"),
        sa.CheckConstraint("(state = 'running') = (lease_token IS NOT NULL)", name="running_has_lease"),
        sa.Index("ix_job_due", "run_at", postgresql_where=sa.text("state = 'queued'")),
        sa.Index("ix_job_lease", "lease_until", postgresql_where=sa.text("state = 'running'")),
        sa.Index("ix_job_created_at", "created_at"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    kind: Mapped[str]
    queue: Mapped[str] = mapped_column(server_default="fast")
    payload: Mapped[Json]
    state: Mapped[str] = mapped_column(server_default="queued")
    dedupe_key: Mapped[str | None] = mapped_column(unique=True)
    attempts: Mapped[int] = mapped_column(server_default="0")
    max_attempts: Mapped[int] = mapped_column(server_default="5")
    run_at: Mapped[Created]
    dispatched_at: Mapped[Moment | None]
    lease_until: Mapped[Moment | None]
    lease_token: Mapped[uuid.UUID | None]
    done: Mapped[int] = mapped_column(server_default="0")
    total: Mapped[int] = mapped_column(server_default="0")
    message: Mapped[str] = mapped_column(server_default="")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    error: Mapped[str | None]
    cancel_requested: Mapped[bool] = mapped_column(server_default=sa.false())
    user_id: Mapped[int | None] = mapped_column(sa.BigInteger, sa.ForeignKey("user_account.id"), index=True)
    request_id: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]
    finished_at: Mapped[Moment | None]


class OutboxEvent(Base):
    """A fact a domain published, in the transaction that made it true. Never changed."""

    __tablename__ = "outbox_event"
    __table_args__ = (sa.Index("ix_outbox_event_entity", "entity", "entity_id"),)

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    name: Mapped[str] = mapped_column(index=True)
    entity: Mapped[str]
    entity_id: Mapped[int] = mapped_column(sa.BigInteger)
    payload: Mapped[Json]
    created_at: Mapped[Created]


class AuditEntry(Base):
    """Who did what, from where; append-only (a trigger refuses UPDATE and DELETE)."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        sa.Index("ix_audit_entry_entity", "entity", "entity_id"),
        sa.Index("ix_audit_entry_created_at", "created_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[int | None] = mapped_column(sa.BigInteger, sa.ForeignKey("user_account.id"), index=True)
    action: Mapped[str]
    entity: Mapped[str]
    entity_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    ip: Mapped[str] = mapped_column(server_default="")
    device_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    request_id: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]


class IdempotencyKey(Base):
    """The first answer to a POST that may be sent twice; kept 24 hours."""

    __tablename__ = "idempotency_key"
    __table_args__ = (
        sa.UniqueConstraint("scope", "key"),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 255", name="key_length"),
        sa.Index("ix_idempotency_key_expires_at", "expires_at"),
    )

    id: Mapped[Id]
    scope: Mapped[str]
    key: Mapped[str]
    request_hash: Mapped[bytes]
    status: Mapped[int | None]
    headers: Mapped[Json]
    body: Mapped[bytes | None]
    created_at: Mapped[Created]
    expires_at: Mapped[Moment]


class Timer(Base):
    """A transition to make at a time (accept deadline, invoice due). Swept by the schedule, idempotently."""

    __tablename__ = "timer"
    __table_args__ = (
        sa.UniqueConstraint("entity", "entity_id", "transition"),
        sa.Index("ix_timer_due", "due_at", postgresql_where=sa.text("fired_at IS NULL")),
    )

    id: Mapped[Id]
    entity: Mapped[str]
    entity_id: Mapped[int] = mapped_column(sa.BigInteger)
    transition: Mapped[str]
    due_at: Mapped[Moment]
    fired_at: Mapped[Moment | None]


class CacheVersion(Base):
    """Version numbers of cached fragments, when Valkey cannot be asked for them."""

    __tablename__ = "cache_version"

    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(sa.BigInteger, server_default="1")
    updated_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
