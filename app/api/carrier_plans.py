"""Planning a day that is under way, and planning jobs."""

from __future__ import annotations

import uuid

from pydantic import Field

from app import access
from app.api import kernel
from app.api.kernel import Answer, Api, given_id
from app.api.schemas import JobOut, Schema
from app.core.permissions import Permission
from app.logistics import plans

api = Api("carrier_plans", tag="Logistics")


class ReoptimiseIn(Schema):
    """What is different now: trucks that drive no further, ready deliveries to put in (all, when it is left out)."""

    time_limit_s: int = Field(default=5, ge=plans.MIN_SECONDS, le=plans.MAX_SECONDS)
    broken: list[uuid.UUID] = Field(default_factory=list, max_length=200)
    deliveries: list[uuid.UUID] | None = Field(default=None, max_length=1000)


@api.post(
    "/carrier/route-plans/{plan}/reoptimise",
    permission=Permission.CARRIER_PLAN,
    body=ReoptimiseIn,
    status=202,
    answer=JobOut,
    summary="Plan the rest of a published day again",
    example={"time_limit_s": 5},
)
def reoptimise(body: ReoptimiseIn, plan: str) -> Answer:
    """202 with the job; its result names a draft, which replaces the routes under way once it is published.

    Trucks go on from where they are. Stops that are done, present or locked stay, goods on board stay on their truck.
    409 `plan_not_published`, or `planning_under_way` when another plan of that day is being made.
    """
    job = plans.reoptimise(
        access.actor(), given_id(plan), body.time_limit_s, broken=body.broken, deliveries=body.deliveries
    )
    return kernel.accepted(job)


@api.post(
    "/carrier/route-plans/jobs/{job}/cancel",
    permission=Permission.CARRIER_PLAN,
    summary="Stop planning and keep the best plan found so far",
)
def cancel(job: str) -> None:
    """The worker notices within about a second; the job ends as done with `cancelled: true` in its result."""
    plans.cancel_planning(access.actor(), given_id(job))
