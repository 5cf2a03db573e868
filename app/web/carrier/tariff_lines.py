"""Steps and zones of a tariff as people type them: one a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.errors import Invalid
from app.web.carrier.forms import degrees, kopeks, number


def steps(text: str, name: str, bound: str) -> list[dict[str, int]]:
    """`10 1500`: up to 10 (km or kg) for 1500 roubles; the price stands last.

    Raises:
        Invalid: `step_line`.
    """
    found = []
    for line in filter(str.strip, text.splitlines()):
        first, _space, price = line.strip().partition(" ")
        try:
            found.append({bound: number(first, f"/{name}"), "price": kopeks(price, f"/{name}")})
        except Invalid:
            raise Invalid.one(f"/{name}", "step_line") from None
    return found


def zones(text: str, before: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """`Centre; 55.75, 37.62; 8; 1500`: title, middle, radius in km, roubles. `Centre; ; ; 1500` keeps the corners that
    a zone of that title had before: corners come by the API.

    Raises:
        Invalid: `zone_line`.
    """
    kept = {zone["name"]: zone["polygon"] for zone in before if zone.get("polygon")}
    found: list[dict[str, Any]] = []
    for line in filter(str.strip, text.splitlines()):
        parts = [part.strip() for part in line.split(";")]
        try:
            name, middle, radius, price = parts
            zone: dict[str, Any] = {"name": name, "price": kopeks(price, "/zones")}
            if middle:
                lat, lon = middle.replace(",", " ").split()
                zone |= {"lat": degrees(lat, "/zones"), "lon": degrees(lon, "/zones")}
                zone["radius_m"] = round(degrees(radius, "/zones") * 1000)
            else:
                zone["polygon"] = kept[name]
        except (Invalid, ValueError, KeyError):
            raise Invalid.one("/zones", "zone_line") from None
        found.append(zone)
    return found


def money(value: int) -> str:
    """Kopeks as they are typed."""
    return f"{value // 100},{value % 100:02d}" if value % 100 else str(value // 100)


def steps_text(found: Sequence[Mapping[str, int]], bound: str) -> str:
    """The lines of steps."""
    return "\n".join(f"{one[bound]} {money(one['price'])}" for one in found)


def zones_text(found: Sequence[Mapping[str, Any]]) -> str:
    """The lines of zones."""
    return "\n".join(f"{one['name']}; {_area(one)}; {money(one['price'])}" for one in found)


def _area(zone: Mapping[str, Any]) -> str:
    if zone.get("polygon"):
        return ";"
    return f"{zone['lat']:.6g}, {zone['lon']:.6g}; {zone['radius_m'] / 1000:g}"
