"""The dispatcher's pages, in a browser without script."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.core import clock
from app.logistics import fleet, plan_views
from tests.factories import logistics as make

VEHICLE = {
    "name": "КамАЗ 418", "plate": "Т418КР14", "payload_kg": "15 000", "volume_l": "40000", "longest_mm": "6200",
    "gross_mass_kg": "26000", "height_mm": "3400", "has_crane": "1", "fixed_cost": "", "cost_per_km": "45,50",
    "cost_per_hour": "1 200", "is_active": "1", "body": "manipulator", "fuel": "diesel", "fuel_per_100km": "32,5",
    "fuel_price": "70", "depot": "",
}  # fmt: skip


def tomorrow() -> str:
    return (clock.today() + timedelta(days=1)).isoformat()


@pytest.fixture
def world(client: FlaskClient) -> make.World:
    """A carrier whose dispatcher is signed in."""
    w = make.world()
    make.browse(client, w.dispatcher_user)
    return w


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).replace("\u00a0", " "))


def test_deliveries_show_problems_first_with_totals(client: FlaskClient, world: make.World) -> None:
    make.delivery(world)
    make.delivery(world, site=make.site(1, lat=None))
    page = client.get(f"/carrier/deliveries?date={tomorrow()}")
    assert page.status_code == 200
    words = text(page)
    assert words.index("нет точки на карте") < words.index("Стройка, 1")
    assert "2,4 т" in words
    assert "5 000 ₽" in words
    assert "Нет доставок в этом состоянии" in text(client.get(f"/carrier/deliveries?date={tomorrow()}&state=failed"))


def test_a_day_is_planned_from_the_form_to_the_published_plan(client: FlaskClient, world: make.World, app: Any) -> None:
    from workers import worker

    make.delivery(world)
    make.delivery(world, index=1, longest_mm=9000)
    assert "Построить маршруты" in text(client.get(f"/carrier/plans?date={tomorrow()}"))
    asked = client.post("/carrier/plans", data={"date": tomorrow(), "seconds": "1"})
    assert asked.status_code == 303
    progress = client.get(asked.location)
    assert progress.status_code == 200
    assert 'hx-trigger="every 1s"' in progress.get_data(as_text=True)
    worker.run_in_context(_number(asked.location), app)
    found = client.get(asked.location)
    assert found.status_code == 303
    plan = found.location
    words = text(client.get(plan))
    assert "Опубликовать план 1" in words
    assert "Самая длинная деталь 9 м, самая длинная машина берет 6 м" in words
    assert "Загрузка: Склад, 1" in words
    drawing: Any = client.get(f"{plan}/map.json").json
    assert len(drawing["routes"][0]["points"]) > 5
    assert {stop["state"] for stop in drawing["stops"]} == {"next", "lost"}
    published = client.post(f"{plan}/publish", follow_redirects=True)
    assert "Маршруты опубликованы" in text(published)
    assert plan_views.heads(world.carrier.id, clock.today() + timedelta(days=1))[0].status == "published"


def _number(location: str) -> int:
    import sqlalchemy as sa

    from app.core.db import session
    from app.core.models import Job

    return session.scalars(sa.select(Job.id).where(Job.public_id == uuid.UUID(location.rsplit("/", 1)[1]))).one()


def test_a_form_keeps_what_was_typed_and_names_every_wrong_field(client: FlaskClient, world: make.World) -> None:
    answer = client.post("/carrier/vehicles/new", data=VEHICLE | {"payload_kg": "много", "plate": ""})
    assert answer.status_code == 422
    body = answer.get_data(as_text=True)
    assert 'value="много"' in body
    assert 'value="КамАЗ 418"' in body
    assert 'href="#payload_kg"' in body
    assert 'href="#plate"' in body
    assert len(fleet.vehicles(world.carrier.id)) == 1


def test_a_truck_is_added_changed_and_taken_out(client: FlaskClient, world: make.World) -> None:
    assert client.post("/carrier/vehicles/new", data=VEHICLE).status_code == 303
    row = next(v for v in fleet.vehicles(world.carrier.id) if v.plate == "Т418КР14")
    assert (row.payload_kg, row.cost_per_km, row.has_crane, row.has_tail_lift) == (15_000, 4550, True, False)
    path = f"/carrier/vehicles/{row.public_id}"
    form = client.get(path).get_data(as_text=True)
    assert 'value="45,50"' in form
    assert 'name="version" value="1"' in form
    assert client.post(path, data=VEHICLE | {"name": "КамАЗ", "version": "1"}).status_code == 303
    stale = client.post(path, data=VEHICLE | {"version": "1"})
    assert stale.status_code == 412
    assert "кто-то это изменил" in text(stale)
    assert client.post(f"{path}/remove").status_code == 303
    assert row.public_id not in [v.public_id for v in fleet.vehicles(world.carrier.id)]


def test_drivers_shifts_and_tariffs(client: FlaskClient, world: make.World) -> None:
    page = text(client.get("/carrier/couriers"))
    assert "7:00–22:00" in page
    calendar = client.get(f"/carrier/calendar?date={tomorrow()}")
    assert "Машин на линии" in text(calendar)
    [driver] = fleet.couriers(world.carrier.id)
    shift = {
        "date": tomorrow(), "courier": driver.public_id, "vehicle": world.vehicle.public_id, "from": "8:30", "to": "17",
    }  # fmt: skip
    assert client.post("/carrier/shifts", data=shift).status_code == 303
    assert "8:30–17:00" in text(client.get(f"/carrier/calendar?date={tomorrow()}"))
    assert client.post("/carrier/shifts", data=shift).status_code == 409
    assert client.post("/carrier/shifts", data=shift | {"to": "xx"}).status_code == 422
    stranger = client.post(
        "/carrier/couriers/new",
        data={
            "email": "nobody@test.example",
            "name": "N",
            "categories": "C",
            "work_days": "1",
            "break_minutes": "45",
            "vehicle": "",
            "shift_from": "8",
            "shift_to": "20",
        },
    )
    assert stranger.status_code == 422
    tariff = {
        "name": "Город", "base": "1500", "per_km": "45", "per_tonne": "300", "max_mass_kg": "5000", "max_km": "40",
        "valid_from": "2026-01-01",
    }  # fmt: skip
    assert client.post("/carrier/tariffs/new", data=tariff).status_code == 303
    assert "1 500 ₽" in text(client.get("/carrier/tariffs"))


def test_pages_of_another_carrier_are_absent(client: FlaskClient, world: make.World) -> None:
    other = make.world()
    made = make.delivery(other)
    plan = make.stored_plan(other, [made])
    for path in (
        f"/carrier/plans/{plan}",
        f"/carrier/plans/{plan}/map.json",
        f"/carrier/deliveries/{made.public_id}",
        f"/carrier/vehicles/{other.vehicle.public_id}",
        "/carrier/plans/nonsense",
    ):
        assert client.get(path).status_code == 404, path
    assert client.post(f"/carrier/plans/{plan}/publish").status_code == 404


def test_every_page_speaks_english_too(client: FlaskClient, world: make.World) -> None:
    made = make.delivery(world)
    plan = make.published(world, [made])
    client.set_cookie("lang", "en")
    for path in (
        "plans",
        "deliveries",
        "vehicles",
        "couriers",
        "tariffs",
        "calendar",
        "depots",
        "hand-overs",
        f"deliveries/{made.public_id}/place",
        f"plans/{plan}",
        f"deliveries/{made.public_id}",
    ):
        body = client.get(f"/carrier/{path}").get_data(as_text=True)
        assert re.search('lang="en"', body), path


@pytest.mark.parametrize(
    "path", ["plans", "deliveries", "vehicles", "couriers", "tariffs", "calendar", "depots", "hand-overs"]
)
def test_a_page_asks_the_database_few_times(
    client: FlaskClient, world: make.World, count_queries: Any, path: str
) -> None:
    for index in range(5):
        make.delivery(world, index=index)
    client.get(f"/carrier/{path}")
    with count_queries() as seen:
        client.get(f"/carrier/{path}?date={tomorrow()}")
    assert len(seen) <= 14, seen


def test_a_day_off_and_a_copied_week(client: FlaskClient, world: make.World) -> None:
    [driver] = fleet.couriers(world.carrier.id)
    shift = {
        "date": tomorrow(),
        "courier": driver.public_id,
        "vehicle": world.vehicle.public_id,
        "from": "8",
        "to": "17",
    }
    assert client.post("/carrier/shifts", data=shift).status_code == 303
    week = (clock.today() + timedelta(days=8)).isoformat()
    copied = client.post("/carrier/calendar/copy", data={"date": week}, follow_redirects=True)
    assert "Скопирована 1 смена" in text(copied)
    away = {"who": f"courier.{driver.public_id}", "kind": "sick", "from_day": week, "to_day": week, "date": week}
    words = text(client.post("/carrier/absences", data=away, follow_redirects=True))
    assert "болеет" in words
    assert "никого" in words
    busy = client.post("/carrier/absences", data=away)
    assert (busy.status_code, "уже отмечены" in text(busy)) == (409, True)
    assert "Водитель отсутствует" in text(client.post("/carrier/shifts", data=shift | {"date": week}))


def test_a_tariff_by_steps_is_tried_without_script(client: FlaskClient, world: make.World) -> None:
    tariff = {
        "name": "Ступени", "base": "0", "per_km": "45", "per_tonne": "300", "max_mass_kg": "5000", "max_km": "40",
        "valid_from": "2026-01-01", "distance_steps": "10 1500\n20 2 500,50", "zones": "Центр; 55.8, 37.6; 3; 900",
        "waiting_step": "30", "free_minutes": "60",
    }  # fmt: skip
    falling = client.post("/carrier/tariffs/new", data=tariff | {"distance_steps": "10 1500\n20 900"})
    assert (falling.status_code, "не меньше" in text(falling)) == (422, True)
    odd = client.post("/carrier/tariffs/new", data=tariff | {"zones": "Центр; 900"})
    assert (odd.status_code, "По одной зоне" in text(odd)) == (422, True)
    assert client.post("/carrier/tariffs/new", data=tariff).status_code == 303
    from app.logistics import tariff_book

    [row] = tariff_book.tariffs(world.carrier.id)
    path = f"/carrier/tariffs/{row.public_id}"
    page = client.get(f"{path}?km=18&kg=0&m3=0&mm=0")
    assert "Подача до 20 км" in text(page)
    assert "2 500,50 ₽" in text(page)
    assert "Центр; 55.8, 37.6; 3; 900" in page.get_data(as_text=True)
    assert "зоны «Центр»" in text(client.get(f"{path}?km=18&kg=0&lat=55.81&lon=37.6"))
    assert client.get(f"{path}?km=xx&floor=1000").status_code == 200
    again = tariff | {"as": "next", "valid_from": "2030-01-01", "version": "1"}
    assert client.post(path, data=again).status_code == 303
    assert len(tariff_book.tariffs(world.carrier.id)) == 2


def test_a_pin_is_moved_without_script(client: FlaskClient, world: make.World) -> None:
    made = make.delivery(world)
    make.published(world, [made])
    path = f"/carrier/deliveries/{made.public_id}"
    assert "55.81" in client.get(f"{path}/place").get_data(as_text=True)
    place = {"lat": "55,83", "lon": "37.61", "why": "ворота"}
    held = client.post(f"{path}/place", data=place)
    assert (held.status_code, "Подтвердите" in text(held), 'value="55,83"' in held.get_data(as_text=True)) == (
        409, True, True,
    )  # fmt: skip
    assert client.post(f"{path}/place", data=place | {"lat": "север"}).status_code == 422
    done = client.post(f"{path}/place", data=place | {"confirm": "1"}, follow_redirects=True)
    assert "Диспетчер передвинул точку на карте – ворота" in text(done)
    assert "План этого дня устарел" in text(client.get(f"/carrier/deliveries?date={tomorrow()}"))
    pins: Any = client.get(f"{path}/place.json").json
    assert [pins["stops"][1][name] for name in ("lat", "lon")] == [55.83, 37.61]
    drawing: Any = client.get(f"/carrier/deliveries/map.json?date={tomorrow()}").json
    assert len(drawing["stops"]) == 2


def test_two_dispatchers_hand_a_delivery_over(client: FlaskClient, world: make.World, app: Any) -> None:
    other = make.world()
    made = make.delivery(world)
    path = f"/carrier/deliveries/{made.public_id}"
    offer = {"carrier": other.carrier.public_id, "reason": "no_truck", "price": "2 500", "hours": "4", "note": "срочно"}
    assert client.post(f"{path}/hand-over", data=offer | {"price": "дорого"}).status_code == 422
    assert client.post(f"{path}/hand-over", data=offer).status_code == 303
    assert client.post(f"{path}/hand-over", data=offer).status_code == 409
    they = app.test_client()
    make.browse(they, other.dispatcher_user)
    page = they.get("/carrier/hand-overs")
    assert "2 500 ₽" in text(page)
    link = re.search(r"/carrier/hand-overs/[0-9a-f-]+", page.get_data(as_text=True))
    assert link is not None
    seen = text(they.get(link[0]))
    assert "Прораб" not in seen  # names and telephones only after it is taken
    assert they.get(path).status_code == 404
    assert client.post(f"{link[0]}/accept").status_code == 404
    assert they.post(f"{link[0]}/accept").status_code == 303
    assert "Прораб" in text(they.get(path))
    assert client.get(path).status_code == 404
    assert "взята" in text(client.get(link[0]))
