"""Domain events: facts written with the change that made them true; subscribers are jobs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import sqlalchemy as sa

from app.core import jobs
from app.core.db import session
from app.core.models import OutboxEvent


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """Base of all events. Subclasses are frozen dataclasses of JSON values, named in the past tense."""

    entity: ClassVar[str]
    """What the event is about, e.g. `order`."""

    entity_id: int


_subscribers: dict[str, list[tuple[str, str]]] = {}


def subscribe(event: type[Event], job_kind: str, queue: str = "fast") -> None:
    """Run a job of this kind, with the event as payload, for each event. Called once by app/registry.py."""
    kinds = _subscribers.setdefault(event.__name__, [])
    if (job_kind, queue) not in kinds:
        kinds.append((job_kind, queue))


def record(event: Event) -> None:
    """Write the event and the jobs of its subscribers into the present transaction."""
    record_many([event])


def record_many(happened: Sequence[Event]) -> None:
    """Write many events of one kind in one statement, with the jobs of their subscribers."""
    if not happened:
        return
    name = type(happened[0]).__name__
    payloads: list[dict[str, Any]] = [dataclasses.asdict(event) for event in happened]
    statement = sa.insert(OutboxEvent).returning(OutboxEvent.id, sort_by_parameter_order=True)
    values = [
        {"name": name, "entity": event.entity, "entity_id": event.entity_id, "payload": payload}
        for event, payload in zip(happened, payloads, strict=True)
    ]
    ids = session.scalars(statement, values).all()
    for kind, queue in _subscribers.get(name, []):
        for row_id, payload in zip(ids, payloads, strict=True):
            jobs.enqueue(kind, payload, queue=queue, dedupe_key=f"event:{row_id}:{kind}")
