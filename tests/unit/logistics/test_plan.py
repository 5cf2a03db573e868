from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.logistics.routing import solve
from app.logistics.routing.build import build_orders
from app.logistics.routing.check import Violation, violations
from app.logistics.routing.problem import Place, Problem
from app.logistics.routing.reasons import CODES
from app.logistics.routing.solve import Progress, plan
from tests.unit.logistics.markets import DAY, HOUR, SITE, YARD, market, problem, shipment, truck


def accounted(task: Problem, answer: Any) -> None:
    assert violations(task, answer) == []
    carried = {stop.shipment_id for route in answer.routes for stop in route.stops}
    left = {item.shipment_id for item in answer.unassigned}
    assert carried | left == {s.id for s in task.shipments}
    assert not carried & left


@pytest.mark.parametrize(("shipments", "warehouses", "trucks"), [(20, 3, 6), (40, 5, 9)])
def test_day_of_the_market_is_served_whole_and_valid(shipments: int, warehouses: int, trucks: int) -> None:
    task = market(shipments, warehouses, trucks)
    answer = plan(task, 1)
    accounted(task, answer)
    assert answer.unassigned == ()


@pytest.mark.slow
def test_sixty_shipments_get_cheaper_while_polished() -> None:
    task = market(60, 5, 9)
    quick, polished = plan(task, 5, iterations=0), plan(task, 5)
    accounted(task, polished)
    assert polished.unassigned == ()
    assert polished.cost_kop <= quick.cost_kop


def test_same_seed_gives_the_same_plan() -> None:
    task = market(20, 3, 6, seed=4)
    assert plan(task, 20, iterations=30, seed=7) == plan(task, 20, iterations=30, seed=7)


def test_earlier_plan_is_never_made_worse() -> None:
    task = market(20, 3, 6)
    first = plan(task, 20, iterations=100)
    assert plan(task, 20, start_plan=first, iterations=5).cost_kop <= first.cost_kop


def test_earlier_plan_may_name_goods_and_trucks_that_are_gone() -> None:
    first = plan(market(20, 3, 6), 20, iterations=0)
    whole = market(20, 3, 6)
    rest = Problem(whole.trucks[1:], whole.shipments[:12], whole.matrix)
    accounted(rest, plan(rest, 20, start_plan=first, iterations=3))


def test_progress_is_told_and_stopping_keeps_a_valid_plan() -> None:
    told: list[Progress] = []
    task = market(20, 3, 6)

    def stop_when_polishing(progress: Progress) -> bool:
        told.append(progress)
        return progress.stage == "build"

    answer = plan(task, 30, on_progress=stop_when_polishing)
    accounted(task, answer)
    assert told[0].stage == "build"
    assert told[-1].carried == 20
    assert told[-1].cost_kop == answer.cost_kop
    assert told[-1].elapsed_s < 15


def test_pyvrp_plans_alone_when_vroom_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vroom", None)
    task = market(12, 2, 6)
    answer = plan(task, 20, iterations=200)
    accounted(task, answer)
    assert answer.routes


def test_invalid_plan_never_leaves_the_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    task = market(5, 2, 3)
    monkeypatch.setattr(solve, "violations", lambda *_: [Violation("lost", "s0")])
    with pytest.raises(solve.PlanRefused):
        plan(task, 1, iterations=0)


def test_long_drives_keep_their_breaks() -> None:
    whole = market(20, 3, 6)
    trucks = [truck(t.id, start=t.start, end=t.end, max_driving_s=2_400, skills=frozenset({"crane"}),
                    gross_mass_kg=12_000) for t in whole.trucks]  # fmt: skip
    task = problem(trucks, list(whole.shipments))
    answer = plan(task, 1)
    accounted(task, answer)
    assert any(route.rest is not None for route in answer.routes)


def test_nothing_to_carry_and_no_trucks_are_plans_too() -> None:
    assert plan(problem([truck()], []), 1).routes == ()
    answer = plan(problem([], [shipment()]), 1)
    assert [item.code for item in answer.unassigned] == ["no_capacity_left"]


REASONS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    # code: change of the truck, change of the goods, context
    "too_heavy": ({}, {"mass_kg": 10_001}, {"mass_kg": 10_001, "most_kg": 10_000}),
    "too_large": ({}, {"volume_l": 36_001}, {"volume_l": 36_001, "most_l": 36_000}),
    "too_long": ({}, {"longest_mm": 8_001}, {"longest_mm": 8_001, "most_mm": 8_000}),
    "needs_equipment": ({"skills": frozenset({"tail_lift"})}, {"needs": frozenset({"crane", "tail_lift"})},
                        {"missing": "crane"}),
    "access_forbidden": ({}, {"max_vehicle_mass_kg": 9_000}, {"limit_kg": 9_000, "lightest_kg": 16_000}),
    "height_forbidden": ({"height_mm": 3_600}, {"max_vehicle_height_mm": 3_500},
                         {"limit_mm": 3_500, "lowest_mm": 3_600}),
    "window_impossible": ({}, {"pickup_window": (12 * HOUR, DAY[1]), "drop_window": (8 * HOUR, 10 * HOUR)},
                          {"from_s": 8 * HOUR, "to_s": 10 * HOUR}),
    "shift_too_short": ({"shift": (8 * HOUR, 8 * HOUR + 1_200)}, {}, {"shift_s": 1_200}),
}  # fmt: skip


@pytest.mark.parametrize("code", REASONS)
def test_impossible_shipment_is_left_with_its_reason(code: str) -> None:
    truck_change, goods_change, context = REASONS[code]
    task = problem([truck(**truck_change)], [shipment(**goods_change)])
    answer = plan(task, 1, iterations=0)
    assert violations(task, answer) == []
    assert [item.code for item in answer.unassigned] == [code]
    assert context.items() <= dict(answer.unassigned[0].context).items()


def test_unreachable_site_is_named() -> None:
    from app.logistics.routing.roads import CAP_METRES, CAP_SECONDS, Matrix

    roads = problem([truck()], [shipment()]).matrix
    seconds, metres = roads.seconds.copy(), roads.metres.copy()
    site = roads.points.index(SITE.point)
    for index in range(len(roads.points)):
        if index != site:
            seconds[index, site], metres[index, site] = CAP_SECONDS, CAP_METRES
    closed = Problem((truck(),), (shipment(),), Matrix(roads.points, seconds, metres, roads.estimated))
    assert [item.code for item in plan(closed, 1, iterations=0).unassigned] == ["unreachable"]


def test_goods_beyond_the_fleet_are_left_for_want_of_room() -> None:
    goods = [shipment(f"s{n}", mass_kg=9_000, pickup_service_s=HOUR, drop_service_s=HOUR) for n in range(9)]
    task = problem([truck()], goods)
    answer = plan(task, 1, iterations=20)
    accounted(task, answer)
    assert answer.routes
    assert {item.code for item in answer.unassigned} == {"no_capacity_left"}


def test_vroom_that_fits_nothing_is_no_failure() -> None:
    """Only a break lets this driver carry the goods, and VROOM is asked without one first."""
    task = problem([truck(max_driving_s=700)], [shipment()])
    assert build_orders(task, task.shipments, 1, with_breaks=False) == {}
    accounted(task, plan(task, 1, iterations=5))


def test_every_code_has_a_test() -> None:
    elsewhere = {
        "unreachable", "far_from_roads", "no_capacity_left", "window_taken", "together_impossible", "on_broken_truck",
        "locked_truck",
    }  # fmt: skip
    by_the_worker = {"no_coordinates"}  # tests/workers/test_routing_job.py
    assert {*REASONS} | elsewhere | by_the_worker == set(CODES)


places = st.builds(
    Place, st.integers(558_010, 558_270).map(lambda n: n / 1e4), st.integers(375_860, 376_300).map(lambda n: n / 1e4)
)
windows = st.tuples(st.integers(6, 20), st.integers(0, 8)).map(lambda w: (w[0] * HOUR, (w[0] + w[1]) * HOUR))
trucks = st.lists(
    st.fixed_dictionaries({
        "start": places, "payload_kg": st.integers(500, 20_000), "volume_l": st.integers(1_000, 60_000),
        "longest_mm": st.integers(2_000, 13_600), "gross_mass_kg": st.integers(20_000, 40_000), "shift": windows,
        "skills": st.frozensets(st.sampled_from(["crane", "tail_lift"])), "max_driving_s": st.integers(300, 16_200),
        "cost_per_km_kop": st.integers(0, 9_000), "cost_per_hour_kop": st.integers(0, 200_000),
    }), min_size=1, max_size=3,
)  # fmt: skip
goods = st.lists(
    st.fixed_dictionaries({
        "pickup": st.sampled_from([YARD, SITE]), "dropoff": places, "mass_kg": st.integers(1, 9_000),
        "volume_l": st.integers(1, 20_000), "longest_mm": st.integers(100, 9_000), "pickup_window": windows,
        "drop_window": windows, "needs": st.frozensets(st.sampled_from(["crane", "tail_lift"]), max_size=1),
        "max_vehicle_mass_kg": st.none() | st.integers(10_000, 40_000),
    }), max_size=6,
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trucks, goods)
def test_any_small_day_is_valid_and_every_shipment_is_accounted_for(fleet: list[Any], lots: list[Any]) -> None:
    task = problem(
        [truck(f"t{n}", **values) for n, values in enumerate(fleet)],
        [shipment(f"s{n}", **values) for n, values in enumerate(lots)],
    )
    accounted(task, plan(task, 5, iterations=10))
