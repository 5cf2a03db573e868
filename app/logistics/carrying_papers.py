"""What papers of carrying say: a waybill of each delivery, the sheet of a route, the proof of a handover."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.accounts.queries import OrganisationRow
from app.core.db import session
from app.core.errors import Conflict, NotFound
from app.logistics import plan_views
from app.logistics.models import Carrier, Courier, Delivery, DeliveryAttempt, Route, RoutePlan, Stop, Vehicle
from app.logistics.plan_views import StopView


@dataclass(frozen=True, slots=True)
class TruckAndDriver:
    """Who drives what. Kilograms, litres."""

    vehicle_name: str
    plate: str
    payload_kg: int
    volume_l: int
    courier_name: str
    courier_phone: str
    licence: str


@dataclass(frozen=True, slots=True)
class Ends:
    """When the truck should be and was at one end of the way, and when it was done there."""

    planned_at: datetime
    arrived_at: datetime | None
    completed_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class Handover:
    """What happened at the door. proof: pin_ok, lat, lon, cash_counted, photos, signature, received_by."""

    outcome: str
    reason: str
    happened_at: datetime
    courier_name: str
    courier_user_id: int
    lines: Sequence[Mapping[str, Any]]
    proof: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Waybill:
    """Everything a waybill of one delivery says; what nobody knows yet is None."""

    delivery: uuid.UUID
    number: str
    issued_on: date
    state: str
    shipper: OrganisationRow
    carrier: OrganisationRow
    carrier_phone: str
    pickup: Mapping[str, Any]
    site: Mapping[str, Any]
    cargo: Sequence[Mapping[str, Any]]
    mass_kg: int
    volume_l: int
    longest_mm: int
    window_from: datetime
    window_to: datetime
    price: int
    truck: TruckAndDriver | None
    loading: Ends | None
    unloading: Ends | None
    handover: Handover | None


@dataclass(frozen=True, slots=True)
class RoutePaper:
    """A route with everything its papers say. Metres, seconds, kilograms."""

    public_id: uuid.UUID
    number: str
    day: date
    state: str
    carrier: OrganisationRow
    carrier_phone: str
    depot: str
    truck: TruckAndDriver
    starts_at: datetime
    ends_at: datetime
    break_from: datetime | None
    break_to: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    distance_m: int
    load_kg: int
    stops: tuple[StopView, ...]
    waybills: tuple[Waybill, ...]


_TRUCK: tuple[Any, ...] = (
    Vehicle.name, Vehicle.plate, Vehicle.payload_kg, Vehicle.volume_l, Courier.name, Courier.phone, Courier.licence,
)  # fmt: skip


def _truck(row: Sequence[Any]) -> TruckAndDriver:
    name, plate, payload, volume, courier, phone, licence = row
    return TruckAndDriver(name, plate, payload, volume, courier or "", phone or "", licence or "")


def waybill(delivery_id: int) -> Waybill:
    """The waybill of a delivery whose reader has been checked by the caller."""
    return _waybills([delivery_id])[0]


def of_route(route: uuid.UUID, *, carrier_id: int | None = None, user_id: int | None = None) -> RoutePaper:
    """A route of a published plan, for its carrier or its driver.

    Raises:
        NotFound: absent, of a plan that is not published, or somebody else's.
    """
    scope = RoutePlan.carrier_id == carrier_id if carrier_id is not None else Courier.user_id == user_id
    row = session.execute(
        sa.select(
            Route.id, Route.public_id, RoutePlan.day, RoutePlan.version, Route.state, RoutePlan.carrier_id,
            Carrier.phone.label("carrier_phone"), Carrier.depot_address, Route.starts_at, Route.ends_at,
            Route.break_from, Route.break_to, Route.started_at, Route.finished_at, Route.distance_m, Route.load_kg,
            *_TRUCK,
        )
        .select_from(Route)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Carrier, Carrier.id == RoutePlan.carrier_id)
        .join(Vehicle, Vehicle.id == Route.vehicle_id)
        .outerjoin(Courier, Courier.id == Route.courier_id)
        .where(Route.public_id == route, RoutePlan.status == "published", scope)
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound()
    deliveries = session.scalars(
        sa.select(Stop.delivery_id).where(Stop.route_id == row.id, Stop.kind == "drop").order_by(Stop.sequence)
    ).all()
    return RoutePaper(
        row.public_id, f"{row.day:%y%m%d}-{row.id}", row.day, row.state, accounts.requisites(row.carrier_id),
        row.carrier_phone, row.depot_address, _truck(row[-len(_TRUCK) :]), row.starts_at, row.ends_at, row.break_from,
        row.break_to, row.started_at, row.finished_at, row.distance_m, row.load_kg,
        tuple(plan_views.stops_of([row.id]).get(row.id, ())), tuple(_waybills(list(dict.fromkeys(deliveries)))),
    )  # fmt: skip


def route_of(delivery_id: int) -> uuid.UUID | None:
    """The route of a published plan that brings a delivery; the reader has been checked by the caller."""
    return session.scalar(
        sa.select(Route.public_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Stop, Stop.route_id == Route.id)
        .where(Stop.delivery_id == delivery_id, Stop.kind == "drop", RoutePlan.status == "published")
        .order_by(Stop.planned_arrival)
        .limit(1)
    )


def _waybills(ids: Sequence[int]) -> list[Waybill]:
    """Waybills of deliveries in the given order: four queries and one for each company."""
    rows = {
        row.id: row
        for row in session.execute(
            sa.select(Delivery.__table__, Carrier.phone.label("carrier_phone"))
            .join(Carrier, Carrier.id == Delivery.carrier_id)
            .where(Delivery.id.in_(ids))
        )
    }
    companies = {key: accounts.requisites(key) for row in rows.values() for key in (row.seller_id, row.carrier_id)}
    ends, trucks, handovers = _ends(ids), _trucks(ids), _handovers(ids)
    found = []
    for key in ids:
        row = rows[key]
        met = handovers.get(key, [])
        found.append(
            Waybill(
                row.public_id, f"{row.number}/{row.id}", row.day, row.state, companies[row.seller_id],
                companies[row.carrier_id], row.carrier_phone, row.pickup, row.site, row.cargo, row.mass_kg,
                row.volume_l, row.longest_mm, row.window_from, row.window_to, row.price, trucks.get(key),
                ends.get((key, "pickup")), ends.get((key, "drop")), met[-1] if met else None,
            )
        )  # fmt: skip
    return found


def _ends(ids: Sequence[int]) -> dict[tuple[int, str], Ends]:
    rows = session.execute(
        sa.select(
            Stop.delivery_id, Stop.kind, Stop.planned_arrival, Stop.arrived_at, Stop.completed_at, Stop.state
        )
        .join(Route, Route.id == Stop.route_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .where(Stop.delivery_id.in_(ids), RoutePlan.status == "published")
        .order_by(Stop.planned_arrival)
    )  # fmt: skip
    return {(row.delivery_id, row.kind): Ends(*row[2:]) for row in rows}


def _trucks(ids: Sequence[int]) -> dict[int, TruckAndDriver]:
    rows = session.execute(
        sa.select(Stop.delivery_id, *_TRUCK)
        .join(Route, Route.id == Stop.route_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Vehicle, Vehicle.id == Route.vehicle_id)
        .outerjoin(Courier, Courier.id == Route.courier_id)
        .where(Stop.delivery_id.in_(ids), Stop.kind == "drop", RoutePlan.status == "published")
        .order_by(Stop.planned_arrival)
    )
    return {row[0]: _truck(row[1:]) for row in rows}


def _handovers(ids: Sequence[int]) -> dict[int, list[Handover]]:
    rows = session.execute(
        sa.select(
            DeliveryAttempt.delivery_id, DeliveryAttempt.outcome, DeliveryAttempt.reason, DeliveryAttempt.happened_at,
            Courier.name, Courier.user_id, DeliveryAttempt.lines, DeliveryAttempt.proof,
        )
        .join(Courier, Courier.id == DeliveryAttempt.courier_id)
        .where(DeliveryAttempt.delivery_id.in_(ids))
        .order_by(DeliveryAttempt.id)
    )  # fmt: skip
    found: dict[int, list[Handover]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(Handover(*row[1:]))
    return found


def proof(delivery_id: int) -> Waybill:
    """The delivery with what happened at the door; the reader has been checked by the caller.

    Raises:
        Conflict: `no_proof`: the truck has not been there yet.
    """
    found = waybill(delivery_id)
    if found.handover is None:
        raise Conflict("no_proof")
    return found


def counted(paper: Waybill) -> list[tuple[Mapping[str, Any], Decimal, Decimal | None]]:
    """Lines of the cargo with what was loaded and what was handed over; None: nobody has counted yet."""
    met = {} if paper.handover is None else {str(line["line"]): line for line in paper.handover.lines}
    found = []
    for item in paper.cargo:
        whole = Decimal(str(item["quantity"]))
        line = met.get(str(item["line"]))
        given = Decimal(str(line["delivered"])) if line else None
        if paper.handover is not None and line is None:
            given = Decimal(0) if paper.handover.outcome == "failed" else whole
        found.append((item, whole, given))
    return found
