"""Properties of the exact evaluator, of packs and of typed dimensions."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.core.units import NotANumber, ceil_to_step, parse_decimal, to_api
from app.estimates.assemblies import assemblies, calculate, packs, parse_inputs, pool
from app.estimates.formula import FormulaError, evaluate, holds, short, with_numbers

numbers = st.fractions(min_value=-1000, max_value=1000, max_denominator=1000)
positive = st.fractions(min_value=Fraction(1, 1000), max_value=1000, max_denominator=1000)


@given(a=numbers, b=numbers, c=positive)
def test_arithmetic_is_exact(a: Fraction, b: Fraction, c: Fraction) -> None:
    names = {"a": a, "b": b, "c": c}
    assert evaluate("(a + b) * 0.1 - b / c", names) == (a + b) / 10 - b / c
    assert evaluate("ceil(a) + floor(b)", names) == math.ceil(a) + math.floor(b)
    assert evaluate("iif(a > b, max(a, b, c), min(a, b, c))", names) == (max(a, b, c) if a > b else min(a, b, c))
    assert holds("a <= b", names) == (a <= b)


def test_the_case_for_which_floats_buy_a_pack_too_many() -> None:
    assert evaluate("80 * 1.05 / 3", {}) == 28
    assert packs(evaluate("80 / 3 * 1.05", {}), Fraction(1)) == 28
    assert math.ceil(80 / 3 * 1.05) == 29


@given(value=positive)
def test_roots_are_exact_for_squares_and_to_thirty_digits_otherwise(value: Fraction) -> None:
    assert evaluate("sqrt(a)", {"a": value * value}) == value
    assert abs(evaluate("sqrt(a)", {"a": value}) ** 2 - value) < Fraction(1, 10**25)


@given(degrees=st.integers(-720, 720))
def test_cosines_agree_with_the_circle(degrees: int) -> None:
    found = evaluate("cos_deg(a)", {"a": Fraction(degrees)})
    assert abs(found - Fraction(math.cos(math.radians(degrees)))) < Fraction(1, 10**14)
    assert abs(2 * found**2 - 1 - evaluate("cos_deg(a)", {"a": Fraction(2 * degrees)})) < Fraction(1, 10**27)


@pytest.mark.parametrize(
    "text",
    [
        "sqrt(0-1)", "(" * 300 + "1" + ")" * 300, "1" * 600, "ceil()", "ceil", "iif(1, 2)", "min()", "lambda: 1",
        "True", "1 < 2 < 3", "f'{1}'", "1 if 1 else 2", "x := 1", "'a' * 2", "", "min(1, key=2)", "()", "1j",
    ],
)  # fmt: skip
def test_whatever_is_not_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        evaluate(text, {})


@given(gross=positive, content=positive)
def test_packs_hold_the_gross_and_one_less_would_not(gross: Fraction, content: Fraction) -> None:
    count = packs(gross, content)
    assert (count - 1) * content < gross <= count * content


@given(value=positive, step=st.decimals("0.01", "50", places=2), minimum=st.decimals("0", "50", places=2))
def test_units_of_sale_are_whole_steps_not_below_the_need(value: Fraction, step: Decimal, minimum: Decimal) -> None:
    found = Fraction(ceil_to_step(value, step, minimum))
    need = max(value, Fraction(minimum))
    assert found % Fraction(step) == 0
    assert found - Fraction(step) < need <= found


@given(value=st.decimals(-(10**11), 10**11, places=6, allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_it_is_written_with_comma_point_and_spaces(value: Decimal) -> None:
    assert parse_decimal(to_api(value)) == value
    assert parse_decimal(f"\u00a0{value:,.6f} ".replace(",", "\u202f").replace(".", ",")) == value
    assert parse_decimal(to_api(value).replace("-", "\u2212")) == value


@given(text=st.text(max_size=12))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        outcome = "finite" if parse_decimal(text).is_finite() else "infinite"
    except NotANumber as error:
        outcome = error.code
    assert outcome in ("finite", "required", "not_a_number", "too_many_digits")


@pytest.mark.parametrize(
    "text", ["1e3", "NaN", "inf", "-Infinity", "0x10", "1_000", "٣", "²", "1,2,3", "1.2.3", ".", "--1"]
)
def test_forms_that_python_would_take_and_a_form_must_not(text: str) -> None:
    with pytest.raises(NotANumber) as refused:
        parse_decimal(text)
    assert refused.value.code == "not_a_number"


@pytest.mark.parametrize("text", ["1" * 13, "0.1234567", "9" * 5000])
def test_too_many_digits_are_refused(text: str) -> None:
    with pytest.raises(NotANumber) as refused:
        parse_decimal(text)
    assert refused.value.code == "too_many_digits"


@given(length=st.integers(30, 20_000), height=st.integers(150, 600), openings=st.integers(0, 50_000))
def test_a_wall_is_counted_or_refused_and_its_gross_never_shrinks(length: int, height: int, openings: int) -> None:
    assembly = assemblies()["partition_c111"]
    raw = {k: str(Decimal(v) / 100) for k, v in (("length", length), ("height", height), ("openings", openings))}
    inputs = parse_inputs(assembly.inputs, raw)
    if length * height <= openings * 100:
        with pytest.raises(Invalid) as refused:
            calculate(assembly, inputs)
        assert [e.code for e in refused.value.errors] == ["openings_exceed_area"]
        return
    lines = calculate(assembly, inputs)
    assert all(line.gross >= line.base >= 0 for line in lines)


@given(rooms=st.lists(st.integers(30, 3000), min_size=1, max_size=5))
def test_pooling_loses_nothing_whatever_the_order(rooms: list[int]) -> None:
    assembly = assemblies()["partition_c111"]
    lines = [
        line
        for length in rooms
        for line in calculate(assembly, parse_inputs(assembly.inputs, {"length": str(Decimal(length) / 100)}))
    ]
    there, back = pool(lines), pool(reversed(lines))
    assert {p.key: p.gross for p in there} == {p.key: p.gross for p in back}
    assert sum(p.gross for p in there) == sum(line.gross for line in lines)
    assert len({p.key for p in there}) == len(there)


def test_the_reader_sees_the_formula_with_numbers() -> None:
    names = {"layers": Fraction(1), "area": Fraction(27, 2), "profile": "50х50"}
    assert with_numbers("2*layers*area", names) == "2 × 1 × 13.5"
    assert with_numbers("iif(profile=='50х50', ceil(area/3), 0)", names) == "iif('50х50' == '50х50', ceil(13.5 ÷ 3), 0)"


@given(value=numbers)
def test_short_figures_are_rounded_half_up(value: Fraction) -> None:
    with localcontext(prec=60):
        assert abs(Fraction(short(value)) - value) <= Fraction(1, 2000)
