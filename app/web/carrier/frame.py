"""What every page of a carrier shares: the blueprint, the frame, the day and the id in the address."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request
from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.core import clock
from app.core.errors import NotFound
from app.core.ids import parse_uuid
from app.logistics import hand_overs, queries

pages = Guarded("carrier", __name__, url_prefix="/carrier")

NAV = (
    ("/carrier/plans", _("Routes"), "route"),
    ("/carrier/board", _("Board"), "activity"),
    ("/carrier/deliveries", _("Deliveries"), "package"),
    ("/carrier/hand-overs", _("Hand-overs"), "arrow-up-right"),
    ("/carrier/calendar", _("Calendar"), "calendar"),
    ("/carrier/road", _("From the road"), "triangle-alert"),
    ("/carrier/slots", _("Windows"), "calendar-clock"),
    ("/carrier/vehicles", _("Trucks"), "truck"),
    ("/carrier/couriers", _("Drivers"), "users"),
    ("/carrier/depots", _("Yards"), "warehouse"),
    ("/carrier/tariffs", _("Tariffs"), "receipt-text"),
    ("/carrier/invoices", _("Invoices"), "file-text"),
    ("/carrier/earnings", _("Pay of drivers"), "wallet"),
)


def office() -> dict[str, Any]:
    """What the frame of every page of a carrier shows."""
    actor = access.actor()
    counts = {
        "/carrier/deliveries": queries.count_waiting(actor.carrier_id, clock.today()),
        "/carrier/hand-overs": hand_overs.count_offered(actor.carrier_id),
    }
    nav = [{"url": url, "label": label, "icon": icon, "count": counts.get(url, 0)} for url, label, icon in NAV]
    place = actor.carrier
    return {
        "nav": nav,
        "office_name": place.organisation_name if place else "",
        "office_role": _("dispatcher"),
    }


def asked_day() -> date:
    """The day in the address; today when none or not a day."""
    try:
        return date.fromisoformat(request.values.get("date", ""))
    except ValueError:
        return clock.today()


def key_of(text: str) -> Any:
    """The id in the address.

    Raises:
        NotFound: it is not one.
    """
    found = parse_uuid(text)
    if found is None:
        raise NotFound()
    return found
