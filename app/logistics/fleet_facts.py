"""What a dispatcher says of trucks, drivers and tariffs, and which figures cannot be."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.core.errors import FieldError, Invalid
from app.logistics.driving import CATEGORIES, SKILLS, fuel_per_km
from app.logistics.models import BODIES, FUELS

MOST_STEPS = 30


@dataclass(frozen=True, slots=True)
class VehicleFacts:
    """What a dispatcher says of a truck: kg, litres, mm; costs in kopeks, fuel in millilitres a kilometre."""

    name: str
    plate: str
    payload_kg: int
    volume_l: int
    longest_mm: int
    gross_mass_kg: int
    cost_per_km: int
    cost_per_hour: int
    height_mm: int = 3000
    has_crane: bool = False
    has_tail_lift: bool = False
    fixed_cost: int = 0
    is_active: bool = True
    body: str = "tilt"
    axle_load_kg: int | None = None
    fuel: str = "diesel"
    fuel_ml_per_km: int = 0
    fuel_price: int = 0
    depot: uuid.UUID | None = None
    """None: the main yard."""


@dataclass(frozen=True, slots=True)
class CourierFacts:
    """What a dispatcher says of a driver; hours are minutes from midnight, work days ISO weekdays.

    `licences`: category -> the last day it is valid (None: no end); empty: `licence` names the categories.
    `break_from`, `break_to`: when the break may start; None: at any time of the shift.
    """

    name: str
    phone: str = ""
    licence: str = "C"
    vehicle: uuid.UUID | None = None
    shift_from: int = 480
    shift_to: int = 1200
    is_active: bool = True
    licences: Mapping[str, date | None] = field(default_factory=dict)
    skills: Sequence[str] = ()
    work_days: Sequence[int] = (1, 2, 3, 4, 5, 6, 7)
    break_minutes: int = 45
    break_from: int | None = None
    break_to: int | None = None


@dataclass(frozen=True, slots=True)
class TariffFacts:
    """Rates of a tariff in kopeks, see app/logistics/tariffs.py; zones and steps as the table keeps them."""

    name: str
    base: int
    per_km: int
    per_tonne: int
    max_mass_kg: int
    valid_from: date
    included_km: int = 0
    per_m3: int = 0
    long_from_mm: int = 4000
    long_piece: int = 0
    per_floor_tonne: int = 0
    hands_tonne: int = 0
    crane: int = 0
    tail_lift: int = 0
    minimum: int = 0
    extra_pickup: int = 0
    max_km: int = 100
    valid_to: date | None = None
    zones: Sequence[Mapping[str, Any]] = ()
    distance_steps: Sequence[Mapping[str, Any]] = ()
    mass_steps: Sequence[Mapping[str, Any]] = ()
    free_minutes: int = 60
    waiting_step: int = 30
    per_waiting_step: int = 0


def check_vehicle(facts: VehicleFacts) -> None:
    """Refuse figures that cannot be.

    Raises:
        Invalid: every wrong field.
    """
    errors = [
        FieldError(f"/{name}", "too_small", {"minimum": 1})
        for name in ("payload_kg", "volume_l", "longest_mm", "height_mm")
        if getattr(facts, name) < 1
    ]
    errors += [
        FieldError(f"/{name}", "too_small", {"minimum": 0})
        for name in ("fixed_cost", "cost_per_km", "cost_per_hour", "fuel_ml_per_km", "fuel_price")
        if getattr(facts, name) < 0
    ]
    if facts.axle_load_kg is not None and not 1 <= facts.axle_load_kg <= facts.gross_mass_kg:
        errors.append(FieldError("/axle_load_kg", "out_of_range", {"minimum": 1, "maximum": facts.gross_mass_kg}))
    errors += [
        FieldError(f"/{name}", "unknown_option")
        for name, known in (("body", BODIES), ("fuel", FUELS))
        if getattr(facts, name) not in known
    ]
    fuel = fuel_per_km(facts.fuel_ml_per_km, facts.fuel_price)
    if fuel > facts.cost_per_km >= 0:
        errors.append(FieldError("/cost_per_km", "cheaper_than_fuel", {"fuel": f"{fuel / 100:.2f}"}))
    if facts.gross_mass_kg < facts.payload_kg:
        errors.append(FieldError("/gross_mass_kg", "too_small", {"minimum": facts.payload_kg}))
    errors += [FieldError(f"/{name}", "required") for name in ("name", "plate") if not getattr(facts, name).strip()]
    if errors:
        raise Invalid(errors)


def check_courier(facts: CourierFacts) -> list[FieldError]:
    """Every wrong field of a driver."""
    errors = [] if facts.name.strip() else [FieldError("/name", "required")]
    if not 0 <= facts.shift_from < facts.shift_to <= 1440:
        errors.append(FieldError("/shift_to", "hours_not_in_order"))
    if not set(facts.licences) <= set(CATEGORIES):
        errors.append(FieldError("/licences", "unknown_option"))
    if not set(facts.skills) <= set(SKILLS):
        errors.append(FieldError("/skills", "unknown_option"))
    if not facts.work_days or not set(facts.work_days) <= set(range(1, 8)):
        errors.append(FieldError("/work_days", "unknown_option" if facts.work_days else "required"))
    if not 0 <= facts.break_minutes <= 240:
        errors.append(FieldError("/break_minutes", "out_of_range", {"minimum": 0, "maximum": 240}))
    start, end = facts.break_from, facts.break_to
    if (start is None) != (end is None):
        errors.append(FieldError("/break_to" if end is None else "/break_from", "required"))
    elif start is not None and end is not None and not facts.shift_from <= start <= end < facts.shift_to:
        errors.append(FieldError("/break_to", "break_out_of_shift"))
    return errors


def check_tariff(facts: TariffFacts) -> None:
    """Refuse figures that cannot be.

    Raises:
        Invalid: every wrong field.
    """
    money = (
        "base", "per_km", "per_tonne", "per_m3", "long_piece", "per_floor_tonne", "hands_tonne", "crane", "tail_lift",
        "minimum", "extra_pickup", "included_km", "long_from_mm", "per_waiting_step", "free_minutes",
    )  # fmt: skip
    errors = [FieldError(f"/{name}", "too_small", {"minimum": 0}) for name in money if getattr(facts, name) < 0]
    positive = ("max_mass_kg", "max_km", "waiting_step")
    errors += [FieldError(f"/{name}", "too_small", {"minimum": 1}) for name in positive if getattr(facts, name) < 1]
    if not facts.name.strip():
        errors.append(FieldError("/name", "required"))
    if facts.valid_to is not None and facts.valid_to < facts.valid_from:
        errors.append(FieldError("/valid_to", "days_not_in_order"))
    errors += _wrong_steps("distance_steps", facts.distance_steps, "up_to_km")
    errors += _wrong_steps("mass_steps", facts.mass_steps, "up_to_kg")
    errors += [error for number, zone in enumerate(facts.zones) for error in _wrong_zone(number, zone)]
    if len({str(zone.get("name", "")).casefold() for zone in facts.zones}) < len(facts.zones):
        errors.append(FieldError("/zones", "zone_twice"))
    if errors:
        raise Invalid(errors)


def _wrong_steps(name: str, steps: Sequence[Mapping[str, Any]], bound: str) -> list[FieldError]:
    """Bounds rise, so that steps meet without a gap; prices never fall, so that more never costs less."""
    if len(steps) > MOST_STEPS:
        return [FieldError(f"/{name}", "too_many", {"maximum": MOST_STEPS})]
    last, price = 0, 0
    for number, step in enumerate(steps):
        if set(step) != {bound, "price"} or not all(isinstance(value, int) for value in step.values()):
            return [FieldError(f"/{name}/{number}", "wrong_type")]
        if step[bound] <= last or step["price"] < price:
            return [FieldError(f"/{name}/{number}", "steps_not_rising")]
        last, price = step[bound], step["price"]
    return []


def _wrong_zone(number: int, zone: Mapping[str, Any]) -> list[FieldError]:
    """A zone has a name, a price, and either three corners or more, or a centre and a radius."""
    pointer = f"/zones/{number}"
    if not str(zone.get("name", "")).strip() or not isinstance(zone.get("price"), int) or zone["price"] < 0:
        return [FieldError(pointer, "wrong_zone")]
    if zone.get("polygon"):
        corners = zone["polygon"]
        if len(corners) < 3 or not all(len(c) == 2 and is_place(*c) for c in corners):
            return [FieldError(f"{pointer}/polygon", "wrong_zone")]
        return []
    if not is_place(zone.get("lat"), zone.get("lon")) or not 100 <= int(zone.get("radius_m") or 0) <= 500_000:
        return [FieldError(pointer, "wrong_zone")]
    return []


def is_place(lat: Any, lon: Any) -> bool:
    """Whether it is a place on Earth."""
    return isinstance(lat, int | float) and isinstance(lon, int | float) and abs(lat) <= 90 and abs(lon) <= 180
