"""Bodies and answers of the carrier's calls."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any, Literal

from pydantic import Field

from app.api.schemas import MoneyOut, PageQuery, Schema, Utc
from app.logistics import plans
from app.logistics.models import DELIVERY_STATES

Kopeks = Field(ge=0, le=10**12)
Size = Field(ge=1, le=10**9)
Minute = Field(ge=0, le=1440)


class Made(Schema):
    """The id of what was made."""

    id: uuid.UUID


class VehicleIn(Schema):
    """A truck: kg, litres, mm; costs in kopeks."""

    name: str = Field(min_length=1, max_length=80)
    plate: str = Field(min_length=1, max_length=20)
    payload_kg: int = Size
    volume_l: int = Size
    longest_mm: int = Size
    gross_mass_kg: int = Size
    height_mm: int = Field(default=3000, ge=1, le=10**5)
    has_crane: bool = False
    has_tail_lift: bool = False
    fixed_cost: int = Field(default=0, ge=0, le=10**12)
    cost_per_km: int = Kopeks
    cost_per_hour: int = Kopeks
    is_active: bool = True


class VehiclePatch(Schema):
    """Any of a truck's figures."""

    name: str | None = Field(default=None, min_length=1, max_length=80)
    plate: str | None = Field(default=None, min_length=1, max_length=20)
    payload_kg: int | None = Field(default=None, ge=1, le=10**9)
    volume_l: int | None = Field(default=None, ge=1, le=10**9)
    longest_mm: int | None = Field(default=None, ge=1, le=10**9)
    gross_mass_kg: int | None = Field(default=None, ge=1, le=10**9)
    height_mm: int | None = Field(default=None, ge=1, le=10**5)
    has_crane: bool | None = None
    has_tail_lift: bool | None = None
    fixed_cost: int | None = Field(default=None, ge=0, le=10**12)
    cost_per_km: int | None = Field(default=None, ge=0, le=10**12)
    cost_per_hour: int | None = Field(default=None, ge=0, le=10**12)
    is_active: bool | None = None


class VehicleOut(VehicleIn):
    """A truck with its id and version."""

    id: uuid.UUID
    version: int


class CourierIn(Schema):
    """A driver; hours are minutes from midnight, `vehicle` the truck usually driven."""

    email: str = Field(max_length=254)
    name: str = Field(min_length=1, max_length=120)
    phone: str = Field(default="", max_length=40)
    licence: str = Field(default="C", max_length=10)
    vehicle: uuid.UUID | None = None
    shift_from: int = Field(default=480, ge=0, le=1440)
    shift_to: int = Field(default=1200, ge=0, le=1440)
    is_active: bool = True


class CourierPatch(Schema):
    """Any of a driver's facts."""

    name: str | None = Field(default=None, min_length=1, max_length=120)
    phone: str | None = Field(default=None, max_length=40)
    licence: str | None = Field(default=None, max_length=10)
    vehicle: uuid.UUID | None = None
    shift_from: int | None = Field(default=None, ge=0, le=1440)
    shift_to: int | None = Field(default=None, ge=0, le=1440)
    is_active: bool | None = None


class CourierOut(Schema):
    """A driver."""

    id: uuid.UUID
    name: str
    phone: str
    licence: str
    vehicle: uuid.UUID | None
    shift_from: int
    shift_to: int
    is_active: bool
    version: int


class ShiftIn(Schema):
    """Who drives what on a day; minutes from midnight."""

    courier: uuid.UUID
    vehicle: uuid.UUID
    day: date
    from_minute: int = Minute
    to_minute: int = Minute


class ShiftOut(Schema):
    """A shift."""

    id: uuid.UUID
    day: date
    courier: uuid.UUID
    vehicle: uuid.UUID
    starts_at: Utc
    ends_at: Utc
    started_at: Utc | None
    ended_at: Utc | None


class OnDay(Schema):
    """A day; today when not said."""

    day: date | None = Field(default=None, alias="date")


class ShiftsQuery(OnDay, PageQuery):
    """Shifts of a day."""


class TariffIn(Schema):
    """Rates in kopeks with VAT; see the price lines of a quote."""

    name: str = Field(min_length=1, max_length=80)
    base: int = Kopeks
    included_km: int = Field(default=0, ge=0, le=10**4)
    per_km: int = Kopeks
    per_tonne: int = Kopeks
    per_m3: int = Field(default=0, ge=0, le=10**12)
    long_from_mm: int = Field(default=4000, ge=0, le=10**5)
    long_piece: int = Field(default=0, ge=0, le=10**12)
    per_floor_tonne: int = Field(default=0, ge=0, le=10**12)
    hands_tonne: int = Field(default=0, ge=0, le=10**12)
    crane: int = Field(default=0, ge=0, le=10**12)
    tail_lift: int = Field(default=0, ge=0, le=10**12)
    minimum: int = Field(default=0, ge=0, le=10**12)
    extra_pickup: int = Field(default=0, ge=0, le=10**12)
    max_mass_kg: int = Size
    max_km: int = Field(default=100, ge=1, le=10**4)
    valid_from: date
    valid_to: date | None = None


class TariffPatch(Schema):
    """Any of a tariff's rates."""

    name: str | None = Field(default=None, min_length=1, max_length=80)
    base: int | None = Field(default=None, ge=0, le=10**12)
    included_km: int | None = Field(default=None, ge=0, le=10**4)
    per_km: int | None = Field(default=None, ge=0, le=10**12)
    per_tonne: int | None = Field(default=None, ge=0, le=10**12)
    per_m3: int | None = Field(default=None, ge=0, le=10**12)
    long_from_mm: int | None = Field(default=None, ge=0, le=10**5)
    long_piece: int | None = Field(default=None, ge=0, le=10**12)
    per_floor_tonne: int | None = Field(default=None, ge=0, le=10**12)
    hands_tonne: int | None = Field(default=None, ge=0, le=10**12)
    crane: int | None = Field(default=None, ge=0, le=10**12)
    tail_lift: int | None = Field(default=None, ge=0, le=10**12)
    minimum: int | None = Field(default=None, ge=0, le=10**12)
    extra_pickup: int | None = Field(default=None, ge=0, le=10**12)
    max_mass_kg: int | None = Field(default=None, ge=1, le=10**9)
    max_km: int | None = Field(default=None, ge=1, le=10**4)
    valid_from: date | None = None
    valid_to: date | None = None


class TariffOut(TariffIn):
    """A tariff with its id and version."""

    id: uuid.UUID
    version: int


class DeliveryQuery(PageQuery):
    """A day and a state."""

    day: date | None = Field(default=None, alias="date")
    state: Literal[DELIVERY_STATES] | None = None  # type: ignore[valid-type]  # the states are a constant tuple


class DeliveryOut(Schema):
    """A delivery as its carrier sees it: never the buyer's PIN."""

    id: uuid.UUID
    number: str
    state: str
    date: date
    window_from: Utc
    window_to: Utc
    pickup: dict[str, Any]
    site: dict[str, Any]
    cargo: list[dict[str, Any]]
    needs: list[str]
    mass_kg: int
    volume_l: int
    longest_mm: int
    price: MoneyOut
    cash_due: MoneyOut
    problems: list[str]


class PlanIn(Schema):
    """What to plan: a day, and how long the solver may polish."""

    day: date = Field(alias="date")
    deliveries: list[uuid.UUID] | None = Field(default=None, max_length=1000)
    vehicles: list[uuid.UUID] | None = Field(default=None, max_length=200)
    time_limit_s: int = Field(default=10, ge=plans.MIN_SECONDS, le=plans.MAX_SECONDS)


class StopOut(Schema):
    """A stop of a planned route."""

    id: uuid.UUID
    delivery: uuid.UUID
    number: str
    kind: Literal["pickup", "drop"]
    sequence: int
    lot: int
    lots: int
    locked: bool
    state: str
    planned_arrival: Utc
    eta: Utc | None


class RouteOut(Schema):
    """A truck's day."""

    id: uuid.UUID
    vehicle: uuid.UUID
    courier: uuid.UUID | None
    state: str
    stops: list[StopOut]
    distance_m: int
    duration_s: int
    load: dict[str, int]
    cost: MoneyOut
    starts_at: Utc
    ends_at: Utc


class LeftOut(Schema):
    """A delivery in no route: a stable code, its figures, and the same in words."""

    delivery: uuid.UUID
    number: str
    reason: str
    context: dict[str, Any]
    detail: str


class ViolationOut(Schema):
    """A rule that a draft changed by hand breaks: of a stop, or of a truck's whole day."""

    code: str
    vehicle: uuid.UUID | None
    stop: uuid.UUID | None
    figures: dict[str, Any]
    detail: str


class PlanOut(Schema):
    """A version of a day's plan."""

    id: uuid.UUID
    date: date
    version: int
    status: Literal["draft", "published", "superseded"]
    routes: list[RouteOut]
    unassigned: list[LeftOut]
    cost: MoneyOut
    distance_m: int
    duration_s: int
    quality: str
    edit: int
    violations: list[ViolationOut]
