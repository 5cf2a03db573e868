"""What giving money back refuses: a guard that falls away lets one of these through."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.orders import refunds, service
from app.orders.models import OrderGroup
from app.orders.refunds import REASON_LENGTH, Wanted
from app.payments import rules
from app.payments.models import Refund
from tests.factories import orders as make
from tests.orders import steps
from tests.payments import stories

pytestmark = pytest.mark.usefixtures("db_session")


def code_of(error: pytest.ExceptionInfo[Any]) -> str:
    """The code of a refusal; of wrong fields that of the first."""
    found = error.value
    return found.errors[0].code if isinstance(found, Invalid) else found.code


def test_nothing_is_given_back_before_it_was_paid_and_handed_over() -> None:
    market, boss = make.market(), stories.operator()
    seller = market.sellers[0]
    order = steps.orders_of(steps.bought(make.person(), (make.offer(market), 2)))[0]
    session.commit()
    with pytest.raises(Conflict) as placed:
        refunds.request(seller, order.number, Wanted("брак", goods=100))
    assert code_of(placed) == "refund_too_early"
    stories.handed_over(seller, order)
    session.commit()
    with pytest.raises(Conflict) as unpaid:
        refunds.request(boss, order.number, Wanted("брак", goods=100))
    assert code_of(unpaid) == "refund_too_early"
    stories.paid_by_bank(order.group_id)
    refunds.request(boss, order.number, Wanted("брак", goods=100))


def test_a_seller_gives_back_of_own_orders_only() -> None:
    market = make.market(sellers=2)
    order = stories.sold(market, (make.offer(market), 2))
    with pytest.raises(NotFound):
        refunds.request(market.sellers[1], order.number, Wanted("брак", goods=100))
    with pytest.raises(NotFound):
        refunds.request(stories.operator(), "R-none", Wanted("брак", goods=100))
    assert session.scalars(sa.select(Refund.id)).all() == []


def test_a_refusal_has_words_and_what_is_due_is_not_refused() -> None:
    market = make.market()
    one, two = stories.operator(), stories.operator()
    order = stories.sold(market, (make.offer(market, price=90_000_00), 1))
    refunds.request(one, order.number, Wanted("брак", goods=rules.REFUND_LIMIT))
    large = refunds.request(one, order.number, Wanted("брак", goods=1))
    session.commit()
    for why, code in ((" ", "required"), ("и" * (REASON_LENGTH + 1), "too_long")):
        with pytest.raises(Invalid) as refused:
            refunds.decline(two, large, why)
        assert code_of(refused) == code
    refunds.decline(two, large, "нет оснований")
    short = make.offer(market)
    late = steps.orders_of(steps.bought(make.person(), (short, 5)))[0]
    stories.paid_by_bank(late.group_id)
    stories.handed_over(
        market.sellers[0], late, "partially_delivered", [{"line": "1", "delivered": "3", "delivered_base": "3"}]
    )
    due = session.scalars(sa.select(Refund).where(Refund.kind == "shortage")).one()
    session.commit()
    with pytest.raises(Conflict) as owed:
        refunds.decline(two, due.public_id, "не хотим")
    assert code_of(owed) == "refund_is_due"


def test_accounts_are_named_by_whoever_paid_and_not_for_cards() -> None:
    market, buyer, boss = make.market(), make.person(), stories.operator()
    order = stories.sold(market, (make.offer(market), 2), buyer=buyer)
    given = refunds.request(boss, order.number, Wanted("брак", goods=100))
    session.commit()
    with pytest.raises(NotFound):
        refunds.name_payee(make.person(), given, stories.PAYEE)
    session.execute(sa.update(OrderGroup).where(OrderGroup.id == order.group_id).values(payment_method="card"))
    session.commit()
    with pytest.raises(Conflict) as card:
        refunds.name_payee(buyer, given, stories.PAYEE)
    assert code_of(card) == "refund_goes_to_card"
    with pytest.raises(Conflict) as sent:
        refunds.mark_paid(boss, given)
    assert code_of(sent) == "refund_goes_to_card"


def test_an_order_of_another_seller_is_not_called_off() -> None:
    market = make.market(sellers=2)
    order = steps.orders_of(steps.bought(make.person(), (make.offer(market), 2)))[0]
    session.commit()
    with pytest.raises(NotFound):
        service.reject(market.sellers[1], order.number, "нет")
    with pytest.raises(NotFound):
        service.cancel(make.person(), order.number)
    assert steps.orders_of(session.get_one(OrderGroup, order.group_id))[0].status == "placed"
