"""What a dispatcher says of trucks, drivers and tariffs, and which figures cannot be."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

from app.core.errors import FieldError, Invalid


@dataclass(frozen=True, slots=True)
class VehicleFacts:
    """What a dispatcher says of a truck: kg, litres, mm; costs in kopeks."""

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


@dataclass(frozen=True, slots=True)
class CourierFacts:
    """What a dispatcher says of a driver; hours are minutes from midnight."""

    name: str
    phone: str = ""
    licence: str = "C"
    vehicle: uuid.UUID | None = None
    shift_from: int = 480
    shift_to: int = 1200
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class TariffFacts:
    """Rates of a tariff in kopeks, see app/logistics/tariffs.py."""

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
        for name in ("fixed_cost", "cost_per_km", "cost_per_hour")
        if getattr(facts, name) < 0
    ]
    if facts.gross_mass_kg < facts.payload_kg:
        errors.append(FieldError("/gross_mass_kg", "too_small", {"minimum": facts.payload_kg}))
    errors += [FieldError(f"/{name}", "required") for name in ("name", "plate") if not getattr(facts, name).strip()]
    if errors:
        raise Invalid(errors)


def check_tariff(facts: TariffFacts) -> None:
    """Refuse figures that cannot be.

    Raises:
        Invalid: every wrong field.
    """
    money = (
        "base", "per_km", "per_tonne", "per_m3", "long_piece", "per_floor_tonne", "hands_tonne", "crane", "tail_lift",
        "minimum", "extra_pickup", "included_km", "long_from_mm",
    )  # fmt: skip
    errors = [FieldError(f"/{name}", "too_small", {"minimum": 0}) for name in money if getattr(facts, name) < 0]
    positive = ("max_mass_kg", "max_km")
    errors += [FieldError(f"/{name}", "too_small", {"minimum": 1}) for name in positive if getattr(facts, name) < 1]
    if not facts.name.strip():
        errors.append(FieldError("/name", "required"))
    if facts.valid_to is not None and facts.valid_to < facts.valid_from:
        errors.append(FieldError("/valid_to", "days_not_in_order"))
    if errors:
        raise Invalid(errors)
