"""A word from the waiting buyer to the driver: plain text on the delivery's axis, seen by driver and dispatcher."""

from __future__ import annotations

import re
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor
from app.logistics import rules
from app.logistics.models import Courier, Delivery, DeliveryEvent, Route, RoutePlan, Stop
from app.logistics.service import note

KIND = "message"
LONGEST = 500
MOST = 20
"""So many words of one delivery; a driver reads them at the wheel."""
OPEN = ("ready", "planned", "handed_over", "in_transit")


@dataclass(frozen=True, slots=True)
class Message:
    """A word of the buyer."""

    at: datetime
    text: str


def plain(text: str) -> str:
    """The text without anything that is not text: control characters go, blanks become one, lines stay lines."""
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c)[0] != "C")
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in kept.strip().split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def by_link(token: str, text: str) -> None:
    """Written by whoever holds the link.

    Raises:
        NotFound: the link opens nothing, whatever the reason.
        Invalid, Conflict: as `of_buyer`.
    """
    row = session.execute(sa.select(Delivery.id, Delivery.state).where(Delivery.tracking_token == token)).one_or_none()
    if row is None or row.state not in rules.ON_THE_WAY:
        raise NotFound()
    _write(row.id, text, None)


def of_buyer(actor: Actor, delivery: uuid.UUID, text: str) -> None:
    """Written by the buyer, from the day the goods are ready until they are there.

    Raises:
        NotFound: absent, or another buyer's.
        Invalid: `required`, `too_long`.
        Conflict: `delivery_state`: nobody drives it yet, or it is over; `too_many_messages`.
    """
    known = sa.select(Delivery.id).where(Delivery.public_id == delivery, Delivery.buyer_id == actor.user)
    found = session.scalar(known)
    if found is None:
        raise NotFound()
    _write(found, text, actor.user)


@unit_of_work
def _write(delivery_id: int, text: str, user_id: int | None) -> None:
    said = plain(text)
    if not said:
        raise Invalid.one("/text", "required")
    if len(said) > LONGEST:
        raise Invalid.one("/text", "too_long", maximum=LONGEST)
    [row] = lock_rows(Delivery, [delivery_id])
    if row.state not in OPEN:
        raise Conflict("delivery_state", state=row.state, wanted="in_transit")
    if len(of_delivery(delivery_id)) >= MOST:
        raise Conflict("too_many_messages", maximum=MOST)
    note(delivery_id, KIND, user_id, comment=said)


def of_delivery(delivery_id: int) -> list[Message]:
    """What the buyer wrote, newest first. The caller has checked the reader."""
    return _messages(DeliveryEvent.delivery_id == delivery_id)


def of_trip(actor: Actor, delivery: uuid.UUID) -> list[Message]:
    """What the buyer wrote about an own delivery, newest first; empty for anybody else."""
    mine = sa.select(Delivery.id).where(Delivery.public_id == delivery, Delivery.buyer_id == actor.user)
    return _messages(DeliveryEvent.delivery_id.in_(mine))


def of_stop(user_id: int, stop: uuid.UUID) -> list[Message]:
    """What the buyer of a stop wrote, for the courier who drives there; empty for anybody else."""
    mine = (
        sa.select(Stop.delivery_id)
        .join(Route, Route.id == Stop.route_id)
        .join(RoutePlan, RoutePlan.id == Route.plan_id)
        .join(Courier, Courier.id == Route.courier_id)
        .where(Stop.public_id == stop, Courier.user_id == user_id, RoutePlan.status == "published")
    )
    return _messages(DeliveryEvent.delivery_id.in_(mine))


def _messages(condition: sa.ColumnElement[bool]) -> list[Message]:
    rows = session.execute(
        sa.select(DeliveryEvent.happened_at, DeliveryEvent.details["comment"].astext)
        .where(condition, DeliveryEvent.kind == KIND)
        .order_by(DeliveryEvent.id.desc())
    )
    return [Message(*row) for row in rows]
