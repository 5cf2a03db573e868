"""Drivers: list, hire, change."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from flask import Response, flash
from flask_babel import format_date  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import access
from app.core.errors import NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.logistics import crew, fleet
from app.logistics.driving import CATEGORIES
from app.logistics.fleet_facts import CourierFacts
from app.texts import carrier as words
from app.web.carrier.fleet_pages import form_page, save
from app.web.carrier.forms import Field, Filled, shown
from app.web.carrier.frame import key_of, office, pages
from app.web.htmx import redirect_to, render_page

LIST = "/carrier/couriers"
MONDAY = date(2026, 1, 5)


def weekdays() -> list[tuple[str, str]]:
    """(ISO number, short name) of the days of a week."""
    return [(str(n), format_date(MONDAY.replace(day=4 + n), "EE")) for n in range(1, 8)]


def _fields(*, new: bool) -> tuple[Field, ...]:
    trucks = [(str(v.public_id), f"{v.name}, {v.plate}") for v in fleet.vehicles(access.actor().carrier_id)]
    email = (Field("email", _l("E-mail"), hint=_l("The driver registers first"), most=254),) if new else ()
    licence_hint = _l("B: up to 3.5 t gross mass, C1: up to 7.5 t, C: any above 3.5 t")
    until = tuple(
        Field(f"until_{name}", _l("Category %(name)s valid until", name=name), "day", required=False)
        for name in CATEGORIES
    )
    return (
        *email,
        Field("name", _l("Name")),
        Field("phone", _l("Phone"), required=False, most=40),
        Field("categories", _l("Licence"), "checks", hint=licence_hint, options=[(c, c) for c in CATEGORIES]),
        *until,
        Field("skills", _l("Skills"), "checks", options=list(words.SKILLS.items())),
        Field("vehicle", _l("Usual truck"), "choice", options=[("", _l("none")), *trucks]),
        Field("work_days", _l("Usual days"), "checks", options=weekdays()),
        Field("shift_from", _l("Works from"), "time"),
        Field("shift_to", _l("Works until"), "time"),
        Field("break_minutes", _l("Break"), "number", "min"),
        Field("break_from", _l("The break may start from"), "maybe_time", required=False),
        Field("break_to", _l("The break may start until"), "maybe_time", required=False),
        Field("is_active", _l("Works"), "check", required=False),
    )


def _facts(values: dict[str, Any]) -> CourierFacts:
    values["vehicle"] = parse_uuid(values["vehicle"]) if values["vehicle"] else None
    days = {name: values.pop(f"until_{name}") for name in CATEGORIES}
    values["licences"] = {name: days[name] for name in values.pop("categories")}
    values["licence"] = ""
    values["work_days"] = [int(number) for number in values["work_days"]]
    return CourierFacts(**values)


@pages.get("/couriers", permission=Permission.CARRIER_VIEW)
def couriers() -> Response:
    """The drivers of the carrier."""
    rows = fleet.couriers(access.actor().carrier_id)
    return render_page("carrier/couriers.html", None, couriers=rows, words=words, **office())


@pages.get("/couriers/new", permission=Permission.CARRIER_FLEET)
def new_courier() -> Response:
    """An empty form."""
    empty = {
        "categories": "B,C", "shift_from": "8:00", "shift_to": "20:00", "is_active": "1", "work_days": "1,2,3,4,5",
        "break_minutes": "45",
    }  # fmt: skip
    return form_page(_("New driver"), _fields(new=True), Filled(empty), LIST)


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


def _shown(row: fleet.CourierRow) -> Filled:
    """The form of a driver: each category of the licence has its own day."""
    plain = [one for one in _fields(new=False) if one.name != "categories" and not one.name.startswith("until_")]
    held = {f"until_{name}": day.isoformat() if day else "" for name, day in row.held.items()}
    return Filled({**shown(plain, row).typed, **held, "categories": ",".join(row.held)})


@pages.get("/couriers/<key>", permission=Permission.CARRIER_FLEET)
def courier(key: str) -> Response:
    """The form of a driver."""
    row, fields = _row(key), _fields(new=False)
    return form_page(row.name, fields, _shown(row), LIST, version=row.version, remove=f"{LIST}/{key}/remove")


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
