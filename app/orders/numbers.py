"""Numbers that people say: R1042 for a purchase, R1042-2 for the part of one seller."""

from __future__ import annotations

import re

import sqlalchemy as sa

from app.core.db import session
from app.orders.models import ORDER_NUMBERS

GROUP = re.compile(r"R[0-9]{1,12}")
ORDER = re.compile(r"R[0-9]{1,12}-[0-9]{1,3}")


def next_group_number() -> str:
    """The next number of a purchase; gaps are allowed, repeats are not."""
    drawn: int = session.scalars(sa.select(ORDER_NUMBERS.next_value())).one()
    return f"R{drawn}"


def order_number(group: str, position: int) -> str:
    """The number of the part of the `position`-th seller, from 1."""
    return f"{group}-{position}"


def group_of(order: str) -> str:
    """The number of the purchase that an order belongs to."""
    return order.partition("-")[0]
