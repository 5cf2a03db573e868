"""Paying a purchase by card."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from app.core.db import session, unit_of_work
from app.core.errors import NotFound
from app.core.permissions import Actor
from app.orders.models import OrderGroup
from app.orders.transitions import locked_group
from app.payments import cards
from app.payments.providers import Visit


@unit_of_work
def begin(actor: Actor, number: str) -> uuid.UUID:
    """Begin a visit to the page of the card provider; after a refusal there, begin another.

    Raises:
        NotFound: absent, or another person's.
        Conflict: `cards_not_taken`, `payment_state` (not by card, paid or called off), `payment_too_late`.
    """
    group = locked_group(_own(actor, number))
    return cards.open_visit(group.id)


def visit(actor: Actor, number: str, reference: uuid.UUID, return_url: str) -> Visit | None:
    """A visit that may still be made; None when it is over.

    Raises:
        NotFound: the purchase is absent, or another person's.
    """
    return cards.open_visit_of(_own(actor, number), reference, number, return_url)


def _own(actor: Actor, number: str) -> int:
    found = session.scalar(
        sa.select(OrderGroup.id).where(OrderGroup.number == number, OrderGroup.user_id == actor.user)
    )
    if found is None:
        raise NotFound()
    return found
