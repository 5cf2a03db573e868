"""A delivery from ready to the buyer's hands: every tap once or twice, right PIN or wrong."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.core.models import OutboxEvent
from app.logistics import courier_day, courier_views, plans, queries, service, tracking
from app.logistics.courier_day import HandOver, Tap
from app.logistics.models import Delivery, DeliveryAttempt, DeliveryEvent, Route, Stop
from tests.factories import logistics as make

pytestmark = pytest.mark.usefixtures("db_session")


class Day:
    """A published route of some deliveries, started."""

    def __init__(self, number: int = 1, *, start: bool = True, **fields: Any) -> None:
        self.w = make.world()
        self.made = [make.delivery(self.w, index=i, **fields) for i in range(number)]
        self.plan = make.published(self.w, self.made)
        route = courier_views.route(self.w.courier_user.id)
        assert route is not None
        self.route = route
        if start:
            courier_day.start_route(self.w.courier, route.public_id)

    def stop(self, kind: str, number: int = 0) -> uuid.UUID:
        return [s for s in self.route.stops if s.kind == kind][number].public_id

    def state(self, number: int = 0) -> str:
        return str(session.scalar(sa.select(Delivery.state).where(Delivery.id == self.made[number].id)))

    def load(self) -> None:
        for number in range(len(self.made)):
            courier_day.complete(self.w.courier, self.stop("pickup", number))

    def stop_row(self, kind: str, number: int = 0) -> Stop:
        return session.scalars(sa.select(Stop).where(Stop.public_id == self.stop(kind, number))).one()


def names(delivery_id: int) -> list[str]:
    return list(
        session.scalars(
            sa.select(OutboxEvent.name)
            .where(OutboxEvent.entity_id == delivery_id, OutboxEvent.entity == "delivery")
            .order_by(OutboxEvent.id)
        )
    )


def test_the_whole_way_tells_every_fact_once() -> None:
    day = Day()
    for _twice in range(2):
        courier_day.arrive(day.w.courier, day.stop("pickup"))
    for _twice in range(2):
        courier_day.complete(day.w.courier, day.stop("pickup"))
    assert day.state() == "in_transit"
    for _twice in range(2):
        courier_day.arrive(day.w.courier, day.stop("drop"))
        courier_day.start_unloading(day.w.courier, day.stop("drop"))
    for _twice in range(2):
        courier_day.complete(day.w.courier, day.stop("drop"), HandOver(pin=day.made[0].pin))
    assert day.state() == "delivered"
    assert names(day.made[0].id) == ["DeliveryReady", "DeliveryHandedOver", "DeliveryOnTheWay", "DeliveryCompleted"]
    assert session.scalar(sa.select(sa.func.count()).select_from(DeliveryAttempt)) == 1
    route = session.scalars(sa.select(Route).where(Route.public_id == day.route.public_id)).one()
    assert route.state == "finished"
    assert route.finished_at is not None


def test_the_truck_leaves_when_the_last_load_of_the_warehouse_is_on() -> None:
    day = Day(2)
    courier_day.complete(day.w.courier, day.stop("pickup", 0))
    assert [day.state(0), day.state(1)] == ["handed_over", "planned"]
    courier_day.complete(day.w.courier, day.stop("pickup", 1))
    assert [day.state(0), day.state(1)] == ["in_transit", "in_transit"]


def test_goods_are_handed_over_only_against_the_pin_and_three_wrong_ones_lock_the_door() -> None:
    day = Day()
    day.load()
    wrong = f"{(int(day.made[0].pin) + 1) % 10_000:04d}"
    for left in (2, 1):
        with pytest.raises(Invalid) as refused:
            courier_day.complete(day.w.courier, day.stop("drop"), HandOver(pin=wrong))
        assert refused.value.errors[0].context == {"left": left}
    for pin in (wrong, day.made[0].pin):
        with pytest.raises(Conflict, match="pin_locked"):
            courier_day.complete(day.w.courier, day.stop("drop"), HandOver(pin=pin))
    assert day.state() == "in_transit"
    service.release_pin(day.w.dispatcher, day.made[0].public_id)
    courier_day.complete(day.w.courier, day.stop("drop"), HandOver(pin=day.made[0].pin))
    assert day.state() == "delivered"


def test_a_short_count_needs_a_reason_and_makes_it_a_part() -> None:
    day = Day()
    day.load()
    with pytest.raises(Invalid):
        courier_day.complete(day.w.courier, day.stop("drop"), HandOver({"2": Decimal(7)}, "", day.made[0].pin))
    courier_day.complete(day.w.courier, day.stop("drop"), HandOver({"2": Decimal(7)}, "torn", day.made[0].pin))
    assert day.state() == "partially_delivered"
    attempt = session.scalars(sa.select(DeliveryAttempt)).one()
    assert attempt.lines[1]["delivered_base"] == "175.000000"


def test_cash_due_must_be_counted() -> None:
    day = Day(cash_due=500_000)
    day.load()
    with pytest.raises(Invalid) as refused:
        courier_day.complete(day.w.courier, day.stop("drop"), HandOver(pin=day.made[0].pin))
    assert refused.value.errors[0].pointer == "/cash"
    courier_day.complete(day.w.courier, day.stop("drop"), HandOver(pin=day.made[0].pin, cash_counted=500_000))
    assert session.scalars(sa.select(DeliveryAttempt)).one().proof["cash_counted"] == 500_000


def test_a_failed_drop_is_told_with_its_reason_and_stays_failed() -> None:
    day = Day()
    day.load()
    for _twice in range(2):
        courier_day.fail(day.w.courier, day.stop("drop"), "nobody_there")
    assert day.state() == "failed"
    with pytest.raises(Conflict, match="stop_state"):
        courier_day.complete(day.w.courier, day.stop("drop"), HandOver(pin=day.made[0].pin))
    with pytest.raises(Invalid):
        courier_day.fail(day.w.courier, day.stop("drop"), "bored")
    [event] = session.scalars(sa.select(OutboxEvent).where(OutboxEvent.name == "DeliveryCompleted"))
    assert (event.payload["outcome"], event.payload["reason"]) == ("failed", "nobody_there")


def test_goods_missing_at_the_warehouse_go_back_to_the_dispatcher() -> None:
    day = Day(2)
    courier_day.fail(day.w.courier, day.stop("pickup", 0), "not_at_warehouse")
    assert day.state(0) == "ready"
    assert day.stop_row("drop", 0).state == "skipped"
    courier_day.complete(day.w.courier, day.stop("pickup", 1))
    assert day.state(1) == "in_transit"


def test_nothing_is_handed_over_before_it_is_loaded_or_the_route_started() -> None:
    day = Day(start=False)
    with pytest.raises(Conflict, match="route_not_started"):
        courier_day.arrive(day.w.courier, day.stop("pickup"))
    courier_day.start_route(day.w.courier, day.route.public_id)
    with pytest.raises(Conflict, match="not_loaded"):
        courier_day.arrive(day.w.courier, day.stop("drop"))


def test_a_stale_page_is_told_so_but_a_repeated_tap_is_not() -> None:
    day = Day()
    courier_day.arrive(day.w.courier, day.stop("pickup"), Tap(version=1))
    courier_day.arrive(day.w.courier, day.stop("pickup"), Tap(version=1))
    with pytest.raises(Stale):
        courier_day.complete(day.w.courier, day.stop("pickup"), tap=Tap(version=1))


def test_a_stop_of_another_courier_is_absent() -> None:
    day = Day()
    other = make.world()
    with pytest.raises(NotFound):
        courier_day.arrive(other.courier, day.stop("pickup"))
    with pytest.raises(NotFound):
        courier_views.stop(other.courier_user.id, day.stop("pickup"))
    assert courier_views.route(other.courier_user.id) is None


def test_a_draft_is_not_shown_to_the_courier() -> None:
    w = make.world()
    made = make.delivery(w)
    plan = make.stored_plan(w, [made])
    assert courier_views.route(w.courier_user.id) is None
    plans.publish(w.dispatcher, uuid.UUID(plan))
    assert courier_views.route(w.courier_user.id) is not None


def test_the_time_of_the_tap_is_kept_not_of_its_sending() -> None:
    day = Day()
    tapped = clock.now() - timedelta(hours=3)
    courier_day.arrive(day.w.courier, day.stop("pickup"), Tap(at=tapped))
    assert day.stop_row("pickup").arrived_at == tapped


def test_a_late_truck_moves_the_times_ahead() -> None:
    day = Day(2)
    planned = day.stop_row("pickup", 0).planned_arrival
    late = Tap(at=planned + timedelta(minutes=25))
    before = day.stop_row("drop", 0).planned_arrival
    with_time_at(planned + timedelta(minutes=26), lambda: courier_day.arrive(day.w.courier, day.stop("pickup"), late))
    assert day.stop_row("drop", 0).eta == before + timedelta(minutes=25)


def with_time_at(moment: Any, act: Any) -> None:
    import time_machine

    with time_machine.travel(moment, tick=False):
        act()


def test_a_cancelled_delivery_is_skipped_and_one_on_board_cannot_be_cancelled() -> None:
    day = Day(2)
    trip = session.scalars(sa.select(Delivery.fulfilment_id).where(Delivery.id == day.made[0].id)).one()
    service.cancel(trip, "buyer")
    service.cancel(trip, "buyer")
    assert day.state(0) == "cancelled"
    assert day.stop_row("drop", 0).state == "skipped"
    courier_day.complete(day.w.courier, day.stop("pickup", 1))
    other = session.scalars(sa.select(Delivery.fulfilment_id).where(Delivery.id == day.made[1].id)).one()
    with pytest.raises(Conflict, match="delivery_state"):
        service.cancel(other, "buyer")


def test_the_link_lives_while_the_truck_is_on_its_way() -> None:
    day = Day()
    token = day.made[0].tracking_token
    with pytest.raises(NotFound):
        tracking.by_token(token)
    day.load()
    fix = tracking.Fix(clock.now(), 55.81, 37.74, 12.0)
    assert tracking.record_positions(day.w.courier, [fix, fix]) == tracking.Kept(1, 1, {"again": 1})
    view = tracking.by_token(token)
    assert view.is_live
    assert view.stops_before == 0
    assert view.position is not None
    assert view.eta_from is not None
    assert view.eta_to is not None
    assert view.eta_from < view.eta_to
    courier_day.complete(day.w.courier, day.stop("drop"), HandOver(pin=day.made[0].pin))
    with pytest.raises(NotFound):
        tracking.by_token(token)
    assert tracking.stamp_of_link(token) is None


def test_positions_are_kept_only_on_shift_and_the_newest_wins() -> None:
    day = Day(start=False)
    now = clock.now()
    assert tracking.record_positions(day.w.courier, [tracking.Fix(now, 55.8, 37.7)]).accepted == 0
    courier_day.start_route(day.w.courier, day.route.public_id)
    tracking.record_positions(day.w.courier, [tracking.Fix(now, 55.81, 37.71)])
    old = [tracking.Fix(now - timedelta(minutes=1), 55.81, 37.70), tracking.Fix(now - timedelta(days=9), 1.0, 1.0)]
    assert tracking.record_positions(day.w.courier, old) == tracking.Kept(1, 1, {"old": 1})
    assert tracking.courier_positions(day.w.carrier.id)[day.w.courier_id].lat == 55.81
    with pytest.raises(Invalid):
        tracking.record_positions(day.w.courier, [tracking.Fix(now, 95.0, 0.0)])
    with pytest.raises(Invalid):
        tracking.record_positions(day.w.courier, [tracking.Fix(now, 1.0, 0.0)] * 501)


def test_the_buyer_sees_the_pin_and_the_link_only_while_they_serve() -> None:
    day = Day()
    trip = session.scalars(sa.select(Delivery.fulfilment_id).where(Delivery.id == day.made[0].id)).one()
    before = queries.of_fulfilments([trip])[trip]
    assert before.pin == day.made[0].pin
    assert before.tracking_token is None
    assert before.eta is not None
    day.load()
    assert queries.of_fulfilments([trip])[trip].tracking_token == day.made[0].tracking_token
    courier_day.complete(day.w.courier, day.stop("drop"), HandOver(pin=day.made[0].pin))
    after = queries.of_fulfilments([trip])[trip]
    assert after.pin is None
    assert after.tracking_token is None


def test_the_history_is_complete_and_in_order() -> None:
    day = Day()
    day.load()
    courier_day.complete(day.w.courier, day.stop("drop"), HandOver(pin=day.made[0].pin))
    kinds = session.scalars(
        sa.select(DeliveryEvent.kind).where(DeliveryEvent.delivery_id == day.made[0].id).order_by(DeliveryEvent.id)
    ).all()
    assert kinds == [
        "created", "ready", "planned", "loaded", "handed_over", "in_transit", "handed_to_buyer", "delivered",
    ]  # fmt: skip


def test_all_goods_of_a_warehouse_are_loaded_with_one_tap() -> None:
    day = Day(3)
    assert courier_day.load_all_here(day.w.courier, day.stop("pickup", 0)) == 3
    assert [day.state(i) for i in range(3)] == ["in_transit"] * 3
    assert courier_day.load_all_here(day.w.courier, day.stop("pickup", 0)) == 0
    with pytest.raises(NotFound):
        courier_day.load_all_here(day.w.courier, day.stop("drop"))
