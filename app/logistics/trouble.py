"""Trucks that cannot go on: told by the dispatcher, their shift of the day ends; told again when they drive again."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from app.core import audit, clock
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, NotFound
from app.core.permissions import Actor
from app.logistics import fleet
from app.logistics.models import Shift, Vehicle
from app.logistics.plan_edit_models import VehicleTrouble

LONGEST_NOTE = 200


@dataclass(frozen=True, slots=True)
class Trouble:
    """A truck out of service now."""

    vehicle: uuid.UUID
    vehicle_id: int
    name: str
    note: str
    since: datetime


def open_troubles(carrier_id: int, day: date) -> dict[int, Trouble]:
    """The trucks of a carrier that broke down on a day and do not drive yet, by vehicle id."""
    rows = session.execute(
        sa.select(Vehicle.public_id, Vehicle.id, Vehicle.name, VehicleTrouble.note, VehicleTrouble.created_at)
        .join(Vehicle, Vehicle.id == VehicleTrouble.vehicle_id)
        .where(VehicleTrouble.carrier_id == carrier_id, VehicleTrouble.day == day, VehicleTrouble.resolved_at.is_(None))
    )
    return {row.id: Trouble(*row) for row in rows}


@unit_of_work
def mark_broken(actor: Actor, vehicle: uuid.UUID, note: str = "") -> None:
    """The truck cannot go on today: its shifts end now, the board raises an alert, nothing new is planned for it today.
    What it still has to drive stays on its route until the day is planned anew.

    Raises:
        NotFound: absent, or another carrier's.
        Conflict: `already_broken`.
    """
    row = _own(actor, vehicle)
    if _open(row.id) is not None:
        raise Conflict("already_broken")
    now, day = clock.now(), clock.today()
    session.add(
        VehicleTrouble(
            carrier_id=actor.carrier_id, vehicle_id=row.id, day=day, note=note.strip()[:LONGEST_NOTE],
            shifts=_end_shifts(actor.carrier_id, row.id, day, now), reported_by_id=actor.user,
        )
    )  # fmt: skip
    audit.record(actor, "vehicle.broken", "vehicle", row.id, after={"note": note.strip()[:LONGEST_NOTE]})


@unit_of_work
def mark_mended(actor: Actor, vehicle: uuid.UUID) -> None:
    """The truck drives again; its shifts of the day are given back. One that is not broken stays as it is.

    Raises:
        NotFound: absent, or another carrier's.
        Conflict: `shift_overlaps`: its driver or the truck has another shift by now.
    """
    row = _own(actor, vehicle)
    trouble = _open(row.id)
    if trouble is None:
        return
    trouble.resolved_at = clock.now()
    if trouble.day == clock.today():
        try:
            with session.begin_nested():
                for given in trouble.shifts:
                    _give_back(actor.carrier_id, row.id, trouble.day, given)
                session.flush()
        except exc.IntegrityError as error:
            raise Conflict("shift_overlaps") from error
    audit.record(actor, "vehicle.mended", "vehicle", row.id)


def _own(actor: Actor, vehicle: uuid.UUID) -> Vehicle:
    """The truck, locked: two reports of one breakdown become one."""
    row = session.scalars(
        sa.select(Vehicle).where(Vehicle.public_id == vehicle, Vehicle.carrier_id == actor.carrier_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _open(vehicle_id: int) -> VehicleTrouble | None:
    return session.scalars(
        sa.select(VehicleTrouble).where(VehicleTrouble.vehicle_id == vehicle_id, VehicleTrouble.resolved_at.is_(None))
    ).one_or_none()


def _end_shifts(carrier_id: int, vehicle_id: int, day: date, now: datetime) -> list[dict[str, Any]]:
    """End the shifts of the truck; usual hours that nobody wrote down become a shift that has ended."""
    rows = session.scalars(
        sa.select(Shift).where(Shift.vehicle_id == vehicle_id, Shift.day == day).order_by(Shift.starts_at)
    ).all()
    found = [_told(shift.id, shift.courier_id, shift.starts_at, shift.ends_at) for shift in rows]
    for shift in rows:
        if shift.starts_at < now:
            shift.ends_at, shift.ended_at = min(shift.ends_at, now), shift.ended_at or now
        else:
            session.delete(shift)
    if rows:
        return found
    usual = next((t for t in fleet.trucks_of_day(carrier_id, day) if t.vehicle.id == vehicle_id), None)
    if usual is None or usual.ends_at <= now:
        return []
    starts = min(usual.starts_at, now - timedelta(minutes=1))
    shift = Shift(
        carrier_id=carrier_id, courier_id=usual.courier_id, vehicle_id=vehicle_id, day=day, starts_at=starts,
        ends_at=now, ended_at=now,
    )  # fmt: skip
    session.add(shift)
    session.flush()
    return [_told(shift.id, usual.courier_id, usual.starts_at, usual.ends_at)]


def _told(shift_id: int, courier_id: int, starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
    return {
        "shift_id": shift_id, "courier_id": courier_id, "starts_at": starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
    }  # fmt: skip


def _give_back(carrier_id: int, vehicle_id: int, day: date, given: dict[str, Any]) -> None:
    starts, ends = (datetime.fromisoformat(given[name]) for name in ("starts_at", "ends_at"))
    shift = session.get(Shift, given["shift_id"])
    if shift is not None:
        shift.starts_at, shift.ends_at, shift.ended_at = starts, ends, None
        return
    session.add(
        Shift(
            carrier_id=carrier_id, courier_id=given["courier_id"], vehicle_id=vehicle_id, day=day, starts_at=starts,
            ends_at=ends,
        )
    )  # fmt: skip
