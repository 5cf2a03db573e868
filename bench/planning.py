"""Days of the market's own shape: `python -m bench.planning [--sizes 60,300,1000] [--seconds 5] [--seed 1]`.

A made-up city of 20 x 20 km at 32 km/h with a detour of 1.35; few warehouses shared by many shipments of 300 to 4,800
kg, windows of 3 to 6 hours, shifts of 12, three classes of trucks. Prints per size: seconds to the first valid plan,
cost at the end of `--seconds` and of 20 s, left shipments, seconds of the checker; then, with `--replan 9`, a day of
150 open shipments planned again. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np

from app.logistics.routing.check import violations
from app.logistics.routing.problem import (
    DROP,
    PICKUP,
    Order,
    Place,
    Plan,
    Problem,
    RoutePlan,
    Shipment,
    StopPlan,
    Truck,
    places_of,
)
from app.logistics.routing.rest import moved, replan, untouched_of
from app.logistics.routing.roads import EARTH_RADIUS_M, Matrix, never_zero
from app.logistics.routing.solve import Progress, plan

HOUR = 3600
SHIFT = (8 * HOUR, 20 * HOUR)
SIZES = {60: (5, 8), 150: (8, 17), 300: (10, 28), 1000: (20, 100)}
"""Shipments -> (warehouses, trucks)."""
CLASSES = ((5_000, 20_000, 6_000, 9_000), (10_000, 36_000, 8_000, 16_000), (20_000, 60_000, 13_600, 32_000))
Metrics = dict[str, float | int]


def city(points: list[tuple[float, float]]) -> Matrix:
    """Straight lines times 1.35 at 32 km/h."""
    radians = np.radians(np.array(points))
    lat, lon = radians[:, 0], radians[:, 1]
    x, y = (lon[:, None] - lon[None, :]) * np.cos(lat.mean()), lat[:, None] - lat[None, :]
    metres = 1.35 * EARTH_RADIUS_M * np.hypot(x, y)
    cells = never_zero(points, np.rint(metres / (32 / 3.6)), np.rint(metres))
    return Matrix(tuple(points), *cells, np.zeros(metres.shape, dtype=np.bool_))


def problem(trucks: list[Truck], shipments: list[Shipment]) -> Problem:
    pairs = tuple(trucks), tuple(shipments)
    return Problem(*pairs, city([place.point for place in places_of(*pairs)]))


def market(count: int, seed: int) -> Problem:
    """A day of so many shipments; see SIZES."""
    warehouses, fleet = SIZES[count]
    dice = random.Random(seed)

    def somewhere() -> Place:
        return Place(round(dice.uniform(55.70, 55.88), 6), round(dice.uniform(37.45, 37.77), 6))

    yard, doors = somewhere(), [somewhere() for _ in range(warehouses)]
    trucks = []
    for number in range(fleet):
        payload, volume, longest, gross = CLASSES[(0, 1, 1, 2)[number % 4]]
        trucks.append(Truck(
            f"t{number}", yard, yard, payload, volume, longest, gross, SHIFT,
            skills=frozenset({"crane"} if number % 4 == 1 else ()), fixed_cost_kop=150_000 + 20 * payload,
            cost_per_km_kop=2_000 + payload // 5, cost_per_hour_kop=110_000,
        ))  # fmt: skip
    goods = []
    for number in range(count):
        opens, kg = dice.randint(8, 14), dice.choice((300, 600, 900, 1200, 1800, 2500, 3800, 4800))
        goods.append(Shipment(
            f"s{number}", doors[number % warehouses], somewhere(), kg, min(19_000, int(kg * dice.uniform(0.8, 3))),
            dice.choice((2_500, 3_000, 6_000)), (8 * HOUR, 18 * HOUR),
            (opens * HOUR, min(opens + dice.choice((3, 4, 6)), 19) * HOUR), 600 + kg // 20, 600 + kg // 10,
            needs=frozenset({"crane"} if number % 23 == 0 else ()),
            max_vehicle_mass_kg=20_000 if number % 7 == 1 else None,
        ))  # fmt: skip
    return problem(trucks, goods)


def day(count: int, seconds: float, seed: int) -> Metrics:
    """Plan one day twice: for `seconds`, and for 20 s from the same beginning."""
    task = market(count, seed)
    first: list[float] = []
    began = time.perf_counter()

    def tell(progress: Progress) -> bool:
        if progress.cost_kop is not None and not first:
            first.append(time.perf_counter() - began)
        return True

    short = plan(task, seconds, on_progress=tell, seed=seed)
    took = time.perf_counter() - began
    long = plan(task, 20, seed=seed) if seconds < 20 else short
    checked = time.perf_counter()
    broken = violations(task, short)
    checked = time.perf_counter() - checked
    return {
        "first_valid_s": round(first[0], 2), "took_s": round(took, 1), "cost": short.cost_kop,
        "over_20_s_plan_percent": round(100 * (short.cost_kop / long.cost_kop - 1), 2), "left": len(short.unassigned),
        "trucks": len(short.routes), "violations": len(broken), "checker_s": round(checked, 3),
    }  # fmt: skip


def noon(whole: Problem, morning: Plan, now: int) -> tuple[Problem, dict[str, Order]]:
    """What is open at `now` when everything went as planned; trucks on the way stand on the straight line."""
    trucks, goods, orders = [], [], {}
    driven = {route.truck_id: route for route in morning.routes}
    for truck in whole.trucks:
        route = driven.get(truck.id)
        if route is None or route.start_s >= now:
            trucks.append(replace(truck, shift=(max(now, truck.shift[0]), truck.shift[1])))
            done: list[StopPlan] = []
        else:
            done = [stop for stop in route.stops if stop.arrival_s <= now]
            trucks.append(_under_way(whole, truck, route, done, now))
        if route is None:
            continue
        over = {(stop.kind, stop.shipment_id) for stop in done}
        orders[truck.id] = tuple(s for stop in route.stops if (s := (stop.kind, stop.shipment_id)) not in over)
        for shipment_id in dict.fromkeys(stop.shipment_id for stop in route.stops):
            shipment = whole.shipment_by_id[shipment_id]
            if (DROP, shipment_id) not in over:
                loaded = (PICKUP, shipment_id) in over
                goods.append(replace(shipment, pickup=trucks[-1].start, on_board=truck.id) if loaded else shipment)
    return problem(trucks, goods), orders


def _under_way(whole: Problem, truck: Truck, route: RoutePlan, done: list[StopPlan], now: int) -> Truck:
    chain = [truck.start, *(_place(whole, stop) for stop in route.stops), truck.end]
    left = done[-1].departure_s if done else route.start_s
    driven = sum(whole.seconds(a, b) for a, b in pairwise(chain[: len(done) + 1]))
    here, there = chain[len(done)], chain[len(done) + 1]
    if now > left:
        gone = min(now - left, whole.seconds(here, there))
        share = gone / max(1, whole.seconds(here, there))
        driven += gone
        here = Place(here.lat + share * (there.lat - here.lat), here.lon + share * (there.lon - here.lon))
    return replace(truck, start=here, shift=(max(now, left), truck.shift[1]), fixed_cost_kop=0,
                   driven_s=driven, driven_today_s=driven)  # fmt: skip


def _place(whole: Problem, stop: StopPlan) -> Place:
    shipment = whole.shipment_by_id[stop.shipment_id]
    return shipment.pickup if stop.kind == PICKUP else shipment.dropoff


def replanned(seconds: float, seed: int) -> Metrics:
    """150 open shipments at noon, five of them new and one truck broken: planned again."""
    whole = market(300, seed)
    morning = plan(whole, 8, seed=seed)
    best: tuple[int, Problem, dict[str, Order]] | None = None
    for quarter in range(9 * 4, 17 * 4):
        task, orders = noon(whole, morning, quarter * HOUR // 4)
        off = abs(len(task.shipments) - 150)
        if best is None or off < best[0]:
            best = (off, task, orders)
    assert best is not None
    _, task, orders = best
    aboard = {s.on_board for s in task.shipments if s.on_board}
    broken = next(t.id for t in task.trucks if t.id in orders and orders[t.id] and t.id not in aboard)
    fresh = [replace(s, id=f"new{n}", drop_window=(s.drop_window[0], 19 * HOUR), on_board=None)
             for n, s in enumerate([s for s in task.shipments if s.on_board is None][:5])]  # fmt: skip
    task = problem([t for t in task.trucks if t.id != broken], [*task.shipments, *fresh])
    began = time.perf_counter()
    found = replan(task, seconds, orders, seed=seed)
    took = time.perf_counter() - began
    untouched = untouched_of(task, orders)
    left_aboard = sum(task.shipment_by_id[u.shipment_id].on_board is not None for u in found.unassigned)
    return {
        "open": len(task.shipments), "on_board": sum(s.on_board is not None for s in task.shipments),
        "took_s": round(took, 1), "left": len(found.unassigned), "on_board_left": left_aboard,
        "violations": len(violations(task, found)), "untouched": len(untouched),
        "moved_percent": round(100 * len(moved(untouched, found)) / max(1, len(untouched)), 1),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="60")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replan", type=float, default=0, help="seconds for the replan at noon; 0: leave it out")
    options = parser.parse_args()
    metrics: dict[str, float | int] = {}
    for size in (int(word) for word in options.sizes.split(",")):
        figures = day(size, options.seconds, options.seed)
        print(f"{size} shipments: {figures}", flush=True)
        metrics |= {f"{name}_{size}": value for name, value in figures.items()}
    if options.replan:
        figures = replanned(options.replan, options.seed)
        print(f"replan: {figures}", flush=True)
        metrics |= {f"replan_{name}": value for name, value in figures.items()}
    print(json.dumps({"bench": "planning", "metrics": metrics}))


if __name__ == "__main__":
    main()
