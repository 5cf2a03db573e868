"""The desk of a plan and the live board in a browser without script, and what htmx gets."""

from __future__ import annotations

import re
import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.core import clock
from app.core.db import session
from app.logistics import courier_day, courier_views, plan_edit, plan_views, service
from app.logistics.models import Delivery
from app.logistics.plan_ops import Edit
from tests.factories import logistics as make

PART = {"HX-Request": "true", "HX-Target": "desk-routes"}


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).replace("\u00a0", " "))


class Desk:
    """A draft of tomorrow with four deliveries on one of two trucks; the dispatcher is signed in."""

    def __init__(self, client: FlaskClient, deliveries: int = 4, **facts: Any) -> None:
        self.client, self.w = client, make.world()
        self.second = make.vehicle(self.w.carrier.id)
        make.driver(self.w.carrier, self.second)
        self.made = [make.delivery(self.w, index=index, **{"mass_kg": 800} | facts) for index in range(deliveries)]
        session.commit()
        self.plan = uuid.UUID(make.stored_plan(self.w, self.made))
        self.url = f"/carrier/plans/{self.plan}"
        make.browse(client, self.w.dispatcher_user)

    def view(self) -> plan_views.PlanView:
        found = plan_views.plan(self.w.carrier.id, self.plan)
        session.rollback()
        return found

    def stop(self, index: int, kind: str = "drop") -> uuid.UUID:
        wanted = self.made[index].public_id
        return next(s.public_id for r in self.view().routes for s in r.stops if (s.delivery, s.kind) == (wanted, kind))

    def drops(self, truck: int = 0) -> list[int]:
        vehicle = (self.w.vehicle, self.second)[truck].public_id
        numbers = {made.public_id: index for index, made in enumerate(self.made)}
        return [numbers[s.delivery] for r in self.view().routes if r.vehicle == vehicle for s in r.drops]

    def version(self) -> str:
        found = re.search(r'name="version" value="(\d+)"', self.client.get(self.url).get_data(as_text=True))
        assert found
        return found[1]

    def send(self, path: str = "/stops", *, part: bool = False, version: str = "", **fields: Any) -> Any:
        data = {"version": version or self.version()} | {name: str(value) for name, value in fields.items()}
        return self.client.post(f"{self.url}{path}", data=data, headers=PART if part else {})


@pytest.fixture
def desk(client: FlaskClient) -> Desk:
    return Desk(client)


def test_buttons_move_a_stop_earlier_and_later_without_script(desk: Desk) -> None:
    answer = desk.send(op=f"up:{desk.stop(2)}")
    assert (answer.status_code, answer.location) == (303, f"{desk.url}#desk-routes")
    assert desk.drops() == [0, 2, 1, 3]
    desk.send(op=f"down:{desk.stop(2)}")
    desk.send(op=f"down:{desk.stop(2)}")
    assert desk.drops() == [0, 1, 3, 2]
    desk.send(op=f"down:{desk.stop(2)}")
    assert desk.drops() == [0, 1, 3, 2], "the last one stays the last"
    for _ in range(3):
        desk.send("/undo")
    assert desk.drops() == [0, 1, 2, 3]
    desk.send("/redo")
    assert desk.drops() == [0, 2, 1, 3]
    page = text(desk.client.get(desk.url))
    assert desk.w.dispatcher_user.name in page
    assert "переставлена внутри" in page


def test_the_form_of_a_stop_moves_swaps_splits_joins_takes_off_and_locks(desk: Desk) -> None:
    path = f"{desk.url}/stops/{desk.stop(1)}"
    form = text(desk.client.get(path))
    assert "Поменять местами" in form
    assert "Закрепить за машиной" in form
    desk.send(op="move", stop=desk.stop(1), place=f"{desk.second.public_id}")
    assert (desk.drops(0), desk.drops(1)) == ([0, 2, 3], [1])
    desk.send(op="swap", stop=desk.stop(1), other=desk.stop(0))
    assert (desk.drops(0), desk.drops(1)) == ([1, 2, 3], [0])
    desk.send(op="move", stop=desk.stop(0), place=f"{desk.w.vehicle.public_id}|{desk.stop(3)}")
    assert desk.drops(0) == [1, 2, 0, 3]
    desk.send(op="split", stop=desk.stop(0), place=desk.second.public_id)
    assert (desk.drops(0), desk.drops(1)) == ([1, 2, 0, 3], [0])
    assert "часть 2 из 2" in text(desk.client.get(desk.url)) or "2 из 2" in text(desk.client.get(desk.url))
    desk.send(op="join", stop=desk.stop(0))
    desk.send(op="unassign", stop=desk.stop(3))
    page = text(desk.client.get(desk.url))
    assert "Снята вручную" in page
    desk.send(op="assign", delivery=desk.made[3].public_id, place=desk.second.public_id)
    assert 3 in desk.drops(1)
    desk.send(op="lock", stop=desk.stop(3))
    assert "закреплена" in text(desk.client.get(desk.url))
    refused = desk.send(op="unassign", stop=desk.stop(3))
    assert refused.status_code == 409
    assert "Сначала снимите закрепление" in text(refused)


def test_a_driver_is_given_to_a_truck(desk: Desk) -> None:
    view = desk.view()
    [first] = view.routes
    page = desk.client.get(desk.url).get_data(as_text=True)
    options = dict(re.findall(r'<option value="([0-9a-f-]{36})"[^>]*>(Driver[^<]*)</option>', page))
    other = next(key for key in options if key != str(first.courier))
    desk.send(op=f"courier:{first.vehicle}", **{f"courier-{first.vehicle}": other})
    assert str(desk.view().routes[0].courier) == other


def test_a_broken_rule_stands_beside_its_stop_and_hides_the_button_that_publishes(client: FlaskClient) -> None:
    desk = Desk(client, mass_kg=1400)
    assert "Опубликовать план 1" in text(client.get(desk.url))
    desk.send(op=f"up:{desk.stop(3)}")
    page = client.get(desk.url)
    row = re.search(r'<li class="stop is-bad".*?</li>', page.get_data(as_text=True), re.S)
    assert row
    assert "перегруз 600 кг" in row[0]
    assert "1 нарушение: план нельзя опубликовать" in text(page)
    assert "Опубликовать план 1" not in text(page)
    refused = client.post(f"{desk.url}/publish")
    assert refused.status_code == 409
    assert "План нарушает правила" in text(refused)
    desk.send(op="move", stop=desk.stop(3), place=desk.second.public_id)
    assert "Маршруты опубликованы" in text(client.post(f"{desk.url}/publish", follow_redirects=True))


def test_htmx_gets_the_changed_parts_in_one_answer_and_quickly(client: FlaskClient) -> None:
    desk = Desk(client, deliveries=12, mass_kg=300)
    desk.send(op=f"up:{desk.stop(1)}", part=True)  # the road graph is loaded by the first change of a process
    stop, version = desk.stop(5), desk.version()
    began = time.perf_counter()
    answer = desk.send(op=f"up:{stop}", part=True, version=version)
    took = time.perf_counter() - began
    body = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert [body.count(f'id="{part}"') for part in ("desk-routes", "desk-top", "desk-left")] == [1, 1, 1]
    assert "<html" not in body
    assert "plan-changed" in answer.headers["HX-Trigger"]
    assert "announce" in answer.headers["HX-Trigger"]
    assert took < 1, "some 150 ms on a quiet machine; this one has others to serve"


def test_the_slower_dispatcher_sees_what_was_done_and_may_do_his_all_the_same(desk: Desk) -> None:
    seen = desk.version()
    plan_edit.apply(desk.w.dispatcher, desk.plan, [Edit("unassign", stop=desk.stop(0))])
    for part in (True, False):
        refused = desk.send(op=f"up:{desk.stop(3)}", version=seen, part=part)
        assert refused.status_code == 412
        page = text(refused)
        assert "План тем временем изменили" in page
        assert "снята с" in page
        assert desk.w.dispatcher_user.name in page
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', refused.get_data(as_text=True)
                            .partition('action="' + desk.url + '/stops"')[2].partition("</form>")[0]))  # fmt: skip
    again.pop("csrf_token")
    assert again["op"].startswith("up:")
    desk.client.post(f"{desk.url}/stops", data=again)
    assert desk.drops() == [1, 3, 2], "both changes are in the plan"


def test_a_published_plan_is_changed_as_a_new_version_and_compared(desk: Desk) -> None:
    desk.client.post(f"{desk.url}/publish")
    page = text(desk.client.get(desk.url))
    assert "Менять как новую версию" in page
    assert "Переставить остановку" not in page
    refused = desk.send(op=f"up:{desk.stop(3)}", version="0")
    assert refused.status_code == 409
    made = desk.client.post(f"{desk.url}/copy")
    old, desk.plan = desk.plan, uuid.UUID(made.location.rsplit("/", 1)[1])
    desk.url = made.location
    desk.send(op="move", stop=desk.stop(3), place=desk.second.public_id)
    desk.send(op="unassign", stop=desk.stop(2))
    found = text(desk.client.get(f"/carrier/plans/compare?a={old}&b={desk.plan}"))
    assert "Что едет иначе, 2" in found
    assert "одинаково в обоих: 2" in found
    assert "Снята вручную" in found
    assert desk.client.get("/carrier/plans/compare?a=x&b=y").status_code == 404


def test_a_delivery_that_came_later_is_offered(desk: Desk) -> None:
    late = make.delivery(desk.w, index=4)
    assert "Появилась после расчёта плана" in text(desk.client.get(desk.url))
    desk.made.append(late)
    desk.send(op="assign", delivery=late.public_id, place=desk.second.public_id)
    assert desk.drops(1) == [4]


def test_a_delivery_called_off_is_marked_and_does_not_stop_the_plan(desk: Desk) -> None:
    desk.send(op=f"up:{desk.stop(2)}")
    trip = session.scalars(sa.select(Delivery.fulfilment_id).where(Delivery.id == desk.made[1].id)).one()
    service.cancel(trip, "buyer")
    assert text(desk.client.get(desk.url)).count("отменена: будет пропущена") == 2
    desk.client.post(f"{desk.url}/publish")
    assert desk.view().head.status == "published"


@pytest.mark.parametrize("count", [3, 9])
def test_the_desk_and_its_changes_ask_few_times(client: FlaskClient, count_queries: Any, count: int) -> None:
    desk = Desk(client, deliveries=count, mass_kg=100)
    client.get(desk.url)
    with count_queries() as seen:
        client.get(desk.url)
    assert len(seen) <= 18, seen
    desk.send(op=f"up:{desk.stop(1)}", part=True)
    stop, version = desk.stop(1), desk.version()
    with count_queries() as seen:
        assert desk.send(op=f"down:{stop}", part=True, version=version).status_code == 200
    assert len(seen) <= 47, seen


def published_today(client: FlaskClient, monkeypatch: pytest.MonkeyPatch, deliveries: int = 3) -> make.World:
    moment = clock.at(clock.today(), 600)
    monkeypatch.setattr(clock, "now", lambda: moment)
    w = make.world()
    make.browse(client, w.dispatcher_user)
    make.published(w, [make.delivery(w, clock.today(), index=i) for i in range(deliveries)], clock.today())
    return w


def test_the_board_shows_trucks_polls_and_stops(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    w = published_today(client, monkeypatch)
    route = courier_views.route(w.courier_user.id)
    assert route is not None
    courier_day.start_route(w.courier, route.public_id)
    page = client.get("/carrier/board")
    assert 'hx-trigger="every 10s"' in page.get_data(as_text=True)
    words = text(page)
    for word in (w.vehicle.name, "остановок 0 из 6", "Нет связи", "Позвонить водителю", "все машины 1", "закончен 0"):
        assert word in words, word
    assert 'href="tel:+79000000001"' in page.get_data(as_text=True)
    part = client.get("/carrier/board", headers=PART)
    assert part.status_code == 200
    again = client.get("/carrier/board", headers=PART | {"If-None-Match": part.headers["ETag"]})
    assert again.status_code == 304
    later = clock.at(clock.today(), 630)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert w.vehicle.name in text(client.get("/carrier/board?state=started"))
    assert "Таких машин нет" in text(client.get("/carrier/board?state=finished"))
    for stop in route.stops:
        if stop.kind == "pickup":
            courier_day.fail(w.courier, stop.public_id, "not_at_warehouse")
    over = client.get("/carrier/board", headers=PART | {"If-None-Match": part.headers["ETag"]})
    assert over.status_code == 286
    assert "hx-trigger" not in over.get_data(as_text=True)


def test_a_truck_is_taken_out_of_the_day_from_the_board(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    w = published_today(client, monkeypatch)
    url = f"/carrier/vehicles/{w.vehicle.public_id}/broken"
    assert "сломалась" in text(client.get(url))
    assert client.post(url, data={"note": "коробка передач"}).location == "/carrier/board"
    board = text(client.get("/carrier/board"))
    assert "Сломалась коробка передач" in board
    assert client.post(url, data={}).status_code == 409
    assert "в строю" in text(client.post(url.replace("broken", "mended"), follow_redirects=True))
    assert client.get(f"/carrier/vehicles/{uuid.uuid4()}/broken").status_code == 404


def test_the_board_asks_the_database_few_times(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, count_queries: Any
) -> None:
    published_today(client, monkeypatch, deliveries=6)
    client.get("/carrier/board")
    with count_queries() as seen:
        client.get("/carrier/board", headers=PART)
    assert len(seen) <= 14, seen


def test_pages_of_the_desk_speak_english_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.w.dispatcher_user.locale = "en"
    session.commit()
    assert "Keep as a new version" in text(desk.client.get(desk.url))
    assert "Change places with" in text(desk.client.get(f"{desk.url}/stops/{desk.stop(0)}"))
    assert "No routes are published" in text(desk.client.get("/carrier/board"))


def test_foreign_desks_are_absent(desk: Desk, client: FlaskClient) -> None:
    stop = desk.stop(0)
    make.browse(client, make.world().dispatcher_user)
    for path in ("/stops", "/undo", "/redo", "/copy"):
        assert client.post(desk.url + path, data={"op": f"up:{stop}"}).status_code == 404, path
    assert client.get(f"{desk.url}/stops/{stop}").status_code == 404
    assert client.get(f"/carrier/plans/compare?a={desk.plan}&b={desk.plan}").status_code == 404
    assert clock.today() + timedelta(days=1) == desk.view().head.day
