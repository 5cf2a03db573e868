"""What the planner knows of the market: several trips, common trucks, locks, goods on board, a driver's limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.logistics.routing.check import violations
from app.logistics.routing.problem import DROP, PICKUP, Plan, Problem, Unassigned
from app.logistics.routing.rest import MOST_MOVED, moved, replan, untouched_of
from app.logistics.routing.roads import Matrix
from app.logistics.routing.schedule import drive, order_of
from app.logistics.routing.solve import plan
from tests.unit.logistics.markets import DAY, HOUR, SITE, WAREHOUSE, YARD, market, problem, shipment, truck

FAR_SITE = replace(SITE, lat=55.8135, lon=37.5900)


def truck_of(answer: Plan) -> dict[str, str]:
    return {stop.shipment_id: route.truck_id for route in answer.routes for stop in route.stops}


def accounted(task: Problem, answer: Plan) -> None:
    assert violations(task, answer) == []
    carried = set(truck_of(answer))
    left = {item.shipment_id for item in answer.unassigned}
    assert carried | left == {s.id for s in task.shipments}


def test_one_truck_goes_to_the_warehouse_three_times() -> None:
    task = problem([truck()], [shipment(f"s{n}", mass_kg=6_000) for n in range(3)])
    answer = plan(task, 2, iterations=20)
    accounted(task, answer)
    assert answer.unassigned == ()
    [route] = answer.routes
    assert [stop.kind for stop in route.stops] == [PICKUP, DROP] * 3


def joint(count: int, word: str, **change: Any) -> list[Any]:
    return [shipment(f"{word}{n}", pickup=[WAREHOUSE, YARD, SITE][n % 3], dropoff=FAR_SITE, together=word, **change)
            for n in range(count)]  # fmt: skip


def test_what_was_sold_as_one_truck_is_on_one_truck() -> None:
    for seed in range(3):
        whole = market(24, 3, 6, seed=seed)
        goods = [replace(s, together=f"g{n // 3}") if n < 12 else s for n, s in enumerate(whole.shipments)]
        goods = [replace(s, needs=frozenset(), max_vehicle_mass_kg=None) if s.together else s for s in goods]
        task = Problem(whole.trucks, tuple(goods), whole.matrix)
        answer = plan(task, 3, iterations=40)
        accounted(task, answer)
        trucks = truck_of(answer)
        assert sum(1 for members in task.groups.values() if members[0].id in trucks) >= 3
        for members in task.groups.values():
            assert len({trucks.get(s.id) for s in members}) == 1


def test_a_parted_group_is_a_violation() -> None:
    task = problem([truck("a"), truck("b")], joint(2, "g"))
    routes = [drive(task, t, ((PICKUP, s.id), (DROP, s.id))) for t, s in zip(task.trucks, task.shipments, strict=True)]
    one, two = (route for route in routes if route is not None)
    assert {v.code for v in violations(task, Plan((one, two), (), one.cost_kop + two.cost_kop))} == {"parted"}
    half = Plan((one,), (Unassigned("g1", "no_capacity_left"),), one.cost_kop)
    assert {v.code for v in violations(task, half)} == {"parted"}


def test_goods_that_fit_no_truck_together_are_left_together_with_the_reason() -> None:
    narrow = {"drop_window": (9 * HOUR, 9 * HOUR + 900), "pickup_window": (8 * HOUR + 1800, 8 * HOUR + 2400)}
    task = problem([truck("a"), truck("b")], [*joint(2, "g", mass_kg=6_000, **narrow), shipment("other")])
    answer = plan(task, 2, iterations=10)
    accounted(task, answer)
    assert {item.shipment_id: item.code for item in answer.unassigned} == dict.fromkeys(
        ("g0", "g1"), "together_impossible"
    )
    assert answer.unassigned[0].context["mass_kg"] == 12_000
    assert set(truck_of(answer)) == {"other"}


def test_one_impossible_piece_keeps_its_reason_and_the_others_name_it() -> None:
    goods = joint(2, "g")
    task = problem([truck()], [replace(goods[0], longest_mm=99_000), goods[1]])
    answer = plan(task, 1, iterations=5)
    accounted(task, answer)
    assert {u.shipment_id: u.code for u in answer.unassigned} == {"g0": "too_long", "g1": "together_impossible"}
    assert {u.shipment_id: u.context.get("because") for u in answer.unassigned} == {"g0": None, "g1": "too_long"}


def test_a_locked_shipment_stays_on_its_truck_and_says_when_that_does_not_drive() -> None:
    goods = [shipment(f"s{n}", only_on=frozenset({"b"}) if n == 0 else None) for n in range(4)]
    task = problem([truck("a", fixed_cost_kop=0), truck("b", fixed_cost_kop=900_000)], goods)
    answer = plan(task, 2, iterations=20)
    accounted(task, answer)
    assert truck_of(answer)["s0"] == "b"
    alone = problem([truck("a")], goods)
    assert {u.shipment_id: u.code for u in plan(alone, 1, iterations=5).unassigned} == {"s0": "locked_truck"}
    elsewhere = drive(problem([truck("a")], [shipment("s0")]), truck("a"), ((PICKUP, "s0"), (DROP, "s0")))
    assert elsewhere is not None
    lone = problem([truck("a"), truck("b")], goods[:1])
    assert "locked_elsewhere" in {v.code for v in violations(lone, Plan((elsewhere,), (), elsewhere.cost_kop))}


def test_goods_on_board_are_only_dropped_and_only_by_their_truck() -> None:
    aboard = shipment("s0", pickup=YARD, on_board="a", mass_kg=7_000)
    task = problem([truck("a"), truck("b")], [aboard, shipment("s1", mass_kg=4_000)])
    answer = plan(task, 2, iterations=20)
    accounted(task, answer)
    assert truck_of(answer)["s0"] == "a"
    route = next(r for r in answer.routes if r.truck_id == "a")
    assert (PICKUP, "s0") not in order_of(route)
    assert route.peak_mass_kg >= 7_000
    full = problem([truck("a")], [aboard, shipment("s1", mass_kg=4_000)])
    assert drive(full, full.trucks[0], ((PICKUP, "s1"), (DROP, "s0"), (DROP, "s1"))) is None, "11 t at once"
    broken = problem([truck("b")], [aboard])
    [left] = plan(broken, 1, iterations=5).unassigned
    assert (left.code, left.context["truck"]) == ("on_broken_truck", "a")


def test_the_law_counts_what_was_driven_before() -> None:
    goods = [shipment()]
    rested = drive(problem([truck()], goods), truck(), ((PICKUP, "s"), (DROP, "s")))
    assert rested is not None
    assert rested.rest is None
    tired = problem([truck(driven_s=16_000, driven_today_s=16_000)], goods)
    route = drive(tired, tired.trucks[0], ((PICKUP, "s"), (DROP, "s")))
    assert route is not None
    assert route.rest is not None
    assert route.rest.after_stop == 0, "nothing may be driven before the rest"
    assert violations(tired, Plan((route,), (), route.cost_kop)) == []
    assert "no_break" in {v.code for v in violations(tired, Plan((rested,), (), rested.cost_kop))}
    spent = problem([truck(driven_s=0, driven_today_s=32_300)], goods)
    assert drive(spent, spent.trucks[0], ((PICKUP, "s"), (DROP, "s"))) is None
    assert "too_much_driving" in {v.code for v in violations(spent, Plan((rested,), (), rested.cost_kop))}


def test_a_window_that_is_impossible_after_other_stops_names_them() -> None:
    first = shipment("s0", drop_window=(8 * HOUR, 9 * HOUR), drop_service_s=2 * HOUR)
    second = shipment("s1", pickup_window=(9 * HOUR, 10 * HOUR), drop_window=(9 * HOUR, 9 * HOUR + 2400))
    task = problem([truck(payload_kg=2_000)], [first, second])
    answer = plan(task, 1, iterations=10)
    accounted(task, answer)
    [left] = answer.unassigned
    assert left.code == "window_taken"
    assert left.context["after"] != left.shipment_id
    assert int(left.context["earliest_s"]) > int(left.context["to_s"])


def test_a_point_off_the_roads_is_named_and_a_way_that_is_none_is_never_driven() -> None:
    whole = problem([truck()], [shipment()])
    roads = whole.matrix
    site = roads.points.index(SITE.point)
    seconds, metres = roads.seconds.copy(), roads.metres.copy()
    seconds[:, site] = seconds[site, :] = 1_000_000
    metres[:, site] = metres[site, :] = 10_000_000
    off = Problem(
        whole.trucks, whole.shipments, Matrix(roads.points, seconds, metres, roads.estimated, off_roads={site: 2_600})
    )
    [left] = plan(off, 1, iterations=5).unassigned
    assert (left.code, left.context["point"], left.context["metres"]) == ("far_from_roads", "site", 2_600)
    cut = Problem(whole.trucks, whole.shipments, Matrix(roads.points, seconds, metres, roads.estimated))
    [left] = plan(cut, 1, iterations=5).unassigned
    assert (left.code, left.context["point"]) == ("unreachable", "site")
    endless = Problem((truck(shift=(0, 10**7), max_driving_s=10**7, max_day_driving_s=10**8),),
                      (shipment(drop_window=(0, 10**7)),), cut.matrix)  # fmt: skip
    route = drive(endless, endless.trucks[0], ((PICKUP, "s"), (DROP, "s")))
    assert route is not None
    assert "no_way" in {v.code for v in violations(endless, Plan((route,), (), route.cost_kop))}


def test_the_planners_words_exist_for_every_reason(app: Any) -> None:
    from app.logistics.routing.reasons import CODES
    from app.texts import logistics as words

    with app.test_request_context():
        for code in CODES:
            assert code in words._LEFT, code


def after(whole: Problem, morning: Plan, now: int, broken: str | None) -> tuple[Problem, dict[str, Any]]:
    """The day at `now`: what was begun is done, trucks stand at their last stop."""
    trucks, goods, orders = [], [], {}
    driven = {route.truck_id: route for route in morning.routes}
    for one in whole.trucks:
        route = driven.get(one.id)
        done = [] if route is None else [stop for stop in route.stops if stop.arrival_s <= now]
        here, free = one.start, now
        if done:
            last = whole.shipment_by_id[done[-1].shipment_id]
            here, free = (last.pickup if done[-1].kind == PICKUP else last.dropoff), max(now, done[-1].departure_s)
        if one.id != broken:
            trucks.append(replace(one, start=here, shift=(min(free, one.shift[1]), one.shift[1])))
        if route is None:
            continue
        over = {(stop.kind, stop.shipment_id) for stop in done}
        orders[one.id] = tuple(stop for stop in order_of(route) if stop not in over)
        for shipment_id in dict.fromkeys(stop.shipment_id for stop in route.stops):
            if (DROP, shipment_id) not in over:
                found = whole.shipment_by_id[shipment_id]
                loaded = (PICKUP, shipment_id) in over
                goods.append(replace(found, pickup=here, on_board=one.id) if loaded else found)
    return problem(trucks, goods), orders


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 3), st.integers(9, 15), st.booleans(), st.integers(0, 2))
def test_the_rest_of_any_day_is_valid_and_keeps_what_it_must(seed: int, hour: int, breaks: bool, urgent: int) -> None:
    whole = market(18, 3, 6, seed=seed)
    morning = plan(whole, 5, iterations=5)
    broken = morning.routes[0].truck_id if breaks and morning.routes else None
    task, orders = after(whole, morning, hour * HOUR, broken)
    more = [shipment(f"new{n}", drop_window=(hour * HOUR, 20 * HOUR)) for n in range(urgent)]
    task = problem(list(task.trucks), [*task.shipments, *more])
    answer = replan(task, 5, orders, iterations=20)
    accounted(task, answer)
    trucks = truck_of(answer)
    for one in task.shipments:
        if one.on_board is not None and one.id in trucks:
            assert trucks[one.id] == one.on_board
    left = {u.shipment_id: u.code for u in answer.unassigned}
    assert all(left[s.id] == "on_broken_truck" for s in task.shipments if s.on_board == broken and broken)


@pytest.mark.parametrize("seed", [1, 2])
def test_untouched_shipments_mostly_stay_on_their_truck(seed: int) -> None:
    whole = market(30, 3, 8, seed=seed)
    morning = plan(whole, 3, iterations=3)
    orders = {route.truck_id: order_of(route) for route in morning.routes}
    more = [shipment(f"new{n}", drop_window=(9 * HOUR, 20 * HOUR)) for n in range(3)]
    task = problem(list(whole.trucks), [*whole.shipments, *more])
    answer = replan(task, 4, orders)
    accounted(task, answer)
    assert answer.unassigned == ()
    untouched = untouched_of(task, orders)
    assert len(moved(untouched, answer)) <= MOST_MOVED * len(untouched)
    assert DAY[0] <= min(route.start_s for route in answer.routes)
