"""What people read for codes of a carrier's desk: refusals, problems of deliveries, kinds of trucks, hand-overs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask_babel import format_date, gettext, ngettext  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _

from app.core import clock

ERRORS = {
    "licence_not_enough": _("The licence has no category %(category)s, which a truck of %(gross_mass_kg)s kg needs."),
    "licence_over": _("Category %(category)s of the licence is valid until %(until)s only."),
    "no_crane_operator": _("A truck with a crane needs a driver who is a crane operator."),
    "courier_away": _("The driver is away from %(since)s to %(until)s."),
    "vehicle_away": _("The truck does not work from %(since)s to %(until)s."),
    "absence_overlaps": _("Those days are marked already."),
    "courier_or_vehicle": _("Name either a driver or a truck."),
    "break_out_of_shift": _("The break must start within the shift, the first time before the last."),
    "cheaper_than_fuel": _("A kilometre costs at least its fuel, %(fuel)s ₽."),
    "depot_known": _("You have a yard of this name."),
    "depot_is_main": _("The main yard cannot be closed: make another one the main yard first."),
    "depot_has_trucks": _("Trucks stand in this yard: give them another one first."),
    "tariff_overlaps": _("A tariff of this name is valid on some of these days."),
    "version_not_later": _("The next version must begin after %(since)s and before the present one ends."),
    "steps_not_rising": _("Each step must reach farther than the one before and cost no less."),
    "wrong_zone": _(
        "A zone needs a name, a price, and three corners or more, or a centre and a radius of 0.1 to 500 km."
    ),
    "zone_twice": _("Two zones have the same name."),
    "step_line": _("Write one step a line: the bound, then the price, such as “10 1500”."),
    "zone_line": _("Write one zone a line: title; latitude, longitude; radius in km; price."),
    "preferred_must_serve": _("Only a carrier that picks up here can be asked first."),
    "hand_over_state": _("This offer is answered, taken back or out of time."),
    "hand_over_loaded": _("The goods are on the truck or the delivery is over: it cannot change hands."),
    "hand_over_open": _("An offer of this delivery waits for an answer already."),
    "hand_over_late": _("The buyer's window has passed."),
    "pin_on_route": _("The delivery is on a route. Confirm, and the plan will be marked as out of date."),
}
PROBLEMS = {
    "pin_locked": _("PIN is locked"),
    "failed": _("not delivered"),
    "no_coordinates": _("no place on the map"),
    "window_passed": _("the window has passed"),
    "no_truck": _("no truck at all"),
    "too_long": _("too long"),
    "too_heavy": _("too heavy"),
    "site_mass_limit": _("site closed to trucks"),
    "site_height_limit": _("too low for trucks"),
    "no_crane": _("needs a crane"),
    "no_tail_lift": _("needs a tail-lift"),
    "nobody_drives": _("nobody drives"),
    "not_on_this_day": _("no suitable truck that day"),
    "window_without_shift": _("no shift in the window"),
}
"""In two or three words, for tags."""
_FIXES = {
    "pin_locked": _("Call the buyer, then let the courier try the PIN again."),
    "failed": _("Call the buyer and agree on what happens to the goods."),
    "no_coordinates": _("Put the site on the map by hand: open the delivery and move its pin."),
    "window_passed": _("Agree on another window with the buyer, or hand the delivery to another carrier."),
    "no_truck": _("Add a truck, or hand the delivery to another carrier."),
    "nobody_drives": _("Write a shift into the calendar, or hand the delivery to another carrier."),
    "no_crane": _("None of your trucks has a crane: hand the delivery to a carrier that has."),
    "no_tail_lift": _("None of your trucks has a tail-lift: hand the delivery to a carrier that has."),
}
_LACKS = {
    "no_crane": _("a truck with a crane"),
    "no_tail_lift": _("a truck with a tail-lift"),
    "too_long": _("a longer truck"),
    "site_mass_limit": _("a lighter truck"),
    "site_height_limit": _("a lower truck"),
}
BODIES = {
    "flatbed": _("open flatbed"),
    "tilt": _("tilt"),
    "van": _("van"),
    "manipulator": _("flatbed with a crane"),
    "dump": _("dump truck"),
    "long": _("semi-trailer"),
}
FUELS = {"diesel": _("diesel"), "petrol": _("petrol"), "gas": _("gas"), "electric": _("electricity")}
SKILLS = {
    "crane_operator": _("crane operator"),
    "forklift": _("forklift"),
    "hazmat": _("dangerous goods"),
    "slinger": _("slinger"),
    "tail_lift": _("tail-lift operator"),
}
AWAY = {
    "holiday": _("holiday"),
    "sick": _("sick"),
    "other": _("away"),
    "repair": _("in repair"),
    "inspection": _("technical inspection"),
}
NOT_COPIED = {
    "shift_overlaps": _("Those hours are busy already."),
    "courier_away": _("The driver is away."),
    "vehicle_away": _("The truck is away."),
    "licence_not_enough": _("The licence does not cover the truck."),
    "licence_over": _("The licence is over by then."),
    "no_crane_operator": _("The driver is no crane operator."),
}
"""Why a shift of last week could not be copied."""
WARNINGS = {"truck_away": _("the truck is away"), "licence_over": _("the licence is over")}
REASONS = {
    "no_truck": _("no free truck"),
    "no_driver": _("no driver"),
    "too_far": _("too far from our yard"),
    "no_equipment": _("no equipment for the site"),
    "overbooked": _("the window is overbooked"),
    "other": _("another reason"),
}
"""Why a delivery is offered to another carrier."""
DOUBTS = {
    "pin_moved": _("the place of order %(number)s was moved"),
    "handed_over": _("order %(number)s went to another carrier"),
}
PRECISIONS = {"house": _("building"), "street": _("street"), "place": _("district")}


def _metres(mm: Any) -> str:
    return f"{int(mm) / 1000:.2f}".rstrip("0").rstrip(".").replace(".", gettext("."))


def _tonnes(kg: Any) -> str:
    return f"{int(kg) / 1000:.1f}".rstrip("0").rstrip(".").replace(".", gettext("."))


def _hour(value: Any) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return clock.local(moment).strftime("%H:%M").removeprefix("0")


def fix(code: str, context: Mapping[str, Any]) -> str:
    """What is wrong with a delivery, with its figures, and what would mend it."""
    if code in _FIXES:
        return str(_FIXES[code])
    if code == "too_long":
        return str(gettext(
            "The longest piece is %(length)s m, your longest truck takes %(most)s m: hand it to another carrier.",
            length=_metres(context["mm"]), most=_metres(context["most"]),
        ))  # fmt: skip
    if code == "too_heavy":
        return str(ngettext(
            "%(mass)s t is %(num)s trip of your largest truck that may go there (%(most)s t): share it with another"
            " carrier or agree on several days.",
            "%(mass)s t are %(num)s trips of your largest truck that may go there (%(most)s t): share it with another"
            " carrier or agree on several days.",
            context["lots"], mass=_tonnes(context["kg"]), most=_tonnes(context["most"]),
        ))  # fmt: skip
    if code == "site_mass_limit":
        return str(gettext(
            "The site lets in %(limit)s t, your lightest truck weighs %(least)s t: agree on a place nearby, or hand it"
            " to a carrier with a lighter one.",
            limit=_tonnes(context["limit"]), least=_tonnes(context["least"]),
        ))  # fmt: skip
    if code == "site_height_limit":
        return str(gettext(
            "The way lets through %(limit)s m, your lowest truck is %(least)s m high: agree on a place nearby.",
            limit=_metres(context["limit"]), least=_metres(context["least"]),
        ))  # fmt: skip
    if code == "not_on_this_day":
        return str(
            gettext(
                "You have it, but nobody drives %(truck)s on this day: write a shift into the calendar.",
                truck=_LACKS.get(str(context.get("why")), str(context.get("why"))),
            )
        )
    return str(gettext(
        "Trucks that can go work from %(since)s to %(until)s, outside the buyer's window: change a shift.",
        since=_hour(context["since"]), until=_hour(context["until"]),
    ))  # fmt: skip


def doubt(reason: str, number: str) -> str:
    """Why a plan is out of date."""
    return str(DOUBTS[reason]) % {"number": number}


def licence(held: Mapping[str, date | None]) -> str:
    """`B, C until 1 Jan 2028`."""
    return ", ".join(
        gettext("%(category)s until %(day)s", category=name, day=format_date(day, "d MMM y")) if day else name
        for name, day in held.items()
    )
