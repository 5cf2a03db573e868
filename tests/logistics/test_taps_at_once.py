"""Taps that come at the same moment, with real commits: one effect."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.core.db import session
from app.core.errors import DomainError
from app.core.models import OutboxEvent
from app.logistics import courier_day, courier_outbox, courier_views, plans
from app.logistics.courier_day import HandOver
from app.logistics.courier_models import CourierAction
from app.logistics.models import Delivery, DeliveryAttempt, RoutePlan
from tests.factories import logistics as make


def at_once(app: Flask, act: Callable[[int], Any], number: int = 6) -> list[str]:
    """Call `act` in so many threads; what each of them ended with."""

    def run(index: int) -> str:
        with app.app_context():
            try:
                act(index)
            except DomainError as refused:
                return refused.code
            return "ok"

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def test_a_hand_over_sent_six_times_at_once_is_one(committed_db: Flask) -> None:
    w = make.world()
    made = make.delivery(w)
    make.published(w, [made])
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    stops = {stop.kind: stop.public_id for stop in route.stops}
    courier, pin = w.courier, made.pin
    courier_day.start_route(courier, route.public_id)
    session.rollback()
    assert at_once(committed_db, lambda _i: courier_day.complete(courier, stops["pickup"])) == ["ok"] * 6
    given = HandOver(pin=pin)
    assert at_once(committed_db, lambda _i: courier_day.complete(courier, stops["drop"], given)) == ["ok"] * 6
    assert session.scalar(sa.select(sa.func.count()).select_from(DeliveryAttempt)) == 1
    facts = (
        sa.select(OutboxEvent.name, sa.func.count()).where(OutboxEvent.entity == "delivery").group_by(OutboxEvent.name)
    )
    assert {row[0]: row[1] for row in session.execute(facts)} == {
        "DeliveryReady": 1,
        "DeliveryHandedOver": 1,
        "DeliveryOnTheWay": 1,
        "DeliveryCompleted": 1,
    }


def test_wrong_pins_at_once_are_all_counted(committed_db: Flask) -> None:
    w = make.world()
    made = make.delivery(w)
    make.published(w, [made])
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    stops = {stop.kind: stop.public_id for stop in route.stops}
    courier = w.courier
    courier_day.start_route(courier, route.public_id)
    courier_day.complete(courier, stops["pickup"])
    session.rollback()
    told = at_once(committed_db, lambda _i: courier_day.complete(courier, stops["drop"], HandOver(pin="none")))
    assert sorted(told) == ["invalid_fields"] * 2 + ["pin_locked"] * 4
    assert session.scalar(sa.select(Delivery.pin_failures)) == 3


def test_two_dispatchers_publish_at_once_and_one_plan_stands(committed_db: Flask) -> None:
    w = make.world()
    made = make.delivery(w)
    drafts = [uuid.UUID(make.stored_plan(w, [made])) for _ in range(4)]
    dispatcher = w.dispatcher
    session.rollback()
    assert at_once(committed_db, lambda i: plans.publish(dispatcher, drafts[i]), 4) == ["ok"] * 4
    states = session.scalars(sa.select(RoutePlan.status)).all()
    assert sorted(states) == ["published", "superseded", "superseded", "superseded"]


def test_a_day_asked_for_six_times_at_once_is_one_job(committed_db: Flask) -> None:
    from datetime import timedelta

    from app.core import clock
    from app.core.models import Job

    w = make.world()
    make.delivery(w)
    dispatcher, day = w.dispatcher, clock.today() + timedelta(days=1)
    session.rollback()
    assert at_once(committed_db, lambda _i: plans.request(dispatcher, day, 5)) == ["ok"] * 6
    count = sa.select(sa.func.count()).select_from(Job).where(Job.kind == plans.JOB_KIND)
    assert session.scalar(count) == 1


def test_one_tap_sent_by_page_and_worker_at_once_is_done_once(committed_db: Flask) -> None:
    w = make.world()
    made = make.delivery(w)
    make.published(w, [made])
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    stops = {stop.kind: stop.public_id for stop in route.stops}
    courier = w.courier
    courier_day.start_route(courier, route.public_id)
    courier_day.complete(courier, stops["pickup"])
    session.rollback()
    given = HandOver(pin=made.pin, offline=True)
    tap = courier_outbox.Sent(uuid.uuid4(), "complete", stops["drop"], offline=True, given=given)
    told: list[str] = []
    assert at_once(committed_db, lambda _i: told.extend(b.outcome for b in courier_outbox.take(courier, [tap]))) == (
        ["ok"] * 6
    )
    assert sorted(told) == ["done"] + ["repeated"] * 5
    assert session.scalar(sa.select(sa.func.count()).select_from(DeliveryAttempt)) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(CourierAction)) == 1
