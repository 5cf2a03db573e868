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


INVARIANTS = {
    "group totals": """
        SELECT g.number FROM order_group g JOIN (
            SELECT group_id, sum(goods) goods, sum(delivery) delivery, sum(total) total, sum(vat) vat
            FROM seller_order GROUP BY group_id) o ON o.group_id = g.id
        WHERE (g.goods, g.delivery, g.total, g.vat) IS DISTINCT FROM (o.goods, o.delivery, o.total, o.vat)""",
    "order totals": """
        SELECT o.number FROM seller_order o
        WHERE o.goods <> (SELECT coalesce(sum(gross), 0) FROM order_line l WHERE l.order_id = o.id)
           OR o.delivery <> (SELECT coalesce(sum(delivery_price), 0) FROM fulfilment f WHERE f.order_id = o.id)""",
    "splits": """
        SELECT p.id::text FROM payment p
        WHERE p.amount <> (SELECT coalesce(sum(amount), 0) FROM payment_split s WHERE s.payment_id = p.id)""",
    "asked is owed": """
        SELECT p.id::text FROM payment p JOIN order_group g ON g.id = p.group_id
        WHERE p.status IN ('awaiting', 'overdue') AND p.amount <> g.total""",
    "allocated": """
        SELECT s.offer_id::text FROM stock_level s WHERE s.allocated <> (
            SELECT coalesce(sum(CASE
                WHEN f.status IN ('planned', 'picking', 'ready', 'handed_over', 'in_transit') THEN fl.quantity
                WHEN f.status IN ('partially_delivered', 'failed', 'returning')
                    THEN fl.quantity - coalesce(fl.delivered, 0) ELSE 0 END), 0)
            FROM fulfilment f JOIN fulfilment_line fl ON fl.fulfilment_id = f.id
            JOIN order_line l ON l.id = fl.order_line_id
            WHERE l.offer_id = s.offer_id AND f.warehouse_id = s.warehouse_id)""",
    "movements": """
        SELECT s.offer_id::text FROM stock_level s LEFT JOIN (
            SELECT offer_id, warehouse_id, sum(on_hand_delta) h, sum(allocated_delta) a FROM stock_movement
            GROUP BY 1, 2) m ON (m.offer_id, m.warehouse_id) = (s.offer_id, s.warehouse_id)
        WHERE s.on_hand <> coalesce(m.h, 0) OR s.allocated <> coalesce(m.a, 0)""",
}


def check_everything_sums() -> None:
    """All invariants of ordering on the present data."""
    session.flush()
    for name, query in INVARIANTS.items():
        broken = list(session.scalars(sa.text(query)))
        assert not broken, f"{name}: {broken}"
