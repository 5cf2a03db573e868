"""The pin of a delivery: candidates for its address, a map to click, figures to type."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, current_app, flash, make_response, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.core.errors import Conflict, Invalid, Stale
from app.core.permissions import Permission
from app.logistics import doubts, geocoding, places, queries, rules
from app.texts import carrier as words
from app.web.carrier.fleet_pages import posted_version
from app.web.carrier.forms import degrees
from app.web.carrier.frame import key_of, office, pages
from app.web.htmx import redirect_to, render_page


@pages.get("/deliveries/<key>/place", permission=Permission.CARRIER_PLAN)
def place(key: str) -> Response:
    """Where the site is, and where it might be."""
    return _page(key)


def _page(key: str, error: str = "", status: int = 200) -> Response:
    actor = access.actor()
    row = queries.seen_by(key_of(key), user_id=0, carrier_id=actor.carrier_id).row
    settings = current_app.extensions["settings"]
    asked = request.args.get("q", "").strip() or str(row.site.get("address", ""))
    sources = geocoding.sources(actor.carrier_id, settings.geocoder_url, anywhere=settings.fetch_anywhere)
    typed = {
        "lat": request.values.get("lat", "") or _figure(row.site.get("lat")),
        "lon": request.values.get("lon", "") or _figure(row.site.get("lon")),
        "why": request.form.get("why", ""),
    }
    return render_page(
        "carrier/delivery_place.html",
        None,
        row=row,
        asked=asked,
        candidates=geocoding.geocode(asked, sources),
        typed=typed,
        held=len(doubts.plans_with(row.id)),
        is_over=row.state in rules.OVER,
        words=words,
        error=error,
        status=status,
        **office(),
    )


def _figure(value: Any) -> str:
    return "" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")


@pages.get("/deliveries/<key>/place.json", permission=Permission.CARRIER_PLAN)
def place_map(key: str) -> Response:
    """The warehouse and the site as they are now."""
    row = queries.seen_by(key_of(key), user_id=0, carrier_id=access.actor().carrier_id).row
    stops = []
    for end, label, state in ((row.pickup, str(_("Wh")), "next"), (row.site, "", "now")):
        if end.get("lat") is not None and end.get("lon") is not None:
            stops.append(
                {"lat": end["lat"], "lon": end["lon"], "label": label, "title": end.get("address", ""), "state": state}
            )
    response = make_response(json.dumps({"routes": [], "stops": stops}, ensure_ascii=False))
    response.mimetype = "application/json"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@pages.post("/deliveries/<key>/place", permission=Permission.CARRIER_PLAN)
def move_pin(key: str) -> Response:
    """Put the site elsewhere."""
    form = request.form
    try:
        lat, lon = (degrees(form.get(name, "").strip(), f"/{name}") for name in ("lat", "lon"))
        places.move_pin(
            access.actor(), key_of(key), lat, lon, why=form.get("why", ""), confirmed=bool(form.get("confirm")),
            version=posted_version(),
        )  # fmt: skip
    except Invalid as error:
        return _page(key, texts.error_text(error.errors[0].code, error.errors[0].context), 422)
    except (Conflict, Stale) as error:
        return _page(key, texts.message(error), error.status)
    flash(_("The place is moved; the buyer sees the new one."), "ok")
    return redirect_to(f"/carrier/deliveries/{key}")
