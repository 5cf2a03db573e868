"""The planning problem behind a sheet, from the trucks, drivers and deliveries as they are now."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.logistics import fleet
from app.logistics.fleet import TruckOfDay, VehicleRow
from app.logistics.models import Courier, Delivery, Shift
from app.logistics.plan_roads import covering
from app.logistics.plan_shape import Lot, Sheet
from app.logistics.queries import DeliveryRow
from app.logistics.routing.problem import Problem, Truck, places_of
from app.logistics.routing.roads import Matrix
from app.logistics.solver_shapes import shipment_of, truck_shape


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver with the hours he works on the day."""

    id: int
    public_id: uuid.UUID
    name: str
    starts_at: datetime
    ends_at: datetime
    break_minutes: int
    break_from: int | None
    break_to: int | None


@dataclass(frozen=True, slots=True)
class Day:
    """What a carrier has on a day: trucks, drivers, deliveries. since: when planning began, no truck leaves before."""

    day: date
    since: datetime
    homes: Mapping[int, tuple[float, float]]
    """Vehicle id -> its yard (lat, lon)."""
    vehicles: Mapping[int, VehicleRow]
    usual: Mapping[int, int]
    """Vehicle id -> the driver of the day, for trucks that work."""
    drivers: Mapping[int, Driver]
    deliveries: Mapping[int, DeliveryRow]


def read_day(carrier_id: int, day: date, since: datetime, delivery_ids: Iterable[int]) -> Day:
    """The trucks and drivers of a carrier's day with these deliveries (whatever their state)."""
    trucks, owned = fleet.trucks_of_day(carrier_id, day), fleet.vehicles(carrier_id)
    columns = [getattr(Delivery, name) for name in DeliveryRow.__dataclass_fields__]
    rows = session.execute(
        sa.select(*columns).where(Delivery.carrier_id == carrier_id, Delivery.id.in_(set(delivery_ids)))
    )
    return Day(
        day=day,
        since=since,
        homes=fleet.homes(carrier_id, owned),
        vehicles={row.id: row for row in owned},
        usual={truck.vehicle.id: truck.courier_id for truck in trucks},
        drivers=_drivers(carrier_id, day),
        deliveries={row.id: row for row in (DeliveryRow(*row) for row in rows)},
    )


def _drivers(carrier_id: int, day: date) -> dict[int, Driver]:
    """Working drivers by id: the hours of a written shift, else the usual ones."""
    rows = session.execute(
        sa.select(Courier.id, Courier.public_id, Courier.name, Courier.shift_from, Courier.shift_to, Shift.starts_at,
                  Shift.ends_at, Courier.break_minutes, Courier.break_from, Courier.break_to)
        .outerjoin(Shift, sa.and_(Shift.courier_id == Courier.id, Shift.day == day))
        .where(Courier.carrier_id == carrier_id, Courier.is_active)
        .order_by(Courier.name, Courier.id, Shift.starts_at.desc())
    )  # fmt: skip
    found = {}
    for row in rows:
        usual = clock.at(day, row.shift_from), clock.at(day, min(row.shift_to, 1439))
        found[row.id] = Driver(
            row.id, row.public_id, row.name, row.starts_at or usual[0], row.ends_at or usual[1], row.break_minutes,
            row.break_from, row.break_to,
        )  # fmt: skip
    return found


def on_map(row: DeliveryRow) -> bool:
    """Whether a delivery has places at both ends; without, no way to it can be counted."""
    return row.site.get("lat") is not None and row.site.get("lon") is not None


def problem(day: Day, sheet: Sheet, known: Matrix | None) -> Problem:
    """Trucks of the sheet and those that stand idle, every lot with a place on the map, and the roads between."""
    chosen = {v: line.courier_id for v, line in sheet.lines.items()}
    ids = sorted(v for v in chosen.keys() | day.usual.keys() if v in day.vehicles)
    trucks = tuple(truck(day, day.vehicles[v], chosen.get(v) or day.usual.get(v)) for v in ids)
    loads = [
        (day.deliveries[load[0]], load, lots)
        for load, lots in sorted(sheet.lots().items())
        if load[0] in day.deliveries and on_map(day.deliveries[load[0]])
    ]
    shipments = tuple(shipment_of(row, day.day, load[1], lots) for row, load, lots in loads)
    points = [place.point for place in places_of(trucks, shipments)]
    return Problem(trucks, shipments, covering(known, points))


def truck(day: Day, row: VehicleRow, courier_id: int | None) -> Truck:
    """A truck with the hours of its driver; without a driver it may drive all day, and a fault says so."""
    driver = day.drivers.get(courier_id) if courier_id is not None else None
    starts = clock.at(day.day, 0) if driver is None else driver.starts_at
    ends = clock.at(day.day, 1439) if driver is None else driver.ends_at
    if day.day == clock.local(day.since).date():
        starts = min(max(starts, day.since), ends)
    rests = () if driver is None else (driver.break_minutes, driver.break_from, driver.break_to)
    return truck_shape(
        TruckOfDay(row, courier_id or 0, "", starts, ends, day.homes[row.id], *rests), day.day, starts, ends
    )


def shipment_id(load: Lot) -> str:
    """The name of a lot in a problem: delivery.lot, as the planner names it."""
    return f"{load[0]}.{load[1]}"
