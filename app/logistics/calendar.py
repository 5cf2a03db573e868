"""Who drives what when: shifts, days off and repairs, the week as a grid, and on which days nobody drives."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.core import audit, clock
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid
from app.core.permissions import Actor
from app.logistics import driving, fleet
from app.logistics.fleet_models import Absence
from app.logistics.fleet_rows import insert, own, remove
from app.logistics.models import Courier, Shift, Vehicle

COURIER_AWAY = ("holiday", "sick", "other")
VEHICLE_AWAY = ("repair", "inspection", "other")
LONGEST_AWAY = 366
"""Days."""


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
class AbsenceRow:
    """Days without a driver or a truck, both ends included."""

    public_id: uuid.UUID
    courier: uuid.UUID | None
    vehicle: uuid.UUID | None
    name: str
    kind: str
    from_day: date
    to_day: date
    note: str


_SHIFT: list[Any] = [
    Shift.public_id, Shift.day, Courier.public_id, Courier.name, Vehicle.public_id, Vehicle.name, Shift.starts_at,
    Shift.ends_at, Shift.started_at, Shift.ended_at,
]  # fmt: skip


def shifts(carrier_id: int, since: date, until: date | None = None) -> list[ShiftRow]:
    """The shifts written down from a day to another, that day when only one is named."""
    rows = session.execute(
        sa.select(*_SHIFT)
        .select_from(Shift)
        .join(Courier, Courier.id == Shift.courier_id)
        .join(Vehicle, Vehicle.id == Shift.vehicle_id)
        .where(Shift.carrier_id == carrier_id, Shift.day.between(since, until or since))
        .order_by(Shift.starts_at, Shift.id)
    )
    return [ShiftRow(*row) for row in rows]


def absences(carrier_id: int, since: date, until: date | None = None) -> list[AbsenceRow]:
    """Who or what is away on some day from `since` on (to `until`)."""
    statement = (
        sa.select(
            Absence.public_id, Courier.public_id.label("courier"), Vehicle.public_id.label("vehicle"),
            sa.func.coalesce(Courier.name, Vehicle.name), Absence.kind, Absence.from_day, Absence.to_day, Absence.note,
        )
        .outerjoin(Courier, Courier.id == Absence.courier_id)
        .outerjoin(Vehicle, Vehicle.id == Absence.vehicle_id)
        .where(Absence.carrier_id == carrier_id, Absence.to_day >= since)
    )  # fmt: skip
    if until is not None:
        statement = statement.where(Absence.from_day <= until)
    return [AbsenceRow(*row) for row in session.execute(statement.order_by(Absence.from_day, Absence.id))]


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of a driver: written shifts, or the usual hours, or why the driver is away."""

    day: date
    shifts: tuple[ShiftRow, ...] = ()
    usual: bool = False
    """The usual truck at the usual hours: no shift is written."""
    away: AbsenceRow | None = None
    warning: str = ""
    """Why the usual truck stays at home: truck_away, licence_over."""


@dataclass(frozen=True, slots=True)
class Week:
    """A week of a carrier as a grid: drivers by days."""

    monday: date
    rows: tuple[tuple[fleet.CourierRow, tuple[Cell, ...]], ...]
    absences: tuple[AbsenceRow, ...]
    driving: dict[date, int] = field(default_factory=dict)
    """Trucks that drive on each day."""

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(self.monday + timedelta(days=n) for n in range(7))


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def week(carrier_id: int, day: date) -> Week:
    """The week of a day: five queries, however many drivers there are."""
    monday = monday_of(day)
    sunday = monday + timedelta(days=6)
    people = [one for one in fleet.couriers(carrier_id) if one.is_active]
    trucks = {one.public_id: one for one in fleet.vehicles(carrier_id)}
    written = shifts(carrier_id, monday, sunday)
    away = absences(carrier_id, monday, sunday)
    days = [monday + timedelta(days=n) for n in range(7)]
    rows = tuple((one, tuple(_cell(one, d, written, away, trucks) for d in days)) for one in people)
    driving_on = {
        d: len({truck for person, cells in rows for truck in _out(person, cells[number])})
        for number, d in enumerate(days)
    }
    return Week(monday, rows, tuple(away), driving_on)


def _out(person: fleet.CourierRow, cell: Cell) -> list[uuid.UUID | None]:
    """The trucks that a driver takes out on a day."""
    if cell.away is not None or cell.warning:
        return []
    return [one.vehicle for one in cell.shifts] or ([person.vehicle] if cell.usual else [])


def _cell(
    person: fleet.CourierRow, day: date, written: Sequence[ShiftRow], away: Sequence[AbsenceRow],
    trucks: dict[uuid.UUID, fleet.VehicleRow],
) -> Cell:  # fmt: skip
    on_day = [one for one in away if one.from_day <= day <= one.to_day]
    absent = next((one for one in on_day if one.courier == person.public_id), None)
    own_shifts = tuple(one for one in written if one.courier == person.public_id and one.day == day)
    if absent is not None:
        return Cell(day, own_shifts, away=absent)
    broken = {one.vehicle for one in on_day if one.vehicle}
    driven = [one.vehicle for one in own_shifts]
    is_usual = not own_shifts and person.vehicle is not None and day.isoweekday() in person.work_days
    if is_usual and person.vehicle is not None:
        driven = [person.vehicle]
    warning = ""
    for key in driven:
        truck = trucks.get(key)
        if key in broken or truck is None or not truck.is_active:
            warning = "truck_away"
        elif driving.category_for(truck.gross_mass_kg, person.held).is_over(day):
            warning = "licence_over"
    return Cell(day, own_shifts, is_usual, None, warning)


@unit_of_work
def add_shift(
    actor: Actor, courier: uuid.UUID, vehicle: uuid.UUID, day: date, from_minute: int, to_minute: int
) -> uuid.UUID:
    """Write down who drives what on a day.

    Raises:
        NotFound: the driver or truck is not of this carrier.
        Invalid: the hours are not in order.
        Conflict: `shift_overlaps`: the driver or the truck is busy then; `courier_away`, `vehicle_away`;
            `licence_not_enough`, `licence_over`, `no_crane_operator`, see `driving.check`.
    """
    if not 0 <= from_minute < to_minute <= 1439:
        raise Invalid.one("/to", "hours_not_in_order")
    person, truck = own(Courier, actor, courier), own(Vehicle, actor, vehicle)
    refuse_absent(person, truck, day)
    driving.check(driving.Driver.of(person), truck, day)
    row = Shift(
        carrier_id=actor.carrier_id, courier_id=person.id, vehicle_id=truck.id, day=day,
        starts_at=clock.at(day, from_minute), ends_at=clock.at(day, to_minute),
    )  # fmt: skip
    return insert(actor, row, "shift", "/courier")


def refuse_absent(person: Courier, truck: Vehicle, day: date) -> None:
    """Refuse a shift of somebody or something that is away. Both rows are locked, so nobody leaves meanwhile.

    Raises:
        Conflict: `courier_away`, `vehicle_away` with kind and days.
    """
    found = session.scalars(
        sa.select(Absence)
        .where(sa.or_(Absence.courier_id == person.id, Absence.vehicle_id == truck.id))
        .where(Absence.from_day <= day, Absence.to_day >= day)
        .limit(1)
    ).first()
    if found is not None:
        code = "courier_away" if found.courier_id is not None else "vehicle_away"
        raise Conflict(code, kind=found.kind, since=found.from_day.isoformat(), until=found.to_day.isoformat())


@unit_of_work
def remove_shift(actor: Actor, public_id: uuid.UUID) -> None:
    """Strike a shift that has not begun.

    Raises:
        NotFound.
        Conflict: `shift_started`.
    """
    row = own(Shift, actor, public_id)
    if row.started_at is not None:
        raise Conflict("shift_started")
    remove(actor, row, "shift", used=False)


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of a week that was copied: how many shifts, and (day, driver, code) of those that could not be."""

    made: int
    refused: tuple[tuple[date, str, str], ...]


@unit_of_work
def copy_week(actor: Actor, into: date) -> Copied:
    """Write the shifts of the week before into the week of a day; what cannot be is left out and named.

    Done twice it writes nothing more: the hours are busy already.
    """
    monday = monday_of(into)
    made, refused = 0, []
    for one in shifts(actor.carrier_id, monday - timedelta(days=7), monday - timedelta(days=1)):
        day = one.day + timedelta(days=7)
        if day < clock.today():
            continue
        start, end = clock.local(one.starts_at), clock.local(one.ends_at)
        hours = start.hour * 60 + start.minute, end.hour * 60 + end.minute
        try:
            add_shift(actor, one.courier, one.vehicle, day, *hours)
            made += 1
        except Conflict as error:
            refused.append((day, one.courier_name, error.code))
    audit.record(actor, "shifts.copied", "carrier", actor.carrier_id, after={"week": monday.isoformat(), "made": made})
    return Copied(made, tuple(refused))


@dataclass(frozen=True, slots=True)
class AbsenceFacts:
    """Who or what is away (one of the two), why, from when to when."""

    kind: str
    from_day: date
    to_day: date
    courier: uuid.UUID | None = None
    vehicle: uuid.UUID | None = None
    note: str = ""


@unit_of_work
def add_absence(actor: Actor, facts: AbsenceFacts) -> uuid.UUID:
    """Write down days off, sickness or a repair; shifts of those days that have not begun are struck.

    Raises:
        NotFound: the driver or truck is not of this carrier.
        Invalid: both or none, an unknown kind, days not in order.
        Conflict: `absence_overlaps`; `shift_started`: a shift of those days has begun.
    """
    errors = []
    if (facts.courier is None) == (facts.vehicle is None):
        errors.append(FieldError("/courier", "courier_or_vehicle"))
    if facts.kind not in (COURIER_AWAY if facts.courier else VEHICLE_AWAY):
        errors.append(FieldError("/kind", "unknown_option"))
    if facts.to_day < facts.from_day:
        errors.append(FieldError("/to_day", "days_not_in_order"))
    elif (facts.to_day - facts.from_day).days >= LONGEST_AWAY:
        errors.append(FieldError("/to_day", "too_large", {"maximum": LONGEST_AWAY}))
    if len(facts.note) > 200:
        errors.append(FieldError("/note", "too_long", {"maximum": 200}))
    if errors:
        raise Invalid(errors)
    courier_id = own(Courier, actor, facts.courier).id if facts.courier else None
    vehicle_id = own(Vehicle, actor, facts.vehicle).id if facts.vehicle else None
    _strike(courier_id, vehicle_id, facts)
    row = Absence(
        carrier_id=actor.carrier_id, courier_id=courier_id, vehicle_id=vehicle_id, kind=facts.kind,
        from_day=facts.from_day, to_day=facts.to_day, note=facts.note.strip(),
    )  # fmt: skip
    return insert(actor, row, "absence", "/from_day")


def _strike(courier_id: int | None, vehicle_id: int | None, facts: AbsenceFacts) -> None:
    whose = Shift.courier_id == courier_id if courier_id else Shift.vehicle_id == vehicle_id
    inside = sa.and_(whose, Shift.day.between(facts.from_day, facts.to_day))
    if session.scalar(sa.select(sa.exists().where(inside, Shift.started_at.is_not(None), Shift.ended_at.is_(None)))):
        raise Conflict("shift_started")
    session.execute(sa.delete(Shift).where(inside, Shift.started_at.is_(None)))


@unit_of_work
def remove_absence(actor: Actor, public_id: uuid.UUID) -> None:
    """The driver or the truck is back.

    Raises:
        NotFound.
    """
    remove(actor, own(Absence, actor, public_id), "absence", used=False)


IDLE = """
SELECT w.carrier_id, d.day::date AS day
FROM (
    SELECT c.carrier_id, bool_or(c.vehicle_id IS NOT NULL) AS has_usual,
        (SELECT max(s.day) FROM shift s WHERE s.carrier_id = c.carrier_id) AS written_until
    FROM courier c WHERE c.carrier_id = ANY(:carriers) AND c.is_active GROUP BY c.carrier_id
) w
CROSS JOIN generate_series(CAST(:since AS date), CAST(:until AS date), interval '1 day') d(day)
WHERE (w.has_usual OR d.day <= w.written_until)
    AND NOT EXISTS (
        SELECT FROM courier c JOIN vehicle v ON v.is_active LEFT JOIN shift s
            ON s.courier_id = c.id AND s.day = d.day AND s.vehicle_id = v.id
        WHERE c.carrier_id = w.carrier_id AND v.carrier_id = w.carrier_id AND c.is_active
            AND (s.id IS NOT NULL OR (
                c.vehicle_id = v.id AND c.work_days @> to_jsonb(EXTRACT(isodow FROM d.day)::int)
                AND NOT EXISTS (SELECT FROM shift o WHERE o.courier_id = c.id AND o.day = d.day)))
            AND NOT EXISTS (SELECT FROM absence a WHERE (a.courier_id = c.id OR a.vehicle_id = v.id)
                AND d.day::date BETWEEN a.from_day AND a.to_day)
    )
"""
"""Parameters: carriers, since, until."""


def idle_days(carrier_ids: Iterable[int], since: date, until: date) -> dict[int, frozenset[date]]:
    """The days on which a carrier's calendar says that nobody drives; one query. Checkout sells none of them.

    The calendar speaks of a day when some driver has a usual truck, or a shift of that day or a later one is written.
    Of days behind what is written, and of carriers without drivers, it says nothing.
    """
    values = {"carriers": sorted(set(carrier_ids)), "since": since, "until": until}
    found: dict[int, set[date]] = {}
    for carrier_id, day in session.execute(sa.text(IDLE), values):
        found.setdefault(carrier_id, set()).add(day)
    return {carrier_id: frozenset(days) for carrier_id, days in found.items()}
