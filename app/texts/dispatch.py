"""What dispatchers read: refusals of changes by hand, broken rules, steps, alerts of the board."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _

from app.texts.logistics import UNLOADING

ERRORS = {
    "plan_has_violations": _("The plan breaks rules, so it cannot be published: mend what is marked red."),
    "plan_not_draft": _("Only a draft can be changed. Make a new version of this plan."),
    "plan_under_way": _("This plan goes on with what trucks have begun: calculate it again instead of changing it."),
    "nothing_to_undo": _("There is nothing to undo."),
    "nothing_to_redo": _("There is nothing to redo."),
    "stop_locked": _("The delivery is locked on its truck. Unlock it first."),
    "loading_first": _("Goods are loaded before they are unloaded: the stop cannot stand there."),
    "same_lot": _("Both stops are of the same delivery."),
    "lot_carried": _("The delivery is in a route of this plan already."),
    "lots_range": _("A delivery goes in %(maximum)s lots at most."),
    "already_broken": _("This truck is out of service already."),
}


def length(seconds: Any) -> str:
    """A length of time: "40 min", "2 h 5 min"; never less than a minute."""
    minutes = max(1, round(int(seconds) / 60))
    hours, rest = divmod(minutes, 60)
    if not hours:
        return str(gettext("%(count)s min", count=rest))
    return str(
        gettext("%(hours)s h %(rest)s min", hours=hours, rest=rest) if rest else gettext("%(hours)s h", hours=hours)
    )


def _metres(millimetres: Any) -> str:
    return f"{int(millimetres) / 1000:.2f}".rstrip("0").rstrip(".").replace(".", gettext("."))


def _missing(names: list[str]) -> str:
    return ", ".join(str(UNLOADING.get(name, name)) for name in names)


_FAULTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "too_late": lambda f: gettext("%(time)s after the window", time=length(f["over"])),
    "too_early": lambda f: gettext("%(time)s before the window", time=length(f["over"])),
    "overload_mass": lambda f: gettext("%(kg)s kg too much", kg=f["over"]),
    "overload_volume": lambda f: gettext("%(litres)s l too much", litres=f["over"]),
    "too_long": lambda f: gettext(
        "pieces of %(length)s m, the truck takes %(most)s m", length=_metres(f["length"]), most=_metres(f["most"])
    ),
    "no_equipment": lambda f: gettext("the truck has not: %(names)s", names=_missing(f["missing"])),
    "access": lambda f: gettext(
        "the truck weighs %(mass)s kg, the site lets in %(most)s kg", mass=f["mass"], most=f["most"]
    ),
    "too_high": lambda f: gettext(
        "the truck is %(height)s m high, the site lets in %(most)s m", height=_metres(f["height"]),
        most=_metres(f["most"]),
    ),
    "too_much_driving": lambda f: gettext("more than %(time)s at the wheel in a day", time=length(f["most"])),
    "after_shift": lambda f: gettext("back %(time)s after the shift", time=length(f["over"])),
    "before_shift": lambda _f: gettext("leaves before the shift"),
    "no_break": lambda f: gettext("more than %(time)s at the wheel without a break", time=length(f["most"])),
    "locked_elsewhere": lambda _f: gettext("locked on another truck"),
    "no_way": lambda _f: gettext("no road leads there"),
    "parted": lambda _f: gettext("sold as one truck, but on several"),
    "break_outside_window": lambda _f: gettext("the break falls outside the shift"),
    "no_driver": lambda _f: gettext("the truck has no driver"),
    "unknown_truck": lambda _f: gettext("the truck is out of service"),
    "no_coordinates": lambda _f: gettext("a site without a place on the map"),
}  # fmt: skip


def fault(found: Mapping[str, Any]) -> str:
    """A broken rule in words with its figures."""
    words = _FAULTS.get(str(found["code"]))
    return str(words(found["figures"]) if words else gettext("the plan does not add up: %(code)s", code=found["code"]))


_STEPS: dict[str, Any] = {
    "move": _("%(number)s moved: %(from)s → %(to)s"),
    "swap": _("%(number)s and %(other)s changed places"),
    "lock": _("%(number)s locked"),
    "unlock": _("%(number)s unlocked"),
    "split": _("%(number)s split into lots"),
    "join": _("%(number)s in one lot again"),
    "assign": _("%(number)s put on %(to)s"),
    "unassign": _("%(number)s taken off %(from)s"),
    "courier": _("%(to)s: the driver is %(driver)s"),
}
_WITHIN = _("%(number)s moved on %(to)s")


def step(kind: str, details: Mapping[str, Any]) -> str:
    """A change by hand in words."""
    facts = {"number": "–", "other": "–", "from": "–", "to": "–", "driver": "–"} | dict(details)
    words = _WITHIN if kind == "move" and facts["from"] == facts["to"] else _STEPS.get(kind, kind)
    return str(words) % facts


ALERTS = {
    "broken": _("Broken down"),
    "pin_locked": _("PIN is locked"),
    "failed": _("Not delivered"),
    "refused": _("Refused by the buyer"),
    "late": _("Will be late"),
    "no_signal": _("No signal"),
    "not_started": _("Not started in time"),
}
STATES = {
    "": _("all trucks"),
    "alert": _("with an alert"),
    "planned": _("not started"),
    "started": _("on the way"),
    "finished": _("finished"),
}
