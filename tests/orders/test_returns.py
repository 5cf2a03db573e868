"""Returns: leftovers under the seller's terms, faults, counts, money and stock, and what silence decides."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.core.db import session
from app.offers import return_terms
from app.offers.return_terms import Terms
from app.orders import return_desk, returns
from app.orders.returns import Wanted
from tests.factories import orders as make
from tests.orders import steps
from tests.payments import stories


def test_first(db_session: Any) -> None:
    market = make.market()
    buyer, seller = make.person(), market.sellers[0]
    return_terms.change(seller, Terms(True, 14, True, Decimal(10), "buyer"))
    order = stories.sold(market, (make.offer(market, price=33_333), 7), buyer=buyer)
    from app.orders import refunds

    line = refunds.lines_of(order.id)[0]
    key = returns.request(buyer, order.number, Wanted("leftover", {line.public_id: Decimal(3)}))
    return_desk.approve(seller, key, "привезите")
    returns.send(buyer, key)
    return_desk.receive(seller, key, {})
    return_desk.refund(seller, key)
    from app.orders import case_queries

    view = case_queries.return_view(case_queries.sellers(seller), key)
    print(view)
    print(case_queries.return_counts(case_queries.buyers(buyer)))
    steps.check_everything_sums()
    from app.orders import claims

    key = claims.open_claim(
        buyer, order.number, claims.Wanted(line.public_id, "short", Decimal(1), "money", "мало", 33333)
    )
    claims.offer(seller, key, 10000, "столько")
    claims.accept(buyer, key)
    print(case_queries.claim_view(case_queries.buyers(buyer), key))
    print(case_queries.of_orders([order.id]), case_queries.options(case_queries.buyers(buyer), order.number))
    steps.check_everything_sums()
