"""One truck that collects at several warehouses for one site: who can, for how much, and whose share is what."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from typing import Any

from app.core import money
from app.core.errors import Conflict
from app.logistics import rules, tariffs
from app.logistics.options import Cargo, Carriers
from app.logistics.road import Road, roads
from app.logistics.tariffs import PriceLine
from app.offers.queries import WarehouseRow

MOST_STOPS = 6
"""Warehouses that one truck is sent to."""


@dataclass(frozen=True, slots=True)
class Load:
    """What waits at a warehouse."""

    place: WarehouseRow
    cargo: Cargo


@dataclass(frozen=True, slots=True)
class Joint:
    """A carrier's price for collecting everything. Kopeks, metres; `shares` and `distances` stand as the loads do."""

    carrier_id: int
    carrier_name: str
    tariff_id: int
    public_id: uuid.UUID
    price: int
    lines: tuple[PriceLine, ...]
    distance_m: int
    way: tuple[int, ...]
    """Positions of the loads in the order in which they are collected."""
    shares: tuple[int, ...]
    distances: tuple[int, ...]


def joint(known: Carriers, loads: Sequence[Load], site: Mapping[str, Any]) -> Joint:
    """The cheapest carrier that collects all loads with one truck in one trip.

    Raises:
        Conflict: `no_joint` with `reason`: one_warehouse, many_warehouses, no_common_carrier, too_far, heavy_together,
            large_together, or why no truck can (`rules.refusal`: the longest piece of all, the tightest limit of the
            site and every warehouse, the equipment).
    """
    if not 2 <= len(loads) <= MOST_STOPS:
        raise Conflict("no_joint", reason="one_warehouse" if len(loads) < 2 else "many_warehouses")
    common = _common(known, loads)
    if not common:
        raise Conflict("no_joint", reason="no_common_carrier")
    table = roads([*((load.place.lat, load.place.lon) for load in loads), (float(site["lat"]), float(site["lon"]))])
    way, metres = _shortest(table)
    found, reasons = [], []
    for tariff in common:
        reason = _refusal(known.trucks.get(tariff.carrier_id, ()), tariff, loads, site)
        if metres > tariff.max_km * 1000:
            reason = "too_far"
        if reason is None:
            found.append(_priced(tariff, loads, site, table, way, metres))
        else:
            reasons.append(reason)
    if not found:
        raise Conflict("no_joint", reason=reasons[0])
    return min(found, key=lambda one: (one.price, one.carrier_id, one.tariff_id))


def _common(known: Carriers, loads: Sequence[Load]) -> list[Any]:
    """Tariffs of the carriers that pick up at every warehouse."""
    ids = [{tariff.id for tariff in known.tariffs.get(load.place.id, ())} for load in loads]
    everywhere = set.intersection(*ids)
    return [tariff for tariff in known.tariffs.get(loads[0].place.id, ()) if tariff.id in everywhere]


def _shortest(table: Sequence[Sequence[Road]]) -> tuple[tuple[int, ...], int]:
    """The order of collecting with the shortest way that ends at the site (the last point), and its metres."""
    site = len(table) - 1

    def metres(order: tuple[int, ...]) -> int:
        return sum(table[a][b].distance_m for a, b in zip(order, (*order[1:], site), strict=True))

    best = min(permutations(range(site)), key=lambda order: (metres(order), order))
    return best, metres(best)


def _refusal(trucks: Sequence[rules.Truck], tariff: Any, loads: Sequence[Load], site: Mapping[str, Any]) -> str | None:
    """None when some truck takes everything at once."""
    limits = [int(kg) for kg in (site.get("max_vehicle_kg"), *(load.place.max_vehicle_kg for load in loads)) if kg]
    limited = dict(site) | {"max_vehicle_kg": min(limits) if limits else None}
    mass, volume = _sum(loads)
    longest = max(load.cargo.longest_mm for load in loads)
    able = [truck for truck in trucks if rules.refusal(truck, limited, longest) is None]
    if not able:
        return rules.refusal(trucks[-1], limited, longest) if trucks else "no_truck"
    strong = [truck for truck in able if mass <= min(truck.payload_kg, tariff.max_mass_kg)]
    if not strong:
        return "heavy_together"
    return None if any(volume * 1000 <= truck.volume_l for truck in strong) else "large_together"


def _sum(loads: Sequence[Load]) -> tuple[Fraction, Fraction]:
    mass = sum((Fraction(load.cargo.mass_kg) for load in loads), Fraction(0))
    return mass, sum((Fraction(load.cargo.volume_m3) for load in loads), Fraction(0))


def _priced(
    tariff: Any, loads: Sequence[Load], site: Mapping[str, Any], table: Sequence[Sequence[Road]],
    way: tuple[int, ...], metres: int,
) -> Joint:  # fmt: skip
    mass, volume = _sum(loads)
    price = tariffs.quote(
        tariff, metres, mass, volume, max(load.cargo.longest_mm for load in loads), floor=int(site.get("floor") or 1),
        lift=bool(site.get("lift")), unloading=str(site.get("unloading") or "self"),
        point=(float(site["lat"]), float(site["lon"])),
    )  # fmt: skip
    more = len(loads) - 1
    extra = [PriceLine("extra_pickup", tariff.extra_pickup * more, {"stops": more})] if tariff.extra_pickup else []
    total = price.total + sum(line.amount for line in extra)
    distances = tuple(table[index][-1].distance_m for index in range(len(loads)))
    return Joint(
        tariff.carrier_id, tariff.carrier_name, tariff.id, tariff.public_id, total, (*price.lines, *extra), metres, way,
        tuple(shares(total, loads, distances)), distances,
    )  # fmt: skip


def shares(price: int, loads: Sequence[Load], distances: Sequence[int]) -> list[int]:
    """Whose part of the price is what: by mass times the way from the own warehouse to the site, to the kopek.

    Without any mass or way the parts are equal. The largest remainder makes them sum to the price.
    """
    weights = [Fraction(load.cargo.mass_kg) * metres for load, metres in zip(loads, distances, strict=True)]
    return money.split(price, weights)
