"""What may be chosen for one warehouse of a checkout: carriers with their days, the counter, several deliveries."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal

from app.core import clock
from app.core.errors import NotFound
from app.logistics.options import DeliveryOption
from app.logistics.timetable import DayOf
from app.offers.queries import WarehouseRow
from app.orders import choices, together
from app.orders.checkout import Made, Quote, Wanted, wanted_of, wishes_of
from app.orders.choices import DAYS_AHEAD, PART_DAYS, Asked, Choice, CounterDay, Desk, Part
from app.orders.plan import PlannedTrip, plan_of_cart


@dataclass(frozen=True, slots=True)
class CarrierView:
    """A carrier with its price for the whole load and its days, the ones that come too soon too."""

    option: DeliveryOption
    days: tuple[DayOf, ...]
    part_days: tuple[DayOf, ...]
    """For one of several deliveries."""

    @property
    def soonest(self) -> DayOf | None:
        return next((day for day in self.days if day.free), None)


@dataclass(frozen=True, slots=True)
class GroupView:
    """What may be chosen for the goods of one warehouse, and what is chosen now."""

    key: uuid.UUID
    seller_name: str
    warehouse: WarehouseRow
    trip: PlannedTrip
    carriers: tuple[CarrierView, ...]
    counter: tuple[CounterDay, ...]
    choice: Choice

    def carrier(self, option: uuid.UUID | None) -> CarrierView | None:
        """The carrier of an option, the cheapest without one."""
        return next((one for one in self.carriers if option in (None, one.option.public_id)), None)


def groups(quote: Quote) -> list[GroupView]:
    """What may be chosen for each warehouse of a quote."""
    wanted, desk = _desk(quote)
    return [_group(desk, trip, wanted) for trip in desk.plan.trips]


def _desk(quote: Quote) -> tuple[Wanted, Desk]:
    wanted = wanted_of(quote.payload)
    if isinstance(quote, Made):
        return wanted, quote.desk
    plan = plan_of_cart(wishes_of(quote.cart_id), wanted.site, wanted.day or clock.today(), wanted.deal)
    return wanted, Desk(plan, Asked(wanted.site, wanted.deal, wanted.day, wanted.window))


def truck_days(quote: Quote) -> list[DayOf]:
    """When the common truck of a quote may come; nothing when there is none."""
    if not quote.payload.get("is_joint"):
        return []
    wanted, desk = _desk(quote)
    found = together.look(desk, wanted.choices)
    return together.days(desk, found) if found and found.joint else []


def group(quote: Quote, key: uuid.UUID) -> GroupView:
    """What may be chosen for one warehouse of a quote.

    Raises:
        NotFound: it sends nothing of this purchase.
    """
    found = next((one for one in groups(quote) if one.key == key), None)
    if found is None:
        raise NotFound()
    return found


def _group(desk: Desk, trip: PlannedTrip, wanted: Wanted) -> GroupView:
    place, earliest, today = trip.warehouse, choices.earliest_of(trip), clock.today()
    count = (earliest - today).days + DAYS_AHEAD
    carriers = []
    for option in trip.options:
        table = desk.table(option.carrier_id)
        days = table.days(choices.load_kg(trip), earliest, today, count, desk.now)
        later = table.days(0, earliest, earliest, PART_DAYS, desk.now)
        carriers.append(CarrierView(option, tuple(days), tuple(later)))
    counter = choices.counter_days(place, choices.lead_of(trip), desk.now) if place.allows_pickup else []
    chosen = wanted.choices.get(place.public_id, Choice(day=wanted.day, window=wanted.window))
    return GroupView(place.public_id, trip.seller_name, place, trip, tuple(carriers), tuple(counter), chosen)


def even_parts(trip: PlannedTrip, number: int, days: Sequence[DayOf]) -> tuple[Part, ...]:
    """So many deliveries of about the same size a week apart, to begin with; the last takes what is left."""
    quantities: list[dict[uuid.UUID, Decimal]] = [{} for _part in range(number)]
    for piece in trip.pieces:
        step, left = piece.line.offer.step, piece.quantity
        share = (piece.quantity / number / step).to_integral_value(ROUND_FLOOR) * step
        for index, own in enumerate(quantities):
            own[piece.line.public_id] = left if index == number - 1 else share
            left -= share
    return tuple(Part(own, *_about(days, index)) for index, own in enumerate(quantities))


def _about(days: Sequence[DayOf], week: int) -> tuple[date | None, str]:
    """The first free window so many weeks after the first day."""
    since = days[0].day + timedelta(days=7 * week) if days else clock.today()
    free = next((day for day in days if day.day >= since and day.free), None)
    return (free.day, free.free[0].window.code) if free else (None, "")
