"""Where trucks are and when they come: positions in, the buyer's view out."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core import clock
from app.core.db import session, unit_of_work
from app.core.errors import FieldError, Invalid, NotFound
from app.core.permissions import Actor
from app.logistics import queries, rules
from app.logistics.models import (
    Carrier,
    Courier,
    Delivery,
    LastPosition,
    Position,
    Route,
    RoutePlan,
    Shift,
    Stop,
    Vehicle,
)

MAX_BATCH = 500
OLDEST = timedelta(days=2)
FUTURE = timedelta(minutes=2)


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
    """How many positions of a batch were kept, and how many were not (off shift, too old, sent before)."""

    accepted: int
    dropped: int


@unit_of_work
def record_positions(actor: Actor, fixes: Sequence[Fix]) -> Kept:
    """Keep a batch of positions of the courier, only while on shift: a started route, or a started shift.

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
    couriers = session.scalars(sa.select(Courier.id).where(Courier.user_id == actor.user, Courier.is_active)).all()
    if not couriers:
        raise NotFound()
    courier_id = _on_shift(couriers)
    now = clock.now()
    fresh = {fix.at: fix for fix in fixes if now - OLDEST < fix.at < now + FUTURE}
    if courier_id is None or not fresh:
        return Kept(0, len(fixes))
    accepted = _insert(courier_id, list(fresh.values()))
    _keep_newest(courier_id, max(fresh.values(), key=lambda fix: fix.at))
    return Kept(accepted, len(fixes) - accepted)


def _on_shift(courier_ids: Sequence[int]) -> int | None:
    on_route = sa.select(Route.courier_id).where(Route.courier_id.in_(courier_ids), Route.state == "started")
    on_shift = sa.select(Shift.courier_id).where(
        Shift.courier_id.in_(courier_ids), Shift.started_at.is_not(None), Shift.ended_at.is_(None)
    )
    return session.scalar(on_route.limit(1)) or session.scalar(on_shift.limit(1))


def _insert(courier_id: int, fixes: Sequence[Fix]) -> int:
    rows = [
        {
            "courier_id": courier_id,
            "at": fix.at,
            "lat": fix.lat,
            "lon": fix.lon,
            "accuracy_m": fix.accuracy_m,
            "speed_mps": fix.speed_mps,
        }
        for fix in fixes
    ]
    kept = session.execute(insert(Position).values(rows).on_conflict_do_nothing().returning(Position.at))
    return len(kept.all())


def _keep_newest(courier_id: int, fix: Fix) -> None:
    statement = insert(LastPosition).values(
        courier_id=courier_id,
        at=fix.at,
        lat=fix.lat,
        lon=fix.lon,
        details={"accuracy_m": fix.accuracy_m, "speed_mps": fix.speed_mps},
    )
    new = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[LastPosition.courier_id],
            set_={"at": new.at, "lat": new.lat, "lon": new.lon, "details": new.details},
            where=LastPosition.at < new.at,
        )
    )


@dataclass(frozen=True, slots=True)
class Place:
    """The last known position of the truck and how old it is."""

    lat: float
    lon: float
    at: datetime
    accuracy_m: float | None

    def age(self, now: datetime) -> timedelta:
        return max(timedelta(0), now - self.at)


@dataclass(frozen=True, slots=True)
class TrackingView:
    """What a waiting buyer may know. ETA as a window; the position only while the truck is on its way."""

    delivery: uuid.UUID
    number: str
    state: str
    window_from: datetime
    window_to: datetime
    eta_from: datetime | None
    eta_to: datetime | None
    stops_before: int | None
    stop_state: str | None
    carrier_name: str
    carrier_phone: str
    courier_name: str | None
    courier_phone: str | None
    vehicle_name: str | None
    plate: str | None
    site: dict[str, Any]
    position: Place | None
    history: tuple[queries.History, ...]

    @property
    def is_live(self) -> bool:
        return self.state in rules.ON_THE_WAY

    @property
    def is_late(self) -> bool:
        return self.eta_from is not None and self.eta_from > self.window_to


def by_token(token: str) -> TrackingView:
    """The delivery behind a link, only while it is on its way to the buyer.

    Raises:
        NotFound: no such link, not on its way yet, or over: all the same.
    """
    row = session.execute(sa.select(Delivery.id, Delivery.state).where(Delivery.tracking_token == token)).one_or_none()
    if row is None or row.state not in rules.ON_THE_WAY:
        raise NotFound()
    return _view(row.id)


def has_ended(token: str) -> bool:
    """Whether a link was good once and its delivery is over: an open page may stop asking."""
    state = session.scalar(sa.select(Delivery.state).where(Delivery.tracking_token == token))
    return state in rules.OVER


def of_delivery(delivery_id: int) -> TrackingView:
    """The tracking of a delivery whose reader has been checked by the caller."""
    return _view(delivery_id)


def _view(delivery_id: int) -> TrackingView:
    delivery = session.execute(
        sa.select(
            Delivery.public_id, Delivery.number, Delivery.state, Delivery.window_from, Delivery.window_to,
            Delivery.site, Carrier.name, Carrier.phone,
        )
        .join(Carrier, Carrier.id == Delivery.carrier_id)
        .where(Delivery.id == delivery_id)
    ).one()  # fmt: skip
    way = _on_route(delivery_id)
    live = delivery.state in rules.ON_THE_WAY
    eta: tuple[datetime | None, datetime | None] = (None, None)
    if way is not None and live:
        expected = way.eta or way.planned_arrival
        start, end = rules.eta_window(expected, clock.now())
        eta = (max(start, min(expected, delivery.window_from)), end)
    return TrackingView(
        delivery=delivery.public_id,
        number=delivery.number,
        state=delivery.state,
        window_from=delivery.window_from,
        window_to=delivery.window_to,
        eta_from=eta[0],
        eta_to=eta[1],
        stops_before=_stops_before(way) if way is not None and live else None,
        stop_state=way.state if way is not None else None,
        carrier_name=delivery.name,
        carrier_phone=delivery.phone,
        courier_name=way.courier if way is not None else None,
        courier_phone=way.phone if way is not None and live else None,
        vehicle_name=way.vehicle if way is not None else None,
        plate=way.plate if way is not None else None,
        site=delivery.site,
        position=_place(way.courier_id) if way is not None and delivery.state == "in_transit" else None,
        history=tuple(queries.history(delivery_id)),
    )


def _on_route(delivery_id: int) -> Any:
    """The drop still ahead in a published plan (the last one of several lots), with its truck and driver."""
    return session.execute(
        sa.select(
            Stop.id, Stop.route_id, Stop.sequence, Stop.state, Stop.eta, Stop.planned_arrival, Route.courier_id,
            Courier.name.label("courier"), Courier.phone, Vehicle.name.label("vehicle"), Vehicle.plate,
        )
        .join(Route, Route.id == Stop.route_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Vehicle, Vehicle.id == Route.vehicle_id)
        .outerjoin(Courier, Courier.id == Route.courier_id)
        .where(Stop.delivery_id == delivery_id, Stop.kind == "drop", RoutePlan.status == "published")
        .order_by(Stop.state.in_(("done", "failed", "skipped")), Stop.planned_arrival)
        .limit(1)
    ).one_or_none()  # fmt: skip


def _stops_before(way: Any) -> int:
    """How many open stops (places, not lots) the truck has before this one."""
    return (
        session.scalar(
            sa.select(sa.func.count()).where(
                Stop.route_id == way.route_id,
                Stop.sequence < way.sequence,
                Stop.state.not_in(("done", "failed", "skipped")),
            )
        )
        or 0
    )


def _place(courier_id: int | None) -> Place | None:
    row = session.execute(
        sa.select(LastPosition.lat, LastPosition.lon, LastPosition.at, LastPosition.details).where(
            LastPosition.courier_id == courier_id
        )
    ).one_or_none()
    return None if row is None else Place(row.lat, row.lon, row.at, row.details.get("accuracy_m"))


def courier_positions(carrier_id: int) -> dict[int, Place]:
    """The last positions of a carrier's couriers who are on a route now, by courier id."""
    rows = session.execute(
        sa.select(LastPosition.courier_id, LastPosition.lat, LastPosition.lon, LastPosition.at, LastPosition.details)
        .join(Courier, Courier.id == LastPosition.courier_id)
        .where(
            Courier.carrier_id == carrier_id,
            sa.exists().where(Route.courier_id == Courier.id, Route.state == "started"),
        )
    )
    return {r.courier_id: Place(r.lat, r.lon, r.at, r.details.get("accuracy_m")) for r in rows}
