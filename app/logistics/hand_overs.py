"""A delivery handed to another carrier: offered with a reason, a price and a deadline; accepted, declined, withdrawn.

The price is between the two carriers. What the buyer pays, and who has sold the delivery to the buyer, stays.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.accounts import queries as accounts
from app.core import audit, clock, timers
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.machine import machine
from app.core.permissions import Actor
from app.logistics import doubts, rules, slots
from app.logistics.fleet_models import HAND_OVER_REASONS, HandOver
from app.logistics.models import Carrier, CarrierWarehouse, Delivery, Route, RoutePlan, Stop
from app.logistics.service import move, note

HAND_OVER = machine(
    "hand_over",
    {
        "offered": "accepted declined withdrawn expired",
        "accepted": "",
        "declined": "",
        "withdrawn": "",
        "expired": "",
    },
)
BEFORE_LOADING = frozenset({"waiting", "ready", "planned"})
SHORTEST, LONGEST = 1, 72
"""Hours the other carrier has to answer."""
MOST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Offer:
    """What a dispatcher offers: to whom (the company's outward id), why, for how many kopeks, hours to answer."""

    carrier: uuid.UUID
    reason: str
    price: int
    hours: int = 4
    note: str = ""


@dataclass(frozen=True, slots=True)
class HandOverRow:
    """An offer as both sides see it. Before it is accepted the other side sees no names and telephones."""

    public_id: uuid.UUID
    number: str
    delivery: uuid.UUID
    state: str
    reason: str
    note: str
    price: int
    answer: str
    expires_at: datetime
    created_at: datetime
    decided_at: datetime | None
    from_carrier_id: int
    from_name: str
    to_name: str
    day: date
    window_from: datetime
    window_to: datetime
    pickup: dict[str, Any]
    site: dict[str, Any]
    needs: list[str]
    mass_kg: int
    volume_l: int
    longest_mm: int

    def is_mine(self, carrier_id: int) -> bool:
        """Whether this carrier offered it (else it was offered to it)."""
        return self.from_carrier_id == carrier_id

    @property
    def way(self) -> str:
        """From where to where, without names."""
        return f"{self.pickup.get('address', '')} → {self.site.get('address', '')}"


_FROM, _TO = aliased(Carrier), aliased(Carrier)
_ROW: list[Any] = [
    HandOver.public_id, Delivery.number, Delivery.public_id.label("delivery"), HandOver.state, HandOver.reason,
    HandOver.note, HandOver.price, HandOver.answer, HandOver.expires_at, HandOver.created_at, HandOver.decided_at,
    HandOver.from_carrier_id, _FROM.name, _TO.name, Delivery.day, Delivery.window_from, Delivery.window_to,
    Delivery.pickup, Delivery.site, Delivery.needs, Delivery.mass_kg, Delivery.volume_l, Delivery.longest_mm,
]  # fmt: skip


def _select(carrier_id: int) -> Any:
    """Offers that a carrier made or got: nobody else's."""
    return (
        sa.select(*_ROW)
        .join(Delivery, Delivery.id == HandOver.delivery_id)
        .join(_FROM, _FROM.id == HandOver.from_carrier_id)
        .join(_TO, _TO.id == HandOver.to_carrier_id)
        .where(sa.or_(HandOver.from_carrier_id == carrier_id, HandOver.to_carrier_id == carrier_id))
    )


def hand_overs(carrier_id: int, limit: int = 200) -> list[HandOverRow]:
    """What a carrier offered and was offered, open ones first, then the newest."""
    order = ((HandOver.state == "offered").desc(), HandOver.id.desc())
    return [HandOverRow(*row) for row in session.execute(_select(carrier_id).order_by(*order).limit(limit))]


def hand_over(carrier_id: int, public_id: uuid.UUID) -> HandOverRow:
    """An offer that the carrier made or got.

    Raises:
        NotFound: absent, or between others.
    """
    row = session.execute(_select(carrier_id).where(HandOver.public_id == public_id)).one_or_none()
    if row is None:
        raise NotFound()
    return HandOverRow(*row)


def of_delivery(carrier_id: int, delivery_id: int) -> list[HandOverRow]:
    """The history of hand-overs of a delivery that this carrier took part in, newest first."""
    rows = session.execute(_select(carrier_id).where(HandOver.delivery_id == delivery_id).order_by(HandOver.id.desc()))
    return [HandOverRow(*row) for row in rows]


def count_offered(carrier_id: int) -> int:
    """Offers that wait for this carrier's answer."""
    waiting = sa.select(sa.func.count()).where(HandOver.to_carrier_id == carrier_id, HandOver.state == "offered")
    return session.scalar(waiting) or 0


@dataclass(frozen=True, slots=True)
class Partner:
    """A carrier that something may be offered to. `serves`: it picks up at that warehouse anyway."""

    public_id: uuid.UUID
    name: str
    serves: bool


def partners(carrier_id: int, warehouse_id: int | None = None) -> list[Partner]:
    """The other carriers of the market, those that serve the warehouse first."""
    serves = sa.exists().where(
        CarrierWarehouse.carrier_id == Carrier.id, CarrierWarehouse.warehouse_id == (warehouse_id or 0)
    )
    rows = session.execute(
        sa.select(Carrier.id, Carrier.name, serves.label("serves"))
        .where(Carrier.is_active, Carrier.id != carrier_id)
        .order_by(serves.desc(), Carrier.name, Carrier.id)
    ).all()
    keys = accounts.outward_ids(row.id for row in rows)
    return [Partner(keys[row.id], row.name, row.serves) for row in rows]


@unit_of_work
def offer(actor: Actor, delivery: uuid.UUID, wanted: Offer) -> uuid.UUID:
    """Offer a delivery of the actor's carrier to another.

    Raises:
        NotFound: absent, or another carrier's.
        Invalid: an unknown carrier or reason, a price below zero, a deadline out of range.
        Conflict: `hand_over_loaded`: the goods are on the truck or it is over; `joint_stays`; `hand_over_open`.
    """
    found = session.scalar(
        sa.select(Delivery.id).where(Delivery.public_id == delivery, Delivery.carrier_id == actor.carrier_id)
    )
    if found is None:
        raise NotFound()
    [row] = lock_rows(Delivery, [found])
    if row.carrier_id != actor.carrier_id:
        raise NotFound()
    to = _checked(actor, wanted)
    _movable(row)
    present = sa.select(HandOver.id).where(HandOver.delivery_id == row.id, HandOver.state == "offered")
    if session.scalar(present) is not None:
        raise Conflict("hand_over_open")
    made = HandOver(
        delivery_id=row.id, from_carrier_id=actor.carrier_id, to_carrier_id=to, reason=wanted.reason,
        note=wanted.note.strip(), price=wanted.price, offered_by_id=actor.user,
        expires_at=min(clock.now() + timedelta(hours=wanted.hours), row.window_to),
    )  # fmt: skip
    session.add(made)
    session.flush()
    timers.set_timer("hand_over", made.id, "expire", made.expires_at)
    note(row.id, "hand_over_offered", actor.user, carrier=to, reason=wanted.reason)
    audit.record(actor, "hand_over.offered", "hand_over", made.id, after={"price": wanted.price, "to": to})
    return made.public_id


def _checked(actor: Actor, wanted: Offer) -> int:
    others = session.scalars(sa.select(Carrier.id).where(Carrier.is_active, Carrier.id != actor.carrier_id))
    keys = {key: own for own, key in accounts.outward_ids(others).items()}
    to = keys.get(wanted.carrier)
    errors = [] if to is not None else [FieldError("/carrier", "unknown_option")]
    if wanted.reason not in HAND_OVER_REASONS:
        errors.append(FieldError("/reason", "unknown_option"))
    if not 0 <= wanted.price <= 10**12:
        errors.append(FieldError("/price", "out_of_range", {"minimum": 0, "maximum": 10**12}))
    if not SHORTEST <= wanted.hours <= LONGEST:
        errors.append(FieldError("/hours", "out_of_range", {"minimum": SHORTEST, "maximum": LONGEST}))
    if len(wanted.note) > MOST_NOTE:
        errors.append(FieldError("/note", "too_long", {"maximum": MOST_NOTE}))
    if errors or to is None:
        raise Invalid(errors)
    return to


def _movable(row: Delivery) -> None:
    """Refuse what cannot change hands any more.

    Raises:
        Conflict: `hand_over_loaded`, `joint_stays`, `hand_over_late`.
    """
    if row.state not in BEFORE_LOADING:
        raise Conflict("hand_over_loaded", state=row.state)
    if row.joint_id is not None:
        raise Conflict("joint_stays")
    if row.window_to <= clock.now():
        raise Conflict("hand_over_late")


def _both(actor: Actor, public_id: uuid.UUID, side: Any) -> tuple[HandOver, Delivery]:
    """The offer and its delivery, both locked, the delivery first: everybody else locks deliveries first too."""
    found = session.execute(
        sa.select(HandOver.id, HandOver.delivery_id).where(HandOver.public_id == public_id, side == actor.carrier_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    [row] = lock_rows(Delivery, [found.delivery_id])
    [made] = lock_rows(HandOver, [found.id])
    return made, row


@unit_of_work
def accept(actor: Actor, public_id: uuid.UUID) -> None:
    """Take a delivery over: a place in the own window is taken, then the other carrier's is given back.

    Drafts of the other carrier lose it, its published route skips it, both plans are marked as out of date. Said again
    nothing happens.

    Raises:
        NotFound: absent, or offered to others.
        Conflict: `hand_over_state`; `hand_over_loaded`; `joint_stays`; `hand_over_late`; `slot_full`, see `slots.take`.
    """
    made, row = _both(actor, public_id, HandOver.to_carrier_id)
    if made.state == "accepted":
        return
    HAND_OVER.check(made.state, "accepted")
    if made.expires_at <= clock.now():
        raise Conflict("hand_over_state", state="expired", wanted="accepted")
    if row.carrier_id != made.from_carrier_id:
        raise Conflict("hand_over_state", state="withdrawn", wanted="accepted")
    _movable(row)
    old = (row.slot_id, row.slot_kg)
    row.slot_id = slots.take(slots.Wish(actor.carrier_id, row.window_from, row.window_to, row.mass_kg))
    row.slot_kg = row.mass_kg if row.slot_id is not None else 0
    slots.free(*old)
    _leave_routes(row)
    row.carrier_id = actor.carrier_id
    if row.state == "planned":
        rules.DELIVERY.check(row.state, "ready")
        move(row, "ready", actor.user)
    row.version += 1
    note(row.id, "hand_over_accepted", actor.user, before=made.from_carrier_id, carrier=actor.carrier_id)
    _decide(actor, made, "accepted")


def _leave_routes(row: Delivery) -> None:
    """Drafts forget the delivery, a published route passes it by."""
    of = sa.select(Stop.id).join(Route, Route.id == Stop.route_id).join(RoutePlan, RoutePlan.id == Route.plan_id)
    doubts.raise_for(row.id, "handed_over")
    drafts = of.where(Stop.delivery_id == row.id, RoutePlan.status == "draft")
    session.execute(sa.delete(Stop).where(Stop.id.in_(drafts)))
    session.execute(
        sa.update(Stop)
        .where(Stop.delivery_id == row.id, Stop.state.in_(("planned", "arrived")))
        .values(state="skipped", version=Stop.version + 1)
    )


@unit_of_work
def decline(actor: Actor, public_id: uuid.UUID, answer: str = "") -> None:
    """Say no; the delivery stays where it is.

    Raises:
        NotFound: absent, or offered to others.
        Invalid: the answer is too long.
        Conflict: `hand_over_state`.
    """
    if len(answer) > MOST_NOTE:
        raise Invalid.one("/answer", "too_long", maximum=MOST_NOTE)
    made, row = _both(actor, public_id, HandOver.to_carrier_id)
    HAND_OVER.check(made.state, "declined")
    made.answer = answer.strip()
    note(row.id, "hand_over_declined", actor.user, carrier=actor.carrier_id)
    _decide(actor, made, "declined")


@unit_of_work
def withdraw(actor: Actor, public_id: uuid.UUID) -> None:
    """Take an offer back before it is answered.

    Raises:
        NotFound: absent, or made by others.
        Conflict: `hand_over_state`.
    """
    made, row = _both(actor, public_id, HandOver.from_carrier_id)
    HAND_OVER.check(made.state, "withdrawn")
    note(row.id, "hand_over_withdrawn", actor.user, carrier=made.to_carrier_id)
    _decide(actor, made, "withdrawn")


@unit_of_work
def expire(hand_over_id: int) -> None:
    """The deadline has passed without an answer. Safe to call twice, early and late."""
    delivery_id = session.scalar(sa.select(HandOver.delivery_id).where(HandOver.id == hand_over_id))
    if delivery_id is None:
        return
    lock_rows(Delivery, [delivery_id])
    [made] = lock_rows(HandOver, [hand_over_id])
    if made.state == "offered" and made.expires_at <= clock.now():
        made.state, made.decided_at = "expired", clock.now()
        made.version += 1
        note(delivery_id, "hand_over_expired", None, carrier=made.to_carrier_id)


def _decide(actor: Actor, made: HandOver, state: str) -> None:
    made.state, made.decided_at, made.decided_by_id = state, clock.now(), actor.user
    made.version += 1
    timers.clear("hand_over", made.id, "expire")
    audit.record(actor, f"hand_over.{state}", "hand_over", made.id, after={"price": made.price})
