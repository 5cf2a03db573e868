"""How many statements buying takes: constant, whatever the number of lines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.core.permissions import ANONYMOUS
from app.orders import carts, service
from tests.factories import orders as make
from tests.orders import steps

pytestmark = pytest.mark.usefixtures("db_session")


def test_adding_to_a_cart(count_queries: Any) -> None:
    market = make.market()
    first, second = make.offer(market), make.offer(market)
    wanted = second.public_id
    token = carts.add(ANONYMOUS, "", first.public_id, Decimal(1)).token
    with count_queries() as seen:
        carts.add(ANONYMOUS, token, wanted, Decimal(2))
    assert len(seen) <= 8, seen


def test_placing_one_line_of_one_seller(count_queries: Any) -> None:
    market = make.market()
    buyer = make.person()
    quote = steps.quoted(buyer, (make.offer(market), 3))
    with count_queries() as seen:
        service.place(buyer, quote.public_id, steps.CONTACT, "invoice")
    assert len(seen) <= 40, "\n".join(seen)
