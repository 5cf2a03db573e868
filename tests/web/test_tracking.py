"""The link that needs no login: alive from loading to the door, then gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import time_machine
from flask.testing import FlaskClient

from app.core import clock
from app.logistics import courier_day, courier_views, tracking
from app.logistics.courier_day import HandOver
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
    assert client.get("/t/never-was", headers=HTMX).status_code == 404


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
    assert "известно на" in text(client.get(f"/t/{made.tracking_token}"))
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
