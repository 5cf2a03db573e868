"""Timers: transitions to be made at a time, kept as rows so that no restart forgets them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core.db import session, unit_of_work
from app.core.models import Timer

Handler = Callable[[int], None]
_handlers: dict[tuple[str, str], Handler] = {}


def handle(entity: str, transition: str, handler: Handler) -> None:
    """Name the command that makes the transition. It must be safe to call twice. Called by app/registry.py."""
    _handlers[(entity, transition)] = handler


_TIMERS = insert(Timer)
_SET = _TIMERS.on_conflict_do_update(
    index_elements=["entity", "entity_id", "transition"],
    set_={"due_at": _TIMERS.excluded.due_at, "fired_at": None},
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A transition of something that is to be made at a time."""

    entity: str
    entity_id: int
    transition: str
    due_at: datetime


def set_timer(entity: str, entity_id: int, transition: str, due_at: datetime) -> None:
    """Arm (or move) a timer in the present transaction."""
    set_timers([Alarm(entity, entity_id, transition, due_at)])


def set_timers(alarms: Sequence[Alarm]) -> None:
    """Arm (or move) several timers, each named once, in the present transaction."""
    session.connection().execute(_SET, [asdict(alarm) for alarm in alarms])


def clear(entity: str, entity_id: int, transition: str) -> None:
    """Disarm a timer in the present transaction."""
    session.execute(
        sa.delete(Timer).where(Timer.entity == entity, Timer.entity_id == entity_id, Timer.transition == transition)
    )


def fire_due(limit: int = 100) -> int:
    """Make every due transition, each in its own unit of work. Returns how many."""
    due = session.execute(
        sa.select(Timer.id, Timer.entity, Timer.entity_id, Timer.transition)
        .where(Timer.fired_at.is_(None), Timer.due_at <= sa.func.now())
        .order_by(Timer.due_at)
        .limit(limit)
    ).all()
    session.rollback()
    for row in due:
        _fire(row.id, row.entity, row.entity_id, row.transition)
    return len(due)


@unit_of_work
def _fire(timer_id: int, entity: str, entity_id: int, transition: str) -> None:
    taken = session.execute(
        sa.update(Timer)
        .where(Timer.id == timer_id, Timer.fired_at.is_(None))
        .values(fired_at=sa.func.now())
        .returning(Timer.id)
    ).one_or_none()
    if taken is not None:
        _handlers[(entity, transition)](entity_id)
