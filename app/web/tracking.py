"""The link that shows a buyer the truck on its way, without a login; it dies with the delivery.

A link that never was and one that is dead answer with the same bytes: 404 to whoever opens it, the last word (286) to
an open page that asks again. Only links that open nothing are counted against an address.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Response, make_response, render_template, request
from flask_babel import get_locale  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import gettext as _

from app.access import Guarded
from app.core import clock
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Permission
from app.logistics import messages
from app.logistics import tracking as tracks
from app.logistics.tracking import Stamp, TrackingView
from app.texts import logistics as words
from app.web import csrf, filters, limits
from app.web.htmx import STOP_POLLING, is_part_request, redirect_to
from app.web.reading import sentence

pages = Guarded("tracking", __name__)
SHOWN = ("ready", "handed_over", "in_transit", "arrived", "unloading", messages.KIND)
"""What of the delivery's axis the buyer reads."""


@pages.after_request
def quiet(response: Response) -> Response:
    """Nobody indexes a link, keeps its page for others, or learns its address from a link on it; of refusals too."""
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@pages.get("/t/<token>", permission=Permission.PUBLIC)
def tracking(token: str) -> Response:
    """State, expected window, stops before mine, the truck's place with its age; polled until the end."""
    stamp = tracks.stamp_of_link(token)
    if stamp is None:
        return _nothing(render_template("buyer/_tracking_over.html"))
    if is_part_request():
        return unchanged(stamp.text) or _part(token, stamp)
    return _page(token)


def _part(token: str, stamp: Stamp) -> Response:
    view = tracks.of_delivery(stamp.delivery_id)
    return tagged(render_template("buyer/_tracking.html", **shown(view, f"/t/{token}")), stamp.text)


def _page(token: str, refusal: str = "", status: int = 200) -> Response:
    view = tracks.by_token(token)
    body = render_template(
        "buyer/tracking.html", token=token, refusal=refusal, typed=request.form.get("text", ""),
        is_sent="sent" in request.args, longest=messages.LONGEST, **shown(view, f"/t/{token}"),
    )  # fmt: skip
    return make_response(body, status)


@pages.post("/t/<token>/message", permission=Permission.PUBLIC)
@csrf.exempt  # type: ignore[untyped-decorator]  # the address is the secret, and no-referrer leaves nothing to check
def message(token: str) -> Response:
    """A word to the driver."""
    if tracks.stamp_of_link(token) is None:
        return _nothing("")
    limits.hit("driver_message", token)
    try:
        messages.by_link(token, request.form.get("text", ""))
    except (Invalid, Conflict) as refusal:
        return _page(token, sentence(refusal), refusal.status)
    return redirect_to(f"/t/{token}?sent=1")


@pages.get("/t/<token>/map.json", permission=Permission.PUBLIC)
def track(token: str) -> Response:
    """The truck and the site; ends with 286 when the delivery is over."""
    stamp = tracks.stamp_of_link(token)
    if stamp is None:
        limits.hit("tracking_miss", request.remote_addr or "")
        return drawing({"routes": [], "stops": [], "positions": []}, "", STOP_POLLING)
    return unchanged(stamp.map) or drawing(drawn(tracks.of_delivery(stamp.delivery_id)), stamp.map)


def _nothing(last_word: str) -> Response:
    limits.hit("tracking_miss", request.remote_addr or "")
    if is_part_request() and last_word:
        return make_response(last_word, STOP_POLLING)
    raise NotFound()


def shown(view: TrackingView, here: str) -> dict[str, Any]:
    """What the part of a watched delivery is rendered from; `here` is the address it asks again."""
    now, place = clock.now(), view.position
    return {
        "view": view, "here": here, "age_minutes": int(place.age(now).total_seconds()) // 60 if place else None,
        "is_old": place is not None and place.is_old(now),
        "other_day": clock.local(view.window_from).date() != clock.today(), "words": words, "shown": SHOWN,
    }  # fmt: skip


def drawn(view: TrackingView) -> dict[str, Any]:
    """What the map of a watched delivery shows."""
    stops, positions = [], []
    if view.site.get("lat") is not None:
        place = {"lat": view.site["lat"], "lon": view.site["lon"]}
        stops = [place | {"label": "", "title": str(_("Your site")), "state": "now"}]
    if view.position is not None:
        at = filters.time_of_day(view.position.at)
        positions = [
            {"lat": view.position.lat, "lon": view.position.lon, "title": str(_("Truck at %(time)s", time=at)),
             "accuracy": view.position.accuracy_m}
        ]  # fmt: skip
    return {"routes": [], "stops": stops, "positions": positions}


def unchanged(stamp: str) -> Response | None:
    """304 when the reader has what the stamp stands for; nothing was rendered and nothing else was read."""
    if not request.if_none_match.contains_weak(_tag(stamp)):
        return None
    response = make_response("", 304)
    response.set_etag(_tag(stamp))
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _tag(stamp: str) -> str:
    return f"{stamp}-{get_locale()}"


def tagged(body: str, stamp: str) -> Response:
    """The body under its stamp."""
    response = make_response(body)
    response.set_etag(_tag(stamp))
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def drawing(data: dict[str, Any], stamp: str, status: int = 200) -> Response:
    """JSON for the map."""
    response = tagged(json.dumps(data, ensure_ascii=False, separators=(",", ":")), stamp)
    response.mimetype = "application/json"
    response.status_code = status
    return response
