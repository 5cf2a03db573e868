"""Vehicles, couriers, shifts and tariffs of a carrier. Every read and command starts from the actor's carrier."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from app.core import audit, clock
from app.core.db import changed, session, sqlstate, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.core.permissions import Actor
from app.logistics.fleet_facts import CourierFacts, TariffFacts, VehicleFacts, check_tariff, check_vehicle
from app.logistics.models import Courier, Route, Shift, Tariff, Vehicle

Row = TypeVar("Row", Vehicle, Courier, Shift, Tariff)
UNIQUE_VIOLATION, EXCLUSION_VIOLATION = "23505", "23P01"


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
    has_crane: bool
    has_tail_lift: bool
    fixed_cost: int
    cost_per_km: int
    cost_per_hour: int
    is_active: bool
    version: int


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


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """Who drives what when."""

    public_id: uuid.UUID
    day: date
    courier: uuid.UUID
    courier_name: str
    vehicle: uuid.UUID
    vehicle_name: str
    starts_at: datetime
    ends_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class TariffRow:
    """A tariff as lists and forms show it."""

    id: int
    public_id: uuid.UUID
    name: str
    base: int
    included_km: int
    per_km: int
    per_tonne: int
    per_m3: int
    long_from_mm: int
    long_piece: int
    per_floor_tonne: int
    hands_tonne: int
    crane: int
    tail_lift: int
    minimum: int
    extra_pickup: int
    max_mass_kg: int
    max_km: int
    valid_from: date
    valid_to: date | None
    version: int


_COURIER: list[Any] = [
    Courier.id, Courier.public_id, Courier.user_id, Courier.name, Courier.phone, Courier.licence, Vehicle.public_id,
    Vehicle.name.label("vehicle_name"), Courier.shift_from, Courier.shift_to, Courier.is_active, Courier.version,
]  # fmt: skip
_SHIFT: list[Any] = [
    Shift.public_id, Shift.day, Courier.public_id, Courier.name, Vehicle.public_id, Vehicle.name, Shift.starts_at,
    Shift.ends_at, Shift.started_at, Shift.ended_at,
]  # fmt: skip
_VEHICLE = [getattr(Vehicle, name) for name in VehicleRow.__dataclass_fields__]
_TARIFF = [getattr(Tariff, name) for name in TariffRow.__dataclass_fields__]


def vehicles(carrier_id: int) -> list[VehicleRow]:
    """The trucks of a carrier, working ones first."""
    rows = session.execute(
        sa.select(*_VEHICLE)
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


def shifts(carrier_id: int, day: date) -> list[ShiftRow]:
    """The shifts written down for a day."""
    rows = session.execute(
        sa.select(*_SHIFT)
        .select_from(Shift)
        .join(Courier, Courier.id == Shift.courier_id)
        .join(Vehicle, Vehicle.id == Shift.vehicle_id)
        .where(Shift.carrier_id == carrier_id, Shift.day == day)
        .order_by(Shift.starts_at, Shift.id)
    )
    return [ShiftRow(*row) for row in rows]


def tariffs(carrier_id: int) -> list[TariffRow]:
    """The tariffs of a carrier, newest first."""
    rows = session.execute(
        sa.select(*_TARIFF).where(Tariff.carrier_id == carrier_id).order_by(Tariff.valid_from.desc(), Tariff.id.desc())
    )
    return [TariffRow(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class TruckOfDay:
    """A truck with its driver and the hours it works on a day."""

    vehicle: VehicleRow
    courier_id: int
    courier_name: str
    starts_at: datetime
    ends_at: datetime


def trucks_of_day(carrier_id: int, day: date) -> list[TruckOfDay]:
    """The working trucks of a day: written shifts first, then drivers with a usual truck and their usual hours."""
    fleet = {v.id: v for v in vehicles(carrier_id) if v.is_active}
    rows = session.execute(
        sa.select(Shift.vehicle_id, Courier.id, Courier.name, Shift.starts_at, Shift.ends_at)
        .join(Courier, Courier.id == Shift.courier_id)
        .where(Shift.carrier_id == carrier_id, Shift.day == day, Courier.is_active)
        .order_by(Shift.starts_at, Shift.id)
    ).all()
    found: dict[int, TruckOfDay] = {}
    for row in rows:
        if row.vehicle_id in fleet and row.vehicle_id not in found:
            found[row.vehicle_id] = TruckOfDay(fleet[row.vehicle_id], row.id, row.name, row.starts_at, row.ends_at)
    busy = {row.id for row in rows}
    usual = session.execute(
        sa.select(Courier.vehicle_id, Courier.id, Courier.name, Courier.shift_from, Courier.shift_to)
        .where(Courier.carrier_id == carrier_id, Courier.is_active, Courier.vehicle_id.is_not(None))
        .order_by(Courier.id)
    )
    for vehicle_id, courier_id, name, start, end in usual:
        if vehicle_id in fleet and vehicle_id not in found and courier_id not in busy:
            hours = clock.at(day, start), clock.at(day, min(end, 1439))
            found[vehicle_id] = TruckOfDay(fleet[vehicle_id], courier_id, name, *hours)
    return sorted(found.values(), key=lambda truck: truck.vehicle.id)


@unit_of_work
def add_vehicle(actor: Actor, facts: VehicleFacts) -> uuid.UUID:
    """Add a truck.

    Raises:
        Invalid: figures that cannot be, or a plate that is known.
    """
    check_vehicle(facts)
    return _insert(actor, Vehicle(carrier_id=actor.carrier_id, **asdict(facts)), "vehicle", "/plate")


@unit_of_work
def change_vehicle(actor: Actor, public_id: uuid.UUID, facts: VehicleFacts, version: int | None) -> None:
    """Change a truck.

    Raises:
        NotFound, Stale, Invalid.
    """
    check_vehicle(facts)
    row = _own(Vehicle, actor, public_id)
    _update(actor, row, asdict(facts), version, "vehicle", "/plate")


@unit_of_work
def remove_vehicle(actor: Actor, public_id: uuid.UUID) -> None:
    """Take a truck out of service; its past routes keep it.

    Raises:
        NotFound.
    """
    row = _own(Vehicle, actor, public_id)
    _remove(actor, row, "vehicle", used=session.scalar(sa.select(sa.exists().where(Route.vehicle_id == row.id))))


@unit_of_work
def add_courier(actor: Actor, user_id: int, facts: CourierFacts) -> uuid.UUID:
    """Make a person a driver of the actor's carrier. The caller has looked the person up and given the membership.

    Raises:
        Invalid: wrong hours, a foreign truck, or the person drives here already.
    """
    values = _courier_values(actor, facts)
    return _insert(actor, Courier(carrier_id=actor.carrier_id, user_id=user_id, **values), "courier", "/email")


@unit_of_work
def change_courier(actor: Actor, public_id: uuid.UUID, facts: CourierFacts, version: int | None) -> None:
    """Change a driver.

    Raises:
        NotFound, Stale, Invalid.
    """
    values = _courier_values(actor, facts)
    _update(actor, _own(Courier, actor, public_id), values, version, "courier", "/email")


@unit_of_work
def remove_courier(actor: Actor, public_id: uuid.UUID) -> None:
    """The driver gets no more routes.

    Raises:
        NotFound.
    """
    row = _own(Courier, actor, public_id)
    _remove(actor, row, "courier", used=True)


@unit_of_work
def add_shift(
    actor: Actor, courier: uuid.UUID, vehicle: uuid.UUID, day: date, from_minute: int, to_minute: int
) -> uuid.UUID:
    """Write down who drives what on a day.

    Raises:
        NotFound: the driver or truck is not of this carrier.
        Invalid: the hours are not in order.
        Conflict: `shift_overlaps`: the driver or the truck is busy then.
    """
    if not 0 <= from_minute < to_minute <= 1439:
        raise Invalid.one("/to", "hours_not_in_order")
    row = Shift(
        carrier_id=actor.carrier_id,
        courier_id=_own(Courier, actor, courier).id,
        vehicle_id=_own(Vehicle, actor, vehicle).id,
        day=day,
        starts_at=clock.at(day, from_minute),
        ends_at=clock.at(day, to_minute),
    )
    return _insert(actor, row, "shift", "/courier")


@unit_of_work
def remove_shift(actor: Actor, public_id: uuid.UUID) -> None:
    """Strike a shift that has not begun.

    Raises:
        NotFound.
        Conflict: `shift_started`.
    """
    row = _own(Shift, actor, public_id)
    if row.started_at is not None:
        raise Conflict("shift_started")
    _remove(actor, row, "shift", used=False)


@unit_of_work
def add_tariff(actor: Actor, facts: TariffFacts) -> uuid.UUID:
    """Add a tariff.

    Raises:
        Invalid: figures that cannot be.
    """
    check_tariff(facts)
    changed("rates")
    return _insert(actor, Tariff(carrier_id=actor.carrier_id, **asdict(facts)), "tariff", "/name")


@unit_of_work
def change_tariff(actor: Actor, public_id: uuid.UUID, facts: TariffFacts, version: int | None) -> None:
    """Change a tariff; placed orders keep the price they were given.

    Raises:
        NotFound, Stale, Invalid.
    """
    check_tariff(facts)
    changed("rates")
    _update(actor, _own(Tariff, actor, public_id), asdict(facts), version, "tariff", "/name")


@unit_of_work
def remove_tariff(actor: Actor, public_id: uuid.UUID) -> None:
    """End a tariff today; it stays for the orders priced by it.

    Raises:
        NotFound.
    """
    row = _own(Tariff, actor, public_id)
    row.valid_to = clock.today()
    row.version += 1
    changed("rates")
    audit.record(actor, "tariff.ended", "tariff", row.id)


def _own(table: type[Row], actor: Actor, public_id: uuid.UUID) -> Row:
    row = session.scalars(
        sa.select(table)
        .where(table.public_id == public_id, table.carrier_id == actor.carrier_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _insert(actor: Actor, row: Vehicle | Courier | Shift | Tariff, entity: str, pointer: str) -> uuid.UUID:
    session.add(row)
    _flush(entity, pointer)
    audit.record(actor, f"{entity}.added", entity, row.id)
    return row.public_id


def _update(
    actor: Actor,
    row: Vehicle | Courier | Tariff,
    values: dict[str, Any],
    version: int | None,
    entity: str,
    pointer: str,
) -> None:
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    before = {name: str(getattr(row, name)) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    _flush(entity, pointer)
    after = {name: str(value) for name, value in values.items() if before[name] != str(value)}
    audit.record(actor, f"{entity}.changed", entity, row.id, before={n: before[n] for n in after}, after=after)


def _remove(actor: Actor, row: Vehicle | Courier | Shift, entity: str, *, used: bool | None) -> None:
    if used and not isinstance(row, Shift):
        row.is_active = False
        row.version += 1
    else:
        session.delete(row)
    audit.record(actor, f"{entity}.removed", entity, row.id)


def _flush(entity: str, pointer: str) -> None:
    """Write now, so that a taken plate or a busy driver is told in words.

    A savepoint keeps the caller's transaction usable.
    """
    try:
        with session.begin_nested():
            session.flush()
    except exc.IntegrityError as error:
        if sqlstate(error) == EXCLUSION_VIOLATION:
            raise Conflict("shift_overlaps") from error
        if sqlstate(error) == UNIQUE_VIOLATION:
            raise Invalid.one(pointer, f"{entity}_known") from error
        raise


def _courier_values(actor: Actor, facts: CourierFacts) -> dict[str, Any]:
    errors = []
    if not facts.name.strip():
        errors.append(FieldError("/name", "required"))
    if not 0 <= facts.shift_from < facts.shift_to <= 1440:
        errors.append(FieldError("/shift_to", "hours_not_in_order"))
    vehicle_id = None
    if facts.vehicle is not None:
        vehicle_id = session.scalar(
            sa.select(Vehicle.id).where(Vehicle.public_id == facts.vehicle, Vehicle.carrier_id == actor.carrier_id)
        )
        if vehicle_id is None:
            errors.append(FieldError("/vehicle", "unknown_option"))
    if errors:
        raise Invalid(errors)
    values = asdict(facts)
    del values["vehicle"]
    return values | {"vehicle_id": vehicle_id}
