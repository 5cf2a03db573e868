"""Taps that waited in a phone: doubled, out of order, a day late, no longer fitting the plan."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from app.catalog.picture_files import Upload
from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.models import Job
from app.logistics import courier_day, courier_outbox, courier_photos, courier_views, rules, service, shift_day
from app.logistics.courier_models import CourierAction, ProofPhoto, VehicleCheck
from app.logistics.courier_outbox import Became, Sent
from app.logistics.courier_photos import Picture
from app.logistics.courier_taps import HandOver, Tap
from app.logistics.models import Delivery, DeliveryAttempt, DeliveryEvent, Route, Stop
from app.logistics.shift_day import Look
from tests.factories import images
from tests.factories import logistics as make
from tests.logistics.test_courier_day import Day, names

pytestmark = pytest.mark.usefixtures("db_session")

JPEG = images.encoded(images.quarters(64, 48), "JPEG")


def sent(kind: str, subject: uuid.UUID, **fields: Any) -> Sent:
    return Sent(uuid.uuid4(), kind, subject, offline=fields.pop("offline", True), **fields)


def take(day: Day, *taps: Sent) -> list[Became]:
    return courier_outbox.take(day.w.courier, taps)


def outcomes(told: list[Became]) -> list[str]:
    return [one.outcome for one in told]


def picture(app: Flask, day: Day, role: str = "photo") -> uuid.UUID:
    key = uuid.uuid4()
    upload = Upload("a.jpg", JPEG)
    courier_photos.receive(day.w.courier, app.extensions["storage"], upload, Picture(key, role))
    return key


def whole_way(day: Day, started: Any) -> list[Sent]:
    """Every tap of a route of one delivery, a quarter of an hour apart."""
    pin = day.made[0].pin
    taps = [
        ("arrive", "pickup", {}), ("complete", "pickup", {}), ("arrive", "drop", {}), ("unloading", "drop", {}),
        ("complete", "drop", {"given": HandOver(pin=pin, offline=True)}),
    ]  # fmt: skip
    return [
        sent(kind, day.stop(where), at=started + timedelta(minutes=15 * number), **more)
        for number, (kind, where, more) in enumerate(taps)
    ]


def test_a_day_without_signal_arrives_a_day_late_with_the_times_of_the_taps() -> None:
    day = Day()
    started = clock.now()
    taps = whole_way(day, started)
    session.commit()
    with time_machine.travel(started + timedelta(hours=25), tick=False):
        assert outcomes(take(day, *taps)) == ["done"] * 5
    drop = day.stop_row("drop")
    assert (drop.arrived_at, drop.unloading_at, drop.completed_at) == tuple(t.at for t in taps[2:])
    assert day.state() == "delivered"
    attempt = session.scalars(sa.select(DeliveryAttempt)).one()
    assert attempt.happened_at == taps[4].at
    assert attempt.proof["pin_ok"] is True
    kept = session.scalars(sa.select(CourierAction).order_by(CourierAction.id)).all()
    assert [row.tapped_at for row in kept] == [tap.at for tap in taps]
    assert all(row.received_at > row.tapped_at for row in kept)


def test_a_doubled_replay_does_everything_once() -> None:
    day = Day()
    taps = whole_way(day, clock.now() - timedelta(hours=2))
    assert outcomes(take(day, *taps, *taps)) == ["done"] * 5 + ["repeated"] * 5
    again = take(day, *taps)
    assert outcomes(again) == ["repeated"] * 5
    assert [one.first for one in again] == ["done"] * 5
    assert names(day.made[0].id) == ["DeliveryReady", "DeliveryHandedOver", "DeliveryOnTheWay", "DeliveryCompleted"]
    assert session.scalar(sa.select(sa.func.count()).select_from(DeliveryAttempt)) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(CourierAction)) == 5


def test_the_same_taps_under_other_keys_change_nothing() -> None:
    day = Day()
    at = clock.now() - timedelta(hours=2)
    take(day, *whole_way(day, at))
    assert outcomes(take(day, *whole_way(day, at + timedelta(minutes=1)))) == ["repeated"] * 5
    assert session.scalar(sa.select(sa.func.count()).select_from(DeliveryAttempt)) == 1


def test_taps_out_of_order_end_in_the_same_state_with_the_same_times() -> None:
    day = Day()
    taps = whole_way(day, clock.now() - timedelta(hours=2))
    arrive_w, load, arrive, unload, hand = taps
    assert outcomes(take(day, load, arrive_w)) == ["done", "repeated"]
    assert outcomes(take(day, hand, unload, arrive)) == ["done", "repeated", "repeated"]
    drop, pickup = day.stop_row("drop"), day.stop_row("pickup")
    assert pickup.arrived_at == arrive_w.at
    assert (drop.arrived_at, drop.unloading_at, drop.completed_at) == (arrive.at, unload.at, hand.at)
    assert day.state() == "delivered"


def test_a_hand_over_before_its_loading_is_kept_as_a_conflict_and_may_come_again() -> None:
    day = Day()
    taps = whole_way(day, clock.now() - timedelta(hours=2))
    [early] = take(day, taps[4])
    assert (early.outcome, early.code) == ("conflict", "not_loaded")
    event = session.scalars(sa.select(DeliveryEvent).where(DeliveryEvent.kind == "tap_conflict")).one()
    assert (event.details["action"], event.happened_at) == ("complete", taps[4].at)
    assert "pin" not in event.details
    assert event.details["pin_given"] is True
    assert outcomes(take(day, *taps[:4])) == ["done"] * 4
    assert outcomes(take(day, sent("complete", day.stop("drop"), given=HandOver(pin=day.made[0].pin)))) == ["done"]


def test_what_the_dispatcher_cancelled_is_shown_and_what_the_driver_did_is_kept(app: Flask) -> None:
    day = Day(2)
    fulfilment = session.scalar(sa.select(Delivery.fulfilment_id).where(Delivery.id == day.made[0].id))
    assert fulfilment is not None
    service.cancel(fulfilment, "buyer")
    session.commit()
    photo = picture(app, day)
    at = clock.now() - timedelta(minutes=40)
    told = take(
        day,
        sent("arrive", day.stop("pickup"), at=at, version=1),
        sent("complete", day.stop("pickup"), at=at, version=2,
             given=HandOver({"2": Decimal(7)}, "torn", photos=[photo], offline=True)),
    )  # fmt: skip
    assert [(one.outcome, one.code) for one in told] == [("conflict", "stop_state")] * 2
    now = courier_outbox.now_of(day.w.courier, day.stop("pickup"))
    assert now is not None
    assert (now.state, now.delivery_state) == ("skipped", "cancelled")
    events = session.scalars(
        sa.select(DeliveryEvent).where(DeliveryEvent.kind == "tap_conflict").order_by(DeliveryEvent.id)
    ).all()
    assert [e.details["action"] for e in events] == ["arrive", "complete"]
    assert events[1].details["counted"] == {"2": "7"}
    [kept] = courier_photos.of_delivery(day.made[0].id)
    assert events[1].details["photos"] == [str(kept.public_id)]
    again = take(day, sent("arrive", day.stop("pickup", 1), at=at))
    assert outcomes(again) == ["done"], "the rest of the day goes on"


def test_a_stop_that_changed_meanwhile_is_a_conflict_for_goods_but_not_for_times() -> None:
    day = Day()
    day.load()
    row = day.stop_row("drop")
    row.version += 1  # the dispatcher changed it
    session.commit()
    stop, at = day.stop("drop"), clock.now()
    told = take(
        day,
        sent("arrive", stop, at=at, version=1),
        sent("complete", stop, at=at, version=2, given=HandOver(pin=day.made[0].pin)),
    )
    assert [(one.outcome, one.code) for one in told] == [("done", ""), ("conflict", "stale_version")]
    assert day.state() == "in_transit"


def test_a_newer_plan_gives_the_stop_another_id_and_the_tap_finds_it() -> None:
    day = Day(start=False)
    old = day.stop("pickup")
    newer = make.published(day.w, day.made)
    assert newer != day.plan
    route = courier_views.route(day.w.courier_user.id)
    assert route is not None
    courier_day.start_route(day.w.courier, route.public_id)
    assert outcomes(take(day, sent("arrive", old, version=7), sent("complete", old, version=8))) == ["done", "done"]
    assert day.state() == "in_transit"
    new = next(one for one in route.stops if one.kind == "pickup")
    assert new.public_id != old
    row = session.scalars(sa.select(Stop).where(Stop.public_id == new.public_id)).one()
    assert row.state == "done"


def test_a_stop_given_to_another_driver_is_a_conflict_that_says_who_has_it() -> None:
    day = Day()
    other_person, other = make.driver(day.w.carrier, None)
    session.execute(
        sa.update(Route).where(Route.public_id == day.route.public_id).values(courier_id=other.id)
    )  # fmt: skip
    session.commit()
    [told] = take(day, sent("arrive", day.stop("drop")))
    assert (told.outcome, told.code) == ("conflict", "stop_moved")
    now = courier_outbox.now_of(day.w.courier, day.stop("drop"))
    assert now is not None
    assert now.driver == other_person.name


def test_a_stop_of_another_carrier_is_absent_and_nothing_is_written_on_it() -> None:
    day, stranger = Day(), make.world()
    tap = sent("arrive", day.stop("drop"))
    [told] = courier_outbox.take(stranger.courier, [tap])
    assert (told.outcome, told.code) == ("refused", "not_found")
    assert courier_outbox.now_of(stranger.courier, day.stop("drop")) is None
    assert session.scalar(sa.select(sa.func.count()).where(DeliveryEvent.kind == "tap_conflict")) == 0
    absent = Sent(uuid.uuid4(), "arrive", uuid.uuid4(), offline=True)
    assert courier_outbox.take(stranger.courier, [absent])[0].code == "not_found"


def test_two_people_may_use_the_same_key() -> None:
    first, second = Day(), Day()
    key = uuid.uuid4()
    for day in (first, second):
        told = courier_outbox.take(day.w.courier, [Sent(key, "arrive", day.stop("pickup"))])
        assert outcomes(told) == ["done"]


def wrong_pin(day: Day) -> str:
    return f"{(int(day.made[0].pin) + 1) % 10_000:04d}"


def test_a_wrong_pin_with_signal_is_refused_and_counted() -> None:
    day = Day()
    day.load()
    tap = sent("complete", day.stop("drop"), offline=False, given=HandOver(pin=wrong_pin(day)))
    [told] = take(day, tap)
    assert (told.outcome, told.code, told.context) == ("refused", "pin_wrong", {"left": 2})
    assert take(day, tap)[0].first == "refused", "the same tap is not counted twice"
    assert session.scalar(sa.select(Delivery.pin_failures).where(Delivery.id == day.made[0].id)) == 1
    assert day.state() == "in_transit"
    assert session.scalar(sa.select(sa.func.count()).where(DeliveryEvent.kind == "tap_conflict")) == 0


@pytest.mark.parametrize("pin", ["wrong", ""])
def test_goods_handed_over_without_signal_and_pin_are_recorded_as_unconfirmed(app: Flask, pin: str) -> None:
    day = Day()
    day.load()
    signature = picture(app, day, "signature")
    given = HandOver(pin=pin and wrong_pin(day), signature=signature, received_by="Прораб", offline=True)
    [told] = take(day, sent("complete", day.stop("drop"), given=given))
    assert (told.outcome, told.code, told.unconfirmed) == ("done", "pin_unconfirmed", True)
    assert day.state() == "delivered"
    proof = session.scalars(sa.select(DeliveryAttempt)).one().proof
    assert (proof["pin_ok"], proof["offline"], proof["received_by"]) == (False, True, "Прораб")
    [kept] = courier_photos.of_delivery(day.made[0].id)
    assert proof["signature"] == str(kept.public_id)
    kinds = session.scalars(sa.select(DeliveryEvent.kind)).all()
    assert "handed_over_unconfirmed" in kinds


def test_a_wrong_pin_without_any_evidence_leaves_the_stop_open_and_the_record_kept() -> None:
    day = Day()
    day.load()
    [told] = take(day, sent("complete", day.stop("drop"), given=HandOver(pin=wrong_pin(day), offline=True)))
    assert (told.outcome, told.code) == ("conflict", "pin_wrong")
    assert day.state() == "in_transit"
    assert session.scalar(sa.select(sa.func.count()).where(DeliveryEvent.kind == "tap_conflict")) == 1
    kept = session.scalars(sa.select(CourierAction)).one()
    assert wrong_pin(day) not in str(kept.payload)


def test_a_photograph_that_never_came_does_not_hold_the_delivery_back() -> None:
    day = Day()
    day.load()
    lost = uuid.uuid4()
    given = HandOver(pin=day.made[0].pin, photos=[lost], offline=True)
    assert outcomes(take(day, sent("complete", day.stop("drop"), given=given))) == ["done"]
    assert session.scalars(sa.select(DeliveryAttempt)).one().proof["photos_missing"] == [str(lost)]


def test_a_photograph_sent_twice_is_one_and_belongs_to_one_delivery(app: Flask) -> None:
    day, other = Day(), Day()
    day.load()
    storage, upload = app.extensions["storage"], Upload("a.jpg", JPEG)
    about = Picture(uuid.uuid4())
    first = courier_photos.receive(day.w.courier, storage, upload, about)
    assert courier_photos.receive(day.w.courier, storage, upload, about) == first
    assert session.scalar(sa.select(sa.func.count()).select_from(ProofPhoto)) == 1
    with pytest.raises(Invalid, match="invalid_fields"):
        courier_photos.receive(day.w.courier, storage, Upload("a.jpg", b"GIF89a"), Picture(uuid.uuid4()))
    given = HandOver(pin=day.made[0].pin, photos=[first])
    courier_day.complete(day.w.courier, day.stop("drop"), given)
    assert session.scalars(sa.select(DeliveryAttempt)).one().proof["photos"] == [str(first)]
    other.load()
    with pytest.raises(Invalid) as refused:
        courier_day.complete(other.w.courier, other.stop("drop"), HandOver(pin=other.made[0].pin, photos=[first]))
    assert refused.value.errors[0].code == "unknown_picture"


def test_only_the_parties_see_a_photograph(app: Flask) -> None:
    day, stranger = Day(), make.world()
    day.load()
    photo = courier_photos.receive(
        day.w.courier, app.extensions["storage"], Upload("a.jpg", JPEG), Picture(uuid.uuid4())
    )
    courier_day.complete(day.w.courier, day.stop("drop"), HandOver(pin=day.made[0].pin, photos=[photo]))
    with pytest.raises(NotFound):
        courier_photos.file_for(day.w.courier, photo)  # not made yet
    row = session.scalars(sa.select(ProofPhoto)).one()
    courier_photos.finish(row.id)
    session.flush()
    seller = make.actor(make.user(), day.w.seller, "seller", "owner")
    for actor in (day.w.courier, day.w.dispatcher, make.actor(day.w.buyer), seller):
        assert courier_photos.file_for(actor, photo) == row.stored
    for actor in (stranger.courier, stranger.dispatcher, make.actor(stranger.buyer)):
        with pytest.raises(NotFound):
            courier_photos.file_for(actor, photo)


# Loading


def test_what_is_loaded_short_is_what_the_door_is_counted_against() -> None:
    day = Day()
    short = HandOver({"2": Decimal(7)}, reasons={"2": "torn"}, received_by="Кладовщик")
    courier_day.complete(day.w.courier, day.stop("pickup"), short)
    [first, second] = courier_views.stop(day.w.courier_user.id, day.stop("drop")).waybill
    assert (first["loaded"], second["loaded"]) == (Decimal(96), Decimal(7))
    loaded = session.scalars(sa.select(DeliveryEvent).where(DeliveryEvent.kind == "loaded")).one()
    assert loaded.details["released_by"] == "Кладовщик"
    assert loaded.details["lines"][1]["reason"] == "torn"
    with pytest.raises(Invalid) as refused:
        courier_day.complete(day.w.courier, day.stop("drop"), HandOver({"2": Decimal(8)}, pin=day.made[0].pin))
    assert refused.value.errors[0].context["maximum"] == "7"
    courier_day.complete(day.w.courier, day.stop("drop"), HandOver(pin=day.made[0].pin))
    assert day.state() == "partially_delivered"
    attempt = session.scalars(sa.select(DeliveryAttempt)).one()
    assert (attempt.lines[1]["delivered"], attempt.lines[1]["reason"], attempt.reason) == ("7", "torn", "torn")


def test_each_line_has_its_own_reason() -> None:
    day = Day()
    day.load()
    counted = {"1": Decimal(90), "2": Decimal(0)}
    with pytest.raises(Invalid):
        courier_day.complete(
            day.w.courier, day.stop("drop"), HandOver(counted, reasons={"1": "torn"}, pin=day.made[0].pin)
        )
    given = HandOver(counted, reasons={"1": "torn", "2": "wrong_goods"}, pin=day.made[0].pin)
    courier_day.complete(day.w.courier, day.stop("drop"), given)
    lines = session.scalars(sa.select(DeliveryAttempt)).one().lines
    assert [line["reason"] for line in lines] == ["torn", "wrong_goods"]


def test_loaded_is_never_more_than_the_waybill_and_the_door_never_more_than_loaded() -> None:
    cargo = [{"line": "1", "quantity": "10", "quantity_base": "10", "loaded": "6", "load_reason": "no_room"}]
    [whole] = rules.count_lines(cargo, {})
    assert (whole.delivered, whole.short, whole.reason) == (Decimal(6), True, "no_room")
    [less] = rules.count_lines(cargo, {"1": Decimal(5)}, "torn")
    assert (less.delivered, less.reason) == (Decimal(5), "torn")
    [again] = rules.count_lines(cargo, {"1": Decimal(10)}, loading=True)
    assert not again.short


# The truck


def looked(day: Day, **fields: Any) -> uuid.UUID:
    return shift_day.check_vehicle(
        day.w.courier, day.route.public_id, Look(**{"odometer_km": 120_000} | fields), fields.pop("tap", Tap())
    )  # fmt: skip


def test_a_route_starts_only_with_a_truck_that_was_looked_at_and_may_drive() -> None:
    day = Day(start=False)
    with pytest.raises(Conflict, match="vehicle_not_checked"):
        shift_day.set_out(day.w.courier, day.route.public_id)
    looked(day, defects={"tyres": "гвоздь в левом переднем"}, may_drive=False)
    with pytest.raises(Conflict, match="vehicle_forbidden"):
        shift_day.set_out(day.w.courier, day.route.public_id)
    looked(day, defects={"lights": "не горит габарит"})
    assert shift_day.set_out(day.w.courier, day.route.public_id) is True
    assert shift_day.set_out(day.w.courier, day.route.public_id) is False


def test_a_defect_that_forbids_driving_is_mailed_to_the_dispatchers(app: Flask) -> None:
    from app.core.jobs import RunningJob
    from app.core.models import OutboxEvent

    day = Day(start=False)
    looked(day, defects={"lights": "не горит габарит"})
    assert session.scalar(sa.select(sa.func.count()).where(OutboxEvent.name == "VehicleForbidden")) == 0
    looked(day, defects={"brakes": "педаль проваливается"}, may_drive=False)
    [event] = session.scalars(sa.select(OutboxEvent).where(OutboxEvent.name == "VehicleForbidden"))
    assert event.entity_id == day.w.vehicle.id
    told = shift_day.told_of(event.payload["check_id"])
    assert told is not None
    assert told["defects"] == [{"item": "brakes", "note": "педаль проваливается"}]
    assert RunningJob is not None
    assert session.scalar(sa.select(sa.func.count()).where(Job.kind == "logistics.vehicle_forbidden")) == 1


@pytest.mark.parametrize(
    ("look", "code"),
    [
        ({"defects": {"wings": "x"}}, "unknown_option"),
        ({"defects": {"tyres": " "}}, "defect_named"),
        ({"may_drive": False}, "defect_named"),
        ({"odometer_km": -1}, "out_of_range"),
        ({"odometer_km": 10_000_000}, "out_of_range"),
    ],
)
def test_a_look_at_the_truck_that_says_nothing_is_refused(look: dict[str, Any], code: str) -> None:
    day = Day(start=False)
    with pytest.raises(Invalid) as refused:
        looked(day, **look)
    assert refused.value.errors[0].code == code
    assert session.scalar(sa.select(sa.func.count()).select_from(VehicleCheck)) == 0


def test_the_shift_ends_once_with_an_odometer_that_went_on() -> None:
    day = Day(start=False)
    looked(day)
    with pytest.raises(Conflict, match="route_not_started"):
        shift_day.end_shift(day.w.courier, day.route.public_id, Look(120_050))
    shift_day.set_out(day.w.courier, day.route.public_id)
    with pytest.raises(Invalid) as refused:
        shift_day.end_shift(day.w.courier, day.route.public_id, Look(119_999))
    assert refused.value.errors[0].context == {"least": 120_000}
    assert shift_day.end_shift(day.w.courier, day.route.public_id, Look(120_050)) is True
    assert shift_day.end_shift(day.w.courier, day.route.public_id, Look(120_060)) is False
    ends = shift_day.checks_of(day.w.courier, day.route.public_id)
    assert (ends["start"].odometer_km, ends["end"].odometer_km) == (120_000, 120_050)


def test_a_whole_day_is_sent_at_once_from_the_check_to_the_end() -> None:
    day = Day(start=False)
    at = clock.now() - timedelta(hours=3)
    route = day.route.public_id
    told = take(
        day,
        sent("check", route, at=at, look=Look(100)),
        sent("start", route, at=at),
        *whole_way(day, at + timedelta(minutes=5)),
        sent("end", route, at=at + timedelta(hours=2), look=Look(160)),
    )
    assert outcomes(told) == ["done"] * 8
    assert session.scalars(sa.select(Route).where(Route.public_id == route)).one().started_at == at
    assert outcomes(take(day, sent("start", uuid.uuid4()))) == ["refused"]
