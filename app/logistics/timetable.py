"""What windows carriers drive in on the coming days, and what is left of them. Pure but for one function that reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.logistics import calendar, rules
from app.logistics.rules import Window
from app.logistics.slot_models import DeliverySlot, SlotException, SlotRule

SHOWN = 5
"""So many free windows are named to whom one was refused."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Room:
    """How much fits into a window: deliveries and kilograms; None: without limit."""

    places: int | None = None
    kg: int | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """A window as one load sees it. `why` it cannot be had: "" (it can), full or heavy; `left`: places, None: any."""

    window: Window
    left: int | None
    why: str = ""

    @property
    def is_free(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True)
class DayOf:
    """A day as one load sees it. `why` nothing is free on it: "", too_soon, closed, full or heavy."""

    day: date
    windows: tuple[Offered, ...]
    why: str = ""

    @property
    def free(self) -> tuple[Offered, ...]:
        return tuple(one for one in self.windows if one.is_free)


@dataclass(frozen=True, slots=True)
class Timetable:
    """The windows of one carrier: by weekday, what differs on some dates, what is sold, and when nobody drives."""

    week: Mapping[int, Mapping[Span, Room]] = field(default_factory=dict)
    dates: Mapping[date, Mapping[Span | None, Room]] = field(default_factory=dict)
    sold: Mapping[tuple[datetime, datetime], tuple[int, int]] = field(default_factory=dict)
    idle: frozenset[date] = frozenset()
    """Days on which nobody drives, see `calendar.idle_days`: nothing is sold then, whatever is declared."""

    def rooms(self, day: date) -> dict[Span, Room]:
        """The windows of a date, earliest first; closed ones are not there."""
        if day in self.idle:
            return {}
        usual = self.week.get(day.isoweekday(), {}) if self.week else dict.fromkeys(rules.WINDOWS, Room())
        found = dict(usual)
        special = self.dates.get(day, {})
        if None in special:
            whole = special[None]
            found = {span: Room(whole.places, whole.kg or room.kg) for span, room in found.items()}
        found |= {span: room for span, room in special.items() if span is not None}
        return {span: found[span] for span in sorted(found) if found[span].places != 0}

    def day(self, day: date, kg: int, earliest: date, now: datetime) -> DayOf:
        """What a load of so many kilograms may have on a date."""
        if day < earliest:
            return DayOf(day, (), "too_soon")
        spans = ((Window(day, *span), room) for span, room in self.rooms(day).items())
        found = tuple(self._offered(w, room, kg) for w, room in spans if w.starts_at >= now + rules.HEAD_START)
        reasons = {one.why for one in found}
        why = "closed" if not found else "" if "" in reasons else "full" if "full" in reasons else "heavy"
        return DayOf(day, found, why)

    def _offered(self, window: Window, room: Room, kg: int) -> Offered:
        taken, taken_kg = self.sold.get((window.starts_at, window.ends_at), (0, 0))
        left = None if room.places is None else max(0, room.places - taken)
        if left == 0:
            return Offered(window, left, "full")
        if room.kg is not None and taken_kg + kg > room.kg:
            return Offered(window, left, "heavy" if kg > room.kg else "full")
        return Offered(window, left)

    def days(self, kg: int, earliest: date, since: date, count: int, now: datetime) -> list[DayOf]:
        """Every day from `since`, the ones that come too soon too."""
        return [self.day(since + timedelta(days=n), kg, earliest, now) for n in range(count)]


def timetables(carrier_ids: Iterable[int], since: date, until: date) -> dict[int, Timetable]:
    """Timetables of carriers between two dates: four queries, however many carriers there are."""
    ids = sorted(set(carrier_ids))
    week = _by_carrier(sa.select(SlotRule).where(SlotRule.carrier_id.in_(ids)))
    dates = _by_carrier(
        sa.select(SlotException).where(SlotException.carrier_id.in_(ids), SlotException.day.between(since, until))
    )
    span = (clock.at(since, 0), clock.at(until + timedelta(days=1), 0))
    sold = _by_carrier(
        sa.select(DeliverySlot).where(DeliverySlot.carrier_id.in_(ids), DeliverySlot.starts_at.between(*span))
    )
    idle = calendar.idle_days(ids, since, until)
    return {
        one: Timetable(
            _grouped((r.weekday, (r.from_minute, r.to_minute), r) for r in week.get(one, ())),
            _grouped((e.day, _span(e), e) for e in dates.get(one, ())),
            {(s.starts_at, s.ends_at): (s.taken, s.taken_kg) for s in sold.get(one, ())},
            idle.get(one, frozenset()),
        )
        for one in ids
    }


def _by_carrier(statement: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in session.scalars(statement.execution_options(populate_existing=True)):
        found.setdefault(row.carrier_id, []).append(row)
    return found


def _grouped(rows: Iterable[tuple[Any, Any, Any]]) -> dict[Any, dict[Any, Room]]:
    found: dict[Any, dict[Any, Room]] = {}
    for key, span, row in rows:
        found.setdefault(key, {})[span] = Room(row.capacity, row.capacity_kg)
    return found


def _span(row: SlotException) -> Span | None:
    return None if row.from_minute is None or row.to_minute is None else (row.from_minute, row.to_minute)


def next_free(days: Sequence[DayOf]) -> list[dict[str, Any]]:
    """The first free windows, for whoever was refused: [{day, window, left}]."""
    found = [one for day in days for one in day.free]
    return [{"day": one.window.day.isoformat(), "window": one.window.code, "left": one.left} for one in found[:SHOWN]]
