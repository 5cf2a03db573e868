"""The courier's day as the phone shows it: own stops of the published plan, nothing else."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.core.errors import NotFound
from app.logistics import rules
from app.logistics.models import Carrier, Courier, Delivery, Route, RoutePlan, Stop, Vehicle


@dataclass(frozen=True, slots=True)
class CourierStop:
    """A stop with everything the courier needs there. kind: pickup or drop; money in kopeks. Never the PIN."""

    public_id: uuid.UUID
    delivery: uuid.UUID
    number: str
    sequence: int
    kind: str
    state: str
    lot: int
    lots: int
    planned_arrival: datetime
    planned_departure: datetime
    eta: datetime | None
    arrived_at: datetime | None
    completed_at: datetime | None
    version: int
    delivery_state: str
    window_from: datetime
    window_to: datetime
    pickup: dict[str, Any]
    site: dict[str, Any]
    cargo: list[dict[str, Any]]
    mass_kg: int
    volume_l: int
    longest_mm: int
    unloading_minutes: int
    cash_due: int
    pin_failures: int

    @property
    def place(self) -> dict[str, Any]:
        return self.pickup if self.kind == "pickup" else self.site

    @property
    def waybill(self) -> list[dict[str, Any]]:
        return rules.waybill(self.cargo)

    @property
    def phone(self) -> str:
        return str(self.pickup.get("phone", "") if self.kind == "pickup" else self.site.get("contact_phone", ""))

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed", "skipped")

    @property
    def expected(self) -> datetime:
        return self.eta or self.planned_arrival

    @property
    def next_action(self) -> str | None:
        return rules.next_action(self.kind, self.state)

    @property
    def minutes_to_spare(self) -> int | None:
        """Minutes between the expected arrival and the end of the buyer's window; negative: late."""
        if self.kind == "pickup" or self.is_over:
            return None
        return int((self.window_to - self.expected).total_seconds() // 60)


@dataclass(frozen=True, slots=True)
class CourierRoute:
    """The route of a day."""

    public_id: uuid.UUID
    day: date
    state: str
    carrier_name: str
    carrier_phone: str
    vehicle_name: str
    plate: str
    distance_m: int
    starts_at: datetime
    ends_at: datetime
    geometry: list[list[float]]
    stops: tuple[CourierStop, ...]

    @property
    def next_stop(self) -> CourierStop | None:
        return next((stop for stop in self.stops if not stop.is_over), None)

    @property
    def done(self) -> int:
        return sum(stop.is_over for stop in self.stops)


_ROUTE: list[Any] = [
    Route.id, Route.public_id, RoutePlan.day, Route.state, Carrier.name, Carrier.phone, Vehicle.name, Vehicle.plate,
    Route.distance_m, Route.starts_at, Route.ends_at, Route.geometry,
]  # fmt: skip
_STOP: list[Any] = [
    Stop.public_id, Delivery.public_id, Delivery.number, Stop.sequence, Stop.kind, Stop.state, Stop.lot, Stop.lots,
    Stop.planned_arrival, Stop.planned_departure, Stop.eta, Stop.arrived_at, Stop.completed_at, Stop.version,
    Delivery.state, Delivery.window_from, Delivery.window_to, Delivery.pickup, Delivery.site, Delivery.cargo,
    Delivery.mass_kg, Delivery.volume_l, Delivery.longest_mm, Delivery.unloading_minutes, Delivery.cash_due,
    Delivery.pin_failures,
]  # fmt: skip


def _routes(user_id: int) -> sa.Select[Any]:
    return (
        sa.select(*_ROUTE)
        .select_from(Route)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Courier, Courier.id == Route.courier_id)
        .join(Carrier, Carrier.id == Courier.carrier_id)
        .join(Vehicle, Vehicle.id == Route.vehicle_id)
        .where(Courier.user_id == user_id, RoutePlan.status == "published")
    )


def route(user_id: int, day: date | None = None) -> CourierRoute | None:
    """The courier's route of a day; without a day the one under way, else today's, else the next one ahead."""
    statement = _routes(user_id)
    if day is not None:
        statement = statement.where(RoutePlan.day == day).order_by(Route.state != "started", Route.id)
    else:
        today = clock.today()
        statement = statement.where(
            sa.or_(Route.state == "started", RoutePlan.day.between(today, today + timedelta(days=14)))
        ).order_by(
            Route.state != "started",
            sa.and_(Route.state == "finished", RoutePlan.day <= today),
            RoutePlan.day,
            Route.id,
        )
    row = session.execute(statement.limit(1)).one_or_none()
    return None if row is None else _with_stops(row)


def days(user_id: int) -> list[date]:
    """Days from today on for which the courier has a published route."""
    return list(
        session.scalars(
            sa.select(RoutePlan.day)
            .join(Route, Route.plan_id == RoutePlan.id)
            .join(Courier, Courier.id == Route.courier_id)
            .where(Courier.user_id == user_id, RoutePlan.status == "published", RoutePlan.day >= clock.today())
            .order_by(RoutePlan.day)
            .limit(14)
        )
    )


def _with_stops(row: Any) -> CourierRoute:
    rows = session.execute(
        sa.select(*_STOP)
        .select_from(Stop)
        .join(Delivery, Delivery.id == Stop.delivery_id)
        .where(Stop.route_id == row[0])
        .order_by(Stop.sequence)
    )
    facts: list[Any] = [*row[1:], tuple(CourierStop(*one) for one in rows)]
    return CourierRoute(*facts)


def stop(user_id: int, public_id: uuid.UUID) -> CourierStop:
    """One of the courier's own stops.

    Raises:
        NotFound: absent, of a plan that is not published, or another courier's.
    """
    row = session.execute(
        sa.select(*_STOP)
        .select_from(Stop)
        .join(Delivery, Delivery.id == Stop.delivery_id)
        .join(Route, Route.id == Stop.route_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Courier, Courier.id == Route.courier_id)
        .where(Stop.public_id == public_id, Courier.user_id == user_id, RoutePlan.status == "published")
    ).one_or_none()
    if row is None:
        raise NotFound()
    return CourierStop(*row)


def route_of_stop(user_id: int, public_id: uuid.UUID) -> CourierRoute:
    """The route that a stop of the courier belongs to.

    Raises:
        NotFound: as `stop`.
    """
    row = session.execute(
        _routes(user_id).where(Route.id.in_(sa.select(Stop.route_id).where(Stop.public_id == public_id)))
    ).one_or_none()
    if row is None:
        raise NotFound()
    return _with_stops(row)


def pickups_here(user_id: int, public_id: uuid.UUID) -> list[uuid.UUID]:
    """The open pickups at the place of this one that follow it without a drop or another warehouse between.

    Raises:
        NotFound: as `stop`.
    """
    stops = route_of_stop(user_id, public_id).stops
    first = next(index for index, one in enumerate(stops) if one.public_id == public_id)
    found = []
    for one in stops[first:]:
        same = (one.place.get("lat"), one.place.get("lon")) == (
            stops[first].place.get("lat"),
            stops[first].place.get("lon"),
        )
        if one.kind != "pickup" or not same:
            break
        if not one.is_over:
            found.append(one.public_id)
    return found
