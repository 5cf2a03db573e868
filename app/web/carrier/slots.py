"""Windows of delivery: what a carrier declares for its week, what differs on some dates, and what is sold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _l

from app import access
from app.core import clock
from app.core.errors import Invalid
from app.core.permissions import Permission
from app.logistics import slots
from app.logistics.slots import WindowFacts
from app.logistics.timetable import timetables
from app.web.carrier.forms import Field, Filled, read, refused
from app.web.carrier.frame import key_of, office, pages
from app.web.htmx import redirect_to, render_page

LIST = "/carrier/slots"
SHOWN_DAYS = 7
WINDOW = (
    Field("from_minute", _l("Window begins"), "time"),
    Field("to_minute", _l("Window ends"), "time"),
    Field("capacity", _l("Deliveries"), "number"),
    Field("capacity_kg", _l("Kilograms in all"), "number", "kg", hint=_l("empty: no limit"), required=False),
)
ON_A_DATE = (
    Field("day", _l("Date"), "day"),
    Field("from_minute", _l("Window begins"), "time", hint=_l("empty: the whole day"), required=False),
    Field("to_minute", _l("Window ends"), "time", required=False),
    Field("capacity", _l("Deliveries"), "number", hint=_l("0: closed")),
    Field("capacity_kg", _l("Kilograms in all"), "number", "kg", hint=_l("empty: no limit"), required=False),
    Field("note", _l("Why"), required=False, most=200),
)


def _page(week: Filled | None = None, dates: Filled | None = None, status: int = 200) -> Response:
    carrier = access.actor().carrier_id
    today, now = clock.today(), clock.now()
    table = timetables([carrier], today, today + timedelta(days=SHOWN_DAYS))[carrier]
    return render_page(
        "carrier/slots.html",
        None,
        status=status,
        rules=slots.declared(carrier),
        exceptions=slots.exceptions(carrier, today),
        coming=table.days(0, today, today, SHOWN_DAYS, now),
        sold=table.sold,
        idle=table.idle,
        monday=today - timedelta(days=today.weekday()),
        next_days=timedelta,
        week_fields=WINDOW,
        date_fields=ON_A_DATE,
        week=week or Filled({"from_minute": "9:00", "to_minute": "12:00", "capacity": "6"}),
        dates=dates or Filled({"capacity": "0"}),
        chosen=request.form.getlist("weekdays") if week else ["1", "2", "3", "4", "5"],
        **office(),
    )


@pages.get("/slots", permission=Permission.CARRIER_VIEW)
def windows() -> Response:
    """The week, the dates that differ, and how full the coming days are."""
    return _page()


@pages.post("/slots", permission=Permission.CARRIER_FLEET)
def declare_window() -> Response:
    """Drive in a window on the weekdays that are ticked."""

    def act() -> None:
        values = read(WINDOW)
        facts = WindowFacts(**values | {"capacity_kg": values["capacity_kg"] or None})
        slots.declare(access.actor(), [int(day) for day in request.form.getlist("weekdays") if day.isdecimal()], facts)

    return _done(act, _("The window is sold from now on."), lambda error: _page(week=refused(error), status=422))


@pages.post("/slots/exceptions", permission=Permission.CARRIER_FLEET)
def except_date() -> Response:
    """Close a date or a window of it, or give it another capacity."""

    def act() -> None:
        values = read(ON_A_DATE)
        whole_day = not request.form.get("from_minute", "").strip() and not request.form.get("to_minute", "").strip()
        slots.except_on(
            access.actor(), values["day"], values["capacity"], capacity_kg=values["capacity_kg"] or None,
            span=None if whole_day else (values["from_minute"], values["to_minute"]), note=values["note"],
        )  # fmt: skip

    return _done(act, _("The date is changed."), lambda error: _page(dates=refused(error), status=422))


def _done(act: Callable[[], None], told: str, again: Callable[[Invalid], Response]) -> Response:
    try:
        act()
    except Invalid as error:
        return again(error)
    flash(told, "ok")
    return redirect_to(LIST)


@pages.post("/slots/<key>/remove", permission=Permission.CARRIER_FLEET)
def withdraw_window(key: str) -> Response:
    """Sell no more of a window."""
    slots.withdraw(access.actor(), key_of(key))
    flash(_("The window is not sold any more. What is sold stays."), "ok")
    return redirect_to(LIST)


@pages.post("/slots/exceptions/<key>/remove", permission=Permission.CARRIER_FLEET)
def drop_exception(key: str) -> Response:
    """The date is like any other again."""
    slots.drop_exception(access.actor(), key_of(key))
    flash(_("The date is like any other again."), "ok")
    return redirect_to(LIST)
