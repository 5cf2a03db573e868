"""Which carriers bring a load from a warehouse to a site, and for how much: what carts and checkouts offer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.core.db import session
from app.core.errors import Conflict
from app.logistics import rules, tariffs
from app.logistics.models import Carrier, CarrierWarehouse, Tariff, Vehicle
from app.logistics.road import Road, road
from app.offers.queries import WarehouseRow


@dataclass(frozen=True, slots=True)
class DeliveryOption:
    """One carrier's price for a delivery, with its reasons. Kopeks, metres, seconds."""

    carrier_id: int
    carrier_name: str
    tariff_id: int
    public_id: uuid.UUID
    """The tariff's: what a choice names."""
    price: int
    lines: tuple[tariffs.PriceLine, ...]
    trips: int
    distance_m: int
    duration_s: int
    is_estimate: bool
    """The distance is a straight line with a factor, not a road."""

    def lines_json(self) -> list[dict[str, Any]]:
        return [line.as_json() for line in self.lines]


@dataclass(frozen=True, slots=True)
class Carriers:
    """Who carries on a day: tariffs by the warehouses they are valid from, trucks by their carriers."""

    tariffs: Mapping[int, Sequence[Any]]
    trucks: Mapping[int, Sequence[rules.Truck]]


@dataclass(frozen=True, slots=True)
class Cargo:
    """What one trip has to carry."""

    mass_kg: Decimal | int
    volume_m3: Decimal | int
    longest_mm: int


_TARIFFS = (
    sa.select(
        CarrierWarehouse.warehouse_id, CarrierWarehouse.is_preferred, Carrier.name.label("carrier_name"),
        *(c for c in Tariff.__table__.c if c.name != "name"),
    )
    .join(Tariff, Tariff.carrier_id == Carrier.id)
    .join(CarrierWarehouse, CarrierWarehouse.carrier_id == Carrier.id)
    .where(
        CarrierWarehouse.warehouse_id.in_(sa.bindparam("places", expanding=True)),
        Carrier.is_active,
        Tariff.valid_from <= sa.bindparam("day", type_=sa.Date),
        sa.or_(Tariff.valid_to.is_(None), Tariff.valid_to >= sa.bindparam("day", type_=sa.Date)),
    )
    .order_by(Tariff.id)
)  # fmt: skip
_TRUCKS = sa.select(
    Vehicle.carrier_id, Vehicle.payload_kg, Vehicle.volume_l, Vehicle.longest_mm, Vehicle.gross_mass_kg,
    Vehicle.height_mm, Vehicle.has_crane, Vehicle.has_tail_lift,
).where(Vehicle.carrier_id.in_(sa.bindparam("carriers", expanding=True)), Vehicle.is_active)  # fmt: skip


def carriers(warehouse_ids: Iterable[int], day: date) -> Carriers:
    """Everything that prices a delivery from these warehouses on a day: two queries, however many there are."""
    rows = session.execute(_TARIFFS, {"places": sorted(set(warehouse_ids)), "day": day}).all()
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.warehouse_id, []).append(row)
    return Carriers(found, _trucks(sorted({row.carrier_id for row in rows})))


def _trucks(carrier_ids: list[int]) -> dict[int, list[rules.Truck]]:
    found: dict[int, list[rules.Truck]] = {}
    for row in session.execute(_TRUCKS, {"carriers": carrier_ids}):
        facts: list[Any] = list(row[1:])
        found.setdefault(row[0], []).append(rules.Truck(*facts))
    return found


def options(known: Carriers, place: WarehouseRow, site: Mapping[str, Any], cargo: Cargo) -> list[DeliveryOption]:
    """What carriers ask for bringing a load from a warehouse to a site: whom the seller prefers, then cheapest first.
    Of several tariffs of a carrier the cheapest for this load counts.

    A carrier is asked when it serves the warehouse, has a tariff for the day that reaches so far, and owns a truck that
    can: the longest piece, the limits of the site and of the warehouse, the equipment. A load heavier than a truck goes
    in several trips.

    Args:
        site: lat, lon, max_vehicle_kg, max_height_mm, floor, lift, unloading.

    Raises:
        Conflict: `no_carrier` with `reason` (no_carrier_here, too_far, or why no truck can, see `rules.refusal`).
    """
    asked = known.tariffs.get(place.id, ())
    if not asked:
        raise Conflict("no_carrier", reason="no_carrier_here")
    limits = [int(kg) for kg in (site.get("max_vehicle_kg"), place.max_vehicle_kg) if kg]
    limited = dict(site) | {"max_vehicle_kg": min(limits) if limits else None}
    way = road((place.lat, place.lon), (float(site["lat"]), float(site["lon"])))
    found, reasons = [], []
    for tariff in asked:
        reason = _refusal(known.trucks.get(tariff.carrier_id, ()), limited, cargo.longest_mm)
        if way.distance_m > tariff.max_km * 1000:
            reason = "too_far"
        if reason is not None:
            reasons.append(reason)
            continue
        found.append(_option(tariff, way, site, cargo))
    if not found:
        raise Conflict("no_carrier", reason=reasons[0])
    preferred = {tariff.carrier_id for tariff in asked if tariff.is_preferred}
    found.sort(key=lambda o: (o.carrier_id not in preferred, o.price, o.carrier_id, o.tariff_id))
    cheapest: dict[int, DeliveryOption] = {}
    for option in found:
        cheapest.setdefault(option.carrier_id, option)
    return list(cheapest.values())


def _refusal(trucks: Sequence[rules.Truck], site: Mapping[str, Any], longest_mm: int) -> str | None:
    """None when some truck can; otherwise why the last of them cannot."""
    if not trucks:
        return "no_truck"
    refusals = [rules.refusal(truck, site, longest_mm) for truck in trucks]
    return None if None in refusals else refusals[-1]


def _option(tariff: Any, way: Road, site: Mapping[str, Any], cargo: Cargo) -> DeliveryOption:
    price = tariffs.quote(
        tariff,
        way.distance_m,
        cargo.mass_kg,
        cargo.volume_m3,
        cargo.longest_mm,
        floor=int(site.get("floor") or 1),
        lift=bool(site.get("lift")),
        unloading=str(site.get("unloading") or "self"),
        point=(float(site["lat"]), float(site["lon"])),
    )
    return DeliveryOption(
        tariff.carrier_id, tariff.carrier_name, tariff.id, tariff.public_id, price.total, price.lines, price.trips,
        way.distance_m, way.duration_s, way.is_estimate,
    )  # fmt: skip
