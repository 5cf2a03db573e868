"""Trucks: list, add, change, take out of service."""

from __future__ import annotations

from flask import Response, flash
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _l

from app import access
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.logistics import fleet
from app.logistics.fleet_facts import VehicleFacts
from app.web.carrier.fleet_pages import form_page, save
from app.web.carrier.forms import Field, Filled, shown
from app.web.carrier.frame import key_of, office, pages
from app.web.htmx import redirect_to, render_page

LIST = "/carrier/vehicles"
FIELDS = (
    Field("name", _l("Title"), hint=_l("As drivers call it: “GAZelle 207”"), most=80),
    Field("plate", _l("Plate"), most=20),
    Field("payload_kg", _l("Payload"), "number", "kg"),
    Field("volume_l", _l("Volume of the body"), "number", "l"),
    Field("longest_mm", _l("Longest piece"), "number", "mm"),
    Field("gross_mass_kg", _l("Gross mass"), "number", "kg", hint=_l("With a full load: road signs compare with it")),
    Field("height_mm", _l("Height"), "number", "mm"),
    Field("has_crane", _l("Has a crane"), "check", required=False),
    Field("has_tail_lift", _l("Has a tail-lift"), "check", required=False),
    Field("fixed_cost", _l("Cost of a day out"), "money", "₽", required=False),
    Field("cost_per_km", _l("Cost of a kilometre"), "money", "₽"),
    Field("cost_per_hour", _l("Cost of an hour"), "money", "₽"),
    Field("is_active", _l("Works"), "check", required=False),
)


@pages.get("/vehicles", permission=Permission.CARRIER_VIEW)
def vehicles() -> Response:
    """The trucks of the carrier."""
    return render_page("carrier/vehicles.html", None, vehicles=fleet.vehicles(access.actor().carrier_id), **office())


@pages.get("/vehicles/new", permission=Permission.CARRIER_FLEET)
def new_vehicle() -> Response:
    """An empty form."""
    return form_page(_("New truck"), FIELDS, Filled({"height_mm": "3000", "is_active": "1"}), LIST)


@pages.post("/vehicles/new", permission=Permission.CARRIER_FLEET)
def add_vehicle() -> Response:
    """Add the truck."""
    return save(
        _("New truck"), FIELDS, LIST,
        lambda values, _v: fleet.add_vehicle(access.actor(), VehicleFacts(**values)),
        _("The truck is added."),
    )  # fmt: skip


def _row(text: str) -> fleet.VehicleRow:
    key = key_of(text)
    found = next((row for row in fleet.vehicles(access.actor().carrier_id) if row.public_id == key), None)
    if found is None:
        raise NotFound()
    return found


@pages.get("/vehicles/<key>", permission=Permission.CARRIER_FLEET)
def vehicle(key: str) -> Response:
    """The form of a truck."""
    row = _row(key)
    return form_page(row.name, FIELDS, shown(FIELDS, row), LIST, version=row.version, remove=f"{LIST}/{key}/remove")


@pages.post("/vehicles/<key>", permission=Permission.CARRIER_FLEET)
def change_vehicle(key: str) -> Response:
    """Change the truck."""
    row = _row(key)
    return save(
        row.name, FIELDS, LIST,
        lambda values, version: fleet.change_vehicle(
            access.actor(), row.public_id, VehicleFacts(**values), version
        ),
        _("The truck is changed."), version=row.version, remove=f"{LIST}/{key}/remove",
    )  # fmt: skip


@pages.post("/vehicles/<key>/remove", permission=Permission.CARRIER_FLEET)
def remove_vehicle(key: str) -> Response:
    """Take the truck out of service."""
    fleet.remove_vehicle(access.actor(), key_of(key))
    flash(_("The truck is out of service."), "ok")
    return redirect_to(LIST)
