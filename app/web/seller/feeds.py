"""Addresses that a seller's price list is fetched from every day."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, current_app, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.offers import queries as offers
from app.offers.imports import feeds
from app.settings import Settings
from app.web.carrier.forms import Filled, refused
from app.web.htmx import redirect_to, render_page
from app.web.seller import frame

pages = Guarded("seller_feeds", __name__, url_prefix="/seller/feeds")
LIST = "/seller/feeds"


def _anywhere() -> bool:
    settings: Settings = current_app.extensions["settings"]
    return settings.fetch_anywhere


def _id(text: str) -> uuid.UUID:
    found = parse_uuid(text)
    if found is None:
        raise NotFound()
    return found


@pages.get("", permission=Permission.SELLER_OFFERS)
def show_all() -> Response:
    """The addresses with what became of the last fetch, and the form for another."""
    return _list(Filled({"hour": "6"}))


def _list(filled: Filled, status: int = 200) -> Response:
    actor = access.actor()
    found = feeds.feeds(actor.seller_id)
    said = {one.id: texts.error_text(one.last_error, dict(one.last_error_context)) for one in found if one.last_error}
    return render_page(
        "seller/feeds.html", None, feeds=found, said=said, **_form(filled), status=status, **frame.context(actor)
    )


def _form(filled: Filled) -> dict[str, Any]:
    places = [place for place in offers.warehouses_of(access.actor().seller_id) if place.is_active]
    return {"filled": filled, "places": places}


@pages.post("", permission=Permission.SELLER_OFFERS)
def add() -> Response:
    """Remember an address."""
    try:
        feeds.add(access.actor(), _given(), _anywhere())
    except (Invalid, Conflict) as error:
        return _list(refused(error), error.status)
    flash(_("The address is saved. It is fetched every day at the hour you chose."), "ok")
    return redirect_to(LIST)


def _given() -> dict[str, Any]:
    hour = request.form.get("hour", "")
    return {
        "url": request.form.get("url", "").strip(), "hour": int(hour) if hour.isdecimal() and len(hour) < 3 else -1,
        "warehouse": parse_uuid(request.form.get("warehouse", "")), "mode": request.form.get("mode", "good_rows"),
        "hide_gone": request.form.get("hide_gone") == "1", "active": request.form.get("active", "1") == "1",
    }  # fmt: skip


@pages.get("/<feed>", permission=Permission.SELLER_OFFERS)
def show(feed: str) -> Response:
    """One address, to be changed."""
    found = feeds.feed(access.actor().seller_id, _id(feed))
    typed = {
        "url": found.url, "hour": str(found.hour), "warehouse": str(found.warehouse or ""), "mode": found.mode,
        "hide_gone": "1" if found.hide_gone else "", "active": "1" if found.is_active else "",
    }  # fmt: skip
    return _one(found, Filled(typed))


def _one(found: feeds.FeedRow, filled: Filled, status: int = 200) -> Response:
    said = texts.error_text(found.last_error, dict(found.last_error_context)) if found.last_error else ""
    return render_page(
        "seller/feed.html", None, feed=found, said=said, **_form(filled), status=status,
        **frame.context(access.actor()),
    )  # fmt: skip


@pages.post("/<feed>", permission=Permission.SELLER_OFFERS)
def change(feed: str) -> Response:
    """Save the fields; on a refusal everything typed is kept."""
    found = feeds.feed(access.actor().seller_id, _id(feed))
    given = _given() | {"active": request.form.get("active") == "1"}
    try:
        feeds.edit(access.actor(), found.public_id, given, _anywhere())
    except Invalid as error:
        return _one(found, refused(error), 422)
    flash(_("Saved."), "ok")
    return redirect_to(LIST)


@pages.post("/<feed>/run", permission=Permission.SELLER_OFFERS)
def run(feed: str) -> Response:
    """Fetch now."""
    feeds.run_now(access.actor(), _id(feed))
    flash(_("The list is being fetched. Look at the imports in a minute."), "ok")
    return redirect_to(LIST)


@pages.post("/<feed>/remove", permission=Permission.SELLER_OFFERS)
def remove(feed: str) -> Response:
    """Forget the address."""
    feeds.remove(access.actor(), _id(feed))
    flash(_("The address is removed."), "ok")
    return redirect_to(LIST)
