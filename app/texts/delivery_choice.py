"""Words of choosing a delivery: windows that are full, days that are missing, fetching, several deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _

from app import texts
from app.core.errors import DomainError
from app.texts.logistics import NO_CARRIER

ERRORS = {
    "slot_full": _("This delivery window is taken. Choose another one."),
    "day_over": _("This day is over."),
    "no_pickup_here": _("Nothing can be fetched at this warehouse."),
    "pickup_in_one_go": _("What is fetched is fetched in one go."),
    "cash_needs_driver": _("Cash is taken by drivers. Pay what you fetch at the warehouse by invoice or card."),
    "part_empty": _("Nothing is in this delivery."),
    "parts_do_not_sum": _("The deliveries come to %(given)s, ordered are %(wanted)s."),
    "pickup_code_wrong": _("Wrong code. Tries left: %(left)s."),
    "pickup_code_needed": _("Ask the buyer for the code, six digits."),
    "pickup_locked": _("Too many wrong codes. The buyer gets a new one on the page of the order."),
    "not_a_pickup": _("A truck carries this; the driver hands it over."),
    "pickup_not_over": _("The buyer may come until the time agreed is over."),
    "too_late_to_move": _("The warehouse is picking it already, so the day stays."),
    "no_joint": _("One truck cannot collect all of it."),
    "joint_stays": _("It comes on one truck with the rest of the purchase, so its day stays."),
}
NO_JOINT = {
    "one_warehouse": _("Only one warehouse sends something, so there is nothing to collect together."),
    "many_warehouses": _("One truck collects at six warehouses at most."),
    "no_common_carrier": _("No carrier picks up at all of these warehouses."),
    "heavy_together": _("All of it together is too heavy for one truck of the carriers."),
    "large_together": _("All of it together does not fit into one truck of the carriers."),
}
WHY_NOT = {
    "too_soon": _("the goods are not ready yet"),
    "closed": _("no deliveries"),
    "full": _("everything is taken"),
    "heavy": _("too heavy for these windows: split it into several deliveries"),
}
"""Why a day has no free window."""
FULL = {
    "full": _("Somebody took the last place of this window."),
    "heavy": _("The load is heavier than the window takes: split it into several deliveries."),
    "closed": _("The carrier does not drive then."),
    "too_soon": _("The goods are not ready by then."),
}


def why_not(code: str) -> str:
    """Why a day has no free window."""
    return str(WHY_NOT.get(code, code))


def no_joint(reason: str) -> str:
    """Why one truck cannot collect everything."""
    return str(NO_JOINT.get(reason) or NO_CARRIER.get(reason) or ERRORS["no_joint"])


def refused(error: DomainError) -> str:
    """Why it cannot come then, and when it can."""
    if error.code == "no_joint":
        return no_joint(str(error.context.get("reason")))
    if error.code != "slot_full":
        return texts.message(error)
    why = str(FULL.get(str(error.context.get("reason")), texts.message(error)))
    free = windows(error.context.get("next", []))
    return f"{why} {gettext('Free next: %(windows)s.', windows=free)}" if free else why


def windows(free: Sequence[Mapping[str, Any]]) -> str:
    """Some windows in a row: "26.11 9–12, 12–15; 27.11 9–12"."""
    by_day: dict[str, list[str]] = {}
    for one in free:
        by_day.setdefault(str(one["day"]), []).append(str(one["window"]).replace("-", "–"))
    return "; ".join(f"{date.fromisoformat(day):%d.%m} {', '.join(spans)}" for day, spans in by_day.items())
