"""Routes and stops of a plan read as a sheet, and a timed sheet written back as routes and stops."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.logistics.models import Route, RoutePlan, Stop
from app.logistics.plan_shape import Call, Line, Sheet, left_as_json, left_from_json

if TYPE_CHECKING:
    from app.logistics.plan_times import Timed
    from app.logistics.routing import problem as shapes


def read(plan: RoutePlan) -> Sheet:
    """The arrangement of a plan as its rows have it."""
    rows = session.execute(
        sa.select(
            Route.vehicle_id, Route.public_id, Route.courier_id, Stop.public_id, Stop.kind, Stop.delivery_id, Stop.lot,
            Stop.lots, Stop.locked,
        )
        .join(Stop, Stop.route_id == Route.id)
        .where(Route.plan_id == plan.id)
        .order_by(Route.id, Stop.sequence)
    )  # fmt: skip
    found: dict[int, tuple[str, int | None, list[Call]]] = {}
    for row in rows:
        whole: list[Any] = list(row)
        vehicle_id, route, courier_id, stop, *facts = whole
        line = found.setdefault(vehicle_id, (str(route), courier_id, []))
        line[2].append(Call(str(stop), *facts))
    lines = {vehicle_id: Line(route, courier, tuple(calls)) for vehicle_id, (route, courier, calls) in found.items()}
    return Sheet(lines, left_from_json(plan.unassigned))


@dataclass(frozen=True, slots=True)
class Driven:
    """What `write` needs of the scheduler: the day, its problem, the routes."""

    day: date
    problem: shapes.Problem
    timed: Timed

    def moment(self, seconds: int) -> datetime:
        return clock.at(self.day, 0) + timedelta(seconds=seconds)


def write(plan: RoutePlan, was: Sheet, now: Sheet, driven: Driven) -> None:
    """Write the trucks whose day has changed, and the plan's totals. Routes and stops have the ids of the sheet."""
    columns = Route.id, Route.vehicle_id, Route.cost, Route.starts_at, Route.ends_at
    present = {row.vehicle_id: row for row in session.execute(sa.select(*columns).where(Route.plan_id == plan.id))}
    changed = [v for v, line in now.lines.items()
               if line != was.lines.get(v) or v not in present or _moved(present[v], v, driven)]  # fmt: skip
    gone = [row.id for v, row in present.items() if v not in now.lines]
    touched = [present[v].id for v in changed if v in present]
    session.execute(sa.delete(Stop).where(Stop.route_id.in_([*gone, *touched])))
    session.execute(sa.delete(Route).where(Route.id.in_(gone)))
    for vehicle_id in changed:
        line = now.lines[vehicle_id]
        values = _facts(plan, vehicle_id, line, driven)
        if vehicle_id in present:
            route_id = present[vehicle_id].id
            session.execute(sa.update(Route).where(Route.id == route_id).values(**values))
        else:
            route_id = session.execute(
                sa.insert(Route).values(plan_id=plan.id, **values).returning(Route.id)
            ).scalar_one()
        session.execute(sa.insert(Stop), _stops(route_id, line, vehicle_id, driven))
    session.flush()
    totals = session.execute(
        sa.select(*(sa.func.coalesce(sa.func.sum(c), 0) for c in (Route.cost, Route.distance_m, Route.duration_s)))
        .where(Route.plan_id == plan.id)
    ).one()  # fmt: skip
    plan.cost, plan.distance_m, plan.duration_s = (int(total) for total in totals)
    plan.unassigned = left_as_json(now.left)


def _moved(row: Any, vehicle_id: int, driven: Driven) -> bool:
    """Whether the same order now takes other times: a window, a shift or a truck was changed meanwhile."""
    route = driven.timed.routes.get(vehicle_id)
    return route is not None and (row.cost, row.starts_at, row.ends_at) != (
        route.cost_kop, driven.moment(route.start_s), driven.moment(route.end_s),
    )  # fmt: skip


def _facts(plan: RoutePlan, vehicle_id: int, line: Line, driven: Driven) -> dict[str, Any]:
    values: dict[str, Any] = {
        "public_id": uuid.UUID(line.route),
        "vehicle_id": vehicle_id,
        "courier_id": line.courier_id,
    }
    route = driven.timed.routes.get(vehicle_id)
    if route is None:  # the truck or a place is unknown now: no way to count, a fault says so
        start = driven.moment(0)
        return values | {
            "distance_m": 0, "duration_s": 0, "cost": 0, "load_kg": 0, "load_l": 0, "starts_at": start,
            "ends_at": start, "break_from": None, "break_to": None, "geometry": [],
        }  # fmt: skip
    rest = route.rest
    return values | {
        "distance_m": route.distance_m,
        "duration_s": route.duration_s,
        "cost": route.cost_kop,
        "load_kg": route.peak_mass_kg,
        "load_l": route.peak_volume_l,
        "starts_at": driven.moment(route.start_s),
        "ends_at": driven.moment(route.end_s),
        "break_from": driven.moment(rest.start_s) if rest else None,
        "break_to": driven.moment(rest.end_s) if rest else None,
        "geometry": _streets(driven.problem, route),
    }


def _stops(route_id: int, line: Line, vehicle_id: int, driven: Driven) -> list[dict[str, Any]]:
    route = driven.timed.routes.get(vehicle_id)
    found = []
    for number, call in enumerate(line.calls):
        at = route.stops[number] if route is not None else None
        arrival, departure = (at.arrival_s, at.departure_s) if at else (0, 0)
        found.append(
            {
                "route_id": route_id,
                "public_id": uuid.UUID(call.uid),
                "delivery_id": call.delivery_id,
                "sequence": number + 1,
                "kind": call.kind,
                "lot": call.lot,
                "lots": call.lots,
                "locked": call.locked,
                "planned_arrival": driven.moment(arrival),
                "planned_departure": driven.moment(departure),
            }
        )
    return found


def _streets(problem: shapes.Problem, route: shapes.RoutePlan) -> list[list[float]]:
    """The way along the streets, straight where there are none, as the planner draws it."""
    from app.logistics.routing.roads import FarFromRoads, load

    truck = problem.truck_by_id[route.truck_id]
    places = [truck.start]
    for stop in route.stops:
        shipment = problem.shipment_by_id[stop.shipment_id]
        places.append(shipment.pickup if stop.kind == "pickup" else shipment.dropoff)
    places.append(truck.end)
    line = [places[0].point]
    for start, end in pairwise(places):
        if start == end:
            continue
        try:
            line += load().path(start.point, end.point)[1:]
        except FarFromRoads:
            line.append(end.point)
    return [[round(lat, 5), round(lon, 5)] for lat, lon in line]
