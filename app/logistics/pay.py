"""How a carrier bills and pays: its terms, its drivers' rates, and what drivers have earned."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects.postgresql import insert

from app.core import audit
from app.core.db import session, sqlstate, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.money import round_half_up
from app.core.permissions import Actor
from app.logistics.models import Courier, Route, RoutePlan, Shift, Stop
from app.logistics.pay_models import VAT_CODES, CarrierTerms, CourierPay
from app.logistics.tracking_models import Driven

LONGEST = timedelta(days=366)
MOST_KOPEKS = 10_000_000
UNIQUE_VIOLATION = "23505"


@dataclass(frozen=True, slots=True)
class Terms:
    """How a carrier bills beyond its tariffs. Kopeks."""

    vat_code: str = "none"
    free_waiting_minutes: int = 30
    waiting_per_hour: int = 0
    failed_percent: int = 100


@dataclass(frozen=True, slots=True)
class Rate:
    """What a driver is paid from a day on. Kopeks for an hour, a door, a kilometre."""

    per_hour: int
    per_stop: int
    per_km: int
    valid_from: date


@dataclass(frozen=True, slots=True)
class DeclaredRate:
    """A rate in a list; courier None: of everybody without an own one."""

    courier: uuid.UUID | None
    courier_name: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class DayPay:
    """A driver's day. Seconds, doors, metres and kopeks; the sum is that of its three parts."""

    courier: uuid.UUID
    courier_name: str
    day: date
    seconds: int
    stops: int
    distance_m: int
    by_gps: bool
    """Kilometres are those of positions; else of the plan."""
    for_hours: int
    for_stops: int
    for_km: int

    @property
    def total(self) -> int:
        return self.for_hours + self.for_stops + self.for_km


def terms(carrier_id: int) -> Terms:
    """The terms of a carrier; the usual ones when it has declared none."""
    names = Terms.__dataclass_fields__
    row = session.execute(
        sa.select(*(getattr(CarrierTerms, name) for name in names)).where(CarrierTerms.carrier_id == carrier_id)
    ).one_or_none()
    return Terms() if row is None else Terms(*row)


@unit_of_work
def set_terms(actor: Actor, given: Terms) -> None:
    """Declare how the actor's carrier bills from now on; invoices that are issued stay as they are.

    Raises:
        Invalid: with every wrong field.
    """
    errors = [] if given.vat_code in VAT_CODES else [FieldError("/vat_code", "unknown_option")]
    bounds = {"free_waiting_minutes": 1440, "waiting_per_hour": MOST_KOPEKS, "failed_percent": 100}
    errors += [
        FieldError(f"/{name}", "out_of_range", {"minimum": 0, "maximum": most})
        for name, most in bounds.items()
        if not 0 <= getattr(given, name) <= most
    ]
    if errors:
        raise Invalid(errors)
    before = asdict(terms(actor.carrier_id))
    values = asdict(given)
    session.execute(
        insert(CarrierTerms)
        .values(carrier_id=actor.carrier_id, **values)
        .on_conflict_do_update(index_elements=["carrier_id"], set_=values | {"version": CarrierTerms.version + 1})
    )
    audit.record(actor, "carrier.terms_set", "carrier", actor.carrier_id, before=before, after=values)


@unit_of_work
def set_rate(actor: Actor, courier: uuid.UUID | None, rate: Rate) -> None:
    """Declare what a driver (None: everybody without an own rate) is paid from a day on.

    Raises:
        NotFound: the driver is of another carrier.
        Invalid: a sum below zero or absurd.
        Conflict: `pay_known`: a rate from that very day is declared.
    """
    errors = [
        FieldError(f"/{name}", "out_of_range", {"minimum": 0, "maximum": MOST_KOPEKS})
        for name in ("per_hour", "per_stop", "per_km")
        if not 0 <= getattr(rate, name) <= MOST_KOPEKS
    ]
    if errors:
        raise Invalid(errors)
    courier_id = None
    if courier is not None:
        own = sa.select(Courier.id).where(Courier.public_id == courier, Courier.carrier_id == actor.carrier_id)
        courier_id = session.scalar(own)
        if courier_id is None:
            raise NotFound()
    try:
        with session.begin_nested():
            session.add(CourierPay(carrier_id=actor.carrier_id, courier_id=courier_id, **asdict(rate)))
    except exc.IntegrityError as error:
        if sqlstate(error) == UNIQUE_VIOLATION:
            raise Conflict("pay_known") from None
        raise
    after = asdict(rate) | {"valid_from": rate.valid_from.isoformat()}
    audit.record(actor, "carrier.pay_set", "courier", courier_id, after=after)


def rates(carrier_id: int) -> list[DeclaredRate]:
    """The declared rates, newest first."""
    rows = session.execute(
        sa.select(
            Courier.public_id, sa.func.coalesce(Courier.name, ""), CourierPay.per_hour, CourierPay.per_stop,
            CourierPay.per_km, CourierPay.valid_from,
        )
        .select_from(CourierPay)
        .outerjoin(Courier, Courier.id == CourierPay.courier_id)
        .where(CourierPay.carrier_id == carrier_id)
        .order_by(CourierPay.valid_from.desc(), CourierPay.id.desc())
    )  # fmt: skip
    return [DeclaredRate(row[0], row[1], Rate(*row[2:])) for row in rows]


def earned(carrier_id: int, first: date, last: date) -> list[DayPay]:
    """What drivers of a carrier have earned on days that are worked to their end: five queries, whatever the period.

    Raises:
        Invalid: `days_not_in_order`, or more than a year.
    """
    return _earned(first, last, Courier.carrier_id == carrier_id)


def earned_by(user_id: int, first: date, last: date) -> list[DayPay]:
    """What a driver has earned, with every carrier.

    Raises:
        Invalid: as `earned`.
    """
    return _earned(first, last, Courier.user_id == user_id)


Key = tuple[int, date]
Span = tuple[datetime, datetime]


def _earned(first: date, last: date, whose: sa.ColumnElement[bool]) -> list[DayPay]:
    if last < first or last - first > LONGEST:
        raise Invalid.one("/last", "days_not_in_order")
    couriers = {row.id: row for row in session.scalars(sa.select(Courier).where(whose))}
    spans, planned, routes = _work(couriers, first, last)
    doors, driven = _doors(routes), _driven(couriers, first, last)
    declared = _rates({row.carrier_id for row in couriers.values()})
    found = []
    for key in sorted(spans, key=lambda one: (one[1], couriers[one[0]].name), reverse=False):
        courier, day = couriers[key[0]], key[1]
        rate = rate_on(declared, courier.carrier_id, courier.id, day)
        seconds, metres = worked(spans[key]), driven.get(key, planned.get(key, 0))
        stops = doors.get(key, 0)
        found.append(
            DayPay(
                courier.public_id, courier.name, day, seconds, stops, metres, key in driven,
                round_half_up(Fraction(rate.per_hour * seconds, 3600)), rate.per_stop * stops,
                round_half_up(Fraction(rate.per_km * metres, 1000)),
            )
        )  # fmt: skip
    return found


def worked(spans: Iterable[Span]) -> int:
    """Seconds that the spans cover together; what overlaps (a shift and its routes) counts once. Pure."""
    total, end = 0.0, None
    for start, stop in sorted(spans):
        begins = start if end is None or start > end else end
        if stop > begins:
            total += (stop - begins).total_seconds()
            end = stop
    return round(total)


def rate_on(declared: Sequence[Any], carrier_id: int, courier_id: int, day: date) -> Rate:
    """The rate in force: the own one that began last, else the carrier's; nothing when none is declared. Pure."""
    mine = [one for one in declared if one.carrier_id == carrier_id and one.valid_from <= day]
    own = [one for one in mine if one.courier_id == courier_id]
    chosen = own or [one for one in mine if one.courier_id is None]
    if not chosen:
        return Rate(0, 0, 0, day)
    best = max(chosen, key=lambda one: one.valid_from)
    return Rate(best.per_hour, best.per_stop, best.per_km, best.valid_from)


def _rates(carriers: Iterable[int]) -> list[CourierPay]:
    return list(session.scalars(sa.select(CourierPay).where(CourierPay.carrier_id.in_(list(carriers)))))


def _work(
    couriers: Mapping[int, Courier], first: date, last: date
) -> tuple[dict[Key, list[Span]], dict[Key, int], dict[int, Key]]:
    """Ended shifts and routes by driver and day, planned metres of the routes, and whose each route was."""
    spans: dict[Key, list[Span]] = {}
    metres: dict[Key, int] = {}
    routes: dict[int, Key] = {}
    ids = list(couriers)
    shifts = session.execute(
        sa.select(Shift.courier_id, Shift.day, Shift.started_at, Shift.ended_at).where(
            Shift.courier_id.in_(ids), Shift.day.between(first, last), Shift.started_at.is_not(None),
            Shift.ended_at.is_not(None),
        )
    )  # fmt: skip
    shift: Any
    for shift in shifts:
        spans.setdefault((shift.courier_id, shift.day), []).append((shift.started_at, shift.ended_at))
    driven = session.execute(
        sa.select(Route.id, Route.courier_id, RoutePlan.day, Route.started_at, Route.finished_at, Route.distance_m)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .where(Route.courier_id.in_(ids), RoutePlan.day.between(first, last), Route.finished_at.is_not(None))
    )
    row: Any
    for row in driven:
        key = (row.courier_id, row.day)
        routes[row.id] = key
        spans.setdefault(key, []).append((row.started_at or row.finished_at, row.finished_at))
        metres[key] = metres.get(key, 0) + row.distance_m
    return spans, metres, routes


def _doors(routes: Mapping[int, Key]) -> dict[Key, int]:
    """Doors where the truck was, whether goods were taken or not."""
    rows = session.execute(
        sa.select(Stop.route_id, sa.func.count())
        .where(Stop.route_id.in_(list(routes)), Stop.kind == "drop", Stop.state.in_(("done", "failed")))
        .group_by(Stop.route_id)
    )
    found: dict[Key, int] = {}
    for route_id, count in rows:
        key = routes[route_id]
        found[key] = found.get(key, 0) + count
    return found


def _driven(couriers: Mapping[int, Courier], first: date, last: date) -> dict[Key, int]:
    rows = session.execute(
        sa.select(Driven.courier_id, Driven.day, sa.func.sum(Driven.distance_m))
        .where(Driven.courier_id.in_(list(couriers)), Driven.day.between(first, last))
        .group_by(Driven.courier_id, Driven.day)
    )
    return {(courier_id, day): int(metres) for courier_id, day, metres in rows}
