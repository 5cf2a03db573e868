"""A carrier's yards and calendar: shifts, days off, repairs."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Literal

from pydantic import Field

from app import access
from app.api.carrier_rows import merged, one_of, shown
from app.api.carrier_shapes import Made, ShiftIn, ShiftOut, ShiftsQuery
from app.api.kernel import Api, expected_version, given_id
from app.api.schemas import Page, PageQuery, Schema, part_of
from app.core import clock
from app.core.permissions import Permission
from app.logistics import calendar, depots
from app.logistics.calendar import AbsenceFacts
from app.logistics.depots import DepotFacts
from app.logistics.fleet_models import AWAY_KINDS

api = Api("carrier_calendar", tag="Logistics")


class DepotIn(Schema):
    """A yard where trucks start and end their day; the main one is that of trucks without a yard."""

    name: str = Field(min_length=1, max_length=80)
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    address: str = Field(default="", max_length=200)
    is_main: bool = False


class DepotPatch(Schema):
    """Any of a yard's facts; `is_main` true makes it the main one."""

    name: str | None = Field(default=None, min_length=1, max_length=80)
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)
    address: str | None = Field(default=None, max_length=200)
    is_main: bool | None = None


class DepotOut(DepotIn):
    """A yard; `vehicles`: working trucks that stand there."""

    id: uuid.UUID
    version: int
    vehicles: int


class CopyIn(Schema):
    """A day of the week to write into."""

    week: date


class RefusedShift(Schema):
    """A shift that could not be copied."""

    day: date
    courier: str
    code: str


class CopyOut(Schema):
    """How many shifts were written, and which could not be."""

    made: int
    refused: list[RefusedShift]


class AbsenceIn(Schema):
    """Days without a driver (holiday, sick, other) or a truck (repair, inspection, other), both ends included."""

    kind: Literal[AWAY_KINDS]  # type: ignore[valid-type]  # the kinds are a constant tuple
    from_day: date
    to_day: date
    courier: uuid.UUID | None = None
    vehicle: uuid.UUID | None = None
    note: str = Field(default="", max_length=200)


class AbsenceOut(AbsenceIn):
    """Days without a driver or a truck; `name`: whose."""

    id: uuid.UUID
    name: str


class AbsenceQuery(PageQuery):
    """From a day on; today when not said."""

    since: date | None = None


@api.get("/carrier/depots", permission=Permission.CARRIER_VIEW, query=PageQuery, answer=Page[DepotOut], summary="Yards")
def all_depots(query: PageQuery) -> Page[DepotOut]:
    """The main one first."""
    return part_of([shown(row, DepotOut) for row in depots.depots(access.actor().carrier_id)], query)


@api.post(
    "/carrier/depots", permission=Permission.CARRIER_FLEET, body=DepotIn, answer=Made, status=201, summary="Add a yard",
    example={"name": "North yard", "lat": 55.85, "lon": 37.66, "address": "Yaroslavskoye shosse, 1"},
)  # fmt: skip
def add_depot(body: DepotIn) -> Made:
    """The first yard is the main one."""
    return Made(id=depots.add_depot(access.actor(), DepotFacts(**body.model_dump())))


@api.patch(
    "/carrier/depots/{depot}", permission=Permission.CARRIER_FLEET, body=DepotPatch, answer=DepotOut,
    summary="Change a yard", example={"is_main": True},
)  # fmt: skip
def change_depot(body: DepotPatch, depot: str) -> DepotOut:
    """If-Match with the version refuses a change over somebody else's."""
    actor, key = access.actor(), given_id(depot)
    row = one_of(depots.depots(actor.carrier_id), key)
    depots.change_depot(actor, key, merged(row, body, DepotFacts), expected_version())
    found: DepotOut = shown(one_of(depots.depots(actor.carrier_id), key), DepotOut)
    return found


@api.delete("/carrier/depots/{depot}", permission=Permission.CARRIER_FLEET, summary="Close a yard")
def remove_depot(depot: str) -> None:
    """409 `depot_is_main` or `depot_has_trucks`."""
    depots.remove_depot(access.actor(), given_id(depot))


@api.get(
    "/carrier/shifts", permission=Permission.CARRIER_VIEW, query=ShiftsQuery, answer=Page[ShiftOut],
    summary="Shifts of a day, or of several",
)  # fmt: skip
def shifts(query: ShiftsQuery) -> Page[ShiftOut]:
    """A day without a row uses the drivers' usual hours."""
    since = query.day or clock.today()
    rows = calendar.shifts(access.actor().carrier_id, since, query.until)
    return part_of([shown(row, ShiftOut) for row in rows], query)


@api.post(
    "/carrier/shifts", permission=Permission.CARRIER_FLEET, body=ShiftIn, answer=Made, status=201,
    summary="Write down who drives what on a day",
)  # fmt: skip
def add_shift(body: ShiftIn) -> Made:
    """409 `shift_overlaps` when the driver or the truck is busy then, `courier_away` or `vehicle_away` when away,
    `licence_not_enough`, `licence_over` or `no_crane_operator` when the driver may not drive the truck.
    """
    return Made(
        id=calendar.add_shift(access.actor(), body.courier, body.vehicle, body.day, body.from_minute, body.to_minute)
    )


@api.delete("/carrier/shifts/{shift}", permission=Permission.CARRIER_FLEET, summary="Strike a shift")
def remove_shift(shift: str) -> None:
    """409 when it has begun."""
    calendar.remove_shift(access.actor(), given_id(shift))


@api.post(
    "/carrier/shift-copies", permission=Permission.CARRIER_FLEET, body=CopyIn, answer=CopyOut,
    summary="Copy the week before", example={"week": "2030-01-07"},
)  # fmt: skip
def copy_week(body: CopyIn) -> CopyOut:
    """Shifts that cannot be copied are left out and named; a second call writes nothing more."""
    found = calendar.copy_week(access.actor(), body.week)
    return CopyOut(
        made=found.made, refused=[RefusedShift(day=d, courier=name, code=code) for d, name, code in found.refused]
    )


@api.get(
    "/carrier/absences", permission=Permission.CARRIER_VIEW, query=AbsenceQuery, answer=Page[AbsenceOut],
    summary="Days off and repairs",
)  # fmt: skip
def absences(query: AbsenceQuery) -> Page[AbsenceOut]:
    """Those that are not over on the day."""
    rows = calendar.absences(access.actor().carrier_id, query.since or clock.today())
    return part_of([shown(row, AbsenceOut) for row in rows], query)


@api.post(
    "/carrier/absences", permission=Permission.CARRIER_FLEET, body=AbsenceIn, answer=Made, status=201,
    summary="Mark days without a driver or a truck",
)  # fmt: skip
def add_absence(body: AbsenceIn) -> Made:
    """Shifts of those days that have not begun are struck."""
    return Made(id=calendar.add_absence(access.actor(), AbsenceFacts(**body.model_dump())))


@api.delete("/carrier/absences/{absence}", permission=Permission.CARRIER_FLEET, summary="Back at work")
def remove_absence(absence: str) -> None:
    """The usual hours apply again; struck shifts do not come back."""
    calendar.remove_absence(access.actor(), given_id(absence))
