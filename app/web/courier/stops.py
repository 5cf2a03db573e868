"""A stop: on site, unloading, handed over with the buyer's PIN and counts, or failed with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from flask import Response, flash, g, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.core.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.logistics import courier_day, courier_views, messages, rules, shift_day
from app.logistics.courier_taps import Tap
from app.texts import logistics as words
from app.web.courier.frame import pages
from app.web.courier.reading import Pictures, given_of, number, pictures_of_form
from app.web.htmx import redirect_to, render_page


def _key(text: str) -> Any:
    found = parse_uuid(text)
    if found is None:
        raise NotFound()
    return found


def _page(
    key: str, errors: Mapping[str, str] | None = None, general: str = "", status: int = 200, problem: bool = False
) -> Response:
    user = access.actor().user
    stop = courier_views.stop(user, _key(key))
    typed = {name: value for name, value in request.form.items() if name != "csrf_token"}
    found = dict(errors or {})
    summary = [("trouble" if problem else _field_id(name), text) for name, text in found.items()] + (
        [("", general)] if general else []
    )
    route = courier_views.route_of_stop(user, stop.public_id)
    checks = shift_day.checks_of(access.actor(), route.public_id)
    return render_page(
        "courier/stop.html",
        None,
        stop=stop,
        route=route,
        may_start=shift_day.may_start(checks),
        tracking=route.state == "started" and "end" not in checks,
        typed_photos=g.get("courier_photos", []),
        typed=typed,
        counts={str(item["line"]): _counted_text(item, typed, stop.kind == "pickup") for item in stop.cargo},
        errors=found,
        summary=summary,
        problem=problem,
        buyer_messages=messages.of_stop(user, stop.public_id) if stop.kind == "drop" else [],
        here=courier_views.pickups_here(user, stop.public_id) if stop.kind == "pickup" else [],
        fail_reasons=words.FAIL_REASONS,
        short_reasons=words.SHORT_REASONS,
        texts=words,
        tries=rules.PIN_TRIES,
        status=status,
    )


def _field_id(name: str) -> str:
    return f"line-{name}" if name.isdecimal() else name


@pages.get("/stops/<key>", permission=Permission.COURIER_ROUTE)
def stop(key: str) -> Response:
    """The stop with its one main action."""
    return _page(key)


@pages.post("/stops/<key>/arrive", permission=Permission.COURIER_ROUTE)
def arrive(key: str) -> Response:
    """On site."""
    return _do(key, lambda: courier_day.arrive(access.actor(), _key(key), _tap()))


@pages.post("/stops/<key>/unloading", permission=Permission.COURIER_ROUTE)
def unloading(key: str) -> Response:
    """Unloading has begun."""
    return _do(key, lambda: courier_day.start_unloading(access.actor(), _key(key), _tap()))


@pages.post("/stops/<key>/complete", permission=Permission.COURIER_ROUTE)
def complete(key: str) -> Response:
    """Loaded, or handed over."""
    if any(name.endswith("_step") for name in request.form):
        return _page(key)

    def act() -> None:
        found = courier_views.stop(access.actor().user, _key(key))
        given = given_of(request.form, Pictures(pictures_of_form()))
        courier_day.complete(access.actor(), found.public_id, given, _tap())
        flash(_("Loaded.") if found.kind == "pickup" else _("Handed over."), "ok")

    return _do(key, act, back="/courier")


@pages.post("/stops/<key>/load-all", permission=Permission.COURIER_ROUTE)
def load_all(key: str) -> Response:
    """Everything the route takes here is loaded, whole."""

    def act() -> None:
        courier_day.load_all_here(access.actor(), _key(key), _tap(), request.form.get("received_by", "")[:120])
        flash(_("Loaded."), "ok")

    return _do(key, act, back="/courier")


@pages.post("/stops/<key>/fail", permission=Permission.COURIER_ROUTE)
def fail(key: str) -> Response:
    """The stop cannot be done."""
    reason, comment = request.form.get("reason", ""), request.form.get("comment", "")[:500]

    def act() -> None:
        found = courier_views.stop(access.actor().user, _key(key))
        given = given_of({}, Pictures(pictures_of_form("trouble_photos")))
        courier_day.fail(access.actor(), found.public_id, reason, comment, _tap(), given)
        flash(_("The dispatcher knows."), "ok")

    return _do(key, act, back="/courier", problem=True)


def _tap() -> Tap:
    version = request.form.get("version", "")
    return Tap(version=int(version) if version.isdecimal() else None)


def _do(key: str, act: Callable[[], object], back: str = "", problem: bool = False) -> Response:
    """Do it and go on; a refusal shows the stop again with what was typed."""
    try:
        act()
    except Invalid as error:
        found = {_name(one): texts.error_text(one.code, one.context) for one in error.errors}
        return _page(key, found, status=422, problem=problem)
    except (Conflict, Stale) as error:
        return _page(key, general=texts.message(error), status=error.status, problem=problem)
    return redirect_to(back or f"/courier/stops/{key}")


def _name(error: FieldError) -> str:
    return error.pointer.rpartition("/")[2] or "form"


def _counted_text(item: Mapping[str, Any], typed: Mapping[str, str], loading: bool) -> str:
    """What the field of a line shows: as typed, or the whole; without script the buttons beside it move it by one."""
    name = f"q{item['line']}"
    whole = Decimal(str(item["quantity"])) if loading else rules.loaded_of(item)
    text, step = typed.get(name, ""), typed.get(f"{name}_step", "")
    if not step:
        return text or _figure(whole)
    value, change = number(text or str(whole)), number(step)
    if value is None or change is None:
        return text
    return _figure(min(whole, max(Decimal(0), value + change)))


def _figure(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"
