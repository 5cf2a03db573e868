"""Times, cost and broken rules of a sheet: the pure scheduler drives it, the independent checker judges it.

The scheduler refuses an order that breaks a rule. A dispatcher's order is driven all the same: the rules it breaks are
widened by as little as makes it drivable, and the checker, which sees the true ones, says what is broken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from app.logistics.plan_problem import shipment_id
from app.logistics.plan_shape import DROP, PICKUP, Line, Sheet
from app.logistics.routing import check, reasons, schedule
from app.logistics.routing.problem import Plan, Problem, RoutePlan, Shipment, StopPlan, Truck, Unassigned
from app.logistics.routing.roads import Matrix

FOREVER = 10**9


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule a plan breaks: the checker's code, whom it concerns, and the figures its sentence needs."""

    code: str
    vehicle_id: int | None = None
    delivery_id: int | None = None
    lot: int = 0
    kind: str = ""
    """The stop beside which it is shown; empty: the whole truck."""
    figures: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Timed:
    """A sheet driven: the route of each truck, the faults, the plan as the checker saw it."""

    routes: Mapping[int, RoutePlan]
    faults: tuple[Fault, ...]
    plan: Plan


def evaluate(problem: Problem, sheet: Sheet) -> Timed:
    """Drive every truck of the sheet and check the whole. Trucks the problem does not know are left out and named."""
    routes, faults = {}, []
    for vehicle_id, line in sheet.lines.items():
        known = problem.truck_by_id.get(str(vehicle_id))
        orders = order_of(line)
        if known is None or any(load not in problem.shipment_by_id for _, load in orders):
            faults.append(Fault("unknown_truck" if known is None else "no_coordinates", vehicle_id))
            continue
        routes[vehicle_id] = timed(problem, known, orders)
        if line.courier_id is None:
            faults.append(Fault("no_driver", vehicle_id))
    carried = {stop.shipment_id for route in routes.values() for stop in route.stops}
    left = tuple(
        Unassigned(name, item.reason if item.reason in reasons.CODES else reasons.NO_CAPACITY_LEFT)
        for item in sheet.left
        if (name := shipment_id(item.load)) in problem.shipment_by_id and name not in carried
    )
    plan = Plan(tuple(routes.values()), left, sum(route.cost_kop for route in routes.values()))
    faults += [_fault(problem, plan, found) for found in check.violations(problem, plan)]
    return Timed(routes, tuple(faults), plan)


def score(problem: Problem, sheet: Sheet, vehicle_id: int) -> tuple[int, int]:
    """How bad one truck's day of a sheet is: seconds late, kilograms and litres too much, other faults; then kopeks."""
    truck, order = problem.truck_by_id.get(str(vehicle_id)), order_of(sheet.lines[vehicle_id])
    if truck is None or any(name not in problem.shipment_by_id for _, name in order):
        return FOREVER, 0
    route = schedule.drive(problem, truck, order)
    if route is not None:
        return 0, route.cost_kop
    route = timed(problem, truck, order)
    plan = Plan((route,), (), route.cost_kop)
    found = [_fault(problem, plan, one) for one in check.violations(_only(problem, route), plan)]
    return sum(60 + int(fault.figures.get("over", 0)) for fault in found), route.cost_kop


def _only(problem: Problem, route: RoutePlan) -> Problem:
    """The problem of one route alone."""
    names = dict.fromkeys(stop.shipment_id for stop in route.stops)
    return Problem(
        (problem.truck_by_id[route.truck_id],), tuple(problem.shipment_by_id[n] for n in names), problem.matrix
    )


def order_of(line: Line) -> schedule.Order:
    """A truck's stops as the scheduler takes them."""
    return tuple((call.kind, shipment_id(call.load)) for call in line.calls)


def timed(problem: Problem, truck: Truck, order: schedule.Order) -> RoutePlan:
    """The truck's day in this order: as the scheduler drives it, or with broken rules widened just enough."""
    found = schedule.drive(problem, truck, order)
    if found is not None:
        return found
    small = _small(problem, truck, order)
    strong = small.trucks[0]
    found = schedule.drive(small, strong, order)
    if found is not None:
        return found
    found = _widened(small, strong, order, _gap(small, strong, order))
    if found is None:  # one break is not enough: no break at all, and the checker says so
        found = _widened(small, replace(strong, max_driving_s=FOREVER), order, None)
    elif found.rest is not None:  # with the break where it ended up, nothing else is wider than it must be
        found = _widened(small, strong, order, found.rest.after_stop) or found
    assert found is not None, "a sheet keeps loading before unloading, and everything else was widened"
    return found


def _small(problem: Problem, truck: Truck, order: schedule.Order) -> Problem:
    """The same roads and windows for this truck alone, which carries everything anywhere."""
    shipments = [problem.shipment_by_id[name] for name in dict.fromkeys(name for _, name in order)]
    limits = ("payload_kg", "volume_l", "longest_mm", "max_day_driving_s")
    wide: dict[str, Any] = {name: FOREVER for name in limits if hasattr(truck, name)}
    skills = truck.skills.union(*(s.needs for s in shipments))
    strong = replace(truck, gross_mass_kg=0, skills=skills, **wide)
    places = dict.fromkeys([truck.start, truck.end, *(s.pickup for s in shipments), *(s.dropoff for s in shipments)])
    rows = [problem.row(place) for place in places]
    cells = np.ix_(rows, rows)
    known = problem.matrix
    roads = Matrix(
        tuple(place.point for place in places), known.seconds[cells], known.metres[cells], known.estimated[cells]
    )
    return Problem((strong,), tuple(shipments), roads)


def _legs(problem: Problem, truck: Truck, order: schedule.Order) -> list[int]:
    shipments = [problem.shipment_by_id[name] for _, name in order]
    places = [s.pickup if kind == PICKUP else s.dropoff for (kind, _), s in zip(order, shipments, strict=True)]
    return [problem.seconds(a, b) for a, b in pairwise([truck.start, *places, truck.end])]


def _gap(problem: Problem, truck: Truck, order: schedule.Order) -> int | None:
    """After how many stops the break comes when it is taken as late as the law allows; None: none is needed."""
    driven = list(accumulate(_legs(problem, truck, order)))
    if driven[-1] <= truck.max_driving_s:
        return None
    return max((gap for gap in range(1, len(driven)) if driven[gap - 1] <= truck.max_driving_s), default=None)


def _widened(problem: Problem, truck: Truck, order: schedule.Order, gap: int | None) -> RoutePlan | None:
    """Drive with each window open until the moment the truck can be there, and the shift until it is back."""
    closes: dict[tuple[str, str], int] = {}
    legs = _legs(problem, truck, order)
    now = truck.shift[0]
    for number, ((kind, name), leg) in enumerate(zip(order, legs, strict=False)):
        one = problem.shipment_by_id[name]
        window = one.pickup_window if kind == PICKUP else one.drop_window
        now = max(now + leg + (truck.break_s if gap == number else 0), window[0])
        closes[kind, name] = max(window[1], now)
        now += one.pickup_service_s if kind == PICKUP else one.drop_service_s
    now += legs[-1] + (truck.break_s if gap == len(order) else 0)
    shipments = tuple(_open(one, closes) for one in problem.shipments)
    late = replace(truck, shift=(truck.shift[0], max(truck.shift[1], now)))
    return schedule.drive(Problem((late,), shipments, problem.matrix), late, order)


def _open(one: Shipment, closes: Mapping[tuple[str, str], int]) -> Shipment:
    return replace(
        one,
        pickup_window=(one.pickup_window[0], closes[PICKUP, one.id]),
        drop_window=(one.drop_window[0], closes[DROP, one.id]),
    )


def _fault(problem: Problem, plan: Plan, found: check.Violation) -> Fault:
    """What the checker says, with the stop it belongs to and figures of its own counting."""
    name, _, kind = found.subject, "", found.detail.partition(":")[0]
    if name in problem.shipment_by_id:
        route = next((r for r in plan.routes if any(s.shipment_id == name for s in r.stops)), None)
        delivery_id, _, lot = name.partition(".")
        kind = kind if kind in (PICKUP, DROP) else DROP
        truck = problem.truck_by_id[route.truck_id] if route is not None else None
        figures = _of_lot(problem.shipment_by_id[name], truck, route, found.code, kind)
        return Fault(found.code, int(truck.id) if truck else None, int(delivery_id), int(lot), kind, figures)
    if name in problem.truck_by_id:
        route = next(r for r in plan.routes if r.truck_id == name)
        truck = problem.truck_by_id[name]
        stop, over = _of_truck(problem, truck, route, found.code)
        if stop is None:
            return Fault(found.code, int(name), figures=over)
        delivery_id, _, lot = stop.shipment_id.partition(".")
        return Fault(found.code, int(name), int(delivery_id), int(lot), stop.kind, over)
    return Fault(found.code, figures={"detail": found.detail})


def _of_lot(lot: Shipment, truck: Truck | None, route: RoutePlan | None, code: str, kind: str) -> dict[str, Any]:
    if truck is None or route is None:
        return {}
    if code in ("too_late", "too_early"):
        stop = next(s for s in route.stops if s.shipment_id == lot.id and s.kind == kind)
        opens, closes = lot.pickup_window if kind == PICKUP else lot.drop_window
        return {"over": stop.start_s - closes if code == "too_late" else opens - stop.start_s}
    if code == "too_long":
        return {"length": lot.longest_mm, "most": truck.longest_mm, "over": lot.longest_mm - truck.longest_mm}
    if code == "no_equipment":
        return {"missing": sorted(lot.needs - truck.skills), "over": 3600}
    if code == "access":
        return {"mass": truck.gross_mass_kg, "most": lot.max_vehicle_mass_kg, "over": 3600}
    return {}


def _of_truck(problem: Problem, truck: Truck, route: RoutePlan, code: str) -> tuple[StopPlan | None, dict[str, Any]]:
    if code == "overload_mass":
        return _first(problem, route, "mass_kg", truck.payload_kg), {
            "over": route.peak_mass_kg - truck.payload_kg, "most": truck.payload_kg,
        }  # fmt: skip
    if code == "overload_volume":
        return _first(problem, route, "volume_l", truck.volume_l), {
            "over": route.peak_volume_l - truck.volume_l, "most": truck.volume_l,
        }  # fmt: skip
    if code == "after_shift":
        return None, {"over": route.end_s - truck.shift[1]}
    if code == "no_break":
        return None, {"most": truck.max_driving_s, "over": 3600}
    return None, {}


def _first(problem: Problem, route: RoutePlan, what: str, most: int) -> StopPlan | None:
    """The first loading that is too much."""
    return next((stop for stop, load in _loads(problem, route, what) if load > most), None)


def _loads(problem: Problem, route: RoutePlan, what: str) -> Iterator[tuple[StopPlan, int]]:
    load = 0
    for stop in route.stops:
        load += getattr(problem.shipment_by_id[stop.shipment_id], what) * (1 if stop.kind == PICKUP else -1)
        yield stop, load
