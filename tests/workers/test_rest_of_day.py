"""The rest of a day under way: planned again from where trucks are, published without losing what couriers did."""

from __future__ import annotations

import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from app.core import clock, jobs
from app.core.db import session
from app.core.errors import Conflict, DomainError, Invalid, NotFound
from app.core.models import Job
from app.core.permissions import Actor
from app.logistics import courier_day, courier_views, plan_views, plans, service, tracking
from app.logistics.courier_day import HandOver
from app.logistics.models import Delivery, DeliveryAttempt, Route, RoutePlan, Stop, Vehicle
from app.logistics.tracking import Fix
from tests.factories import logistics as make
from workers import worker

DAY = clock.today() + timedelta(days=1)
NIGHT, MORNING = clock.at(DAY, 180), clock.at(DAY, 600)
FAR = make.SITES[1]


@pytest.fixture
def night() -> Iterator[Any]:
    """Before the day begins; tests move on from here."""
    with time_machine.travel(NIGHT, tick=True) as traveller:
        yield traveller


class Fleet:
    """Two trucks at work with what each carries, by a published plan."""

    def __init__(self, first: int, second: int, **fields: Any) -> None:
        self.w = make.world()
        self.other = make.vehicle(self.w.carrier.id)
        person, row = make.driver(self.w.carrier, self.other)
        self.other_courier_id, self.other_user = row.id, person
        session.commit()
        self.drivers = {
            self.w.vehicle.id: self.w.courier,
            self.other.id: make.actor(person, self.w.carrier, role="courier"),
        }
        made = [make.delivery(self.w, DAY, index=i, **fields) for i in range(first + second)]
        self.first, self.second = made[:first], made[first:]
        new = plans.NewPlan(self.w.carrier.id, DAY, 0, "test", "graph", [
            self._route(self.w.vehicle, self.w.courier_id, self.first),
            self._route(self.other, self.other_courier_id, self.second),
        ])  # fmt: skip
        self.plan = uuid.UUID(str(plans.store(new, make._job(), None)["plan"]))
        plans.publish(self.w.dispatcher, self.plan)

    def _route(self, vehicle: Vehicle, courier_id: int, made: list[Any]) -> plans.NewRoute:
        start, stops = clock.at(DAY, 540), []
        for number, one in enumerate([*made, *made]):
            at = start + timedelta(minutes=20 * number)
            kind = "pickup" if number < len(made) else "drop"
            stops.append(plans.NewStop(one.id, kind, 1, 1, at, at + timedelta(minutes=15)))
        return plans.NewRoute(
            vehicle.id, courier_id, 9000, 7200, 300_000, 2400, 4000, start, start + timedelta(hours=6), None, None,
            [list(make.DEPOT), list(make.YARD)], stops,
        )  # fmt: skip

    def driver(self, vehicle: Vehicle) -> Actor:
        return self.drivers[vehicle.id]

    def start(self, vehicle: Vehicle) -> None:
        courier_day.start_route(self.driver(vehicle), self.route(vehicle).public_id)

    def route(self, vehicle: Vehicle, plan: uuid.UUID | None = None) -> Route:
        statement = (
            sa.select(Route).join(RoutePlan, RoutePlan.id == Route.plan_id).where(Route.vehicle_id == vehicle.id)
        )
        statement = statement.where(RoutePlan.public_id == plan if plan else RoutePlan.status == "published")
        return session.scalars(statement.execution_options(populate_existing=True)).one()

    def stop(self, made: Any, kind: str) -> uuid.UUID:
        return session.scalars(
            sa.select(Stop.public_id).join(Route).join(RoutePlan)
            .where(Stop.delivery_id == made.id, Stop.kind == kind, RoutePlan.status == "published")
        ).one()  # fmt: skip

    def load(self, vehicle: Vehicle, *made: Any) -> None:
        for one in made:
            courier_day.complete(self.driver(vehicle), self.stop(one, "pickup"))

    def at(self, vehicle: Vehicle, point: tuple[float, float]) -> None:
        tracking.record_positions(self.driver(vehicle), [Fix(clock.now(), *point)])

    def again(self, app: Flask, seconds: int = 1, **options: Any) -> uuid.UUID:
        """The draft that a worker makes of the rest."""
        job = plans.reoptimise(self.w.dispatcher, self.plan, seconds, **options)
        worker.run_in_context(session.scalars(sa.select(Job.id).where(Job.public_id == job)).one(), app)
        row = session.execute(sa.select(Job.state, Job.error, Job.result).where(Job.public_id == job)).one()
        assert (row.state, row.error) == ("done", None)
        plan = uuid.UUID(row.result["plan"])
        sound(plan)
        return plan

    def trucks(self, plan: uuid.UUID) -> dict[uuid.UUID, str]:
        """Delivery -> plate of the truck that still has to bring it, or did."""
        view = plan_views.plan(self.w.carrier.id, plan)
        return {stop.delivery: route.plate for route in view.routes for stop in route.drops}

    def left(self, plan: uuid.UUID) -> dict[uuid.UUID, str]:
        return {left.delivery: left.reason for left in plan_views.plan(self.w.carrier.id, plan).left}


def sound(plan: uuid.UUID) -> None:
    """By rows alone: pairs on one route in order, never more on a truck than it takes, each lot once, times forward."""
    rows = session.execute(
        sa.select(Route.id, Vehicle.payload_kg, Stop.delivery_id, Stop.lot, Stop.lots, Stop.kind, Stop.state,
                  Stop.planned_arrival, Delivery.mass_kg)
        .join(Stop, Stop.route_id == Route.id).join(Vehicle, Vehicle.id == Route.vehicle_id)
        .join(Delivery, Delivery.id == Stop.delivery_id).join(RoutePlan, RoutePlan.id == Route.plan_id)
        .where(RoutePlan.public_id == plan).order_by(Route.id, Stop.sequence)
    ).all()  # fmt: skip
    board: dict[int, dict[tuple[int, int], float]] = defaultdict(dict)
    seen: set[tuple[int, str, int]] = set()
    last: dict[int, datetime] = {}
    for route, payload, delivery, lot, lots, kind, state, arrival, mass in rows:
        if state in ("failed", "skipped"):
            continue
        key = (delivery, kind, lot)
        assert key not in seen
        seen.add(key)
        if kind == "pickup":
            board[route][delivery, lot] = mass / lots
        else:
            assert (delivery, lot) in board[route]
            del board[route][delivery, lot]
        assert sum(board[route].values()) <= payload
        if state == "planned":
            assert last.get(route, arrival) <= arrival
            last[route] = arrival


def test_an_urgent_delivery_goes_to_the_nearest_truck(app: Flask, db_session: Any, night: Any) -> None:
    f = Fleet(1, 1)
    night.move_to(MORNING)
    for vehicle, made in ((f.w.vehicle, f.first), (f.other, f.second)):
        f.start(vehicle)
        f.load(vehicle, *made)
    f.at(f.other, make.YARD)
    f.at(f.w.vehicle, FAR)
    urgent = make.delivery(f.w, DAY, index=3, window_to=clock.at(DAY, 690))
    draft = f.again(app)
    assert f.trucks(draft)[urgent.public_id] == f.other.plate
    assert f.trucks(draft)[f.first[0].public_id] == f.w.vehicle.plate, "goods on board stay"
    assert plan_views.plan(f.w.carrier.id, f.plan).head.status == "published", "nothing is applied unasked"
    plans.publish(f.w.dispatcher, draft)
    assert session.scalar(sa.select(Delivery.state).where(Delivery.id == urgent.id)) == "planned"
    assert f.stop(urgent, "pickup")


def test_a_truck_breaks_with_goods_on_board(app: Flask, db_session: Any, night: Any) -> None:
    f = Fleet(2, 1)
    night.move_to(MORNING)
    f.start(f.w.vehicle)
    f.start(f.other)
    aboard, waiting = f.first
    f.load(f.w.vehicle, aboard)
    draft = f.again(app, broken=[f.w.vehicle.public_id])
    assert f.left(draft) == {aboard.public_id: "on_broken_truck"}
    [left] = plan_views.plan(f.w.carrier.id, draft).left
    assert left.context["truck"] == f.w.vehicle.name
    assert f.trucks(draft) == {waiting.public_id: f.other.plate, f.second[0].public_id: f.other.plate}
    before = f.stop(waiting, "drop")
    plans.publish(f.w.dispatcher, draft)
    assert f.stop(waiting, "drop") == before, "what a phone or a paper names goes on"
    assert f.route(f.w.vehicle).state == "finished"
    assert session.scalar(sa.select(Delivery.state).where(Delivery.id == aboard.id)) == "handed_over"
    with pytest.raises(NotFound):
        courier_day.complete(f.driver(f.w.vehicle), f.stop(waiting, "pickup"))
    f.load(f.other, waiting)
    f.plan = draft
    repaired = f.again(app)
    assert f.trucks(repaired)[aboard.public_id] == f.w.vehicle.plate, "its goods are there when it drives again"
    plans.publish(f.w.dispatcher, repaired)
    assert f.route(f.w.vehicle).state == "started"
    courier_day.complete(f.driver(f.w.vehicle), f.stop(aboard, "drop"), HandOver(pin=aboard.pin))
    assert f.route(f.w.vehicle).state == "finished"


def test_an_inactive_truck_is_a_broken_one(app: Flask, db_session: Any, night: Any) -> None:
    f = Fleet(1, 1)
    f.w.vehicle.is_active = False
    session.commit()
    night.move_to(MORNING)
    draft = f.again(app)
    assert set(f.trucks(draft).values()) == {f.other.plate}
    assert f.left(draft) == {}


def test_late_by_an_hour_what_waits_moves_and_what_is_on_board_comes_late(
    app: Flask, db_session: Any, night: Any
) -> None:
    f = Fleet(2, 1, window_to=clock.at(DAY, 655))
    night.move_to(MORNING)
    f.start(f.w.vehicle)
    f.start(f.other)
    aboard, waiting = f.first
    f.load(f.w.vehicle, aboard)
    f.load(f.other, *f.second)
    f.at(f.other, make.YARD)
    courier_day.start_unloading(f.driver(f.w.vehicle), f.stop(aboard, "drop"))
    stop = session.scalars(sa.select(Stop).where(Stop.public_id == f.stop(aboard, "drop"))).one()
    stop.planned_departure = stop.planned_arrival + timedelta(minutes=75)
    session.commit()
    draft = f.again(app)
    assert f.trucks(draft)[waiting.public_id] == f.other.plate, "the truck that stands cannot be there in time"
    assert f.trucks(draft)[aboard.public_id] == f.w.vehicle.plate
    states = {
        s.state
        for r in plan_views.plan(f.w.carrier.id, draft).routes
        for s in r.drops
        if s.delivery == aboard.public_id
    }
    assert states == {"unloading"}, "the present stop stays first"
    night.move_to(clock.at(DAY, 720))
    late = f.again(app)
    assert f.trucks(late)[f.second[0].public_id] == f.other.plate
    assert f.left(late) == {waiting.public_id: "window_impossible"}
    [drop] = [
        s for r in plan_views.plan(f.w.carrier.id, late).routes for s in r.drops if s.delivery == f.second[0].public_id
    ]
    assert drop.late_by > timedelta(minutes=60)


def test_publishing_keeps_what_was_done_and_the_old_plan_stays_readable(
    app: Flask, db_session: Any, night: Any
) -> None:
    f = Fleet(2, 1)
    night.move_to(MORNING)
    f.start(f.w.vehicle)
    f.load(f.w.vehicle, *f.first)
    courier_day.complete(f.driver(f.w.vehicle), f.stop(f.first[0], "drop"), HandOver(pin=f.first[0].pin))
    old_route, done = f.route(f.w.vehicle).public_id, f.stop(f.first[0], "drop")
    urgent = make.delivery(f.w, DAY, index=4)
    draft = f.again(app)
    courier_day.arrive(f.driver(f.w.vehicle), f.stop(f.first[1], "drop"))
    arrived = f.stop(f.first[1], "drop")
    plans.publish(f.w.dispatcher, draft)
    sound(draft)
    assert f.route(f.w.vehicle).public_id == old_route
    assert f.route(f.w.vehicle).started_at is not None
    view = plan_views.plan(f.w.carrier.id, draft)
    stops = {stop.public_id: stop for route in view.routes for stop in route.stops}
    assert stops[done].state == "done"
    assert stops[done].completed_at is not None
    assert stops[arrived].state == "arrived", "what happened between drafting and publishing is kept"
    assert session.scalars(
        sa.select(Stop.public_id).join(DeliveryAttempt, DeliveryAttempt.stop_id == Stop.id)
    ).all() == [done]
    assert urgent.public_id in f.trucks(draft)
    before = plan_views.plan(f.w.carrier.id, f.plan)
    assert before.head.status == "superseded"
    assert sorted(s.state for r in before.routes for s in r.stops) == ["arrived", *["done"] * 3, "planned", "planned"]
    assert [s.sequence for r in before.routes for s in r.stops] == [1, 2, 3, 4, 1, 2]
    for route in view.routes:
        assert [s.sequence for s in route.stops] == list(range(1, len(route.stops) + 1))
    courier_day.complete(f.driver(f.w.vehicle), arrived, HandOver(pin=f.first[1].pin))


def test_a_draft_that_the_day_has_overtaken_is_refused(app: Flask, db_session: Any, night: Any) -> None:
    f = Fleet(1, 1)
    night.move_to(MORNING)
    f.start(f.w.vehicle)
    f.start(f.other)
    draft = f.again(app, broken=[f.w.vehicle.public_id])
    assert f.trucks(draft)[f.first[0].public_id] == f.other.plate
    f.load(f.w.vehicle, f.first[0])
    with pytest.raises(Conflict, match="plan_outdated") as refused:
        plans.publish(f.w.dispatcher, draft)
    assert len(refused.value.context["numbers"]) == 1
    assert f.route(f.w.vehicle, f.plan).state == "started"
    fresh = f.again(app)
    plans.publish(f.w.dispatcher, fresh)
    with pytest.raises(Conflict, match="plan_outdated"):
        plans.publish(f.w.dispatcher, draft)


def test_refused_goods_take_their_room_until_the_truck_is_back(app: Flask, db_session: Any, night: Any) -> None:
    f = Fleet(2, 0, mass_kg=2000)
    f.other.is_active = False
    session.commit()
    night.move_to(MORNING)
    f.start(f.w.vehicle)
    f.load(f.w.vehicle, *f.first)
    more = [make.delivery(f.w, DAY, index=i, mass_kg=mass) for i, mass in ((2, 2900), (3, 3100))]
    courier_day.fail(f.driver(f.w.vehicle), f.stop(f.first[0], "drop"), "refused")
    draft = f.again(app)
    lots = {s.delivery: s.lots for r in plan_views.plan(f.w.carrier.id, draft).routes for s in r.drops}
    assert lots == {f.first[0].public_id: 1, f.first[1].public_id: 1, more[0].public_id: 1, more[1].public_id: 2}
    assert f.left(draft) == {}, "2 t of 5 are taken until the yard, so 3.1 t go in two lots"
    [route] = [r for r in plan_views.plan(f.w.carrier.id, draft).routes if r.vehicle == f.w.vehicle.public_id]
    assert route.load_kg <= 3000


def test_what_could_not_be_loaded_is_tried_again_only_when_asked_for(app: Flask, db_session: Any, night: Any) -> None:
    f = Fleet(2, 1)
    night.move_to(MORNING)
    f.start(f.w.vehicle)
    courier_day.fail(f.driver(f.w.vehicle), f.stop(f.first[0], "pickup"), "not_at_warehouse")
    failed = f.stop(f.first[0], "pickup")
    draft = f.again(app)
    ahead = {s.delivery for r in plan_views.plan(f.w.carrier.id, draft).routes for s in r.stops if s.state == "planned"}
    assert f.first[0].public_id not in ahead
    session.execute(
        sa.update(Stop).where(Stop.public_id == failed).values(completed_at=sa.func.now() - timedelta(hours=1))
    )
    session.commit()
    asked = f.again(app, deliveries=[f.first[0].public_id], broken=[f.other.public_id])
    ahead = {s.delivery for r in plan_views.plan(f.w.carrier.id, asked).routes for s in r.stops if s.state == "planned"}
    assert f.first[0].public_id in ahead
    plans.publish(f.w.dispatcher, asked)
    assert session.scalar(sa.select(Stop.state).where(Stop.public_id == failed)) == "planned"
    f.load(f.w.vehicle, f.first[0])


def test_who_may_ask_and_when(db_session: Any, night: Any) -> None:
    f, stranger = Fleet(1, 1), make.world()
    draft = uuid.UUID(make.stored_plan(f.w, f.first, DAY))
    with pytest.raises(NotFound):
        plans.reoptimise(stranger.dispatcher, f.plan, 5)
    with pytest.raises(NotFound):
        plans.reoptimise(f.w.dispatcher, f.plan, 5, broken=[stranger.vehicle.public_id])
    with pytest.raises(Conflict, match="plan_not_published"):
        plans.reoptimise(f.w.dispatcher, draft, 5)
    with pytest.raises(Invalid):
        plans.reoptimise(f.w.dispatcher, f.plan, 0)
    job = plans.reoptimise(f.w.dispatcher, f.plan, 5)
    assert plans.reoptimise(f.w.dispatcher, f.plan, 9) == job
    with pytest.raises(Conflict, match="planning_under_way"):
        plans.reoptimise(f.w.dispatcher, f.plan, 5, broken=[f.w.vehicle.public_id])
    with pytest.raises(NotFound):
        plans.cancel_planning(stranger.dispatcher, job)
    plans.cancel_planning(f.w.dispatcher, job)
    assert jobs.view(job, any_user=True).state == "cancelled"
    plans.cancel_planning(f.w.dispatcher, job)


def test_cancelling_keeps_the_best_plan_found_so_far(committed_db: Flask) -> None:
    w = make.world()
    for index in range(4):
        make.delivery(w, DAY, index=index)
    job = plans.request(w.dispatcher, DAY, 60)
    number = session.scalars(sa.select(Job.id).where(Job.public_id == job)).one()
    dispatcher = w.dispatcher
    session.rollback()

    def work() -> None:
        with committed_db.app_context():
            worker.run_in_context(number, committed_db)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 40
    while "cost=" not in jobs.view(job, any_user=True).message and time.monotonic() < deadline:
        session.rollback()
        time.sleep(0.1)
    session.rollback()
    asked = time.monotonic()
    plans.cancel_planning(dispatcher, job)
    thread.join(30)
    assert time.monotonic() - asked < 6, "about a second on a machine of its own"
    session.rollback()
    view = jobs.view(job, any_user=True)
    assert view.state == "done"
    assert view.result is not None
    assert view.result["cancelled"] is True
    assert view.result["unassigned"] == 0
    sound(uuid.UUID(view.result["plan"]))


def test_taps_and_publishing_at_once_lose_nothing(committed_db: Flask) -> None:
    with time_machine.travel(NIGHT, tick=True) as traveller:
        f = Fleet(3, 1)
        traveller.move_to(MORNING)
        f.start(f.w.vehicle)
        f.start(f.other)
        urgent = make.delivery(f.w, DAY, index=4)
        draft = f.again(committed_db)
        taps = [f.stop(made, "pickup") for made in f.first] + [f.stop(f.second[0], "pickup")]
        drivers = [f.driver(f.w.vehicle)] * 3 + [f.driver(f.other)]
        dispatcher = f.w.dispatcher
        session.rollback()

        def act(number: int) -> str:
            with committed_db.app_context():
                try:
                    if number == 2:
                        plans.publish(dispatcher, draft)
                    else:
                        index = number if number < 2 else number - 1
                        courier_day.complete(drivers[index], taps[index])
                except DomainError as refused:
                    return refused.code
                return "ok"

        with ThreadPoolExecutor(5) as pool:
            told = list(pool.map(act, range(5)))
        assert told[:2] + told[3:] == ["ok"] * 4, "a tap is never lost"
        assert told[2] in ("ok", "plan_outdated")
        sound(draft if told[2] == "ok" else f.plan)
        done = sa.select(Stop.public_id).join(Route).join(RoutePlan).where(
            RoutePlan.status == "published", Stop.state == "done"
        )  # fmt: skip
        assert set(session.scalars(done)) == set(taps)
        if told[2] == "ok":
            assert urgent.public_id in f.trucks(draft)


def test_the_moment_from_which_trucks_go_on_may_be_named(app: Flask, db_session: Any, night: Any) -> None:
    f = Fleet(1, 1)
    noon = clock.at(DAY, 720)
    draft = f.again(app, now=noon)
    arrivals = [s.planned_arrival for r in plan_views.plan(f.w.carrier.id, draft).routes for s in r.stops]
    assert len(arrivals) == 4
    assert min(arrivals) >= noon


def test_after_the_shift_only_what_is_on_board_is_brought(app: Flask, db_session: Any, night: Any) -> None:
    f = Fleet(1, 1)
    night.move_to(MORNING)
    f.start(f.w.vehicle)
    f.load(f.w.vehicle, *f.first)
    draft = f.again(app, now=clock.at(DAY, 1330))
    assert f.trucks(draft) == {f.first[0].public_id: f.w.vehicle.plate}
    assert f.left(draft).keys() == {f.second[0].public_id}


def test_the_courier_sees_the_new_rest(app: Flask, db_session: Any, night: Any) -> None:
    f = Fleet(1, 1)
    night.move_to(MORNING)
    f.start(f.w.vehicle)
    f.load(f.w.vehicle, *f.first)
    urgent = make.delivery(f.w, DAY, index=2)
    trip = session.scalars(sa.select(Delivery.fulfilment_id).where(Delivery.id == f.second[0].id)).one()
    draft = f.again(app, broken=[f.other.public_id])
    service.cancel(trip, "buyer")
    plans.publish(f.w.dispatcher, draft)
    route = courier_views.route(f.w.courier_user.id)
    assert route is not None
    assert route.state == "started"
    assert route.stops[0].state == "done"
    assert {s.delivery for s in route.stops if s.state == "planned"} == {f.first[0].public_id, urgent.public_id}
    assert f.second[0].public_id not in {s.delivery for s in route.stops}, "called off meanwhile"
