"""Vehicles and couriers of a carrier. Every read and command starts from the actor's carrier."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import session, unit_of_work
from app.core.errors import FieldError, Invalid
from app.core.permissions import Actor
from app.logistics import driving
from app.logistics.fleet_facts import CourierFacts, VehicleFacts, check_courier, check_vehicle
from app.logistics.fleet_models import Absence, Depot
from app.logistics.fleet_rows import insert, own, remove, update
from app.logistics.models import Carrier, Courier, Route, Shift, Vehicle


@dataclass(frozen=True, slots=True)
class VehicleRow:
    """A truck as lists and forms show it."""

    id: int
    public_id: uuid.UUID
    name: str
    plate: str
    payload_kg: int
    volume_l: int
    longest_mm: int
    gross_mass_kg: int
    height_mm: int
    axle_load_kg: int | None
    body: str
    has_crane: bool
    has_tail_lift: bool
    fixed_cost: int
    cost_per_km: int
    cost_per_hour: int
    fuel: str
    fuel_ml_per_km: int
    fuel_price: int
    is_active: bool
    version: int
    depot: uuid.UUID | None
    depot_name: str | None

    @property
    def fuel_per_km(self) -> int:
        """Kopeks of `cost_per_km` that are fuel."""
        return driving.fuel_per_km(self.fuel_ml_per_km, self.fuel_price)

    @property
    def fuel_per_100km(self) -> Decimal:
        """Litres a hundred kilometres."""
        return Decimal(self.fuel_ml_per_km) / 10


@dataclass(frozen=True, slots=True)
class CourierRow:
    """A driver with the truck usually driven."""

    id: int
    public_id: uuid.UUID
    user_id: int
    name: str
    phone: str
    licence: str
    vehicle: uuid.UUID | None
    vehicle_name: str | None
    shift_from: int
    shift_to: int
    is_active: bool
    version: int
    licences: dict[str, str | None]
    skills: list[str]
    work_days: list[int]
    break_minutes: int
    break_from: int | None
    break_to: int | None

    @property
    def held(self) -> dict[str, date | None]:
        """Categories of the licence with the last day of each."""
        return driving.held(self.licences, self.licence)


_COURIER: list[Any] = [
    Courier.id, Courier.public_id, Courier.user_id, Courier.name, Courier.phone, Courier.licence, Vehicle.public_id,
    Vehicle.name.label("vehicle_name"), Courier.shift_from, Courier.shift_to, Courier.is_active, Courier.version,
    Courier.licences, Courier.skills, Courier.work_days, Courier.break_minutes, Courier.break_from, Courier.break_to,
]  # fmt: skip
_VEHICLE: list[Any] = [
    *(getattr(Vehicle, name) for name in VehicleRow.__dataclass_fields__ if not name.startswith("depot")),
    Depot.public_id, Depot.name.label("depot_name"),
]  # fmt: skip


def vehicles(carrier_id: int) -> list[VehicleRow]:
    """The trucks of a carrier, working ones first."""
    rows = session.execute(
        sa.select(*_VEHICLE)
        .outerjoin(Depot, Depot.id == Vehicle.depot_id)
        .where(Vehicle.carrier_id == carrier_id)
        .order_by(Vehicle.is_active.desc(), Vehicle.name, Vehicle.id)
    )
    return [VehicleRow(*row) for row in rows]


def couriers(carrier_id: int) -> list[CourierRow]:
    """The drivers of a carrier, working ones first."""
    rows = session.execute(
        sa.select(*_COURIER)
        .select_from(Courier)
        .outerjoin(Vehicle, Vehicle.id == Courier.vehicle_id)
        .where(Courier.carrier_id == carrier_id)
        .order_by(Courier.is_active.desc(), Courier.name, Courier.id)
    )
    return [CourierRow(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class TruckOfDay:
    """A truck with its driver, the hours it works on a day, the yard it starts from, and when the driver rests."""

    vehicle: VehicleRow
    courier_id: int
    courier_name: str
    starts_at: datetime
    ends_at: datetime
    yard: tuple[float, float] = (0.0, 0.0)
    break_minutes: int = 45
    break_from: int | None = None
    break_to: int | None = None


_DRIVER: list[Any] = [
    Courier.id.label("courier_id"), Courier.name.label("courier_name"), Courier.licence, Courier.licences,
    Courier.break_minutes, Courier.break_from, Courier.break_to,
]  # fmt: skip
_AWAY = sa.select(Absence.courier_id, Absence.vehicle_id).where(
    Absence.carrier_id == sa.bindparam("carrier"),
    Absence.from_day <= sa.bindparam("day", type_=sa.Date),
    Absence.to_day >= sa.bindparam("day", type_=sa.Date),
)


def trucks_of_day(carrier_id: int, day: date) -> list[TruckOfDay]:
    """The working trucks of a day: written shifts first, then drivers with a usual truck and their usual hours.

    Who is away, what is in repair, and whose licence is over on that day, stays at home.
    """
    fleet = {v.id: v for v in vehicles(carrier_id) if v.is_active}
    yards = _yards(carrier_id)
    away = session.execute(_AWAY, {"carrier": carrier_id, "day": day}).all()
    people, broken = {row.courier_id for row in away}, {row.vehicle_id for row in away}
    rows = session.execute(
        sa.select(Shift.vehicle_id, *_DRIVER, Shift.starts_at, Shift.ends_at)
        .join(Courier, Courier.id == Shift.courier_id)
        .where(Shift.carrier_id == carrier_id, Shift.day == day, Courier.is_active)
        .order_by(Shift.starts_at, Shift.id)
    ).all()
    usual = session.execute(
        sa.select(Courier.vehicle_id, *_DRIVER, Courier.shift_from, Courier.shift_to, Courier.work_days)
        .where(Courier.carrier_id == carrier_id, Courier.is_active, Courier.vehicle_id.is_not(None))
        .order_by(Courier.id)
    ).all()
    busy = {row.courier_id for row in rows}
    wanted = [(row, row.starts_at, row.ends_at) for row in rows]
    wanted += [
        (row, clock.at(day, row.shift_from), clock.at(day, min(row.shift_to, 1439)))
        for row in usual
        if row.courier_id not in busy and day.isoweekday() in row.work_days
    ]
    found: dict[int, TruckOfDay] = {}
    for row, starts_at, ends_at in wanted:
        truck = fleet.get(row.vehicle_id)
        if truck is None or truck.id in found or row.courier_id in people or truck.id in broken:
            continue
        if driving.category_for(truck.gross_mass_kg, driving.held(row.licences, row.licence)).is_over(day):
            continue
        found[truck.id] = TruckOfDay(
            truck, row.courier_id, row.courier_name, starts_at, ends_at, yards.get(truck.depot, yards[None]),
            row.break_minutes, row.break_from, row.break_to,
        )  # fmt: skip
    return sorted(found.values(), key=lambda truck: truck.vehicle.id)


def homes(carrier_id: int, trucks: Iterable[VehicleRow]) -> dict[int, tuple[float, float]]:
    """Vehicle -> where it starts and ends its day (lat, lon), for trucks of this carrier."""
    yards = _yards(carrier_id)
    return {vehicle.id: yards.get(vehicle.depot, yards[None]) for vehicle in trucks}


def _yards(carrier_id: int) -> dict[uuid.UUID | None, tuple[float, float]]:
    """Yards by outward id; None: that of trucks without one."""
    rows = session.execute(
        sa.select(Depot.public_id, Depot.lat, Depot.lon, Carrier.depot_lat, Carrier.depot_lon)
        .select_from(Carrier)
        .outerjoin(Depot, Depot.carrier_id == Carrier.id)
        .where(Carrier.id == carrier_id)
    ).all()
    found: dict[uuid.UUID | None, tuple[float, float]] = {r.public_id: (r.lat, r.lon) for r in rows if r.public_id}
    return found | {None: (rows[0].depot_lat, rows[0].depot_lon) if rows else (0.0, 0.0)}


@unit_of_work
def add_vehicle(actor: Actor, facts: VehicleFacts) -> uuid.UUID:
    """Add a truck.

    Raises:
        Invalid: figures that cannot be, or a plate that is known.
    """
    return insert(actor, Vehicle(carrier_id=actor.carrier_id, **_vehicle_values(actor, facts)), "vehicle", "/plate")


@unit_of_work
def change_vehicle(actor: Actor, public_id: uuid.UUID, facts: VehicleFacts, version: int | None) -> None:
    """Change a truck.

    Raises:
        NotFound, Stale, Invalid.
        Conflict: `licence_not_enough`, `no_crane_operator`: whoever drives it usually may not any more.
    """
    values = _vehicle_values(actor, facts)
    row = own(Vehicle, actor, public_id)
    update(actor, row, values, version, "vehicle", "/plate")
    drivers = session.scalars(sa.select(Courier).where(Courier.vehicle_id == row.id, Courier.is_active))
    for driver in drivers if facts.is_active else ():
        driving.check(driving.Driver.of(driver), row, clock.today())


@unit_of_work
def remove_vehicle(actor: Actor, public_id: uuid.UUID) -> None:
    """Take a truck out of service; its past routes keep it.

    Raises:
        NotFound.
    """
    row = own(Vehicle, actor, public_id)
    remove(actor, row, "vehicle", used=session.scalar(sa.select(sa.exists().where(Route.vehicle_id == row.id))))


@unit_of_work
def add_courier(actor: Actor, user_id: int, facts: CourierFacts) -> uuid.UUID:
    """Make a person a driver of the actor's carrier. The caller has looked the person up and given the membership.

    Raises:
        Invalid: wrong hours, a foreign truck, or the person drives here already.
    """
    values = _courier_values(actor, facts)
    return insert(actor, Courier(carrier_id=actor.carrier_id, user_id=user_id, **values), "courier", "/email")


@unit_of_work
def change_courier(actor: Actor, public_id: uuid.UUID, facts: CourierFacts, version: int | None) -> None:
    """Change a driver.

    Raises:
        NotFound, Stale, Invalid.
    """
    values = _courier_values(actor, facts)
    update(actor, own(Courier, actor, public_id), values, version, "courier", "/email")


@unit_of_work
def remove_courier(actor: Actor, public_id: uuid.UUID) -> None:
    """The driver gets no more routes.

    Raises:
        NotFound.
    """
    row = own(Courier, actor, public_id)
    remove(actor, row, "courier", used=True)


def _vehicle_values(actor: Actor, facts: VehicleFacts) -> dict[str, Any]:
    check_vehicle(facts)
    values = asdict(facts)
    depot = values.pop("depot")
    depot_id = None
    if depot is not None:
        own_yard = sa.select(Depot.id).where(Depot.public_id == depot, Depot.carrier_id == actor.carrier_id)
        depot_id = session.scalar(own_yard)
        if depot_id is None:
            raise Invalid.one("/depot", "unknown_option")
    return values | {"depot_id": depot_id}


def _courier_values(actor: Actor, facts: CourierFacts) -> dict[str, Any]:
    errors = check_courier(facts)
    truck = None
    if facts.vehicle is not None:
        truck = session.scalar(
            sa.select(Vehicle).where(Vehicle.public_id == facts.vehicle, Vehicle.carrier_id == actor.carrier_id)
        )
        if truck is None:
            errors.append(FieldError("/vehicle", "unknown_option"))
    if errors:
        raise Invalid(errors)
    values = asdict(facts)
    del values["vehicle"]
    given = driving.held(facts.licences, facts.licence)
    values["licences"] = {name: day.isoformat() if day else None for name, day in given.items()}
    values["licence"] = ", ".join(given) or facts.licence
    if truck is not None and facts.is_active:
        driving.check(driving.Driver(given, frozenset(facts.skills)), truck, clock.today())
    return values | {"vehicle_id": truck.id if truck is not None else None}
