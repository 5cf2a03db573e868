"""Drivers and their shifts."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _l

from app import access, texts
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.logistics import crew, fleet
from app.logistics.fleet_facts import CourierFacts
from app.web.carrier.fleet_pages import form_page, save
from app.web.carrier.forms import Field, Filled, minutes, shown
from app.web.carrier.frame import asked_day, key_of, office, pages
from app.web.htmx import redirect_to, render_page

LIST = "/carrier/couriers"


def _fields(*, new: bool) -> tuple[Field, ...]:
    trucks = [(str(v.public_id), f"{v.name}, {v.plate}") for v in fleet.vehicles(access.actor().carrier_id)]
    email = (Field("email", _l("E-mail"), hint=_l("The driver registers first"), most=254),) if new else ()
    return (
        *email,
        Field("name", _l("Name")),
        Field("phone", _l("Phone"), required=False, most=40),
        Field("licence", _l("Licence"), most=10),
        Field("vehicle", _l("Usual truck"), "choice", options=[("", _l("none")), *trucks]),
        Field("shift_from", _l("Works from"), "time"),
        Field("shift_to", _l("Works until"), "time"),
        Field("is_active", _l("Works"), "check", required=False),
    )


def _facts(values: dict[str, Any]) -> CourierFacts:
    truck = parse_uuid(values["vehicle"]) if values["vehicle"] else None
    return CourierFacts(**values | {"vehicle": truck})


@pages.get("/couriers", permission=Permission.CARRIER_VIEW)
def couriers() -> Response:
    """The drivers and the shifts of a day."""
    return _page(asked_day())


def _page(day: Any, error: str = "", status: int = 200) -> Response:
    carrier_id = access.actor().carrier_id
    return render_page(
        "carrier/couriers.html",
        None,
        couriers=fleet.couriers(carrier_id),
        vehicles=[v for v in fleet.vehicles(carrier_id) if v.is_active],
        shifts=fleet.shifts(carrier_id, day),
        day=day,
        error=error,
        status=status,
        **office(),
    )


@pages.get("/couriers/new", permission=Permission.CARRIER_FLEET)
def new_courier() -> Response:
    """An empty form."""
    empty = Filled({"licence": "C", "shift_from": "8:00", "shift_to": "20:00", "is_active": "1"})
    return form_page(_("New driver"), _fields(new=True), empty, LIST)


@pages.post("/couriers/new", permission=Permission.CARRIER_FLEET)
def add_courier() -> Response:
    """Make a registered person a driver."""

    def act(values: dict[str, Any], _version: int | None) -> uuid.UUID:
        email = values.pop("email")
        return crew.hire(access.actor(), email, _facts(values))

    return save(_("New driver"), _fields(new=True), LIST, act, _("The driver is added."))


def _row(text: str) -> fleet.CourierRow:
    key = key_of(text)
    found = next((row for row in fleet.couriers(access.actor().carrier_id) if row.public_id == key), None)
    if found is None:
        raise NotFound()
    return found


@pages.get("/couriers/<key>", permission=Permission.CARRIER_FLEET)
def courier(key: str) -> Response:
    """The form of a driver."""
    row, fields = _row(key), _fields(new=False)
    return form_page(row.name, fields, shown(fields, row), LIST, version=row.version, remove=f"{LIST}/{key}/remove")


@pages.post("/couriers/<key>", permission=Permission.CARRIER_FLEET)
def change_courier(key: str) -> Response:
    """Change the driver."""
    row = _row(key)
    return save(
        row.name, _fields(new=False), LIST,
        lambda values, version: fleet.change_courier(access.actor(), row.public_id, _facts(values), version),
        _("The driver is changed."), version=row.version, remove=f"{LIST}/{key}/remove",
    )  # fmt: skip


@pages.post("/couriers/<key>/remove", permission=Permission.CARRIER_FLEET)
def remove_courier(key: str) -> Response:
    """Give the driver no more routes."""
    fleet.remove_courier(access.actor(), key_of(key))
    flash(_("The driver gets no more routes."), "ok")
    return redirect_to(LIST)


@pages.post("/shifts", permission=Permission.CARRIER_FLEET)
def add_shift() -> Response:
    """Write a shift of the day."""
    day = asked_day()
    try:
        fleet.add_shift(
            access.actor(),
            key_of(request.form.get("courier", "")),
            key_of(request.form.get("vehicle", "")),
            day,
            minutes(request.form.get("from", "").strip(), "/from"),
            minutes(request.form.get("to", "").strip(), "/to"),
        )
    except Conflict as error:
        return _page(day, texts.message(error), 409)
    except Invalid as error:
        return _page(day, texts.error_text(error.errors[0].code, error.errors[0].context), 422)
    return redirect_to(f"{LIST}?date={day.isoformat()}")


@pages.post("/shifts/<key>/remove", permission=Permission.CARRIER_FLEET)
def remove_shift(key: str) -> Response:
    """Strike a shift."""
    fleet.remove_shift(access.actor(), key_of(key))
    return redirect_to(f"{LIST}?date={asked_day().isoformat()}")
