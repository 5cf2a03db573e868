"""Route plans: asked for, stored by the job, looked at, published. Versions of a carrier's day."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app.core import audit, clock, events, jobs
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.models import Job
from app.core.permissions import Actor
from app.logistics import carry_over, rules, trouble
from app.logistics.events import RoutesPublished
from app.logistics.models import Delivery, Route, RoutePlan, Stop, Vehicle
from app.logistics.plan_edit_models import PlanSheet
from app.logistics.queries import DeliveryRow
from app.logistics.service import move

JOB_KIND = "route.plan"
MIN_SECONDS, MAX_SECONDS = 1, 120
_LOCK = 0x7275
"""First key of the advisory lock that orders plan versions of a carrier."""


@unit_of_work
def request(
    actor: Actor,
    day: date,
    seconds: int,
    deliveries: Sequence[uuid.UUID] | None = None,
    vehicles: Sequence[uuid.UUID] | None = None,
) -> uuid.UUID:
    """Ask a worker for a plan of a day; while one is being made for that day, that one is answered.

    Args:
        seconds: how long the solver may polish, 1 to 120.
        deliveries, vehicles: only these; None: all that are ready, all that work.

    Raises:
        Invalid: seconds out of range, or nothing to plan.
        NotFound: a delivery or vehicle of somebody else.
    """
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise Invalid.one("/time_limit_s", "out_of_range", minimum=MIN_SECONDS, maximum=MAX_SECONDS)
    _one_at_a_time(actor.carrier_id, day)
    present = open_job(actor.carrier_id, day)
    if present is not None:
        return present
    chosen = _ids(Delivery, actor.carrier_id, deliveries)
    trucks = _ids(Vehicle, actor.carrier_id, vehicles)
    if not to_plan(actor.carrier_id, day, chosen):
        raise Invalid.one("/deliveries", "nothing_to_plan")
    payload = {
        "carrier_id": actor.carrier_id,
        "day": day.isoformat(),
        "seconds": seconds,
        "deliveries": chosen,
        "vehicles": trucks,
    }
    job_id = jobs.enqueue(JOB_KIND, payload, queue="slow", user_id=actor.user, max_attempts=3)
    audit.record(actor, "route_plan.requested", "carrier", actor.carrier_id, after={"day": day.isoformat()})
    return job_id


@unit_of_work
def reoptimise(
    actor: Actor,
    plan_public_id: uuid.UUID,
    seconds: int,
    now: datetime | None = None,
    *,
    broken: Sequence[uuid.UUID] = (),
    deliveries: Sequence[uuid.UUID] | None = None,
) -> uuid.UUID:
    """Ask a worker for a new draft of what is open of a published day; nothing changes until somebody publishes it.

    Trucks go on from where they are; what is done, happens now or is locked stays, goods on board stay on their truck.
    While the same is being made already, that job is answered.

    Args:
        seconds: how long the solver may work, 1 to 120.
        now: the moment from which trucks go on; None: when the worker begins.
        broken: vehicles that drive no further today, beside those that are marked so.
        deliveries: ready ones to put in; None: all that are ready on that day, without what could not be loaded.

    Raises:
        Invalid: seconds out of range, or nothing is open.
        NotFound: a plan, vehicle or delivery of somebody else.
        Conflict: `plan_not_published`; `planning_under_way` with `job`: another plan of that day is being made.
    """
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise Invalid.one("/time_limit_s", "out_of_range", minimum=MIN_SECONDS, maximum=MAX_SECONDS)
    plan = session.scalars(
        sa.select(RoutePlan).where(RoutePlan.public_id == plan_public_id, RoutePlan.carrier_id == actor.carrier_id)
    ).one_or_none()
    if plan is None:
        raise NotFound()
    _one_at_a_time(actor.carrier_id, plan.day)
    session.refresh(plan)
    if plan.status != "published":
        raise Conflict("plan_not_published")
    payload: dict[str, Any] = {
        "carrier_id": actor.carrier_id,
        "day": plan.day.isoformat(),
        "seconds": seconds,
        "deliveries": _ids(Delivery, actor.carrier_id, deliveries),
        "vehicles": None,
        "parent": plan.id,
        "broken": _broken(actor.carrier_id, plan.day, broken),
        "now": None if now is None else now.isoformat(),
    }
    present = open_job(actor.carrier_id, plan.day)
    if present is not None:
        running = session.scalars(sa.select(Job.payload).where(Job.public_id == present)).one()
        if any(running.get(name) != payload[name] for name in ("parent", "broken", "deliveries")):
            raise Conflict("planning_under_way", job=str(present))
        return present
    if not _something_open(plan, payload["deliveries"]):
        raise Invalid.one("/deliveries", "nothing_to_plan")
    job_id = jobs.enqueue(JOB_KIND, payload, queue="slow", user_id=actor.user, max_attempts=3)
    audit.record(actor, "route_plan.reoptimise", "route_plan", plan.id, after={"broken": len(payload["broken"])})
    return job_id


def _broken(carrier_id: int, day: date, named: Sequence[uuid.UUID]) -> list[int]:
    return sorted({*(_ids(Vehicle, carrier_id, named) or ()), *trouble.open_troubles(carrier_id, day)})


def _something_open(plan: RoutePlan, chosen: Sequence[int] | None) -> bool:
    ahead = sa.select(Stop.id).join(Route, Route.id == Stop.route_id)
    ahead = ahead.where(Route.plan_id == plan.id, Stop.state == "planned").limit(1)
    return session.scalar(ahead) is not None or bool(to_plan(plan.carrier_id, plan.day, chosen))


@unit_of_work
def cancel_planning(actor: Actor, job_id: uuid.UUID) -> None:
    """Stop a planning job of the actor's carrier, whoever started it. One that runs keeps the best plan found so far
    (its result says `cancelled`); one that waits is cancelled; one that is over stays as it is.

    Raises:
        NotFound: absent, of another kind or carrier.
    """
    found = job(actor.carrier_id, job_id)
    if found.view.is_finished:
        return
    jobs.request_cancel(job_id, found.view.user_id)
    audit.record(actor, "route_plan.cancelled", "carrier", actor.carrier_id, after={"job": str(job_id)})


def open_job(carrier_id: int, day: date) -> uuid.UUID | None:
    """The job that plans this day now, if any."""
    return session.scalar(
        sa.select(Job.public_id).where(
            Job.kind == JOB_KIND,
            Job.state.in_(("queued", "running")),
            Job.payload["carrier_id"].as_integer() == carrier_id,
            Job.payload["day"].as_string() == day.isoformat(),
        )
    )


@dataclass(frozen=True, slots=True)
class PlanningJob:
    """A planning job with the day it plans."""

    view: jobs.JobView
    day: date


def job(carrier_id: int, public_id: uuid.UUID) -> PlanningJob:
    """A planning job of this carrier, whoever of its dispatchers started it.

    Raises:
        NotFound: absent, of another kind or carrier.
    """
    payload = session.scalar(sa.select(Job.payload).where(Job.public_id == public_id, Job.kind == JOB_KIND))
    if payload is None or payload["carrier_id"] != carrier_id:
        raise NotFound()
    return PlanningJob(jobs.view(public_id, any_user=True), date.fromisoformat(payload["day"]))


def to_plan(carrier_id: int, day: date, chosen: Sequence[int] | None = None) -> list[DeliveryRow]:
    """The deliveries of a day that may be put into routes: ready, or planned and not loaded yet."""
    columns = [getattr(Delivery, name) for name in DeliveryRow.__dataclass_fields__]
    statement = sa.select(*columns).where(
        Delivery.carrier_id == carrier_id, Delivery.day == day, Delivery.state.in_(rules.PLANNABLE)
    )
    if chosen is not None:
        statement = statement.where(Delivery.id.in_(chosen))
    return [DeliveryRow(*row) for row in session.execute(statement.order_by(Delivery.id))]


def rows(carrier_id: int, ids: Sequence[int]) -> list[DeliveryRow]:
    """Deliveries of a carrier in any state."""
    columns = [getattr(Delivery, name) for name in DeliveryRow.__dataclass_fields__]
    statement = sa.select(*columns).where(Delivery.carrier_id == carrier_id, Delivery.id.in_(ids))
    return [DeliveryRow(*row) for row in session.execute(statement.order_by(Delivery.id))]


def _ids(table: type[Delivery | Vehicle], carrier_id: int, public_ids: Sequence[uuid.UUID] | None) -> list[int] | None:
    if public_ids is None:
        return None
    wanted = set(public_ids)
    found = session.scalars(sa.select(table.id).where(table.carrier_id == carrier_id, table.public_id.in_(wanted)))
    ids = sorted(found)
    if len(ids) != len(wanted):
        raise NotFound()
    return ids


def _one_at_a_time(carrier_id: int, day: date) -> None:
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, sa.func.hashtext(f"{carrier_id}:{day}"))))


@dataclass(frozen=True, slots=True)
class NewStop:
    """A stop of a plan to be stored."""

    delivery_id: int
    kind: str
    lot: int
    lots: int
    arrival: datetime
    departure: datetime
    state: str = "planned"
    arrived_at: datetime | None = None
    unloading_at: datetime | None = None
    completed_at: datetime | None = None
    locked: bool = False


@dataclass(frozen=True, slots=True)
class NewRoute:
    """A truck's day of a plan to be stored; geometry: [[lat, lon], ...] along the streets."""

    vehicle_id: int
    courier_id: int
    distance_m: int
    duration_s: int
    cost: int
    load_kg: int
    load_l: int
    starts_at: datetime
    ends_at: datetime
    break_from: datetime | None
    break_to: datetime | None
    geometry: list[list[float]]
    stops: list[NewStop]


@dataclass(frozen=True, slots=True)
class NewPlan:
    """An accepted answer of the solver in the words of the market."""

    carrier_id: int
    day: date
    cost: int
    solver: str
    quality: str
    routes: list[NewRoute]
    unassigned: list[dict[str, Any]] = field(default_factory=list)
    """[{delivery_id, reason, context}]."""
    kind: str = "day"
    parent_id: int | None = None
    """The published plan whose rest this is."""
    roads: bytes | None = None
    """The road matrix of its places, see `plan_roads.pack`: with it the plan can be changed by hand at once."""


@unit_of_work
def store(new: NewPlan, job_id: uuid.UUID, user_id: int | None) -> dict[str, Any]:
    """Write a plan as the next version of the day; a second call for the same job answers with the first plan.

    Returns the result of the job: plan, version, routes, unassigned.
    """
    _one_at_a_time(new.carrier_id, new.day)
    present = session.execute(
        sa.select(RoutePlan.public_id, RoutePlan.version).where(RoutePlan.job_id == job_id)
    ).one_or_none()
    if present is not None:
        return {"plan": str(present.public_id), "version": present.version}
    last = session.scalar(
        sa.select(sa.func.max(RoutePlan.version)).where(
            RoutePlan.carrier_id == new.carrier_id, RoutePlan.day == new.day
        )
    )
    plan = RoutePlan(
        carrier_id=new.carrier_id,
        day=new.day,
        version=(last or 0) + 1,
        job_id=job_id,
        kind=new.kind,
        parent_id=new.parent_id,
        cost=new.cost,
        distance_m=sum(route.distance_m for route in new.routes),
        duration_s=sum(route.duration_s for route in new.routes),
        solver=new.solver,
        quality=new.quality,
        unassigned=new.unassigned,
        created_by_id=user_id,
    )
    session.add(plan)
    session.flush()
    for route in new.routes:
        _store_route(plan.id, route)
    session.add(PlanSheet(plan_id=plan.id, roads=new.roads))
    return {
        "plan": str(plan.public_id),
        "version": plan.version,
        "routes": len(new.routes),
        "unassigned": len(new.unassigned),
    }


def _store_route(plan_id: int, new: NewRoute) -> None:
    columns = {name: getattr(new, name) for name in NewRoute.__dataclass_fields__ if name != "stops"}
    route = Route(plan_id=plan_id, **columns)
    session.add(route)
    session.flush()
    session.add_all(
        Stop(
            route_id=route.id,
            delivery_id=stop.delivery_id,
            sequence=number,
            kind=stop.kind,
            lot=stop.lot,
            lots=stop.lots,
            planned_arrival=stop.arrival,
            planned_departure=stop.departure,
            state=stop.state,
            arrived_at=stop.arrived_at,
            unloading_at=stop.unloading_at,
            completed_at=stop.completed_at,
            **({"locked": stop.locked} if "locked" in Stop.__table__.columns else {}),
        )
        for number, stop in enumerate(new.stops, start=1)
    )


@unit_of_work
def publish(actor: Actor, public_id: uuid.UUID) -> None:
    """Show the routes of a draft to the couriers; the plan published before for that day is superseded.

    Deliveries cancelled or taken since the plan was made are skipped. A plan published already stays so. A plan of the
    rest of the day takes over routes that are under way, see `carry_over`.

    Raises:
        NotFound: absent, or another carrier's.
        Conflict: `plan_superseded`; `routes_under_way`: a truck of the present plan is on its route; `plan_outdated`: a
            truck has done since what the plan gives to another; `plan_has_violations`: it was changed by hand and
            breaks rules, named in the context.
    """
    from app.logistics import plan_edit  # brings the road graph: only where a plan changed by hand is published

    carrier_id = actor.carrier_id
    key = session.execute(
        sa.select(RoutePlan.id, RoutePlan.day).where(
            RoutePlan.public_id == public_id, RoutePlan.carrier_id == carrier_id
        )
    ).one_or_none()
    if key is None:
        raise NotFound()
    _one_at_a_time(carrier_id, key.day)
    [plan] = lock_rows(RoutePlan, [key.id])
    if plan.status == "published":
        return
    if plan.status == "superseded":
        raise Conflict("plan_superseded")
    plan_edit.refuse_broken(plan)
    freed = _supersede(carrier_id, plan)
    fulfilments = _hand_out(plan, freed, actor.user)
    plan.status = "published"
    plan.published_at = clock.now()
    audit.record(actor, "route_plan.published", "route_plan", plan.id, after={"version": plan.version})
    events.record(
        RoutesPublished(
            entity_id=plan.id,
            carrier_id=carrier_id,
            day=plan.day.isoformat(),
            version=plan.version,
            fulfilment_ids=fulfilments,
        )
    )


def _supersede(carrier_id: int, plan: RoutePlan) -> set[int]:
    """Put the published plan of the day aside; returns the deliveries it held."""
    held = session.scalar(
        sa.select(RoutePlan.id).where(
            RoutePlan.carrier_id == carrier_id, RoutePlan.day == plan.day, RoutePlan.status == "published"
        )
    )
    if held is None:
        return set()
    [old] = lock_rows(RoutePlan, [held])
    if plan.kind == "rest":
        if plan.parent_id != old.id:
            raise Conflict("plan_outdated", numbers=[])
        freed = set(session.scalars(sa.select(Stop.delivery_id).join(Route).where(Route.plan_id == held)))
        carry_over.carry_over(plan, old)
        old.status = "superseded"
        session.flush()
        return freed
    routes = lock_rows(Route, session.scalars(sa.select(Route.id).where(Route.plan_id == held)).all())
    if any(route.state == "started" for route in routes):
        raise Conflict("routes_under_way")
    old.status = "superseded"
    session.flush()  # only one plan of a day may be published at any moment
    return set(session.scalars(sa.select(Stop.delivery_id).where(Stop.route_id.in_([r.id for r in routes]))))


def _hand_out(plan: RoutePlan, freed: set[int], user_id: int) -> list[int]:
    """Move the deliveries of the plan to `planned` and those it left out back to `ready`; skip stops of lost ones."""
    stops = session.execute(
        sa.select(Stop.id, Stop.delivery_id)
        .join(Route, Route.id == Stop.route_id)
        .where(Route.plan_id == plan.id, Stop.state == "planned")
    ).all()
    inside = {stop.delivery_id for stop in stops}
    found = lock_rows(Delivery, inside | freed)
    # The rest of a day holds what is on the trucks; a plan of a day only what waits at warehouses.
    lost = {
        row.id
        for row in found
        if row.state in rules.OVER or row.state == "waiting" or (row.state in rules.ON_THE_WAY and plan.kind == "day")
    }
    for row in found:
        if row.id in inside and row.state == "ready":
            move(row, "planned", user_id, plan=plan.version)
        elif row.id not in inside and row.state == "planned":
            move(row, "ready", user_id, plan=plan.version)
    skipped = [stop.id for stop in stops if stop.delivery_id in lost]
    if skipped:
        session.execute(sa.update(Stop).where(Stop.id.in_(skipped)).values(state="skipped"))
    return sorted(row.fulfilment_id for row in found if row.id in inside and row.id not in lost)


def take_version(carrier_id: int, day: date) -> int:
    """The number of the day's next version; whoever else asks waits until the present command is over."""
    _one_at_a_time(carrier_id, day)
    last = session.scalar(
        sa.select(sa.func.max(RoutePlan.version)).where(RoutePlan.carrier_id == carrier_id, RoutePlan.day == day)
    )
    return (last or 0) + 1
