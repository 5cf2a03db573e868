"""The planning job: a carrier's day as a problem, solved, checked and stored as one version of the plan.

The solvers are imported inside `plan` only; a worker that never plans never loads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from app.core import clock
from app.core.db import unit_of_work
from app.core.jobs import RunningJob
from app.logistics import fleet, plan_roads, plans, queries, rules
from app.logistics.fleet import TruckOfDay
from app.logistics.queries import DeliveryRow
from app.logistics.routing import problem as shapes
from app.logistics.routing.matrix import matrix
from app.logistics.routing.problem import PICKUP, Place, Problem, Shipment, Truck
from app.logistics.routing.roads import FarFromRoads, load

SOLVER = "vroom+pyvrp"
STEPS = 100
LOADING_MINUTES = 20


@dataclass(frozen=True, slots=True)
class Day:
    """What is planned: the problem, and what its ids stand for."""

    day: date
    carrier_id: int
    problem: Problem
    lots: Mapping[str, tuple[int, int, int]]
    """Shipment id -> (delivery id, lot, lots)."""
    trucks: Mapping[str, TruckOfDay]
    left: tuple[dict[str, Any], ...]
    """Deliveries that cannot be put to a solver at all, with reasons."""


def plan(job: RunningJob) -> None:
    """Make one version of the plan of a day. Running twice or dying half-way leaves exactly one plan.

    A job that is asked to stop keeps the best plan found so far.
    """
    from app.logistics.routing import check, solve

    payload = job.payload
    seconds = float(payload["seconds"])
    job.progress(2, STEPS, "roads")
    day = read_day(
        payload["carrier_id"], date.fromisoformat(payload["day"]), payload["deliveries"], payload["vehicles"]
    )

    def tell(progress: solve.Progress) -> bool:
        share = min(1.0, progress.elapsed_s / seconds)
        cost = "" if progress.cost_kop is None else f" cost={progress.cost_kop}"
        words = f"{progress.stage}{cost} carried={progress.carried} of={progress.shipments}"
        return job.progress(5 + round(85 * share), STEPS, words)

    found = solve.plan(day.problem, seconds, on_progress=tell)
    broken = check.violations(day.problem, found)
    if broken:
        raise RuntimeError(f"the checker refuses the plan: {broken[:3]}")
    job.progress(95, STEPS, "streets")
    new = to_store(day, found)
    job.complete(lambda: plans.store(new, job.public_id, job.user_id))


@unit_of_work
def read_day(carrier_id: int, day: date, deliveries: Sequence[int] | None, vehicles: Sequence[int] | None) -> Day:
    """The problem of a carrier's day as the database has it now. A truck of today starts not before now."""
    carrier = queries.carrier(carrier_id)
    yard = Place(carrier.depot_lat, carrier.depot_lon)
    working = [t for t in fleet.trucks_of_day(carrier_id, day) if vehicles is None or t.vehicle.id in vehicles]
    limits = sorted({h for d in plans.to_plan(carrier_id, day, deliveries) if (h := d.site.get("max_height_mm"))})
    trucks = {str(t.vehicle.id): t for t in working}
    made = [one for t in working if (one := _truck(t, yard, day, limits)) is not None]
    shipments: list[Shipment] = []
    lots: dict[str, tuple[int, int, int]] = {}
    left: list[dict[str, Any]] = []
    for row in plans.to_plan(carrier_id, day, deliveries):
        if row.site.get("lat") is None or row.site.get("lon") is None:
            left.append({"delivery_id": row.id, "reason": "no_coordinates", "context": {}})
            continue
        for shipment, lot, number in _lots(row, made, day):
            shipments.append(shipment)
            lots[shipment.id] = (row.id, lot, number)
    points = [place.point for place in shapes.places_of(tuple(made), tuple(shipments))]
    return Day(day, carrier_id, Problem(tuple(made), tuple(shipments), matrix(points)), lots, trucks, tuple(left))


def _seconds(day: date, moment: datetime) -> int:
    return int((moment - clock.at(day, 0)).total_seconds())


def _moment(day: date, seconds: int) -> datetime:
    return clock.at(day, 0) + timedelta(seconds=seconds)


def _truck(truck: TruckOfDay, yard: Place, day: date, heights: Sequence[int]) -> Truck | None:
    """The truck as the solver knows it, or None when its shift is over."""
    starts, ends = truck.starts_at, truck.ends_at
    if day == clock.today():
        starts = max(starts, clock.now())
    if starts >= ends:
        return None
    vehicle = truck.vehicle
    skills = {f"under_{height}" for height in heights if vehicle.height_mm <= height}
    skills |= {name for name, has in (("crane", vehicle.has_crane), ("tail_lift", vehicle.has_tail_lift)) if has}
    return Truck(
        id=str(vehicle.id),
        start=yard,
        end=yard,
        payload_kg=vehicle.payload_kg,
        volume_l=vehicle.volume_l,
        longest_mm=vehicle.longest_mm,
        gross_mass_kg=vehicle.gross_mass_kg,
        shift=(_seconds(day, starts), _seconds(day, ends)),
        skills=frozenset(skills),
        fixed_cost_kop=vehicle.fixed_cost,
        cost_per_km_kop=vehicle.cost_per_km,
        cost_per_hour_kop=vehicle.cost_per_hour,
    )


def _needs(row: DeliveryRow) -> frozenset[str]:
    height = row.site.get("max_height_mm")
    return frozenset(row.needs) | (frozenset({f"under_{height}"}) if height else frozenset())


def _lots(row: DeliveryRow, trucks: Sequence[Truck], day: date) -> list[tuple[Shipment, int, int]]:
    """The delivery as shipments that fit a truck: one, or several lots when the largest able truck is too small."""
    needs, limit = _needs(row), row.site.get("max_vehicle_kg")
    able = [
        t
        for t in trucks
        if needs <= t.skills and row.longest_mm <= t.longest_mm and (not limit or t.gross_mass_kg <= int(limit))
    ]
    largest = max(able, key=lambda t: (t.payload_kg, t.volume_l), default=None)
    number = 1 if largest is None else rules.lots_of(row.mass_kg, row.volume_l, largest.payload_kg, largest.volume_l)
    pickup, site = row.pickup, row.site
    opens, closes = int(pickup.get("opens_at", 0)), int(pickup.get("closes_at", 1440))
    found = []
    for lot in range(1, number + 1):
        shipment = Shipment(
            id=f"{row.id}.{lot}",
            pickup=Place(float(pickup["lat"]), float(pickup["lon"])),
            dropoff=Place(float(site["lat"]), float(site["lon"])),
            mass_kg=rules.share(row.mass_kg, number, lot),
            volume_l=rules.share(row.volume_l, number, lot),
            longest_mm=row.longest_mm,
            pickup_window=(opens * 60, closes * 60),
            drop_window=(_seconds(day, row.window_from), _seconds(day, row.window_to)),
            pickup_service_s=60 * int(pickup.get("loading_minutes", LOADING_MINUTES)),
            drop_service_s=60 * -(-row.unloading_minutes // number),
            needs=needs,
            max_vehicle_mass_kg=int(limit) if limit else None,
        )
        found.append((shipment, lot, number))
    return found


def to_store(day: Day, found: shapes.Plan) -> plans.NewPlan:
    """The solver's answer in the words of the market."""
    left = list(day.left)
    for item in found.unassigned:
        delivery_id, lot, lots = day.lots[item.shipment_id]
        context = dict(item.context) | ({"lot": lot, "lots": lots} if lots > 1 else {})
        left.append({"delivery_id": delivery_id, "reason": item.code, "context": context})
    return plans.NewPlan(
        carrier_id=day.carrier_id,
        day=day.day,
        cost=found.cost_kop,
        solver=SOLVER,
        quality="graph" if day.problem.matrix.quality == "road" else "estimate",
        routes=[_route(day, route) for route in found.routes],
        unassigned=left,
        roads=plan_roads.pack(day.problem.matrix),
    )


def _route(day: Day, route: shapes.RoutePlan) -> plans.NewRoute:
    truck = day.trucks[route.truck_id]
    rest = route.rest
    return plans.NewRoute(
        vehicle_id=truck.vehicle.id,
        courier_id=truck.courier_id,
        distance_m=route.distance_m,
        duration_s=route.duration_s,
        cost=route.cost_kop,
        load_kg=route.peak_mass_kg,
        load_l=route.peak_volume_l,
        starts_at=_moment(day.day, route.start_s),
        ends_at=_moment(day.day, route.end_s),
        break_from=_moment(day.day, rest.start_s) if rest else None,
        break_to=_moment(day.day, rest.end_s) if rest else None,
        geometry=_streets(day.problem, route),
        stops=[_stop(day, stop) for stop in route.stops],
    )


def _stop(day: Day, stop: shapes.StopPlan) -> plans.NewStop:
    delivery_id, lot, lots = day.lots[stop.shipment_id]
    return plans.NewStop(
        delivery_id, stop.kind, lot, lots, _moment(day.day, stop.arrival_s), _moment(day.day, stop.departure_s)
    )


def _streets(problem: Problem, route: shapes.RoutePlan) -> list[list[float]]:
    """[[lat, lon], ...] of the way from the yard through all stops and back; straight where there is no road graph."""
    truck = problem.truck_by_id[route.truck_id]
    places = [truck.start]
    for stop in route.stops:
        shipment = problem.shipment_by_id[stop.shipment_id]
        places.append(shipment.pickup if stop.kind == PICKUP else shipment.dropoff)
    places.append(truck.end)
    line: list[tuple[float, float]] = [places[0].point]
    for start, end in pairwise(places):
        if start != end:
            line += _leg(start, end)[1:]
    return [[round(lat, 5), round(lon, 5)] for lat, lon in line]


def _leg(start: Place, end: Place) -> list[tuple[float, float]]:
    try:
        return load().path(start.point, end.point)
    except FarFromRoads:
        return [start.point, end.point]
