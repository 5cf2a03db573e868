"""Reasons why a plan is out of date: what it was reckoned from has changed since."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core.db import session
from app.logistics.fleet_models import PlanDoubt
from app.logistics.models import Delivery, Route, RoutePlan, Stop


@dataclass(frozen=True, slots=True)
class Doubt:
    """A plan of a carrier's day that is out of date, and why."""

    plan: uuid.UUID
    version: int
    status: str
    number: str
    reason: str
    created_at: datetime


def plans_with(delivery_id: int) -> list[int]:
    """The drafts and the published plan that hold a delivery."""
    rows = session.scalars(
        sa.select(RoutePlan.id)
        .join(Route, Route.plan_id == RoutePlan.id)
        .join(Stop, Stop.route_id == Route.id)
        .where(
            Stop.delivery_id == delivery_id, RoutePlan.status != "superseded", Stop.state.in_(("planned", "arrived"))
        )
        .distinct()
        .order_by(RoutePlan.id)
    )
    return list(rows)


def raise_for(delivery_id: int, reason: str) -> int:
    """Mark every plan that holds a delivery as out of date, in the present transaction. Returns how many."""
    held = plans_with(delivery_id)
    if held:
        values = [{"plan_id": plan, "delivery_id": delivery_id, "reason": reason} for plan in held]
        session.execute(insert(PlanDoubt).values(values).on_conflict_do_nothing())
    return len(held)


def of_day(carrier_id: int, day: date) -> list[Doubt]:
    """The plans of a day that are out of date and not replaced, newest reason first."""
    rows = session.execute(
        sa.select(
            RoutePlan.public_id, RoutePlan.version, RoutePlan.status, Delivery.number, PlanDoubt.reason,
            PlanDoubt.created_at,
        )
        .join(RoutePlan, RoutePlan.id == PlanDoubt.plan_id)
        .join(Delivery, Delivery.id == PlanDoubt.delivery_id)
        .where(RoutePlan.carrier_id == carrier_id, RoutePlan.day == day, RoutePlan.status != "superseded")
        .order_by(PlanDoubt.id.desc())
    )  # fmt: skip
    return [Doubt(*row) for row in rows]
