"""Positions of couriers' phones: batches in, only while on shift, with what cannot be true dropped and counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import session, unit_of_work
from app.core.errors import FieldError, Invalid, NotFound
from app.core.permissions import Actor

MAX_BATCH = 500
OLDEST = timedelta(days=2)
"""Phones without signal may send later, but not later than this."""
FUTURE = timedelta(minutes=2)
FASTEST_KMH = 200
"""Nothing with a load drives faster between two positions; the later of them is an error of the phone."""
VAGUE_M = 500.0
"""A position known no better than this says nothing about a street."""
CLOCK_SLIP = timedelta(minutes=2)
"""By so much a phone's clock may differ from ours at the ends of a shift."""
LONGEST_SHIFT = timedelta(hours=24)
"""A route or a shift that nobody ended counts as over after this."""
EARTH_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Fix:
    """A position of the phone: degrees, metres, metres a second."""

    at: datetime
    lat: float
    lon: float
    accuracy_m: float | None = None
    speed_mps: float | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """How many positions of a batch were kept and how many were not; `why` counts those by reason.

    Reasons: again (sent before), off_shift, old, future, vague, jump.
    """

    accepted: int
    dropped: int
    why: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OnShift:
    """A courier between two moments, with the last position known before."""

    courier_id: int
    since: datetime
    until: datetime
    last: Fix | None


def metres(a_lat: float, a_lon: float, b_lat: float, b_lon: float) -> float:
    """Great-circle distance of two points in degrees (haversine formula)."""
    one, two = math.radians(a_lat), math.radians(b_lat)
    half = (
        math.sin((two - one) / 2) ** 2 + math.cos(one) * math.cos(two) * math.sin(math.radians(b_lon - a_lon) / 2) ** 2
    )
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(half)))


def is_jump(before: Fix, fix: Fix) -> bool:
    """Whether nobody can have driven between the two, even if both positions are wrong by their whole accuracy."""
    blur = (before.accuracy_m or 0) + (fix.accuracy_m or 0)
    seconds = max(1.0, (fix.at - before.at).total_seconds())
    way = max(0.0, metres(before.lat, before.lon, fix.lat, fix.lon) - blur)
    return way / seconds * 3.6 > FASTEST_KMH


def sifted(fixes: Sequence[Fix], shifts: Sequence[OnShift], now: datetime) -> tuple[dict[int, list[Fix]], Counter[str]]:
    """What of a batch can be true, by courier in order of time, and how many were left out, by reason. Pure.

    The batch may come in any order and hold a position twice.
    """
    kept: dict[int, list[Fix]] = {}
    why: Counter[str] = Counter()
    before = {one.courier_id: one.last for one in shifts}
    seen: set[datetime] = set()
    for fix in sorted(fixes, key=lambda one: one.at):
        shift = next((s for s in shifts if s.since - CLOCK_SLIP <= fix.at <= s.until + CLOCK_SLIP), None)
        reason = _refusal(fix, seen, shift, now)
        seen.add(fix.at)
        if reason or shift is None:
            why[reason] += 1
            continue
        last = before[shift.courier_id]
        if last is not None and last.at < fix.at and is_jump(last, fix):
            why["jump"] += 1
            continue
        if last is None or last.at < fix.at:
            before[shift.courier_id] = fix
        kept.setdefault(shift.courier_id, []).append(fix)
    return kept, why


def _refusal(fix: Fix, seen: set[datetime], shift: OnShift | None, now: datetime) -> str:
    if fix.at in seen:
        return "again"
    if fix.at > now + FUTURE:
        return "future"
    if fix.at < now - OLDEST:
        return "old"
    if fix.accuracy_m is not None and fix.accuracy_m > VAGUE_M:
        return "vague"
    return "" if shift is not None else "off_shift"


_SHIFTS = sa.text("""
    SELECT c.id, s.since, coalesce(s.until, s.since + :longest) AS until, p.at, p.lat, p.lon,
        (p.details ->> 'accuracy_m')::float AS accuracy_m
    FROM courier c
    LEFT JOIN LATERAL (
        SELECT r.started_at AS since, least(r.finished_at, (
            SELECT min(k.checked_at) FROM vehicle_check k
            WHERE k.courier_id = c.id AND k.vehicle_id = r.vehicle_id AND k.part = 'end' AND k.checked_at > r.started_at
        )) AS until
        FROM route r WHERE r.courier_id = c.id AND r.started_at > :oldest
        UNION ALL
        SELECT started_at, ended_at FROM shift WHERE courier_id = c.id AND started_at > :oldest
    ) s ON true
    LEFT JOIN last_position p ON p.courier_id = c.id
    WHERE c.user_id = :user_id AND c.is_active
    ORDER BY s.since DESC NULLS LAST
""")

_WRITE = sa.text("""
    WITH given AS (
        SELECT * FROM unnest(cast(:at AS timestamptz[]), cast(:lat AS float8[]), cast(:lon AS float8[]),
            cast(:accuracy AS float8[]), cast(:speed AS float8[])) AS g (at, lat, lon, accuracy_m, speed_mps)
    ), kept AS (
        INSERT INTO position (courier_id, at, lat, lon, accuracy_m, speed_mps)
        SELECT :courier_id, at, lat, lon, accuracy_m, speed_mps FROM given
        ON CONFLICT DO NOTHING RETURNING at
    ), newest AS (
        INSERT INTO last_position AS p (courier_id, at, lat, lon, details)
        SELECT :courier_id, at, lat, lon, jsonb_build_object('accuracy_m', accuracy_m, 'speed_mps', speed_mps)
        FROM given ORDER BY at DESC LIMIT 1
        ON CONFLICT (courier_id) DO UPDATE
        SET at = excluded.at, lat = excluded.lat, lon = excluded.lon, details = excluded.details
        WHERE p.at < excluded.at
    )
    SELECT count(*) FROM kept
""")
"""One statement keeps a batch and moves the last position, forward only."""


@unit_of_work
def record_positions(actor: Actor, fixes: Sequence[Fix]) -> Kept:
    """Keep a batch of positions of the courier: those of a started route or shift, two statements whatever the number.

    Raises:
        NotFound: the person drives for nobody.
        Invalid: more than 500, or a point that is not on Earth.
    """
    if len(fixes) > MAX_BATCH:
        raise Invalid.one("", "too_long", maximum=MAX_BATCH)
    errors = [
        FieldError(f"/{i}", "bad_coordinates")
        for i, fix in enumerate(fixes)
        if not (-90 <= fix.lat <= 90 and -180 <= fix.lon <= 180)
    ]
    if errors:
        raise Invalid(errors)
    now = clock.now()
    kept, why = sifted(fixes, _shifts(actor.user, now), now)
    accepted = 0
    for courier_id, chosen in kept.items():
        written = _write(courier_id, chosen)
        why["again"] += len(chosen) - written
        accepted += written
    return Kept(accepted, len(fixes) - accepted, {reason: count for reason, count in why.items() if count})


def _shifts(user_id: int, now: datetime) -> list[OnShift]:
    rows = session.execute(
        _SHIFTS, {"user_id": user_id, "longest": LONGEST_SHIFT, "oldest": now - OLDEST - LONGEST_SHIFT}
    ).all()
    if not rows:
        raise NotFound()
    return [OnShift(row.id, row.since, row.until, _last(row)) for row in rows if row.since is not None]


def _last(row: Any) -> Fix | None:
    return None if row.at is None else Fix(row.at, row.lat, row.lon, row.accuracy_m)


def _write(courier_id: int, fixes: Sequence[Fix]) -> int:
    given = {
        "courier_id": courier_id, "at": [f.at for f in fixes], "lat": [f.lat for f in fixes],
        "lon": [f.lon for f in fixes], "accuracy": [f.accuracy_m for f in fixes], "speed": [f.speed_mps for f in fixes],
    }  # fmt: skip
    written: int = session.execute(_WRITE, given).scalar_one()
    return written
