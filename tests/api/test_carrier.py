"""The carrier's calls: fleet, deliveries, plans."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from app.core import clock
from tests.factories import logistics as make

TRUCK = {
    "name": "GAZ", "plate": "A207AA77", "payload_kg": 1500, "volume_l": 9000, "longest_mm": 4000, "gross_mass_kg": 3500,
    "cost_per_km": 2500, "cost_per_hour": 70000,
}  # fmt: skip


def tomorrow() -> str:
    return (clock.today() + timedelta(days=1)).isoformat()


def test_a_truck_is_added_changed_under_its_version_and_removed(api: Any) -> None:
    w = make.world()
    me = make.call_as(api, w.dispatcher_user)
    made = me.post("/carrier/vehicles", TRUCK)
    assert made.status_code == 201
    path = f"/carrier/vehicles/{made.json['id']}"
    changed = me.patch(path, {"cost_per_km": 3000}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json["cost_per_km"], changed.json["version"]) == (200, 3000, 2)
    stale = me.patch(path, {"cost_per_km": 1}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json["code"]) == (412, "stale_version")
    assert me.delete(path).status_code == 204
    assert made.json["id"] not in [v["id"] for v in me.get("/carrier/vehicles").json["items"]]


def test_wrong_figures_are_named_all_at_once(api: Any) -> None:
    w = make.world()
    answer = make.call_as(api, w.dispatcher_user).post("/carrier/vehicles", TRUCK | {"payload_kg": 0, "odd": 1})
    assert answer.status_code == 422
    assert {e["pointer"]: e["code"] for e in answer.json["errors"]} == {
        "/payload_kg": "too_small",
        "/odd": "unknown_field",
    }


def test_drivers_shifts_and_tariffs(api: Any) -> None:
    w = make.world()
    me = make.call_as(api, w.dispatcher_user)
    [driver] = me.get("/carrier/couriers").json["items"]
    assert me.patch(f"/carrier/couriers/{driver['id']}", {"shift_from": 540}).json["shift_from"] == 540
    shift = {
        "courier": driver["id"], "vehicle": driver["vehicle"], "day": tomorrow(), "from_minute": 480, "to_minute": 1000,
    }  # fmt: skip
    made = me.post("/carrier/shifts", shift)
    assert made.status_code == 201
    assert me.post("/carrier/shifts", shift).json["code"] == "shift_overlaps"
    assert len(me.get(f"/carrier/shifts?date={tomorrow()}").json["items"]) == 1
    assert me.delete(f"/carrier/shifts/{made.json['id']}").status_code == 204
    tariff = {
        "name": "City", "base": 150000, "per_km": 4500, "per_tonne": 30000, "max_mass_kg": 5000,
        "valid_from": "2026-01-01",
    }  # fmt: skip
    key = me.post("/carrier/tariffs", tariff).json["id"]
    assert me.patch(f"/carrier/tariffs/{key}", {"per_km": 5000}).json["per_km"] == 5000
    assert me.delete(f"/carrier/tariffs/{key}").status_code == 204
    stranger = me.post("/carrier/couriers", {"email": "nobody@test.example", "name": "N"})
    assert stranger.json["errors"][0]["code"] == "not_a_member"


def test_a_day_is_planned_looked_at_and_published(api: Any, app: Any) -> None:
    from workers import worker

    w = make.world()
    made = make.delivery(w)
    me = make.call_as(api, w.dispatcher_user)
    [row] = me.get(f"/carrier/deliveries?date={tomorrow()}").json["items"]
    assert row["id"] == str(made.public_id)
    assert "pin" not in row
    asked = me.post("/carrier/route-plans", {"date": tomorrow(), "time_limit_s": 1})
    assert asked.status_code == 202
    job = asked.json["job"]["id"]
    worker.run_in_context(job_number(job), app)
    plan = me.get(f"/jobs/{job}").json["result"]["plan"]
    shown = me.get(f"/carrier/route-plans/{plan}").json
    assert [s["kind"] for s in shown["routes"][0]["stops"]] == ["pickup", "drop"]
    assert shown["unassigned"] == []
    assert shown["cost"]["amount"] > 0
    published = me.post(f"/carrier/route-plans/{plan}/publish")
    assert published.json["status"] == "published"
    assert me.get(f"/carrier/deliveries?date={tomorrow()}&state=planned").json["items"][0]["id"] == row["id"]


def test_the_rest_of_a_published_day_is_planned_again_and_stopped(api: Any, app: Any) -> None:
    from workers import worker

    w = make.world()
    plan = make.published(w, [make.delivery(w)])
    urgent = make.delivery(w, index=2)
    me = make.call_as(api, w.dispatcher_user)
    wish = {"time_limit_s": 1, "deliveries": [str(urgent.public_id)]}
    asked = me.post(f"/carrier/route-plans/{plan}/reoptimise", wish)
    assert asked.status_code == 202
    other = me.post(f"/carrier/route-plans/{plan}/reoptimise", {"broken": [str(w.vehicle.public_id)]})
    assert (other.status_code, other.json["code"]) == (409, "planning_under_way")
    job = asked.json["job"]["id"]
    worker.run_in_context(job_number(job), app)
    draft = me.get(f"/jobs/{job}").json["result"]["plan"]
    shown = me.get(f"/carrier/route-plans/{draft}").json
    assert shown["status"] == "draft"
    assert str(urgent.public_id) in {s["delivery"] for s in shown["routes"][0]["stops"]}
    assert me.post(f"/carrier/route-plans/{draft}/publish").json["status"] == "published"
    again = me.post(f"/carrier/route-plans/{plan}/reoptimise", {})
    assert (again.status_code, again.json["code"]) == (409, "plan_not_published")
    waiting = me.post(f"/carrier/route-plans/{draft}/reoptimise", {"time_limit_s": 60}).json["job"]["id"]
    they = make.call_as(api, make.world().dispatcher_user)
    assert they.post(f"/carrier/route-plans/jobs/{waiting}/cancel").status_code == 404
    assert they.post(f"/carrier/route-plans/{draft}/reoptimise", {}).status_code == 404
    assert me.post(f"/carrier/route-plans/jobs/{waiting}/cancel").status_code == 204
    assert me.get(f"/jobs/{waiting}").json["state"] == "cancelled"


def job_number(public_id: str) -> int:
    import sqlalchemy as sa

    from app.core.db import session
    from app.core.models import Job

    return session.scalars(sa.select(Job.id).where(Job.public_id == uuid.UUID(public_id))).one()


def test_another_carrier_finds_nothing(api: Any) -> None:
    w, other = make.world(), make.world()
    plan = make.stored_plan(w, [make.delivery(w)])
    they = make.call_as(api, other.dispatcher_user)
    absent = uuid.uuid4()
    for method, path, body in (
        ("GET", "/carrier/route-plans/{}", None),
        ("POST", "/carrier/route-plans/{}/publish", {}),
        ("PATCH", "/carrier/vehicles/{}", {"cost_per_km": 1}),
        ("DELETE", "/carrier/couriers/{}", None),
    ):
        key = w.vehicle.public_id if "vehicles" in path else plan
        foreign, missing = they.call(method, path.format(key), body), they.call(method, path.format(absent), body)
        assert (
            (foreign.status_code, foreign.json["code"])
            == (404, "not_found")
            == (
                missing.status_code,
                missing.json["code"],
            )
        )


def test_a_buyer_may_not_dispatch(api: Any) -> None:
    w = make.world()
    assert make.call_as(api, w.buyer).get("/carrier/vehicles").status_code == 403
    assert api.get("/carrier/vehicles").status_code == 401
