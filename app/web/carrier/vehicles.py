"""Trucks: list, add, change, take out of service."""

from __future__ import annotations

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _l

from app import access
from app.core.errors import NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.logistics import depots, fleet
from app.logistics.fleet_facts import VehicleFacts
from app.texts import carrier as words
from app.web.carrier.fleet_pages import form_page, save
from app.web.carrier.forms import Field, Filled, shown
from app.web.carrier.frame import key_of, office, pages
from app.web.htmx import redirect_to, render_page

LIST = "/carrier/vehicles"


def _fields() -> tuple[Field, ...]:
    yards = [(str(d.public_id), d.name) for d in depots.depots(access.actor().carrier_id)]
    return (
        Field("name", _l("Title"), hint=_l("As drivers call it: “GAZelle 207”"), most=80),
        Field("plate", _l("Plate"), most=20),
        Field("body", _l("Body"), "choice", options=list(words.BODIES.items())),
        Field("payload_kg", _l("Payload"), "number", "kg"),
        Field("volume_l", _l("Volume of the body"), "number", "l"),
        Field("longest_mm", _l("Longest piece"), "number", "mm"),
        Field("gross_mass_kg", _l("Gross mass"), "number", "kg",
              hint=_l("With a full load: road signs and the driver's licence compare with it")),
        Field("axle_load_kg", _l("Load on the heaviest axle"), "maybe_number", "kg", required=False),
        Field("height_mm", _l("Height"), "number", "mm"),
        Field("has_crane", _l("Has a crane"), "check", required=False),
        Field("has_tail_lift", _l("Has a tail-lift"), "check", required=False),
        Field("depot", _l("Yard of the truck"), "choice", options=[("", _l("the main yard")), *yards]),
        Field("fixed_cost", _l("Cost of a day out"), "money", "₽", required=False),
        Field("cost_per_km", _l("Cost of a kilometre"), "money", "₽", hint=_l("Fuel included")),
        Field("cost_per_hour", _l("Cost of an hour"), "money", "₽"),
        Field("fuel", _l("Fuel"), "choice", options=list(words.FUELS.items())),
        Field("fuel_per_100km", _l("Fuel for 100 km"), "quantity", "l", required=False),
        Field("fuel_price", _l("Price of a litre"), "money", "₽", required=False),
        Field("is_active", _l("Works"), "check", required=False),
    )  # fmt: skip


def _facts(values: dict[str, Any]) -> VehicleFacts:
    litres = values.pop("fuel_per_100km")
    values["fuel_ml_per_km"] = int(litres * 10)
    values["depot"] = parse_uuid(values["depot"]) if values["depot"] else None
    return VehicleFacts(**values)


@pages.get("/vehicles", permission=Permission.CARRIER_VIEW)
def vehicles() -> Response:
    """The trucks of the carrier."""
    return render_page("carrier/vehicles.html", None, vehicles=fleet.vehicles(access.actor().carrier_id),
                       yards=depots.depots(access.actor().carrier_id), words=words, **office())  # fmt: skip


@pages.get("/vehicles/new", permission=Permission.CARRIER_FLEET)
def new_vehicle() -> Response:
    """An empty form."""
    return form_page(
        _("New truck"),
        _fields(),
        Filled({"height_mm": "3000", "is_active": "1", "body": "tilt", "fuel": "diesel"}),
        LIST,
    )


@pages.post("/vehicles/new", permission=Permission.CARRIER_FLEET)
def add_vehicle() -> Response:
    """Add the truck."""
    return save(
        _("New truck"), _fields(), LIST,
        lambda values, _v: fleet.add_vehicle(access.actor(), _facts(values)),
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
    return form_page(
        row.name, _fields(), shown(_fields(), row), LIST, version=row.version, remove=f"{LIST}/{key}/remove"
    )


@pages.post("/vehicles/<key>", permission=Permission.CARRIER_FLEET)
def change_vehicle(key: str) -> Response:
    """Change the truck."""
    row = _row(key)
    return save(
        row.name, _fields(), LIST,
        lambda values, version: fleet.change_vehicle(
            access.actor(), row.public_id, _facts(values), version
        ),
        _("The truck is changed."), version=row.version, remove=f"{LIST}/{key}/remove",
    )  # fmt: skip


@pages.post("/vehicles/<key>/remove", permission=Permission.CARRIER_FLEET)
def remove_vehicle(key: str) -> Response:
    """Take the truck out of service."""
    fleet.remove_vehicle(access.actor(), key_of(key))
    flash(_("The truck is out of service."), "ok")
    return redirect_to(LIST)
