"""A draft changed by hand: by drag, by keys, by plain forms. One address takes every change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.logistics import plan_compare, plan_desk, plan_edit, plan_views
from app.logistics.plan_ops import OPS, Edit
from app.logistics.plan_views import PlanView, StopView
from app.texts import dispatch as words
from app.texts import logistics as carrying
from app.web.carrier import plan_page
from app.web.carrier.frame import key_of, office, pages
from app.web.filters import figure
from app.web.htmx import announce, is_part_request, redirect_to, render_page

_SHORT = {"lock": "lock", "unlock": "unlock", "off": "unassign"}


@pages.post("/plans/<key>/stops", permission=Permission.CARRIER_PLAN)
def change_plan(key: str) -> Response:
    """One change: `op` with its fields, or a button such as up:<stop>."""
    actor, plan = access.actor(), key_of(key)
    return _do(key, lambda seen: plan_edit.apply(actor, plan, [_asked(plan_views.plan(actor.carrier_id, plan))], seen))


@pages.post("/plans/<key>/undo", permission=Permission.CARRIER_PLAN)
def undo_plan(key: str) -> Response:
    """Take the last change back."""
    return _do(key, lambda seen: plan_edit.undo(access.actor(), key_of(key), seen))


@pages.post("/plans/<key>/redo", permission=Permission.CARRIER_PLAN)
def redo_plan(key: str) -> Response:
    """Do again what was undone last."""
    return _do(key, lambda seen: plan_edit.redo(access.actor(), key_of(key), seen))


@pages.post("/plans/<key>/copy", permission=Permission.CARRIER_PLAN)
def copy_plan(key: str) -> Response:
    """Keep the plan as the day's next version."""
    made = plan_edit.keep_as_new(access.actor(), key_of(key))
    flash(_("This is a new version. The one before stays as it was."), "ok")
    return redirect_to(f"/carrier/plans/{made}")


def _do(key: str, command: Callable[[int | None], int]) -> Response:
    seen = request.form.get("version", "")
    try:
        command(int(seen) if seen.isdecimal() else None)
    except Stale as error:
        names = {"csrf_token", "version"}
        mine = {name: value for name, value in request.form.items() if name not in names and value}
        mine["version"] = str(error.context["version"])
        meanwhile = plan_page.Meanwhile(error.context.get("changes", ()), request.path, mine)
        return plan_page.show(key, status=412, meanwhile=meanwhile)
    except Conflict as error:
        return plan_page.show(key, texts.message(error), 409)
    except Invalid as error:
        return plan_page.show(key, texts.error_text(error.errors[0].code, error.errors[0].context), 422)
    if not is_part_request():
        return redirect_to(f"/carrier/plans/{key}#desk-routes")
    response = plan_page.show(key)
    return announce(response, _said(key))


def _said(key: str) -> str:
    """What changed in one breath: the cost now, and how many rules are broken."""
    carrier_id = access.actor().carrier_id
    found = plan_views.figures(carrier_id, key_of(key))
    km = figure(round(found.distance_m / 1000, 1))
    return str(_("Done. %(km)s km, rules broken: %(count)s", km=km, count=len(found.faults)))


def _uuid(name: str) -> Any:
    return parse_uuid(request.form.get(name, ""))


def _asked(view: PlanView) -> Edit:
    """The change that the form asks for.

    Raises:
        NotFound: the stop of a button is not in the plan.
        Invalid: no operation is named.
    """
    op, _colon, target = request.form.get("op", "").partition(":")
    uid = parse_uuid(target)
    if op in ("up", "down"):
        return _beside(view, uid, 1 if op == "down" else -1)
    if op in _SHORT:
        return Edit(_SHORT[op], stop=uid or _uuid("stop"))
    if op == "courier":
        vehicle = uid or _uuid("vehicle")
        return Edit("courier", vehicle=vehicle, courier=_uuid(f"courier-{vehicle}") or _uuid("courier"))
    if op not in OPS:
        raise Invalid.one("/op", "unknown_option")
    vehicle, _bar, place = request.form.get("place", "").partition("|")
    lot = request.form.get("lot", "")
    return Edit(
        op,
        stop=uid or _uuid("stop"),
        other=_uuid("other"),
        delivery=_uuid("delivery"),
        lot=int(lot) if lot.isdecimal() else None,
        vehicle=parse_uuid(vehicle) or _uuid("vehicle"),
        before=parse_uuid(place) or _uuid("before"),
        last=place == "last" or request.form.get("last") == "1",
    )


def _beside(view: PlanView, uid: Any, step: int) -> Edit:
    """A stop one place earlier or later on its truck; at the end of the list it stays."""
    for route in view.routes:
        ids = [stop.public_id for stop in route.stops]
        if uid in ids:
            at = ids.index(uid) + (step if step < 0 else 2)
            if at < 0:
                return Edit("move", stop=uid, before=uid)
            return Edit("move", stop=uid, before=ids[at]) if at < len(ids) else Edit("move", stop=uid, last=True)
    raise NotFound()


@pages.get("/plans/<key>/stops/<stop>", permission=Permission.CARRIER_VIEW)
def change_stop(key: str, stop: str) -> Response:
    """Everything that can be done to one delivery of a draft, as plain forms."""
    carrier_id = access.actor().carrier_id
    view = plan_views.plan(carrier_id, key_of(key))
    uid = key_of(stop)
    found = next(((r, s) for r in view.routes for s in r.stops if s.public_id == uid), None)
    if found is None or not view.head.is_editable:
        raise NotFound()
    route, one = found
    return render_page(
        "carrier/plan_stop.html",
        "carrier/_plan_stop.html",
        plan=view,
        route=route,
        stop=one,
        desk=plan_desk.desk(carrier_id, view),
        others=_others(view, one),
        words=words,
        **office(),
    )


def _others(view: PlanView, stop: StopView) -> list[tuple[str, StopView]]:
    """(truck, drop) of every other lot: with what it may change places."""
    return [
        (route.vehicle_name, drop)
        for route in view.routes
        for drop in route.drops
        if (drop.delivery, drop.lot) != (stop.delivery, stop.lot) and not drop.locked
    ]


@pages.get("/plans/compare", permission=Permission.CARRIER_VIEW)
def compare_plans() -> Response:
    """Two plans side by side: figures, what moved where, what is left in each."""
    carrier_id = access.actor().carrier_id
    a, b = (key_of(request.args.get(name, "")) for name in ("a", "b"))
    found = plan_compare.compare(carrier_id, a, b)
    return render_page(
        "carrier/plan_compare.html",
        None,
        found=found,
        heads=plan_views.heads(carrier_id, found.a.head.day),
        texts=carrying,
        **office(),
    )
