"""Why a shipment cannot be carried: single-shipment feasibility against every truck. Solvers give no reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.logistics.routing.problem import DROP, PICKUP, Problem, Shipment, Truck, Unassigned
from app.logistics.routing.roads import CAP_SECONDS
from app.logistics.routing.schedule import drive

TOO_HEAVY = "too_heavy"
TOO_LARGE = "too_large"
TOO_LONG = "too_long"
NEEDS_EQUIPMENT = "needs_equipment"
ACCESS_FORBIDDEN = "access_forbidden"
UNREACHABLE = "unreachable"
WINDOW_IMPOSSIBLE = "window_impossible"
SHIFT_TOO_SHORT = "shift_too_short"
NO_CAPACITY_LEFT = "no_capacity_left"
CODES = (
    TOO_HEAVY, TOO_LARGE, TOO_LONG, NEEDS_EQUIPMENT, ACCESS_FORBIDDEN, UNREACHABLE, WINDOW_IMPOSSIBLE,
    SHIFT_TOO_SHORT, NO_CAPACITY_LEFT,
)  # fmt: skip

_Test = Callable[[Problem, Truck, Shipment], bool]
_Numbers = Callable[[Problem, Sequence[Truck], Shipment], dict[str, int | str]]


def why_impossible(problem: Problem, shipment: Shipment) -> Unassigned | None:
    """The first rule that no truck passes together with the rules before it; None when some truck alone could do it.

    The context holds what is asked and the best that the remaining trucks offer, in the units of the problem.
    """
    trucks: Sequence[Truck] = problem.trucks
    if not trucks:
        return Unassigned(shipment.id, NO_CAPACITY_LEFT, {"trucks": 0})
    for code, passes, numbers in _RULES:
        able = [truck for truck in trucks if passes(problem, truck, shipment)]
        if not able:
            return Unassigned(shipment.id, code, numbers(problem, trucks, shipment))
        trucks = able
    return None


def why_left(problem: Problem, shipment: Shipment) -> Unassigned:
    """The reason of a shipment that a finished plan leaves: impossible by itself, or the able trucks are full."""
    impossible = why_impossible(problem, shipment)
    if impossible is not None:
        return impossible
    able = sum(_whole_trip(problem, truck, shipment) for truck in problem.trucks)
    return Unassigned(shipment.id, NO_CAPACITY_LEFT, {"trucks": able})


def _whole_trip(problem: Problem, truck: Truck, shipment: Shipment) -> bool:
    return drive(problem, truck, ((PICKUP, shipment.id), (DROP, shipment.id))) is not None


def _windows_meet(problem: Problem, truck: Truck, shipment: Shipment) -> bool:
    """Loaded at the first moment the warehouse allows, the goods reach the site before it closes."""
    opens, closes = shipment.pickup_window
    return (
        opens <= closes
        and shipment.drop_window[0] <= shipment.drop_window[1]
        and _earliest_drop(problem, shipment) <= shipment.drop_window[1]
    )


def _earliest_drop(problem: Problem, shipment: Shipment) -> int:
    return shipment.pickup_window[0] + shipment.pickup_service_s + problem.seconds(shipment.pickup, shipment.dropoff)


def _reaches(problem: Problem, truck: Truck, shipment: Shipment) -> bool:
    legs = ((truck.start, shipment.pickup), (shipment.pickup, shipment.dropoff), (shipment.dropoff, truck.end))
    return all(problem.seconds(a, b) < CAP_SECONDS for a, b in legs)


def _missing_equipment(problem: Problem, trucks: Sequence[Truck], shipment: Shipment) -> dict[str, int | str]:
    """The equipment that the best equipped truck lacks, as a comma-separated list."""
    missing = min((shipment.needs - truck.skills for truck in trucks), key=lambda lack: (len(lack), sorted(lack)))
    return {"missing": ",".join(sorted(missing))}


def _shift_numbers(problem: Problem, trucks: Sequence[Truck], shipment: Shipment) -> dict[str, int | str]:
    """The shortest duty this one trip needs and the longest shift there is, seconds."""
    work = shipment.pickup_service_s + shipment.drop_service_s + problem.seconds(shipment.pickup, shipment.dropoff)
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
    (UNREACHABLE, _reaches, lambda p, ts, s: {}),
    (WINDOW_IMPOSSIBLE, _windows_meet,
     lambda p, ts, s: {"earliest_s": _earliest_drop(p, s), "from_s": s.drop_window[0], "to_s": s.drop_window[1]}),
    (SHIFT_TOO_SHORT, _whole_trip, _shift_numbers),
)  # fmt: skip
