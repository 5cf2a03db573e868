"""The link that needs no login: alive from loading to the door, then gone."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import edge
from app.core import clock
from app.core.db import session
from app.core.errors import Conflict
from app.logistics import courier_day, courier_views, messages, tracking
from app.logistics.courier_day import HandOver
from app.logistics.models import Delivery
from app.orders.models import Fulfilment
from tests.client import ApiClient
from tests.factories import logistics as make
from tests.web.test_carrier import text

HTMX = {"HX-Request": "true", "HX-Target": "tracking"}


def on_the_way() -> tuple[make.World, Any, dict[str, Any]]:
    w = make.world()
    made = make.delivery(w)
    make.published(w, [made])
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    stops = {s.kind: s.public_id for s in route.stops}
    courier_day.start_route(w.courier, route.public_id)
    courier_day.complete(w.courier, stops["pickup"])
    return w, made, stops


def test_the_link_opens_only_while_the_truck_is_on_its_way(client: FlaskClient) -> None:
    w = make.world()
    early = make.delivery(w)
    assert client.get(f"/t/{early.tracking_token}").status_code == 404
    w, made, stops = on_the_way()
    path = f"/t/{made.tracking_token}"
    page = client.get(path)
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert made.pin not in text(page)
    assert "вы следующие" in text(page)
    courier_day.complete(w.courier, stops["drop"], HandOver(pin=made.pin))
    assert client.get(path).status_code == 404
    ended = client.get(path, headers=HTMX)
    assert ended.status_code == 286
    assert "Доставка завершена" in text(ended)
    assert client.get(f"{path}/map.json").status_code == 286


def same(answer: Any) -> tuple[int, str]:
    """Status and bytes without what differs between any two requests."""
    return answer.status_code, re.sub(r"[0-9a-f]{32}|/t/[^\"<& ]+", "", answer.text)


def test_a_dead_link_answers_like_one_that_never_was(client: FlaskClient) -> None:
    w, made, stops = on_the_way()
    courier_day.complete(w.courier, stops["drop"], HandOver(pin=made.pin))
    early = make.delivery(make.world())
    for tail, headers in (("", {}), ("", HTMX), ("/map.json", {})):
        answers = [
            client.get(f"/t/{token}{tail}", headers=headers)
            for token in (made.tracking_token, early.tracking_token, "never-was")
        ]
        assert len({same(answer) for answer in answers}) == 1
        assert {answer.headers["Referrer-Policy"] for answer in answers} == {"no-referrer"}
        assert {answer.headers["X-Robots-Tag"] for answer in answers} == {"noindex, nofollow"}
    written = [client.post(f"/t/{token}/message", data={"text": "Я тут"}) for token in (made.tracking_token, "never")]
    assert same(written[0]) == same(written[1])
    assert written[0].status_code == 404


def test_links_that_open_nothing_are_counted_and_good_ones_are_not(app: Flask, client: FlaskClient) -> None:
    _w, made, _stops = on_the_way()
    app.config["RATELIMIT_ENABLED"] = True
    try:
        tries = [client.get(f"/t/wrong-{n}").status_code for n in range(61)]
        assert tries == [404] * 60 + [429]
        assert client.get(f"/t/{made.tracking_token}").status_code == 200
    finally:
        app.config["RATELIMIT_ENABLED"] = False


def test_a_304_is_one_query_and_renders_nothing(
    client: FlaskClient, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    w, made, _stops = on_the_way()
    tracking.record_positions(w.courier, [tracking.Fix(clock.now(), 55.81, 37.6)])
    with time_machine.travel(clock.now(), tick=False):
        for path, headers in ((f"/t/{made.tracking_token}", HTMX), (f"/t/{made.tracking_token}/map.json", {})):
            first = client.get(path, headers=headers)
            assert first.status_code == 200
            with count_queries() as seen:
                again = client.get(path, headers=headers | {"If-None-Match": first.headers["ETag"]})
            assert again.status_code == 304
            assert again.data == b""
            assert len(seen) == 1


def test_what_the_buyer_would_see_changes_the_stamp(client: FlaskClient) -> None:
    w, made, stops = on_the_way()
    with time_machine.travel(clock.now(), tick=False) as clocks:
        tag = client.get(f"/t/{made.tracking_token}", headers=HTMX).headers["ETag"]

        def differs() -> bool:
            nonlocal tag
            new = client.get(f"/t/{made.tracking_token}", headers=HTMX | {"If-None-Match": tag})
            changed, tag = new.status_code == 200, new.headers["ETag"]
            return changed

        assert not differs()
        client.post(f"/t/{made.tracking_token}/message", data={"text": "Ворота слева"})
        assert differs()
        tracking.record_positions(w.courier, [tracking.Fix(clock.now(), 55.81, 37.6)])
        assert differs()
        assert not differs()
        courier_day.arrive(w.courier, stops["drop"])
        assert differs()
        clocks.shift(tracking.STEP_S)
        assert differs()


def test_the_place_is_shown_only_with_the_goods_on_the_truck_and_the_truck_on_its_way(client: FlaskClient) -> None:
    w = make.world()
    first, second = make.delivery(w), make.delivery(w, index=1)
    make.published(w, [first, second])
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    now = clock.now()
    courier_day.start_route(w.courier, route.public_id)
    tracking.record_positions(w.courier, [tracking.Fix(now, 55.81, 37.6)])
    key = session.get_one(Delivery, first.id).id
    assert tracking.of_delivery(key).position is None
    pickups = [stop.public_id for stop in route.stops if stop.kind == "pickup"]
    courier_day.complete(w.courier, pickups[0])
    assert session.get_one(Delivery, first.id, populate_existing=True).state == "handed_over"
    view = tracking.of_delivery(key)
    assert view.position is None
    assert view.stops_before == 1
    assert view.eta_from is not None
    assert tracking.of_delivery(second.id).eta_from is None
    courier_day.complete(w.courier, pickups[1])
    assert tracking.of_delivery(key).position is None  # the position is older than the route: the phone was elsewhere
    tracking.record_positions(w.courier, [tracking.Fix(clock.now(), 55.8101, 37.6)])
    place = tracking.of_delivery(key).position
    assert place is not None
    assert place.lat == 55.8101


def test_who_may_see_the_place(api: ApiClient) -> None:
    w, made, _stops = on_the_way()
    tracking.record_positions(w.courier, [tracking.Fix(clock.now(), 55.81, 37.6)])
    owner = make.user("Owner")
    make.member(w.seller, owner, "owner")
    stranger = make.world()
    foreign = make.user("Owner")
    make.member(stranger.seller, foreign, "owner")
    session.commit()
    path = f"/deliveries/{made.public_id}/tracking"
    for person in (w.buyer, owner, w.dispatcher_user):
        answer = make.call_as(api, person).get(path)
        assert answer.status_code == 200
        assert answer.json["position"]["lat"] == 55.81
    for person in (stranger.buyer, foreign, stranger.dispatcher_user, w.courier_user):
        assert make.call_as(api, person).get(path).status_code == 404
    caller = make.call_as(api, w.buyer)
    with time_machine.travel(clock.now(), tick=False):
        first = caller.get(path)
        again = caller.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    link = api.get(f"/tracking/{made.tracking_token}")
    assert link.status_code == 200
    assert link.headers["Referrer-Policy"] == "no-referrer"


def test_the_seller_sees_the_own_truck_on_the_page_of_the_order(client: FlaskClient) -> None:
    w, made, stops = on_the_way()
    tracking.record_positions(w.courier, [tracking.Fix(clock.now(), 55.81, 37.6)])
    owner = make.user("Owner")
    make.member(w.seller, owner, "owner")
    session.commit()
    make.browse(client, owner)
    path = f"/seller/deliveries/{made.public_id}"
    part = client.get(f"{path}/truck", headers=HTMX)
    assert part.status_code == 200
    assert "меньше минуты назад" in text(part)
    assert made.pin not in text(part)
    assert w.courier_user.name not in text(part)
    drawing: Any = client.get(f"{path}/map.json").json
    assert drawing["positions"][0]["lat"] == 55.81
    assert client.get(f"{path}/truck").status_code == 303
    courier_day.complete(w.courier, stops["drop"], HandOver(pin=made.pin))
    assert client.get(f"{path}/truck", headers=HTMX).status_code == 286
    ended: Any = client.get(f"{path}/map.json")
    assert (ended.status_code, ended.json["positions"]) == (286, [])


def test_a_word_to_the_driver_reaches_driver_and_dispatcher_as_plain_text(client: FlaskClient) -> None:
    w, made, stops = on_the_way()
    said = "  <b>Ворота</b>\u0007 слева,\t звоните  Ивану "
    answer = client.post(f"/t/{made.tracking_token}/message", data={"text": said})
    assert answer.status_code == 303
    assert "session" not in (answer.headers.get("Set-Cookie") or "")
    told = "&lt;b&gt;Ворота&lt;/b&gt; слева, звоните Ивану"
    assert told in client.get(answer.location).get_data(as_text=True)
    make.browse(client, w.courier_user)
    assert told in client.get(f"/courier/stops/{stops['drop']}").get_data(as_text=True)
    assert told not in client.get(f"/courier/stops/{stops['pickup']}").get_data(as_text=True)
    make.browse(client, w.dispatcher_user)
    assert told in client.get(f"/carrier/deliveries/{made.public_id}").get_data(as_text=True)
    empty = client.post(f"/t/{made.tracking_token}/message", data={"text": " \n "})
    long = client.post(f"/t/{made.tracking_token}/message", data={"text": "а" * 501})
    assert (empty.status_code, long.status_code) == (422, 422)
    for _ in range(messages.MOST - 1):
        messages.by_link(made.tracking_token, "Ещё")
    with pytest.raises(Conflict, match="too_many_messages"):
        messages.by_link(made.tracking_token, "Ещё")


def test_messages_are_limited_in_time(app: Flask, client: FlaskClient) -> None:
    _w, made, _stops = on_the_way()
    app.config["RATELIMIT_ENABLED"] = True
    try:
        answers = [
            client.post(f"/t/{made.tracking_token}/message", data={"text": str(n)}).status_code for n in range(7)
        ]
    finally:
        app.config["RATELIMIT_ENABLED"] = False
    assert answers == [303] * 6 + [429]


def test_the_buyer_writes_by_the_account_and_nobody_else(api: ApiClient) -> None:
    w = make.world()
    made = make.delivery(w)
    make.published(w, [made])
    path = f"/deliveries/{made.public_id}/message"
    answer = make.call_as(api, w.buyer).post(path, {"text": "Код 12"})
    assert answer.status_code == 201
    assert answer.json["text"] == "Код 12"
    assert make.call_as(api, make.world().buyer).post(path, {"text": "Я"}).status_code == 404
    assert make.call_as(api, w.dispatcher_user).post(path, {"text": "Я"}).status_code == 404
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    drop = next(stop.public_id for stop in route.stops if stop.kind == "drop")
    courier = make.call_as(api, w.courier_user)
    assert [one["text"] for one in courier.get(f"/courier/stops/{drop}/messages").json["items"]] == ["Код 12"]
    early = make.delivery(w, ready=False)
    assert make.call_as(api, w.buyer).post(f"/deliveries/{early.public_id}/message", {"text": "Я"}).status_code == 409


def test_no_log_tells_a_link(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    _w, made, _stops = on_the_way()
    told: list[str] = []

    class Log:
        def error(self, event: str, *, exc_info: BaseException, **facts: str) -> None:
            told.extend([event, *facts.values(), *traceback.format_exception(exc_info)])

    monkeypatch.setattr(edge, "log", Log())
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    session.execute(sa.text("ALTER TABLE delivery_event RENAME TO gone"))  # the page breaks with the link in its SQL
    session.commit()
    assert client.get(f"/t/{made.tracking_token}").status_code == 500
    assert told[:2] == ["request_crashed", "/t/<token>"]
    assert "delivery_event" in "".join(told)
    assert made.tracking_token not in "".join(told)


def test_the_part_is_sent_again_only_when_it_differs(client: FlaskClient) -> None:
    _w, made, _stops = on_the_way()
    path = f"/t/{made.tracking_token}"
    with time_machine.travel(clock.now(), tick=False):
        first = client.get(path, headers=HTMX)
        assert first.status_code == 200
        assert first.headers["ETag"]
        again = client.get(path, headers=HTMX | {"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        drawing = client.get(f"{path}/map.json")
        assert client.get(f"{path}/map.json", headers={"If-None-Match": drawing.headers["ETag"]}).status_code == 304


def test_the_age_of_the_position_is_said(client: FlaskClient) -> None:
    w, made, _stops = on_the_way()
    assert "еще не сообщала" in text(client.get(f"/t/{made.tracking_token}"))
    now = clock.now()
    tracking.record_positions(w.courier, [tracking.Fix(now, 55.81, 37.6)])
    assert "меньше минуты назад" in text(client.get(f"/t/{made.tracking_token}"))
    drawing: Any = client.get(f"/t/{made.tracking_token}/map.json").json
    [place] = drawing["positions"]
    assert (place["lat"], place["lon"]) == (55.81, 37.6)
    with time_machine.travel(now + timedelta(minutes=7), tick=False):
        assert "7 мин назад" in text(client.get(f"/t/{made.tracking_token}"))


def test_the_base_layer_is_cached_and_says_whose_it_is(client: FlaskClient) -> None:
    first = client.get("/map/base.json")
    base: Any = first.json
    assert base["attribution"].startswith("© OpenStreetMap")
    assert {f["properties"]["wide"] for f in base["features"]} == {True, False}
    assert "immutable" in first.headers["Cache-Control"]
    assert client.get("/map/base.json", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_the_page_of_the_trip_takes_a_word_and_says_until_when_it_can_be_moved(client: FlaskClient) -> None:
    w = make.world()
    made = make.delivery(w)
    make.published(w, [made])
    mine = session.get_one(Delivery, made.id).fulfilment_id
    trip = session.get_one(Fulfilment, mine).public_id
    make.browse(client, w.buyer)
    page = client.get(f"/orders/trips/{trip}")
    assert page.status_code == 200
    assert "Сообщение водителю" in text(page)
    answer = client.post(f"/orders/trips/{trip}/message", data={"text": "Код 12"})
    assert answer.status_code == 303
    assert "Код 12" in text(client.get(f"/orders/trips/{trip}"))
    assert client.post(f"/orders/trips/{trip}/message", data={"text": " "}).status_code == 422
    make.browse(client, make.world().buyer)
    assert client.post(f"/orders/trips/{trip}/message", data={"text": "Я"}).status_code == 404
