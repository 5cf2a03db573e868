"""What a courier does: starts the route, arrives, loads, unloads, hands over, fails. Every tap may come twice.

An action is idempotent by (stop, action): the second tap changes nothing and is no error. Locks go route, stop,
delivery, so the taps of one route follow each other.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.core import clock, events
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.core.permissions import Actor
from app.logistics import courier_views, rules
from app.logistics.events import DeliveryCompleted, DeliveryHandedOver, DeliveryOnTheWay
from app.logistics.models import Courier, Delivery, DeliveryAttempt, Route, RoutePlan, Shift, Stop
from app.logistics.service import move, note

OLDEST_TAP = timedelta(days=2)
"""A tap kept in a phone longer than this is taken as made now."""
CLOCK_SLIP = timedelta(minutes=2)
OVER = ("done", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class Tap:
    """When and where a button was pressed. `version`: of the stop as the courier saw it; None: do not compare."""

    at: datetime | None = None
    lat: float | None = None
    lon: float | None = None
    version: int | None = None

    def moment(self) -> datetime:
        """The time of the tap, or now when the phone's clock cannot be right."""
        now = clock.now()
        if self.at is None or self.at > now + CLOCK_SLIP or self.at < now - OLDEST_TAP:
            return now
        return min(self.at, now)


@dataclass(frozen=True, slots=True)
class HandOver:
    """What the courier counted at the door, in units of sale by line; money in kopeks; `pin` as the buyer told it."""

    counted: Mapping[str, Decimal] = field(default_factory=dict)
    reason: str = ""
    pin: str = ""
    cash_counted: int | None = None
    proof: Mapping[str, Any] = field(default_factory=dict)
    cash_in_full: bool = False
    """The cash that was due was taken, without a count of its own."""


@dataclass(slots=True)
class _Open:
    route: Route
    stop: Stop
    delivery: Delivery
    courier_id: int
    tap: Tap
    at: datetime


@unit_of_work
def start_route(actor: Actor, route: uuid.UUID) -> None:
    """The courier sets out; the written shift begins with it. A route may be driven before its day, if all agree.

    Raises:
        NotFound: absent, not published, or another courier's.
        Conflict: `other_route_started`: another route of that day.
    """
    key = session.execute(
        sa.select(Route.id, RoutePlan.day, Route.courier_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Courier, Courier.id == Route.courier_id)
        .where(Route.public_id == route, RoutePlan.status == "published", Courier.user_id == actor.user)
    ).one_or_none()
    if key is None:
        raise NotFound()
    lock_rows(Courier, [key.courier_id])
    [row] = lock_rows(Route, [key.id])
    if session.scalar(sa.select(RoutePlan.status).where(RoutePlan.id == row.plan_id)) != "published":
        raise NotFound()  # a newer plan was published while this waited for the lock
    if row.state != "planned":
        return
    if _busy(key.courier_id, row.id, key.day):
        raise Conflict("other_route_started")
    row.state = "started"
    row.started_at = clock.now()
    session.execute(
        sa.update(Shift)
        .where(Shift.courier_id == key.courier_id, Shift.day == key.day, Shift.started_at.is_(None))
        .values(started_at=row.started_at)
    )


def _busy(courier_id: int, route_id: int, day: date) -> bool:
    """Whether another route of the same day is under way."""
    return bool(
        session.scalar(
            sa.select(
                sa.exists()
                .where(Route.courier_id == courier_id, Route.state == "started", Route.id != route_id)
                .where(RoutePlan.id == Route.plan_id, RoutePlan.status == "published", RoutePlan.day == day)
            )
        )
    )


@unit_of_work
def arrive(actor: Actor, stop: uuid.UUID, tap: Tap = Tap()) -> None:
    """The truck stands at the stop.

    Raises:
        NotFound, Stale.
        Conflict: `stop_state`, `route_not_started`, `not_loaded`.
    """
    found, step = _begin(actor, stop, tap, "arrive")
    if step.repeated:
        return
    _loaded_before(found)
    found.stop.arrived_at = found.at
    _finish(found, step, "arrived" if found.stop.kind == "drop" else "arrived_at_warehouse")
    _refresh_etas(found, _own_timing(found).leaves(found.at))


@unit_of_work
def start_unloading(actor: Actor, stop: uuid.UUID, tap: Tap = Tap()) -> None:
    """Goods leave the truck.

    Raises:
        NotFound, Stale.
        Conflict: `stop_state`, `route_not_started`, `not_loaded`.
    """
    found, step = _begin(actor, stop, tap, "unloading")
    if step.repeated:
        return
    _loaded_before(found)
    found.stop.arrived_at = found.stop.arrived_at or found.at
    found.stop.unloading_at = found.at
    _finish(found, step, "unloading")


def complete(actor: Actor, stop: uuid.UUID, given: HandOver = HandOver(), tap: Tap = Tap()) -> None:
    """Loaded (at a warehouse), or handed over to the buyer (at a site) against the PIN.

    The third wrong PIN locks the door until the dispatcher opens it; failures count although the call is refused.

    Raises:
        NotFound, Stale.
        Invalid: counted lines, `pin_wrong` with the tries left, missing cash.
        Conflict: `pin_locked`, `stop_state`, `route_not_started`, `not_loaded`.
    """
    left = _complete(actor, stop, given, tap)
    if left is not None:
        raise Invalid.one("/pin", "pin_wrong", left=left) if left else Conflict("pin_locked")


@unit_of_work
def _complete(actor: Actor, stop: uuid.UUID, given: HandOver, tap: Tap) -> int | None:
    """None when done; the number of tries left after a wrong PIN."""
    found, step = _begin(actor, stop, tap, "complete")
    if step.repeated:
        return None
    if found.stop.kind == "pickup":
        _load(found, step, given, actor.user)
        return None
    _loaded_before(found)
    lines = rules.count_lines(found.delivery.cargo, given.counted, given.reason)
    if given.cash_in_full and found.delivery.cash_due:
        given = replace(given, cash_counted=found.delivery.cash_due)
    if found.delivery.cash_due and given.cash_counted is None:
        raise Invalid.one("/cash", "required")
    if given.cash_counted is not None and given.cash_counted < 0:
        raise Invalid.one("/cash", "too_small", minimum=0)
    left = _try_pin(found.delivery, given.pin)
    if left is not None:
        return left
    _hand_over(found, step, given, lines, actor.user)
    return None


@unit_of_work
def load_all_here(actor: Actor, stop: uuid.UUID, tap: Tap = Tap()) -> int:
    """Everything the route takes at this warehouse now is on the truck, whole. Returns how many stops that were.

    Raises:
        NotFound: absent, or not a pickup of the courier.
        Conflict: as `complete`.
    """
    here = courier_views.stop(actor.user, stop)
    if here.kind != "pickup":
        raise NotFound()
    loaded = 0
    for one in courier_views.pickups_here(actor.user, stop):
        left = _complete(actor, one, HandOver(), Tap(tap.at, tap.lat, tap.lon))
        loaded += left is None
    return loaded


def _try_pin(delivery: Delivery, pin: str) -> int | None:
    """None when the PIN is right, else the number of tries left."""
    if delivery.pin_failures >= rules.PIN_TRIES:
        raise Conflict("pin_locked")
    if not pin.strip():
        raise Invalid.one("/pin", "pin_needed")
    if secrets.compare_digest(pin.strip().encode(), delivery.pin.encode()):
        return None
    delivery.pin_failures += 1
    return rules.PIN_TRIES - delivery.pin_failures


@unit_of_work
def fail(actor: Actor, stop: uuid.UUID, reason: str, comment: str = "", tap: Tap = Tap()) -> None:
    """The stop cannot be done. At a warehouse: the delivery goes back to the dispatcher, its drop is skipped.

    Raises:
        NotFound, Stale.
        Invalid: a reason that is not in the list.
        Conflict: `stop_state`, `route_not_started`, `not_loaded`.
    """
    if reason not in rules.FAIL_REASONS:
        raise Invalid.one("/reason", "unknown_option")
    found, step = _begin(actor, stop, tap, "fail")
    if step.repeated:
        return
    if found.stop.kind == "pickup":
        _leave_at_warehouse(found, step, reason, comment, actor.user)
        return
    _loaded_before(found)
    found.stop.completed_at = found.at
    _finish(found, step, "stop_failed", reason=reason, comment=comment)
    proof = {"comment": comment, "lat": tap.lat, "lon": tap.lon}
    if _last_lot(found):
        partly = _some_lot_done(found)
        _conclude(found, "partially_delivered" if partly else "failed", reason, [], proof, None, actor.user)
    _refresh_etas(found, found.at)
    _close_route(found.route, found.at)


def _begin(actor: Actor, stop: uuid.UUID, tap: Tap, action: str) -> tuple[_Open, rules.Step]:
    """Lock the courier's own stop of a published plan and find out what the action makes of it."""
    key = session.execute(
        sa.select(Stop.id, Stop.route_id, Stop.delivery_id, Courier.id.label("courier_id"))
        .join(Route, Route.id == Stop.route_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Courier, Courier.id == Route.courier_id)
        .where(Stop.public_id == stop, Courier.user_id == actor.user, RoutePlan.status == "published")
    ).one_or_none()
    if key is None:
        raise NotFound()
    [route] = lock_rows(Route, [key.route_id])
    [row] = lock_rows(Stop, [key.id])
    if row.route_id != route.id:
        raise NotFound()  # a newer plan gave the stop to another truck while this waited for the lock
    [delivery] = lock_rows(Delivery, [key.delivery_id])
    found = _Open(route, row, delivery, key.courier_id, tap, tap.moment())
    step = rules.step(row.kind, row.state, action)
    if not step.repeated:
        if tap.version is not None and tap.version != row.version:
            raise Stale(version=row.version)
        if route.state != "started":
            raise Conflict("route_not_started")
    return found, step


def _finish(found: _Open, step: rules.Step, kind: str, **details: Any) -> None:
    found.stop.state = step.state
    found.stop.version += 1
    where = {} if found.tap.lat is None else {"lat": found.tap.lat, "lon": found.tap.lon}
    note(found.delivery.id, kind, None, found.at, stop=str(found.stop.public_id), **where, **details)


def _loaded_before(found: _Open) -> None:
    """A drop comes after its own pickup."""
    if found.stop.kind != "drop":
        return
    state = session.scalar(
        sa.select(Stop.state).where(
            Stop.route_id == found.route.id,
            Stop.delivery_id == found.delivery.id,
            Stop.kind == "pickup",
            Stop.lot == found.stop.lot,
        )
    )
    if state != "done":
        raise Conflict("not_loaded")


def _load(found: _Open, step: rules.Step, given: HandOver, user_id: int) -> None:
    """Goods are on the truck; when nothing more is loaded here, the truck leaves for the sites."""
    lines = rules.count_lines(found.delivery.cargo, given.counted, given.reason)
    found.stop.arrived_at = found.stop.arrived_at or found.at
    found.stop.completed_at = found.at
    _finish(found, step, "loaded", lines=[line.as_json() for line in lines])
    if found.delivery.state == "planned":
        move(found.delivery, "handed_over", user_id, found.at)
        events.record(
            DeliveryHandedOver(
                entity_id=found.delivery.id,
                fulfilment_id=found.delivery.fulfilment_id,
                user_id=user_id,
                happened_at=found.at.isoformat(),
                lines=[line.as_json() for line in lines],
            )
        )
    else:
        if found.delivery.state not in rules.ON_THE_WAY:
            raise Conflict("delivery_state", state=found.delivery.state, wanted="handed_over")
    session.flush()
    _refresh_etas(found, found.at)
    _depart(found, user_id)


def _depart(found: _Open, user_id: int) -> None:
    """Everything loaded sets off once the next open stop is not another pickup at the same warehouse."""
    following = session.execute(
        sa.select(Stop.kind, Delivery.warehouse_id)
        .join(Delivery, Delivery.id == Stop.delivery_id)
        .where(Stop.route_id == found.route.id, Stop.sequence > found.stop.sequence, Stop.state.not_in(OVER))
        .order_by(Stop.sequence)
        .limit(1)
    ).one_or_none()
    if following is not None and following.kind == "pickup" and following.warehouse_id == found.delivery.warehouse_id:
        return
    loaded = session.scalars(
        sa.select(Stop.delivery_id).where(Stop.route_id == found.route.id, Stop.kind == "pickup", Stop.state == "done")
    ).all()
    for row in lock_rows(Delivery, loaded):
        if row.state != "handed_over":
            continue
        move(row, "in_transit", user_id, found.at)
        events.record(
            DeliveryOnTheWay(
                entity_id=row.id,
                fulfilment_id=row.fulfilment_id,
                user_id=user_id,
                happened_at=found.at.isoformat(),
            )
        )


def _leave_at_warehouse(found: _Open, step: rules.Step, reason: str, comment: str, user_id: int) -> None:
    found.stop.completed_at = found.at
    _finish(found, step, "pickup_failed", reason=reason, comment=comment)
    session.execute(
        sa.update(Stop)
        .where(
            Stop.route_id == found.route.id,
            Stop.delivery_id == found.delivery.id,
            Stop.kind == "drop",
            Stop.lot == found.stop.lot,
        )
        .values(state="skipped", version=Stop.version + 1)
    )
    if found.delivery.state == "planned":
        move(found.delivery, "ready", user_id, found.at, reason=reason)
    session.flush()
    _depart(found, user_id)
    _close_route(found.route, found.at)


def _hand_over(found: _Open, step: rules.Step, given: HandOver, lines: list[rules.CountedLine], user_id: int) -> None:
    found.stop.arrived_at = found.stop.arrived_at or found.at
    found.stop.completed_at = found.at
    _finish(found, step, "handed_to_buyer")
    if _last_lot(found):
        outcome = rules.outcome_of(lines)
        if outcome == "delivered" and _some_lot_failed(found):
            outcome = "partially_delivered"
        proof = {
            "pin_ok": True,
            "cash_counted": given.cash_counted,
            "lat": found.tap.lat,
            "lon": found.tap.lon,
            **given.proof,
        }
        told = [line.as_json() for line in lines]
        _conclude(found, outcome, given.reason, told, proof, given.cash_counted, user_id)
    _refresh_etas(found, found.at)
    _close_route(found.route, found.at)


def _conclude(
    found: _Open,
    outcome: str,
    reason: str,
    lines: list[dict[str, Any]],
    proof: dict[str, Any],
    cash_counted: int | None,
    user_id: int,
) -> None:
    """The delivery is over at the door: its state, the attempt with the proof, and the fact for other domains."""
    delivery = found.delivery
    if delivery.state == "handed_over":
        move(delivery, "in_transit", user_id, found.at)
    rules.DELIVERY.check(delivery.state, outcome)
    move(delivery, outcome, user_id, found.at, reason=reason)
    session.add(
        DeliveryAttempt(
            delivery_id=delivery.id,
            stop_id=found.stop.id,
            courier_id=found.courier_id,
            outcome=outcome,
            reason=reason,
            lines=lines,
            proof=proof,
            happened_at=found.at,
        )
    )
    events.record(
        DeliveryCompleted(
            entity_id=delivery.id,
            fulfilment_id=delivery.fulfilment_id,
            user_id=user_id,
            outcome=outcome,
            reason=reason,
            lines=lines,
            cash_counted=cash_counted,
            happened_at=found.at.isoformat(),
        )
    )


def _lot_states(found: _Open) -> list[str]:
    """States of the other drops of the delivery in published plans."""
    if found.stop.lots == 1:
        return []
    return list(
        session.scalars(
            sa.select(Stop.state)
            .join(Route, Route.id == Stop.route_id)
            .join(RoutePlan, RoutePlan.id == Route.plan_id)
            .where(
                Stop.delivery_id == found.delivery.id,
                Stop.kind == "drop",
                Stop.id != found.stop.id,
                RoutePlan.status == "published",
            )
        )
    )


def _last_lot(found: _Open) -> bool:
    return all(state in OVER for state in _lot_states(found))


def _some_lot_failed(found: _Open) -> bool:
    return any(state in ("failed", "skipped") for state in _lot_states(found))


def _some_lot_done(found: _Open) -> bool:
    return "done" in _lot_states(found)


def _refresh_etas(found: _Open, leaves: datetime) -> None:
    """Tell the stops ahead when the truck will come, now that it leaves this one at `leaves`."""
    rows = session.execute(
        sa.select(Stop, Delivery.window_from)
        .join(Delivery, Delivery.id == Stop.delivery_id)
        .where(Stop.route_id == found.route.id, Stop.sequence > found.stop.sequence, Stop.state.not_in(OVER))
        .order_by(Stop.sequence)
    ).all()
    ahead = [_timing(stop, opens) for stop, opens in rows]
    for (stop, _opens), eta in zip(rows, rules.etas(_own_timing(found), leaves, ahead), strict=True):
        stop.eta = eta


def _timing(stop: Stop, opens: datetime) -> rules.Timing:
    return rules.Timing(stop.planned_arrival, stop.planned_departure, opens if stop.kind == "drop" else None)


def _own_timing(found: _Open) -> rules.Timing:
    return _timing(found.stop, found.delivery.window_from)


def _close_route(route: Route, at: datetime) -> None:
    """The route is finished when no stop is open; the shift of that day ends with it."""
    session.flush()
    still = session.scalar(sa.select(sa.exists().where(Stop.route_id == route.id, Stop.state.not_in(OVER))))
    if still:
        return
    route.state = "finished"
    route.finished_at = at
    day: date = clock.local(route.starts_at).date()
    session.execute(
        sa.update(Shift)
        .where(Shift.courier_id == route.courier_id, Shift.day == day, Shift.started_at.is_not(None))
        .values(ended_at=sa.func.coalesce(Shift.ended_at, at))
    )
