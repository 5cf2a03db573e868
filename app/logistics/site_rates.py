"""What delivery to a point adds to prices in lists: one figure for each seller, not a quote.

The figure is the price of a tonne from the seller's best warehouse by the best tariff, unloaded at the kerb, over the
straight line with the usual detour. Lists add it to each base unit by its mass; checkout asks for the true price.
"""

from __future__ import annotations

import json
import math

import sqlalchemy as sa

from app.core import clock
from app.core.cache import Cache
from app.core.db import session
from app.logistics import tariffs
from app.logistics.models import Carrier, CarrierWarehouse, Tariff
from app.logistics.road import DETOUR
from app.offers.queries import active_places

CACHE_NAME = "rates"
KEPT_SECONDS = 600
LOT_KG = 1000
NEAR_M = 12_000
"""So far by road counts as near the site in the order of lists."""
EARTH_M = 6_371_000

Point = tuple[float, float]


def rounded(point: Point) -> Point:
    """The point to some hundred metres: sites of one street share what is kept for them."""
    return round(point[0], 3), round(point[1], 3)


def of(point: Point, cache: Cache | None = None) -> tuple[dict[int, int], tuple[int, ...]]:
    """(seller -> kopeks for a tonne brought to the point, sellers near it). Kept in the cache for some minutes.

    A seller whom no carrier serves so far has no rate.
    """
    place = rounded(point)
    text = (
        cache.get_or_make(CACHE_NAME, f"{place}", lambda: _text(place), seconds=KEPT_SECONDS) if cache else _text(place)
    )
    rates, near = json.loads(text)
    return {int(seller): rate for seller, rate in rates.items()}, tuple(near)


def _text(point: Point) -> str:
    today = clock.today()
    served: dict[int, list[Tariff]] = {}
    rows = session.execute(
        sa.select(CarrierWarehouse.warehouse_id, Tariff)
        .join(Carrier, Carrier.id == CarrierWarehouse.carrier_id)
        .join(Tariff, Tariff.carrier_id == Carrier.id)
        .where(Carrier.is_active, Tariff.valid_from <= today)
        .where(sa.or_(Tariff.valid_to.is_(None), Tariff.valid_to >= today))
    )
    for warehouse, tariff in rows:
        served.setdefault(warehouse, []).append(tariff)
    rates: dict[int, int] = {}
    near = set()
    for warehouse, seller, lat, lon in active_places():
        away = road_metres((lat, lon), point)
        if away <= NEAR_M:
            near.add(seller)
        for tariff in served.get(warehouse, ()):
            if away <= tariff.max_km * 1000:
                price = tariffs.quote(tariff, away, LOT_KG, 0, 0, point=point).total
                rates[seller] = min(price, rates.get(seller, price))
    return json.dumps([rates, sorted(near)])


def road_metres(a: Point, b: Point) -> int:
    """The way by road as a straight line with the usual detour."""
    lat_a, lon_a, lat_b, lon_b = (math.radians(x) for x in (*a, *b))
    half = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return round(2 * EARTH_M * math.asin(math.sqrt(min(1.0, half))) * DETOUR)
