"""The only place where an order or a trip changes its state: guard, new state, history, event, audit.

Callers hold the lock of the purchase (`locked_group`), which every command of ordering takes first.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.core import audit, clock, events
from app.core.db import lock_rows, session
from app.core.errors import NotFound
from app.core.permissions import Actor
from app.orders import promoting, rules
from app.orders.events import (
    FulfilmentReady,
    OrderAccepted,
    OrderCancelled,
    OrderCompleted,
    OrderEventOfSeller,
    OrderExpired,
    OrderRejected,
)
from app.orders.models import Fulfilment, Order, OrderEvent, OrderGroup
from app.orders.proposal_models import OrderProposal

SYSTEM = Actor()
"""The market itself: timers and facts from other domains."""

_FACTS: dict[str, type[OrderEventOfSeller]] = {
    "accepted": OrderAccepted,
    "rejected": OrderRejected,
    "expired": OrderExpired,
    "cancelled": OrderCancelled,
    "completed": OrderCompleted,
}


def locked_group(group_id: int) -> OrderGroup:
    """The purchase, locked: the first lock of every command.

    Raises:
        NotFound: there is none.
    """
    rows: list[OrderGroup] = lock_rows(OrderGroup, [group_id])
    if not rows:
        raise NotFound()
    return rows[0]


def locked_order(order_id: int) -> tuple[OrderGroup, Order, list[Fulfilment]]:
    """A purchase, one order of it and the order's trips, locked in that order.

    Raises:
        NotFound: there is none.
    """
    group_id = session.scalar(sa.select(Order.group_id).where(Order.id == order_id))
    if group_id is None:
        raise NotFound()
    group = locked_group(group_id)
    order: Order = lock_rows(Order, [order_id])[0]
    return group, order, trips_of(order_id)


def trips_of(order_id: int) -> list[Fulfilment]:
    """The trips of an order, locked."""
    found: list[Fulfilment] = lock_rows(
        Fulfilment, session.scalars(sa.select(Fulfilment.id).where(Fulfilment.order_id == order_id))
    )
    return found


def move_order(
    actor: Actor, order: Order, new: str, *, reason: str = "", details: dict[str, Any] | None = None
) -> None:
    """Make a declared transition of an order.

    Raises:
        Conflict: `order_state`, the transition is not declared.
    """
    old = order.status
    rules.ORDER.check(old, new)
    if old == "placed":  # an answer that is still waited for is of no use any more
        session.execute(
            sa.update(OrderProposal)
            .where(OrderProposal.order_id == order.id, OrderProposal.status == "offered")
            .values(status="withdrawn", answered_at=clock.now())
        )
    order.status = new
    order.version += 1
    note(actor, order, f"order.{new}", old, new, reason=reason, details=details)
    if new in promoting.OVER:
        promoting.give_back(order)
    events.record(_FACTS[new](order.id, order.number))
    audit.record(actor, f"order.{new}", "order", order.id, before={"status": old}, after={"status": new})


def move_trip(
    actor: Actor, order: Order, trip: Fulfilment, new: str, *, reason: str = "", details: dict[str, Any] | None = None
) -> None:
    """Make a declared transition of a trip.

    Raises:
        Conflict: `fulfilment_state`, the transition is not declared.
    """
    old = trip.status
    rules.way_of(trip.method).check(old, new)
    trip.status = new
    trip.version += 1
    note(actor, order, f"fulfilment.{new}", old, new, trip=trip, reason=reason, details=details)
    if new == "ready":
        events.record(FulfilmentReady(trip.id, order.number))
    audit.record(actor, f"fulfilment.{new}", "fulfilment", trip.id, before={"status": old}, after={"status": new})


def note(
    actor: Actor,
    order: Order,
    kind: str,
    old: str = "",
    new: str = "",
    *,
    trip: Fulfilment | None = None,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    """Write a line of the order's history."""
    session.add(
        OrderEvent(
            group_id=order.group_id,
            order_id=order.id,
            fulfilment_id=trip.id if trip else None,
            kind=kind,
            from_state=old,
            to_state=new,
            user_id=actor.user_id,
            reason=reason,
            details=details or {},
        )
    )
