"""Where to deliver: chosen once, shown in the header, used by prices in lists."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.accounts import queries
from app.accounts import sites as own_sites
from app.core.errors import Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.logistics import streets
from app.texts import error_text
from app.web import sites
from app.web.account.auth import safe_next
from app.web.sites import ChosenSite

pages = Guarded("site", __name__)


@pages.get("/site", permission=Permission.PUBLIC)
def show() -> str:
    """Own sites to choose from; for a guest an address."""
    return _page(request.args.get("next", "/catalog"), {}, {})


@pages.post("/site", permission=Permission.PUBLIC)
def choose() -> ResponseReturnValue:
    """Keep the choice and go back to where it was asked for."""
    actor, back = access.actor(), request.form.get("next", "/catalog")
    response = make_response(redirect(safe_next(back), code=303))
    forget = request.form.get("forget") == "1"
    if actor.is_signed_in:
        wanted = None if forget else parse_uuid(request.form.get("site", ""))
        if wanted is None and not forget:
            return _page(back, {}, {"site": error_text("required", {})}), 422
        try:
            own_sites.choose(actor, wanted)
        except NotFound:
            return _page(back, {}, {"site": error_text("unknown_option", {})}), 422
    elif forget:
        sites.remember(response, None)
    else:
        typed = {name: request.form.get(name, "").strip()[:200] for name in ("address", "lat", "lon")}
        try:
            sites.remember(response, _point(typed))
        except Invalid as error:
            wrong = {e.pointer.removeprefix("/"): error_text(e.code, e.context) for e in error.errors}
            return _page(back, typed, wrong), 422
    flash(_("Prices in lists no longer count delivery.") if forget else _("Prices in lists count delivery here."), "ok")
    return response


def _point(typed: dict[str, str]) -> ChosenSite:
    """The point that was given, or that of the street in the address.

    Raises:
        Invalid: neither is there.
    """
    if not typed["lat"] and not typed["lon"]:
        if not typed["address"]:
            raise Invalid.one("/address", "required")
        found = streets.find(typed["address"])
        if found is None:
            raise Invalid.one("/address", "unknown_street")
        return ChosenSite(typed["address"], *found)
    figures = []
    for name in ("lat", "lon"):
        try:
            figures.append(float(parse_decimal(typed[name])))
        except NotANumber as error:
            raise Invalid.one(f"/{name}", error.code) from error
    site = sites.at(figures[0], figures[1], typed["address"] or f"{typed['lat']}, {typed['lon']}")
    if site is None:
        raise Invalid.one("/lat", "bad_coordinates")
    return site


def _page(back: str, typed: dict[str, str], wrong: dict[str, str]) -> str:
    actor = access.actor()
    return render_template(
        "buyer/site.html", own=queries.own_sites(actor.user) if actor.is_signed_in else [], chosen=sites.chosen(),
        next=back, typed=typed, wrong=wrong, streets=[] if actor.is_signed_in else streets.names(),
    )  # fmt: skip
