"""Reads of deliveries: what checkout offers, what dispatchers, buyers and sellers see."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.core.errors import NotFound
from app.logistics import rules
from app.logistics.models import (
    Carrier,
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    Route,
    RoutePlan,
    Stop,
    Vehicle,
)
from app.logistics.rules import Window
from app.offers import queries as offers


def windows(day: date, now: datetime | None = None) -> tuple[Window, ...]:
    """The delivery windows of a day that can be sold now."""
    return rules.windows(day, now or clock.now())


def earliest_day(lead_time_days: int = 0, now: datetime | None = None) -> date:
    """The first day that can be promised for goods with this lead time."""
    return rules.earliest_day(lead_time_days, now or clock.now())


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery in lists. Masses in kg, volume in litres."""

    id: int
    public_id: uuid.UUID
    fulfilment_id: int
    number: str
    state: str
    day: date
    window_from: datetime
    window_to: datetime
    pickup: dict[str, Any]
    site: dict[str, Any]
    cargo: list[dict[str, Any]]
    needs: list[str]
    mass_kg: int
    volume_l: int
    longest_mm: int
    unloading_minutes: int
    price: int
    cash_due: int
    pin_failures: int
    version: int
    joint_id: int | None = None
    """Deliveries with the same one were sold as one truck."""

    @property
    def waybill(self) -> list[dict[str, Any]]:
        return rules.waybill(self.cargo)

    @property
    def problems(self) -> tuple[str, ...]:
        """What a dispatcher should look at first."""
        found = []
        if self.site.get("lat") is None or self.site.get("lon") is None:
            found.append("no_coordinates")
        if self.pin_failures >= rules.PIN_TRIES and self.state in rules.ON_THE_WAY:
            found.append("pin_locked")
        if self.state == "failed":
            found.append("failed")
        if self.state in ("ready", "planned") and self.window_to < clock.now():
            found.append("window_passed")
        return tuple(found)


_ROW: list[Any] = [getattr(Delivery, name) for name in DeliveryRow.__dataclass_fields__]


def deliveries(carrier_id: int, day: date | None = None, state: str | None = None) -> list[DeliveryRow]:
    """The deliveries of a carrier's day: problems first, then by window. Cancelled ones only when asked for."""
    statement = sa.select(*_ROW).where(Delivery.carrier_id == carrier_id)
    if day is not None:
        statement = statement.where(Delivery.day == day)
    statement = statement.where(Delivery.state == state if state else Delivery.state != "cancelled")
    rows = session.execute(statement.order_by(Delivery.window_from, Delivery.id).limit(1000))
    return sorted((DeliveryRow(*row) for row in rows), key=lambda d: (not d.problems, d.window_from, d.id))


def warehouse_of(carrier_id: int, public_id: uuid.UUID) -> int:
    """The warehouse that a delivery of the carrier leaves from.

    Raises:
        NotFound: absent, or another carrier's.
    """
    own = sa.select(Delivery.warehouse_id).where(Delivery.public_id == public_id, Delivery.carrier_id == carrier_id)
    found = session.scalar(own)
    if found is None:
        raise NotFound()
    return found


def carrier_of(fulfilment_id: int) -> int | None:
    """Who carries a fulfilment now: not always the carrier that sold it to the buyer."""
    return session.scalar(sa.select(Delivery.carrier_id).where(Delivery.fulfilment_id == fulfilment_id))


def count_waiting(carrier_id: int, day: date) -> int:
    """How many deliveries of a day are ready and in no route."""
    return (
        session.scalar(
            sa.select(sa.func.count()).where(
                Delivery.carrier_id == carrier_id, Delivery.day == day, Delivery.state == "ready"
            )
        )
        or 0
    )


def days_with_work(carrier_id: int, since: date) -> list[tuple[date, int]]:
    """(day, number of deliveries) from `since` on, for the switch of days; at most 14 days."""
    rows = session.execute(
        sa.select(Delivery.day, sa.func.count())
        .where(Delivery.carrier_id == carrier_id, Delivery.day >= since, Delivery.state != "cancelled")
        .group_by(Delivery.day)
        .order_by(Delivery.day)
        .limit(14)
    )
    return [(day, number) for day, number in rows]


@dataclass(frozen=True, slots=True)
class BuyersDelivery:
    """A delivery as the buyer of it sees it: with the PIN and, while it is on its way, the tracking token."""

    public_id: uuid.UUID
    fulfilment_id: int
    state: str
    carrier_name: str
    carrier_phone: str
    window_from: datetime
    window_to: datetime
    pin: str | None
    tracking_token: str | None
    eta: datetime | None
    vehicle_name: str | None
    plate: str | None
    is_corrected: bool = False
    """The dispatcher moved the site on the map: `place` is where the truck goes."""
    place: tuple[float, float] | None = None


def of_fulfilments(fulfilment_ids: Iterable[int]) -> dict[int, BuyersDelivery]:
    """The deliveries of some fulfilments by fulfilment id. The caller has checked that they are the buyer's own."""
    drops = (
        sa.select(
            Stop.delivery_id, sa.func.coalesce(Stop.eta, Stop.planned_arrival).label("eta"), Vehicle.name, Vehicle.plate
        )
        .join(Route, Route.id == Stop.route_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Vehicle, Vehicle.id == Route.vehicle_id)
        .where(Stop.kind == "drop", RoutePlan.status == "published")
        .subquery()
    )
    rows = session.execute(
        sa.select(
            Delivery.public_id, Delivery.fulfilment_id, Delivery.state, Carrier.name, Carrier.phone,
            Delivery.window_from, Delivery.window_to, Delivery.pin, Delivery.tracking_token,
            drops.c.eta, drops.c.name, drops.c.plate, Delivery.site,
        )
        .join(Carrier, Carrier.id == Delivery.carrier_id)
        .outerjoin(drops, drops.c.delivery_id == Delivery.id)
        .where(Delivery.fulfilment_id.in_(list(fulfilment_ids)))
        .order_by(Delivery.id, drops.c.eta.desc())
    )  # fmt: skip
    found: dict[int, BuyersDelivery] = {}
    for row in rows:
        public_id, fulfilment_id, state, carrier, phone, start, end, pin, token, eta, vehicle, plate, site = tuple(row)
        live, over = state in rules.ON_THE_WAY, state in rules.OVER
        found[fulfilment_id] = BuyersDelivery(
            public_id, fulfilment_id, state, carrier, phone, start, end, None if over else pin,
            token if live else None, None if over else eta, vehicle, plate, bool(site.get("is_corrected")),
            (site["lat"], site["lon"]) if site.get("lat") is not None and site.get("lon") is not None else None,
        )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class History:
    """A line of the tracking axis."""

    kind: str
    happened_at: datetime
    details: dict[str, Any]


def history(delivery_id: int) -> list[History]:
    """What happened to a delivery, newest first."""
    rows = session.execute(
        sa.select(DeliveryEvent.kind, DeliveryEvent.happened_at, DeliveryEvent.details)
        .where(DeliveryEvent.delivery_id == delivery_id)
        .order_by(DeliveryEvent.happened_at.desc(), DeliveryEvent.id.desc())
    )
    return [History(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class SeenDelivery:
    """A delivery with who looks at it: buyer, seller or carrier."""

    row: DeliveryRow
    as_buyer: bool
    tracking_token: str
    pin: str


def seen_by(
    public_id: uuid.UUID, *, user_id: int, seller_id: int | None = None, carrier_id: int | None = None
) -> SeenDelivery:
    """A delivery that the person may see: its buyer, its seller or its carrier.

    Raises:
        NotFound: absent, or none of theirs.
    """
    allowed = [Delivery.buyer_id == user_id]
    if seller_id is not None:
        allowed.append(Delivery.seller_id == seller_id)
    if carrier_id is not None:
        allowed.append(Delivery.carrier_id == carrier_id)
    extra = [Delivery.buyer_id, Delivery.tracking_token, Delivery.pin]
    row = session.execute(
        sa.select(*_ROW, *extra).where(Delivery.public_id == public_id, sa.or_(*allowed))
    ).one_or_none()
    if row is None:
        raise NotFound()
    *facts, buyer_id, token, pin = tuple(row)
    return SeenDelivery(DeliveryRow(*facts), buyer_id == user_id, token, pin)


def on_the_same_truck(row: DeliveryRow) -> list[tuple[uuid.UUID, str, str]]:
    """(outward id, number, loading address) of the deliveries that were sold as one truck with this one."""
    if row.joint_id is None:
        return []
    found = session.execute(
        sa.select(Delivery.public_id, Delivery.number, Delivery.pickup["address"].astext)
        .where(Delivery.joint_id == row.joint_id, Delivery.id != row.id, Delivery.state != "cancelled")
        .order_by(Delivery.id)
    )
    return [(key, number, address) for key, number, address in found]


@dataclass(frozen=True, slots=True)
class CarrierRow:
    """A carrier and where its day begins."""

    id: int
    name: str
    phone: str
    depot_address: str
    depot_lat: float
    depot_lon: float


def carrier(carrier_id: int) -> CarrierRow:
    """The carrier.

    Raises:
        NotFound: the organisation has no carrying side.
    """
    row = session.execute(
        sa.select(
            Carrier.id, Carrier.name, Carrier.phone, Carrier.depot_address, Carrier.depot_lat, Carrier.depot_lon
        ).where(Carrier.id == carrier_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return CarrierRow(*row)


@dataclass(frozen=True, slots=True)
class Punctuality:
    """Deliveries that reached the buyer, and those of them within the promised window."""

    delivered: int
    on_time: int


def punctuality(seller_id: int, since: datetime) -> Punctuality:
    """Of goods that left the warehouses of a seller, handed over since then."""
    places = [place.id for place in offers.warehouses_of(seller_id)]
    delivered, on_time = session.execute(
        sa.select(sa.func.count(), sa.func.count().filter(DeliveryAttempt.happened_at <= Delivery.window_to))
        .select_from(DeliveryAttempt)
        .join(Delivery, Delivery.id == DeliveryAttempt.delivery_id)
        .where(
            Delivery.warehouse_id.in_(places),
            DeliveryAttempt.outcome != "failed",
            DeliveryAttempt.happened_at >= since,
        )
    ).one()
    return Punctuality(delivered, on_time)
