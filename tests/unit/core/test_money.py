"""Money: every split sums to the whole, every rounding happens once and half up."""

from __future__ import annotations

import itertools
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import Money, as_decimal, line_total, percent_of, round_half_up, split, vat_included

KOPEKS = st.integers(-(10**13), 10**13)
WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=20)
QUANTITIES = st.decimals(min_value=0, max_value=10**6, places=6, allow_nan=False)


@given(KOPEKS, WEIGHTS)
def test_parts_sum_to_the_whole(total: int, weights: list[int]) -> None:
    assert sum(split(total, weights)) == total


@given(KOPEKS, WEIGHTS)
def test_a_part_is_less_than_a_kopek_from_its_exact_share(total: int, weights: list[int]) -> None:
    whole = sum(weights)
    for part, weight in zip(split(total, weights), weights, strict=True):
        exact = Fraction(total * weight, whole) if whole else Fraction(total, len(weights))
        assert abs(part - exact) < 1


@given(st.integers(0, 10**12), WEIGHTS)
def test_a_larger_weight_never_gets_less(total: int, weights: list[int]) -> None:
    pairs = sorted(zip(weights, split(total, weights), strict=True))
    assert all(less <= more for (a, less), (b, more) in itertools.pairwise(pairs) if a < b)


@given(KOPEKS, WEIGHTS)
def test_a_refund_is_split_as_the_charge_was(total: int, weights: list[int]) -> None:
    assert split(-total, weights) == [-part for part in split(total, weights)]


@pytest.mark.parametrize(("total", "weights", "parts"), [
    (100, [1, 1, 1], [34, 33, 33]),
    (-100, [1, 1, 1], [-34, -33, -33]),
    (5, [0, 0], [3, 2]),
    (10, [0, 3, 0], [0, 10, 0]),
    (1, [Fraction(1, 3), Decimal("0.5")], [0, 1]),
    (0, [2, 1], [0, 0]),
])  # fmt: skip
def test_splits_written_out(total: int, weights: list[int], parts: list[int]) -> None:
    assert split(total, weights) == parts
    assert [part.kopeks for part in Money(total).split(weights)] == parts


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_no_weights_and_negative_ones_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split(100, weights)


@pytest.mark.parametrize(("value", "rounded"), [
    (Fraction(1, 2), 1), (Fraction(3, 2), 2), (Fraction(5, 2), 3), (Fraction(-1, 2), -1), (Fraction(-5, 2), -3),
    (Fraction(49, 100), 0), (Fraction(0), 0),
])  # fmt: skip
def test_a_half_goes_away_from_zero(value: Fraction, rounded: int) -> None:
    assert round_half_up(value) == rounded


@given(st.integers(0, 10**9), QUANTITIES)
def test_a_line_is_price_times_quantity_rounded_once(price: int, quantity: Decimal) -> None:
    exact = Fraction(quantity) * price
    assert line_total(price, quantity) == int(exact + Fraction(1, 2))
    assert abs(line_total(price, quantity) - exact) <= Fraction(1, 2)


def test_a_line_of_a_third_is_exact_before_it_is_rounded() -> None:
    assert line_total(100, Fraction(1, 3)) == 33
    assert line_total(100, Fraction(200, 3)) == 6667
    assert line_total(3, Decimal("0.5")) == 2


@pytest.mark.parametrize(("gross", "rate", "vat"), [
    (12200, 22, 2200), (12000, 20, 2000), (11000, 10, 1000), (100, 22, 18), (10500, 5, 500), (100, 0, 0),
    (-12200, 22, -2200), (1, 22, 0),
])  # fmt: skip
def test_the_vat_inside_a_price(gross: int, rate: int, vat: int) -> None:
    assert vat_included(gross, rate) == vat


@given(st.integers(0, 10**12), st.sampled_from([0, 5, 7, 10, 20, 22]))
def test_vat_of_the_net_price_gives_the_gross_back(gross: int, rate: int) -> None:
    vat = vat_included(gross, rate)
    assert abs((gross - vat) * Fraction(rate, 100) - vat) <= Fraction(rate + 100, 200)


@given(KOPEKS, st.integers(-100, 100))
def test_percent_is_rounded_half_up(amount: int, percent: int) -> None:
    expected = (Decimal(amount) * percent / 100).quantize(Decimal(1), ROUND_HALF_UP)
    assert percent_of(amount, percent) == int(expected)


@given(KOPEKS, KOPEKS)
def test_amounts_add_compare_and_turn(a: int, b: int) -> None:
    assert Money(a) + Money(b) - Money(b) == Money(a)
    assert Money(b) + -Money(a) == Money(b - a)
    assert (Money(a) < Money(b)) is (a < b)
    assert Money(a).times(3) == Money(3 * a)


def test_how_an_amount_is_told() -> None:
    assert Money(123_45).as_json() == {"amount": 12345, "currency": "RUB"}
    assert (as_decimal(12345), as_decimal(-5)) == (Decimal("123.45"), Decimal("-0.05"))
