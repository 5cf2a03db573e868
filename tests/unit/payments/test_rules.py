"""Fees: the first rule that matches wins, rounded half up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.payments.rules import COMMISSION_PERCENT, Rule, due_day, fee_for

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Slow machines are no failure."""

DAY = date(2026, 11, 24)


def rule(number: int, percent: str, seller: int | None = None, category: int | None = None, **days: date) -> Rule:
    return Rule(
        number, seller, None if category is None else (category,), Decimal(percent),
        days.get("start", date(2026, 1, 1)), days.get("end"),
    )  # fmt: skip


def test_the_first_that_matches_wins() -> None:
    rules = [rule(1, "3", seller=7), rule(2, "9", category=5), rule(3, "6")]
    assert fee_for(rules, 7, (1, 5), 100_00, DAY).rule_id == 1
    assert fee_for(rules, 8, (1, 5), 100_00, DAY).percent == 9
    assert fee_for(rules, 8, (1, 6), 100_00, DAY).amount == 600


def test_a_rule_out_of_its_days_does_not_speak() -> None:
    rules = [rule(1, "3", end=date(2026, 11, 23)), rule(2, "4", start=date(2026, 11, 25))]
    assert fee_for(rules, 1, (), 100_00, DAY).percent == COMMISSION_PERCENT


@CALM
@given(gross=st.integers(0, 10**10), percent=st.decimals(0, 100, places=2))
def test_the_fee_is_within_the_sale_and_its_vat_within_the_fee(gross: int, percent: Decimal) -> None:
    fee = fee_for([rule(1, str(percent))], 1, (), gross, DAY)
    assert 0 <= fee.vat <= fee.amount <= gross


def test_three_days_to_pay() -> None:
    assert due_day(DAY) == date(2026, 11, 27)
