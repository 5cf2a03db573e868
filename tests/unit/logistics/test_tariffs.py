"""A delivery price is explained to the kopek and never falls when there is more to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.logistics.tariffs import quote


@dataclass(frozen=True)
class Rates:
    base: int = 150_000
    included_km: int = 5
    per_km: int = 4_500
    per_tonne: int = 30_000
    per_m3: int = 10_000
    long_from_mm: int = 4000
    long_piece: int = 50_000
    per_floor_tonne: int = 20_000
    hands_tonne: int = 40_000
    crane: int = 300_000
    tail_lift: int = 80_000
    minimum: int = 0
    max_mass_kg: int = 5000


kopeks = st.integers(0, 1_000_000)
rates = st.builds(
    Rates, kopeks, st.integers(0, 50), kopeks, kopeks, kopeks, st.integers(0, 13_000), kopeks, kopeks, kopeks, kopeks,
    kopeks, kopeks, st.integers(1, 20_000),
)  # fmt: skip
loads = st.fixed_dictionaries(
    {
        "distance_m": st.integers(0, 300_000),
        "mass_kg": st.fractions(0, 60_000, max_denominator=1000),
        "volume_m3": st.fractions(0, 200, max_denominator=1000),
        "longest_mm": st.integers(0, 13_000),
        "floor": st.integers(1, 40),
        "lift": st.booleans(),
        "unloading": st.sampled_from(["self", "hands", "crane", "tail_lift"]),
    }
)


@given(rates, loads)
def test_the_lines_sum_to_the_total_and_reach_the_minimum(tariff: Rates, load: dict[str, object]) -> None:
    found = quote(tariff, **load)  # type: ignore[arg-type]  # hypothesis gives the right types
    assert found.total == sum(line.amount for line in found.lines)
    assert found.total >= tariff.minimum * found.trips
    assert all(line.amount > 0 for line in found.lines)


@pytest.mark.parametrize("name", ["distance_m", "mass_kg", "volume_m3", "longest_mm", "floor"])
@given(tariff=rates, load=loads, more=st.integers(0, 20_000))
def test_more_never_costs_less(name: str, tariff: Rates, load: dict[str, object], more: int) -> None:
    larger = load | {name: load[name] + more}  # type: ignore[operator]  # numbers
    assert quote(tariff, **larger).total >= quote(tariff, **load).total  # type: ignore[arg-type]  # the same


@given(rates, loads)
def test_a_lift_never_costs_more(tariff: Rates, load: dict[str, object]) -> None:
    with_lift, without = load | {"lift": True}, load | {"lift": False}
    assert quote(tariff, **with_lift).total <= quote(tariff, **without).total  # type: ignore[arg-type]  # the same


def test_a_worked_example_line_by_line() -> None:
    found = quote(Rates(), 12_300, 2500, Fraction(3), 6000, floor=3, unloading="hands")
    assert {line.code: line.amount for line in found.lines} == {
        "base": 150_000,
        "distance": 8 * 4_500,
        "mass": 75_000,
        "volume": 30_000,
        "long_piece": 50_000,
        "hands": 100_000,
        "floors": 100_000,
    }
    assert found.trips == 1


def test_a_load_over_the_truck_goes_in_paid_trips() -> None:
    one, three = quote(Rates(), 4000, 5000, 0, 0), quote(Rates(), 4000, 10_001, 0, 0)
    assert (one.trips, three.trips) == (1, 3)
    assert three.total == 3 * 150_000 + 300_030


def test_the_minimum_is_a_line_of_its_own() -> None:
    found = quote(replace(Rates(), minimum=400_000), 0, 0, 0, 0)
    assert [(line.code, line.amount) for line in found.lines] == [("base", 150_000), ("minimum", 250_000)]


def test_a_basement_counts_its_floors_down() -> None:
    deep = quote(Rates(), 0, 1000, 0, 0, floor=-2, unloading="hands")
    assert next(line.amount for line in deep.lines if line.code == "floors") == 2 * 20_000
