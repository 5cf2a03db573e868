"""A carrier's day as a planning problem, and the answer in the words of the market."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from app.core import clock
from app.core.db import unit_of_work
from app.logistics import fleet, plan_roads, plans
from app.logistics.fleet import TruckOfDay
from app.logistics.live_day import LiveRoute
from app.logistics.queries import DeliveryRow
from app.logistics.routing import problem as shapes
from app.logistics.routing.matrix import matrix
from app.logistics.routing.problem import PICKUP, Order, Place, Problem, Shipment, Truck
from app.logistics.routing.roads import FarFromRoads, VehicleLimits, load
from app.logistics.solver_shapes import lots_of, moment_of, shipment_of, truck_shape

SOLVER = "vroom+pyvrp"
STEPS = 100


@dataclass(frozen=True, slots=True)
class Rest:
    """What belongs to a day under way: the plan it comes from, its routes by vehicle, their open stops in order."""

    parent_id: int
    now_s: int
    routes: Mapping[int, LiveRoute]
    orders: Mapping[str, Order]


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
    rest: Rest | None = None
    numbers: Mapping[int, str] | None = None
    """Delivery id -> the number that people know it by."""


@unit_of_work
def read_day(carrier_id: int, day: date, deliveries: Sequence[int] | None, vehicles: Sequence[int] | None) -> Day:
    """The problem of a carrier's day as the database has it now. A truck of today starts not before now."""
    working = [t for t in fleet.trucks_of_day(carrier_id, day) if vehicles is None or t.vehicle.id in vehicles]
    trucks = {str(t.vehicle.id): t for t in working}
    made = [one for t in working if (one := truck_of(t, day)) is not None]
    shipments, lots, left = waiting_of(plans.to_plan(carrier_id, day, deliveries), made, day)
    points = [place.point for place in shapes.places_of(tuple(made), tuple(shipments))]
    numbers = {row.id: row.number for row in plans.rows(carrier_id, [one[0] for one in lots.values()])}
    task = Problem(tuple(made), tuple(shipments), matrix(points, limits_of(made)))
    return Day(day, carrier_id, task, lots, trucks, tuple(left), None, numbers)


def waiting_of(
    rows: Sequence[DeliveryRow], trucks: Sequence[Truck], day: date
) -> tuple[list[Shipment], dict[str, tuple[int, int, int]], list[dict[str, Any]]]:
    """Deliveries at warehouses as shipments, what these are lots of, and what has no place on the map."""
    shipments: list[Shipment] = []
    lots: dict[str, tuple[int, int, int]] = {}
    left: list[dict[str, Any]] = []
    for row in rows:
        if row.site.get("lat") is None or row.site.get("lon") is None:
            left.append({"delivery_id": row.id, "reason": "no_coordinates", "context": {}})
            continue
        number = lots_of(row, trucks)
        for lot in range(1, number + 1):
            shipments.append(shipment_of(row, day, lot, number))
            lots[shipments[-1].id] = (row.id, lot, number)
    return shipments, lots, left


def truck_of(truck: TruckOfDay, day: date) -> Truck | None:
    """The truck as the solver knows it, or None when its shift is over. A truck of today starts not before now."""
    starts, ends = truck.starts_at, truck.ends_at
    if day == clock.today():
        starts = max(starts, clock.now())
    return None if starts >= ends else truck_shape(truck, day, starts, ends)


def to_store(day: Day, found: shapes.Plan) -> plans.NewPlan:
    """The solver's answer in the words of the market."""
    return plans.NewPlan(
        carrier_id=day.carrier_id,
        day=day.day,
        cost=found.cost_kop,
        solver=solver_of(day.problem),
        quality=quality_of(day.problem),
        routes=[_route(day, route) for route in found.routes],
        unassigned=left_of(day, found),
        roads=plan_roads.pack(day.problem.matrix),
    )


def solver_of(task: Problem) -> str:
    """Who planned, and whose road times they were when not our own."""
    roads = task.matrix
    if roads.instead_of:
        return f"{SOLVER}, {roads.provider} instead of {roads.instead_of}"
    return SOLVER if roads.provider in ("graph", "straight") else f"{SOLVER}, {roads.provider}"


def limits_of(trucks: Sequence[Truck]) -> VehicleLimits:
    """One matrix serves the whole fleet: the ways are those that its heaviest and its highest truck may drive."""
    return VehicleLimits(
        max((t.gross_mass_kg for t in trucks), default=0), max((t.height_mm for t in trucks), default=0)
    )


def quality_of(task: Problem) -> str:
    """How the road times were found: `graph` (roads, whoever answered) or `estimate`."""
    return "graph" if task.matrix.quality == "road" else "estimate"


def left_of(day: Day, found: shapes.Plan) -> list[dict[str, Any]]:
    """What no route takes, with reasons; a shipment named in a reason becomes the number of its delivery."""
    left = list(day.left)
    for item in found.unassigned:
        delivery_id, lot, lots = day.lots[item.shipment_id]
        context = dict(item.context) | ({"lot": lot, "lots": lots} if lots > 1 else {})
        if "after" in context and day.numbers is not None:
            context["after"] = day.numbers.get(day.lots[str(context["after"])][0], "")
        if "truck" in context:
            truck = day.trucks.get(str(context["truck"]))
            context["truck"] = "" if truck is None else truck.vehicle.name
        left.append({"delivery_id": delivery_id, "reason": item.code, "context": context})
    return left


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
        starts_at=moment_of(day.day, route.start_s),
        ends_at=moment_of(day.day, route.end_s),
        break_from=moment_of(day.day, rest.start_s) if rest else None,
        break_to=moment_of(day.day, rest.end_s) if rest else None,
        geometry=streets(chain_of(day.problem, route)),
        stops=[stop_of(day, stop) for stop in route.stops],
    )


def stop_of(day: Day, stop: shapes.StopPlan) -> plans.NewStop:
    delivery_id, lot, lots = day.lots[stop.shipment_id]
    return plans.NewStop(
        delivery_id, stop.kind, lot, lots, moment_of(day.day, stop.arrival_s), moment_of(day.day, stop.departure_s)
    )


def chain_of(problem: Problem, route: shapes.RoutePlan) -> list[Place]:
    """Where the truck is, one after the other: start, stops, end."""
    truck = problem.truck_by_id[route.truck_id]
    places = [truck.start]
    for stop in route.stops:
        shipment = problem.shipment_by_id[stop.shipment_id]
        places.append(shipment.pickup if stop.kind == PICKUP else shipment.dropoff)
    return [*places, truck.end]


def streets(places: Sequence[Place]) -> list[list[float]]:
    """[[lat, lon], ...] of the way through these places; straight where there is no road graph."""
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
