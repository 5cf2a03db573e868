"""Versions of a day's plan: stored once per job, published one at a time."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from app.core import clock, jobs
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.models import Job
from app.logistics import calendar, courier_day, courier_views, fleet, plan_views, plans, queries, service
from app.logistics.fleet_facts import VehicleFacts
from app.logistics.models import Delivery, RoutePlan
from tests.factories import logistics as make

pytestmark = pytest.mark.usefixtures("db_session")


def tomorrow() -> date:
    return clock.today() + timedelta(days=1)


def state(made: service.DeliveryMade) -> str:
    return str(session.scalar(sa.select(Delivery.state).where(Delivery.id == made.id)))


def test_a_day_is_planned_by_one_job_at_a_time() -> None:
    w = make.world()
    make.delivery(w)
    first = plans.request(w.dispatcher, tomorrow(), 5)
    assert plans.request(w.dispatcher, tomorrow(), 9) == first
    session.execute(sa.update(Job).where(Job.public_id == first).values(state="dead"))
    assert plans.request(w.dispatcher, tomorrow(), 5) != first


def test_a_day_without_ready_goods_is_not_planned() -> None:
    w = make.world()
    make.delivery(w, ready=False)
    with pytest.raises(Invalid):
        plans.request(w.dispatcher, tomorrow(), 5)
    with pytest.raises(Invalid):
        plans.request(w.dispatcher, tomorrow(), 0)


def test_a_foreign_delivery_vehicle_or_plan_is_absent() -> None:
    w, other = make.world(), make.world()
    made = make.delivery(w)
    plan = uuid.UUID(make.stored_plan(w, [made]))
    with pytest.raises(NotFound):
        plans.request(other.dispatcher, tomorrow(), 5, deliveries=[made.public_id])
    with pytest.raises(NotFound):
        plans.publish(other.dispatcher, plan)
    with pytest.raises(NotFound):
        plan_views.plan(other.carrier.id, plan)
    with pytest.raises(NotFound):
        fleet.change_vehicle(other.dispatcher, w.vehicle.public_id, facts(), None)
    with pytest.raises(NotFound):
        service.release_pin(other.dispatcher, made.public_id)


def test_a_job_stores_one_plan_however_often_it_runs() -> None:
    w = make.world()
    new = plans.NewPlan(w.carrier.id, tomorrow(), 0, "test", "graph", [])
    job = jobs.enqueue("test.plan", {})
    first, second = plans.store(new, job, None), plans.store(new, job, None)
    assert first["plan"] == second["plan"]
    assert session.scalar(sa.select(sa.func.count()).select_from(RoutePlan)) == 1


def test_publishing_a_newer_plan_supersedes_and_frees_what_it_left_out() -> None:
    w = make.world()
    one, two = make.delivery(w), make.delivery(w, index=1)
    make.published(w, [one, two])
    assert (state(one), state(two)) == ("planned", "planned")
    second = make.published(w, [two])
    assert (state(one), state(two)) == ("ready", "planned")
    assert [(h.version, h.status) for h in plan_views.heads(w.carrier.id, tomorrow())] == [
        (2, "published"),
        (1, "superseded"),
    ]
    plans.publish(w.dispatcher, uuid.UUID(second))
    old = plan_views.heads(w.carrier.id, tomorrow())[1].public_id
    with pytest.raises(Conflict, match="plan_superseded"):
        plans.publish(w.dispatcher, old)


def test_a_plan_under_way_is_not_replaced() -> None:
    w = make.world()
    one = make.delivery(w)
    make.published(w, [one])
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    courier_day.start_route(w.courier, route.public_id)
    later = make.stored_plan(w, [one])
    with pytest.raises(Conflict, match="routes_under_way"):
        plans.publish(w.dispatcher, uuid.UUID(later))


def test_a_delivery_cancelled_meanwhile_is_skipped() -> None:
    w = make.world()
    one, two = make.delivery(w), make.delivery(w, index=1)
    plan = make.stored_plan(w, [one, two])
    trip = session.scalars(sa.select(Delivery.fulfilment_id).where(Delivery.id == one.id)).one()
    service.cancel(trip, "buyer")
    plans.publish(w.dispatcher, uuid.UUID(plan))
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    assert [s.state for s in route.stops if s.delivery == one.public_id] == ["skipped", "skipped"]


def test_a_shift_comes_before_the_usual_hours_and_nobody_is_in_two_places() -> None:
    w = make.world()
    [usual] = fleet.trucks_of_day(w.carrier.id, tomorrow())
    assert usual.starts_at == clock.at(tomorrow(), 420)
    [driver] = fleet.couriers(w.carrier.id)
    calendar.add_shift(w.dispatcher, driver.public_id, w.vehicle.public_id, tomorrow(), 600, 900)
    [written] = fleet.trucks_of_day(w.carrier.id, tomorrow())
    assert written.starts_at == clock.at(tomorrow(), 600)
    with pytest.raises(Conflict, match="shift_overlaps"):
        calendar.add_shift(w.dispatcher, driver.public_id, w.vehicle.public_id, tomorrow(), 800, 1000)


def facts(**fields: object) -> VehicleFacts:
    values = {
        "name": "T", "plate": "X001XX77", "payload_kg": 1500, "volume_l": 9000, "longest_mm": 4000,
        "gross_mass_kg": 3500, "cost_per_km": 1, "cost_per_hour": 1,
    } | fields  # fmt: skip
    return VehicleFacts(**values)  # type: ignore[arg-type]  # the test gives the right types


def test_a_plate_is_known_once_and_impossible_figures_are_named() -> None:
    w = make.world()
    fleet.add_vehicle(w.dispatcher, facts())
    with pytest.raises(Invalid, match="invalid_fields") as refused:
        fleet.add_vehicle(w.dispatcher, facts())
    assert refused.value.errors[0].code == "vehicle_known"
    with pytest.raises(Invalid) as refused:
        fleet.add_vehicle(w.dispatcher, facts(plate="Y", payload_kg=0, gross_mass_kg=-1, name=" "))
    assert {e.pointer for e in refused.value.errors} == {"/payload_kg", "/gross_mass_kg", "/name"}


def test_deliveries_come_problems_first() -> None:
    w = make.world()
    fine, lost = make.delivery(w), make.delivery(w, site=make.site(lat=None))
    found = queries.deliveries(w.carrier.id, tomorrow())
    assert [d.id for d in found] == [lost.id, fine.id]
    assert found[0].problems == ("no_coordinates",)
