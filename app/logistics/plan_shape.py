"""A plan as a dispatcher arranges it: which truck carries which lots in which order. Plain frozen values, no clock.

Times, loads and costs follow from it (`plan_times`); steps of undo are differences between two of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

PICKUP, DROP = "pickup", "drop"
Lot = tuple[int, int]
"""(delivery id, number of the lot): what is loaded and dropped as one."""


@dataclass(frozen=True, slots=True)
class Call:
    """One stop of a truck for one lot. uid: the stop's public id, kept through every change."""

    uid: str
    kind: str
    delivery_id: int
    lot: int = 1
    lots: int = 1
    locked: bool = False

    @property
    def load(self) -> Lot:
        return self.delivery_id, self.lot


@dataclass(frozen=True, slots=True)
class Line:
    """A truck's day: its route's public id, its driver, its stops in driving order (never none)."""

    route: str
    courier_id: int | None
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """A lot that no truck takes, with the code of the reason and its figures."""

    delivery_id: int
    lot: int = 1
    lots: int = 1
    reason: str = "taken_off"
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def load(self) -> Lot:
        return self.delivery_id, self.lot


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole arrangement: lines by vehicle id, and what is left."""

    lines: Mapping[int, Line]
    left: tuple[Left, ...] = ()

    def with_line(self, vehicle_id: int, line: Line | None) -> Sheet:
        """The same with another day of one truck; a day without stops is none."""
        lines = dict(self.lines)
        lines.pop(vehicle_id, None)
        if line is not None and line.calls:
            lines[vehicle_id] = line
        return replace(self, lines=lines)

    def where(self, uid: str) -> tuple[int, Call] | None:
        """The truck and the stop of a public id."""
        for vehicle_id, line in self.lines.items():
            for call in line.calls:
                if call.uid == uid:
                    return vehicle_id, call
        return None

    def truck_of(self, load: Lot) -> int | None:
        """The truck that carries a lot."""
        return next((v for v, line in self.lines.items() if any(c.load == load for c in line.calls)), None)

    def deliveries(self) -> set[int]:
        """Every delivery the plan knows, carried or left."""
        carried = {call.delivery_id for line in self.lines.values() for call in line.calls}
        return carried | {item.delivery_id for item in self.left}

    def lots(self) -> dict[Lot, int]:
        """Every lot with the number of lots its delivery goes in."""
        found = {call.load: call.lots for line in self.lines.values() for call in line.calls}
        return found | {item.load: item.lots for item in self.left}

    def loads_of(self, delivery_id: int) -> list[Lot]:
        """The lots of a delivery in order."""
        return sorted(load for load in self.lots() if load[0] == delivery_id)


def as_json(sheet: Sheet) -> dict[str, Any]:
    """The sheet as one flat object, a key for each truck and one for what is left; JSON values only."""
    found: dict[str, Any] = {
        str(vehicle_id): {
            "route": line.route,
            "courier": line.courier_id,
            "calls": [[c.uid, c.kind, c.delivery_id, c.lot, c.lots, c.locked] for c in line.calls],
        }
        for vehicle_id, line in sheet.lines.items()
    }
    found["left"] = [[i.delivery_id, i.lot, i.lots, i.reason, dict(i.context)] for i in sheet.left]
    return found


def from_json(found: Mapping[str, Any]) -> Sheet:
    """The sheet that `as_json` has written."""
    lines = {
        int(key): Line(value["route"], value["courier"], tuple(Call(*call) for call in value["calls"]))
        for key, value in found.items()
        if key != "left"
    }
    return Sheet(lines, tuple(Left(*item) for item in found["left"]))


def difference(before: Sheet, after: Sheet) -> tuple[dict[str, Any], dict[str, Any]]:
    """What changed, as (how it was, how it is) by key; a truck without a route is None."""
    old, new = as_json(before), as_json(after)
    keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return {key: old.get(key) for key in keys}, {key: new.get(key) for key in keys}


def patched(sheet: Sheet, values: Mapping[str, Any]) -> Sheet:
    """The sheet with these keys put back."""
    whole = as_json(sheet) | dict(values)
    return from_json({key: value for key, value in whole.items() if value is not None})


def left_as_json(left: tuple[Left, ...]) -> list[dict[str, Any]]:
    """What is left in the form that `route_plan.unassigned` has: lot and lots only where there are several."""
    return [
        {
            "delivery_id": item.delivery_id,
            "reason": item.reason,
            "context": dict(item.context) | ({"lot": item.lot, "lots": item.lots} if item.lots > 1 else {}),
        }
        for item in left
    ]


def left_from_json(items: list[dict[str, Any]]) -> tuple[Left, ...]:
    """What `route_plan.unassigned` says."""
    found = []
    for item in items:
        context = dict(item.get("context", {}))
        lot, lots = int(context.pop("lot", 1)), int(context.pop("lots", 1))
        found.append(Left(item["delivery_id"], lot, lots, item["reason"], context))
    return tuple(found)
