"""Quantities: what people type, steps of sale, units exactly."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.units import NotANumber, Quantity, ceil_to_step, parse_decimal, to_api

POSITIVE = st.fractions(min_value=Fraction(1, 1000), max_value=10**6, max_denominator=10**6)
STEPS = st.decimals(min_value="0.001", max_value=1000, places=3, allow_nan=False)
TYPED = st.decimals(min_value=-(10**12) + 1, max_value=10**12 - 1, places=6, allow_nan=False)


@pytest.mark.parametrize(("text", "value"), [
    ("5", "5"), ("2,7", "2.7"), ("2.7", "2.7"), (" 12 ", "12"), ("1 234,5", "1234.5"), ("1\u00a0234", "1234"),
    ("1\u202f234,25", "1234.25"), ("1\u2009234", "1234"), ("1'234", "1234"), ("-3", "-3"), ("\u22123", "-3"),
    ("+4", "4"), (",5", "0.5"), (".5", "0.5"), ("5,", "5"), ("007", "7"), ("0", "0"), ("000000000000001", "1"),
    ("1,0000000000", "1"), ("999999999999,999999", "999999999999.999999"),
])  # fmt: skip
def test_what_people_type(text: str, value: str) -> None:
    assert parse_decimal(text) == Decimal(value)


@pytest.mark.parametrize(("text", "code"), [
    ("", "required"), (" \u00a0\t", "required"),
    ("1e5", "not_a_number"), ("1E-3", "not_a_number"), ("NaN", "not_a_number"), ("sNaN", "not_a_number"),
    ("inf", "not_a_number"), ("-Infinity", "not_a_number"), ("пять", "not_a_number"), ("5 м", "not_a_number"),
    ("1,2,3", "not_a_number"), ("1.234,5", "not_a_number"), ("--1", "not_a_number"), ("1-", "not_a_number"),
    ("0x10", "not_a_number"), ("1_000", "not_a_number"), ("½", "not_a_number"), ("٣", "not_a_number"),
    ("５", "not_a_number"), (",", "not_a_number"), ("-", "not_a_number"), ("1\x00", "not_a_number"),
    ("1000000000000", "too_many_digits"), ("0,0000001", "too_many_digits"), ("9" * 400, "too_many_digits"),
])  # fmt: skip
def test_what_is_no_quantity_is_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(NotANumber) as refused:
        parse_decimal(text)
    assert refused.value.code == code


@given(TYPED, st.sampled_from([".", ","]))
def test_a_number_written_is_the_number_read(value: Decimal, point: str) -> None:
    assert parse_decimal(format(value, "f").replace(".", point)) == value


@given(st.text(max_size=30))
def test_any_text_is_a_finite_number_or_refused(text: str) -> None:
    try:
        value = parse_decimal(text)
    except NotANumber:
        return
    assert value.is_finite()
    assert abs(value) < 10**12


@given(POSITIVE, STEPS, st.integers(0, 100))
def test_the_least_number_of_steps_that_is_enough(value: Fraction, step: Decimal, minimum: int) -> None:
    found = Fraction(ceil_to_step(value, step, minimum))
    assert found % Fraction(step) == 0
    assert found >= value
    assert found >= minimum
    assert found - Fraction(step) < max(value, Fraction(minimum))


@given(POSITIVE, STEPS)
def test_a_whole_number_of_steps_is_not_raised(value: Fraction, step: Decimal) -> None:
    once = ceil_to_step(value, step)
    assert ceil_to_step(Fraction(once), step) == once


@pytest.mark.parametrize(("value", "step", "minimum", "found"), [
    (Fraction(27, 10), 1, 0, 3), (Fraction(3), 1, 0, 3), (Fraction(1, 3), Decimal("0.25"), 0, Decimal("0.50")),
    (Fraction(1), 5, 12, 15), (Fraction(0), 1, 0, 0), (Fraction(0), 1, 1, 1),
])  # fmt: skip
def test_steps_written_out(value: Fraction, step: Decimal, minimum: int, found: Decimal) -> None:
    assert ceil_to_step(value, step, minimum) == found


@given(POSITIVE, POSITIVE)
def test_a_change_of_unit_and_back_loses_nothing(value: Fraction, factor: Fraction) -> None:
    packs = Quantity(value, "m2").to("pack", factor)
    assert packs.unit == "pack"
    assert packs.to("m2", 1 / factor) == Quantity(value, "m2")


def test_a_roll_of_thirty_metres() -> None:
    assert Quantity(Fraction(100), "m").to("roll", Fraction(30)) == Quantity(Fraction(10, 3), "roll")


@pytest.mark.parametrize(("value", "text"), [
    (Decimal("5.000000"), "5"), (Decimal("2.70"), "2.7"), (Decimal("100"), "100"), (Decimal("1E+2"), "100"),
    (Decimal("-0.0"), "0"), (Fraction(1, 3), "0.333333"), (Fraction(2, 3), "0.666667"), (Fraction(5, 2), "2.5"),
    (Decimal("0.000001"), "0.000001"),
])  # fmt: skip
def test_how_a_quantity_is_told(value: Decimal | Fraction, text: str) -> None:
    assert to_api(value) == text
