"""PyVRP polishes a plan, or makes one alone when there is none. Runs in workers only.

Bans (length, equipment, access, locks) are capped arcs into the site in the profile of the trucks concerned, because
PyVRP has no field for them. Goods on board are clients whose delivery is loaded at the start. It knows no driver
breaks: schedule.py puts them in afterwards or the old route stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from app.logistics.routing.problem import DROP, PICKUP, Order, Problem, Shipment, Truck
from app.logistics.routing.roads import CAP_METRES, CAP_SECONDS, Ints
from app.logistics.routing.schedule import fits

if TYPE_CHECKING:
    from pyvrp import ProblemData, Solution
    from pyvrp.IteratedLocalSearch import IteratedLocalSearchCallbacks

# PyVRP counts whole units per metre and second; thousandths of a kopek keep 45 kopeks per km apart from 45.4.
MILLI = 1_000
# The farthest a truck could drive in one shift, m: prices a shipment left behind above any detour.
LONGEST_DAY_M = 1_000_000
MOST_BYTES = 512 * 1024**2


def polish_orders(
    problem: Problem,
    shipments: Sequence[Shipment],
    start: Mapping[str, Order],
    go_on: Callable[[], bool],
    seed: int,
    on_better: Callable[[int, int], None],
) -> dict[str, Order]:
    """Better orders of stops by truck id, from `start` (empty: from nothing).

    Args:
        go_on: asked at every iteration; False ends the search with the best so far.
        on_better: called with (cost in kopeks, shipments carried) at each new best plan.
    """
    import pyvrp

    if _too_large(problem, shipments):
        return dict(start)
    data = _data(problem, shipments)
    callbacks = _callbacks(on_better, len(shipments))
    params = pyvrp.SolveParams(ils=pyvrp.IteratedLocalSearchParams(callbacks=callbacks))
    answer = pyvrp.solve(
        data,
        stop=lambda _cost: not go_on(),
        seed=seed,
        collect_stats=False,
        params=params,
        initial_solution=_solution(problem, shipments, data, start) if start else None,
    )
    return _orders(problem, shipments, answer.best)


def _callbacks(on_better: Callable[[int, int], None], shipments: int) -> IteratedLocalSearchCallbacks:
    from pyvrp.IteratedLocalSearch import IteratedLocalSearchCallbacks

    class Better(IteratedLocalSearchCallbacks):
        def on_best(self, best: Solution) -> None:
            if best.is_feasible():
                milli = best.distance_cost() + best.duration_cost() + best.fixed_vehicle_cost()
                left = best.num_missing_shipments() + best.num_missing_clients()
                on_better(int(milli) // MILLI, shipments - left)

    return Better()


def _bans(problem: Problem, shipments: Sequence[Shipment]) -> dict[str, tuple[int, ...]]:
    return {t.id: tuple(i for i, s in enumerate(shipments) if not fits(t, s)) for t in problem.trucks}


def _too_large(problem: Problem, shipments: Sequence[Shipment]) -> bool:
    """Each set of bans takes matrices of its own: on a big day with much locked that would be gigabytes."""
    places = 2 * len(problem.trucks) + len(shipments) + len({s.pickup for s in shipments})
    return len(set(_bans(problem, shipments).values())) * places**2 * 16 > MOST_BYTES


def _split(shipments: Sequence[Shipment]) -> tuple[list[int], list[int]]:
    """Positions of what waits at warehouses and of what is on board: the shipments and the clients of PyVRP."""
    waiting = [number for number, s in enumerate(shipments) if s.on_board is None]
    return waiting, [number for number, s in enumerate(shipments) if s.on_board is not None]


def _data(problem: Problem, shipments: Sequence[Shipment]) -> ProblemData:
    import pyvrp

    depots = list(dict.fromkeys([p for t in problem.trucks for p in (t.start, t.end)]))
    waiting, aboard = _split(shipments)
    pickups = list(dict.fromkeys(shipments[number].pickup for number in waiting))
    # Each drop has a location of its own, so that a ban on one shipment does not touch its neighbours.
    places = [*depots, *pickups, *(s.dropoff for s in shipments)]
    rows = [problem.row(place) for place in places]
    first_drop = len(depots) + len(pickups)
    metres, seconds = (cells[np.ix_(rows, rows)] for cells in (problem.matrix.metres, problem.matrix.seconds))
    bans = _bans(problem, shipments)
    profiles = {ban: number for number, ban in enumerate(dict.fromkeys(bans.values()))}
    prize = _prize(problem.trucks)
    return pyvrp.ProblemData(
        locations=[pyvrp.Location(place.lat, place.lon) for place in places],
        clients=[
            pyvrp.Client(
                first_drop + number,
                delivery=[s.mass_kg, s.volume_l],
                service_duration=s.drop_service_s,
                tw_early=s.drop_window[0],
                tw_late=s.drop_window[1],
                prize=10 * prize,
                required=False,
            )
            for number in aboard
            if (s := shipments[number])
        ],
        depots=[pyvrp.Depot(number) for number in range(len(depots))],
        vehicle_types=[
            pyvrp.VehicleType(
                1,
                [t.payload_kg, t.volume_l],
                start_depot=depots.index(t.start),
                end_depot=depots.index(t.end),
                fixed_cost=t.fixed_cost_kop * MILLI,
                tw_early=t.shift[0],
                tw_late=t.shift[1],
                unit_distance_cost=max(1, t.cost_per_km_kop),
                unit_duration_cost=round(t.cost_per_hour_kop * MILLI / 3600),
                profile=profiles[bans[t.id]],
            )
            for t in problem.trucks
        ],
        distance_matrices=[_banned(metres, ban, first_drop, CAP_METRES) for ban in profiles],
        duration_matrices=[_banned(seconds, ban, first_drop, CAP_SECONDS) for ban in profiles],
        shipments=[
            pyvrp.Shipment(
                len(depots) + pickups.index(s.pickup),
                first_drop + number,
                *s.pickup_window,
                s.pickup_service_s,
                *s.drop_window,
                s.drop_service_s,
                amount=[s.mass_kg, s.volume_l],
                prize=prize,
                required=False,
            )
            for number in waiting
            if (s := shipments[number])
        ],
    )


def _prize(trucks: Sequence[Truck]) -> int:
    return max(
        t.fixed_cost_kop * MILLI
        + LONGEST_DAY_M * max(1, t.cost_per_km_kop)
        + (t.shift[1] - t.shift[0]) * t.cost_per_hour_kop * MILLI // 3600
        for t in trucks
    )


def _banned(cells: Ints, ban: tuple[int, ...], first_drop: int, cap: int) -> Any:
    """The matrix of trucks that may not drive to these drops: the ways in are as long as no way at all.

    Any: PyVRP declares its matrices as arrays of the Python int, which no numpy type is.
    """
    closed = cells.copy()
    closed[:, [first_drop + number for number in ban]] = cap
    np.fill_diagonal(closed, 0)
    return closed


def _solution(
    problem: Problem, shipments: Sequence[Shipment], data: ProblemData, start: Mapping[str, Order]
) -> Solution:
    import pyvrp

    waiting, aboard = _split(shipments)
    activity = {}
    for position, number in enumerate(waiting):
        activity[PICKUP, shipments[number].id] = pyvrp.Activity(pyvrp.ActivityType.PICKUP, position)
        activity[DROP, shipments[number].id] = pyvrp.Activity(pyvrp.ActivityType.DELIVERY, position)
    for position, number in enumerate(aboard):
        activity[DROP, shipments[number].id] = pyvrp.Activity(pyvrp.ActivityType.CLIENT, position)
    routes = [
        pyvrp.Route(data, [activity[stop] for stop in start[truck.id] if stop in activity], vehicle_type)
        for vehicle_type, truck in enumerate(problem.trucks)
        if start.get(truck.id)
    ]
    return pyvrp.Solution(data, routes)


def _orders(problem: Problem, shipments: Sequence[Shipment], best: Solution) -> dict[str, Order]:
    waiting, aboard = _split(shipments)
    found: dict[str, Order] = {}
    for route in best.routes():
        stops = []
        for stop in route.schedule():
            if stop.is_client():
                stops.append((DROP, shipments[aboard[stop.idx]].id))
            elif stop.is_shipment():
                stops.append((PICKUP if stop.is_pickup() else DROP, shipments[waiting[stop.idx]].id))
        found[problem.trucks[route.vehicle_type()].id] = tuple(stops)
    return found
