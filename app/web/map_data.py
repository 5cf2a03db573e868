"""JSON that maps draw: the base layer, routes of a plan, the courier's way, a truck on its way to a buyer."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from flask import Response, make_response, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.logistics import courier_views, plan_views, tracking
from app.web import filters
from app.web.carrier.frame import key_of
from app.web.htmx import STOP_POLLING

pages = Guarded("map_data", __name__)
WIDE = frozenset({"motorway", "trunk", "primary", "secondary"})
KINDS = 3
"""Lines and pins come in three looks (colour and dashes) that are told apart without colour."""


@pages.get("/map/base.json", permission=Permission.PUBLIC)
def base() -> Response:
    """The streets under every map; the same for everybody until the program changes."""
    body, tag = _base()
    response = make_response(body)
    response.mimetype = "application/geo+json"
    response.headers["Cache-Control"] = "public, max-age=86400, immutable"
    response.set_etag(tag)
    return make_response(response.make_conditional(request))


@functools.cache
def _base() -> tuple[str, str]:
    from app.logistics.routing.roads import load  # brings scipy, half a second: only where the map is first asked for

    found = load().base_geojson()
    for feature in found["features"]:
        street = feature["properties"]
        feature["properties"] = {"wide": street["class"].removesuffix("_link") in WIDE, "name": street["name"]}
        line = feature["geometry"]["coordinates"]
        feature["geometry"]["coordinates"] = [[round(lon, 5), round(lat, 5)] for lon, lat in line]
    body = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return body, hashlib.sha256(body.encode()).hexdigest()[:20]


@pages.get("/carrier/plans/<key>/map.json", permission=Permission.CARRIER_VIEW)
def plan(key: str) -> Response:
    """Routes, stops and what is left of a plan, with the trucks that are out now."""
    carrier_id = access.actor().carrier_id
    view = plan_views.plan(carrier_id, key_of(key))
    routes, stops = [], []
    for number, route in enumerate(view.routes):
        kind = number % KINDS + 1
        routes.append({"points": route.geometry, "kind": kind, "title": f"{route.vehicle_name}, {route.courier_name}"})
        stops += _pins(route.stops, kind)
    stops += [
        {"lat": left.lat, "lon": left.lon, "label": "?", "title": f"{left.number}, {left.address}", "state": "lost"}
        for left in view.left
        if left.lat is not None and left.lon is not None
    ]
    trucks = {route.courier_id: route.vehicle_name for route in view.routes}
    positions = [
        {"lat": place.lat, "lon": place.lon, "title": trucks[courier], "accuracy": place.accuracy_m}
        for courier, place in tracking.courier_positions(carrier_id).items()
        if courier in trucks
    ]
    is_over = view.head.status == "published" and all(route.state == "finished" for route in view.routes)
    return _live({"routes": routes, "stops": stops, "positions": positions}, done=is_over)


def _pins(stops: Sequence[plan_views.StopView], kind: int) -> list[dict[str, Any]]:
    """One pin a place: warehouses once, drops with their number in the route."""
    found, seen, number = [], set(), 0
    for stop in stops:
        place = stop.place
        if stop.kind == "pickup":
            if (place["lat"], place["lon"]) in seen:
                continue
            seen.add((place["lat"], place["lon"]))
            label = str(_("Wh"))
        else:
            number += 1
            label = str(number)
        state = "past" if stop.state in ("done", "failed", "skipped") else "next"
        title = f"{filters.time_of_day(stop.expected)}, {place.get('address', '')}, {stop.number}"
        found.append(
            {"lat": place["lat"], "lon": place["lon"], "label": label, "title": title, "state": state, "kind": kind}
        )
    return found


@pages.get("/courier/map.json", permission=Permission.COURIER_ROUTE)
def courier() -> Response:
    """The courier's own way and stops."""
    route = courier_views.route(access.actor().user)
    if route is None:
        raise NotFound()
    ahead = route.next_stop
    stops = []
    for stop in route.stops:
        state = "past" if stop.is_over else "now" if stop is ahead else "next"
        place = stop.place
        stops.append(
            {
                "lat": place["lat"],
                "lon": place["lon"],
                "label": str(stop.sequence),
                "title": str(place.get("address", "")),
                "state": state,
            }
        )
    return _live({"routes": [{"points": route.geometry, "kind": 1}], "stops": stops}, done=False)


def _live(data: dict[str, Any], *, done: bool) -> Response:
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    response = make_response(body)
    response.mimetype = "application/json"
    response.headers["Cache-Control"] = "private, no-cache"
    if done:
        response.status_code = STOP_POLLING
        return response
    response.set_etag(hashlib.sha256(body.encode()).hexdigest()[:20])
    return make_response(response.make_conditional(request))
