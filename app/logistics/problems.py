"""What stands in the way of a delivery: pure rules over its figures and the trucks of its day. No solver is asked.

Each problem has a code, the figures of it, and (in app/texts/carrier.py) words and what would mend it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from app.logistics import rules
from app.logistics.rules import Truck

OPEN = frozenset({"waiting", "ready", "planned"})
"""States in which the dispatcher can still do something about a truck."""
MOST_LOTS = 4
"""A load that goes in more lots by the largest truck counts as too heavy."""
_NEAREST = ("no_tail_lift", "no_crane", "site_height_limit", "site_mass_limit", "too_long")
"""The refusals of `rules.refusal`, the one that it looks at last first."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A code and its figures."""

    code: str
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Out:
    """A truck that drives on the day, and its hours."""

    truck: Truck
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Trucks:
    """All working trucks of a carrier, and those that somebody drives on the day."""

    fleet: Sequence[Truck]
    out: Sequence[Out]


class Carried(Protocol):
    """What of a delivery the rules look at."""

    @property
    def state(self) -> str: ...
    @property
    def site(self) -> dict[str, Any]: ...
    @property
    def mass_kg(self) -> int: ...
    @property
    def volume_l(self) -> int: ...
    @property
    def longest_mm(self) -> int: ...
    @property
    def window_from(self) -> datetime: ...
    @property
    def window_to(self) -> datetime: ...
    @property
    def pin_failures(self) -> int: ...


def of(row: Carried, trucks: Trucks, now: datetime) -> tuple[Problem, ...]:
    """Everything that stands in the way of a delivery, the gravest first."""
    found = []
    if row.pin_failures >= rules.PIN_TRIES and row.state in rules.ON_THE_WAY:
        found.append(Problem("pin_locked"))
    if row.state == "failed":
        found.append(Problem("failed"))
    if row.state not in OPEN:
        return tuple(found)
    if row.site.get("lat") is None or row.site.get("lon") is None:
        found.append(Problem("no_coordinates"))
    if row.state in rules.PLANNABLE and row.window_to < now:
        found.append(Problem("window_passed"))
    if not trucks.fleet:
        return (*found, Problem("no_truck"))
    stopped = _refused_by_all(row, trucks.fleet) or _too_heavy(row, trucks.fleet)
    if stopped is not None:
        return (*found, stopped)
    if row.window_to >= now:
        found += _of_day(row, trucks)
    return tuple(found)


def _of_day(row: Carried, trucks: Trucks) -> list[Problem]:
    """What only the calendar of the day stands in the way of: some truck could, but nobody drives it then."""
    if not trucks.out:
        return [Problem("nobody_drives")]
    refused = _refused_by_all(row, [one.truck for one in trucks.out])
    if refused is not None:
        return [Problem("not_on_this_day", {"why": refused.code, **refused.context})]
    able = [one for one in trucks.out if _refusal(row, one.truck) is None]
    if all(one.ends_at <= row.window_from or one.starts_at >= row.window_to for one in able):
        hours = {"since": min(one.starts_at for one in able), "until": max(one.ends_at for one in able)}
        return [Problem("window_without_shift", hours)]
    return []


def _too_heavy(row: Carried, trucks: Sequence[Truck]) -> Problem | None:
    """A load that the largest truck that may go there would carry in more lots than is sensible."""
    able = [truck for truck in trucks if _refusal(row, truck) is None]
    most, room = max(truck.payload_kg for truck in able), max(truck.volume_l for truck in able)
    lots = rules.lots_of(row.mass_kg, row.volume_l, most, room)
    return Problem("too_heavy", {"kg": row.mass_kg, "most": most, "lots": lots}) if lots > MOST_LOTS else None


def _refused_by_all(row: Carried, trucks: Sequence[Truck]) -> Problem | None:
    """None when some truck could serve the site; else what the truck that comes nearest to it lacks."""
    refusals = {_refusal(row, truck) for truck in trucks}
    if None in refusals:
        return None
    code = next(one for one in _NEAREST if one in refusals)
    return Problem(code, _figures(code, row, trucks))


def _refusal(row: Carried, truck: Truck) -> str | None:
    return rules.refusal(truck, row.site, row.longest_mm)


def _figures(code: str, row: Carried, trucks: Sequence[Truck]) -> dict[str, Any]:
    """The load's figure and the best that the trucks offer."""
    if code == "too_long":
        return {"mm": row.longest_mm, "most": max(truck.longest_mm for truck in trucks)}
    if code == "site_mass_limit":
        return {"limit": int(row.site["max_vehicle_kg"]), "least": min(truck.gross_mass_kg for truck in trucks)}
    if code == "site_height_limit":
        return {"limit": int(row.site["max_height_mm"]), "least": min(truck.height_mm for truck in trucks)}
    return {}
