"""What giving money back refuses: a guard that falls away lets one of these through."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.orders import refunds, service
from app.orders.models import OrderGroup
from app.orders.refunds import REASON_LENGTH, Wanted
from app.payments import balances, ledger, payouts, rules
from app.payments.models import Refund, SellerPayout
from tests.factories import orders as make
from tests.orders import steps
from tests.payments import stories
from tests.payments.test_refunds_and_payouts import claimed_run

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


def test_a_correction_needs_another_person_and_is_decided_once() -> None:
    market, one, two = make.market(), stories.operator(), stories.operator()
    seller = market.sellers[0].seller_id
    session.commit()
    for amount, reason, code in (
        (0, "ошибка", "correction_amount"),
        (ledger.CORRECTION_MOST + 1, "ошибка", "correction_amount"),
        (100, " ", "required"),
        (100, "и" * 501, "too_long"),
    ):
        with pytest.raises(Invalid) as wrong:
            ledger.ask_correction(one, ledger.Wanted(seller, amount, reason))
        assert code_of(wrong) == code
    with pytest.raises(Invalid):
        ledger.ask_correction(one, ledger.Wanted(10**12, 100, "ошибка"))
    asked = ledger.ask_correction(one, ledger.Wanted(seller, 100_00, "ошибка"))
    with pytest.raises(Forbidden) as own:
        ledger.decide_correction(one, asked, "approve")
    assert own.value.code == "same_person"
    with pytest.raises(Invalid):
        ledger.decide_correction(two, asked, "perhaps")
    with pytest.raises(NotFound):
        ledger.decide_correction(two, steps.any_id(), "approve")
    assert balances.balance(seller).total == 0
    ledger.decide_correction(two, asked, "approve")
    for decision in ("approve", "decline"):
        with pytest.raises(Conflict) as twice:
            ledger.decide_correction(two, asked, decision)
        assert code_of(twice) == "correction_state"
    assert balances.balance(seller).total == 100_00


def test_a_payout_that_failed_says_why_and_fails_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "HOLD_DAYS", 0)
    market, boss = make.market(sellers=2), stories.operator()
    seller, other = market.sellers
    stories.with_bank(seller)
    stories.sold(market, (make.offer(market, price=500_000), 4))
    earned = balances.balance(seller.seller_id).total
    session.commit()
    payouts.run(claimed_run())
    payout = session.scalars(sa.select(SellerPayout)).one()
    session.commit()
    assert balances.balance(seller.seller_id).total == 0
    with pytest.raises(Invalid) as why:
        payouts.mark_failed(boss, payout.public_id, " ")
    assert code_of(why) == "required"
    with pytest.raises(NotFound):
        payouts.mark_failed(boss, steps.any_id(), "счёт закрыт")
    payouts.mark_failed(boss, payout.public_id, "счёт закрыт")
    with pytest.raises(Conflict) as twice:
        payouts.mark_failed(boss, payout.public_id, "счёт закрыт")
    assert code_of(twice) == "payout_state"
    with pytest.raises(Conflict):
        payouts.mark_paid(boss, payout.public_id)
    assert balances.balance(seller.seller_id).total == earned
    assert balances.balance(other.seller_id).total == 0
    assert balances.payouts(other.seller_id) == []
    with pytest.raises(NotFound):
        balances.payout(other.seller_id, payout.public_id)
    assert balances.payout(seller.seller_id, payout.public_id).status == "failed"
    tomorrow = clock.today() + timedelta(days=1)
    assert balances.statement(other.seller_id, tomorrow, tomorrow).opening == 0
    assert balances.statement(seller.seller_id, tomorrow, tomorrow).opening == earned


def test_an_account_cannot_change_once_the_money_is_gone() -> None:
    market, buyer, boss = make.market(), make.person(), stories.operator()
    order = stories.sold(market, (make.offer(market), 2), buyer=buyer)
    given = refunds.request(boss, order.number, Wanted("брак", goods=100))
    refunds.name_payee(buyer, given, stories.PAYEE)
    refunds.mark_paid(boss, given)
    session.commit()
    with pytest.raises(Conflict) as late:
        refunds.name_payee(buyer, given, stories.PAYEE)
    assert code_of(late) == "refund_state"
    with pytest.raises(NotFound):
        refunds.name_payee(buyer, steps.any_id(), stories.PAYEE)
