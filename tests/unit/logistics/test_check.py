"""Each planted defect in a valid plan is caught under its own name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.logistics.routing.check import violations
from app.logistics.routing.problem import Plan, Problem, RoutePlan, StopPlan, Unassigned
from app.logistics.routing.schedule import drive
from tests.unit.logistics.markets import DAY, HOUR, problem, shipment, truck

PAIRS = (("pickup", "a"), ("pickup", "b"), ("drop", "a"), ("drop", "b"))


def valid(task: Problem) -> Plan:
    route = drive(task, task.trucks[0], PAIRS)
    assert route is not None
    return Plan((route,), (), route.cost_kop)


@pytest.fixture
def task() -> Problem:
    return problem([truck(), truck("u")], [shipment("a"), shipment("b")])


def codes(task: Problem, plan: Plan) -> set[str]:
    return {violation.code for violation in violations(task, plan)}


def with_route(plan: Plan, **change: Any) -> Plan:
    return replace(plan, routes=(replace(plan.routes[0], **change),))


def with_stop(plan: Plan, number: int, **change: Any) -> Plan:
    stops = list(plan.routes[0].stops)
    stops[number] = replace(stops[number], **change)
    return with_route(plan, stops=tuple(stops))


def test_valid_plan_has_no_violation(task: Problem) -> None:
    assert violations(task, valid(task)) == []


def route(plan: Plan) -> RoutePlan:
    return plan.routes[0]


def swapped(plan: Plan) -> tuple[StopPlan, ...]:
    a, b, c, d = route(plan).stops
    return (c, b, a, d)


PLANTED: dict[str, Callable[[Plan], Plan]] = {
    "drop_before_pickup": lambda p: with_route(p, stops=swapped(p)),
    "left_on_board": lambda p: with_route(p, stops=route(p).stops[:3]),
    "picked_twice": lambda p: with_route(p, stops=(route(p).stops[0], *route(p).stops)),
    "wrong_arrival": lambda p: with_stop(p, 2, arrival_s=route(p).stops[2].arrival_s - 60),
    "wrong_service": lambda p: with_stop(p, 1, departure_s=route(p).stops[1].start_s),
    "wrong_return": lambda p: with_route(p, end_s=route(p).end_s - 1),
    "wrong_totals": lambda p: with_route(p, distance_m=route(p).distance_m - 1),
    "wrong_cost": lambda p: with_route(p, cost_kop=route(p).cost_kop - 1),
    "wrong_plan_cost": lambda p: replace(p, cost_kop=p.cost_kop + 1),
    "wrong_peaks": lambda p: with_route(p, peak_mass_kg=1),
    "unknown_truck": lambda p: with_route(p, truck_id="nobody"),
    "unknown_shipment": lambda p: with_stop(p, 0, shipment_id="nothing"),
    "unknown_stop_kind": lambda p: with_stop(p, 0, kind="visit"),
    "truck_twice": lambda p: replace(p, routes=(route(p), route(p))),
    "carried_twice": lambda p: replace(p, routes=(route(p), replace(route(p), truck_id="u"))),
    "lost": lambda p: Plan((), (Unassigned("a", "too_heavy"),), 0),
    "no_reason": lambda p: Plan((), (Unassigned("a", "bad_luck"), Unassigned("b", "too_heavy")), 0),
    "empty_route": lambda p: with_route(p, stops=()),
}


@pytest.mark.parametrize("code", PLANTED)
def test_planted_defect_is_caught(task: Problem, code: str) -> None:
    assert code in codes(task, PLANTED[code](valid(task)))


HARDER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # the same plan judged against a stricter truck or shipment
    "overload_mass": ({"payload_kg": 3_999}, {}),
    "overload_volume": ({"volume_l": 5_999}, {}),
    "too_long": ({"longest_mm": 2_999}, {}),
    "no_equipment": ({}, {"needs": frozenset({"crane"})}),
    "access": ({}, {"max_vehicle_mass_kg": 15_999}),
    "too_late": ({}, {"drop_window": (8 * HOUR, 8 * HOUR + 60)}),
    "too_early": ({}, {"drop_window": (19 * HOUR, 20 * HOUR)}),
    "before_shift": ({"shift": (DAY[0] + 1, DAY[1])}, {}),
    "after_shift": ({"shift": (DAY[0], DAY[0] + 1800)}, {}),
    "no_break": ({"max_driving_s": 300}, {}),
}


@pytest.mark.parametrize("code", HARDER)
def test_broken_limit_is_caught(task: Problem, code: str) -> None:
    truck_change, goods_change = HARDER[code]
    plan = valid(task)
    plan = with_route(plan) if code != "before_shift" else earliest(task)
    strict = problem([truck(**truck_change), truck("u")], [shipment("a", **goods_change), shipment("b")])
    assert code in codes(strict, plan)


def earliest(task: Problem) -> Plan:
    """The plan when the first pickup must begin at once, so that the truck leaves with its shift."""
    plan = valid(task)
    assert route(plan).start_s == DAY[0]
    return plan


@pytest.fixture
def long_day() -> Problem:
    """Ten minutes at the wheel are allowed, so that the loop needs its break."""
    return problem([truck(max_driving_s=700)], [shipment("a"), shipment("b")])


def test_long_drive_gets_its_break(long_day: Problem) -> None:
    plan = valid(long_day)
    rest = route(plan).rest
    assert rest is not None
    assert rest.end_s - rest.start_s == 2_700
    assert violations(long_day, plan) == []


@pytest.mark.parametrize(
    ("code", "shift_start", "shift_end"),
    [("break_too_short", 0, -1), ("break_while_working", -60, 0), ("break_outside_window", -12 * HOUR, 0)],
)
def test_spoilt_break_is_caught(long_day: Problem, code: str, shift_start: int, shift_end: int) -> None:
    plan = valid(long_day)
    rest = route(plan).rest
    assert rest is not None
    spoilt = replace(rest, start_s=rest.start_s + shift_start, end_s=rest.end_s + shift_end)
    assert code in codes(long_day, with_route(plan, rest=spoilt))


def test_break_after_a_stop_that_does_not_exist_is_caught(long_day: Problem) -> None:
    plan = valid(long_day)
    rest = route(plan).rest
    assert rest is not None
    assert "break_nowhere" in codes(long_day, with_route(plan, rest=replace(rest, after_stop=9)))
