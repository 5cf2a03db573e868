"""Route plans as dispatchers look at them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.core.db import session
from app.core.errors import NotFound
from app.logistics import rules
from app.logistics.models import Courier, Delivery, Route, RoutePlan, Stop, Vehicle
from app.logistics.plan_edit_models import PlanSheet


@dataclass(frozen=True, slots=True)
class StopView:
    """A stop of a plan. kind: pickup or drop."""

    public_id: uuid.UUID
    delivery_id: int
    delivery: uuid.UUID
    number: str
    sequence: int
    kind: str
    lot: int
    lots: int
    locked: bool
    state: str
    planned_arrival: datetime
    planned_departure: datetime
    eta: datetime | None
    arrived_at: datetime | None
    completed_at: datetime | None
    window_from: datetime
    window_to: datetime
    place: dict[str, Any]
    mass_kg: int
    """Of the whole delivery; what is loaded here is `load_kg`."""

    @property
    def load_kg(self) -> int:
        """What this lot weighs."""
        return rules.share(self.mass_kg, self.lots, self.lot)

    @property
    def expected(self) -> datetime:
        """When the truck is, was or will be there, by what is known now."""
        return self.arrived_at or self.eta or self.planned_arrival

    @property
    def late_by(self) -> timedelta:
        """How much after the end of the buyer's window; zero when in time and for pickups."""
        late = self.expected - self.window_to
        return late if self.kind == "drop" and late > timedelta(0) else timedelta(0)


@dataclass(frozen=True, slots=True)
class RouteView:
    """A truck's day."""

    public_id: uuid.UUID
    vehicle_id: int
    vehicle: uuid.UUID
    vehicle_name: str
    plate: str
    payload_kg: int
    courier: uuid.UUID | None
    courier_id: int | None
    courier_name: str
    state: str
    distance_m: int
    duration_s: int
    cost: int
    load_kg: int
    load_l: int
    starts_at: datetime
    ends_at: datetime
    break_from: datetime | None
    break_to: datetime | None
    geometry: list[list[float]]
    stops: tuple[StopView, ...]

    @property
    def drops(self) -> tuple[StopView, ...]:
        return tuple(stop for stop in self.stops if stop.kind == "drop")


@dataclass(frozen=True, slots=True)
class Left:
    """A delivery no route takes, with the code of the reason and its figures."""

    delivery: uuid.UUID
    number: str
    address: str
    lat: float | None
    lon: float | None
    mass_kg: int
    longest_mm: int
    window_from: datetime
    window_to: datetime
    reason: str
    context: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlanHead:
    """A version of a day's plan in a list."""

    public_id: uuid.UUID
    day: date
    version: int
    status: str
    cost: int
    distance_m: int
    duration_s: int
    solver: str
    quality: str
    created_at: datetime
    published_at: datetime | None
    kind: str

    @property
    def is_editable(self) -> bool:
        """Whether it may be changed by hand: drafts of a day; the rest of a day under way is planned again instead."""
        return self.status == "draft" and self.kind == "day"


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan with everything in it."""

    head: PlanHead
    routes: tuple[RouteView, ...]
    left: tuple[Left, ...]

    @property
    def deliveries(self) -> int:
        """How many deliveries are in routes."""
        return len({stop.delivery for route in self.routes for stop in route.drops})

    @property
    def late(self) -> tuple[StopView, ...]:
        return tuple(stop for route in self.routes for stop in route.drops if stop.late_by)


_HEAD: list[Any] = [getattr(RoutePlan, name) for name in PlanHead.__dataclass_fields__]


def heads(carrier_id: int, day: date) -> list[PlanHead]:
    """The versions of a day's plan, newest first."""
    rows = session.execute(
        sa.select(*_HEAD)
        .where(RoutePlan.carrier_id == carrier_id, RoutePlan.day == day)
        .order_by(RoutePlan.version.desc())
    )
    return [PlanHead(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class PlanFigures:
    """The shortest account of a plan after a change."""

    distance_m: int
    cost: int
    edit: int
    faults: tuple[dict[str, Any], ...]
    """See `plan_times.Fault`."""


def figures(carrier_id: int, public_id: uuid.UUID) -> PlanFigures:
    """Way, cost, the edit number and which rules are broken.

    Raises:
        NotFound: absent, or another carrier's.
    """
    row = session.execute(
        sa.select(RoutePlan.distance_m, RoutePlan.cost, PlanSheet.edit, PlanSheet.faults)
        .outerjoin(PlanSheet, PlanSheet.plan_id == RoutePlan.id)
        .where(RoutePlan.public_id == public_id, RoutePlan.carrier_id == carrier_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return PlanFigures(row.distance_m, row.cost, row.edit or 0, tuple(row.faults or ()))


def plan(carrier_id: int, public_id: uuid.UUID) -> PlanView:
    """A plan of this carrier with its routes, stops and what is left.

    Raises:
        NotFound: absent, or another carrier's.
    """
    row = session.execute(
        sa.select(*_HEAD, RoutePlan.id, RoutePlan.unassigned).where(
            RoutePlan.public_id == public_id, RoutePlan.carrier_id == carrier_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound()
    *head, plan_id, unassigned = tuple(row)
    return PlanView(PlanHead(*head), _routes(plan_id), _left(unassigned))


def _routes(plan_id: int) -> tuple[RouteView, ...]:
    columns: list[Any] = [
        Route.id, Route.public_id, Vehicle.id, Vehicle.public_id, Vehicle.name, Vehicle.plate, Vehicle.payload_kg,
        Courier.public_id, Courier.id, sa.func.coalesce(Courier.name, ""), Route.state, Route.distance_m,
        Route.duration_s, Route.cost, Route.load_kg, Route.load_l, Route.starts_at, Route.ends_at, Route.break_from,
        Route.break_to, Route.geometry,
    ]  # fmt: skip
    rows = session.execute(
        sa.select(*columns)
        .select_from(Route)
        .join(Vehicle, Vehicle.id == Route.vehicle_id)
        .outerjoin(Courier, Courier.id == Route.courier_id)
        .where(Route.plan_id == plan_id)
        .order_by(Vehicle.name, Route.id)
    ).all()
    stops = stops_of([row[0] for row in rows])
    found = []
    for row in rows:
        facts: list[Any] = [*row[1:], tuple(stops.get(row[0], ()))]
        found.append(RouteView(*facts))
    return tuple(found)


def stops_of(route_ids: Sequence[int]) -> dict[int, list[StopView]]:
    """The stops of some routes in driving order, by route."""
    columns: list[Any] = [
        Stop.route_id, Stop.public_id, Delivery.id, Delivery.public_id, Delivery.number, Stop.sequence, Stop.kind,
        Stop.lot, Stop.lots, Stop.locked, Stop.state, Stop.planned_arrival, Stop.planned_departure, Stop.eta,
        Stop.arrived_at, Stop.completed_at,
        Delivery.window_from, Delivery.window_to, Delivery.pickup, Delivery.site, Delivery.mass_kg,
    ]  # fmt: skip
    rows = session.execute(
        sa.select(*columns)
        .select_from(Stop)
        .join(Delivery, Delivery.id == Stop.delivery_id)
        .where(Stop.route_id.in_(route_ids))
        .order_by(Stop.route_id, Stop.sequence)
    )
    found: dict[int, list[StopView]] = {}
    for row in rows:
        route_id, *known, pickup, site, mass = tuple(row)
        facts: list[Any] = [*known, pickup if known[5] == "pickup" else site, mass]
        found.setdefault(route_id, []).append(StopView(*facts))
    return found


def _left(unassigned: list[dict[str, Any]]) -> tuple[Left, ...]:
    if not unassigned:
        return ()
    rows = session.execute(
        sa.select(
            Delivery.id, Delivery.public_id, Delivery.number, Delivery.site, Delivery.mass_kg, Delivery.longest_mm,
            Delivery.window_from, Delivery.window_to,
        ).where(Delivery.id.in_([item["delivery_id"] for item in unassigned]))
    )  # fmt: skip
    by_id = {row.id: row for row in rows}
    return tuple(
        Left(
            row.public_id, row.number, str(row.site.get("address", "")), row.site.get("lat"), row.site.get("lon"),
            row.mass_kg, row.longest_mm, row.window_from, row.window_to, item["reason"], item.get("context", {}),
        )
        for item in unassigned
        if (row := by_id.get(item["delivery_id"])) is not None
    )  # fmt: skip
