"""Everything of a purchase by one truck: whether it can be, what it costs against separate trips, and when it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app.core.errors import Conflict
from app.logistics import joint as carriage
from app.logistics.joint import Joint, Load
from app.logistics.options import Cargo, DeliveryOption
from app.logistics.tariffs import PriceLine
from app.logistics.timetable import DayOf, next_free
from app.orders.choices import DAYS_AHEAD, Arrival, Choice, Choices, Desk, check_day, load_kg, pick
from app.orders.plan import PlannedTrip


@dataclass(frozen=True, slots=True)
class Together:
    """What one truck would do for these trips; `refused`: why it cannot; `separate`: what they cost by themselves."""

    trips: tuple[PlannedTrip, ...]
    joint: Joint | None
    refused: str
    separate: int

    @property
    def kg(self) -> int:
        return sum(load_kg(trip) for trip in self.trips)

    def as_json(self) -> dict[str, Any]:
        """As a checkout's quote keeps and shows it."""
        if self.joint is None:
            return {"refused": self.refused, "separate": self.separate}
        return {
            "refused": "",
            "price": self.joint.price,
            "separate": self.separate,
            "carrier_id": self.joint.carrier_id,
            "carrier_name": self.joint.carrier_name,
            "tariff_id": self.joint.tariff_id,
            "distance_m": self.joint.distance_m,
            "kg": self.kg,
            "lines": [line.as_json() for line in self.joint.lines],
            "shares": [
                {"group": str(trip.warehouse.public_id), "seller_name": trip.seller_name, "amount": share}
                for trip, share in zip(self.trips, self.joint.shares, strict=True)
            ],
        }


def look(desk: Desk, chosen: Choices) -> Together | None:
    """What one truck would do for everything that is brought in one go; None when that is fewer than two trips."""
    trips = tuple(trip for trip in desk.plan.trips if _is_whole(chosen.get(trip.warehouse.public_id)))
    if len(trips) < 2 or desk.asked.deal is not None:
        return None
    own = [_own_price(trip, chosen.get(trip.warehouse.public_id)) for trip in trips]
    loads = [Load(trip.warehouse, Cargo(trip.mass_kg, trip.volume_m3, trip.length_mm)) for trip in trips]
    try:
        return Together(trips, carriage.joint(desk.carriers, loads, desk.asked.site), "", sum(own))
    except Conflict as refusal:
        return Together(trips, None, str(refusal.context["reason"]), sum(own))


def _is_whole(choice: Choice | None) -> bool:
    return choice is None or (choice.method == "courier" and not choice.parts)


def _own_price(trip: PlannedTrip, choice: Choice | None) -> int:
    wanted = choice.option if choice else None
    return next((one.price for one in trip.options if wanted in (None, one.public_id)), 0)


def days(desk: Desk, together: Together) -> list[DayOf]:
    """The days on which the truck may come."""
    assert together.joint is not None  # asked only of what can be
    table = desk.table(together.joint.carrier_id)
    return table.days(together.kg, desk.earliest, desk.earliest, DAYS_AHEAD, desk.now)


def arrivals(desk: Desk, together: Together | None) -> list[Arrival]:
    """The trips on the truck, each with its share of the price.

    Raises:
        Conflict: `no_joint` with `reason`; `slot_full` with the `next` free windows.
        Invalid: a day out of range.
    """
    if together is None or together.joint is None:
        raise Conflict("no_joint", reason=together.refused if together else "one_warehouse")
    day, window = desk.asked.day, desk.asked.window
    check_day(day, desk.earliest)
    free = days(desk, together)
    found = pick(free, day, window)
    if found is None:
        raise Conflict("slot_full", reason=_why(free, day), group="", day=day.isoformat() if day else None,
                       window=window, next=next_free(free))  # fmt: skip
    at = found.window
    desk.reckon(together.joint.carrier_id, at, together.kg)
    return [
        Arrival(_shared(trip, together.joint, index), "courier", at.starts_at, at.ends_at, at.code, is_joint=True)
        for index, trip in enumerate(together.trips)
    ]


def _why(free: Sequence[DayOf], day: date | None) -> str:
    return next((one.why for one in free if day in (None, one.day)), "") or "full"


def _shared(trip: PlannedTrip, joint: Joint, index: int) -> PlannedTrip:
    share, metres = joint.shares[index], joint.distances[index]
    context = {"of": joint.price, "km": round(metres / 1000, 1), "kg": load_kg(trip)}
    option = DeliveryOption(
        joint.carrier_id, joint.carrier_name, joint.tariff_id, joint.public_id, share,
        (PriceLine("joint_share", share, context),), 1, metres, 0, False,
    )  # fmt: skip
    return replace(trip, delivery=option, distance_m=metres, no_carrier="")
