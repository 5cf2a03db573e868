"""Taps that waited in a phone: each is done once, in order, and what no longer fits is kept, never lost.

The phone gives every tap a key. A tap that the server knows by its key is answered with what became of it then. A tap
that the plan no longer allows (the stop was cancelled, moved to another route, changed) stays in `courier_action` and
in the history of the delivery with everything the driver counted.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core import clock
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, DomainError, Invalid, NotFound, Stale, Unavailable
from app.core.permissions import Actor
from app.logistics import courier_day, courier_photos, rules, shift_day
from app.logistics.courier_models import CourierAction
from app.logistics.courier_taps import HandOver, Tap
from app.logistics.models import Courier, Delivery, DeliveryEvent, Route, RoutePlan, Stop
from app.logistics.service import note
from app.logistics.shift_day import Look

KINDS = ("check", "start", "arrive", "unloading", "complete", "load_all", "fail", "end")
MOST = 100
"""Taps in one call; a phone with more sends the rest after the answer."""
STOP_KINDS = ("arrive", "unloading", "complete", "load_all", "fail")


@dataclass(frozen=True, slots=True)
class Sent:
    """A tap as the phone sends it.

    key: the phone's name for it. subject: the stop, for `check`, `start` and `end` the route. version: of the stop as
    the driver saw it. offline: it could not be sent when it was tapped. given: counts, PIN, pictures. reason, comment:
    of `fail`. look: of `check` and `end`.
    """

    key: uuid.UUID
    kind: str
    subject: uuid.UUID
    at: datetime | None = None
    lat: float | None = None
    lon: float | None = None
    version: int | None = None
    offline: bool = False
    given: HandOver = field(default_factory=HandOver)
    reason: str = ""
    comment: str = ""
    look: Look | None = None

    def tap(self, version: int | None = None) -> Tap:
        return Tap(self.at, self.lat, self.lon, version)


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a tap. outcome: done, repeated (known by its key, or done another way before), conflict (kept, but
    the plan is another now), refused (something in it is wrong). `errors`: (pointer, code, context) of wrong fields.
    """

    key: uuid.UUID
    outcome: str
    code: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    errors: Sequence[tuple[str, str, Mapping[str, Any]]] = ()
    first: str = ""
    """For a key that is known: what became of it the first time."""
    unconfirmed: bool = False
    """Handed over without signal, and the PIN was not right."""


@dataclass(frozen=True, slots=True)
class Now:
    """How a stop stands, for a driver whose tap no longer fits."""

    state: str
    delivery_state: str
    address: str
    number: str
    driver: str


def take(actor: Actor, sent: Sequence[Sent]) -> list[Became]:
    """Do the taps in order, each in a transaction of its own. Answers end early when the database cannot be reached.

    Raises:
        Unavailable: not even the first could be tried.
    """
    told: list[Became] = []
    for one in sent[:MOST]:
        try:
            told.append(_take_one(actor, one))
        except Unavailable:
            if not told:
                raise
            break
    return told


def _take_one(actor: Actor, one: Sent) -> Became:
    try:
        return _do(actor, one)
    except Unavailable:
        raise
    except DomainError as refusal:
        return keep(actor, one, refusal)


@unit_of_work
def _do(actor: Actor, one: Sent) -> Became:
    """The tap and the row that remembers it, in one transaction: both or neither."""
    row_id = _remember(actor, one, "done")
    if row_id is None:
        return _known(actor, one.key)
    if one.kind not in KINDS:
        raise Invalid.one("/kind", "unknown_option")
    subject, version = one.subject, one.version
    if one.kind in STOP_KINDS:
        subject, moved = _present_stop(actor, one.subject)
        # a fact of time needs no version; goods and money are compared, unless the stop has a new number anyway
        version = None if moved or one.kind in ("arrive", "unloading", "load_all") else version
    done = _ACTS[one.kind](actor, one, subject, one.tap(version))
    outcome, code, context = "done" if done else "repeated", "", {}
    if isinstance(done, rules.WrongPin):
        code = "pin_wrong" if done.left else "pin_locked"
        outcome, context = "conflict" if one.offline else "refused", {"left": done.left}
        if one.offline:
            _note_conflict(actor, one, code)
    unconfirmed = done is True and one.kind == "complete" and _is_unconfirmed(subject)
    session.execute(
        sa.update(CourierAction)
        .where(CourierAction.id == row_id)
        .values(
            outcome=outcome, code=code or ("pin_unconfirmed" if unconfirmed else ""), context=context,
            delivery_id=_delivery_of(actor, one),
        )
    )  # fmt: skip
    errors = [("/pin", code, context)] if code else []
    return Became(
        one.key, outcome, "pin_unconfirmed" if unconfirmed else code, context, errors, unconfirmed=unconfirmed
    )  # fmt: skip


def _start(actor: Actor, _one: Sent, subject: uuid.UUID, tap: Tap) -> bool:
    return shift_day.set_out(actor, subject, tap)


def _check(actor: Actor, one: Sent, subject: uuid.UUID, tap: Tap) -> bool:
    if one.look is None:
        raise Invalid.one("/odometer", "required")
    shift_day.check_vehicle(actor, subject, one.look, tap)
    return True


def _end(actor: Actor, one: Sent, subject: uuid.UUID, tap: Tap) -> bool:
    if one.look is None:
        raise Invalid.one("/odometer", "required")
    return shift_day.end_shift(actor, subject, one.look, tap)


_ACTS: dict[str, Callable[[Actor, Sent, uuid.UUID, Tap], bool | rules.WrongPin]] = {
    "check": _check,
    "start": _start,
    "end": _end,
    "arrive": lambda actor, _one, stop, tap: courier_day.arrive(actor, stop, tap),
    "unloading": lambda actor, _one, stop, tap: courier_day.start_unloading(actor, stop, tap),
    "complete": lambda actor, one, stop, tap: courier_day.try_complete(actor, stop, one.given, tap),
    "load_all": lambda actor, one, stop, tap: (
        courier_day.load_all_here(actor, stop, tap, one.given.received_by) > 0
    ),
    "fail": lambda actor, one, stop, tap: courier_day.fail(actor, stop, one.reason, one.comment, tap, one.given),
}  # fmt: skip


def _remember(actor: Actor, one: Sent, outcome: str, refusal: DomainError | None = None) -> int | None:
    """Write the row of a tap; None when its key is known. A second sending of the same moment waits for the first."""
    found: int | None = session.scalar(
        insert(CourierAction)
        .values(
            user_id=actor.user, key=one.key, kind=one.kind[:20], subject=one.subject, tapped_at=one.tap().moment(),
            received_at=clock.now(),
            payload=_payload(one), outcome=outcome, code=refusal.code if refusal else "",
            context=_told(refusal) if refusal else {},
            delivery_id=_delivery_of(actor, one) if refusal else None,
        )
        .on_conflict_do_nothing(index_elements=["user_id", "key"])
        .returning(CourierAction.id)
    )  # fmt: skip
    return found


def _told(refusal: DomainError) -> dict[str, Any]:
    """The values of a refusal as they are kept; of wrong fields the list of them."""
    if isinstance(refusal, Invalid):
        return {"errors": [[one.pointer, one.code, one.context] for one in refusal.errors]}
    return dict(refusal.context)


def _payload(one: Sent) -> dict[str, Any]:
    """What is kept of a tap; the PIN is not."""
    given = one.given
    counted = {line: format(value, "f") for line, value in given.counted.items()}
    found: dict[str, Any] = {
        "phone_at": one.at.isoformat() if one.at else None, "lat": one.lat, "lon": one.lon, "version": one.version,
        "offline": one.offline, "counted": counted, "reasons": dict(given.reasons),
        "reason": one.reason or given.reason, "comment": one.comment, "cash_counted": given.cash_counted,
        "pin_given": bool(given.pin), "received_by": given.received_by,
        "photos": [str(photo) for photo in given.photos],
        "signature": str(given.signature) if given.signature else None,
    }  # fmt: skip
    if one.look is not None:
        found |= {
            "odometer_km": one.look.odometer_km, "defects": dict(one.look.defects), "may_drive": one.look.may_drive,
            "note": one.look.note, "photos": [str(photo) for photo in one.look.photos],
        }  # fmt: skip
    return {name: value for name, value in found.items() if value not in (None, "", {}, [], False)}


def _known(actor: Actor, key: uuid.UUID) -> Became:
    row = session.execute(
        sa.select(CourierAction.outcome, CourierAction.code, CourierAction.context).where(
            CourierAction.user_id == actor.user, CourierAction.key == key
        )
    ).one()
    errors = [tuple(one) for one in row.context.get("errors", ())]
    context = {name: value for name, value in row.context.items() if name != "errors"}
    return Became(
        key, "repeated", row.code, context, errors, first=row.outcome, unconfirmed=row.code == "pin_unconfirmed"
    )  # fmt: skip


@unit_of_work
def keep(actor: Actor, one: Sent, refusal: DomainError) -> Became:
    """A tap that could not be done: the row, a line in the history of the delivery, and its pictures."""
    outcome = "conflict" if isinstance(refusal, Conflict | Stale) else "refused"
    if _remember(actor, one, outcome, refusal) is None:
        return _known(actor, one.key)
    if one.offline or outcome == "conflict":
        _note_conflict(actor, one, refusal.code)
    told = _told(refusal)
    errors = [tuple(wrong) for wrong in told.pop("errors", ())]
    return Became(one.key, outcome, refusal.code, told, errors)


def _note_conflict(actor: Actor, one: Sent, code: str) -> None:
    delivery_id = _delivery_of(actor, one)
    if delivery_id is None:
        return
    given = one.given
    pictures = courier_photos.attach(actor, given.photos, given.signature, delivery_id=delivery_id, strict=False)
    details = _payload(one) | {"action": one.kind, "code": code, "stop": str(one.subject), **pictures.as_json()}
    note(delivery_id, "tap_conflict", actor.user, one.tap().moment(), **details)


def _delivery_of(actor: Actor, one: Sent) -> int | None:
    """The delivery a tap is about, if a carrier the actor drives for brings it."""
    if one.kind not in STOP_KINDS:
        return None
    found: int | None = session.scalar(
        sa.select(Delivery.id)
        .join(Stop, Stop.delivery_id == Delivery.id)
        .join(Courier, Courier.carrier_id == Delivery.carrier_id)
        .where(Stop.public_id == one.subject, Courier.user_id == actor.user)
        .limit(1)
    )
    return found


def _present_stop(actor: Actor, stop: uuid.UUID) -> tuple[uuid.UUID, bool]:
    """The courier's stop in the published plan, and whether a newer plan has given it another id.

    Raises:
        NotFound: no stop of a carrier the courier drives for.
        Conflict: `stop_moved`: it stands in no published route of this courier any more.
    """
    old = (
        sa.select(Stop.delivery_id, Stop.kind, Stop.lot, Courier.id.label("courier_id"))
        .select_from(Stop)
        .join(Delivery, Delivery.id == Stop.delivery_id)
        .join(Courier, Courier.carrier_id == Delivery.carrier_id)
        .where(Stop.public_id == stop, Courier.user_id == actor.user)
        .subquery()
    )
    if session.scalar(sa.select(old.c.delivery_id).limit(1)) is None:
        raise NotFound()
    present = session.scalar(
        sa.select(Stop.public_id)
        .join(Route, Route.id == Stop.route_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(
            old,
            sa.and_(
                old.c.delivery_id == Stop.delivery_id, old.c.kind == Stop.kind, old.c.lot == Stop.lot,
                old.c.courier_id == Route.courier_id,
            ),
        )
        .where(RoutePlan.status == "published")
        .order_by(Stop.public_id != stop, RoutePlan.day.desc())
        .limit(1)
    )  # fmt: skip
    if present is None:
        raise Conflict("stop_moved")
    return present, present != stop


def _is_unconfirmed(stop: uuid.UUID) -> bool:
    return bool(
        session.scalar(
            sa.select(
                sa.exists()
                .where(DeliveryEvent.kind == "handed_over_unconfirmed", DeliveryEvent.delivery_id == Stop.delivery_id)
                .where(Stop.public_id == stop, DeliveryEvent.details["stop"].astext == str(stop))
            )
        )
    )


def now_of(actor: Actor, stop: uuid.UUID) -> Now | None:
    """How a stop of the actor's carrier stands now, in whose route it is; None for what is nobody's business here."""
    row = session.execute(
        sa.select(Stop.state, Delivery.state.label("delivery_state"), Delivery.site, Delivery.number, Delivery.id)
        .join(Delivery, Delivery.id == Stop.delivery_id)
        .join(Courier, Courier.carrier_id == Delivery.carrier_id)
        .where(Stop.public_id == stop, Courier.user_id == actor.user)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    driver = session.scalar(
        sa.select(Courier.name)
        .join(Route, Route.courier_id == Courier.id)
        .join(Stop, Stop.route_id == Route.id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .where(Stop.delivery_id == row.id, RoutePlan.status == "published")
        .order_by(RoutePlan.day.desc(), Stop.sequence.desc())
        .limit(1)
    )
    return Now(row.state, row.delivery_state, str(row.site.get("address", "")), row.number, driver or "")
