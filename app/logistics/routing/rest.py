"""The rest of a day that is under way: what is untouched stays where it is, but for what must move or pays."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from app.logistics.routing.problem import Order, Plan, Problem
from app.logistics.routing.solve import OnProgress, Run

MOST_MOVED = 0.15
"""The share of untouched shipments that may change truck: drivers and warehouses have prepared for the rest."""


def replan(
    problem: Problem,
    seconds: float,
    orders: Mapping[str, Order],
    on_progress: OnProgress | None = None,
    *,
    seed: int = 1,
    iterations: int | None = None,
) -> Plan:
    """A valid plan of what is open, from the orders that the trucks drive now.

    The present orders with new goods inserted, and what has become impossible put elsewhere, are the start. A search
    without bounds then shows which moves pay; when they are more than MOST_MOVED of the untouched shipments, only
    those between the pairs of trucks that exchange most may be made.

    Args:
        problem: trucks start where and when they are; goods on board are bound to their truck.
        orders: stops by truck as driven now, without what is done.

    Raises:
        PlanRefused: the result breaks a rule.
    """
    run = Run(problem, seconds, on_progress, seed, iterations)
    run.say("build")
    if not run.open:
        return run.result()
    untouched = untouched_of(problem, orders)
    allowed = int(MOST_MOVED * len(untouched))
    known = {s.id for s in run.open}
    kept = run.offer({truck: tuple(stop for stop in order if stop[1] in known) for truck, order in orders.items()})
    forced = {} if kept is None else moved(untouched, kept)  # would come too late where they are
    untouched = {s: truck for s, truck in untouched.items() if s not in forced}
    run.accepts = lambda candidate: len(moved(untouched, candidate)) <= allowed
    free = run.polish(until=time.monotonic() + run.time_left() / 2)
    if free is not None and len(wanted := moved(untouched, free)) > allowed:
        may_move = _together_first(wanted, allowed)
        run.polish(pins={s: truck for s, truck in untouched.items() if s not in may_move})
    else:
        run.polish()
    return run.result()


def untouched_of(problem: Problem, orders: Mapping[str, Order]) -> dict[str, str]:
    """Shipment id -> truck of what waits at a warehouse on the route of a truck that still works."""
    return {
        shipment_id: truck_id
        for truck_id, order in orders.items()
        for _, shipment_id in order
        if truck_id in problem.truck_by_id
        and (found := problem.shipment_by_id.get(shipment_id)) is not None
        and found.on_board is None
    }


def moved(untouched: Mapping[str, str], candidate: Plan) -> dict[str, tuple[str, str]]:
    """Untouched shipments that a plan gives to another truck: id -> (from, to)."""
    return {
        stop.shipment_id: (untouched[stop.shipment_id], route.truck_id)
        for route in candidate.routes
        for stop in route.stops
        if untouched.get(stop.shipment_id, route.truck_id) != route.truck_id
    }


def _together_first(wanted: Mapping[str, tuple[str, str]], allowed: int) -> set[str]:
    """The moves to allow: those between the pairs of trucks that most of the wanted moves are between."""
    pairs = Counter(frozenset(way) for way in wanted.values())
    ranked = sorted(wanted, key=lambda s: (-pairs[frozenset(wanted[s])], sorted(wanted[s]), s))
    return set(ranked[:allowed])
