"""Which deliveries of a day will be late, or may be, and which trucks are silent: what a dispatcher must know first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.core import clock
from app.logistics import eta, eta_samples
from app.logistics.models import Courier, Delivery, Route, RoutePlan, Stop, Vehicle

SILENT = timedelta(minutes=15)
"""A truck under way that has not told its place for so long."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A door that is still ahead. `risk`: late (the expectation is behind the buyer's window), at_risk (the told window
    ends behind it) or nothing.
    """

    delivery: uuid.UUID
    number: str
    route: uuid.UUID
    stop: uuid.UUID
    vehicle_name: str
    courier_name: str
    window_from: datetime
    window_to: datetime
    expected_at: datetime
    eta_from: datetime
    eta_to: datetime

    @property
    def late_by(self) -> timedelta:
        """How much after the end of the buyer's window; zero when in time."""
        return max(timedelta(0), self.expected_at - self.window_to)

    @property
    def risk(self) -> str:
        if self.late_by:
            return "late"
        return "at_risk" if self.eta_to > self.window_to else ""


@dataclass(frozen=True, slots=True)
class Silent:
    """A truck under way that does not tell its place; seen_at None: never on this route."""

    route: uuid.UUID
    vehicle_name: str
    courier_name: str
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lateness:
    """A day as it looks now: doors ahead, worst first, and silent trucks."""

    doors: tuple[Expected, ...]
    silent: tuple[Silent, ...]

    @property
    def endangered(self) -> tuple[Expected, ...]:
        return tuple(door for door in self.doors if door.risk)


_MORE: tuple[Any, ...] = (
    Delivery.public_id.label("delivery"), Delivery.number, Delivery.window_to, Stop.public_id.label("stop"),
    Route.public_id.label("route"), Route.state.label("route_state"), Vehicle.name.label("vehicle"),
    Courier.name.label("courier"),
)  # fmt: skip


def lateness(carrier_id: int, day: date) -> Lateness:
    """The doors ahead in the published plan of a carrier's day: two queries, however many there are."""
    now = clock.now()
    spread = eta_samples.spread_of(carrier_id)
    doors: list[Expected] = []
    silent: list[Silent] = []
    for rows in eta_samples.open_stops(RoutePlan.carrier_id == carrier_id, RoutePlan.day == day, extra=_MORE):
        seen = eta_samples.seen_of(rows[0])
        if rows[0].route_state == "started" and (seen is None or now - seen.at > SILENT):
            silent.append(Silent(rows[0].route, rows[0].vehicle, rows[0].courier or "", seen.at if seen else None))
        arrivals = eta.expected(eta_samples.ahead_of(rows), now, seen)
        doors += [_door(row, at, spread, now) for row, at in zip(rows, arrivals, strict=True) if row.kind == "drop"]
    return Lateness(tuple(sorted(doors, key=_urgency)), tuple(silent))


def _door(row: Any, arrival: datetime, spread: eta.Spread, now: datetime) -> Expected:
    start, end = spread.window(arrival, now) if row.arrived_at is None else (arrival, arrival)
    return Expected(
        row.delivery, row.number, row.route, row.stop, row.vehicle, row.courier or "", row.window_from, row.window_to,
        arrival, start, end,
    )  # fmt: skip


def _urgency(door: Expected) -> tuple[int, float, datetime]:
    rank = {"late": 0, "at_risk": 1}.get(door.risk, 2)
    return rank, -door.late_by.total_seconds(), door.expected_at
