"""Where trucks are and when they come, as the waiting buyer and the seller may know it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.core import clock
from app.core.db import session
from app.core.errors import NotFound
from app.logistics import eta, eta_samples, queries, rules
from app.logistics.models import Carrier, Courier, Delivery, LastPosition, Route, RoutePlan, Stop, Vehicle
from app.logistics.positions import MAX_BATCH, Fix, Kept, record_positions

__all__ = [
    "MAX_BATCH", "Fix", "Kept", "Place", "Stamp", "TrackingView", "by_token", "courier_positions", "of_delivery",
    "record_positions", "stamp_of", "stamp_of_link", "windows",
]  # fmt: skip

OVER = ("done", "failed", "skipped")
OLD = timedelta(minutes=1)
STEP_S = 180
"""A window that moves with the clock (a truck that stands) is written anew so often."""


@dataclass(frozen=True, slots=True)
class Place:
    """The last known position of the truck and how old it is."""

    lat: float
    lon: float
    at: datetime
    accuracy_m: float | None

    def age(self, now: datetime) -> timedelta:
        return max(timedelta(0), now - self.at)

    def is_old(self, now: datetime) -> bool:
        """Told so long ago that readers must be told its age."""
        return self.age(now) > OLD


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


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a live page depends on, without the page: equal stamps mean that nothing is to be sent.

    `text` changes with what is written (and every three minutes, since windows move with the clock) but not with a
    fresh position, `map` with every position.
    """

    delivery_id: int
    state: str
    text: str
    map: str


_STAMP = """
    SELECT d.id, d.state, d.version, e.events, w.route_id, w.stop_id, w.stamp, p.at
    FROM delivery d
    LEFT JOIN LATERAL (SELECT max(id) AS events FROM delivery_event WHERE delivery_id = d.id) e ON true
    LEFT JOIN LATERAL (
        SELECT s.route_id, s.id AS stop_id, r.courier_id, r.started_at, EXISTS (
            SELECT FROM stop l WHERE l.route_id = s.route_id AND l.delivery_id = s.delivery_id AND l.lot = s.lot
                AND l.kind = 'pickup' AND l.state = 'done'
        ) AS is_loaded, (
            SELECT concat(count(*), '/', sum(o.version), '/', max(o.eta), '/', sum(extract(epoch FROM o.eta)))
            FROM stop o WHERE o.route_id = s.route_id
        ) AS stamp
        FROM stop s JOIN route r ON r.id = s.route_id JOIN route_plan rp ON rp.id = r.plan_id
        WHERE s.delivery_id = d.id AND s.kind = 'drop' AND rp.status = 'published'
        ORDER BY s.state IN ('done', 'failed', 'skipped'), s.planned_arrival LIMIT 1
    ) w ON true
    LEFT JOIN last_position p ON p.courier_id = w.courier_id AND d.state = 'in_transit' AND w.is_loaded
        AND p.at >= w.started_at
    WHERE d.{} = :key
"""
"""Everything by indexes; the same choice of the stop as `_on_route`, of the position as `_place`."""
_BY_LINK, _BY_ID = sa.text(_STAMP.format("tracking_token")), sa.text(_STAMP.format("id"))


def stamp_of_link(token: str) -> Stamp | None:
    """The stamp behind a link, one query; None when it opens nothing: never was, not on its way yet, or over."""
    row = session.execute(_BY_LINK, {"key": token}).one_or_none()
    return None if row is None or row.state not in rules.ON_THE_WAY else _stamp(row)


def stamp_of(delivery_id: int) -> Stamp:
    """The stamp of a delivery whose reader has been checked by the caller: one query."""
    return _stamp(session.execute(_BY_ID, {"key": delivery_id}).one())


def _stamp(row: Any) -> Stamp:
    now = clock.now()
    turn = int(now.timestamp() + 37 * row.id) // STEP_S  # not all pages at the same moment
    age = None if row.at is None else now - row.at
    place = "none" if age is None else f"{age // timedelta(minutes=1)} min" if age > OLD else "fresh"
    facts = f"{row.id} {row.state} {row.version} {row.events} {row.route_id} {row.stop_id} {row.stamp}"
    return Stamp(row.id, row.state, _digest(f"{facts} {turn} {place}"), _digest(f"{facts} {row.at}"))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def by_token(token: str) -> TrackingView:
    """The delivery behind a link, only while it is on its way to the buyer.

    Raises:
        NotFound: no such link, not on its way yet, or over: all the same.
    """
    row = session.execute(sa.select(Delivery.id, Delivery.state).where(Delivery.tracking_token == token)).one_or_none()
    if row is None or row.state not in rules.ON_THE_WAY:
        raise NotFound()
    return _view(row.id)


def of_delivery(delivery_id: int) -> TrackingView:
    """The tracking of a delivery whose reader has been checked by the caller."""
    return _view(delivery_id)


def _view(delivery_id: int) -> TrackingView:
    delivery = session.execute(
        sa.select(
            Delivery.public_id, Delivery.number, Delivery.state, Delivery.window_from, Delivery.window_to,
            Delivery.site, Delivery.carrier_id, Carrier.name, Carrier.phone,
        )
        .join(Carrier, Carrier.id == Delivery.carrier_id)
        .where(Delivery.id == delivery_id)
    ).one()  # fmt: skip
    way = _on_route(delivery_id)
    live = delivery.state in rules.ON_THE_WAY
    told = _told(way, delivery) if way is not None and live and way.state not in OVER else _NOTHING
    return TrackingView(
        delivery=delivery.public_id,
        number=delivery.number,
        state=delivery.state,
        window_from=delivery.window_from,
        window_to=delivery.window_to,
        eta_from=told.start,
        eta_to=told.end,
        stops_before=told.stops_before,
        stop_state=way.state if way is not None else None,
        carrier_name=delivery.name,
        carrier_phone=delivery.phone,
        courier_name=way.courier if way is not None else None,
        courier_phone=way.phone if way is not None and live else None,
        vehicle_name=way.vehicle if way is not None else None,
        plate=way.plate if way is not None else None,
        site=delivery.site,
        position=_place(way) if way is not None and delivery.state == "in_transit" else None,
        history=tuple(queries.history(delivery_id)),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    start: datetime | None = None
    end: datetime | None = None
    stops_before: int | None = None


_NOTHING = _Told()


def _told(way: Any, delivery: Any) -> _Told:
    """The window of the arrival and how many open stops (places, not lots) the truck has before this one."""
    now = clock.now()
    rows = next(iter(eta_samples.open_stops(Stop.route_id == way.route_id)), [])
    mine = next((index for index, row in enumerate(rows) if row.id == way.id), None)
    if mine is None:
        return _NOTHING
    arrival = eta.expected(eta_samples.ahead_of(rows), now, eta_samples.seen_of(rows[0]))[mine]
    start, end = _window(eta_samples.spread_of(delivery.carrier_id), arrival, delivery.window_from, now)
    return _Told(start, end, mine)


def windows(deliveries: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[datetime, datetime]]:
    """When the trucks that are on their way come, by delivery; the reader has been checked by the caller.

    Three queries however many there are, one when none is on its way.
    """
    drops = session.execute(
        sa.select(Delivery.public_id, Delivery.carrier_id, Delivery.window_from, Stop.id, Stop.route_id)
        .join(Stop, Stop.delivery_id == Delivery.id)
        .join(Route, Route.id == Stop.route_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .where(Delivery.public_id.in_(list(deliveries)), Delivery.state.in_(rules.ON_THE_WAY))
        .where(Stop.kind == "drop", Stop.state.not_in(OVER), RoutePlan.status == "published")
        .order_by(Stop.planned_arrival.desc())
    ).all()
    if not drops:
        return {}
    now = clock.now()
    arrivals: dict[int, datetime] = {}
    for rows in eta_samples.open_stops(Stop.route_id.in_([drop.route_id for drop in drops])):
        expected = eta.expected(eta_samples.ahead_of(rows), now, eta_samples.seen_of(rows[0]))
        arrivals |= {row.id: arrival for row, arrival in zip(rows, expected, strict=True)}
    spreads = {carrier: eta_samples.spread_of(carrier) for carrier in {drop.carrier_id for drop in drops}}
    return {
        drop.public_id: _window(spreads[drop.carrier_id], arrivals[drop.id], drop.window_from, now)
        for drop in drops
        if drop.id in arrivals
    }


def _window(spread: eta.Spread, arrival: datetime, opens: datetime, now: datetime) -> tuple[datetime, datetime]:
    start, end = spread.window(arrival, now)
    return max(start, min(max(arrival, now), opens)), end  # nothing happens before the buyer's window opens


_loading = aliased(Stop)
_IS_LOADED = sa.exists().where(
    _loading.route_id == Stop.route_id, _loading.delivery_id == Stop.delivery_id, _loading.lot == Stop.lot,
    _loading.kind == "pickup", _loading.state == "done",
)  # fmt: skip
_WAY = (
    sa.select(
        Stop.id, Stop.route_id, Stop.state, _IS_LOADED.label("is_loaded"), Route.courier_id, Route.started_at,
        Courier.name.label("courier"), Courier.phone, Vehicle.name.label("vehicle"), Vehicle.plate,
    )
    .join(Route, Route.id == Stop.route_id)
    .join(RoutePlan, RoutePlan.id == Route.plan_id)
    .join(Vehicle, Vehicle.id == Route.vehicle_id)
    .outerjoin(Courier, Courier.id == Route.courier_id)
    .where(Stop.delivery_id == sa.bindparam("delivery"), Stop.kind == "drop", RoutePlan.status == "published")
    .order_by(Stop.state.in_(OVER), Stop.planned_arrival)
    .limit(1)
)  # fmt: skip


def _on_route(delivery_id: int) -> Any:
    """The drop still ahead in a published plan (the first open one of several lots), with its truck and driver."""
    return session.execute(_WAY, {"delivery": delivery_id}).one_or_none()


def _place(way: Any) -> Place | None:
    """Where the truck was since it set out, once these goods are on it: before that it is on its way to others."""
    if way.started_at is None or not way.is_loaded:
        return None
    row = session.execute(
        sa.select(LastPosition.lat, LastPosition.lon, LastPosition.at, LastPosition.details).where(
            LastPosition.courier_id == way.courier_id, LastPosition.at >= way.started_at
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
