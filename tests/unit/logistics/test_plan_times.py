"""Any order a dispatcher makes is driven: true when it can be, else with broken rules widened no more than needed."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.logistics import plan_times
from app.logistics.plan_shape import DROP, PICKUP, Call, Line, Sheet
from app.logistics.routing import check, schedule
from app.logistics.routing.problem import Place, Problem, Shipment, Truck
from app.logistics.routing.roads import Matrix

SOFT = {
    "overload_mass", "overload_volume", "too_long", "no_equipment", "access", "too_late", "after_shift", "no_break",
    "too_much_driving", "break_outside_window",
}  # fmt: skip
"""Rules a draft may break. Anything else would be a mistake of ours: a wrong time, a lost lot."""


def problem_of(legs: int, windows: list[tuple[int, int]], masses: list[int], shift: int = 36_000) -> Problem:
    """A truck of 1000 kg that stands at place 0, a warehouse at 1, sites behind it, each leg as long."""
    places = [Place(55.0 + n / 100, 37.0) for n in range(len(windows) + 2)]
    seconds = np.full((len(places), len(places)), legs, dtype=np.int64)
    np.fill_diagonal(seconds, 0)
    matrix = Matrix(tuple(p.point for p in places), seconds, seconds * 10, np.zeros(seconds.shape, dtype=np.bool_))
    truck = Truck("1", places[0], places[0], 1000, 10_000, 6000, 9000, (0, shift), cost_per_km_kop=100,
                  cost_per_hour_kop=1000)  # fmt: skip
    shipments = tuple(
        Shipment(f"{n}.1", places[1], places[n + 1], mass, 100, 1000, (0, shift), (start, start + length))
        for n, ((start, length), mass) in enumerate(zip(windows, masses, strict=True), start=1)
    )
    return Problem((truck,), shipments, matrix)


def sheet_of(problem: Problem, order: list[int]) -> Sheet:
    """All loadings first, then the drops in this order."""
    ups = tuple(Call(f"u{n}", PICKUP, n) for n in order)
    return Sheet({1: Line("r", 1, ups + tuple(Call(f"d{n}", DROP, n) for n in order))})


DAYS = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        st.integers(60, 9000),
        st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 9000)), min_size=n, max_size=n),
        st.lists(st.integers(1, 900), min_size=n, max_size=n),
        st.permutations(range(1, n + 1)),
    )
)


@settings(max_examples=200, deadline=None)
@given(DAYS)
def test_every_order_is_driven_and_only_soft_rules_are_broken(day: Any) -> None:
    legs, windows, masses, order = day
    problem = problem_of(legs, windows, masses)
    sheet = sheet_of(problem, order)
    found = plan_times.evaluate(problem, sheet)
    codes = {fault.code for fault in found.faults}
    assert codes <= SOFT
    assert {(v.code) for v in check.violations(problem, found.plan)} == codes
    driven = schedule.drive(problem, problem.trucks[0], plan_times.order_of(sheet.lines[1]))
    assert (driven is not None) == (not codes)
    if driven is not None:
        assert found.routes[1] == driven


def test_a_stop_is_late_by_as_little_as_can_be_and_makes_no_other_late() -> None:
    """Window of the second site closes before the truck can be there; the third waits for its own opening."""
    problem = problem_of(600, [(0, 30_000), (0, 1000), (20_000, 5000)], [100, 100, 100])
    found = plan_times.evaluate(problem, sheet_of(problem, [1, 2, 3]))
    [fault] = found.faults
    # yard to warehouse 600, three loadings of 600, then 600 on the road, 900 unloading, 600 on the road
    earliest = 600 + 3 * 600 + 600 + 900 + 600
    assert (fault.code, fault.delivery_id, fault.kind, fault.figures) == (
        "too_late",
        2,
        DROP,
        {"over": earliest - 1000},
    )
    third = found.routes[1].stops[-1]
    assert third.start_s == 20_000


def test_a_long_day_gets_its_break_and_a_far_too_long_one_says_so() -> None:
    whole = problem_of(4000, [(0, 90_000)] * 3, [100, 100, 100], shift=90_000)
    found = plan_times.evaluate(whole, sheet_of(whole, [1, 2, 3]))
    assert found.faults == ()
    assert found.routes[1].rest is not None
    late = problem_of(4000, [(0, 90_000), (0, 90_000), (0, 100)], [100, 100, 100], shift=90_000)
    found = plan_times.evaluate(late, sheet_of(late, [1, 2, 3]))
    assert [fault.code for fault in found.faults] == ["too_late"], "the break stays where the law wants it"
    far = problem_of(9000, [(0, 90_000)] * 4, [100] * 4, shift=90_000)
    found = plan_times.evaluate(far, sheet_of(far, [1, 2, 3, 4]))
    assert "no_break" in {fault.code for fault in found.faults}


def test_too_much_is_said_at_the_loading_that_is_too_much() -> None:
    problem = problem_of(300, [(0, 30_000)] * 3, [400, 400, 500])
    found = plan_times.evaluate(problem, sheet_of(problem, [1, 2, 3]))
    [fault] = found.faults
    assert (fault.code, fault.delivery_id, fault.kind, fault.figures["over"]) == ("overload_mass", 3, PICKUP, 300)
