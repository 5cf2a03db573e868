"""What a courier does: starts the route, arrives, loads, unloads, hands over, fails. Every tap may come twice.

An action is idempotent by (stop, action): the second tap changes nothing and is no error. Locks go route, stop,
delivery, so the taps of one route follow each other. Commands answer whether they changed anything.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import replace
from datetime import date

import sqlalchemy as sa

from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor
from app.logistics import courier_photos, courier_views, rules
from app.logistics.courier_effects import (
    close_route,
    conclude,
    hand_over,
    last_lot,
    leave_at_warehouse,
    load,
    own_timing,
    refresh_etas,
    some_lot_done,
)
from app.logistics.courier_taps import OVER, HandOver, Tap, begin, finish, loaded_before
from app.logistics.models import Courier, Delivery, Route, RoutePlan, Shift

__all__ = ["OVER", "HandOver", "Tap", "arrive", "complete", "fail", "load_all_here", "start_route", "start_unloading"]


@unit_of_work
def start_route(actor: Actor, route: uuid.UUID, tap: Tap = Tap()) -> bool:
    """The route is under way; the written shift begins with it. A route may be driven before its day, if all agree.

    Doors call `shift_day.set_out`, which looks at the check of the truck first.

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
        return False
    if _busy(key.courier_id, row.id, key.day):
        raise Conflict("other_route_started")
    row.state = "started"
    row.started_at = tap.moment()
    session.execute(
        sa.update(Shift)
        .where(Shift.courier_id == key.courier_id, Shift.day == key.day, Shift.started_at.is_(None))
        .values(started_at=row.started_at)
    )
    return True


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
def arrive(actor: Actor, stop: uuid.UUID, tap: Tap = Tap()) -> bool:
    """The truck stands at the stop. A tap that comes after later ones still tells the true time.

    Raises:
        NotFound, Stale.
        Conflict: `stop_state`, `route_not_started`, `not_loaded`.
    """
    found, step = begin(actor, stop, tap, "arrive")
    if step.repeated:
        if found.stop.arrived_at is None or found.at < found.stop.arrived_at:
            found.stop.arrived_at = found.at
        return False
    loaded_before(found)
    found.stop.arrived_at = found.at
    finish(found, step, "arrived" if found.stop.kind == "drop" else "arrived_at_warehouse")
    refresh_etas(found, own_timing(found).leaves(found.at))
    return True


@unit_of_work
def start_unloading(actor: Actor, stop: uuid.UUID, tap: Tap = Tap()) -> bool:
    """Goods leave the truck.

    Raises:
        NotFound, Stale.
        Conflict: `stop_state`, `route_not_started`, `not_loaded`.
    """
    found, step = begin(actor, stop, tap, "unloading")
    if step.repeated:
        if found.stop.unloading_at is None or found.at < found.stop.unloading_at:
            found.stop.unloading_at = found.at
        return False
    loaded_before(found)
    found.stop.arrived_at = found.stop.arrived_at or found.at
    found.stop.unloading_at = found.at
    finish(found, step, "unloading")
    return True


def complete(actor: Actor, stop: uuid.UUID, given: HandOver = HandOver(), tap: Tap = Tap()) -> bool:
    """Loaded (at a warehouse), or handed over to the buyer (at a site) against the PIN.

    The third wrong PIN locks the door until the dispatcher opens it again; failures are counted even though the call is
    refused. A hand-over without signal is told in `try_complete`.

    Raises:
        NotFound, Stale.
        Invalid: counted lines, `pin_wrong` with the tries left, missing cash, `unknown_picture`.
        Conflict: `pin_locked`, `stop_state`, `route_not_started`, `not_loaded`.
    """
    done = try_complete(actor, stop, given, tap)
    if isinstance(done, bool):
        return done
    raise Conflict("pin_locked") if done.left == 0 else Invalid.one("/pin", "pin_wrong", left=done.left)


@unit_of_work
def try_complete(actor: Actor, stop: uuid.UUID, given: HandOver, tap: Tap) -> bool | rules.WrongPin:
    """`complete`, with a wrong PIN as an answer: the count of failures must be committed, so it cannot be raised.

    Goods that were handed over without signal are gone: a PIN that turns out wrong (or was not given) then is recorded,
    not refused, if a signature or a photograph says who has them; the delivery is marked as not confirmed by the PIN.
    """
    found, step = begin(actor, stop, tap, "complete")
    if step.repeated:
        return False
    delivery = found.delivery
    if found.stop.kind == "pickup":
        pictures = _pictures(actor, delivery, given)
        load(found, step, given, actor.user, pictures)
        return True
    loaded_before(found)
    lines = rules.count_lines(delivery.cargo, given.counted, given.reason, given.reasons)
    if given.cash_in_full and delivery.cash_due:
        given = replace(given, cash_counted=delivery.cash_due)
    if delivery.cash_due and given.cash_counted is None:
        raise Invalid.one("/cash", "required")
    if given.cash_counted is not None and given.cash_counted < 0:
        raise Invalid.one("/cash", "too_small", minimum=0)
    may_lack = given.offline and bool(given.photos or given.signature)
    wrong = _try_pin(delivery, given.pin, may_lack)
    if wrong is not None and not may_lack:
        return wrong
    pictures = _pictures(actor, delivery, given)
    hand_over(found, step, given, lines, actor.user, pictures, confirmed=wrong is None)
    return True


@unit_of_work
def load_all_here(actor: Actor, stop: uuid.UUID, tap: Tap = Tap(), released_by: str = "") -> int:
    """Everything the route takes at this warehouse now is on the truck, whole. Returns how many stops that were.

    Raises:
        NotFound: absent, or not a pickup of the courier.
        Conflict: as `complete`.
    """
    here = courier_views.stop(actor.user, stop)
    if here.kind != "pickup":
        raise NotFound()
    given = HandOver(received_by=released_by)
    loaded = 0
    for one in courier_views.pickups_here(actor.user, stop):
        loaded += try_complete(actor, one, given, Tap(tap.at, tap.lat, tap.lon)) is True
    return loaded


def _pictures(actor: Actor, delivery: Delivery, given: HandOver) -> courier_photos.Attached:
    return courier_photos.attach(
        actor, given.photos, given.signature, delivery_id=delivery.id, strict=not given.offline
    )  # fmt: skip


def _try_pin(delivery: Delivery, pin: str, may_lack: bool) -> rules.WrongPin | None:
    """None when the PIN is right, else the number of tries left."""
    if delivery.pin_failures >= rules.PIN_TRIES:
        raise Conflict("pin_locked")
    left = rules.PIN_TRIES - delivery.pin_failures
    if not pin.strip():
        if may_lack:
            return rules.WrongPin(left)
        raise Invalid.one("/pin", "pin_needed")
    if secrets.compare_digest(pin.strip().encode(), delivery.pin.encode()):
        return None
    delivery.pin_failures += 1
    return rules.WrongPin(left - 1)


@unit_of_work
def fail(
    actor: Actor,
    stop: uuid.UUID,
    reason: str,
    comment: str = "",
    tap: Tap = Tap(),
    given: HandOver = HandOver(),
) -> bool:
    """The stop cannot be done. At a warehouse: the delivery goes back to the dispatcher, its drop is skipped.

    Raises:
        NotFound, Stale.
        Invalid: a reason that is not in the list, `unknown_picture`.
        Conflict: `stop_state`, `route_not_started`, `not_loaded`.
    """
    if reason not in rules.FAIL_REASONS:
        raise Invalid.one("/reason", "unknown_option")
    found, step = begin(actor, stop, tap, "fail")
    if step.repeated:
        return False
    if found.stop.kind == "pickup":
        pictures = _pictures(actor, found.delivery, given)
        leave_at_warehouse(found, step, reason, comment, actor.user, pictures)
        return True
    loaded_before(found)
    pictures = _pictures(actor, found.delivery, given)
    found.stop.completed_at = found.at
    finish(found, step, "stop_failed", reason=reason, comment=comment, **pictures.as_json())
    proof = {"comment": comment, "lat": tap.lat, "lon": tap.lon, **pictures.as_json()}
    if last_lot(found):
        partly = some_lot_done(found)
        conclude(found, "partially_delivered" if partly else "failed", reason, [], proof, None, actor.user)
    refresh_etas(found, found.at)
    close_route(found.route, found.at)
    return True
