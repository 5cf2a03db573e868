"""A seller's warehouses: list, add, change, close."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext

from app import access
from app.access import Guarded
from app.core.errors import Invalid, NotFound, Stale
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.offers import queries, service
from app.offers.queries import WarehouseRow
from app.web.carrier.forms import Field, Filled, read, refused, shown
from app.web.htmx import redirect_to, render_page
from app.web.seller import frame

pages = Guarded("seller_warehouses", __name__, url_prefix="/seller/warehouses")
LIST = "/seller/warehouses"
FIELDS = (
    Field("name", lazy_gettext("Name"), most=100),
    Field("address", lazy_gettext("Address"), most=300),
    Field("lat", lazy_gettext("Latitude"), hint=lazy_gettext("Degrees, for example 55.8096")),
    Field("lon", lazy_gettext("Longitude"), hint=lazy_gettext("Degrees, for example 37.7463")),
    Field("opens_at", lazy_gettext("Opens"), "time"),
    Field("closes_at", lazy_gettext("Closes"), "time"),
    Field("max_vehicle_kg", lazy_gettext("Heaviest truck that may drive in"), "number", "kg", required=False),
    Field("loading_minutes", lazy_gettext("Minutes to load a truck"), "number"),
    Field("allows_pickup", lazy_gettext("Buyers may fetch their goods here"), "check", required=False),
    Field(
        "pickup_after_hours",
        lazy_gettext("Hours until goods can be fetched"),
        "number",
        required=False,
        hint=lazy_gettext("after the order, beside the lead time; the counter is open in the hours above"),
    ),
    Field("is_active", lazy_gettext("Works"), "check", required=False),
)


@pages.get("", permission=Permission.SELLER_STOCK)
def show_all() -> Response:
    """All warehouses, closed ones too."""
    actor = access.actor()
    return render_page(
        "seller/warehouses.html", None, places=queries.warehouses_of(actor.seller_id), **frame.context(actor)
    )


def _form(title: str, filled: Filled, version: int | None = None, status: int = 200) -> Response:
    return render_page(
        "carrier/fleet_form.html", None, title=title, fields=FIELDS, filled=filled, back=LIST, version=version,
        remove="", status=status, **frame.context(access.actor()),
    )  # fmt: skip


def _given() -> dict[str, Any]:
    values = read(FIELDS)
    values["lat"], values["lon"] = _degrees("lat", values["lat"]), _degrees("lon", values["lon"])
    values["max_vehicle_kg"] = values["max_vehicle_kg"] or None
    values["active"] = values.pop("is_active")
    return values


def _degrees(name: str, text: str) -> float:
    """A coordinate; a float is what the point is stored as."""
    try:
        found: Decimal = parse_decimal(text)
    except NotANumber as error:
        raise Invalid.one(f"/{name}", error.code) from None
    return float(found)


@pages.get("/new", permission=Permission.SELLER_OFFERS)
def new() -> Response:
    """An empty form."""
    return _form(
        _("New warehouse"),
        Filled(
            {
                "opens_at": "8:00",
                "closes_at": "20:00",
                "loading_minutes": "20",
                "pickup_after_hours": "4",
                "is_active": "1",
            }
        ),
    )


@pages.post("/new", permission=Permission.SELLER_OFFERS)
def add() -> Response:
    """Open the warehouse."""
    try:
        service.add_warehouse(access.actor(), _given())
    except Invalid as error:
        return _form(_("New warehouse"), refused(error), status=422)
    flash(_("The warehouse is added."), "ok")
    return redirect_to(LIST)


def _row(text: str) -> WarehouseRow:
    key = parse_uuid(text)
    if key is None:
        raise NotFound()
    return queries.warehouse_of(access.actor().seller_id, key)


@pages.get("/<warehouse>", permission=Permission.SELLER_OFFERS)
def show(warehouse: str) -> Response:
    """The form of a warehouse."""
    row = _row(warehouse)
    return _form(row.name, shown(FIELDS, row), row.version)


@pages.post("/<warehouse>", permission=Permission.SELLER_OFFERS)
def change(warehouse: str) -> Response:
    """Save the fields; on a refusal everything typed is kept."""
    row = _row(warehouse)
    version = request.form.get("version", "")
    try:
        service.edit_warehouse(access.actor(), row.public_id, _given(), int(version) if version.isdecimal() else None)
    except (Invalid, Stale) as error:
        return _form(row.name, refused(error), row.version, error.status)
    flash(_("Saved."), "ok")
    return redirect_to(LIST)
