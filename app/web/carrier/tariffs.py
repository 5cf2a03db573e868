"""Tariffs: list, add, change, end."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _l

from app import access, texts
from app.core import clock
from app.core.errors import Invalid, NotFound
from app.core.permissions import Permission
from app.logistics import tariff_book
from app.logistics.fleet_facts import TariffFacts
from app.logistics.tariff_book import Load
from app.texts import logistics as words
from app.web.carrier import tariff_lines as lines
from app.web.carrier.fleet_pages import form_page, save
from app.web.carrier.forms import Field, Filled, degrees, number, shown
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
    Field("distance_steps", _l("Distance by steps"), "area", required=False, most=2000,
          hint=_l("In place of the door and kilometres. A step a line: kilometres, then roubles: “10 1500”")),
    Field("zones", _l("Zones"), "area", required=False, most=4000,
          hint=_l("Come before steps. A zone a line: title; latitude, longitude; radius in km; roubles")),
    Field("mass_steps", _l("Mass by steps"), "area", required=False, most=2000,
          hint=_l("In place of tonnes. A step a line: kilograms, then roubles: “500 300”")),
    Field("free_minutes", _l("Free minutes of unloading"), "number", "min", required=False),
    Field("waiting_step", _l("Then for every begun"), "number", "min", required=False),
    Field("per_waiting_step", _l("Waiting costs"), "money", "₽", required=False),
    Field("max_mass_kg", _l("Most in one trip"), "number", "kg", hint=_l("More goes in several trips, each paid")),
    Field("max_km", _l("Not farther than"), "number", "km"),
    Field("valid_from", _l("First day"), "day"),
    Field("valid_to", _l("Last day"), "day", required=False),
)  # fmt: skip
TRY = "carrier/_tariff_try.html"
UNLOADING = ("self", "hands", "crane", "tail_lift")


def _facts(values: dict[str, Any], row: tariff_book.TariffRow | None = None) -> TariffFacts:
    values["distance_steps"] = lines.steps(values["distance_steps"], "distance_steps", "up_to_km")
    values["mass_steps"] = lines.steps(values["mass_steps"], "mass_steps", "up_to_kg")
    values["waiting_step"] = values["waiting_step"] or 30
    values["zones"] = lines.zones(values["zones"], row.zones if row else ())
    return TariffFacts(**values)


def _filled(row: tariff_book.TariffRow) -> Filled:
    typed = {
        "distance_steps": lines.steps_text(row.distance_steps, "up_to_km"),
        "mass_steps": lines.steps_text(row.mass_steps, "up_to_kg"),
        "zones": lines.zones_text(row.zones),
    }
    return Filled({**shown(FIELDS, row).typed, **typed})


def _tried(row: tariff_book.TariffRow) -> dict[str, Any]:
    """What the calculator under the form shows: figures of the address, or an example."""
    asked = request.args
    typed = {
        "km": asked.get("km", "18"), "kg": asked.get("kg", "2500"), "m3": asked.get("m3", "3"),
        "mm": asked.get("mm", "6000"), "floor": asked.get("floor", "1"), "unloading": asked.get("unloading", "self"),
        "waiting": asked.get("waiting", "0"), "lift": asked.get("lift", ""), "lat": asked.get("lat", ""),
        "lon": asked.get("lon", ""),
    }  # fmt: skip
    context: dict[str, Any] = {"typed": typed, "tariff": row, "words": words, "unloadings": UNLOADING, "quote": None,
                               "wrong": ""}  # fmt: skip
    try:
        load = _load(typed)
    except Invalid as error:
        return context | {"wrong": texts.error_text(error.errors[0].code, error.errors[0].context)}
    return context | {"quote": tariff_book.try_out(access.actor().carrier_id, row.public_id, load)}


def _load(typed: dict[str, str]) -> Load:
    point = None
    if typed["lat"] and typed["lon"]:
        point = degrees(typed["lat"], "/lat"), degrees(typed["lon"], "/lon")
    unloading = typed["unloading"] if typed["unloading"] in UNLOADING else "self"
    km, m3 = degrees(typed["km"], "/km"), degrees(typed["m3"], "/m3")
    load = Load(
        round(km * 1000), number(typed["kg"], "/kg"), round(m3 * 1000), number(typed["mm"], "/mm"),
        number(typed["floor"], "/floor"), bool(typed["lift"]), unloading, number(typed["waiting"], "/waiting"), point,
    )  # fmt: skip
    if not (0 <= load.distance_m <= 10**7 and 0 <= load.mass_kg <= 10**6 and 0 <= load.volume_l <= 10**7):
        raise Invalid.one("/km", "too_large", maximum=10**6)
    if not (0 <= load.longest_mm <= 10**5 and -5 <= load.floor <= 100 and 0 <= load.waiting_minutes <= 10**4):
        raise Invalid.one("/mm", "too_large", maximum=10**4)
    return load


@pages.get("/tariffs", permission=Permission.CARRIER_VIEW)
def tariffs() -> Response:
    """The tariffs of the carrier."""
    return render_page(
        "carrier/tariffs.html",
        None,
        tariffs=tariff_book.tariffs(access.actor().carrier_id),
        today=clock.today(),
        **office(),
    )


@pages.get("/tariffs/new", permission=Permission.CARRIER_FLEET)
def new_tariff() -> Response:
    """An empty form."""
    empty = {
        "included_km": "5",
        "long_from_mm": "4000",
        "max_km": "100",
        "free_minutes": "60",
        "waiting_step": "30",
        "valid_from": clock.today().isoformat(),
    }
    return form_page(_("New tariff"), FIELDS, Filled(empty), LIST)


@pages.post("/tariffs/new", permission=Permission.CARRIER_FLEET)
def add_tariff() -> Response:
    """Add the tariff."""
    return save(
        _("New tariff"), FIELDS, LIST,
        lambda values, _v: tariff_book.add_tariff(access.actor(), _facts(values)),
        _("The tariff is added."),
    )  # fmt: skip


def _row(text: str) -> tariff_book.TariffRow:
    key = key_of(text)
    found = next((row for row in tariff_book.tariffs(access.actor().carrier_id) if row.public_id == key), None)
    if found is None:
        raise NotFound()
    return found


@pages.get("/tariffs/<key>", permission=Permission.CARRIER_FLEET)
def tariff(key: str) -> Response:
    """The form of a tariff, with a calculator and the way to its next version."""
    row = _row(key)
    return form_page(
        row.name, FIELDS, _filled(row), LIST, version=row.version, remove=f"{LIST}/{key}/remove", below=TRY,
        **_tried(row),
    )  # fmt: skip


@pages.post("/tariffs/<key>", permission=Permission.CARRIER_FLEET)
def change_tariff(key: str) -> Response:
    """Change the tariff; with the button “next version”, end it and begin a new one."""
    row = _row(key)

    def act(values: dict[str, Any], version: int | None) -> None:
        facts = _facts(values, row)
        if request.form.get("as") == "next":
            tariff_book.next_tariff(access.actor(), row.public_id, facts, version)
        else:
            tariff_book.change_tariff(access.actor(), row.public_id, facts, version)

    done = _("The next version is written.") if request.form.get("as") == "next" else _("The tariff is changed.")
    return save(
        row.name, FIELDS, LIST, act, done, version=row.version, remove=f"{LIST}/{key}/remove", below=TRY, **_tried(row)
    )


@pages.post("/tariffs/<key>/remove", permission=Permission.CARRIER_FLEET)
def remove_tariff(key: str) -> Response:
    """End the tariff today."""
    tariff_book.remove_tariff(access.actor(), key_of(key))
    flash(_("The tariff ends today."), "ok")
    return redirect_to(LIST)
