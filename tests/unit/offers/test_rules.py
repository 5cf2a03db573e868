"""Prices by quantity and whole steps of sale."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.offers.rules import Step, exact_decimal, in_base_units, price_for, whole_steps

LADDER = (Step(Decimal(10), 520_00), Step(Decimal(50), 499_00))


@pytest.mark.parametrize(
    ("quantity", "price", "rule"),
    [
        ("1", 545_00, "list"),
        ("9.999", 545_00, "list"),
        ("10", 520_00, "ladder:10"),
        ("49", 520_00, "ladder:10"),
        ("50", 499_00, "ladder:50"),
        ("5000", 499_00, "ladder:50"),
    ],
)
def test_the_highest_step_reached_gives_the_price(quantity: str, price: int, rule: str) -> None:
    applied = price_for(545_00, LADDER, Decimal(quantity))
    assert (applied.price, applied.rule) == (price, rule)


def test_the_order_of_steps_does_not_matter() -> None:
    assert price_for(545_00, LADDER[::-1], Decimal(60)) == price_for(545_00, LADDER, Decimal(60))


quantities = st.decimals(0, 10**6, places=3)
factors = st.builds(Fraction, st.integers(1, 5000), st.integers(1, 5000))


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 10**6)), max_size=6), quantities, quantities)
def test_a_falling_ladder_never_makes_more_dearer_per_unit(raw: list, a: Decimal, b: Decimal) -> None:
    starts = sorted({start for start, _ in raw})
    prices = sorted({price for _, price in raw}, reverse=True)
    steps = [Step(Decimal(start), price) for start, price in zip(starts, prices, strict=False)]
    few, many = sorted((a, b))
    assert price_for(10**6 + 1, steps, many).price <= price_for(10**6 + 1, steps, few).price


@given(quantities, factors, st.sampled_from(["1", "0.5", "0.001", "12"]))
def test_whole_steps_never_promise_more_than_there_is(free: Decimal, factor: Fraction, step: str) -> None:
    units = whole_steps(free, factor, Decimal(step))
    assert in_base_units(units, factor) <= Fraction(free)
    assert in_base_units(units + Decimal(step), factor) > Fraction(free)
    assert Fraction(units) % Fraction(Decimal(step)) == 0


@given(st.builds(Fraction, st.integers(-(10**9), 10**9), st.integers(1, 10**6)))
def test_a_decimal_is_exact_or_none(value: Fraction) -> None:
    exact = exact_decimal(value)
    assert exact is None or Fraction(exact) == value
