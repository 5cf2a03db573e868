"""A delivery changes carriers: offered, answered once, before loading only; places move, the buyer's price does not."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core import clock
from app.core.db import db, session, unit_of_work
from app.core.errors import Conflict, DomainError, Invalid, NotFound
from app.logistics import doubts, hand_overs, queries, service, slots
from app.logistics.fleet_models import HandOver
from app.logistics.hand_overs import Offer
from app.logistics.models import Delivery, Stop
from app.logistics.slot_models import DeliverySlot
from app.logistics.slots import WindowFacts
from app.orders import moving
from app.orders.models import Fulfilment
from tests.factories import logistics as make
from tests.orders.test_races import all_at_once


def offered(giver: make.World, taker: make.World, made: Any, **more: Any) -> uuid.UUID:
    return hand_overs.offer(
        giver.dispatcher, made.public_id, Offer(taker.carrier.public_id, "no_truck", 100_000, **more)
    )


def declare(w: make.World, places: int, kg: int | None = None) -> None:
    slots.declare(w.dispatcher, list(range(1, 8)), WindowFacts(540, 1080, places, kg))


def taken(w: make.World) -> list[int]:
    own = sa.select(DeliverySlot.taken).where(DeliverySlot.carrier_id == w.carrier.id)
    return list(session.scalars(own))


def row_of(made: Any) -> Delivery:
    return session.get_one(Delivery, made.id, populate_existing=True)


def state_of(key: uuid.UUID) -> str:
    return session.scalars(sa.select(HandOver.state).where(HandOver.public_id == key)).one()


def test_accepted_it_is_the_other_carriers_with_a_place_of_its_window(db_session: Any) -> None:
    giver, taker = make.world(), make.world()
    declare(giver, 3)
    declare(taker, 3)
    made = make.delivery(giver)
    key = offered(giver, taker, made)
    assert (taken(giver), taken(taker)) == ([1], [])
    with pytest.raises(NotFound):
        queries.seen_by(made.public_id, user_id=0, carrier_id=taker.carrier.id)  # only what is offered is seen
    seen = hand_overs.hand_over(taker.carrier.id, key)
    assert seen.price == 100_000
    hand_overs.accept(taker.dispatcher, key)
    hand_overs.accept(taker.dispatcher, key)  # a second tap changes nothing
    row = row_of(made)
    assert (row.carrier_id, row.state, row.price) == (taker.carrier.id, "ready", 250_000)
    assert (taken(giver), taken(taker)) == ([0], [1])
    sold = session.get_one(Fulfilment, row.fulfilment_id)
    assert sold.carrier_id == giver.carrier.id  # who sold it to the buyer is owed by the buyer still
    assert queries.of_fulfilments([row.fulfilment_id])[row.fulfilment_id].carrier_name == taker.carrier.name
    for w in (giver, taker):
        assert [one.state for one in hand_overs.of_delivery(w.carrier.id, row.id)] == ["accepted"]
    kinds = [one.kind for one in queries.history(row.id)]
    assert kinds.count("hand_over_accepted") == kinds.count("hand_over_offered") == 1


def test_routes_lose_it_and_their_plans_are_out_of_date(db_session: Any) -> None:
    giver, taker = make.world(), make.world()
    first, second = make.delivery(giver), make.delivery(giver, index=1)
    make.published(giver, [first, second])
    make.stored_plan(giver, [first, second])
    key = offered(giver, taker, first)
    assert row_of(first).state == "planned"
    hand_overs.accept(taker.dispatcher, key)
    assert row_of(first).state == "ready"
    left = session.scalars(sa.select(Stop.state).where(Stop.delivery_id == first.id)).all()
    assert left == ["skipped", "skipped"]  # the published route passes it by, the draft has forgotten it
    found = doubts.of_day(giver.carrier.id, row_of(first).day)
    assert {(one.status, one.reason) for one in found} == {("published", "handed_over"), ("draft", "handed_over")}
    assert row_of(second).state == "planned"


def test_no_place_no_change_of_hands(db_session: Any) -> None:
    giver, taker = make.world(), make.world()
    declare(taker, 1)
    key = offered(giver, taker, make.delivery(giver))
    full = make.delivery(taker)
    assert taken(taker) == [1]
    with pytest.raises(Conflict) as refused:
        hand_overs.accept(taker.dispatcher, key)
    assert (refused.value.code, refused.value.context["reason"]) == ("slot_full", "full")
    assert state_of(key) == "offered"
    service.cancel(row_of(full).fulfilment_id, "")
    hand_overs.accept(taker.dispatcher, key)
    assert taken(taker) == [1]


def test_answers_come_once_and_from_the_right_side(db_session: Any) -> None:
    giver, taker, stranger = make.world(), make.world(), make.world()
    made = make.delivery(giver)
    key = offered(giver, taker, made)
    with pytest.raises(Conflict, match="hand_over_open"):
        offered(giver, stranger, made)
    for act, who in (
        (hand_overs.accept, giver), (hand_overs.accept, stranger), (hand_overs.decline, giver),
        (hand_overs.withdraw, taker),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            act(who.dispatcher, key)
    with pytest.raises(NotFound):
        hand_overs.hand_over(stranger.carrier.id, key)
    hand_overs.decline(taker.dispatcher, key, "нет крана")
    for act in (hand_overs.accept, hand_overs.decline):
        with pytest.raises(Conflict, match="hand_over_state"):
            act(taker.dispatcher, key)
    with pytest.raises(Conflict, match="hand_over_state"):
        hand_overs.withdraw(giver.dispatcher, key)
    again = offered(giver, stranger, made)
    hand_overs.withdraw(giver.dispatcher, again)
    assert (row_of(made).carrier_id, hand_overs.hand_over(giver.carrier.id, key).answer) == (
        giver.carrier.id, "нет крана",
    )  # fmt: skip


def test_the_deadline_ends_an_offer(db_session: Any) -> None:
    giver, taker = make.world(), make.world()
    made = make.delivery(giver)
    key = offered(giver, taker, made, hours=1)
    row = session.scalars(sa.select(HandOver).where(HandOver.public_id == key)).one()
    hand_overs.expire(row.id)
    assert state_of(key) == "offered"  # the timer came too early
    row.expires_at = clock.now() - timedelta(seconds=1)
    session.commit()
    with pytest.raises(Conflict, match="hand_over_state"):
        hand_overs.accept(taker.dispatcher, key)
    hand_overs.expire(row.id)
    hand_overs.expire(row.id)
    assert state_of(key) == "expired"
    assert [one.kind for one in queries.history(made.id)].count("hand_over_expired") == 1


def test_after_loading_it_stays(db_session: Any) -> None:
    giver, taker = make.world(), make.world()
    made, other = make.delivery(giver), make.delivery(giver, index=1)
    key = offered(giver, taker, made)
    for one in (made, other):
        row_of(one).state = "handed_over"
    session.commit()
    with pytest.raises(Conflict) as late:
        hand_overs.accept(taker.dispatcher, key)
    assert late.value.code == "hand_over_loaded"
    with pytest.raises(Conflict, match="hand_over_loaded"):
        offered(giver, taker, other)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [({"carrier": uuid.uuid4()}, "/carrier"), ({"reason": "because"}, "/reason"), ({"price": -1}, "/price"),
     ({"hours": 0}, "/hours"), ({"note": "x" * 501}, "/note")],
)  # fmt: skip
def test_offers_that_cannot_be(db_session: Any, wrong: dict[str, Any], pointer: str) -> None:
    giver, taker = make.world(), make.world()
    made = make.delivery(giver)
    values = {"carrier": taker.carrier.public_id, "reason": "no_truck", "price": 1} | wrong
    with pytest.raises(Invalid) as refused:
        hand_overs.offer(giver.dispatcher, made.public_id, Offer(**values))
    assert [error.pointer for error in refused.value.errors] == [pointer]
    with pytest.raises(Invalid):
        offered(giver, giver, made)  # not to oneself
    with pytest.raises(NotFound):
        offered(taker, giver, made)


def test_the_buyer_moves_within_the_windows_of_who_carries_now(db_session: Any) -> None:
    giver, taker = make.world(), make.world()
    declare(giver, 3)
    slots.declare(taker.dispatcher, list(range(1, 8)), WindowFacts(600, 660, 3))
    made = make.delivery(giver, ready=False)
    slots.except_on(taker.dispatcher, row_of(made).day, 5, span=(540, 1080))
    hand_overs.accept(taker.dispatcher, offered(giver, taker, made))
    trip = session.get_one(Fulfilment, row_of(made).fulfilment_id)
    found = moving.movable(make.actor(giver.buyer), trip.public_id)
    assert {one.window.code for day in found.days for one in day.windows if day.day != row_of(made).day} == {"10-11"}


def test_one_delivery_is_taken_once_by_many_taps(committed_db: Flask) -> None:
    @unit_of_work
    def prepared() -> tuple[make.World, make.World, uuid.UUID, int]:
        giver, taker = make.world(), make.world()
        declare(giver, 3)
        declare(taker, 3)
        made = make.delivery(giver)
        return giver, taker, offered(giver, taker, made), made.id

    giver, taker, key, delivery_id = prepared()
    carriers = giver.carrier.id, taker.carrier.id
    acts = [lambda: hand_overs.accept(taker.dispatcher, key)] * 3
    acts += [lambda: hand_overs.withdraw(giver.dispatcher, key), lambda: hand_overs.decline(taker.dispatcher, key)]
    db.session.remove()
    results = all_at_once(committed_db, acts, len(acts))
    refused = [one for one in results if isinstance(one, DomainError)]
    assert {one.code for one in refused} <= {"hand_over_state"}
    state = state_of(key)
    assert state in ("accepted", "withdrawn", "declined")
    row = session.get_one(Delivery, delivery_id)
    assert row.carrier_id == carriers[state == "accepted"]
    sums = dict(session.execute(sa.select(DeliverySlot.carrier_id, sa.func.sum(DeliverySlot.taken)).group_by(
        DeliverySlot.carrier_id)).all())  # fmt: skip
    assert sum(sums.values()) == 1
    assert sums[row.carrier_id] == 1
