"""How a purchase comes: for each warehouse of a seller by which carrier and when, in how many trips, or fetched."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.core import clock
from app.core.errors import Conflict, FieldError, Invalid
from app.logistics import options as carriage
from app.logistics import queries as logistics
from app.logistics.options import Carriers, DeliveryOption
from app.logistics.rules import Window
from app.logistics.timetable import DayOf, Offered, Timetable, next_free, timetables
from app.offers.queries import WarehouseRow
from app.orders import rules
from app.orders.plan import Deal, Plan, PlannedPiece, PlannedTrip, offered

DAYS_AHEAD = 14
"""Days that may be chosen, from the earliest."""
PART_DAYS = 30
"""Days that one of several deliveries may be put on."""
MOST_PARTS = 6
SHORTEST = timedelta(minutes=30)
"""A day on which less is left until the counter closes is not offered for fetching."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of several dated deliveries: line of the cart -> units of sale. No day: the earliest."""

    quantities: Mapping[uuid.UUID, Decimal]
    day: date | None = None
    window: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a buyer chose for a warehouse; nothing named: the cheapest carrier that is free soonest.

    `option`: the tariff that a `DeliveryOption` names; `receiver`: who fetches, if not the contact of the purchase.
    """

    method: str = "courier"
    option: uuid.UUID | None = None
    day: date | None = None
    window: str = ""
    receiver: str = ""
    parts: tuple[Part, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As a checkout's quote keeps it."""
        return {
            "method": self.method,
            "option": str(self.option) if self.option else None,
            "day": self.day.isoformat() if self.day else None,
            "window": self.window,
            "receiver": self.receiver,
            "parts": [
                {
                    "day": part.day.isoformat() if part.day else None,
                    "window": part.window,
                    "lines": {str(line): f"{units:f}" for line, units in part.quantities.items()},
                }
                for part in self.parts
            ],
        }


def soonest(choice: Choice | None) -> Choice:
    """The same way to come, at the first time that is free."""
    kept_way = choice or Choice()
    parts = tuple(replace(part, day=None, window="") for part in kept_way.parts)
    return replace(kept_way, day=None, window="", parts=parts)


def is_soonest(choice: Choice | None) -> bool:
    """Whether a choice names no time, so that nothing sooner or later can be tried."""
    return choice is not None and choice == soonest(choice)


Choices = Mapping[uuid.UUID, Choice]
"""By outward id of the warehouse."""


def kept(payload: Mapping[str, Any], since: date | None = None) -> dict[uuid.UUID, Choice]:
    """The choices that a quote was made with; a day before `since` is the earliest again."""
    return {uuid.UUID(key): _kept(one, since) for key, one in payload.get("choices", {}).items()}


def _kept(one: Mapping[str, Any], since: date | None) -> Choice:
    parts = tuple(
        Part({uuid.UUID(k): Decimal(v) for k, v in part["lines"].items()}, _day(part["day"], since), part["window"])
        for part in one["parts"]
    )
    option = uuid.UUID(one["option"]) if one["option"] else None
    return Choice(one["method"], option, _day(one["day"], since), one["window"], one["receiver"], parts)


def _day(text: str | None, since: date | None) -> date | None:
    day = date.fromisoformat(text) if text else None
    return None if day and since and day < since else day


@dataclass(frozen=True, slots=True)
class Arrival:
    """A trip with how and when it comes. `trip.delivery` is the carrier chosen, None when it is fetched."""

    trip: PlannedTrip
    method: str
    starts_at: datetime
    ends_at: datetime
    window: str
    receiver: str = ""
    part: int = 1
    parts: int = 1
    is_joint: bool = False
    """On one truck with other trips."""

    @property
    def day(self) -> date:
        return clock.local(self.starts_at).date()


@dataclass(frozen=True, slots=True)
class Asked:
    """What decides how a plan comes, beside the choices: where to, the deal, the day and window for everything."""

    site: Mapping[str, Any]
    deal: Deal | None
    day: date | None
    window: str


@dataclass(slots=True)
class Desk:
    """What is known while a plan is settled; timetables are read once, carriers only when goods are split."""

    plan: Plan
    asked: Asked
    now: datetime = field(default_factory=clock.now)
    _tables: dict[int, Timetable] | None = None
    _carriers: Carriers | None = None

    @property
    def earliest(self) -> date:
        """The first day for everything at once."""
        return logistics.earliest_day(self.plan.lead_time_days)

    def table(self, carrier_id: int) -> Timetable:
        """The windows of a carrier that serves one of the trips."""
        if self._tables is None:
            known = {option.carrier_id for trip in self.plan.trips for option in trip.options}
            until = self.earliest + timedelta(days=PART_DAYS)
            self._tables = timetables(known, clock.today(), until)
        return self._tables.get(carrier_id, Timetable())

    def reckon(self, carrier_id: int, window: Window, kg: int) -> None:
        """A trip of this purchase comes then: the next one finds one place less."""
        table = self.table(carrier_id)
        places, sum_kg = table.sold.get(span := (window.starts_at, window.ends_at), (0, 0))
        assert self._tables is not None  # read by `table`
        self._tables[carrier_id] = replace(table, sold={**table.sold, span: (places + 1, sum_kg + kg)})

    @property
    def carriers(self) -> Carriers:
        if self._carriers is None:
            places = {trip.warehouse.id for trip in self.plan.trips}
            self._carriers = carriage.carriers(places, self.asked.day or clock.today())
        return self._carriers

    def days(self, trip: PlannedTrip, option: DeliveryOption, earliest: date, count: int = DAYS_AHEAD) -> list[DayOf]:
        """The days from `earliest` on, as the load of a trip sees them with a carrier."""
        return self.table(option.carrier_id).days(load_kg(trip), earliest, earliest, count, self.now)


def load_kg(trip: PlannedTrip) -> int:
    """Whole kilograms of a trip, rounded up."""
    return -int(-trip.mass_kg // 1)


def earliest_of(trip: PlannedTrip) -> date:
    """The first day for the goods of one trip."""
    return logistics.earliest_day(max(piece.line.offer.lead_time_days for piece in trip.pieces))


def settle(desk: Desk, choices: Choices, on_one_truck: Sequence[Arrival] = ()) -> list[Arrival]:
    """Every trip with its carrier and window, or its time at the counter.

    Args:
        on_one_truck: what comes together already.

    Raises:
        Invalid: a warehouse, carrier, day or window that is not there; parts that do not sum; no pickup here.
        Conflict: `no_carrier`, or `slot_full` with reason, group, seller, day, window and the `next` free windows.
    """
    known = {trip.warehouse.public_id for trip in desk.plan.trips}
    strangers = [FieldError(f"/deliveries/{key}", "unknown_option") for key in choices if key not in known]
    if strangers:
        raise Invalid(strangers)
    asked, found = desk.asked, list[Arrival]()
    together = {one.trip.warehouse.public_id: one for one in on_one_truck}
    for trip in desk.plan.trips:
        choice = choices.get(trip.warehouse.public_id)
        if trip.warehouse.public_id in together:
            found.append(together[trip.warehouse.public_id])
        elif choice is None:
            found.append(_carried(desk, trip, Choice(day=asked.day, window=asked.window), desk.earliest))
        elif choice.method == "pickup":
            found.append(_fetched(desk, trip, choice))
        elif choice.parts:
            found += _in_parts(desk, trip, choice)
        else:
            found.append(_carried(desk, trip, choice, earliest_of(trip)))
    return found


def _carried(desk: Desk, trip: PlannedTrip, choice: Choice, earliest: date, count: int = DAYS_AHEAD) -> Arrival:
    key = trip.warehouse.public_id
    if not trip.options:
        raise Conflict(
            "no_carrier", reason=trip.no_carrier, seller=trip.seller_name, group=str(key),
            pickup=trip.warehouse.allows_pickup,
        )  # fmt: skip
    options = [one for one in trip.options if choice.option in (None, one.public_id)]
    if not options:
        raise Invalid.one(f"/deliveries/{key}/option", "unknown_option")
    check_day(choice.day, earliest, count)
    for option in options:
        window = pick(desk.days(trip, option, earliest, count), choice.day, choice.window)
        if window is not None:
            chosen = replace(trip, delivery=option, distance_m=option.distance_m)
            at = window.window
            desk.reckon(option.carrier_id, at, load_kg(trip))
            return Arrival(chosen, "courier", at.starts_at, at.ends_at, at.code)
    raise _refusal(trip, choice, [desk.days(trip, option, earliest, count) for option in options])


def check_day(day: date | None, earliest: date, count: int = DAYS_AHEAD) -> None:
    """Refuse a day that cannot be chosen.

    Raises:
        Invalid: `day_out_of_range`.
    """
    last = earliest + timedelta(days=count - 1)
    if day is not None and not earliest <= day <= last:
        raise Invalid.one("/slot/day", "day_out_of_range", minimum=earliest.isoformat(), maximum=last.isoformat())


def pick(days: Sequence[DayOf], day: date | None, window: str) -> Offered | None:
    """The first free window, of that day and code when they are named."""
    wanted = (one for each in days if day in (None, each.day) for one in each.free)
    return next((one for one in wanted if window in ("", one.window.code)), None)


def _refusal(trip: PlannedTrip, choice: Choice, calendars: list[list[DayOf]]) -> Conflict | Invalid:
    """Why no carrier can come then: every window is taken, or there is no such window."""
    seen = [each for days in calendars for each in days if choice.day in (None, each.day)]
    is_known = any(choice.window in ("", one.window.code) for each in seen for one in each.windows)
    if choice.window and not is_known and any(each.windows for each in seen):
        return Invalid.one("/slot/window", "unknown_option")
    return Conflict(
        "slot_full", reason=seen[0].why or "full", group=str(trip.warehouse.public_id), seller=trip.seller_name,
        day=choice.day.isoformat() if choice.day else None, window=choice.window, next=next_free(calendars[0]),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CounterDay:
    """A day on which goods may be fetched."""

    day: date
    starts_at: datetime
    ends_at: datetime


def counter_days(place: WarehouseRow, lead_time_days: int, now: datetime, count: int = DAYS_AHEAD) -> list[CounterDay]:
    """When goods may be fetched: in the opening hours, from when they are ready (on whole hours) on.

    Goods with a lead time are ready so many days later, `pickup_after_hours` after opening.
    """
    today = clock.local(now).date()
    begins = now if not lead_time_days else clock.at(today + timedelta(days=lead_time_days), place.opens_at)
    ready = begins + timedelta(hours=place.pickup_after_hours)
    if ready > (hour := ready.replace(minute=0, second=0, microsecond=0)):
        ready = hour + timedelta(hours=1)
    found = []
    for n in range(count):
        day = clock.local(ready).date() + timedelta(days=n)
        opens, closes = clock.at(day, place.opens_at), clock.at(day, min(place.closes_at, 1439))
        starts = max(opens, ready)
        if day.isoweekday() in place.work_days and closes - starts >= SHORTEST:
            found.append(CounterDay(day, starts, closes))
    return found


def lead_of(trip: PlannedTrip) -> int:
    """Days until the seller has all goods of a trip."""
    return max(piece.line.offer.lead_time_days for piece in trip.pieces)


def _fetched(desk: Desk, trip: PlannedTrip, choice: Choice) -> Arrival:
    pointer = f"/deliveries/{trip.warehouse.public_id}"
    if not trip.warehouse.allows_pickup:
        raise Invalid.one(f"{pointer}/method", "no_pickup_here")
    if choice.parts:
        raise Invalid.one(f"{pointer}/parts", "pickup_in_one_go")
    if len(choice.receiver) > 120:
        raise Invalid.one(f"{pointer}/receiver", "too_long", maximum=120)
    days = counter_days(trip.warehouse, lead_of(trip), desk.now)
    day = next((one for one in days if choice.day in (None, one.day)), None)
    if day is None:
        raise Invalid.one(f"{pointer}/day", "unknown_option")
    own = replace(trip, delivery=None, no_carrier="")
    code = f"{clock.local(day.starts_at):%H:%M}-{clock.local(day.ends_at):%H:%M}"
    return Arrival(own, "pickup", day.starts_at, day.ends_at, code, choice.receiver.strip())


def _in_parts(desk: Desk, trip: PlannedTrip, choice: Choice) -> list[Arrival]:
    """Several deliveries of one trip, each priced by itself."""
    loads = split(trip, choice.parts)
    found = []
    for number, (load, part) in enumerate(zip(loads, choice.parts, strict=True), 1):
        options, refusal = offered(load, desk.asked.site, desk.carriers, desk.asked.deal)
        priced = replace(load, options=options, no_carrier=refusal, delivery=None)
        own = Choice("courier", choice.option, part.day, part.window)
        arrival = _carried(desk, priced, own, earliest_of(load), PART_DAYS)
        found.append(replace(arrival, part=number, parts=len(loads)))
    return found


def split(trip: PlannedTrip, parts: Sequence[Part]) -> list[PlannedTrip]:
    """The loads of several deliveries; quantities and money of each line sum to the line.

    Raises:
        Invalid: one part or too many, an empty one, no whole steps, or quantities that do not sum to what is sent.
    """
    pointer = f"/deliveries/{trip.warehouse.public_id}/parts"
    if not 2 <= len(parts) <= MOST_PARTS:
        raise Invalid.one(pointer, "out_of_range", minimum=2, maximum=MOST_PARTS)
    errors = []
    loads: list[list[PlannedPiece]] = [[] for _part in parts]
    known = {piece.line.public_id for piece in trip.pieces}
    for number, part in enumerate(parts):
        errors += [
            FieldError(f"{pointer}/{number}/{key}", "unknown_order_line") for key in part.quantities.keys() - known
        ]
    for piece in trip.pieces:
        units = [part.quantities.get(piece.line.public_id, Decimal(0)) for part in parts]
        errors += _wrong_units(piece, units, pointer)
        if errors:
            continue
        for load, own, gross in zip(loads, units, rules.shares(piece.gross, units), strict=True):
            if own:
                load.append(PlannedPiece(piece.line, own, gross))
    if not errors:
        errors = [FieldError(f"{pointer}/{n}", "part_empty") for n, load in enumerate(loads) if not load]
    if errors:
        raise Invalid(errors)
    return [replace(trip, pieces=tuple(load)) for load in loads]


def _wrong_units(piece: PlannedPiece, units: Sequence[Decimal], pointer: str) -> list[FieldError]:
    step, line = piece.line.offer.step, piece.line.public_id
    for number, own in enumerate(units):
        if not own.is_finite() or own < 0 or own > piece.quantity:
            most = f"{piece.quantity.normalize():f}"
            return [FieldError(f"{pointer}/{number}/{line}", "counted_range", {"maximum": most})]
        # a warehouse may send what is no whole number of steps; then the last part of it need not be one either
        if own % step and not piece.quantity % step:
            return [FieldError(f"{pointer}/{number}/{line}", "quantity_step", {"step": f"{step.normalize():f}"})]
    total = sum(units, Decimal(0))
    if total != piece.quantity:
        context = {"given": f"{total.normalize():f}", "wanted": f"{piece.quantity.normalize():f}"}
        return [FieldError(f"{pointer}/0/{line}", "parts_do_not_sum", context)]
    return []
