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
