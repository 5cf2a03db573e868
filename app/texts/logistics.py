"""What people read for codes of carrying: refusals, reasons, lines of a price, events of a delivery."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext, ngettext  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _

ERRORS = {
    "no_carrier": _("No carrier can bring this order."),
    "delivery_state": _("The delivery has moved on meanwhile. Look at its present state."),
    "stop_state": _("The stop has moved on meanwhile. Look at its present state."),
    "route_not_started": _("Start the route first."),
    "not_loaded": _("The goods of this stop are not loaded yet."),
    "other_route_started": _("You are on another route. Finish it first."),
    "pin_wrong": _("Wrong PIN. Tries left: %(left)s."),
    "pin_needed": _("Ask the buyer for the PIN, four digits."),
    "pin_locked": _("Three wrong PINs. Call the dispatcher: only the dispatcher can let you try again."),
    "unknown_line": _("There is no such line in the waybill."),
    "counted_out_of_range": _("From %(minimum)s to %(maximum)s."),
    "reason_for_less": _("Say why less is handed over."),
    "nothing_delivered": _("Nothing is handed over: use “Problem” instead."),
    "plan_superseded": _("A newer plan has replaced this one."),
    "routes_under_way": _("A truck of the published plan is on its route. Its stops cannot be moved any more."),
    "plan_not_published": _("Only a published plan can be planned again from where its trucks are."),
    "plan_outdated": _("The trucks have gone on since this plan was made. Plan the rest again."),
    "planning_under_way": _("Another plan of this day is being made. Wait for it or stop it."),
    "nothing_to_plan": _("Nothing to plan: no delivery of this day is ready."),
    "out_of_range": _("From %(minimum)s to %(maximum)s."),
    "bad_coordinates": _("This is not a place on Earth."),
    "hours_not_in_order": _("The end must be after the beginning, within one day."),
    "days_not_in_order": _("The last day must not be before the first."),
    "shift_overlaps": _("The driver or the truck is busy at that time."),
    "shift_started": _("The shift has begun."),
    "vehicle_known": _("You have a truck with this plate."),
    "courier_known": _("This person drives for you already."),
    "not_a_member": _("The owner of the company must name this person a driver first."),
    "not_a_time": _("A time such as 8:30 is needed."),
    "vehicle_not_checked": _("Check the truck first."),
    "vehicle_forbidden": _("The truck must not drive: it has a defect. The dispatcher knows."),
    "odometer_back": _("The odometer cannot show less than in the morning: %(least)s km."),
    "stop_moved": _("The dispatcher gave this stop to another route."),
    "other_person": _("Another person is signed in on this phone."),
    "foreign_origin": _("This call comes from another site."),
    "defect_named": _("Say what is wrong with it."),
    "not_a_day": _("A day is needed."),
}

FAIL_REASONS = {
    "nobody_there": _("Nobody is there, no answer"),
    "no_access": _("No way in: road, gate"),
    "cannot_unload": _("Nothing to unload with"),
    "damaged": _("The goods are damaged"),
    "refused": _("The buyer refuses"),
    "not_at_warehouse": _("The goods are not at the warehouse"),
    "too_late": _("Too late, no time left"),
}
SHORT_REASONS = {
    "torn": _("Torn or broken"),
    "not_loaded": _("Was not loaded"),
    "refused": _("The buyer refuses"),
    "wrong_goods": _("Other goods than ordered"),
    "no_room": _("Does not fit into the truck"),
}
CHECK_ITEMS = {
    "tyres": _("Tyres and wheels"),
    "brakes": _("Brakes and steering"),
    "lights": _("Lights and signals"),
    "fuel": _("Fuel and oil"),
    "documents": _("Documents and first-aid kit"),
}
"""What a driver looks at before driving."""
TAPS = {
    "check": _("Check of the truck"),
    "start": _("Route started"),
    "arrive": _("On site"),
    "unloading": _("Unloading"),
    "complete": _("Handed over or loaded"),
    "load_all": _("Everything loaded"),
    "fail": _("Not done"),
    "end": _("Shift ended"),
    "photo": _("Photograph"),
}
"""Taps of a courier, in the list of what waits for signal."""
UNLOADING = {
    "self": _("the buyer unloads"),
    "hands": _("carried by hand"),
    "crane": _("crane"),
    "tail_lift": _("tail-lift"),
}
PROBLEMS = {
    "no_coordinates": _("no place on the map"),
    "pin_locked": _("PIN is locked"),
    "failed": _("not delivered"),
    "window_passed": _("the window has passed"),
}
NO_CARRIER = {
    "no_carrier_here": _("No carrier picks up at this warehouse."),
    "no_truck": _("The carrier has no truck now."),
    "too_far": _("Too far for every carrier."),
    "too_long": _("The longest piece fits no truck."),
    "site_mass_limit": _("Every truck is too heavy for the way to the site."),
    "site_height_limit": _("Every truck is too high for the way to the site."),
    "no_crane": _("No carrier here has a crane."),
    "no_tail_lift": _("No carrier here has a tail-lift."),
}
WHAT_HELPS = {
    "no_carrier_here": _("Fetch it where the warehouse allows that, or buy it of another seller."),
    "no_truck": _("Try again later, or buy it of another seller."),
    "too_far": _("Choose a seller nearer to the site."),
    "too_long": _("Choose shorter pieces, or fetch it with a long vehicle of your own."),
    "site_mass_limit": _("Name a place nearby where a heavier truck may stand, or a seller with a lighter one."),
    "site_height_limit": _("Name a place nearby without the height limit."),
    "no_crane": _("Choose another way of unloading, or a seller whose carrier has a crane."),
    "no_tail_lift": _("Choose another way of unloading."),
}
"""What would let a truck come after all."""
EVENTS = {
    "created": _("The delivery is agreed"),
    "ready": _("The goods wait at the warehouse"),
    "planned": _("Put into a route"),
    "arrived_at_warehouse": _("The truck is at the warehouse"),
    "loaded": _("Loaded and counted"),
    "handed_over": _("The courier has the goods"),
    "in_transit": _("The truck is on its way"),
    "arrived": _("The truck is at the site"),
    "unloading": _("Unloading"),
    "handed_to_buyer": _("Counted with the buyer"),
    "handed_over_unconfirmed": _("Handed over without the right PIN"),
    "tap_conflict": _("The courier reported something that no longer fits the plan"),
    "delivered": _("Delivered"),
    "partially_delivered": _("Delivered in part"),
    "failed": _("Not delivered"),
    "stop_failed": _("The courier could not hand over"),
    "pickup_failed": _("Could not be loaded"),
    "cancelled": _("Cancelled"),
    "moved": _("The buyer moved the day"),
    "message": _("The buyer wrote to the driver"),
    "pin_released": _("The dispatcher lets the courier try the PIN again"),
    "returning": _("On the way back"),
    "returned": _("Back at the warehouse"),
    "pin_moved": _("The dispatcher moved the place on the map"),
    "hand_over_offered": _("Offered to another carrier"),
    "hand_over_accepted": _("Another carrier has taken it over"),
    "hand_over_declined": _("The other carrier declined"),
    "hand_over_withdrawn": _("The offer to another carrier was taken back"),
    "hand_over_expired": _("The other carrier did not answer in time"),
}
PRICE_LINES = {
    "base": _("Truck to the door"),
    "distance": _("Beyond the included kilometres"),
    "mass": _("Mass"),
    "volume": _("Volume"),
    "long_piece": _("Long piece"),
    "crane": _("Unloading with a crane"),
    "tail_lift": _("Unloading with a tail-lift"),
    "hands": _("Carrying by hand"),
    "floors": _("Carrying up to the floor"),
    "minimum": _("Up to the smallest price"),
    "zone": _("Truck to the zone “%(zone)s”"),
    "distance_step": _("Truck to the door, up to %(up_to_km)s km"),
    "mass_step": _("Mass, by steps"),
    "waiting": _("Waiting at the site"),
    "extra_pickup": _("Further warehouses on the way"),
    "joint_share": _("Share of the common truck"),
    "included": _("Paid by the seller"),
}


def event(kind: str) -> str:
    """What happened, in words."""
    return str(EVENTS.get(kind, kind))


def fail_reason(code: str) -> str:
    """Why a stop failed or less was handed over."""
    return str(FAIL_REASONS.get(code) or SHORT_REASONS.get(code) or code)


def no_carrier(reason: str) -> str:
    """Why no carrier takes a delivery, and what would help."""
    why = str(NO_CARRIER.get(reason) or ERRORS["no_carrier"])
    return f"{why} {WHAT_HELPS[reason]}" if reason in WHAT_HELPS else why


def price_line(code: str, context: Mapping[str, Any]) -> str:
    """A line of a delivery price with its figures."""
    words = str(PRICE_LINES.get(code, code))
    if code in ("zone", "distance_step"):
        words = words % {"zone": context.get("zone"), "up_to_km": context.get("up_to_km")}
    if code == "waiting":
        words = gettext(
            "%(words)s, %(minutes)s min, of them %(free)s free, %(steps)s × %(step)s min", words=words,
            **{name: context.get(name) for name in ("minutes", "free", "steps", "step")},
        )  # fmt: skip
    trips = int(context.get("trips", 1))
    if code == "distance":
        words = gettext("%(words)s, %(km)s km", words=words, km=context.get("km"))
    if code == "joint_share":
        words = gettext("%(words)s: %(kg)s kg over %(km)s km", words=words, kg=context.get("kg"), km=context.get("km"))
    if code in ("mass", "mass_step", "hands"):
        words = gettext("%(words)s, %(kg)s kg", words=words, kg=context.get("kg"))
    if code == "floors":
        words = gettext("%(words)s, floors: %(floors)s", words=words, floors=context.get("floors"))
    if trips > 1:
        words = ngettext("%(words)s, %(num)s trip", "%(words)s, %(num)s trips", trips, words=words)
    return words


def _clock(seconds: Any) -> str:
    minutes = int(seconds) // 60
    return f"{minutes // 60}:{minutes % 60:02d}"


def _tonnes(kg: Any) -> str:
    return f"{int(kg) / 1000:.1f}".rstrip("0").rstrip(".").replace(".", gettext("."))


def _equipment(names: str) -> str:
    found = []
    for name in names.split(","):
        if name.startswith("under_"):
            height = _tonnes(name.removeprefix("under_"))
            found.append(gettext("a truck not higher than %(height)s m", height=height))
        else:
            found.append(str(UNLOADING.get(name, name)))
    return ", ".join(found)


def left_reason(code: str, context: Mapping[str, Any]) -> str:
    """Why a delivery is in no route, in words with the figures, and so what would mend it."""
    found = _LEFT.get(code, lambda _c: gettext("It fits no route."))(context)
    lots = int(context.get("lots", 1))
    if lots > 1:
        return str(gettext("Lot %(lot)s of %(lots)s: %(why)s", lot=context.get("lot"), lots=lots, why=found))
    return str(found)


def _point(context: Mapping[str, Any]) -> str:
    """Which place a reason is about, with its coordinates when they are known."""
    words = {"warehouse": gettext("the warehouse"), "yard": gettext("the yard")}
    name = words.get(str(context.get("point")), gettext("the site"))
    return f"{name} ({context['lat']}, {context['lon']})" if "lat" in context else str(name)


def _together(context: Mapping[str, Any]) -> str:
    """Why what was sold as one truck does not fit one."""
    if context.get("because"):
        return str(gettext("It was sold as one truck with others, and one of these cannot be carried"))
    return str(
        gettext(
            "Sold as one truck: %(number)s deliveries, %(mass)s t together, fit no truck of the day (the largest takes"
            " %(most)s t): add a larger truck or plan them apart",
            number=context["number"],
            mass=_tonnes(context["mass_kg"]),
            most=_tonnes(context["most_kg"]),
        )
    )


_LEFT: dict[str, Any] = {
    "too_heavy": lambda c: gettext(
        "%(mass)s t, the largest truck takes %(most)s t", mass=_tonnes(c["mass_kg"]), most=_tonnes(c["most_kg"])
    ),
    "too_large": lambda c: gettext(
        "%(volume)s m³, the largest truck takes %(most)s m³", volume=_tonnes(c["volume_l"]), most=_tonnes(c["most_l"])
    ),
    "too_long": lambda c: gettext(
        "The longest piece is %(length)s m, the longest truck takes %(most)s m",
        length=_tonnes(c["longest_mm"]),
        most=_tonnes(c["most_mm"]),
    ),
    "needs_equipment": lambda c: gettext("No suitable truck has it: %(names)s", names=_equipment(str(c["missing"]))),
    "access_forbidden": lambda c: gettext(
        "The site lets in %(limit)s t, the lightest suitable truck weighs %(lightest)s t",
        limit=_tonnes(c["limit_kg"]),
        lightest=_tonnes(c["lightest_kg"]),
    ),
    "height_forbidden": lambda c: gettext(
        "The site lets in %(limit)s m, the lowest suitable truck is %(lowest)s m high",
        limit=_tonnes(c["limit_mm"]),
        lowest=_tonnes(c["lowest_mm"]),
    ),
    "far_from_roads": lambda c: gettext(
        "%(point)s: %(km)s km from the nearest road, move the pin", point=_point(c), km=_tonnes(c.get("metres", 0))
    ),
    "unreachable": lambda c: gettext("No road leads there: %(point)s", point=_point(c)),
    "window_impossible": lambda c: gettext(
        "Window %(start)s–%(end)s, but the goods cannot be there before %(earliest)s",
        start=_clock(c["from_s"]),
        end=_clock(c["to_s"]),
        earliest=_clock(c["earliest_s"]),
    ),
    "window_taken": lambda c: gettext(
        "Window %(start)s–%(end)s is impossible after order %(after)s: a suitable truck would come at %(earliest)s."
        " Add a truck or move the window",
        start=_clock(c["from_s"]),
        end=_clock(c["to_s"]),
        after=c["after"],
        earliest=_clock(c["earliest_s"]),
    ),
    "together_impossible": _together,
    "on_broken_truck": lambda c: gettext(
        "On board of %(truck)s, which drives no further: reload it, then plan again", truck=c.get("truck", "")
    ),
    "locked_truck": lambda c: gettext("Locked to %(truck)s, which does not drive: unlock it", truck=c.get("truck", "")),
    "shift_too_short": lambda c: gettext(
        "The trip takes %(trip)s h, the shift is from %(start)s to %(end)s and the window does not fit into it",
        trip=_clock(c["trip_s"]),
        start=_clock(c["shift_from"]),
        end=_clock(c["shift_to"]),
    ),
    "no_capacity_left": lambda c: (
        gettext("All suitable trucks are busy: add a truck or move the window")
        if c.get("trucks")
        else gettext("No truck works on this day any more")
    ),
    "no_coordinates": lambda c: gettext("The site has no place on the map"),
    "taken_off": lambda c: gettext("Taken off by hand"),
}

_STAGES = {
    "roads": _("Measuring the roads"),
    "build": _("Building routes"),
    "polish": _("Looking for shorter ones"),
    "streets": _("Drawing the streets"),
}
_FIGURE = re.compile(r"(\w+)=(\d+)")


def progress(message: str) -> tuple[str, int | None, int | None, int | None]:
    """A planning job's message as (stage in words, best cost in kopeks, deliveries carried, of how many)."""
    stage = message.partition(" ")[0]
    figures = {name: int(value) for name, value in _FIGURE.findall(message)}
    return str(_STAGES.get(stage, "")), figures.get("cost"), figures.get("carried"), figures.get("of")
