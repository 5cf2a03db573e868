"""Short ways for tests to come to a state."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.core.db import session
from app.core.permissions import Actor
from app.offers.models import Offer
from app.orders import carts, checkout, service
from app.orders.models import Fulfilment, Order, OrderGroup
from app.orders.placing import Contact
from tests.factories import orders as make
from tools import doctor

CONTACT = Contact("Покупатель Демо", "8 916 123-45-67")


def quoted(buyer: Actor, *wants: tuple[Offer, int], payment: str = "invoice", **where: Any) -> checkout.Quote:
    """A quote for a fresh cart."""
    for offer, quantity in wants:
        carts.add(buyer, "", offer.public_id, Decimal(quantity))
    return checkout.make_quote(buyer, make.site(**where), None, "", payment)


def bought(buyer: Actor, *wants: tuple[Offer, int], payment: str = "invoice") -> OrderGroup:
    """A purchase."""
    quote = quoted(buyer, *wants, payment=payment)
    placed = service.place(buyer, quote.public_id, CONTACT, payment, "")
    return session.get_one(OrderGroup, placed.id, populate_existing=True)


def orders_of(group: OrderGroup) -> list[Order]:
    """The orders of a purchase, fresh."""
    statement = sa.select(Order).where(Order.group_id == group.id).order_by(Order.id)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def trips_of(order: Order) -> list[Fulfilment]:
    """The trips of an order, fresh."""
    statement = sa.select(Fulfilment).where(Fulfilment.order_id == order.id).order_by(Fulfilment.id)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def any_id() -> uuid.UUID:
    """An id of nothing."""
    return uuid.uuid4()


def check_everything_sums() -> None:
    """All invariants of the market on the present data (tools/invariants.sql)."""
    session.flush()
    found = doctor.broken(session.connection())
    assert not found, found
