"""The carrier's fleet, deliveries and route plans."""

from __future__ import annotations

import uuid
from dataclasses import fields
from datetime import date
from typing import Any, Literal

from pydantic import Field

from app import access
from app.api import kernel
from app.api.kernel import Answer, Api, expected_version, given_id
from app.api.schemas import JobOut, MoneyOut, Page, Schema, Utc, money
from app.core import clock
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.logistics import crew, fleet, plan_views, plans, queries, service
from app.logistics.models import DELIVERY_STATES
from app.texts import logistics as texts

api = Api("carrier", tag="Logistics")
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
    max_mass_kg: int | None = Field(default=None, ge=1, le=10**9)
    max_km: int | None = Field(default=None, ge=1, le=10**4)
    valid_from: date | None = None
    valid_to: date | None = None


class TariffOut(TariffIn):
    """A tariff with its id and version."""

    id: uuid.UUID
    version: int


class DeliveryQuery(Schema):
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


def _shown(row: Any, model: type[Any]) -> Any:
    """A row of the fleet as its model: `public_id` becomes `id`."""
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    values["id"] = values.pop("public_id")
    return model(**{name: value for name, value in values.items() if name in model.model_fields})


def _one(rows: list[Any], public_id: uuid.UUID) -> Any:
    found = next((row for row in rows if row.public_id == public_id), None)
    if found is None:
        raise NotFound()
    return found


def _merged(row: Any, patch: Schema, facts: type[Any]) -> Any:
    """The facts of a row with what the patch says."""
    may_be_empty = {"vehicle", "valid_to"}
    given = patch.model_dump(exclude_unset=True)
    said = {name: value for name, value in given.items() if value is not None or name in may_be_empty}
    return facts(**{f.name: said.get(f.name, getattr(row, f.name)) for f in fields(facts)})


@api.get("/carrier/vehicles", permission=Permission.CARRIER_VIEW, answer=Page[VehicleOut], summary="Trucks")
def vehicles() -> Page[VehicleOut]:
    """Working ones first."""
    return Page(items=[_shown(row, VehicleOut) for row in fleet.vehicles(access.actor().carrier_id)])


@api.post(
    "/carrier/vehicles",
    permission=Permission.CARRIER_FLEET,
    body=VehicleIn,
    answer=Made,
    status=201,
    summary="Add a truck",
    example={
        "name": "GAZ 207", "plate": "A207AA77", "payload_kg": 1500, "volume_l": 9000, "longest_mm": 4000,
        "gross_mass_kg": 3500, "cost_per_km": 2500, "cost_per_hour": 70000,
    },
)  # fmt: skip
def add_vehicle(body: VehicleIn) -> Made:
    """Costs are what the planner minimises."""
    return Made(id=fleet.add_vehicle(access.actor(), fleet.VehicleFacts(**body.model_dump())))


@api.patch(
    "/carrier/vehicles/{vehicle}",
    permission=Permission.CARRIER_FLEET,
    body=VehiclePatch,
    answer=VehicleOut,
    summary="Change a truck",
    example={"cost_per_km": 2600},
)
def change_vehicle(body: VehiclePatch, vehicle: str) -> VehicleOut:
    """If-Match with the version refuses a change over somebody else's."""
    actor, key = access.actor(), given_id(vehicle)
    row = _one(fleet.vehicles(actor.carrier_id), key)
    fleet.change_vehicle(actor, key, _merged(row, body, fleet.VehicleFacts), expected_version())
    shown: VehicleOut = _shown(_one(fleet.vehicles(actor.carrier_id), key), VehicleOut)
    return shown


@api.delete("/carrier/vehicles/{vehicle}", permission=Permission.CARRIER_FLEET, summary="Take a truck out of service")
def remove_vehicle(vehicle: str) -> None:
    """A truck with routes behind it is kept, but not used any more."""
    fleet.remove_vehicle(access.actor(), given_id(vehicle))


@api.get("/carrier/couriers", permission=Permission.CARRIER_VIEW, answer=Page[CourierOut], summary="Drivers")
def couriers() -> Page[CourierOut]:
    """Working ones first."""
    return Page(items=[_shown(row, CourierOut) for row in fleet.couriers(access.actor().carrier_id)])


@api.post(
    "/carrier/couriers",
    permission=Permission.CARRIER_FLEET,
    body=CourierIn,
    answer=Made,
    status=201,
    summary="Make a registered person a driver",
    example={"email": "driver@demo.example", "name": "Driver"},
)
def add_courier(body: CourierIn) -> Made:
    """The owner may name anyone registered, a dispatcher only members of the company."""
    facts = fleet.CourierFacts(**body.model_dump(exclude={"email"}))
    return Made(id=crew.hire(access.actor(), body.email, facts))


@api.patch(
    "/carrier/couriers/{courier}",
    permission=Permission.CARRIER_FLEET,
    body=CourierPatch,
    answer=CourierOut,
    summary="Change a driver",
    example={"shift_from": 540},
)
def change_courier(body: CourierPatch, courier: str) -> CourierOut:
    """If-Match with the version refuses a change over somebody else's."""
    actor, key = access.actor(), given_id(courier)
    row = _one(fleet.couriers(actor.carrier_id), key)
    fleet.change_courier(actor, key, _merged(row, body, fleet.CourierFacts), expected_version())
    shown: CourierOut = _shown(_one(fleet.couriers(actor.carrier_id), key), CourierOut)
    return shown


@api.delete("/carrier/couriers/{courier}", permission=Permission.CARRIER_FLEET, summary="Give a driver no more routes")
def remove_courier(courier: str) -> None:
    """Past routes keep the name."""
    fleet.remove_courier(access.actor(), given_id(courier))


@api.get(
    "/carrier/shifts", permission=Permission.CARRIER_VIEW, query=OnDay, answer=Page[ShiftOut], summary="Shifts of a day"
)
def shifts(query: OnDay) -> Page[ShiftOut]:
    """A day without a row uses the drivers' usual hours."""
    rows = fleet.shifts(access.actor().carrier_id, query.day or clock.today())
    return Page(items=[_shown(row, ShiftOut) for row in rows])


@api.post(
    "/carrier/shifts",
    permission=Permission.CARRIER_FLEET,
    body=ShiftIn,
    answer=Made,
    status=201,
    summary="Write down who drives what on a day",
)
def add_shift(body: ShiftIn) -> Made:
    """409 `shift_overlaps` when the driver or the truck is busy then."""
    return Made(
        id=fleet.add_shift(access.actor(), body.courier, body.vehicle, body.day, body.from_minute, body.to_minute)
    )


@api.delete("/carrier/shifts/{shift}", permission=Permission.CARRIER_FLEET, summary="Strike a shift")
def remove_shift(shift: str) -> None:
    """409 when it has begun."""
    fleet.remove_shift(access.actor(), given_id(shift))


@api.get("/carrier/tariffs", permission=Permission.CARRIER_VIEW, answer=Page[TariffOut], summary="Tariffs")
def tariffs() -> Page[TariffOut]:
    """Newest first."""
    return Page(items=[_shown(row, TariffOut) for row in fleet.tariffs(access.actor().carrier_id)])


@api.post(
    "/carrier/tariffs",
    permission=Permission.CARRIER_FLEET,
    body=TariffIn,
    answer=Made,
    status=201,
    summary="Add a tariff",
    example={
        "name": "City", "base": 150000, "per_km": 4500, "per_tonne": 30000, "max_mass_kg": 5000,
        "valid_from": "2026-01-01",
    },
)  # fmt: skip
def add_tariff(body: TariffIn) -> Made:
    """A quote explains itself line by line from these rates."""
    return Made(id=fleet.add_tariff(access.actor(), fleet.TariffFacts(**body.model_dump())))


@api.patch(
    "/carrier/tariffs/{tariff}",
    permission=Permission.CARRIER_FLEET,
    body=TariffPatch,
    answer=TariffOut,
    summary="Change a tariff",
    example={"per_km": 5000},
)
def change_tariff(body: TariffPatch, tariff: str) -> TariffOut:
    """Placed orders keep the price they were given."""
    actor, key = access.actor(), given_id(tariff)
    row = _one(fleet.tariffs(actor.carrier_id), key)
    fleet.change_tariff(actor, key, _merged(row, body, fleet.TariffFacts), expected_version())
    shown: TariffOut = _shown(_one(fleet.tariffs(actor.carrier_id), key), TariffOut)
    return shown


@api.delete("/carrier/tariffs/{tariff}", permission=Permission.CARRIER_FLEET, summary="End a tariff today")
def remove_tariff(tariff: str) -> None:
    """It stays for the orders priced by it."""
    fleet.remove_tariff(access.actor(), given_id(tariff))


@api.get(
    "/carrier/deliveries",
    permission=Permission.CARRIER_VIEW,
    query=DeliveryQuery,
    answer=Page[DeliveryOut],
    summary="Deliveries of a day, problems first",
)
def deliveries(query: DeliveryQuery) -> Page[DeliveryOut]:
    """Cancelled ones only when asked for."""
    rows = queries.deliveries(access.actor().carrier_id, query.day or clock.today(), query.state)
    return Page(items=[delivery_out(row) for row in rows])


def delivery_out(row: queries.DeliveryRow) -> DeliveryOut:
    """A delivery as its carrier sees it."""
    values = {name: getattr(row, name) for name in DeliveryOut.model_fields if hasattr(row, name)}
    return DeliveryOut(
        **values
        | {
            "id": row.public_id,
            "date": row.day,
            "price": money(row.price),
            "cash_due": money(row.cash_due),
            "problems": list(row.problems),
        }
    )


@api.post(
    "/carrier/deliveries/{delivery}/release-pin",
    permission=Permission.CARRIER_PLAN,
    summary="Let the courier try the buyer's PIN again",
)
def release_pin(delivery: str) -> None:
    """After three wrong PINs."""
    service.release_pin(access.actor(), given_id(delivery))


@api.post(
    "/carrier/route-plans",
    permission=Permission.CARRIER_PLAN,
    body=PlanIn,
    status=202,
    answer=JobOut,
    summary="Plan the routes of a day",
)
def plan(body: PlanIn) -> Answer:
    """202 with the job; its result names the plan. While a day is being planned, that job is answered again."""
    return kernel.accepted(plans.request(access.actor(), body.day, body.time_limit_s, body.deliveries, body.vehicles))


@api.get(
    "/carrier/route-plans/{plan}", permission=Permission.CARRIER_VIEW, answer=PlanOut, summary="A plan with its routes"
)
def show_plan(plan: str) -> PlanOut:
    """Every delivery that is in no route has a reason."""
    return _plan_out(plan_views.plan(access.actor().carrier_id, given_id(plan)))


@api.post(
    "/carrier/route-plans/{plan}/publish",
    permission=Permission.CARRIER_PLAN,
    answer=PlanOut,
    summary="Show the routes to the couriers",
)
def publish(plan: str) -> PlanOut:
    """The plan published before for that day is superseded; 409 when one of its trucks is on the way."""
    key = given_id(plan)
    plans.publish(access.actor(), key)
    return _plan_out(plan_views.plan(access.actor().carrier_id, key))


def _plan_out(view: plan_views.PlanView) -> PlanOut:
    head = view.head
    return PlanOut(
        id=head.public_id,
        date=head.day,
        version=head.version,
        status=head.status,
        routes=[_route_out(route) for route in view.routes],
        unassigned=[
            LeftOut(
                delivery=left.delivery,
                number=left.number,
                reason=left.reason,
                context=left.context,
                detail=texts.left_reason(left.reason, left.context),
            )
            for left in view.left
        ],
        cost=money(head.cost),
        distance_m=head.distance_m,
        duration_s=head.duration_s,
        quality=head.quality,
    )


def _route_out(route: plan_views.RouteView) -> RouteOut:
    stops = [
        StopOut(id=stop.public_id, **{n: getattr(stop, n) for n in StopOut.model_fields if n != "id"})
        for stop in route.stops
    ]
    return RouteOut(
        id=route.public_id,
        vehicle=route.vehicle,
        courier=route.courier,
        state=route.state,
        stops=stops,
        distance_m=route.distance_m,
        duration_s=route.duration_s,
        load={"mass_kg": route.load_kg, "volume_l": route.load_l},
        cost=money(route.cost),
        starts_at=route.starts_at,
        ends_at=route.ends_at,
    )
