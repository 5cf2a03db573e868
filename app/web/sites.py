"""The site that prices in lists are delivered to: a person's chosen site, a guest's point in a cookie."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from urllib.parse import quote, unquote

from flask import Response, current_app, request

from app import access
from app.accounts import queries
from app.catalog.listing import ToSite
from app.core.cache import Cache
from app.logistics import site_rates
from app.web import sessions

COOKIE = "site"
LONGEST = 200
_KEPT = "tutuu.site"


@dataclass(frozen=True, slots=True)
class ChosenSite:
    """A point with what the header calls it."""

    title: str
    lat: float
    lon: float
    public_id: str = ""

    @property
    def point(self) -> tuple[float, float]:
        return self.lat, self.lon


def chosen() -> ChosenSite | None:
    """The site of this request, found once."""
    if _KEPT not in request.environ:
        signed_in = access.actor().is_signed_in
        request.environ[_KEPT] = _of_person() if signed_in else _of_guest(request.cookies.get(COOKIE, ""))
    found: ChosenSite | None = request.environ[_KEPT]
    return found


def _of_person() -> ChosenSite | None:
    user = access.actor().user

    def text() -> str:
        row = queries.chosen_site(user)
        return json.dumps([row.title, row.lat, row.lon, str(row.public_id)] if row else None)

    cache: Cache = current_app.extensions["cache"]
    kept = json.loads(cache.get_or_make(queries.site_kept_as(user), "", text))
    return ChosenSite(*kept) if kept else None


def _of_guest(text: str) -> ChosenSite | None:
    try:
        title, lat, lon = json.loads(unquote(text[:2000]))
        return at(float(lat), float(lon), str(title))
    except (ValueError, TypeError):
        return None


def at(lat: float, lon: float, title: str = "") -> ChosenSite | None:
    """A point on Earth, or None."""
    if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180):
        return None
    return ChosenSite(title[:LONGEST], lat, lon)


def remember(response: Response, site: ChosenSite | None) -> None:
    """Keep a guest's point for a year, or forget it."""
    if site is None:
        response.delete_cookie(COOKIE, path="/")
        return
    sessions.set_cookie(response, COOKIE, quote(json.dumps([site.title, site.lat, site.lon])), sessions.YEAR)


def to_site(site: ChosenSite | None) -> ToSite | None:
    """What delivery to the site adds to prices."""
    if site is None:
        return None
    return ToSite(*site_rates.of(site.point, current_app.extensions["cache"]))
