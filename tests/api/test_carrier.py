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


def test_yards_days_off_and_a_copied_week(api: Any) -> None:
    w = make.world()
    me = make.call_as(api, w.dispatcher_user)
    yard = me.post("/carrier/depots", {"name": "North", "lat": 55.85, "lon": 37.66})
    assert yard.status_code == 201
    path = f"/carrier/depots/{yard.json['id']}"
    assert me.patch(path, {"address": "Дорога, 1"}, headers={"If-Match": '"1"'}).json["is_main"] is True
    assert me.delete(path).json["code"] == "depot_is_main"
    assert me.get("/carrier/depots").json["items"][0]["vehicles"] == 1
    [driver] = me.get("/carrier/couriers").json["items"]
    held = me.patch(f"/carrier/couriers/{driver['id']}", {"licences": {"B": None, "C": "2020-01-01"}, "vehicle": None})
    assert (held.json["licence"], held.json["licences"]["C"]) == ("B, C", "2020-01-01")
    shift = {"courier": driver["id"], "vehicle": str(w.vehicle.public_id), "day": tomorrow(), "from_minute": 480,
             "to_minute": 900}  # fmt: skip
    over = me.post("/carrier/shifts", shift)
    assert (over.status_code, over.json["code"]) == (409, "licence_over")
    me.patch(f"/carrier/couriers/{driver['id']}", {"licence": "C"})
    assert me.post("/carrier/shifts", shift).status_code == 201
    week = (clock.today() + timedelta(days=8)).isoformat()
    assert me.post("/carrier/shift-copies", {"week": week}).json == {"made": 1, "refused": []}
    assert len(me.get(f"/carrier/shifts?date={tomorrow()}&until={week}").json["items"]) == 2
    days = {"kind": "sick", "from_day": tomorrow(), "to_day": week, "courier": driver["id"]}
    away = me.post("/carrier/absences", days).json["id"]
    assert me.get(f"/carrier/shifts?date={tomorrow()}&until={week}").json["items"] == []
    assert me.get("/carrier/absences").json["items"][0]["name"] == driver["name"]
    assert me.delete(f"/carrier/absences/{away}").status_code == 204


def test_a_tariff_explains_itself_and_has_a_next_version(api: Any) -> None:
    w = make.world()
    me = make.call_as(api, w.dispatcher_user)
    tariff = {
        "name": "Zones", "base": 100, "per_km": 5000, "per_tonne": 30000, "max_mass_kg": 5000,
        "valid_from": "2026-01-01",
        "zones": [{"name": "Square", "price": 90000, "polygon": [[55.7, 37.5], [55.7, 37.7], [55.9, 37.6]]}],
        "distance_steps": [{"up_to_km": 10, "price": 150000}], "per_waiting_step": 40000,
    }  # fmt: skip
    key = me.post("/carrier/tariffs", tariff).json["id"]
    far = me.post(f"/carrier/tariffs/{key}/quote", {"distance_m": 12_000, "mass_kg": 1000, "waiting_minutes": 61}).json
    assert {line["code"]: line["amount"]["amount"] for line in far["lines"]} == {
        "distance_step": 150_000, "distance": 10_000, "mass": 30_000, "waiting": 40_000,
    }  # fmt: skip
    assert far["total"]["amount"] == 230_000
    near = me.post(f"/carrier/tariffs/{key}/quote", {"mass_kg": 0, "lat": 55.75, "lon": 37.6}).json
    assert (near["total"]["amount"], near["lines"][0]["code"]) == (90_000, "zone")
    newer = me.post(f"/carrier/tariffs/{key}/versions", {"valid_from": "2030-01-01", "distance_steps": []})
    assert newer.status_code == 201
    rows = {row["id"]: row for row in me.get("/carrier/tariffs").json["items"]}
    assert rows[key]["valid_to"] == "2029-12-31"
    assert (rows[newer.json["id"]]["distance_steps"], rows[newer.json["id"]]["zones"][0]["name"]) == ([], "Square")
    assert me.post("/carrier/tariffs", tariff | {"valid_from": "2029-01-01"}).json["code"] == "tariff_overlaps"


def test_deliveries_are_filtered_and_say_what_would_mend_them(api: Any) -> None:
    w = make.world()
    me = make.call_as(api, w.dispatcher_user)
    make.delivery(w)
    long = make.delivery(w, index=1, longest_mm=9000)
    [first, second] = me.get(f"/carrier/deliveries?date={tomorrow()}").json["items"]
    assert (first["id"], first["problems"], second["problems"]) == (str(long.public_id), ["too_long"], [])
    assert first["reasons"][0]["context"] == {"mm": 9000, "most": 6000}
    page = me.get(f"/carrier/deliveries?date={tomorrow()}&limit=1").json
    rest = me.get(f"/carrier/deliveries?date={tomorrow()}&limit=1&cursor={page['next_cursor']}").json
    assert (rest["items"][0]["id"], rest["next_cursor"]) == (second["id"], None)
    assert len(me.get(f"/carrier/deliveries?date={tomorrow()}&problem=any").json["items"]) == 1
    assert len(me.get("/carrier/deliveries?q=Стройка").json["items"]) == 2
    path = f"/carrier/deliveries/{long.public_id}/place"
    assert me.post(path, {"lat": 55.83, "lon": 37.61}, headers={"If-Match": '"99"'}).status_code == 412
    assert me.post(path, {"lat": 55.83, "lon": 37.61}).status_code == 204
    assert me.get("/carrier/geocode?q=Склад").json["items"][0]["source"] == "warehouse"


def test_a_delivery_changes_hands_over_the_api(api: Any) -> None:
    giver, taker = make.world(), make.world()
    me, they = make.call_as(api, giver.dispatcher_user), make.call_as(api, taker.dispatcher_user)
    made = make.delivery(giver)
    partners = me.get(f"/carrier/partners?delivery={made.public_id}").json["items"]
    assert str(taker.carrier.public_id) in [one["id"] for one in partners]
    body = {"carrier": str(taker.carrier.public_id), "reason": "no_truck", "price": 90_000}
    key = me.post(f"/carrier/deliveries/{made.public_id}/hand-overs", body).json["id"]
    seen = they.get(f"/carrier/hand-overs/{key}").json
    assert (seen["direction"], seen["carrier"], "contact_phone" in str(seen)) == ("received", giver.carrier.name, False)
    assert they.post(f"/carrier/hand-overs/{key}/withdraw").status_code == 404
    assert they.post(f"/carrier/hand-overs/{key}/accept").json["state"] == "accepted"
    assert me.post(f"/carrier/hand-overs/{key}/withdraw").json["code"] == "hand_over_state"
    assert [one["id"] for one in they.get(f"/carrier/deliveries?date={tomorrow()}").json["items"]] == [
        str(made.public_id)
    ]
    assert me.get(f"/carrier/deliveries?date={tomorrow()}").json["items"] == []
    assert me.get("/carrier/hand-overs").json["items"][0]["state"] == "accepted"
