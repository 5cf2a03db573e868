"""The rest of a day under way as a planning problem: trucks where they are, goods on board bound to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from app.core.db import unit_of_work
from app.logistics import fleet, plans
from app.logistics.fleet import TruckOfDay
from app.logistics.live_day import CURRENT, Key, LiveRoute, LiveStop, live_routes
from app.logistics.queries import DeliveryRow
from app.logistics.routing import problem as shapes
from app.logistics.routing.matrix import matrix
from app.logistics.routing.problem import Order, Place, Problem, RoutePlan, Shipment, Truck, route_cost
from app.logistics.solver_shapes import moment_of, seconds_of, shipment_of
from workers.routing_day import (
    Day,
    Rest,
    chain_of,
    left_of,
    limits_of,
    quality_of,
    solver_of,
    stop_of,
    streets,
    truck_of,
    waiting_of,
)

OVERTIME = timedelta(hours=2)
"""How long after its last free moment a truck may be out for what it has on board."""


@unit_of_work
def read_rest(
    carrier_id: int, day: date, parent_id: int, now: datetime, chosen: Sequence[int] | None, broken: Sequence[int]
) -> Day:
    """The problem of what is open of a published plan at `now`, and what became ready since."""
    routes, homes = live_routes(parent_id), _homes(carrier_id)
    working = {t.vehicle.id: t for t in fleet.trucks_of_day(carrier_id, day) if t.vehicle.id not in broken}
    known = _rows_of(carrier_id, day, routes, chosen)
    trucks = [
        one for vehicle_id, t in working.items()
        if (one := _truck(t, routes.get(vehicle_id), day, now, known)) is not None
    ]  # fmt: skip
    at_work = {truck.id: truck for truck in trucks}
    shipments, lots = _open_lots(routes, known, at_work, homes, day, now)
    fresh = _new_rows(carrier_id, day, routes, chosen, {delivery for delivery, _, _ in lots.values()})
    waiting, more_lots, left = waiting_of(fresh, trucks, day)
    together = _with_the_loaded([*shipments, *waiting], routes, known, set(at_work))
    places = shapes.places_of(tuple(trucks), tuple(together))
    points = dict.fromkeys([*(p.point for p in places), *(homes[v].point for v in routes), *_touched_points(routes)])
    roads = matrix(list(points), limits_of(trucks))
    before = Problem(tuple(trucks), tuple(together), roads)
    tired = tuple(_tired(before, truck, routes.get(int(truck.id)), homes[int(truck.id)], now) for truck in trucks)
    task = Problem(tired, _reachable_windows(before, together), roads)
    orders = {str(v): _order(route) for v, route in routes.items()}
    numbers = {row.id: row.number for row in known.values()} | {row.id: row.number for row in fresh}
    names = {str(t.vehicle.id): t for t in _all_trucks(carrier_id, routes, working, homes)}
    rest = Rest(parent_id, seconds_of(day, now), routes, orders)
    return Day(day, carrier_id, task, lots | more_lots, names, tuple(left), rest, numbers)


def _homes(carrier_id: int) -> dict[int, Place]:
    """Vehicle -> its yard."""
    return {vehicle: Place(*point) for vehicle, point in fleet.homes(carrier_id, fleet.vehicles(carrier_id)).items()}


def _all_trucks(
    carrier_id: int, routes: Mapping[int, LiveRoute], working: Mapping[int, TruckOfDay], homes: Mapping[int, Place]
) -> list[TruckOfDay]:
    """The working trucks, and those that only have a route behind them."""
    found = dict(working)
    for vehicle in fleet.vehicles(carrier_id):
        route = routes.get(vehicle.id)
        if vehicle.id not in found and route is not None:
            found[vehicle.id] = TruckOfDay(
                vehicle, route.courier_id or 0, "", route.starts_at, route.ends_at, homes[vehicle.id].point
            )
    return list(found.values())


def _rows_of(
    carrier_id: int, day: date, routes: Mapping[int, LiveRoute], chosen: Sequence[int] | None
) -> dict[int, DeliveryRow]:
    ids = {stop.delivery_id for route in routes.values() for stop in route.stops}
    return {row.id: row for row in plans.rows(carrier_id, sorted(ids | set(chosen or ())))}


def _new_rows(
    carrier_id: int, day: date, routes: Mapping[int, LiveRoute], chosen: Sequence[int] | None, planned: set[int]
) -> list[DeliveryRow]:
    """Ready deliveries that no route has ahead; what could not be loaded today only when it is chosen."""
    failed = {
        stop.delivery_id for route in routes.values() for stop in route.stops
        if stop.kind == "pickup" and stop.state == "failed"
    }  # fmt: skip
    rows = plans.to_plan(carrier_id, day, chosen)
    return [row for row in rows if row.id not in planned and (chosen is not None or row.id not in failed)]


def _truck(
    truck: TruckOfDay, route: LiveRoute | None, day: date, now: datetime, rows: Mapping[int, DeliveryRow]
) -> Truck | None:
    """A truck from where and when it can go on; None when its day is over."""
    if route is not None and route.state == "finished" and not route.aboard:
        return None
    point, free = (None, now) if route is None else route.stands(now)
    starts, ends = max(truck.starts_at, free), truck.ends_at
    if route is not None and route.under_way:
        starts = free
        if route.aboard:  # goods are brought, even when that takes longer than the shift
            ends = max(ends, starts + OVERTIME)
    if starts >= ends:
        return None
    made = truck_of(replace(truck, starts_at=starts, ends_at=ends), day)
    if made is None:
        return None
    refused = [] if route is None else [_share(rows[key[0]], route, key) for key in route.refused]
    return replace(
        made,
        start=made.start if point is None else Place(*point),
        shift=(seconds_of(day, starts), made.shift[1]),
        fixed_cost_kop=0 if route is not None and route.under_way else made.fixed_cost_kop,
        payload_kg=max(0, made.payload_kg - sum(s.mass_kg for s in refused)),
        volume_l=max(0, made.volume_l - sum(s.volume_l for s in refused)),
    )


def _share(row: DeliveryRow, route: LiveRoute, key: Key) -> Shipment:
    lots = next(stop.lots for stop in route.stops if stop.key == key)
    return shipment_of(row, row.day, key[1], lots)


def _open_lots(
    routes: Mapping[int, LiveRoute], rows: Mapping[int, DeliveryRow], trucks: Mapping[str, Truck],
    homes: Mapping[int, Place], day: date, now: datetime,
) -> tuple[list[Shipment], dict[str, tuple[int, int, int]]]:  # fmt: skip
    """What the published routes still have to bring: on board, or waiting at warehouses."""
    shipments: list[Shipment] = []
    lots: dict[str, tuple[int, int, int]] = {}
    for vehicle_id, route in routes.items():
        yard = homes[vehicle_id]
        ahead = [stop for stop in route.ahead if stop.kind == "drop"]
        for stop in ahead:
            shipment = shipment_of(rows[stop.delivery_id], day, stop.lot, stop.lots)
            if stop.key in route.aboard:
                shipment = _on_board(shipment, vehicle_id, route, trucks, yard, now)
            elif stop.locked and str(vehicle_id) in trucks:
                shipment = replace(shipment, only_on=frozenset({str(vehicle_id)}))
            shipments.append(shipment)
            lots[shipment.id] = (stop.delivery_id, stop.lot, stop.lots)
        for key in sorted(route.aboard - {stop.key for stop in ahead}):
            row = rows[key[0]]
            number = next(stop.lots for stop in route.stops if stop.key == key)
            shipment = _on_board(
                shipment_of(row, day, key[1], number), vehicle_id, route, trucks, homes[vehicle_id], now
            )
            shipments.append(shipment)
            lots[shipment.id] = (key[0], key[1], number)
    return shipments, lots


def _on_board(
    shipment: Shipment, vehicle_id: int, route: LiveRoute, trucks: Mapping[str, Truck], yard: Place, now: datetime
) -> Shipment:
    truck, (point, _) = trucks.get(str(vehicle_id)), route.stands(now)
    here = truck.start if truck is not None else (yard if point is None else Place(*point))
    return replace(shipment, pickup=here, on_board=str(vehicle_id), together=None, pickup_service_s=0)


def _with_the_loaded(
    shipments: Sequence[Shipment], routes: Mapping[int, LiveRoute], rows: Mapping[int, DeliveryRow], at_work: set[str]
) -> list[Shipment]:
    """What was sold as one truck with goods that are on board by now follows them, when that truck still drives."""
    truck_of_joint = {
        f"joint {rows[delivery_id].joint_id}": str(vehicle_id)
        for vehicle_id, route in routes.items()
        for delivery_id, _ in route.aboard
        if rows[delivery_id].joint_id is not None and str(vehicle_id) in at_work
    }
    found = []
    for shipment in shipments:
        truck_id = truck_of_joint.get(shipment.together or "")
        if truck_id is not None:
            shipment = replace(shipment, together=None, only_on=frozenset({truck_id}))
        found.append(shipment)
    return found


def _touched_points(routes: Mapping[int, LiveRoute]) -> list[tuple[float, float]]:
    return [stop.point for route in routes.values() for stop in route.frozen]


def _driven(task: Problem, route: LiveRoute, yard: Place, here: Place | None) -> list[tuple[datetime, int, int]]:
    """(when it was driven, seconds, metres) of the way so far: yard, visited stops, where the truck is."""
    visited = [stop for stop in route.frozen if stop.state != "skipped" and (stop.completed_at or stop.arrived_at)]
    places = [(route.starts_at, yard), *((stop.happened, Place(*stop.point)) for stop in visited)]
    if here is not None and (not visited or visited[-1].state not in CURRENT):
        places.append((visited[-1].happened if visited else route.starts_at, here))
    return [(when, task.seconds(a, b), task.metres(a, b)) for (_, a), (when, b) in pairwise(places)]


def _tired(task: Problem, truck: Truck, route: LiveRoute | None, yard: Place, now: datetime) -> Truck:
    """The truck with what its driver drove today; a planned break whose time is over counts as taken."""
    if route is None or not route.under_way:
        return truck
    legs = _driven(task, route, yard, truck.start)
    today = sum(seconds for _, seconds, _ in legs)
    rested = route.break_to if route.break_to is not None and route.break_to <= now else None
    since = sum(seconds for when, seconds, _ in legs if rested is None or when >= rested)
    return replace(truck, driven_s=min(since, truck.max_driving_s), driven_today_s=today)


def _reachable_windows(task: Problem, shipments: Sequence[Shipment]) -> tuple[Shipment, ...]:
    """Goods on board that cannot be in time any more are brought late: the page shows by how much."""
    return tuple(_late(task, s) if _too_late(task, s) else s for s in shipments)


def _too_late(task: Problem, shipment: Shipment) -> bool:
    truck = task.truck_by_id.get(shipment.on_board or "")
    return truck is not None and truck.shift[0] + task.seconds(truck.start, shipment.dropoff) > shipment.drop_window[1]


def _late(task: Problem, shipment: Shipment) -> Shipment:
    end = task.truck_by_id[shipment.on_board or ""].shift[1]
    return replace(shipment, drop_window=(min(shipment.drop_window[0], end), max(shipment.drop_window[1], end)))


def with_late_goods(day: Day, found: shapes.Plan) -> Day | None:
    """The day with windows open until the shift ends for trucks that would keep goods on board; None: none would."""
    stay = {
        day.problem.shipment_by_id[item.shipment_id].on_board for item in found.unassigned
        if item.code != "on_broken_truck"
    }  # fmt: skip
    stay.discard(None)
    if not stay:
        return None
    eased = tuple(_late(day.problem, s) if s.on_board in stay else s for s in day.problem.shipments)
    return replace(day, problem=Problem(day.problem.trucks, eased, day.problem.matrix))


def _order(route: LiveRoute) -> Order:
    """The open stops as driven now; goods on board have a drop only."""
    return tuple((stop.kind, f"{stop.delivery_id}.{stop.lot}") for stop in route.ahead)


def rest_to_store(day: Day, found: shapes.Plan) -> plans.NewPlan:
    """The draft: of every truck under way what it did and what it does next, and the routes of the others."""
    assert day.rest is not None
    solved = {int(route.truck_id): route for route in found.routes}
    vehicles = [v for v, live in day.rest.routes.items() if live.under_way or v in solved]
    vehicles += [v for v in solved if v not in day.rest.routes]
    routes = [_route(day, v, solved.get(v)) for v in vehicles]
    return plans.NewPlan(
        carrier_id=day.carrier_id,
        day=day.day,
        cost=sum(route.cost for route in routes),
        solver=solver_of(day.problem),
        quality=quality_of(day.problem),
        routes=routes,
        unassigned=left_of(day, found),
        kind="rest",
        parent_id=day.rest.parent_id,
    )


def _route(day: Day, vehicle_id: int, ahead: RoutePlan | None) -> plans.NewRoute:
    """One truck's whole day: the way so far and the way ahead."""
    assert day.rest is not None
    task, truck = day.problem, day.trucks[str(vehicle_id)]
    live = day.rest.routes.get(vehicle_id)
    yard = Place(*truck.yard)
    under_way = live is not None and live.under_way
    at_work = task.truck_by_id.get(str(vehicle_id))
    here = None if at_work is None else at_work.start  # a broken one stays where it is
    legs = _driven(task, live, yard, here) if live is not None and under_way else []
    behind = [Place(*stop.point) for stop in live.frozen] if live is not None else []
    metres = sum(m for _, _, m in legs) + (ahead.distance_m if ahead else 0)
    starts = live.starts_at if live is not None and under_way else moment_of(day.day, ahead.start_s if ahead else 0)
    ends = moment_of(day.day, ahead.end_s) if ahead else max(starts, moment_of(day.day, day.rest.now_s))
    seconds = int((ends - starts).total_seconds())
    stops = [stop_of(day, stop) for stop in ahead.stops] if ahead else []
    again = {(stop.delivery_id, stop.kind, stop.lot) for stop in stops}
    frozen = [_kept(s) for s in live.frozen if (s.delivery_id, s.kind, s.lot) not in again] if live is not None else []
    locked = {s.key for s in live.stops if s.locked} if live is not None else set()
    rest = ahead.rest if ahead else None
    taken: tuple[datetime | None, datetime | None] = (None, None)
    if (
        live is not None
        and under_way
        and live.break_to is not None
        and seconds_of(day.day, live.break_to) <= day.rest.now_s
    ):
        taken = (live.break_from, live.break_to)
    return plans.NewRoute(
        vehicle_id=vehicle_id,
        courier_id=live.courier_id if live is not None and under_way and live.courier_id else truck.courier_id,
        distance_m=metres,
        duration_s=seconds,
        cost=_cost(truck, metres, seconds),
        load_kg=ahead.peak_mass_kg if ahead else 0,
        load_l=ahead.peak_volume_l if ahead else 0,
        starts_at=starts,
        ends_at=ends,
        break_from=moment_of(day.day, rest.start_s) if rest else taken[0],
        break_to=moment_of(day.day, rest.end_s) if rest else taken[1],
        geometry=streets([yard, *behind, *(chain_of(task, ahead) if ahead else [])]),
        stops=[*frozen, *(replace(s, locked=(s.delivery_id, s.lot) in locked) for s in stops)],
    )


def _cost(truck: TruckOfDay, metres: int, seconds: int) -> int:
    vehicle = truck.vehicle
    priced = Truck(
        "", Place(0, 0), Place(0, 0), 1, 1, 1, 1, (0, 0), fixed_cost_kop=vehicle.fixed_cost,
        cost_per_km_kop=vehicle.cost_per_km, cost_per_hour_kop=vehicle.cost_per_hour,
    )  # fmt: skip
    return route_cost(priced, metres, seconds)


def _kept(stop: LiveStop) -> plans.NewStop:
    return plans.NewStop(
        stop.delivery_id, stop.kind, stop.lot, stop.lots, stop.planned_arrival, stop.planned_departure, stop.state,
        stop.arrived_at, stop.unloading_at, stop.completed_at, stop.locked,
    )  # fmt: skip
