"""The truck before the first stop, the odometer after the last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.core.errors import Conflict, DomainError, Invalid, NotFound
from app.core.permissions import Permission
from app.logistics import courier_views, shift_day
from app.texts import logistics as words
from app.web.courier.frame import pages
from app.web.courier.reading import look_of, pictures_of_form
from app.web.htmx import redirect_to, render_page


def day_of(text: str) -> date | None:
    """A date of an address or a form; None for the route that is next."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _route() -> courier_views.CourierRoute:
    found = courier_views.route(access.actor().user, day_of(request.values.get("date", "")))
    if found is None:
        raise NotFound()
    return found


def _page(*, ending: bool, refused: DomainError | None = None) -> Response:
    route = _route()
    errors: dict[str, str] = {}
    summary: list[tuple[str, str]] = []
    if isinstance(refused, Invalid):
        errors = {one.pointer.rpartition("/")[2]: texts.error_text(one.code, one.context) for one in refused.errors}
        named: Mapping[str, object] = {**words.CHECK_ITEMS, "odometer": _("Odometer"), "note": _("Note")}
        summary = [(_field(name), f"{named[name]}: {text}" if name in named else text) for name, text in errors.items()]
    elif refused is not None:
        summary = [("", texts.message(refused))]
    typed = {name: value for name, value in request.form.items() if name != "csrf_token"}
    return render_page(
        "courier/check.html", None, route=route, ending=ending, errors=errors, summary=summary, typed=typed,
        check_items=words.CHECK_ITEMS, last=shift_day.last_odometer(access.actor(), route.public_id),
        status=refused.status if refused else 200,
    )  # fmt: skip


def _field(name: str) -> str:
    return f"{name}_note" if name in words.CHECK_ITEMS else name


@pages.get("/check", permission=Permission.COURIER_ROUTE)
def check() -> Response:
    """The list of what to look at."""
    return _page(ending=False)


@pages.post("/check", permission=Permission.COURIER_ROUTE)
def write_check() -> Response:
    """What the driver saw."""
    route = _route()
    try:
        look = look_of(request.form, pictures_of_form(role="check"))
        shift_day.check_vehicle(access.actor(), route.public_id, look)
    except (Invalid, Conflict) as refused:
        return _page(ending=False, refused=refused)
    if not look.may_drive:
        flash(_("The dispatcher knows that the truck must not drive."), "warn")
    return redirect_to(f"/courier?date={route.day.isoformat()}")


@pages.get("/end", permission=Permission.COURIER_ROUTE)
def end() -> Response:
    """The odometer once more."""
    return _page(ending=True)


@pages.post("/end", permission=Permission.COURIER_ROUTE)
def write_end() -> Response:
    """The truck is back."""
    route = _route()
    try:
        look = look_of(request.form, pictures_of_form(role="check"))
        shift_day.end_shift(access.actor(), route.public_id, look)
    except (Invalid, Conflict) as refused:
        return _page(ending=True, refused=refused)
    flash(_("The shift is over. Thank you."), "ok")
    return redirect_to(f"/courier?date={route.day.isoformat()}")
