"""Commands on windows: what a carrier declares, and the places that deliveries take in them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core import audit, clock
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.permissions import Actor
from app.logistics import calendar
from app.logistics.models import Carrier
from app.logistics.rules import Window
from app.logistics.slot_models import DeliverySlot, SlotException, SlotRule
from app.logistics.timetable import Room, next_free, timetables

MOST_PLACES, MOST_KG = 500, 1_000_000
AHEAD = 14
"""Days in which a refused buyer is looked another window for."""


@dataclass(frozen=True, slots=True)
class WindowFacts:
    """A window as a carrier declares it: minutes of the day, deliveries, kilograms (None: no limit)."""

    from_minute: int
    to_minute: int
    capacity: int
    capacity_kg: int | None = None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A declared window of a weekday."""

    public_id: uuid.UUID
    weekday: int
    from_minute: int
    to_minute: int
    capacity: int
    capacity_kg: int | None


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """What is different on a date; no minutes: the whole day."""

    public_id: uuid.UUID
    day: date
    from_minute: int | None
    to_minute: int | None
    capacity: int
    capacity_kg: int | None
    note: str


def declared(carrier_id: int) -> list[RuleRow]:
    """The windows of a carrier's week."""
    columns = [getattr(SlotRule, name) for name in RuleRow.__dataclass_fields__]
    order = (SlotRule.weekday, SlotRule.from_minute, SlotRule.to_minute)
    rows = session.execute(sa.select(*columns).where(SlotRule.carrier_id == carrier_id).order_by(*order))
    return [RuleRow(*row) for row in rows]


def exceptions(carrier_id: int, since: date) -> list[ExceptionRow]:
    """What is different from a date on."""
    columns = [getattr(SlotException, name) for name in ExceptionRow.__dataclass_fields__]
    own = sa.select(*columns).where(SlotException.carrier_id == carrier_id, SlotException.day >= since)
    rows = session.execute(own.order_by(SlotException.day, SlotException.from_minute.nulls_first()))
    return [ExceptionRow(*row) for row in rows]


@unit_of_work
def declare(actor: Actor, weekdays: Sequence[int], facts: WindowFacts) -> None:
    """Drive in a window on these weekdays; a window that is declared already gets the new capacity.

    Raises:
        Invalid: no weekday, a window out of the day, a capacity out of range.
    """
    errors = _wrong(facts, least=1)
    if not weekdays or not set(weekdays) <= set(range(1, 8)):
        errors.append(FieldError("/weekdays", "unknown_option" if weekdays else "required"))
    if errors:
        raise Invalid(errors)
    _lock(actor.carrier_id)
    for weekday in sorted(set(weekdays)):
        statement = insert(SlotRule).values(
            carrier_id=actor.carrier_id, weekday=weekday, from_minute=facts.from_minute, to_minute=facts.to_minute,
            capacity=facts.capacity, capacity_kg=facts.capacity_kg,
        )  # fmt: skip
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["carrier_id", "weekday", "from_minute", "to_minute"],
                set_={"capacity": facts.capacity, "capacity_kg": facts.capacity_kg},
            )
        )
    audit.record(actor, "slots.declared", "carrier", actor.carrier_id,
                 after={"weekdays": sorted(set(weekdays)), "from": facts.from_minute, "to": facts.to_minute,
                        "capacity": facts.capacity, "capacity_kg": facts.capacity_kg})  # fmt: skip


@unit_of_work
def withdraw(actor: Actor, public_id: uuid.UUID) -> None:
    """Sell no more of a window. What is sold stays sold.

    Raises:
        NotFound: absent, or another carrier's.
    """
    _remove(actor, SlotRule, public_id, "slots.withdrawn")


@unit_of_work
def except_on(
    actor: Actor, day: date, capacity: int, *, span: tuple[int, int] | None = None, capacity_kg: int | None = None,
    note: str = "",
) -> None:  # fmt: skip
    """Say what is different on a date, of one window or of the whole day; 0 closes. Said again it is replaced.

    Raises:
        Invalid: a day that is over, a window out of the day, a capacity out of range.
    """
    start, end = span or (0, 1)
    errors = _wrong(WindowFacts(start, end, capacity, capacity_kg), least=0)
    if day < clock.today():
        errors.append(FieldError("/day", "day_over"))
    if len(note) > 200:
        errors.append(FieldError("/note", "too_long", {"maximum": 200}))
    if errors:
        raise Invalid(errors)
    _lock(actor.carrier_id)
    values = {"capacity": capacity, "capacity_kg": capacity_kg, "note": note.strip()}
    statement = insert(SlotException).values(
        carrier_id=actor.carrier_id, day=day, from_minute=span[0] if span else None,
        to_minute=span[1] if span else None, **values,
    )  # fmt: skip
    columns = ["carrier_id", "day", "from_minute", "to_minute"]
    session.execute(statement.on_conflict_do_update(index_elements=columns, set_=values))
    audit.record(actor, "slots.excepted", "carrier", actor.carrier_id, after={"day": day.isoformat(), **values})


@unit_of_work
def drop_exception(actor: Actor, public_id: uuid.UUID) -> None:
    """The date is like any other again.

    Raises:
        NotFound: absent, or another carrier's.
    """
    _remove(actor, SlotException, public_id, "slots.exception_dropped")


def _remove(actor: Actor, model: type[SlotRule] | type[SlotException], public_id: uuid.UUID, action: str) -> None:
    _lock(actor.carrier_id)
    gone = session.scalar(
        sa.delete(model).where(model.carrier_id == actor.carrier_id, model.public_id == public_id).returning(model.id)
    )
    if gone is None:
        raise NotFound()
    audit.record(actor, action, "carrier", actor.carrier_id, before={"id": str(public_id)})


def _lock(carrier_id: int) -> None:
    """Nobody takes a place by what was declared before while it is being changed."""
    lock_rows(Carrier, [carrier_id])


def _wrong(facts: WindowFacts, least: int) -> list[FieldError]:
    errors = []
    if not 0 <= facts.from_minute < facts.to_minute < 1440:
        errors.append(FieldError("/to_minute", "hours_not_in_order"))
    if not least <= facts.capacity <= MOST_PLACES:
        errors.append(FieldError("/capacity", "out_of_range", {"minimum": least, "maximum": MOST_PLACES}))
    if facts.capacity_kg is not None and not 1 <= facts.capacity_kg <= MOST_KG:
        errors.append(FieldError("/capacity_kg", "out_of_range", {"minimum": 1, "maximum": MOST_KG}))
    return errors


@dataclass(frozen=True, slots=True)
class Wish:
    """A place in a window for a load."""

    carrier_id: int
    starts_at: datetime
    ends_at: datetime
    kg: int

    @property
    def day(self) -> date:
        return clock.local(self.starts_at).date()

    @property
    def span(self) -> tuple[int, int]:
        """Minutes of the day."""
        start, end = clock.local(self.starts_at), clock.local(self.ends_at)
        return start.hour * 60 + start.minute, end.hour * 60 + end.minute


def take(wish: Wish) -> int | None:
    """Take a place in a window by one conditional statement; None when the carrier's windows have no limit.

    The caller's transaction holds the row of the window until its end, so the last place is given once.

    Raises:
        Conflict: `slot_full` with `reason` (full, heavy, closed), day, window and the `next` free windows.
    """
    if _room(wish) == Room():
        return None
    # whoever changes what is declared waits for us, or we for them; then it is read once more
    session.execute(
        sa.select(Carrier.id).where(Carrier.id == wish.carrier_id).with_for_update(read=True, key_share=True)
    )
    room = _room(wish)
    if room == Room():
        return None
    if room.places == 0:
        raise _refused(wish, "closed")
    if room.kg is not None and wish.kg > room.kg:
        raise _refused(wish, "heavy")
    taken: int | None = session.scalar(_taking(wish, room))
    if taken is None:
        raise _refused(wish, "full")
    return taken


_ROOM = sa.text(f"""
SELECT EXISTS ({calendar.IDLE}) AS is_idle, EXISTS (SELECT FROM slot_rule r WHERE r.carrier_id = :carrier) AS has_week,
    r.capacity, r.capacity_kg, w.capacity AS window_capacity, w.capacity_kg AS window_kg,
    d.capacity AS day_capacity, d.capacity_kg AS day_kg
FROM (SELECT) one
LEFT JOIN slot_rule r ON r.carrier_id = :carrier AND r.weekday = :weekday
    AND r.from_minute = :start AND r.to_minute = :end
LEFT JOIN slot_exception w ON w.carrier_id = :carrier AND w.day = :day
    AND w.from_minute = :start AND w.to_minute = :end
LEFT JOIN slot_exception d ON d.carrier_id = :carrier AND d.day = :day AND d.from_minute IS NULL
""")


def _room(wish: Wish) -> Room:
    """What is declared of one window, as `Timetable.rooms` tells of all; 0 places: the carrier does not drive then."""
    start, end = wish.span
    values = {"carrier": wish.carrier_id, "weekday": wish.day.isoweekday(), "day": wish.day, "start": start, "end": end,
              "carriers": [wish.carrier_id], "since": wish.day, "until": wish.day}  # fmt: skip
    row = session.execute(_ROOM, values).one()
    if row.is_idle:
        return Room(0)
    if row.window_capacity is not None:
        return Room(row.window_capacity, row.window_kg)
    if row.has_week and row.capacity is None:
        return Room(0)
    if row.day_capacity is not None:
        return Room(row.day_capacity, row.day_kg or row.capacity_kg)
    return Room(row.capacity, row.capacity_kg)


def _taking(wish: Wish, room: Room) -> Any:
    statement = insert(DeliverySlot).values(
        carrier_id=wish.carrier_id, starts_at=wish.starts_at, ends_at=wish.ends_at, capacity=room.places, taken=1,
        capacity_kg=room.kg, taken_kg=wish.kg,
    )  # fmt: skip
    fits = DeliverySlot.taken < room.places
    if room.kg is not None:
        fits = sa.and_(fits, DeliverySlot.taken_kg + wish.kg <= room.kg)
    return statement.on_conflict_do_update(
        index_elements=["carrier_id", "starts_at", "ends_at"],
        set_={
            "taken": DeliverySlot.taken + 1, "taken_kg": DeliverySlot.taken_kg + wish.kg, "capacity": room.places,
            "capacity_kg": room.kg,
        },
        where=fits,
    ).returning(DeliverySlot.id)  # fmt: skip


def _refused(wish: Wish, reason: str) -> Conflict:
    table = timetables([wish.carrier_id], wish.day, wish.day + timedelta(days=AHEAD))[wish.carrier_id]
    days = table.days(wish.kg, wish.day, wish.day, AHEAD, clock.now())
    return Conflict(
        "slot_full", reason=reason, day=wish.day.isoformat(), window=Window(wish.day, *wish.span).code,
        next=next_free(days),
    )  # fmt: skip


def free(slot_id: int | None, kg: int) -> None:
    """Give a place back; the caller does it once for each delivery that had one."""
    if slot_id is not None:
        session.execute(
            sa.update(DeliverySlot)
            .where(DeliverySlot.id == slot_id)
            .values(taken=DeliverySlot.taken - 1, taken_kg=DeliverySlot.taken_kg - kg)
        )
