"""VROOM builds the first plan: orders of stops per truck in well under a second. Runs in workers only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from app.logistics.routing.problem import DROP, PICKUP, Order, Problem, Shipment, Truck
from app.logistics.routing.schedule import fits

# Exploration level 1 gives 60 shipments in half a second, level 0 a big day in a third of the time of level 1: that is
# the first plan. Level 3 is 2 to 8 % cheaper on our shape of problem and takes four to seven times as long as level 1.
LEVEL_1_UP_TO = 150
DEEPER = 3


def build_orders(
    problem: Problem, shipments: Sequence[Shipment], seconds: float, with_breaks: bool, level: int | None = None
) -> dict[str, Order]:
    """Orders of stops by truck id. Shipments missing from them did not fit.

    level: of VROOM's exploration; None: the quickest good one for so many shipments.
    with_breaks: give every driver a break in its window. Without it only drives below the limit may come out valid,
    but a short day keeps the 45 minutes.

    Raises:
        ImportError, vroom.VroomInputException: VROOM is absent or refuses the input; the caller falls back.
    """
    import vroom

    task = vroom.Input()
    task.set_durations_matrix("truck", problem.matrix.seconds.astype(np.uint32))
    task.set_distances_matrix("truck", problem.matrix.metres.astype(np.uint32))
    # A skill stands for the exact set of trucks able to take a shipment: equipment, length and access in one number.
    able = {s.id: frozenset(t.id for t in problem.trucks if fits(t, s)) for s in shipments}
    skill_of = {trucks: number for number, trucks in enumerate(sorted(set(able.values()), key=sorted), start=1)}
    for number, truck in enumerate(problem.trucks):
        skills = {skill for trucks, skill in skill_of.items() if truck.id in trucks}
        task.add_vehicle(_vehicle(problem, truck, number, skills, with_breaks))
    for number, shipment in enumerate(shipments):
        amount, skill = vroom.Amount([shipment.mass_kg, shipment.volume_l]), {skill_of[able[shipment.id]]}
        if shipment.on_board is not None:  # what a job brings is on the truck from the start
            task.add_job(
                vroom.Job(number, location=problem.row(shipment.dropoff), default_service=shipment.drop_service_s,
                          delivery=amount, skills=skill, priority=100, time_windows=[list(shipment.drop_window)])
            )  # fmt: skip
            continue
        task.add_shipment(
            vroom.ShipmentStep(number, location=problem.row(shipment.pickup),
                               default_service=shipment.pickup_service_s, time_windows=[list(shipment.pickup_window)]),
            vroom.ShipmentStep(number, location=problem.row(shipment.dropoff),
                               default_service=shipment.drop_service_s, time_windows=[list(shipment.drop_window)]),
            amount=amount,
            skills=skill,
        )  # fmt: skip
    answer = task.solve(
        exploration_level=int(len(shipments) <= LEVEL_1_UP_TO) if level is None else level,
        nb_threads=1,
        timeout=timedelta(seconds=max(seconds, 0.1)),
    )
    orders: dict[str, list[tuple[str, str]]] = {}
    steps = answer.routes
    if "id" not in steps.columns:  # only starts, breaks and ends: nothing fitted
        return {}
    for vehicle, kind, number in zip(steps["vehicle_id"], steps["type"], steps["id"], strict=True):
        if kind in ("pickup", "delivery", "job"):
            stop = (PICKUP if kind == "pickup" else DROP, shipments[int(number)].id)
            orders.setdefault(problem.trucks[int(vehicle)].id, []).append(stop)
    return {truck_id: tuple(stops) for truck_id, stops in orders.items()}


def _vehicle(problem: Problem, truck: Truck, number: int, skills: set[int], with_breaks: bool) -> object:
    import vroom

    earliest, latest = truck.break_start
    # The break must come before so much work has passed that driving alone could break the law.
    latest = max(earliest, min(latest, truck.shift[0] + truck.max_driving_s))
    rest = vroom.Break(number, time_windows=[[earliest, latest]], service=truck.break_s)
    return vroom.Vehicle(
        number,
        start=problem.row(truck.start),
        end=problem.row(truck.end),
        profile="truck",
        capacity=[truck.payload_kg, truck.volume_l],
        time_window=list(truck.shift),
        skills=skills,
        breaks=[rest] if with_breaks else [],
        max_travel_time=_driving_left(truck, with_breaks),
        costs=vroom.VehicleCosts(
            fixed=truck.fixed_cost_kop, per_hour=max(1, truck.cost_per_hour_kop), per_km=truck.cost_per_km_kop
        ),
    )


def _driving_left(truck: Truck, with_breaks: bool) -> int:
    """Seconds at the wheel that the law leaves, with one rest or without."""
    until_rest = truck.max_driving_s - truck.driven_s
    most = until_rest + truck.max_driving_s if with_breaks else until_rest
    return max(0, min(most, truck.max_day_driving_s - truck.driven_today_s))
