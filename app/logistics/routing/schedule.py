"""The best clock times of one truck for a given order of stops, with the driver's break put where it fits.

Solvers only propose orders; every time, distance and cost of a plan comes from here and is re-driven by check.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from app.logistics.routing.problem import (
    PICKUP,
    BreakPlan,
    Order,
    Problem,
    RoutePlan,
    Shipment,
    StopPlan,
    Truck,
    Window,
    route_cost,
)


@dataclass(frozen=True, slots=True)
class _Item:
    """Something with a start window: a stop, or the break (no driving before it)."""

    drive_s: int
    window: Window
    service_s: int


def fits(truck: Truck, shipment: Shipment) -> bool:
    """Whether the truck alone, empty and with all day, could carry the shipment into the site."""
    return (
        shipment.mass_kg <= truck.payload_kg
        and shipment.volume_l <= truck.volume_l
        and shipment.longest_mm <= truck.longest_mm
        and shipment.needs <= truck.skills
        and (shipment.max_vehicle_mass_kg is None or truck.gross_mass_kg <= shipment.max_vehicle_mass_kg)
        and (shipment.max_vehicle_height_mm is None or truck.height_mm <= shipment.max_vehicle_height_mm)
        and (shipment.only_on is None or truck.id in shipment.only_on)
        and shipment.on_board in (None, truck.id)
    )


def drive(problem: Problem, truck: Truck, order: Order, *, alone: bool = False) -> RoutePlan | None:
    """The route that finishes earliest and then leaves latest; None when the order breaks any rule.

    alone: as if nothing else were on board when it begins.
    """
    peaks = _peaks(problem, truck, order, alone=alone)
    if peaks is None or not order:
        return None
    shipments = [problem.shipment_by_id[shipment_id] for _, shipment_id in order]
    places = [s.pickup if kind == PICKUP else s.dropoff for (kind, _), s in zip(order, shipments, strict=True)]
    chain = [truck.start, *places, truck.end]
    legs = [problem.seconds(a, b) for a, b in pairwise(chain)]
    items = [
        _Item(leg, s.pickup_window if kind == PICKUP else s.drop_window,
              s.pickup_service_s if kind == PICKUP else s.drop_service_s)
        for leg, (kind, _), s in zip(legs, order, shipments, strict=False)
    ]  # fmt: skip
    timed = _with_break(truck, items, legs)
    if timed is None:
        return None
    gap, starts, start_s, end_s = timed
    metres = sum(problem.metres(a, b) for a, b in pairwise(chain))
    stops, rest = _stops(truck, order, items, gap, starts, start_s)
    return RoutePlan(
        truck_id=truck.id, stops=stops, start_s=start_s, end_s=end_s, distance_m=metres, driving_s=sum(legs),
        duration_s=end_s - start_s, peak_mass_kg=peaks[0], peak_volume_l=peaks[1],
        longest_mm=max(s.longest_mm for s in shipments), cost_kop=route_cost(truck, metres, end_s - start_s), rest=rest,
    )  # fmt: skip


def drive_trimmed(problem: Problem, truck: Truck, order: Order) -> RoutePlan | None:
    """As `drive`, leaving out as few shipments as a simple search finds, so that what remains is always valid."""
    while order:
        route = drive(problem, truck, order)
        if route is not None:
            return route
        ids = list(dict.fromkeys(shipment_id for _, shipment_id in order))
        # What is on board cannot stay behind: leave it out only when nothing else helps.
        waiting = [i for i in ids if problem.shipment_by_id[i].on_board is None] or ids
        shorter = [tuple(stop for stop in order if stop[1] != gone) for gone in reversed(waiting)]
        valid = [r for rest in shorter if (r := drive(problem, truck, rest)) is not None]
        if valid:
            return min(valid, key=lambda r: r.cost_kop)
        order = shorter[0]
    return None


def order_of(route: RoutePlan) -> Order:
    """The order of stops of a planned route."""
    return tuple((stop.kind, stop.shipment_id) for stop in route.stops)


def _peaks(problem: Problem, truck: Truck, order: Order, *, alone: bool) -> tuple[int, int] | None:
    """Greatest mass and volume on board, or None when pairs, order or room are wrong."""
    named = {shipment_id for _, shipment_id in order}
    aboard = [s for s in problem.aboard.get(truck.id, ()) if not alone or s.id in named]
    board = {shipment.id for shipment in aboard}
    seen = set(board)
    peak_mass = mass = sum(shipment.mass_kg for shipment in aboard)
    peak_volume = volume = sum(shipment.volume_l for shipment in aboard)
    for kind, shipment_id in order:
        shipment = problem.shipment_by_id[shipment_id]
        if kind == PICKUP:
            if shipment_id in seen or not fits(truck, shipment):
                return None
            seen.add(shipment_id)
            board.add(shipment_id)
            mass, volume = mass + shipment.mass_kg, volume + shipment.volume_l
        else:
            if shipment_id not in board:
                return None
            board.remove(shipment_id)
            mass, volume = mass - shipment.mass_kg, volume - shipment.volume_l
        peak_mass, peak_volume = max(peak_mass, mass), max(peak_volume, volume)
    board -= {shipment.id for shipment in aboard}  # left unassigned, they stay on the truck
    if board or peak_mass > truck.payload_kg or peak_volume > truck.volume_l:
        return None
    return peak_mass, peak_volume


_Timed = tuple[int | None, list[int], int, int]  # gap of the break, starts of items, leaves, is back


def _with_break(truck: Truck, items: list[_Item], legs: list[int]) -> _Timed | None:
    """Times without a break when the law asks for none, else with one in the gap that finishes earliest."""
    whole = sum(legs)
    if truck.driven_today_s + whole > truck.max_day_driving_s:
        return None
    if truck.driven_s + whole <= truck.max_driving_s:
        timed = _times(truck, items, legs[-1])
        return None if timed is None else (None, *timed)
    rest = _Item(0, truck.break_start, truck.break_s)
    best: _Timed | None = None
    driven = [0, *accumulate(legs)]
    for gap in range(0 if truck.driven_s else 1, len(items) + 1):
        if truck.driven_s + driven[gap] > truck.max_driving_s or whole - driven[gap] > truck.max_driving_s:
            continue
        timed = _times(truck, [*items[:gap], rest, *items[gap:]], legs[-1])
        if timed is not None and (best is None or (timed[2], -timed[1]) < (best[3], -best[2])):
            best = (gap, *timed)
    return best


def _times(truck: Truck, items: Sequence[_Item], last_leg: int) -> tuple[list[int], int, int] | None:
    """Starts of the items, the latest departure that does not delay the return, and the earliest return."""
    now = truck.shift[0]
    for item in items:
        now = max(now + item.drive_s, item.window[0])
        if now > item.window[1]:
            return None
        now += item.service_s
    end = now + last_leg
    if end > truck.shift[1]:
        return None
    latest = end - last_leg
    for item in reversed(items):
        latest = min(latest - item.service_s, item.window[1]) - item.drive_s
    leaves = now = max(latest, truck.shift[0])
    starts = []
    for item in items:
        now = max(now + item.drive_s, item.window[0])
        starts.append(now)
        now += item.service_s
    return starts, leaves, end


def _stops(
    truck: Truck, order: Order, items: list[_Item], gap: int | None, starts: list[int], start_s: int
) -> tuple[tuple[StopPlan, ...], BreakPlan | None]:
    rest = None
    if gap is not None:
        rest = BreakPlan(gap, starts[gap], starts[gap] + truck.break_s)
        starts = [*starts[:gap], *starts[gap + 1 :]]
    now, stops = start_s, []
    for number, ((kind, shipment_id), item, begins) in enumerate(zip(order, items, starts, strict=True)):
        leaves = rest.end_s if rest is not None and rest.after_stop == number else now
        now = begins + item.service_s
        stops.append(StopPlan(kind, shipment_id, leaves + item.drive_s, begins, now))
    return tuple(stops), rest
