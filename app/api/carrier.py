"""The carrier's trucks, drivers and route plans."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app import access
from app.api import kernel
from app.api.carrier_rows import merged, one_of, shown
from app.api.carrier_shapes import (
    CourierIn,
    CourierOut,
    CourierPatch,
    LeftOut,
    Made,
    PlanIn,
    PlanOut,
    RouteOut,
    StopOut,
    VehicleIn,
    VehicleOut,
    VehiclePatch,
    ViolationOut,
)
from app.api.kernel import Answer, Api, expected_version, given_id
from app.api.schemas import JobOut, Page, PageQuery, money, part_of
from app.core.permissions import Permission
from app.logistics import crew, fleet, plan_views, plans
from app.logistics.fleet_facts import CourierFacts, VehicleFacts
from app.texts import dispatch
from app.texts import logistics as texts

api = Api("carrier", tag="Logistics")


@api.get(
    "/carrier/vehicles", permission=Permission.CARRIER_VIEW, query=PageQuery, answer=Page[VehicleOut], summary="Trucks"
)
def vehicles(query: PageQuery) -> Page[VehicleOut]:
    """Working ones first."""
    return part_of([shown(row, VehicleOut) for row in fleet.vehicles(access.actor().carrier_id)], query)


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
    row = one_of(fleet.vehicles(actor.carrier_id), key)
    fleet.change_vehicle(actor, key, merged(row, body, VehicleFacts), expected_version())
    found: VehicleOut = shown(one_of(fleet.vehicles(actor.carrier_id), key), VehicleOut)
    return found


@api.delete("/carrier/vehicles/{vehicle}", permission=Permission.CARRIER_FLEET, summary="Take a truck out of service")
def remove_vehicle(vehicle: str) -> None:
    """A truck with routes behind it is kept, but not used any more."""
    fleet.remove_vehicle(access.actor(), given_id(vehicle))


@api.get(
    "/carrier/couriers", permission=Permission.CARRIER_VIEW, query=PageQuery, answer=Page[CourierOut], summary="Drivers"
)
def couriers(query: PageQuery) -> Page[CourierOut]:
    """Working ones first."""
    return part_of([shown(row, CourierOut) for row in fleet.couriers(access.actor().carrier_id)], query)


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
    row = one_of(fleet.couriers(actor.carrier_id), key)
    if body.licence is not None and body.licences is None:
        row = replace(row, licences={})  # said in words, without dates
    fleet.change_courier(actor, key, merged(row, body, CourierFacts), expected_version())
    found: CourierOut = shown(one_of(fleet.couriers(actor.carrier_id), key), CourierOut)
    return found


@api.delete("/carrier/couriers/{courier}", permission=Permission.CARRIER_FLEET, summary="Give a driver no more routes")
def remove_courier(courier: str) -> None:
    """Past routes keep the name."""
    fleet.remove_courier(access.actor(), given_id(courier))


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
