"""Why a shipment cannot be carried: single-shipment feasibility against every truck. Solvers give no reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from app.logistics.routing.problem import Place, Problem, RoutePlan, Shipment, Truck, Unassigned, trip_of
from app.logistics.routing.roads import CAP_SECONDS
from app.logistics.routing.schedule import drive

TOO_HEAVY = "too_heavy"
TOO_LARGE = "too_large"
TOO_LONG = "too_long"
NEEDS_EQUIPMENT = "needs_equipment"
ACCESS_FORBIDDEN = "access_forbidden"
HEIGHT_FORBIDDEN = "height_forbidden"
NO_COORDINATES = "no_coordinates"
FAR_FROM_ROADS = "far_from_roads"
UNREACHABLE = "unreachable"
WINDOW_IMPOSSIBLE = "window_impossible"
SHIFT_TOO_SHORT = "shift_too_short"
TOGETHER_IMPOSSIBLE = "together_impossible"
ON_BROKEN_TRUCK = "on_broken_truck"
LOCKED_TRUCK = "locked_truck"
WINDOW_TAKEN = "window_taken"
NO_CAPACITY_LEFT = "no_capacity_left"
CODES = (
    TOO_HEAVY, TOO_LARGE, TOO_LONG, NEEDS_EQUIPMENT, ACCESS_FORBIDDEN, HEIGHT_FORBIDDEN, NO_COORDINATES, FAR_FROM_ROADS,
    UNREACHABLE, WINDOW_IMPOSSIBLE, SHIFT_TOO_SHORT, TOGETHER_IMPOSSIBLE, ON_BROKEN_TRUCK, LOCKED_TRUCK, WINDOW_TAKEN,
    NO_CAPACITY_LEFT,
)  # fmt: skip
"""The closed list; words in app/texts/logistics.py, meanings in docs/routing.md. `no_coordinates` is given by the
caller that makes the problem, since such a shipment never becomes part of one."""

Context = dict[str, int | str]
_Test = Callable[[Problem, Truck, Shipment], bool]
_Numbers = Callable[[Problem, Sequence[Truck], Shipment], Context]


def why_impossible(problem: Problem, shipment: Shipment) -> Unassigned | None:
    """The first rule that no truck passes together with the rules before it; None when some truck alone could do it.

    The context holds what is asked and the best that the remaining trucks offer, in the units of the problem.
    """
    trucks: Sequence[Truck] = problem.trucks
    if shipment.on_board is not None:
        trucks = [truck for truck in trucks if truck.id == shipment.on_board]
        if not trucks:
            return Unassigned(shipment.id, ON_BROKEN_TRUCK, {"truck": shipment.on_board})
    elif shipment.only_on is not None:
        trucks = [truck for truck in trucks if truck.id in shipment.only_on]
        if not trucks:
            return Unassigned(shipment.id, LOCKED_TRUCK, {"truck": ",".join(sorted(shipment.only_on))})
    if not trucks:
        return Unassigned(shipment.id, NO_CAPACITY_LEFT, {"trucks": 0})
    for code, passes, numbers in _RULES:
        able = [truck for truck in trucks if passes(problem, truck, shipment)]
        if not able:
            return Unassigned(shipment.id, code, numbers(problem, trucks, shipment))
        trucks = able
    return None


def why_left(problem: Problem, shipment: Shipment, routes: Mapping[str, RoutePlan] | None = None) -> Unassigned:
    """The reason of a shipment that a finished plan leaves: impossible by itself, or the able trucks are full.

    When every able truck would come too late after what it does before, the context names the earliest moment and the
    shipment that the truck is busy with until then.
    """
    impossible = why_impossible(problem, shipment)
    if impossible is not None:
        return impossible
    able = [truck for truck in problem.trucks if _whole_trip(problem, truck, shipment)]
    busy = [
        (_after(problem, truck, routes[truck.id], shipment), truck) for truck in able if routes and truck.id in routes
    ]
    if routes is not None and busy and len(busy) == len(able):
        earliest, truck = min(busy, key=lambda pair: (pair[0], pair[1].id))
        back = earliest + shipment.drop_service_s + problem.seconds(shipment.dropoff, truck.end)
        if earliest > shipment.drop_window[1] and back <= truck.shift[1]:
            return Unassigned(shipment.id, WINDOW_TAKEN, {
                "from_s": shipment.drop_window[0], "to_s": shipment.drop_window[1], "earliest_s": earliest,
                "after": routes[truck.id].stops[-1].shipment_id, "trucks": len(able),
            })  # fmt: skip
    return Unassigned(shipment.id, NO_CAPACITY_LEFT, {"trucks": len(able)})


def why_parted(
    problem: Problem, members: Sequence[Shipment], fits_one: bool, hopeless: Mapping[str, Unassigned]
) -> list[Unassigned]:
    """The reasons of shipments that must go together and wait: their own, or that the others cannot come along."""
    because = sorted({hopeless[s.id].code for s in members if s.id in hopeless})
    if fits_one and not because:
        return [why_left(problem, s) for s in members]
    context: Context = {
        "number": len(members),
        "mass_kg": sum(s.mass_kg for s in members),
        "most_kg": max((truck.payload_kg for truck in problem.trucks), default=0),
        "because": ",".join(because),
    }
    return [hopeless.get(s.id) or Unassigned(s.id, TOGETHER_IMPOSSIBLE, context) for s in members]


def _after(problem: Problem, truck: Truck, route: RoutePlan, shipment: Shipment) -> int:
    """When the truck could begin the drop after everything it does now, seconds."""
    last = route.stops[-1]
    there = problem.shipment_by_id[last.shipment_id].dropoff
    loading = max(last.departure_s + problem.seconds(there, shipment.pickup), shipment.pickup_window[0])
    return loading + shipment.pickup_service_s + problem.seconds(shipment.pickup, shipment.dropoff)


def _whole_trip(problem: Problem, truck: Truck, shipment: Shipment) -> bool:
    return drive(problem, truck, trip_of(shipment), alone=True) is not None


def _windows_meet(problem: Problem, truck: Truck, shipment: Shipment) -> bool:
    """Loaded at the first moment the warehouse and the truck allow, the goods reach the site before it closes."""
    opens, closes = shipment.pickup_window
    return (
        (opens <= closes or shipment.on_board is not None)
        and shipment.drop_window[0] <= shipment.drop_window[1]
        and _earliest_drop(problem, truck, shipment) <= shipment.drop_window[1]
    )


def _earliest_drop(problem: Problem, truck: Truck, shipment: Shipment) -> int:
    way = problem.seconds(shipment.pickup, shipment.dropoff)
    if shipment.on_board is not None:
        return truck.shift[0] + way
    there = truck.shift[0] + problem.seconds(truck.start, shipment.pickup)
    return max(shipment.pickup_window[0], there) + shipment.pickup_service_s + way


def _window_numbers(problem: Problem, trucks: Sequence[Truck], shipment: Shipment) -> Context:
    return {
        "earliest_s": min(_earliest_drop(problem, truck, shipment) for truck in trucks),
        "from_s": shipment.drop_window[0],
        "to_s": shipment.drop_window[1],
        "loading_from_s": shipment.pickup_window[0],
    }


def _legs(truck: Truck, shipment: Shipment) -> tuple[tuple[Place, Place], ...]:
    return ((truck.start, shipment.pickup), (shipment.pickup, shipment.dropoff), (shipment.dropoff, truck.end))


def _on_roads(problem: Problem, truck: Truck, shipment: Shipment) -> bool:
    return not any(problem.row(place) in problem.matrix.off_roads for place in (shipment.pickup, shipment.dropoff))


def _off_roads_numbers(problem: Problem, trucks: Sequence[Truck], shipment: Shipment) -> Context:
    lost = shipment.pickup if problem.row(shipment.pickup) in problem.matrix.off_roads else shipment.dropoff
    return _named(lost, shipment) | {"metres": problem.matrix.off_roads[problem.row(lost)]}


def _named(place: Place, shipment: Shipment) -> Context:
    point = {shipment.pickup: "warehouse", shipment.dropoff: "site"}.get(place, "yard")
    return {"point": point, "lat": str(round(place.lat, 5)), "lon": str(round(place.lon, 5))}


def _reaches(problem: Problem, truck: Truck, shipment: Shipment) -> bool:
    return all(problem.seconds(a, b) < CAP_SECONDS for a, b in _legs(truck, shipment))


def _unreachable_numbers(problem: Problem, trucks: Sequence[Truck], shipment: Shipment) -> Context:
    """The point that no truck reaches: where the first missing way leads, or begins."""
    for a, b in _legs(trucks[0], shipment):
        if problem.seconds(a, b) >= CAP_SECONDS:
            return _named(a if b == trucks[0].end else b, shipment)
    return {}


def _missing_equipment(problem: Problem, trucks: Sequence[Truck], shipment: Shipment) -> Context:
    """The equipment that the best equipped truck lacks, as a comma-separated list."""
    missing = min((shipment.needs - truck.skills for truck in trucks), key=lambda lack: (len(lack), sorted(lack)))
    return {"missing": ",".join(sorted(missing))}


def _shift_numbers(problem: Problem, trucks: Sequence[Truck], shipment: Shipment) -> Context:
    """The shortest duty this one trip needs and the longest shift there is, seconds."""
    work = shipment.pickup_service_s if shipment.on_board is None else 0
    work += shipment.drop_service_s + problem.seconds(shipment.pickup, shipment.dropoff)
    return {
        "trip_s": work + min(
            problem.seconds(t.start, shipment.pickup) + problem.seconds(shipment.dropoff, t.end) for t in trucks
        ),
        "shift_s": max(t.shift[1] - t.shift[0] for t in trucks),
        "shift_from": min(t.shift[0] for t in trucks),
        "shift_to": max(t.shift[1] for t in trucks),
    }  # fmt: skip


_RULES: tuple[tuple[str, _Test, _Numbers], ...] = (
    (TOO_HEAVY, lambda p, t, s: s.mass_kg <= t.payload_kg,
     lambda p, ts, s: {"mass_kg": s.mass_kg, "most_kg": max(t.payload_kg for t in ts)}),
    (TOO_LARGE, lambda p, t, s: s.volume_l <= t.volume_l,
     lambda p, ts, s: {"volume_l": s.volume_l, "most_l": max(t.volume_l for t in ts)}),
    (TOO_LONG, lambda p, t, s: s.longest_mm <= t.longest_mm,
     lambda p, ts, s: {"longest_mm": s.longest_mm, "most_mm": max(t.longest_mm for t in ts)}),
    (NEEDS_EQUIPMENT, lambda p, t, s: s.needs <= t.skills, _missing_equipment),
    (ACCESS_FORBIDDEN, lambda p, t, s: s.max_vehicle_mass_kg is None or t.gross_mass_kg <= s.max_vehicle_mass_kg,
     lambda p, ts, s: {"limit_kg": s.max_vehicle_mass_kg or 0, "lightest_kg": min(t.gross_mass_kg for t in ts)}),
    (HEIGHT_FORBIDDEN, lambda p, t, s: s.max_vehicle_height_mm is None or t.height_mm <= s.max_vehicle_height_mm,
     lambda p, ts, s: {"limit_mm": s.max_vehicle_height_mm or 0, "lowest_mm": min(t.height_mm for t in ts)}),
    (FAR_FROM_ROADS, _on_roads, _off_roads_numbers),
    (UNREACHABLE, _reaches, _unreachable_numbers),
    (WINDOW_IMPOSSIBLE, _windows_meet, _window_numbers),
    (SHIFT_TOO_SHORT, _whole_trip, _shift_numbers),
)  # fmt: skip
