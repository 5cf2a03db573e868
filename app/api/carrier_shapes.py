"""Bodies and answers of the carrier's calls."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any, Literal

from pydantic import Field

from app.api.schemas import MoneyOut, PageQuery, Schema, Utc
from app.logistics import plans
from app.logistics.delivery_table import SORTS
from app.logistics.driving import CATEGORIES, SKILLS
from app.logistics.models import BODIES, DELIVERY_STATES, FUELS

Kopeks = Field(ge=0, le=10**12)
Size = Field(ge=1, le=10**9)
Minute = Field(ge=0, le=1440)


class Made(Schema):
    """The id of what was made."""

    id: uuid.UUID


class VehicleIn(Schema):
    """A truck: kg, litres, mm; costs in kopeks. The fuel (ml a km, kopeks a litre) is part of cost_per_km."""

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
    body: Literal[BODIES] = "tilt"  # type: ignore[valid-type]  # the bodies are a constant tuple
    axle_load_kg: int | None = Field(default=None, ge=1, le=10**6)
    fuel: Literal[FUELS] = "diesel"  # type: ignore[valid-type]  # the fuels are a constant tuple
    fuel_ml_per_km: int = Field(default=0, ge=0, le=10**5)
    fuel_price: int = Field(default=0, ge=0, le=10**7)
    depot: uuid.UUID | None = None


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
    body: Literal[BODIES] | None = None  # type: ignore[valid-type]  # the bodies are a constant tuple
    axle_load_kg: int | None = Field(default=None, ge=1, le=10**6)
    fuel: Literal[FUELS] | None = None  # type: ignore[valid-type]  # the fuels are a constant tuple
    fuel_ml_per_km: int | None = Field(default=None, ge=0, le=10**5)
    fuel_price: int | None = Field(default=None, ge=0, le=10**7)
    depot: uuid.UUID | None = None


class VehicleOut(VehicleIn):
    """A truck with its id and version; `fuel_per_km`: kopeks of cost_per_km that are fuel."""

    id: uuid.UUID
    version: int
    fuel_per_km: int


class CourierIn(Schema):
    """A driver; hours are minutes from midnight, `vehicle` the truck usually driven.

    `licences`: category -> last day of it (null: no end); without it `licence` names the categories. The break may
    start from `break_from` to `break_to`.
    """

    email: str = Field(max_length=254)
    name: str = Field(min_length=1, max_length=120)
    phone: str = Field(default="", max_length=40)
    licence: str = Field(default="C", max_length=10)
    vehicle: uuid.UUID | None = None
    shift_from: int = Field(default=480, ge=0, le=1440)
    shift_to: int = Field(default=1200, ge=0, le=1440)
    is_active: bool = True
    licences: dict[Literal[CATEGORIES], date | None] = Field(default_factory=dict)  # type: ignore[valid-type]  # constant
    skills: list[Literal[SKILLS]] = Field(default_factory=list, max_length=10)  # type: ignore[valid-type]  # constant
    work_days: list[int] = Field(default=[1, 2, 3, 4, 5, 6, 7], min_length=1, max_length=7)
    break_minutes: int = Field(default=45, ge=0, le=240)
    break_from: int | None = Field(default=None, ge=0, le=1440)
    break_to: int | None = Field(default=None, ge=0, le=1440)


class CourierPatch(Schema):
    """Any of a driver's facts."""

    name: str | None = Field(default=None, min_length=1, max_length=120)
    phone: str | None = Field(default=None, max_length=40)
    licence: str | None = Field(default=None, max_length=10)
    vehicle: uuid.UUID | None = None
    shift_from: int | None = Field(default=None, ge=0, le=1440)
    shift_to: int | None = Field(default=None, ge=0, le=1440)
    is_active: bool | None = None
    licences: dict[Literal[CATEGORIES], date | None] | None = None  # type: ignore[valid-type]  # constant
    skills: list[Literal[SKILLS]] | None = Field(default=None, max_length=10)  # type: ignore[valid-type]  # constant
    work_days: list[int] | None = Field(default=None, min_length=1, max_length=7)
    break_minutes: int | None = Field(default=None, ge=0, le=240)
    break_from: int | None = Field(default=None, ge=0, le=1440)
    break_to: int | None = Field(default=None, ge=0, le=1440)


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
    licences: dict[str, date | None]
    skills: list[str]
    work_days: list[int]
    break_minutes: int
    break_from: int | None
    break_to: int | None
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
    """Shifts of a day, or of the days up to `until`."""

    until: date | None = None


class DistanceStep(Schema):
    """A flat price of the way up to so many kilometres."""

    up_to_km: int = Field(ge=1, le=10**4)
    price: int = Kopeks


class MassStep(Schema):
    """A flat price of goods up to so many kilograms."""

    up_to_kg: int = Field(ge=1, le=10**6)
    price: int = Kopeks


class Zone(Schema):
    """A named area with a flat price of the way: three corners or more, or a centre with a radius."""

    name: str = Field(min_length=1, max_length=80)
    price: int = Kopeks
    polygon: list[tuple[float, float]] | None = Field(default=None, max_length=200)
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)
    radius_m: int | None = Field(default=None, ge=100, le=500_000)


class TariffIn(Schema):
    """Rates in kopeks with VAT; see the price lines of a quote. Zones come before steps, steps before kilometres."""

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
    zones: list[Zone] = Field(default_factory=list, max_length=50)
    distance_steps: list[DistanceStep] = Field(default_factory=list, max_length=30)
    mass_steps: list[MassStep] = Field(default_factory=list, max_length=30)
    free_minutes: int = Field(default=60, ge=0, le=1440)
    waiting_step: int = Field(default=30, ge=1, le=240)
    per_waiting_step: int = Field(default=0, ge=0, le=10**12)
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
    zones: list[Zone] | None = Field(default=None, max_length=50)
    distance_steps: list[DistanceStep] | None = Field(default=None, max_length=30)
    mass_steps: list[MassStep] | None = Field(default=None, max_length=30)
    free_minutes: int | None = Field(default=None, ge=0, le=1440)
    waiting_step: int | None = Field(default=None, ge=1, le=240)
    per_waiting_step: int | None = Field(default=None, ge=0, le=10**12)
    valid_from: date | None = None
    valid_to: date | None = None


class TariffOut(TariffIn):
    """A tariff with its id and version."""

    id: uuid.UUID
    version: int


class DeliveryQuery(PageQuery):
    """What to look for. `q` looks in numbers, addresses and contacts, over all days when no date is named."""

    day: date | None = Field(default=None, alias="date")
    state: Literal[DELIVERY_STATES] | None = None  # type: ignore[valid-type]  # the states are a constant tuple
    warehouse: uuid.UUID | None = None
    problem: str = Field(default="", max_length=40)
    q: str = Field(default="", max_length=100)
    sort: Literal[SORTS] = "problems"  # type: ignore[valid-type]  # the sorts are a constant tuple


class ProblemOut(Schema):
    """What stands in the way: a stable code, its figures, and in words what would mend it."""

    code: str
    context: dict[str, Any]
    detail: str


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
    reasons: list[ProblemOut]
    version: int


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
