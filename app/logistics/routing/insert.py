"""Put shipments that are in no route where they cost least, without moving what is there."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise

from app.logistics.routing.problem import DROP, PICKUP, Order, Place, Problem, RoutePlan, Shipment, Truck, trip_of
from app.logistics.routing.schedule import drive, fits, order_of

NEAREST = 5
"""Places in the order that are tried for each stop: those with the smallest detour."""


def place_units(
    problem: Problem, routes: dict[str, RoutePlan], units: Sequence[Sequence[Shipment]], seconds: float
) -> list[Sequence[Shipment]]:
    """Insert each unit (shipments that stay together) into the route where it costs least; returns what did not fit.

    Goods on board come first, then what has the narrowest window. When the time is over, the rest is only put on idle
    trucks.
    """
    ends = time.monotonic() + seconds
    left = []
    for unit in sorted(units, key=_urgency):
        hurried = time.monotonic() > ends
        best = best_route(problem, routes, unit, idle_only=hurried)
        if best is None:
            left.append(unit)
        else:
            routes[best.truck_id] = best
    return left


def _urgency(unit: Sequence[Shipment]) -> tuple[bool, int, str]:
    waiting = all(s.on_board is None for s in unit)
    return waiting, min(s.drop_window[1] - s.drop_window[0] for s in unit), unit[0].id


def best_route(
    problem: Problem, routes: Mapping[str, RoutePlan], unit: Sequence[Shipment], *, idle_only: bool = False
) -> RoutePlan | None:
    """The changed or new route that takes the whole unit for the least additional cost; None when none can."""
    best: tuple[int, RoutePlan] | None = None
    for truck in problem.trucks:
        present = routes.get(truck.id)
        if (idle_only and present is not None) or not all(fits(truck, shipment) for shipment in unit):
            continue
        longer = _with_unit(problem, truck, present, unit)
        if longer is not None:
            more = longer.cost_kop - (present.cost_kop if present else 0)
            if best is None or more < best[0]:
                best = (more, longer)
    return None if best is None else best[1]


def fits_one_truck(problem: Problem, unit: Sequence[Shipment]) -> list[Truck]:
    """The trucks that could carry the whole unit if they did nothing else."""
    return [
        truck
        for truck in problem.trucks
        if all(fits(truck, s) for s in unit) and _with_unit(problem, truck, None, unit) is not None
    ]


def _with_unit(problem: Problem, truck: Truck, route: RoutePlan | None, unit: Sequence[Shipment]) -> RoutePlan | None:
    for shipment in unit:
        route = _cheapest(problem, truck, () if route is None else order_of(route), shipment)
        if route is None:
            return None
    return route


def _cheapest(problem: Problem, truck: Truck, order: Order, shipment: Shipment) -> RoutePlan | None:
    if not order:
        return drive(problem, truck, trip_of(shipment))
    places = [truck.start, *(_place(problem, stop) for stop in order), truck.end]
    drops = _gaps(problem, places, shipment.dropoff)
    if shipment.on_board is not None:
        tried = [(*order[:gap], (DROP, shipment.id), *order[gap:]) for gap in drops]
    else:
        tried = []
        for first in _gaps(problem, places, shipment.pickup):
            for gap in sorted({first, *drops}):
                if gap >= first:
                    tried.append((*order[:first], (PICKUP, shipment.id), *order[first:gap], (DROP, shipment.id),
                                  *order[gap:]))  # fmt: skip
    found = [route for one in tried if (route := drive(problem, truck, one)) is not None]
    return min(found, key=lambda route: route.cost_kop, default=None)


def _gaps(problem: Problem, places: Sequence[Place], new: Place) -> list[int]:
    """The gaps between stops where the detour over a new place is smallest."""
    detours = [
        (problem.seconds(a, new) + problem.seconds(new, b) - problem.seconds(a, b), gap)
        for gap, (a, b) in enumerate(pairwise(places))
    ]
    return sorted(gap for _, gap in sorted(detours)[:NEAREST])


def _place(problem: Problem, stop: tuple[str, str]) -> Place:
    shipment = problem.shipment_by_id[stop[1]]
    return shipment.pickup if stop[0] == PICKUP else shipment.dropoff
