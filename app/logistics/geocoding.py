"""A place for an address. One interface, two sources: the own gazetteer (always), and a remote service when it is set.

The gazetteer knows where deliveries of the carrier went, the warehouses it serves, and the streets of the shipped road
graph. The remote service speaks the search of Nominatim: `?q=...&format=jsonv2&limit=5` answers a list of objects with
`lat`, `lon`, `display_name` and `addresstype`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import sqlalchemy as sa

from app.core.db import session
from app.core.fetch import FetchRefused, Policy, fetch
from app.logistics import streets
from app.logistics.fleet_facts import is_place
from app.logistics.models import CarrierWarehouse, Delivery
from app.offers import queries as offers

Precision = Literal["house", "street", "place"]
MOST = 8
LONGEST = 200
REMOTE_SECONDS = 4.0
REMOTE_BYTES = 256 * 1024
_HOUSES = frozenset({"building", "house", "house_number", "amenity", "shop", "office", "place"})
_STREETS = frozenset({"road", "street", "highway", "residential"})
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that an address may mean. `precision`: house (this very building), street, or place (a district)."""

    lat: float
    lon: float
    label: str
    precision: Precision
    source: str
    """delivered, warehouse, street or remote."""


class Geocoder(Protocol):
    """Whatever finds places for an address."""

    def geocode(self, text: str) -> Sequence[Candidate]: ...


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """What the market knows itself; asks nobody outside."""

    carrier_id: int

    def geocode(self, text: str) -> list[Candidate]:
        """Known buildings first, then streets."""
        found = [*self._warehouses(text), *self._delivered(text)]
        found += [Candidate(*point, name, "street", "street") for name, point in streets.search(text, MOST)]
        return found

    def _delivered(self, text: str) -> list[Candidate]:
        address = Delivery.site["address"].astext
        rows = session.execute(
            sa.select(address, sa.func.max(Delivery.site["lat"].astext), sa.func.max(Delivery.site["lon"].astext))
            .where(Delivery.carrier_id == self.carrier_id, Delivery.site["lat"].astext.is_not(None))
            .where(sa.func.lower(address).like(_pattern(text), escape="\\"))
            .group_by(address)
            .having(sa.func.count(sa.distinct(Delivery.site["lat"].astext)) == 1)
            .order_by(sa.func.max(Delivery.id).desc())
            .limit(MOST)
        )
        return [Candidate(float(lat), float(lon), name, "house", "delivered") for name, lat, lon in rows]

    def _warehouses(self, text: str) -> list[Candidate]:
        served = sa.select(CarrierWarehouse.warehouse_id).where(CarrierWarehouse.carrier_id == self.carrier_id)
        words = _words(text)
        places = offers.warehouses(session.scalars(served).all()).values()
        named = [p for p in places if words and set(words) <= set(_words(f"{p.name} {p.address}"))]
        return [Candidate(p.lat, p.lon, f"{p.name}, {p.address}", "house", "warehouse") for p in named[:MOST]]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("ё", "е"))


def _pattern(text: str) -> str:
    """All of the text, somewhere in the address; what LIKE would take for its own is taken as it is."""
    plain = " ".join(text.lower().split())
    return "%" + re.sub(r"([\\%_])", r"\\\1", plain) + "%"


@dataclass(frozen=True, slots=True)
class Remote:
    """A service that speaks the search of Nominatim. Whatever goes wrong, it finds nothing."""

    url: str
    anywhere: bool = False
    """Tests and demonstrations only: http and private addresses too."""

    def geocode(self, text: str) -> list[Candidate]:
        """At most five places; none when the service is slow, broken or answers nonsense."""
        query = urlencode({"q": text, "format": "jsonv2", "limit": 5})
        glue = "&" if "?" in self.url else "?"
        try:
            body = fetch(f"{self.url}{glue}{query}", Policy(REMOTE_BYTES, self.anywhere, REMOTE_SECONDS))
            items = json.loads(body)
        except (FetchRefused, ValueError):
            return []
        found = (_read(item) for item in items[:5]) if isinstance(items, list) else iter(())
        return [one for one in found if one is not None]


def _read(item: Any) -> Candidate | None:
    try:
        lat, lon = float(item["lat"]), float(item["lon"])
        label = str(item["display_name"])[:LONGEST]
        kind = str(item.get("addresstype") or item.get("type") or "")
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if not is_place(lat, lon):
        return None
    precision: Precision = "house" if kind in _HOUSES else "street" if kind in _STREETS else "place"
    return Candidate(lat, lon, label, precision, "remote")


def geocode(text: str, sources: Sequence[Geocoder]) -> list[Candidate]:
    """Places for an address, the most precise first, each once; those of earlier sources before others alike."""
    asked = text.strip()[:LONGEST]
    if not asked:
        return []
    found: dict[tuple[float, float], Candidate] = {}
    for source in sources:
        for one in source.geocode(asked):
            found.setdefault((round(one.lat, 5), round(one.lon, 5)), one)
    order = {"house": 0, "street": 1, "place": 2}
    return sorted(found.values(), key=lambda one: order[one.precision])[:MOST]


def sources(carrier_id: int, url: str = "", *, anywhere: bool = False) -> list[Geocoder]:
    """The gazetteer of a carrier, and the remote service when an address is set."""
    own: list[Geocoder] = [Gazetteer(carrier_id)]
    return [*own, Remote(url, anywhere)] if url else own
