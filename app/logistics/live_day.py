"""A day under way as the planner needs it: what each truck has done, does, has on board, and where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.core.db import session
from app.logistics.models import Delivery, LastPosition, Route, Stop

Key = tuple[int, int]
"""(delivery id, lot)."""

OVER = frozenset({"done", "failed", "skipped"})
CURRENT = frozenset({"arrived", "unloading"})
FRESH = timedelta(minutes=15)
"""An older position says less than the last stop."""


@dataclass(frozen=True, slots=True)
class LiveStop:
    """A stop of a published route as it stands now."""

    route_id: int
    delivery_id: int
    kind: str
    lot: int
    lots: int
    sequence: int
    state: str
    planned_arrival: datetime
    planned_departure: datetime
    eta: datetime | None
    arrived_at: datetime | None
    unloading_at: datetime | None
    completed_at: datetime | None
    locked: bool
    point: tuple[float, float]
    window_from: datetime
    delivery_state: str

    @property
    def key(self) -> Key:
        return (self.delivery_id, self.lot)

    @property
    def happened(self) -> datetime:
        return self.completed_at or self.arrived_at or self.planned_arrival

    @property
    def leaves(self) -> datetime:
        """When the truck goes on, for a stop that it stands at."""
        begins = self.arrived_at or self.planned_arrival
        if self.kind == "drop":
            begins = max(begins, self.window_from)
        return begins + (self.planned_departure - self.planned_arrival)


@dataclass(frozen=True, slots=True)
class LiveRoute:
    """A truck of the published plan. `position` is the newest of its driver, with its moment."""

    vehicle_id: int
    courier_id: int | None
    state: str
    starts_at: datetime
    ends_at: datetime
    started_at: datetime | None
    break_from: datetime | None
    break_to: datetime | None
    stops: tuple[LiveStop, ...]
    position: tuple[float, float, datetime] | None = None

    @property
    def frozen(self) -> tuple[LiveStop, ...]:
        """What is over or happens now, in the order in which it happened."""
        touched = [stop for stop in self.stops if stop.state in OVER or stop.state in CURRENT]
        return tuple(sorted(touched, key=lambda s: (s.state in CURRENT, s.happened, s.sequence)))

    @property
    def ahead(self) -> tuple[LiveStop, ...]:
        return tuple(stop for stop in self.stops if stop.state == "planned")

    @property
    def aboard(self) -> frozenset[Key]:
        """Loaded, or being loaded, and still to be brought."""
        loaded = {s.key for s in self.stops if s.kind == "pickup" and (s.state == "done" or s.state in CURRENT)}
        gone = {s.key for s in self.stops if s.kind == "drop" and s.state != "planned"}
        return frozenset(loaded - gone)

    @property
    def refused(self) -> frozenset[Key]:
        """On board until the truck is back: the buyer did not take it."""
        return frozenset(
            s.key for s in self.stops
            if s.kind == "drop" and s.state == "failed" and s.delivery_state in ("failed", "returning")
        )  # fmt: skip

    @property
    def under_way(self) -> bool:
        return self.state != "planned"

    def stands(self, now: datetime) -> tuple[tuple[float, float] | None, datetime]:
        """Where the truck is and when it is free to go: at the stop it serves, at its driver's fresh position, at the
        last stop it left; None: at the yard still.
        """
        current = [stop for stop in self.frozen if stop.state in CURRENT]
        if current:
            begins = max(stop.leaves for stop in current)
            return current[-1].point, max(now, begins)
        if self.position is not None and self.state != "planned" and now - self.position[2] <= FRESH:
            return self.position[:2], now
        visited = [stop for stop in self.frozen if stop.state in ("done", "failed") and stop.completed_at]
        return (visited[-1].point if visited else None), now


def live_routes(plan_id: int) -> dict[int, LiveRoute]:
    """The routes of a plan by vehicle id."""
    locked: Any = getattr(Stop, "locked", sa.false())
    rows = session.execute(
        sa.select(
            Stop.route_id, Stop.delivery_id, Stop.kind, Stop.lot, Stop.lots, Stop.sequence, Stop.state,
            Stop.planned_arrival, Stop.planned_departure, Stop.eta, Stop.arrived_at, Stop.unloading_at,
            Stop.completed_at, locked, Delivery.pickup, Delivery.site, Delivery.window_from, Delivery.state,
        )
        .join(Route, Route.id == Stop.route_id)
        .join(Delivery, Delivery.id == Stop.delivery_id)
        .where(Route.plan_id == plan_id)
        .order_by(Stop.route_id, Stop.sequence)
    ).all()  # fmt: skip
    stops: dict[int, list[LiveStop]] = {}
    for row in rows:
        values: list[Any] = list(row)
        facts, (pickup, site, opens, state) = values[:14], values[14:]
        point = _point(pickup if facts[2] == "pickup" else site)
        stops.setdefault(facts[0], []).append(LiveStop(*[*facts, point, opens, state]))
    found: dict[int, LiveRoute] = {}
    routes = session.execute(
        sa.select(Route, LastPosition.lat, LastPosition.lon, LastPosition.at)
        .outerjoin(LastPosition, LastPosition.courier_id == Route.courier_id)
        .where(Route.plan_id == plan_id)
        .order_by(Route.id)
    )
    for route, lat, lon, at in routes:
        found[route.vehicle_id] = LiveRoute(
            route.vehicle_id, route.courier_id, route.state, route.starts_at, route.ends_at, route.started_at,
            route.break_from, route.break_to, tuple(stops.get(route.id, ())),
            None if at is None else (lat, lon, at),
        )  # fmt: skip
    return found


def _point(place: Mapping[str, Any]) -> tuple[float, float]:
    return (float(place["lat"]), float(place["lon"]))
