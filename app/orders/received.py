"""What has reached a buyer: the lines one may judge."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from app.catalog import queries as catalog
from app.core.db import session
from app.orders.models import FulfilmentLine, Order, OrderGroup, OrderLine

RECEIVED_SQL = """
SELECT l.id FROM order_line l JOIN seller_order o ON o.id = l.order_id JOIN order_group g ON g.id = o.group_id
WHERE g.user_id = :user
    AND l.product_id IN (SELECT :product UNION ALL SELECT id FROM product WHERE merged_into_id = :product)
    AND EXISTS (SELECT FROM fulfilment_line f WHERE f.order_line_id = l.id AND f.delivered > 0)
"""
"""Lines of a product, or of a duplicate merged into it, of which something was handed over to the person; other domains
join it into their reads."""


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """A line of which the buyer has got something."""

    id: int
    public_id: uuid.UUID
    product_id: int
    seller_id: int
    seller_name: str


def received_lines(
    user_id: int, product_id: int | None = None, line: uuid.UUID | None = None
) -> list[ReceivedLine]:  # fmt: skip
    """Lines delivered to a person at least in part, newest first; of one product, or one line of one purchase."""
    statement = (
        sa.select(OrderLine.id, OrderLine.public_id, OrderLine.product_id, Order.seller_id, Order.seller_name)
        .join(Order, Order.id == OrderLine.order_id)
        .join(OrderGroup, OrderGroup.id == Order.group_id)
        .where(OrderGroup.user_id == user_id)
        .where(sa.exists().where(FulfilmentLine.order_line_id == OrderLine.id, FulfilmentLine.delivered > 0))
        .order_by(OrderLine.id.desc())
    )
    if product_id is not None:
        statement = statement.where(OrderLine.product_id.in_(catalog.with_duplicates(product_id)))
    if line is not None:
        statement = statement.where(OrderLine.public_id == line)
    return [ReceivedLine(*row) for row in session.execute(statement)]
