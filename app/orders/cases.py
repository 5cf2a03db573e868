"""What returns and claims have in common: the market's clock over them, their history, telling the other side."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.core import audit, clock, mail, timers
from app.core.db import session
from app.core.errors import FieldError, Invalid, NotFound
from app.core.machine import Machine
from app.core.permissions import Actor
from app.orders import return_rules
from app.orders.models import Order, OrderGroup
from app.orders.return_models import Claim, ReturnRequest
from app.orders.transitions import SYSTEM, locked_order, note

Case = ReturnRequest | Claim
Locked = tuple[OrderGroup, Order]
_NAMES: dict[type, tuple[str, str, Machine]] = {
    ReturnRequest: ("return", "return_request", return_rules.RETURN),
    Claim: ("claim", "claim", return_rules.CLAIM),
}


def find(model: type[Case], public_id: uuid.UUID, *conditions: sa.ColumnElement[bool]) -> int:
    """The inner id of a case that the conditions allow.

    Raises:
        NotFound: absent, or somebody else's.
    """
    found: int | None = session.scalar(
        sa.select(model.id)
        .join(Order, Order.id == model.order_id)
        .join(OrderGroup, OrderGroup.id == Order.group_id)
        .where(model.public_id == public_id, *conditions)
    )
    if found is None:
        raise NotFound()
    return found


def is_buyers(actor: Actor) -> sa.ColumnElement[bool]:
    """Cases of orders that the actor placed."""
    return OrderGroup.user_id == actor.user


def is_sellers(actor: Actor) -> sa.ColumnElement[bool]:
    """Cases of orders of the actor's seller; of all for the operator."""
    return sa.true() if actor.is_admin else Order.seller_id == actor.seller_id


def order_of(actor: Actor, number: str) -> Locked:
    """An order that the actor placed, locked with its purchase.

    Raises:
        NotFound: absent, or another person's.
    """
    found = session.scalar(
        sa.select(Order.id)
        .join(OrderGroup, OrderGroup.id == Order.group_id)
        .where(Order.number == number, is_buyers(actor))
    )
    if found is None:
        raise NotFound()
    group, order, _trips = locked_order(found)
    return group, order


def move(
    actor: Actor, order: Order, row: Case, new: str, *, wait: timedelta | None = None, reason: str = "",
    details: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Make a declared transition of a locked case: history, audit, and when the market goes on by itself.

    Args:
        wait: time for the next step; None: nobody's silence changes anything any more.

    Raises:
        Conflict: `return_state` or `claim_state`.
    """
    name, table, states = _NAMES[type(row)]
    old = row.status
    states.check(old, new)
    row.status = new
    if new in states.last:
        row.closed_at = clock.now()
    wait_until(row, None if wait is None else clock.now() + wait)
    facts = {"case": str(row.public_id), **(details or {})}
    note(actor, order, f"{name}.{new}", old, new, reason=reason, details=facts)
    audit.record(actor, f"{name}.{new}", table, row.id, before={"status": old}, after={"status": new, **facts})


def wait_until(row: Case, due: datetime | None) -> None:
    """Set, move or lift the moment at which the market goes on with a case."""
    name = _NAMES[type(row)][0]
    row.due_at = due
    session.flush()
    if due is None:
        timers.clear(name, row.id, "due")
    else:
        timers.set_timer(name, row.id, "due", due)


def is_due(row: Case) -> bool:
    """Whether the time of a locked case is over; a timer may come late or after the case went on."""
    return row.due_at is not None and row.due_at <= clock.now()


def text_of(text: str, pointer: str, errors: list[FieldError], *, required: bool = True) -> str:
    """A text of a person, checked."""
    said = text.strip()
    if required and not said:
        errors.append(FieldError(pointer, "required"))
    elif len(said) > return_rules.NOTE_LENGTH:
        errors.append(FieldError(pointer, "too_long", {"maximum": return_rules.NOTE_LENGTH}))
    return said


def checked_text(text: str, pointer: str, *, required: bool = True) -> str:
    """The text alone.

    Raises:
        Invalid: it is missing or too long.
    """
    errors: list[FieldError] = []
    said = text_of(text, pointer, errors, required=required)
    if errors:
        raise Invalid(errors)
    return said


def tell_buyer(row: Case, order: Order) -> None:
    """A mail: where the case stands now."""
    buyer = accounts.acting_as(row.user_id)
    _tell(buyer.email, buyer.locale, buyer.name, row, order, f"/{_NAMES[type(row)][0]}s/{row.public_id}")


def tell_seller(row: Case, order: Order) -> None:
    """A mail to those of the seller who answer buyers."""
    for one in accounts.places(order.seller_id):
        if one.role in ("owner", "manager"):
            path = f"/seller/{_NAMES[type(row)][0]}s/{row.public_id}"
            _tell(one.email, one.locale, one.name, row, order, path)


def tell_other(actor: Actor, row: Case, order: Order) -> None:
    """A mail to whoever did not do it; a step of the market or the operator is told to both."""
    if actor.user_id != row.user_id:
        tell_buyer(row, order)
    if actor.user_id == row.user_id or actor is SYSTEM or actor.is_admin:
        tell_seller(row, order)


def _tell(email: str, locale: str, name: str, row: Case, order: Order, path: str) -> None:
    if email:
        kind = f"{_NAMES[type(row)][0]}.{row.status}"
        mail.queue(email, "case_step", locale, name=name, kind=kind, number=order.number, path=path)
