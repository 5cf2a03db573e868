"""The carrier's fleet, deliveries and route plans."""

from __future__ import annotations

import uuid
from dataclasses import fields
from typing import Any

from app import access
from app.api import kernel
from app.api.carrier_shapes import (
    CourierIn,
    CourierOut,
    CourierPatch,
    DeliveryOut,
    DeliveryQuery,
    LeftOut,
    Made,
    PlanIn,
    PlanOut,
    RouteOut,
    ShiftIn,
    ShiftOut,
    ShiftsQuery,
    StopOut,
    TariffIn,
    TariffOut,
    TariffPatch,
    VehicleIn,
    VehicleOut,
    VehiclePatch,
    ViolationOut,
)
from app.api.kernel import Answer, Api, expected_version, given_id
from app.api.schemas import JobOut, Page, PageQuery, Schema, money, part_of
from app.core import clock
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.logistics import crew, fleet, plan_views, plans, queries, service
from app.logistics.fleet_facts import CourierFacts, TariffFacts, VehicleFacts
from app.texts import dispatch
from app.texts import logistics as texts

api = Api("carrier", tag="Logistics")


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


@api.get(
    "/carrier/vehicles", permission=Permission.CARRIER_VIEW, query=PageQuery, answer=Page[VehicleOut], summary="Trucks"
)
def vehicles(query: PageQuery) -> Page[VehicleOut]:
    """Working ones first."""
    return part_of([_shown(row, VehicleOut) for row in fleet.vehicles(access.actor().carrier_id)], query)


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
    return Made(id=fleet.add_vehicle(access.actor(), VehicleFacts(**body.model_dump())))


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
    fleet.change_vehicle(actor, key, _merged(row, body, VehicleFacts), expected_version())
    shown: VehicleOut = _shown(_one(fleet.vehicles(actor.carrier_id), key), VehicleOut)
    return shown


@api.delete("/carrier/vehicles/{vehicle}", permission=Permission.CARRIER_FLEET, summary="Take a truck out of service")
def remove_vehicle(vehicle: str) -> None:
    """A truck with routes behind it is kept, but not used any more."""
    fleet.remove_vehicle(access.actor(), given_id(vehicle))


@api.get(
    "/carrier/couriers", permission=Permission.CARRIER_VIEW, query=PageQuery, answer=Page[CourierOut], summary="Drivers"
)
def couriers(query: PageQuery) -> Page[CourierOut]:
    """Working ones first."""
    return part_of([_shown(row, CourierOut) for row in fleet.couriers(access.actor().carrier_id)], query)


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
    facts = CourierFacts(**body.model_dump(exclude={"email"}))
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
    fleet.change_courier(actor, key, _merged(row, body, CourierFacts), expected_version())
    shown: CourierOut = _shown(_one(fleet.couriers(actor.carrier_id), key), CourierOut)
    return shown


@api.delete("/carrier/couriers/{courier}", permission=Permission.CARRIER_FLEET, summary="Give a driver no more routes")
def remove_courier(courier: str) -> None:
    """Past routes keep the name."""
    fleet.remove_courier(access.actor(), given_id(courier))


@api.get(
    "/carrier/shifts",
    permission=Permission.CARRIER_VIEW,
    query=ShiftsQuery,
    answer=Page[ShiftOut],
    summary="Shifts of a day",
)
def shifts(query: ShiftsQuery) -> Page[ShiftOut]:
    """A day without a row uses the drivers' usual hours."""
    rows = fleet.shifts(access.actor().carrier_id, query.day or clock.today())
    return part_of([_shown(row, ShiftOut) for row in rows], query)


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


@api.get(
    "/carrier/tariffs", permission=Permission.CARRIER_VIEW, query=PageQuery, answer=Page[TariffOut], summary="Tariffs"
)
def tariffs(query: PageQuery) -> Page[TariffOut]:
    """Newest first."""
    return part_of([_shown(row, TariffOut) for row in fleet.tariffs(access.actor().carrier_id)], query)


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
    return Made(id=fleet.add_tariff(access.actor(), TariffFacts(**body.model_dump())))


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
    fleet.change_tariff(actor, key, _merged(row, body, TariffFacts), expected_version())
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
    return part_of([delivery_out(row) for row in rows], query)


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
def show_plan(plan: str) -> Answer:
    """Every delivery that is in no route has a reason. The ETag is `edit`, which changes by hand compare."""
    found = plan_out(plan_views.plan(access.actor().carrier_id, given_id(plan)))
    return Answer(found, headers=kernel.etag(found.edit))


@api.post(
    "/carrier/route-plans/{plan}/publish",
    permission=Permission.CARRIER_PLAN,
    answer=PlanOut,
    summary="Show the routes to the couriers",
)
def publish(plan: str) -> PlanOut:
    """The plan published before for that day is superseded; 409 when one of its trucks is on the way, and 409
    `plan_has_violations` while changes by hand break rules.
    """
    key = given_id(plan)
    plans.publish(access.actor(), key)
    return plan_out(plan_views.plan(access.actor().carrier_id, key))


def plan_out(view: plan_views.PlanView) -> PlanOut:
    """A plan with its routes, what is left, and the rules that changes by hand have broken."""
    head = view.head
    figures = plan_views.figures(access.actor().carrier_id, head.public_id)
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
        edit=figures.edit,
        violations=[_violation(view, fault) for fault in figures.faults],
    )


def _violation(view: plan_views.PlanView, fault: dict[str, Any]) -> ViolationOut:
    route = next((r for r in view.routes if r.vehicle_id == fault["vehicle_id"]), None)
    stops = [] if route is None else route.stops
    at = (fault["delivery_id"], fault["lot"], fault["kind"])
    stop = next((s for s in stops if (s.delivery_id, s.lot, s.kind) == at), None)
    return ViolationOut(
        code=fault["code"],
        vehicle=None if route is None else route.vehicle,
        stop=None if stop is None else stop.public_id,
        figures=fault["figures"],
        detail=dispatch.fault(fault),
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
