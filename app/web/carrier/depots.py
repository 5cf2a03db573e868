"""Yards: list, add, change, close."""

from __future__ import annotations

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _l

from app import access, texts
from app.core.errors import Conflict, NotFound
from app.core.permissions import Permission
from app.logistics import depots
from app.logistics.depots import DepotFacts, DepotRow
from app.web.carrier.fleet_pages import form_page, save
from app.web.carrier.forms import Field, Filled, shown
from app.web.carrier.frame import key_of, office, pages
from app.web.htmx import redirect_to, render_page

LIST = "/carrier/depots"
FIELDS = (
    Field("name", _l("Title"), most=80),
    Field("address", _l("Address"), required=False, most=200),
    Field("lat", _l("Latitude"), "degrees", hint=_l("Such as 55.8168")),
    Field("lon", _l("Longitude"), "degrees", hint=_l("Such as 37.6230")),
    Field("is_main", _l("The main yard: of trucks without a yard of their own"), "check", required=False),
)


@pages.get("/depots", permission=Permission.CARRIER_VIEW)
def yards() -> Response:
    """The yards of the carrier."""
    return _list()


def _list(error: str = "", status: int = 200) -> Response:
    found = depots.depots(access.actor().carrier_id)
    return render_page("carrier/depots.html", None, depots=found, error=error, status=status, **office())


@pages.get("/depots/new", permission=Permission.CARRIER_FLEET)
def new_yard() -> Response:
    """An empty form."""
    return form_page(_("New yard"), FIELDS, Filled(), LIST)


@pages.post("/depots/new", permission=Permission.CARRIER_FLEET)
def add_yard() -> Response:
    """Add the yard."""

    def act(values: dict[str, Any], _version: int | None) -> Any:
        return depots.add_depot(access.actor(), DepotFacts(**values))

    return save(_("New yard"), FIELDS, LIST, act, _("The yard is added."))


def _row(text: str) -> DepotRow:
    key = key_of(text)
    found = next((row for row in depots.depots(access.actor().carrier_id) if row.public_id == key), None)
    if found is None:
        raise NotFound()
    return found


@pages.get("/depots/<key>", permission=Permission.CARRIER_FLEET)
def yard(key: str) -> Response:
    """The form of a yard."""
    row = _row(key)
    return form_page(row.name, FIELDS, shown(FIELDS, row), LIST, version=row.version, remove=f"{LIST}/{key}/remove")


@pages.post("/depots/<key>", permission=Permission.CARRIER_FLEET)
def change_yard(key: str) -> Response:
    """Change the yard."""
    row = _row(key)

    def act(values: dict[str, Any], version: int | None) -> None:
        depots.change_depot(access.actor(), row.public_id, DepotFacts(**values), version)

    remove = f"{LIST}/{key}/remove"
    return save(row.name, FIELDS, LIST, act, _("The yard is changed."), version=row.version, remove=remove)


@pages.post("/depots/<key>/remove", permission=Permission.CARRIER_FLEET)
def remove_yard(key: str) -> Response:
    """Close the yard."""
    try:
        depots.remove_depot(access.actor(), key_of(key))
    except Conflict as error:
        return _list(texts.message(error), 409)
    flash(_("The yard is closed."), "ok")
    return redirect_to(LIST)
