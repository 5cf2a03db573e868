"""Pure decisions of carrying: which state follows which, what a stop allows, who can carry what, when a truck comes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.core import clock
from app.core.errors import Conflict, FieldError, Invalid
from app.core.machine import machine

DELIVERY = machine(
    "delivery",
    {
        "waiting": "ready cancelled",
        "ready": "planned cancelled",
        "planned": "ready handed_over cancelled",
        "handed_over": "in_transit failed",
        "in_transit": "delivered partially_delivered failed",
        "delivered": "",
        "partially_delivered": "returning",
        "failed": "returning",
        "returning": "returned",
        "returned": "",
        "cancelled": "",
    },
)

ON_THE_WAY = frozenset({"handed_over", "in_transit"})
"""States in which the buyer may follow the truck."""
OVER = frozenset({"delivered", "partially_delivered", "failed", "returning", "returned", "cancelled"})
PLANNABLE = ("ready", "planned")

FAIL_REASONS = ("nobody_there", "no_access", "cannot_unload", "damaged", "refused", "not_at_warehouse", "too_late")
"""Why a stop failed: a closed list, worded in app/texts/logistics.py."""
SHORT_REASONS = ("torn", "not_loaded", "refused", "wrong_goods", "no_room")
"""Why less was handed over than is written in the waybill."""

PIN_TRIES = 3
EQUIPMENT = ("crane", "tail_lift")
WINDOWS = ((9 * 60, 14 * 60), (14 * 60, 18 * 60), (9 * 60, 18 * 60))
"""Windows that checkout sells, minutes from midnight."""
CUT_OFF = 12 * 60
"""After this minute of the day a new order starts to count from the next day."""
HEAD_START = timedelta(hours=2)
"""A window of today is offered while it begins at least this far ahead."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an action makes of a stop; `repeated`: it was done before and nothing changes."""

    state: str
    repeated: bool = False


_ACTIONS: dict[tuple[str, str], tuple[frozenset[str], str]] = {
    ("pickup", "arrive"): (frozenset({"planned"}), "arrived"),
    ("pickup", "complete"): (frozenset({"planned", "arrived"}), "done"),
    ("pickup", "fail"): (frozenset({"planned", "arrived"}), "failed"),
    ("drop", "arrive"): (frozenset({"planned"}), "arrived"),
    ("drop", "unloading"): (frozenset({"planned", "arrived"}), "unloading"),
    ("drop", "complete"): (frozenset({"planned", "arrived", "unloading"}), "done"),
    ("drop", "fail"): (frozenset({"planned", "arrived", "unloading"}), "failed"),
}
_RANK = {"planned": 0, "arrived": 1, "unloading": 2, "done": 3}


def step(kind: str, state: str, action: str) -> Step:
    """The state of a stop after an action; a repeated tap of the same action changes nothing.

    Raises:
        Conflict: `stop_state`: the action has no place in this state (for example a stop that has failed).
    """
    allowed, after = _ACTIONS.get((kind, action), (frozenset(), ""))
    if state in allowed:
        return Step(after)
    repeated = state == after or (after in _RANK and state in _RANK and _RANK[state] > _RANK[after] and after != "done")
    if repeated:
        return Step(state, repeated=True)
    raise Conflict("stop_state", state=state, action=action)


def next_action(kind: str, state: str) -> str | None:
    """The one main action of a stop on the courier's screen; None when the stop is over."""
    if state == "planned":
        return "arrive"
    if kind == "drop" and state == "arrived":
        return "unloading"
    return "complete" if state in ("arrived", "unloading") else None


def needs_of(site: Mapping[str, Any]) -> list[str]:
    """The equipment a truck must bring to this site."""
    wanted = site.get("unloading")
    return [str(wanted)] if wanted in EQUIPMENT else []


@dataclass(frozen=True, slots=True)
class WrongPin:
    """The PIN does not open the door; `left` tries remain."""

    left: int


@dataclass(frozen=True, slots=True)
class Truck:
    """What of a vehicle decides whether it can go."""

    payload_kg: int
    volume_l: int
    longest_mm: int
    gross_mass_kg: int
    height_mm: int
    has_crane: bool
    has_tail_lift: bool


def refusal(truck: Truck, site: Mapping[str, Any], longest_mm: int) -> str | None:
    """Why this truck cannot serve the site at all (mass and volume may go in several trips), or None."""
    if longest_mm > truck.longest_mm:
        return "too_long"
    if site.get("max_vehicle_kg") and truck.gross_mass_kg > int(site["max_vehicle_kg"]):
        return "site_mass_limit"
    if site.get("max_height_mm") and truck.height_mm > int(site["max_height_mm"]):
        return "site_height_limit"
    needs = needs_of(site)
    if "crane" in needs and not truck.has_crane:
        return "no_crane"
    if "tail_lift" in needs and not truck.has_tail_lift:
        return "no_tail_lift"
    return None


def lots_of(mass_kg: int, volume_l: int, payload_kg: int, volume_capacity_l: int) -> int:
    """In how many lots a load goes when the largest fitting truck takes this much."""
    return max(1, math.ceil(mass_kg / payload_kg), math.ceil(volume_l / volume_capacity_l))


def share(whole: int, lots: int, lot: int) -> int:
    """The part of lot 1..lots of a whole number; the parts sum to the whole."""
    return whole // lots + (1 if lot <= whole % lots else 0)


@dataclass(frozen=True, slots=True)
class Window:
    """A delivery window of a day."""

    day: date
    from_minute: int
    to_minute: int

    @property
    def code(self) -> str:
        """`9-14` or `9:30-14`: what forms and the API send."""
        return f"{_hour(self.from_minute)}-{_hour(self.to_minute)}"

    @property
    def starts_at(self) -> datetime:
        return clock.at(self.day, self.from_minute)

    @property
    def ends_at(self) -> datetime:
        return clock.at(self.day, self.to_minute)


def _hour(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}" if minute % 60 else str(minute // 60)


def windows(day: date, now: datetime) -> tuple[Window, ...]:
    """The windows of a day that can still be sold; none for a day that is over."""
    all_of_day = (Window(day, start, end) for start, end in WINDOWS)
    return tuple(w for w in all_of_day if w.starts_at >= now + HEAD_START)


def earliest_day(lead_time_days: int, now: datetime) -> date:
    """The first day that can be promised: lead time counted from today, from tomorrow after the cut-off."""
    here = clock.local(now)
    late = here.hour * 60 + here.minute >= CUT_OFF
    day = here.date() + timedelta(days=lead_time_days + (1 if late else 0))
    return day if windows(day, now) else day + timedelta(days=1)


def waybill(cargo: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The cargo with its quantities as numbers, for people to read."""
    return [{**item, "quantity": Decimal(str(item["quantity"])), "loaded": loaded_of(item)} for item in cargo]


@dataclass(frozen=True, slots=True)
class CountedLine:
    """A line of the waybill and what was handed over, in the unit of sale and in the base unit."""

    line: str
    delivered: Decimal
    delivered_base: Decimal
    short: bool
    reason: str = ""

    def as_json(self) -> dict[str, str]:
        return {
            "line": self.line,
            "delivered": format(self.delivered, "f"),
            "delivered_base": format(self.delivered_base, "f"),
            "reason": self.reason,
        }


def count_lines(
    cargo: Sequence[Mapping[str, Any]],
    counted: Mapping[str, Decimal],
    reason: str = "",
    reasons: Mapping[str, str] | None = None,
    *,
    loading: bool = False,
) -> list[CountedLine]:
    """What was handed over of each line of the cargo; a line not counted was handed over as it was loaded.

    Loading is counted against the waybill; the door against what was loaded (`loaded`, `load_reason` of a line of the
    cargo). A line that was loaded short stays short at the door, for the reason told at the warehouse.

    Args:
        reason: why less, for lines without a reason of their own in `reasons`.
        loading: at the warehouse.

    Raises:
        Invalid: an unknown line, a number below zero or above the waybill, less without a reason, nothing at all.
    """
    errors: list[FieldError] = []
    known = {str(item["line"]) for item in cargo}
    errors += [FieldError(f"/lines/{line}", "unknown_line") for line in counted if line not in known]
    found: list[CountedLine] = []
    for item in cargo:
        line, whole = str(item["line"]), Decimal(str(item["quantity"]))
        most = whole if loading else loaded_of(item)
        given = counted.get(line, most)
        if not 0 <= given <= most:
            errors.append(FieldError(f"/lines/{line}", "counted_out_of_range", {"minimum": 0, "maximum": str(most)}))
            continue
        own = (reasons or {}).get(line) or reason
        found.append(_counted(item, line, given, whole, own if given < most else str(item.get("load_reason", ""))))
    told = [reason, *(reasons or {}).values()]
    if any(one and one not in SHORT_REASONS for one in told):
        errors.append(FieldError("/reason", "unknown_option"))
    if any(one.short and not one.reason for one in found):
        errors.append(FieldError("/reason", "reason_for_less"))
    if found and not any(one.delivered for one in found) and not errors:
        errors.append(FieldError("/lines", "nothing_delivered"))
    if errors:
        raise Invalid(errors)
    return found


def loaded_of(item: Mapping[str, Any]) -> Decimal:
    """How much of a line of the cargo is on the truck; the waybill's quantity until it was counted."""
    return Decimal(str(item.get("loaded", item["quantity"])))


def _counted(item: Mapping[str, Any], line: str, given: Decimal, whole: Decimal, reason: str) -> CountedLine:
    base = Decimal(str(item["quantity_base"]))
    exact = Fraction(base) * Fraction(given) / Fraction(whole) if whole else Fraction(0)
    scaled = Decimal(exact.numerator) / Decimal(exact.denominator)
    short = given < whole
    return CountedLine(line, given, scaled.quantize(Decimal("0.000001")), short, reason if short else "")


def outcome_of(lines: Sequence[CountedLine]) -> str:
    """`delivered` when every line is whole, else `partially_delivered`."""
    return "partially_delivered" if any(line.short for line in lines) else "delivered"


@dataclass(frozen=True, slots=True)
class Timing:
    """The plan of one stop: when the truck should come and go, and when the buyer's window opens (None: no window)."""

    arrival: datetime
    departure: datetime
    opens: datetime | None = None

    def leaves(self, arrival: datetime) -> datetime:
        """When the truck goes on after this arrival: it waits for the window, then works as long as planned."""
        start = self.arrival if self.opens is None else max(self.arrival, self.opens)
        begins = arrival if self.opens is None else max(arrival, self.opens)
        return begins + (self.departure - start)


def etas(before: Timing, leaves: datetime, ahead: Sequence[Timing]) -> list[datetime]:
    """Expected moments of the stops ahead when the truck leaves the stop before them at `leaves`.

    Driving takes as long as planned; a delay melts where the plan waits for a window. A drop is expected not before its
    window opens, since nothing happens there before.
    """
    found = []
    for timing in ahead:
        arrival = leaves + (timing.arrival - before.departure)
        found.append(arrival if timing.opens is None else max(arrival, timing.opens))
        before, leaves = timing, timing.leaves(arrival)
    return found
