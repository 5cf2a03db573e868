"""The frame of a courier's day: the truck is looked at, the route begins, the odometer is read at the end."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app.core import events
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.permissions import Actor
from app.logistics import courier_day, courier_photos
from app.logistics.courier_models import VehicleCheck
from app.logistics.courier_taps import Tap
from app.logistics.events import VehicleForbidden
from app.logistics.models import Courier, Route, RoutePlan, Shift, Vehicle

CHECK_ITEMS = ("tyres", "brakes", "lights", "fuel", "documents")
"""What is looked at before driving: a closed list, worded in app/texts/logistics.py."""
MOST_KM = 9_999_999


@dataclass(frozen=True, slots=True)
class Look:
    """What the driver saw. odometer_km: as it shows; defects: item -> what is wrong; what is not named is in order."""

    odometer_km: int
    defects: Mapping[str, str] = field(default_factory=dict)
    may_drive: bool = True
    note: str = ""
    photos: Sequence[uuid.UUID] = ()
    offline: bool = False


@dataclass(frozen=True, slots=True)
class CheckView:
    """The newest look at a truck on a day."""

    public_id: uuid.UUID
    part: str
    odometer_km: int
    defects: list[dict[str, str]]
    note: str
    may_drive: bool
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class _Truck:
    route_id: int
    courier_id: int
    vehicle_id: int
    day: date
    public_id: uuid.UUID


def _own_route(actor: Actor, route: uuid.UUID) -> _Truck:
    """The courier's published route; when a newer plan has replaced the one the phone knew, that of the same day."""
    known = (
        sa.select(RoutePlan.day, Courier.id)
        .select_from(Route)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Courier, Courier.carrier_id == RoutePlan.carrier_id)
        .where(Route.public_id == route, Courier.user_id == actor.user)
        .subquery()
    )
    row = session.execute(
        sa.select(Route.id, Route.courier_id, Route.vehicle_id, RoutePlan.day, Route.public_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(known, sa.and_(known.c.day == RoutePlan.day, known.c.id == Route.courier_id))
        .where(RoutePlan.status == "published")
        .order_by(Route.public_id != route, Route.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return _Truck(row.id, row.courier_id, row.vehicle_id, row.day, row.public_id)


@unit_of_work
def check_vehicle(actor: Actor, route: uuid.UUID, look: Look, tap: Tap = Tap()) -> uuid.UUID:
    """Write down the look at the route's truck. A defect that forbids driving is told to the dispatchers.

    Raises:
        NotFound: not a published route of the courier.
        Invalid: `unknown_option`, `defect_named` (an item without a word what is wrong), `out_of_range`,
            `unknown_picture`.
    """
    truck = _own_route(actor, route)
    _check(look)
    row = _write(actor, truck, "start", look, tap)
    if not look.may_drive:
        events.record(
            VehicleForbidden(
                entity_id=truck.vehicle_id,
                courier_id=truck.courier_id,
                check_id=row.id,
                day=truck.day.isoformat(),
            )
        )
    return row.public_id


def _check(look: Look) -> None:
    errors = [FieldError(f"/{item}", "unknown_option") for item in look.defects if item not in CHECK_ITEMS]
    errors += [FieldError(f"/{item}", "defect_named") for item, note in look.defects.items() if not note.strip()]
    if not look.may_drive and not look.defects and not look.note.strip():
        errors.append(FieldError("/note", "defect_named"))
    if not 0 <= look.odometer_km <= MOST_KM:
        errors.append(FieldError("/odometer", "out_of_range", {"minimum": 0, "maximum": MOST_KM}))
    if errors:
        raise Invalid(errors)


def _write(actor: Actor, truck: _Truck, part: str, look: Look, tap: Tap) -> VehicleCheck:
    defects = [{"item": item, "note": look.defects[item].strip()[:300]} for item in CHECK_ITEMS if item in look.defects]
    row = VehicleCheck(
        courier_id=truck.courier_id, vehicle_id=truck.vehicle_id, day=truck.day, part=part,
        odometer_km=look.odometer_km, note=look.note.strip()[:500], may_drive=look.may_drive,
        defects=defects, checked_at=tap.moment(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    courier_photos.attach(actor, look.photos, check_id=row.id, strict=not look.offline)
    return row


@unit_of_work
def set_out(actor: Actor, route: uuid.UUID, tap: Tap = Tap(), *, is_checked_elsewhere: bool = False) -> bool:
    """Start the route with a truck that was looked at that day and may drive.

    Args:
        is_checked_elsewhere: a program of another maker has its own way to look; what was found unfit here stays so.

    Raises:
        NotFound, Conflict: as `courier_day.start_route`.
        Conflict: `vehicle_not_checked`, `vehicle_forbidden`.
    """
    truck = _own_route(actor, route)
    look = _newest(truck, "start")
    if look is None and not is_checked_elsewhere:
        raise Conflict("vehicle_not_checked")
    if look is not None and not look.may_drive:
        raise Conflict("vehicle_forbidden")
    return courier_day.start_route(actor, truck.public_id, tap)


@unit_of_work
def end_shift(actor: Actor, route: uuid.UUID, look: Look, tap: Tap = Tap()) -> bool:
    """The truck is back: the odometer is read and the written shift ends. The second time changes nothing.

    Raises:
        NotFound: not a published route of the courier.
        Conflict: `route_not_started`.
        Invalid: `odometer_back`, and as `check_vehicle`.
    """
    truck = _own_route(actor, route)
    _check(look)
    [row] = lock_rows(Route, [truck.route_id])
    if row.state == "planned":
        raise Conflict("route_not_started")
    if _newest(truck, "end") is not None:
        return False
    morning = _newest(truck, "start")
    if morning is not None and look.odometer_km < morning.odometer_km:
        raise Invalid.one("/odometer", "odometer_back", least=morning.odometer_km)
    _write(actor, truck, "end", look, tap)
    session.execute(
        sa.update(Shift)
        .where(Shift.courier_id == truck.courier_id, Shift.day == truck.day, Shift.started_at.is_not(None))
        .values(ended_at=sa.func.greatest(Shift.ended_at, tap.moment()))
    )
    return True


def _newest(truck: _Truck, part: str) -> VehicleCheck | None:
    found: VehicleCheck | None = session.scalar(
        sa.select(VehicleCheck)
        .where(
            VehicleCheck.courier_id == truck.courier_id, VehicleCheck.day == truck.day,
            VehicleCheck.vehicle_id == truck.vehicle_id, VehicleCheck.part == part,
        )
        .order_by(VehicleCheck.checked_at.desc(), VehicleCheck.id.desc())
        .limit(1)
    )  # fmt: skip
    return found


def checks_of(actor: Actor, route: uuid.UUID) -> dict[str, CheckView]:
    """The newest look at the route's truck at the start and at the end of its day, by part.

    Raises:
        NotFound: not a published route of the courier.
    """
    truck = _own_route(actor, route)
    rows = session.execute(
        sa.select(
            VehicleCheck.public_id, VehicleCheck.part, VehicleCheck.odometer_km, VehicleCheck.defects,
            VehicleCheck.note, VehicleCheck.may_drive, VehicleCheck.checked_at,
        )
        .where(
            VehicleCheck.courier_id == truck.courier_id, VehicleCheck.day == truck.day,
            VehicleCheck.vehicle_id == truck.vehicle_id,
        )
        .order_by(VehicleCheck.checked_at, VehicleCheck.id)
    )  # fmt: skip
    return {row.part: CheckView(*row) for row in rows}


def last_odometer(actor: Actor, route: uuid.UUID) -> int | None:
    """What the odometer of the route's truck showed when it was last read, in km.

    Raises:
        NotFound: not a published route of the courier.
    """
    found: int | None = session.scalar(
        sa.select(VehicleCheck.odometer_km)
        .where(VehicleCheck.vehicle_id == _own_route(actor, route).vehicle_id)
        .order_by(VehicleCheck.checked_at.desc(), VehicleCheck.id.desc())
        .limit(1)
    )
    return found


def may_start(checks: Mapping[str, CheckView]) -> bool:
    """Whether the route may start after these looks at its truck."""
    return "start" in checks and checks["start"].may_drive


def told_of(check_id: int) -> dict[str, Any] | None:
    """What a mail to the dispatchers says of a check: carrier, truck, driver, defects; None when it is gone."""
    row = session.execute(
        sa.select(
            Vehicle.carrier_id, Vehicle.name, Vehicle.plate, Courier.name.label("driver"), Courier.phone,
            VehicleCheck.defects, VehicleCheck.note, VehicleCheck.day,
        )
        .join(Vehicle, Vehicle.id == VehicleCheck.vehicle_id)
        .join(Courier, Courier.id == VehicleCheck.courier_id)
        .where(VehicleCheck.id == check_id)
    ).one_or_none()  # fmt: skip
    return None if row is None else dict(row._mapping)
