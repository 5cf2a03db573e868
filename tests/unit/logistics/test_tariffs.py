"""A delivery price is explained to the kopek and never falls when there is more to do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.logistics.fleet_facts import TariffFacts, check_tariff
from app.logistics.tariffs import quote, waiting, zone_of


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
    zones: tuple[Any, ...] = ()
    distance_steps: tuple[Any, ...] = ()
    mass_steps: tuple[Any, ...] = ()
    free_minutes: int = 60
    waiting_step: int = 30
    per_waiting_step: int = 50_000


kopeks = st.integers(0, 1_000_000)


def rising(bound: str, most: int) -> st.SearchStrategy[Any]:
    """Steps as the editor lets them through: bounds rise, prices never fall."""

    @st.composite
    def made(draw: Any) -> tuple[dict[str, int], ...]:
        bounds = sorted(draw(st.sets(st.integers(1, most), max_size=6)))
        prices = sorted(draw(st.lists(kopeks, min_size=len(bounds), max_size=len(bounds))))
        return tuple({bound: b, "price": p} for b, p in zip(bounds, prices, strict=True))

    return made()


CENTRE = (55.80, 37.62)
SQUARE = {"name": "square", "price": 90_000, "polygon": [[55.7, 37.5], [55.7, 37.7], [55.9, 37.7], [55.9, 37.5]]}
RING = {"name": "ring", "price": 120_000, "lat": 55.8, "lon": 38.0, "radius_m": 5000}
rates = st.builds(
    Rates, kopeks, st.integers(0, 50), kopeks, kopeks, kopeks, st.integers(0, 13_000), kopeks, kopeks, kopeks, kopeks,
    kopeks, kopeks, st.integers(1, 20_000), st.sampled_from([(), (SQUARE, RING), (RING,)]), rising("up_to_km", 200),
    rising("up_to_kg", 25_000), st.integers(0, 180), st.sampled_from([15, 30]), kopeks,
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
        "waiting_minutes": st.integers(0, 600),
        "point": st.sampled_from([None, CENTRE, (55.81, 38.01), (50.0, 30.0)]),
    }
)


@given(rates, loads)
def test_the_lines_sum_to_the_total_and_reach_the_minimum(tariff: Rates, load: dict[str, object]) -> None:
    found = quote(tariff, **load)  # type: ignore[arg-type]  # hypothesis gives the right types
    assert found.total == sum(line.amount for line in found.lines)
    assert found.total >= tariff.minimum * found.trips
    assert all(line.amount > 0 for line in found.lines)


@pytest.mark.parametrize("name", ["distance_m", "mass_kg", "volume_m3", "longest_mm", "floor", "waiting_minutes"])
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


@given(rates, st.integers(0, 300_000))
def test_every_distance_has_one_price_for_the_way(tariff: Rates, distance_m: int) -> None:
    found = quote(tariff, distance_m, 0, 0, 0)
    codes = [line.code for line in found.lines]
    assert not {"base", "distance_step"} <= set(codes)
    if tariff.distance_steps:
        reached = [one["price"] for one in tariff.distance_steps if -(-distance_m // 1000) <= one["up_to_km"]]
        paid = sum(line.amount for line in found.lines if line.code == "distance_step")
        assert paid == (reached or [tariff.distance_steps[-1]["price"]])[0]


@given(rates, st.fractions(0, 60_000, max_denominator=100))
def test_a_load_pays_its_mass_step_and_full_trips_theirs(tariff: Rates, mass: Fraction) -> None:
    if tariff.mass_steps:
        trips = quote(tariff, 0, mass, 0, 0).trips
        parts = [quote(tariff, 0, tariff.max_mass_kg, 0, 0)] * (trips - 1)
        parts.append(quote(tariff, 0, mass - tariff.max_mass_kg * (trips - 1), 0, 0))
        whole = sum(line.amount for line in quote(tariff, 0, mass, 0, 0).lines if line.code == "mass_step")
        summed = sum(line.amount for part in parts for line in part.lines if line.code == "mass_step")
        assert abs(whole - summed) <= trips  # the whole is rounded once, the parts each


def test_a_zone_is_a_flat_price_and_the_first_one_counts() -> None:
    tariff = Rates(zones=(SQUARE, dict(RING, lat=55.8, lon=37.62)), per_tonne=0, per_m3=0)
    near, far = (quote(tariff, metres, 0, 0, 0, point=CENTRE) for metres in (1000, 90_000))
    assert near.total == far.total == 90_000
    assert [(line.code, line.context["zone"]) for line in near.lines] == [("zone", "square")]
    assert [line.code for line in quote(tariff, 1000, 0, 0, 0, point=(55.0, 30.0)).lines] == ["base"]
    assert zone_of(tariff.zones, None) is None


def test_steps_of_the_way_and_what_lies_behind_the_last() -> None:
    tariff = Rates(distance_steps=({"up_to_km": 10, "price": 100_000}, {"up_to_km": 20, "price": 150_000}))
    assert [quote(tariff, m, 0, 0, 0).total for m in (0, 10_000, 10_001, 20_000, 21_500)] == [
        100_000, 100_000, 150_000, 150_000, 150_000 + 2 * 4_500,
    ]  # fmt: skip


def test_waiting_is_free_at_first_then_by_begun_steps() -> None:
    assert [waiting(Rates(), minutes).amount for minutes in (0, 60, 61, 90, 91)] == [0, 0, 50_000, 50_000, 100_000]


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"distance_steps": [{"up_to_km": 5, "price": 9}, {"up_to_km": 5, "price": 10}]}, "/distance_steps/1",
         "steps_not_rising"),
        ({"mass_steps": [{"up_to_kg": 5, "price": 9}, {"up_to_kg": 6, "price": 8}]}, "/mass_steps/1",
         "steps_not_rising"),
        ({"zones": [{"name": "a", "price": 1, "polygon": [[0, 0], [1, 1]]}]}, "/zones/0/polygon", "wrong_zone"),
        ({"zones": [SQUARE, SQUARE]}, "/zones", "zone_twice"),
    ],
)  # fmt: skip
def test_an_editor_refuses_gaps_and_falling_prices(wrong: dict[str, Any], pointer: str, code: str) -> None:
    facts = TariffFacts("City", 1, 1, 1, 1000, date(2026, 1, 1), **wrong)
    with pytest.raises(Invalid) as refused:
        check_tariff(facts)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [(pointer, code)]
