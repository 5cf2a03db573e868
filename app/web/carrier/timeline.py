"""The timeline of a plan as geometry: one band a truck, one box a visit. The template draws it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core import clock
from app.logistics.plan_views import PlanView, RouteView, StopView

LEFT, RIGHT, TOP, BAND = 150.0, 1100.0, 22.0, 70.0
BOX = 32.0
NARROWEST = 12.0


@dataclass(frozen=True, slots=True)
class Box:
    """A visit: several stops at one place in a row are one box. label: C of a warehouse, numbers of drops."""

    x: float
    y: float
    width: float
    kind: str
    label: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Band:
    """A truck's day."""

    route: RouteView
    y: float
    line_from: float
    line_to: float
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole drawing: hours as (x, text), bands, height of the view box."""

    hours: tuple[tuple[float, str], ...]
    bands: tuple[Band, ...]
    height: float
    bottom: float


def timeline(plan: PlanView) -> Timeline | None:
    """The drawing of a plan; None when it has no routes."""
    if not plan.routes:
        return None
    first = min(clock.local(route.starts_at) for route in plan.routes).replace(minute=0, second=0, microsecond=0)
    last = max(clock.local(route.ends_at) for route in plan.routes)
    hours = max(1, -(-int((last - first).total_seconds()) // 3600))
    per_hour = (RIGHT - LEFT) / hours

    def x(moment: datetime) -> float:
        return round(LEFT + (clock.local(moment) - first).total_seconds() / 3600 * per_hour, 1)

    marks = tuple((round(LEFT + per_hour * i, 1), f"{(first + timedelta(hours=i)).hour}:00") for i in range(hours + 1))
    bands = []
    for number, route in enumerate(plan.routes):
        y = TOP + 12 + BAND * number
        boxes = tuple(_box(group, label, x, y) for group, label in _visits(route.stops))
        bands.append(Band(route, y, x(route.starts_at), x(route.ends_at), boxes))
    bottom = TOP + BAND * len(bands)
    return Timeline(marks, tuple(bands), bottom + 6, bottom)


def _visits(stops: Sequence[StopView]) -> list[tuple[list[StopView], str]]:
    """Neighbouring pickups at one place together; every drop for itself, numbered."""
    found: list[tuple[list[StopView], str]] = []
    drops = 0
    for stop in stops:
        if stop.kind == "drop":
            drops += 1
            found.append(([stop], str(drops)))
            continue
        same = found and found[-1][0][-1].kind == "pickup" and _point(found[-1][0][-1]) == _point(stop)
        if same:
            found[-1][0].append(stop)
        else:
            found.append(([stop], ""))
    return found


def _point(stop: StopView) -> tuple[object, object]:
    return stop.place.get("lat"), stop.place.get("lon")


def _box(group: Sequence[StopView], label: str, x: Callable[[datetime], float], y: float) -> Box:
    start, end = group[0].planned_arrival, group[-1].planned_departure
    kind = "fill3" if group[0].kind == "pickup" else "fill2" if group[0].late_by else "fill"
    width = max(NARROWEST, round(x(end) - x(start), 1))
    return Box(x(start), y, width, kind, label, start, end)
