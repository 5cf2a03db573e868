"""The independent checker: re-drives every route from the matrix. It trusts no solver and not the scheduler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from app.logistics.routing.problem import (
    DROP,
    PICKUP,
    Place,
    Plan,
    Problem,
    RoutePlan,
    Shipment,
    StopPlan,
    Truck,
    route_cost,
)
from app.logistics.routing.reasons import CODES
from app.logistics.routing.roads import CAP_METRES, CAP_SECONDS


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule: its code, the shipment or truck it is about, and numbers in words for the log."""

    code: str
    subject: str
    detail: str = ""


def violations(problem: Problem, plan: Plan) -> list[Violation]:
    """Every rule the plan breaks; an empty list means it may be shown, stored and driven."""
    found: list[Violation] = []
    used = Counter(route.truck_id for route in plan.routes)
    found.extend(Violation("truck_twice", truck_id, f"{n} routes") for truck_id, n in used.items() if n > 1)
    for route in plan.routes:
        truck = problem.truck_by_id.get(route.truck_id)
        if truck is None:
            found.append(Violation("unknown_truck", route.truck_id))
            continue
        unknown = [stop.shipment_id for stop in route.stops if stop.shipment_id not in problem.shipment_by_id]
        found.extend(Violation("unknown_shipment", shipment_id) for shipment_id in unknown)
        if unknown:
            continue
        found.extend(_loads(problem, truck, route))
        found.extend(_clock(problem, truck, route))
        found.extend(_driving_hours(problem, truck, route))
        found.extend(_totals(problem, truck, route))
    found.extend(_every_shipment_once(problem, plan))
    found.extend(_groups(problem, plan))
    total = sum(route.cost_kop for route in plan.routes)
    if plan.cost_kop != total:
        found.append(Violation("wrong_plan_cost", "plan", f"{plan.cost_kop}, routes sum to {total}"))
    return found


def _place(shipment: Shipment, stop: StopPlan) -> Place:
    return shipment.pickup if stop.kind == PICKUP else shipment.dropoff


def _loads(problem: Problem, truck: Truck, route: RoutePlan) -> Iterator[Violation]:
    """Pairing, precedence, room in mass, volume and length, equipment and site access."""
    board = {s.id: s for s in problem.shipments if s.on_board == truck.id}
    picked, stays = set(board), set(board)
    peak_mass = sum(s.mass_kg for s in board.values())
    peak_volume = sum(s.volume_l for s in board.values())
    for stop in route.stops:
        shipment = problem.shipment_by_id[stop.shipment_id]
        if stop.kind == PICKUP:
            if stop.shipment_id in picked:
                yield Violation("picked_twice", stop.shipment_id)
            picked.add(stop.shipment_id)
            board[stop.shipment_id] = shipment
        elif stop.kind == DROP:
            if board.pop(stop.shipment_id, None) is None:
                yield Violation("drop_before_pickup", stop.shipment_id, f"not on board of {truck.id}")
            yield from _ban(truck, shipment)
        else:
            yield Violation("unknown_stop_kind", stop.shipment_id, stop.kind)
        peak_mass = max(peak_mass, sum(s.mass_kg for s in board.values()))
        peak_volume = max(peak_volume, sum(s.volume_l for s in board.values()))
    served = {stop.shipment_id for stop in route.stops}
    for shipment_id in board:
        if shipment_id not in stays or shipment_id in served:
            yield Violation("left_on_board", shipment_id)
    longest = max((problem.shipment_by_id[shipment_id].longest_mm for shipment_id in served), default=0)
    if peak_mass > truck.payload_kg:
        yield Violation("overload_mass", truck.id, f"{peak_mass} of {truck.payload_kg} kg")
    if peak_volume > truck.volume_l:
        yield Violation("overload_volume", truck.id, f"{peak_volume} of {truck.volume_l} l")
    if (peak_mass, peak_volume, longest) != (route.peak_mass_kg, route.peak_volume_l, route.longest_mm):
        yield Violation("wrong_peaks", truck.id, f"{peak_mass} kg, {peak_volume} l, {longest} mm")


def _ban(truck: Truck, shipment: Shipment) -> Iterator[Violation]:
    if shipment.longest_mm > truck.longest_mm:
        yield Violation("too_long", shipment.id, f"{shipment.longest_mm} of {truck.longest_mm} mm")
    if missing := shipment.needs - truck.skills:
        yield Violation("no_equipment", shipment.id, ",".join(sorted(missing)))
    if shipment.max_vehicle_mass_kg is not None and truck.gross_mass_kg > shipment.max_vehicle_mass_kg:
        yield Violation("access", shipment.id, f"{truck.gross_mass_kg} kg, limit {shipment.max_vehicle_mass_kg} kg")
    if shipment.max_vehicle_height_mm is not None and truck.height_mm > shipment.max_vehicle_height_mm:
        yield Violation("too_high", shipment.id, f"{truck.height_mm} mm, limit {shipment.max_vehicle_height_mm} mm")
    if shipment.only_on is not None and truck.id not in shipment.only_on:
        yield Violation("locked_elsewhere", shipment.id, f"on {truck.id}")


def _clock(problem: Problem, truck: Truck, route: RoutePlan) -> Iterator[Violation]:
    """Stated times follow from the matrix, keep the windows and stay inside the shift."""
    here, now = truck.start, route.start_s
    if route.start_s < truck.shift[0]:
        yield Violation("before_shift", truck.id, f"leaves at {route.start_s}")
    rest_seen = route.rest is None
    for number, stop in enumerate(route.stops):
        shipment = problem.shipment_by_id[stop.shipment_id]
        there = _place(shipment, stop)
        if route.rest is not None and route.rest.after_stop == number:
            rest_seen = True
            yield from _rest(truck, route, now)
            now = max(now, route.rest.end_s)
        opens, closes = shipment.pickup_window if stop.kind == PICKUP else shipment.drop_window
        service = shipment.pickup_service_s if stop.kind == PICKUP else shipment.drop_service_s
        if stop.arrival_s != now + problem.seconds(here, there):
            yield Violation("wrong_arrival", stop.shipment_id, f"{stop.kind}: {stop.arrival_s}")
        if stop.start_s < stop.arrival_s or stop.departure_s != stop.start_s + service:
            yield Violation("wrong_service", stop.shipment_id, f"{stop.kind}: {stop.start_s}-{stop.departure_s}")
        if stop.start_s < opens:
            yield Violation("too_early", stop.shipment_id, f"{stop.kind}: {stop.start_s} before {opens}")
        if stop.start_s > closes:
            yield Violation("too_late", stop.shipment_id, f"{stop.kind}: {stop.start_s} after {closes}")
        here, now = there, stop.departure_s
    if route.rest is not None and route.rest.after_stop == len(route.stops):
        rest_seen = True
        yield from _rest(truck, route, now)
        now = max(now, route.rest.end_s)
    if not rest_seen:
        yield Violation("break_nowhere", truck.id)
    if route.end_s != now + problem.seconds(here, truck.end):
        yield Violation("wrong_return", truck.id, f"{route.end_s}")
    if route.end_s > truck.shift[1]:
        yield Violation("after_shift", truck.id, f"back at {route.end_s}, shift ends {truck.shift[1]}")


def _rest(truck: Truck, route: RoutePlan, now: int) -> Iterator[Violation]:
    rest = route.rest
    assert rest is not None
    earliest, latest = truck.break_window or truck.shift
    if rest.start_s < now:
        yield Violation("break_while_working", truck.id, f"{rest.start_s}, busy until {now}")
    if not earliest <= rest.start_s <= latest:
        yield Violation("break_outside_window", truck.id, f"{rest.start_s} not in {earliest}-{latest}")
    if rest.end_s - rest.start_s < truck.break_s:
        yield Violation("break_too_short", truck.id, f"{rest.end_s - rest.start_s} s")


def _driving_hours(problem: Problem, truck: Truck, route: RoutePlan) -> Iterator[Violation]:
    """No more than max_driving_s at the wheel between two of: start, break, end; a day's limit; no way that is none."""
    here, wheel, worst, today = truck.start, truck.driven_s, 0, truck.driven_today_s
    for number in range(len(route.stops) + 1):
        if route.rest is not None and route.rest.after_stop == number:
            wheel = 0
        stop = route.stops[number] if number < len(route.stops) else None
        there = truck.end if stop is None else _place(problem.shipment_by_id[stop.shipment_id], stop)
        leg = problem.seconds(here, there)
        if leg >= CAP_SECONDS or problem.metres(here, there) >= CAP_METRES:
            yield Violation("no_way", truck.id, f"{here.point} to {there.point}")
        wheel, today = wheel + leg, today + leg
        worst, here = max(worst, wheel), there
    if worst > truck.max_driving_s:
        yield Violation("no_break", truck.id, f"{worst} s at the wheel, at most {truck.max_driving_s}")
    if today > truck.max_day_driving_s:
        yield Violation("too_much_driving", truck.id, f"{today} s in the day, at most {truck.max_day_driving_s}")


def _totals(problem: Problem, truck: Truck, route: RoutePlan) -> Iterator[Violation]:
    chain = [truck.start, *(_place(problem.shipment_by_id[s.shipment_id], s) for s in route.stops), truck.end]
    pairs = list(pairwise(chain))
    metres = sum(problem.metres(a, b) for a, b in pairs)
    driving = sum(problem.seconds(a, b) for a, b in pairs)
    if not route.stops:
        yield Violation("empty_route", truck.id)
    if (route.distance_m, route.driving_s, route.duration_s) != (metres, driving, route.end_s - route.start_s):
        yield Violation("wrong_totals", truck.id, f"{metres} m, {driving} s driving")
    cost = route_cost(truck, metres, route.end_s - route.start_s)
    if route.cost_kop != cost:
        yield Violation("wrong_cost", truck.id, f"{route.cost_kop}, should be {cost}")


def _every_shipment_once(problem: Problem, plan: Plan) -> Iterator[Violation]:
    carried = Counter(
        shipment_id for route in plan.routes for shipment_id in {stop.shipment_id for stop in route.stops}
    )
    left = Counter(item.shipment_id for item in plan.unassigned)
    for shipment in problem.shipments:
        times = carried[shipment.id] + left[shipment.id]
        if times == 0:
            yield Violation("lost", shipment.id, "neither carried nor listed as unassigned")
        elif times > 1:
            yield Violation("carried_twice", shipment.id, f"{carried[shipment.id]} routes, {left[shipment.id]} reasons")
    for item in plan.unassigned:
        if item.shipment_id not in problem.shipment_by_id:
            yield Violation("unknown_shipment", item.shipment_id)
        if item.code not in CODES:
            yield Violation("no_reason", item.shipment_id, item.code)


def _groups(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """What was sold as one truck is on one truck, or waits together."""
    truck_of = {stop.shipment_id: route.truck_id for route in plan.routes for stop in route.stops}
    trucks: dict[str, set[str | None]] = {}
    for shipment in problem.shipments:
        if shipment.together is not None:
            trucks.setdefault(shipment.together, set()).add(truck_of.get(shipment.id))
    for word, found in trucks.items():
        if len(found) > 1:
            yield Violation("parted", word, ", ".join(sorted(str(truck) for truck in found)))
