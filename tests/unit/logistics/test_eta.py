"""Arrivals: windows hold the expectation, grow with the lead, are never in the past and come true as often as said."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.logistics import eta, rules
from app.logistics.eta import Ahead, Errors, Seen

NOW = clock.at(date(2026, 11, 24), 600)
ERRORS = st.builds(
    lambda low, width, n: Errors(low, low + width, n),
    st.integers(-7200, 3600),
    st.integers(0, 9000),
    st.integers(1, 500),
)
KNOWN = st.dictionaries(st.integers(0, eta.LAST_STEP), ERRORS)
SPREADS = st.builds(eta.spread, KNOWN, KNOWN)


@given(SPREADS, st.integers(-3600, 40_000))
def test_the_window_holds_the_expectation_and_is_not_in_the_past(spread: eta.Spread, ahead_s: int) -> None:
    arrival = NOW + timedelta(seconds=ahead_s)
    start, end = spread.window(arrival, NOW)
    assert start <= max(arrival, NOW) <= end
    assert start >= NOW.replace(second=0, microsecond=0)
    assert end - max(arrival, NOW) >= timedelta(seconds=eta.LEAST_S)
    assert end.minute % 10 == 0


@given(SPREADS, st.integers(0, 40_000), st.integers(0, 40_000))
def test_the_farther_ahead_the_wider(spread: eta.Spread, one_s: int, other_s: int) -> None:
    near, far = sorted((one_s, other_s))
    first, second = (eta.step_of(timedelta(seconds=s)) for s in (near, far))
    assert spread.before_s[first] <= spread.before_s[second]
    assert spread.after_s[first] <= spread.after_s[second]


@given(KNOWN)
def test_few_errors_change_nothing(known: dict[int, Errors]) -> None:
    few = {step: Errors(one.low_s, one.high_s, eta.ENOUGH - 1) for step, one in known.items()}
    assert eta.spread(few, few) == eta.spread({}, {})


def test_own_errors_go_before_those_of_everybody() -> None:
    own, market = {1: Errors(-600, 4000, eta.ENOUGH)}, {1: Errors(-700, 5000, 400), 2: Errors(-800, 6000, 400)}
    found = eta.spread(own, market)
    assert found.after_s[1] == 4000
    assert found.after_s[2] == 6000


@pytest.mark.parametrize("shape", ["late", "even", "rarely very late"])
@pytest.mark.parametrize("count", [eta.ENOUGH, 500])
def test_so_many_held_out_arrivals_fall_into_the_window_as_is_said(shape: str, count: int) -> None:
    dice = random.Random(f"{shape}{count}")
    draw = {
        "late": lambda: int(dice.expovariate(1 / 900) - 200),
        "even": lambda: int(dice.gauss(0, 600)),
        "rarely very late": lambda: int(dice.gauss(60, 200) + (dice.random() < 0.1) * 3600),
    }[shape]
    inside = rounds = 0
    for _ in range(300):
        spread = eta.spread({3: eta.bounds([draw() for _ in range(count)])}, {})
        for _ in range(20):
            arrival = NOW + timedelta(minutes=dice.randint(61, 120), seconds=dice.randint(0, 59))
            start, end = spread.window(arrival, NOW)
            rounds += 1
            inside += start <= arrival + timedelta(seconds=draw()) <= end
    assert inside / rounds >= eta.SHARE


@given(st.lists(st.integers(-9000, 9000), min_size=1, max_size=200))
def test_bounds_leave_out_the_same_on_both_sides(errors: list[int]) -> None:
    found = eta.bounds(errors)
    assert found.low_s <= found.high_s
    assert sum(e < found.low_s for e in errors) <= len(errors) * 0.1
    assert sum(e > found.high_s for e in errors) <= len(errors) * 0.1


def stop(number: int, arrives: int, works: int = 20, opens: int | None = 0, **known: datetime) -> Ahead:
    at = NOW + timedelta(minutes=arrives)
    window = None if opens is None else NOW + timedelta(minutes=opens)
    timing = rules.Timing(at, at + timedelta(minutes=works), window)
    return Ahead(number, timing, known.get("told"), known.get("arrived_at"), (55.82, 37.61))


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_a_truck_that_stands_makes_all_the_others_later_without_a_tap() -> None:
    route = [stop(1, 10), stop(2, 50), stop(3, 90)]
    assert eta.expected(route, NOW) == [after(10), after(50), after(90)]
    late = eta.expected(route, after(40))
    assert late == [after(40), after(80), after(120)]
    unloading = [stop(1, 10, arrived_at=after(12)), *route[1:]]
    assert eta.expected(unloading, after(15))[1:] == [after(52), after(92)]
    assert eta.expected(unloading, after(60))[1:] == [after(80), after(120)]


def test_the_truck_cannot_be_sooner_than_the_way_allows() -> None:
    far = Seen(56.18, 37.61, NOW)  # 40 km to the north: 40 minutes at least
    [arrival] = eta.expected([stop(1, 5)], NOW, far)
    assert after(39) < arrival < after(41)
    assert eta.expected([stop(1, 5)], NOW, Seen(56.18, 37.61, NOW - timedelta(minutes=6))) == [after(5)]


def test_nothing_is_expected_before_the_window_opens() -> None:
    assert eta.expected([stop(1, 5, opens=30)], NOW) == [after(30)]
    assert eta.expected([], NOW) == []


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40)), min_size=1, max_size=8),
    st.integers(0, 600),
)
def test_arrivals_follow_each_other_and_only_become_later_with_time(legs: list[tuple[int, int]], passed: int) -> None:
    route, at = [], 0
    for number, (drive, work) in enumerate(legs):
        at += drive
        route.append(stop(number, at, work))
        at += work
    soon, later = eta.expected(route, NOW), eta.expected(route, after(passed))
    assert soon == sorted(soon)
    assert all(b >= a for a, b in zip(soon, later, strict=True))
    assert all(arrival >= after(passed) for arrival in later)
