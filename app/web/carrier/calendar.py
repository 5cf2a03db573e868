"""Who drives what: the week as a grid of drivers by days, shifts, days off, repairs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import ngettext

from app import access, texts
from app.core import clock
from app.core.errors import Conflict, Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.logistics import calendar, fleet
from app.logistics.calendar import AbsenceFacts
from app.texts import carrier as words
from app.web.carrier.couriers import weekdays
from app.web.carrier.forms import minutes
from app.web.carrier.frame import asked_day, key_of, office, pages
from app.web.htmx import redirect_to, render_page

PAGE = "/carrier/calendar"


@pages.get("/calendar", permission=Permission.CARRIER_VIEW)
def week() -> Response:
    """The week of a day."""
    return _page(asked_day())


def _page(day: date, error: str = "", status: int = 200, form: str = "") -> Response:
    carrier_id = access.actor().carrier_id
    found = calendar.week(carrier_id, day)
    return render_page(
        "carrier/calendar.html",
        None,
        week=found,
        day=day,
        today=clock.today(),
        before=found.monday - timedelta(days=7),
        after=found.monday + timedelta(days=7),
        vehicles=[v for v in fleet.vehicles(carrier_id) if v.is_active],
        chosen=request.values.get("courier", ""),
        names=[name for _number, name in weekdays()],
        kinds=words.AWAY,
        words=words,
        error=error,
        form=form,
        status=status,
        **office(),
    )


def _back(day: date) -> Response:
    return redirect_to(f"{PAGE}?date={day.isoformat()}")


def _refused(day: date, error: Conflict | Invalid, form: str) -> Response:
    if isinstance(error, Invalid):
        said = texts.error_text(error.errors[0].code, error.errors[0].context)
        return _page(day, said, 422, form)
    return _page(day, texts.message(error), 409, form)


@pages.post("/shifts", permission=Permission.CARRIER_FLEET)
def add_shift() -> Response:
    """Write a shift."""
    day, form = asked_day(), request.form
    try:
        hours = (minutes(form.get(name, "").strip(), f"/{name}") for name in ("from", "to"))
        calendar.add_shift(
            access.actor(), key_of(form.get("courier", "")), key_of(form.get("vehicle", "")), day, *hours
        )
    except (Conflict, Invalid) as error:
        return _refused(day, error, "shift")
    return _back(day)


@pages.post("/shifts/<key>/remove", permission=Permission.CARRIER_FLEET)
def remove_shift(key: str) -> Response:
    """Strike a shift."""
    calendar.remove_shift(access.actor(), key_of(key))
    return _back(asked_day())


@pages.post("/calendar/copy", permission=Permission.CARRIER_FLEET)
def copy_week() -> Response:
    """Copy the week before into the week of a day."""
    day = asked_day()
    found = calendar.copy_week(access.actor(), day)
    flash(
        ngettext("%(num)s shift is copied.", "%(num)s shifts are copied.", found.made), "ok" if found.made else "warn"
    )
    for on, name, code in found.refused:
        said = _("%(day)s, %(name)s: not copied.", day=on.isoformat(), name=name)
        flash(f"{said} {words.NOT_COPIED.get(code, '')}", "warn")
    return _back(day)


@pages.post("/absences", permission=Permission.CARRIER_FLEET)
def add_absence() -> Response:
    """Mark days off, sickness or a repair."""
    form, day = request.form, asked_day()
    who, _dot, key = form.get("who", "").partition(".")
    try:
        days = [_day(form.get(name, ""), name) for name in ("from_day", "to_day")]
        named: dict[str, Any] = {who: parse_uuid(key)} if who in ("courier", "vehicle") else {}
        calendar.add_absence(
            access.actor(), AbsenceFacts(form.get("kind", ""), days[0], days[1], note=form.get("note", ""), **named)
        )
    except (Conflict, Invalid) as error:
        return _refused(day, error, "absence")
    flash(_("The days are marked; shifts of those days are struck."), "ok")
    return _back(days[0])


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid.one(f"/{name}", "not_a_day") from None


@pages.post("/absences/<key>/remove", permission=Permission.CARRIER_FLEET)
def remove_absence(key: str) -> Response:
    """Back at work."""
    calendar.remove_absence(access.actor(), key_of(key))
    return _back(asked_day())
