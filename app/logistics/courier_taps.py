"""A tap of the courier: when and where it was, and the stop it opens. Locks go route, stop, delivery."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import lock_rows, session
from app.core.errors import Conflict, NotFound, Stale
from app.core.permissions import Actor
from app.logistics import rules
from app.logistics.models import Courier, Delivery, Route, RoutePlan, Stop
from app.logistics.service import note

OLDEST_TAP = timedelta(days=2)
"""A tap kept in a phone longer than this is taken as made now."""
CLOCK_SLIP = timedelta(minutes=2)
OVER = ("done", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class Tap:
    """When and where a button was pressed. `version`: of the stop as the courier saw it; None: do not compare."""

    at: datetime | None = None
    lat: float | None = None
    lon: float | None = None
    version: int | None = None

    def moment(self) -> datetime:
        """The time of the tap, or now when the phone's clock cannot be right."""
        now = clock.now()
        if self.at is None or self.at > now + CLOCK_SLIP or self.at < now - OLDEST_TAP:
            return now
        return min(self.at, now)


@dataclass(frozen=True, slots=True)
class HandOver:
    """What the courier counted at the door or at the warehouse, in units of sale by line; money in kopeks.

    reasons: why less, by line; `reason` is for lines without their own. pin: as the buyer told it. photos, signature:
    ids of `courier_photos`, or the phone's own keys. offline: there was no signal, so nothing could be checked then.
    """

    counted: Mapping[str, Decimal] = field(default_factory=dict)
    reason: str = ""
    pin: str = ""
    cash_counted: int | None = None
    proof: Mapping[str, Any] = field(default_factory=dict)
    cash_in_full: bool = False
    """The cash that was due was taken, without a count of its own."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    photos: Sequence[uuid.UUID] = ()
    signature: uuid.UUID | None = None
    received_by: str = ""
    """Who took the goods; at a warehouse, who gave them out."""
    offline: bool = False


@dataclass(slots=True)
class Opened:
    route: Route
    stop: Stop
    delivery: Delivery
    courier_id: int
    tap: Tap
    at: datetime


def begin(actor: Actor, stop: uuid.UUID, tap: Tap, action: str) -> tuple[Opened, rules.Step]:
    """Lock the courier's own stop of a published plan and find out what the action makes of it."""
    key = session.execute(
        sa.select(Stop.id, Stop.route_id, Stop.delivery_id, Courier.id.label("courier_id"))
        .join(Route, Route.id == Stop.route_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Courier, Courier.id == Route.courier_id)
        .where(Stop.public_id == stop, Courier.user_id == actor.user, RoutePlan.status == "published")
    ).one_or_none()
    if key is None:
        raise NotFound()
    [route] = lock_rows(Route, [key.route_id])
    [row] = lock_rows(Stop, [key.id])
    if row.route_id != route.id:
        raise NotFound()  # a newer plan gave the stop to another truck while this waited for the lock
    [delivery] = lock_rows(Delivery, [key.delivery_id])
    found = Opened(route, row, delivery, key.courier_id, tap, tap.moment())
    step = rules.step(row.kind, row.state, action)
    if not step.repeated:
        if tap.version is not None and tap.version != row.version:
            raise Stale(version=row.version)
        if route.state != "started":
            raise Conflict("route_not_started")
    return found, step


def finish(found: Opened, step: rules.Step, kind: str, **details: Any) -> None:
    found.stop.state = step.state
    found.stop.version += 1
    where = {} if found.tap.lat is None else {"lat": found.tap.lat, "lon": found.tap.lon}
    note(found.delivery.id, kind, None, found.at, stop=str(found.stop.public_id), **where, **details)


def loaded_before(found: Opened) -> None:
    """A drop comes after its own pickup."""
    if found.stop.kind != "drop":
        return
    state = session.scalar(
        sa.select(Stop.state).where(
            Stop.route_id == found.route.id,
            Stop.delivery_id == found.delivery.id,
            Stop.kind == "pickup",
            Stop.lot == found.stop.lot,
        )
    )
    if state != "done":
        raise Conflict("not_loaded")
