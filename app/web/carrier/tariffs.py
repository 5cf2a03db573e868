"""Tariffs: list, add, change, end."""

from __future__ import annotations

from flask import Response, flash
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _l

from app import access
from app.core import clock
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.logistics import fleet
from app.logistics.fleet_facts import TariffFacts
from app.web.carrier.fleet_pages import form_page, save
from app.web.carrier.forms import Field, Filled, shown
from app.web.carrier.frame import key_of, office, pages
from app.web.htmx import redirect_to, render_page

LIST = "/carrier/tariffs"
FIELDS = (
    Field("name", _l("Title"), most=80),
    Field("base", _l("Truck to the door"), "money", "₽"),
    Field("included_km", _l("Kilometres included"), "number", "km", required=False),
    Field("per_km", _l("A kilometre beyond"), "money", "₽"),
    Field("per_tonne", _l("A tonne"), "money", "₽"),
    Field("per_m3", _l("A cubic metre"), "money", "₽", required=False),
    Field("long_from_mm", _l("Long piece from"), "number", "mm", required=False),
    Field("long_piece", _l("For a long piece"), "money", "₽", required=False),
    Field("hands_tonne", _l("Carrying a tonne by hand"), "money", "₽", required=False),
    Field("per_floor_tonne", _l("A tonne up one floor without a lift"), "money", "₽", required=False),
    Field("crane", _l("Crane"), "money", "₽", required=False),
    Field("tail_lift", _l("Tail-lift"), "money", "₽", required=False),
    Field("minimum", _l("Smallest price of a trip"), "money", "₽", required=False),
    Field("extra_pickup", _l("Each further warehouse of one truck"), "money", "₽", required=False),
    Field("max_mass_kg", _l("Most in one trip"), "number", "kg", hint=_l("More goes in several trips, each paid")),
    Field("max_km", _l("Not farther than"), "number", "km"),
    Field("valid_from", _l("First day"), "day"),
    Field("valid_to", _l("Last day"), "day", required=False),
)


@pages.get("/tariffs", permission=Permission.CARRIER_VIEW)
def tariffs() -> Response:
    """The tariffs of the carrier."""
    return render_page(
        "carrier/tariffs.html", None, tariffs=fleet.tariffs(access.actor().carrier_id), today=clock.today(), **office()
    )


@pages.get("/tariffs/new", permission=Permission.CARRIER_FLEET)
def new_tariff() -> Response:
    """An empty form."""
    empty = {"included_km": "5", "long_from_mm": "4000", "max_km": "100", "valid_from": clock.today().isoformat()}
    return form_page(_("New tariff"), FIELDS, Filled(empty), LIST)


@pages.post("/tariffs/new", permission=Permission.CARRIER_FLEET)
def add_tariff() -> Response:
    """Add the tariff."""
    return save(
        _("New tariff"), FIELDS, LIST,
        lambda values, _v: fleet.add_tariff(access.actor(), TariffFacts(**values)),
        _("The tariff is added."),
    )  # fmt: skip


def _row(text: str) -> fleet.TariffRow:
    key = key_of(text)
    found = next((row for row in fleet.tariffs(access.actor().carrier_id) if row.public_id == key), None)
    if found is None:
        raise NotFound()
    return found


@pages.get("/tariffs/<key>", permission=Permission.CARRIER_FLEET)
def tariff(key: str) -> Response:
    """The form of a tariff."""
    row = _row(key)
    return form_page(row.name, FIELDS, shown(FIELDS, row), LIST, version=row.version, remove=f"{LIST}/{key}/remove")


@pages.post("/tariffs/<key>", permission=Permission.CARRIER_FLEET)
def change_tariff(key: str) -> Response:
    """Change the tariff."""
    row = _row(key)
    return save(
        row.name, FIELDS, LIST,
        lambda values, version: fleet.change_tariff(
            access.actor(), row.public_id, TariffFacts(**values), version
        ),
        _("The tariff is changed."), version=row.version, remove=f"{LIST}/{key}/remove",
    )  # fmt: skip


@pages.post("/tariffs/<key>/remove", permission=Permission.CARRIER_FLEET)
def remove_tariff(key: str) -> Response:
    """End the tariff today."""
    fleet.remove_tariff(access.actor(), key_of(key))
    flash(_("The tariff ends today."), "ok")
    return redirect_to(LIST)
