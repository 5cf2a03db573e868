"""The courier's phone without script: route, stops, PIN, problems."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.logistics import courier_views
from tests.factories import logistics as make
from tests.web.test_carrier import text


@pytest.fixture
def day(client: FlaskClient) -> tuple[make.World, Any]:
    """A published route of one delivery, its driver signed in."""
    w = make.world()
    made = make.delivery(w, cash_due=400_000)
    make.published(w, [made])
    make.browse(client, w.courier_user)
    return w, made


def stop_path(w: make.World, kind: str) -> str:
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    return next(f"/courier/stops/{s.public_id}" for s in route.stops if s.kind == kind)


def set_out(client: FlaskClient) -> None:
    """Look at the truck and start."""
    assert client.post("/courier/check", data={"odometer": "120 000"}).status_code == 303
    assert client.post("/courier/start").status_code == 303


def visible(answer: Any) -> str:
    """The markup without templates, which nobody sees until a script takes them."""
    return re.sub(r"<template.*?</template>", "", answer.get_data(as_text=True), flags=re.DOTALL)


def state(w: make.World, kind: str) -> str:
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    return next(s.state for s in route.stops if s.kind == kind)


def test_the_whole_day_by_buttons(client: FlaskClient, day: tuple[make.World, Any]) -> None:
    w, made = day
    first = text(client.get("/courier"))
    assert "Проверить машину" in first
    assert "Загрузка: Склад, 1" in first
    set_out(client)
    assert "Я на месте" in text(client.get("/courier"))
    pickup, drop = stop_path(w, "pickup"), stop_path(w, "drop")
    assert client.post(f"{pickup}/arrive").location == pickup
    assert "96 шт по накладной" in text(client.get(pickup))
    assert client.post(f"{pickup}/complete").location == "/courier"
    client.post(f"{drop}/arrive")
    client.post(f"{drop}/unloading")
    page = client.get(drop)
    assert "PIN клиента" in text(page)
    assert made.pin not in page.get_data(as_text=True).replace(f"line-{made.pin}", "")
    wrong = client.post(f"{drop}/complete", data={"pin": "xxxx", "cash": "4 000", "q1": "96", "q2": "8"})
    assert wrong.status_code == 422
    assert "Осталось попыток: 2" in text(wrong)
    assert 'value="4 000"' in wrong.get_data(as_text=True)
    short = client.post(f"{drop}/complete", data={"pin": made.pin, "cash": "4000", "q2": "7"})
    assert short.status_code == 422
    assert state(w, "drop") == "unloading"
    done = client.post(f"{drop}/complete", data={"pin": made.pin, "cash": "4000", "q2": "7", "reason": "torn"})
    assert done.status_code == 303
    assert state(w, "drop") == "done"
    assert "Маршрут пройден" in text(client.get("/courier"))


def test_minus_and_plus_work_without_script(client: FlaskClient, day: tuple[make.World, Any]) -> None:
    w, _made = day
    set_out(client)
    pickup = stop_path(w, "pickup")
    client.post(f"{pickup}/arrive")
    answer = client.post(f"{pickup}/complete", data={"q2": "8", "q2_step": "-1"})
    assert answer.status_code == 200
    assert 'value="7"' in answer.get_data(as_text=True)
    assert state(w, "pickup") == "arrived"


def test_a_problem_needs_a_reason_and_tells_the_dispatcher(client: FlaskClient, day: tuple[make.World, Any]) -> None:
    w, _made = day
    set_out(client)
    client.post(f"{stop_path(w, 'pickup')}/complete")
    drop = stop_path(w, "drop")
    assert client.post(f"{drop}/fail").status_code == 422
    assert client.post(f"{drop}/fail", data={"reason": "no_access"}).status_code == 303
    assert state(w, "drop") == "failed"


def test_a_stale_page_is_told_so(client: FlaskClient, day: tuple[make.World, Any]) -> None:
    w, _made = day
    set_out(client)
    pickup = stop_path(w, "pickup")
    client.post(f"{pickup}/arrive", data={"version": "1"})
    assert client.post(f"{pickup}/complete", data={"version": "1"}).status_code == 412


def test_one_main_action_and_a_way_to_call_and_drive(client: FlaskClient, day: tuple[make.World, Any]) -> None:
    w, _made = day
    set_out(client)
    body = visible(client.get(stop_path(w, "drop")))
    assert body.count("btn main") == 1
    assert 'href="tel:+7900000-00-02"' in body
    assert 'href="geo:55.819,37.6112' in body


def test_foreign_stops_are_absent_and_no_route_is_said_in_words(
    client: FlaskClient, day: tuple[make.World, Any]
) -> None:
    w, _made = day
    other = make.world()
    path = stop_path(w, "drop")
    make.browse(client, other.courier_user)
    assert client.get(path).status_code == 404
    assert client.post(f"{path}/arrive").status_code == 404
    assert "Маршрута пока нет" in text(client.get("/courier"))
    assert client.get("/courier/map.json").status_code == 404


def test_the_route_is_two_reads(client: FlaskClient, day: tuple[make.World, Any], count_queries: Any) -> None:
    client.get("/courier")
    with count_queries() as seen:
        client.get("/courier")
    assert len(seen) <= 8, seen


def test_one_button_loads_all_orders_of_a_warehouse(client: FlaskClient) -> None:
    w = make.world()
    make.published(w, [make.delivery(w), make.delivery(w, index=1)])
    make.browse(client, w.courier_user)
    set_out(client)
    pickup = stop_path(w, "pickup")
    client.post(f"{pickup}/arrive")
    assert "Загружено все отсюда: 2 заказа" in text(client.get(pickup))
    assert client.post(f"{pickup}/load-all").location == "/courier"
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    assert [stop.state for stop in route.stops] == ["done", "done", "planned", "planned"]
