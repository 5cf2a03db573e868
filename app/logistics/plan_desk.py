"""What the desk shows beside a plan: faults by stop, trucks to choose, deliveries that came later, steps."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.core.db import session
from app.core.errors import NotFound
from app.logistics import fleet, plan_edit, plans, rules
from app.logistics.models import Courier, Delivery, RoutePlan
from app.logistics.plan_edit import Done
from app.logistics.plan_edit_models import PlanSheet
from app.logistics.plan_views import PlanView, StopView
from app.logistics.queries import DeliveryRow


@dataclass(frozen=True, slots=True)
class Truck:
    """A truck that works on the day; stops: how many it has in this plan."""

    public_id: uuid.UUID
    name: str
    plate: str
    payload_kg: int
    driver: str
    stops: int


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk of a plan. faults: as stored, see `plan_times.Fault`."""

    edit: int
    faults: tuple[Mapping[str, Any], ...]
    trucks: tuple[Truck, ...]
    drivers: tuple[tuple[uuid.UUID, str], ...]
    fresh: tuple[DeliveryRow, ...]
    """Deliveries of the day that were not there when the plan was made."""
    lost: frozenset[int]
    """Deliveries of a draft that were called off or have left meanwhile: publishing skips their stops."""
    steps: tuple[Done, ...]
    can_undo: Done | None
    can_redo: Done | None

    @property
    def idle(self) -> tuple[Truck, ...]:
        """Trucks that work and have nothing to drive."""
        return tuple(truck for truck in self.trucks if not truck.stops)

    def of_stop(self, stop: StopView) -> list[Mapping[str, Any]]:
        """The faults to show beside a stop."""
        return [f for f in self.faults
                if (f["delivery_id"], f["lot"], f["kind"]) == (stop.delivery_id, stop.lot, stop.kind)]  # fmt: skip

    def of_truck(self, vehicle_id: int) -> list[Mapping[str, Any]]:
        """The faults of a truck's whole day."""
        return [f for f in self.faults if f["vehicle_id"] == vehicle_id and f["delivery_id"] is None]


def desk(carrier_id: int, view: PlanView) -> Desk:
    """The desk of a plan that this carrier has looked up."""
    row = session.execute(
        sa.select(RoutePlan.id, PlanSheet.edit, PlanSheet.applied, PlanSheet.faults)
        .outerjoin(PlanSheet, PlanSheet.plan_id == RoutePlan.id)
        .where(RoutePlan.public_id == view.head.public_id, RoutePlan.carrier_id == carrier_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    is_draft = view.head.is_editable
    steps = plan_edit.steps(row.id)
    numbers = {step.number: step for step in steps}
    stops = {route.vehicle: len(route.stops) for route in view.routes}
    known = {stop.delivery for route in view.routes for stop in route.stops} | {left.delivery for left in view.left}
    trucks = fleet.trucks_of_day(carrier_id, view.head.day) if is_draft else []
    waiting = plans.to_plan(carrier_id, view.head.day) if is_draft else []
    return Desk(
        edit=row.edit or 0,
        faults=tuple(row.faults or ()),
        trucks=tuple(
            Truck(t.vehicle.public_id, t.vehicle.name, t.vehicle.plate, t.vehicle.payload_kg, t.courier_name,
                  stops.get(t.vehicle.public_id, 0))
            for t in trucks
        ),
        drivers=_drivers(carrier_id) if is_draft else (),
        fresh=tuple(row for row in waiting if row.public_id not in known),
        lost=_lost(view) if is_draft else frozenset(),
        steps=tuple(steps),
        can_undo=numbers.get(row.applied or 0),
        can_redo=numbers.get((row.applied or 0) + 1),
    )  # fmt: skip


def _lost(view: PlanView) -> frozenset[int]:
    carried = {stop.delivery_id for route in view.routes for stop in route.stops}
    gone = sa.select(Delivery.id).where(Delivery.id.in_(carried), Delivery.state.not_in(rules.PLANNABLE))
    return frozenset(session.scalars(gone))


def _drivers(carrier_id: int) -> tuple[tuple[uuid.UUID, str], ...]:
    rows = session.execute(
        sa.select(Courier.public_id, Courier.name)
        .where(Courier.carrier_id == carrier_id, Courier.is_active)
        .order_by(Courier.name, Courier.id)
    )
    return tuple((row.public_id, row.name) for row in rows)
