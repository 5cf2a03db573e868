"""The buyer moves the day of a trip that is not picked yet, and gets a new code for the counter."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from app.core import audit, clock
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor
from app.logistics import queries as logistics
from app.logistics import service as carrying
from app.logistics.timetable import DayOf, next_free, timetables
from app.offers import queries as offers
from app.orders import rules
from app.orders.choices import PART_DAYS, CounterDay, counter_days, pick
from app.orders.models import Fulfilment, FulfilmentLine, Order, OrderGroup, OrderLine
from app.orders.transitions import locked_order, note

OPEN = ("placed", "accepted")


@dataclass(frozen=True, slots=True)
class Movable:
    """A trip of the buyer with the times it may be moved to: windows of its carrier, or days at the counter."""

    trip_id: int
    public_id: uuid.UUID
    order_id: int
    number: str
    seller_name: str
    method: str
    window_from: datetime
    window_to: datetime
    days: tuple[DayOf, ...]
    counter: tuple[CounterDay, ...]


def movable(actor: Actor, trip_id: uuid.UUID) -> Movable:
    """A trip of the person and where it may be moved to.

    Raises:
        NotFound: absent, or another person's.
    """
    row = session.execute(
        sa.select(Fulfilment, Order.number, Order.seller_name)
        .join(Order, Order.id == Fulfilment.order_id)
        .join(OrderGroup, OrderGroup.id == Order.group_id)
        .where(Fulfilment.public_id == trip_id, OrderGroup.user_id == actor.user)
    ).one_or_none()
    if row is None:
        raise NotFound()
    trip = row.Fulfilment
    return Movable(
        trip.id, trip.public_id, trip.order_id, row.number, row.seller_name, trip.method, trip.window_from,
        trip.window_to, _days(trip), _counter(trip),
    )  # fmt: skip


def _lead(trip: Fulfilment) -> int:
    """Days the sellers of its goods need from now on."""
    ids = session.scalars(
        sa.select(OrderLine.offer_id)
        .join(FulfilmentLine, FulfilmentLine.order_line_id == OrderLine.id)
        .where(FulfilmentLine.fulfilment_id == trip.id)
    )
    return max((row.lead_time_days for row in offers.offer_rows(ids).values()), default=0)


def _earliest(trip: Fulfilment) -> date:
    """As for a new order, or its present day if that is sooner: the goods are on their way since it was placed."""
    return min(logistics.earliest_day(_lead(trip)), max(trip.day, logistics.earliest_day(0)))


def _days(trip: Fulfilment) -> tuple[DayOf, ...]:
    carrier = logistics.carrier_of(trip.id)  # not always the one that sold it: deliveries change hands
    if carrier is None:
        return ()
    today, earliest = clock.today(), _earliest(trip)
    table = timetables([carrier], today, date.fromordinal(earliest.toordinal() + PART_DAYS))[carrier]
    return tuple(table.days(-int(-trip.mass_kg // 1), earliest, earliest, PART_DAYS, clock.now()))


def _counter(trip: Fulfilment) -> tuple[CounterDay, ...]:
    if trip.method != "pickup":
        return ()
    [place] = offers.warehouses([trip.warehouse_id]).values()
    return tuple(counter_days(place, _lead(trip), clock.now()))


@unit_of_work
def move(actor: Actor, trip_id: uuid.UUID, day: date, window: str = "") -> None:
    """Bring or fetch it on another day; the price stays as it was agreed.

    Raises:
        NotFound: absent, or another person's.
        Invalid: a day or window that is not there.
        Conflict: `order_state`, `too_late_to_move`, `joint_stays`, `slot_full` with the `next` free windows.
    """
    found = movable(actor, trip_id)
    _group, order, trips = locked_order(found.order_id)
    trip = next(t for t in trips if t.id == found.trip_id)
    if order.status not in OPEN:
        raise Conflict("order_state", state=order.status, wanted="moved")
    if trip.status != "planned":
        raise Conflict("too_late_to_move", state=trip.status)
    starts_at, ends_at = _at_counter(found, day) if trip.method == "pickup" else _at_door(found, day, window)
    if (starts_at, ends_at) == (trip.window_from, trip.window_to):
        return
    before = {"day": trip.day.isoformat(), "from": trip.window_from.isoformat(), "to": trip.window_to.isoformat()}
    if trip.method == "courier":
        carrying.move_window(trip.id, starts_at, ends_at, user_id=actor.user_id)
    trip.day, trip.window_from, trip.window_to = day, starts_at, ends_at
    trip.version += 1
    after = {"day": day.isoformat(), "from": starts_at.isoformat(), "to": ends_at.isoformat()}
    note(actor, order, "fulfilment.moved", trip=trip, details={"before": before, "after": after})
    audit.record(actor, "fulfilment.moved", "fulfilment", trip.id, before=before, after=after)


def _at_door(found: Movable, day: date, window: str) -> tuple[datetime, datetime]:
    chosen = pick(found.days, day, window)
    if chosen is not None:
        return chosen.window.starts_at, chosen.window.ends_at
    same = [one for each in found.days if each.day == day for one in each.windows if window in ("", one.window.code)]
    if not same:
        raise Invalid.one("/slot", "unknown_option")
    if any((one.window.starts_at, one.window.ends_at) == (found.window_from, found.window_to) for one in same):
        return found.window_from, found.window_to  # its own place is among those taken
    raise Conflict("slot_full", reason=same[0].why, day=day.isoformat(), window=window, next=next_free(found.days))


def _at_counter(found: Movable, day: date) -> tuple[datetime, datetime]:
    chosen = next((one for one in found.counter if one.day == day), None)
    if chosen is None:
        raise Invalid.one("/slot", "unknown_option")
    return chosen.starts_at, chosen.ends_at


@unit_of_work
def new_code(actor: Actor, trip_id: uuid.UUID) -> None:
    """Another code for the counter; the tries begin anew.

    Raises:
        NotFound: absent, another person's, or nothing to fetch.
        Conflict: `fulfilment_state`: it was taken or called off.
    """
    found = movable(actor, trip_id)
    _group, order, trips = locked_order(found.order_id)
    trip = next(t for t in trips if t.id == found.trip_id)
    if trip.method != "pickup":
        raise NotFound()
    rules.PICKUP.check(trip.status, "cancelled")  # it is still to be fetched
    trip.pickup_code, trip.pickup_failures = rules.new_pickup_code(), 0
    note(actor, order, "fulfilment.new_code", trip=trip)
