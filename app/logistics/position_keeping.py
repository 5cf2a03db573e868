"""Positions are kept 90 days in partitions of a day each; then only how far the truck drove stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core import clock
from app.core.db import session, unit_of_work
from app.logistics.models import Position, Route
from app.logistics.positions import OLDEST, Fix, metres
from app.logistics.tracking_models import Driven

KEPT_DAYS = 90
DAYS_AHEAD = 14
"""So many days may pass without housekeeping before positions find no partition."""
STANDING_M = 30.0
"""A phone that lies still moves on the map by less than this, or by less than its accuracy."""
_PART = re.compile(r"position_(\d{4})(\d{2})(\d{2})?")


@dataclass(frozen=True, slots=True)
class Partition:
    """A table of positions from `first` up to but without `end` (days of UTC)."""

    name: str
    first: date
    end: date


@dataclass(frozen=True, slots=True)
class Way:
    """How far positions lead. Metres."""

    distance_m: int
    points: int
    from_at: datetime
    to_at: datetime


def travelled(fixes: Iterable[Fix]) -> Way | None:
    """The way along positions in order of time; None without any. Pure.

    A point counts once it is farther from the last counted one than the phone can be wrong, so that standing adds
    nothing; where the phone was silent the straight line counts.
    """
    total, points = 0.0, 0
    first: Fix | None = None
    anchor: Fix | None = None
    last: Fix | None = None
    for fix in fixes:
        points += 1
        last = fix
        if first is None or anchor is None:
            first = anchor = fix
            continue
        way = metres(anchor.lat, anchor.lon, fix.lat, fix.lon)
        if way >= max(STANDING_M, anchor.accuracy_m or 0, fix.accuracy_m or 0):
            total += way
            anchor = fix
    return None if first is None or last is None else Way(round(total), points, first.at, last.at)


def keep(beat: Callable[[], object] = lambda: None) -> None:
    """The day's work: partitions ahead, kilometres of the days that are over, old partitions gone. Safe to repeat.

    Args:
        beat: called after each courier's day, so that a long night does not look like a dead worker.
    """
    make_days()
    today = clock.today()
    for back in range(1, OLDEST.days + 2):  # late positions of these days may have come since
        settle(today - timedelta(days=back), beat=beat)
    drop_old(beat)


@unit_of_work
def make_days() -> None:
    """Make the partitions of the coming days."""
    statement = sa.text(
        "SELECT make_position_day((now() AT TIME ZONE 'UTC')::date + n) FROM generate_series(-2, :ahead) n"
    )
    session.execute(statement, {"ahead": DAYS_AHEAD})


def partitions() -> list[Partition]:
    """What there is, oldest first."""
    names = session.scalars(
        sa.text(
            "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'position'::regclass"
        )
    )
    return sorted(filter(None, map(_partition, names)), key=lambda one: one.first)


def _partition(name: str) -> Partition | None:
    found = _PART.fullmatch(name)
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), found[3]
    first = date(year, month, int(day or 1))
    end = first + timedelta(days=1) if day else (first + timedelta(days=31)).replace(day=1)
    return Partition(name, first, end)


def drop_old(beat: Callable[[], object] = lambda: None) -> list[str]:
    """Drop partitions whose every position is more than 90 days old, once their kilometres are written."""
    gone = []
    for part in partitions():
        if part.end <= clock.now().date() - timedelta(days=KEPT_DAYS):
            for n in range((part.end - part.first).days + 1):  # the market's day begins before that of UTC
                settle(part.first + timedelta(days=n), only_new=True, beat=beat)
            _drop(part)
            gone.append(part.name)
    return gone


@unit_of_work
def _drop(part: Partition) -> None:
    session.execute(sa.text(f"DROP TABLE {part.name}"))  # a name that _PART has matched


def settle(day: date, *, only_new: bool = False, beat: Callable[[], object] = lambda: None) -> int:
    """Write how far each courier drove on a day of the market, by route. Returns how many rows were written.

    Args:
        only_new: leave couriers alone whose day is written; some of their positions may be gone.
    """
    start, end = clock.at(day, 0), clock.at(day + timedelta(days=1), 0)
    couriers = sa.select(Position.courier_id).where(Position.at >= start, Position.at < end).distinct()
    if only_new:
        known = sa.select(Driven.courier_id).where(Driven.day == day)
        couriers = couriers.where(Position.courier_id.not_in(known))
    written = 0
    for courier_id in session.scalars(couriers).all():
        written += _settle(courier_id, day, start, end)
        beat()
    return written


@unit_of_work
def _settle(courier_id: int, day: date, start: datetime, end: datetime) -> int:
    written = 0
    for route_id, fixes in _split(_fixes(courier_id, start, end), _routes(courier_id, start, end)).items():
        way = travelled(fixes)
        if way is not None:
            _write(courier_id, day, route_id, way)
            written += 1
    return written


Span = tuple[int, datetime, datetime]


def _routes(courier_id: int, start: datetime, end: datetime) -> list[Span]:
    rows = session.execute(
        sa.select(Route.id, Route.started_at, sa.func.coalesce(Route.finished_at, end))
        .where(Route.courier_id == courier_id, Route.started_at < end)
        .where(sa.func.coalesce(Route.finished_at, end) >= start, Route.started_at >= start - timedelta(days=1))
        .order_by(Route.started_at)
    )
    return [(route_id, since, until) for route_id, since, until in rows if since is not None]


def _fixes(courier_id: int, start: datetime, end: datetime) -> Iterator[Fix]:
    rows = session.execute(
        sa.select(Position.at, Position.lat, Position.lon, Position.accuracy_m)
        .where(Position.courier_id == courier_id, Position.at >= start, Position.at < end)
        .order_by(Position.at)
    )
    return (Fix(*row) for row in rows)


def _split(fixes: Iterable[Fix], spans: Sequence[Span]) -> dict[int | None, list[Fix]]:
    """Positions by the route they were sent on; None: between routes."""
    found: dict[int | None, list[Fix]] = {}
    for fix in fixes:
        route = next((key for key, since, until in spans if since <= fix.at <= until), None)
        found.setdefault(route, []).append(fix)
    return found


def _write(courier_id: int, day: date, route_id: int | None, way: Way) -> None:
    values = {"distance_m": way.distance_m, "points": way.points, "from_at": way.from_at, "to_at": way.to_at}
    statement = insert(Driven).values(courier_id=courier_id, day=day, route_id=route_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["courier_id", "day", "route_id"], set_=values))
