"""A carrier's trucks and deliveries in the shapes of the planner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from app.core import clock
from app.logistics import rules
from app.logistics.fleet import TruckOfDay
from app.logistics.queries import DeliveryRow
from app.logistics.routing.problem import BREAK_S, Place, Shipment, Truck

LOADING_MINUTES = 20
"""At a warehouse that does not say how long loading takes."""


def seconds_of(day: date, moment: datetime) -> int:
    """Seconds from local midnight of the day."""
    return int((moment - clock.at(day, 0)).total_seconds())


def moment_of(day: date, seconds: int) -> datetime:
    """The moment so many seconds after local midnight of the day."""
    return clock.at(day, 0) + timedelta(seconds=seconds)


def truck_shape(truck: TruckOfDay, day: date, starts: datetime, ends: datetime) -> Truck:
    """The truck as a solver knows it, out between two moments."""
    vehicle, yard = truck.vehicle, Place(*truck.yard)
    equipment = (("crane", vehicle.has_crane), ("tail_lift", vehicle.has_tail_lift))
    return Truck(
        id=str(vehicle.id),
        start=yard,
        end=yard,
        payload_kg=vehicle.payload_kg,
        volume_l=vehicle.volume_l,
        longest_mm=vehicle.longest_mm,
        gross_mass_kg=vehicle.gross_mass_kg,
        height_mm=vehicle.height_mm,
        shift=(seconds_of(day, starts), seconds_of(day, ends)),
        skills=frozenset(name for name, has in equipment if has),
        fixed_cost_kop=vehicle.fixed_cost,
        cost_per_km_kop=vehicle.cost_per_km,
        cost_per_hour_kop=vehicle.cost_per_hour,
        break_s=max(truck.break_minutes * 60, BREAK_S),
        break_window=_break_window(truck, day, starts, ends),
    )


def _break_window(truck: TruckOfDay, day: date, starts: datetime, ends: datetime) -> tuple[int, int] | None:
    """When the driver's break may start, within what is left of the shift; None: at any time of it."""
    if truck.break_from is None or truck.break_to is None:
        return None
    first, last = max(truck.break_from * 60, seconds_of(day, starts)), min(truck.break_to * 60, seconds_of(day, ends))
    return (first, last) if first <= last else None


def lots_of(row: DeliveryRow, trucks: Sequence[Truck]) -> int:
    """In how many lots a delivery goes: one, or more when the largest able truck is too small."""
    needs, limit, height = frozenset(row.needs), row.site.get("max_vehicle_kg"), row.site.get("max_height_mm")
    able = [
        t
        for t in trucks
        if needs <= t.skills
        and row.longest_mm <= t.longest_mm
        and (not limit or t.gross_mass_kg <= int(limit))
        and (not height or t.height_mm <= int(height))
    ]
    largest = max(able, key=lambda t: (t.payload_kg, t.volume_l), default=None)
    if largest is None:
        return 1
    return rules.lots_of(row.mass_kg, row.volume_l, largest.payload_kg, largest.volume_l)


def shipment_of(row: DeliveryRow, day: date, lot: int, number: int) -> Shipment:
    """One lot of a delivery. Deliveries that were sold as one truck go together."""
    pickup, site = row.pickup, row.site
    opens, closes = int(pickup.get("opens_at", 0)), int(pickup.get("closes_at", 1440))
    limit, height = site.get("max_vehicle_kg"), site.get("max_height_mm")
    return Shipment(
        id=f"{row.id}.{lot}",
        pickup=Place(float(pickup["lat"]), float(pickup["lon"])),
        dropoff=Place(float(site["lat"]), float(site["lon"])),
        mass_kg=rules.share(row.mass_kg, number, lot),
        volume_l=rules.share(row.volume_l, number, lot),
        longest_mm=row.longest_mm,
        pickup_window=(opens * 60, closes * 60),
        drop_window=(seconds_of(day, row.window_from), seconds_of(day, row.window_to)),
        pickup_service_s=60 * int(pickup.get("loading_minutes", LOADING_MINUTES)),
        drop_service_s=60 * -(-row.unloading_minutes // number),
        needs=frozenset(row.needs),
        max_vehicle_mass_kg=int(limit) if limit else None,
        max_vehicle_height_mm=int(height) if height else None,
        together=None if row.joint_id is None else f"joint {row.joint_id}",
    )
