"""The courier's calls and the tracking that follows them."""

from __future__ import annotations

import io
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.logistics.models import DeliveryAttempt
from tests.factories import images
from tests.factories import logistics as make


def started(api: Any, **fields: Any) -> tuple[make.World, Any, Any, dict[str, str]]:
    """(world, delivery, the courier's client, stop ids by kind) of a started route."""
    w = make.world()
    made = make.delivery(w, **fields)
    make.published(w, [made])
    me = make.call_as(api, w.courier_user)
    route = me.post("/courier/route/start", {})
    assert route.status_code == 200
    assert route.json["state"] == "started"
    return w, made, me, {s["kind"]: s["id"] for s in route.json["stops"]}


def test_the_way_of_a_delivery(api: Any) -> None:
    w, made, me, stops = started(api, cash_due=500_000)
    assert me.post(f"/courier/stops/{stops['pickup']}/arrive").json["state"] == "arrived"
    assert me.post(f"/courier/stops/{stops['pickup']}/complete").json["state"] == "done"
    position = {"at": clock.now().isoformat(), "lat": 55.81, "lon": 37.6, "accuracy_m": 9}
    assert me.post("/courier/positions", [position]).json == {"accepted": 1, "dropped": 0, "why": {}}
    buyer = make.call_as(api, w.buyer)
    seen = buyer.get(f"/deliveries/{made.public_id}").json
    assert seen["pin"] == made.pin
    assert seen["tracking"] == made.tracking_token
    tracked = api.get(f"/tracking/{made.tracking_token}").json
    assert tracked["state"] == "in_transit"
    assert tracked["position"]["age_s"] < 60
    assert tracked["stops_before"] == 0
    assert tracked == buyer.get(f"/deliveries/{made.public_id}/tracking").json
    drop = f"/courier/stops/{stops['drop']}"
    assert me.post(f"{drop}/arrive").json["state"] == "arrived"
    assert me.post(f"{drop}/unloading").json["state"] == "unloading"
    refused = me.post(f"{drop}/complete", {"proof": {"pin": "no"}, "cash_counted": {"amount": 500_000}})
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "pin_wrong")
    handed = {"proof": {"pin": made.pin}, "cash_counted": {"amount": 500_000}}
    for _twice in range(2):
        assert me.post(f"{drop}/complete", handed).json["state"] == "done"
    assert api.get(f"/tracking/{made.tracking_token}").status_code == 404
    over = buyer.get(f"/deliveries/{made.public_id}").json
    assert (over["state"], over["pin"], over["tracking"]) == ("delivered", None, None)
    assert me.get("/courier/route").json["state"] == "finished"


def test_three_wrong_pins_lock_and_the_dispatcher_unlocks(api: Any) -> None:
    w, made, me, stops = started(api)
    me.post(f"/courier/stops/{stops['pickup']}/complete")
    path = f"/courier/stops/{stops['drop']}/complete"
    codes = [me.post(path, {"proof": {"pin": "x"}}).json["code"] for _ in range(4)]
    assert codes == ["invalid_fields", "invalid_fields", "pin_locked", "pin_locked"]
    assert (
        make.call_as(api, w.dispatcher_user).post(f"/carrier/deliveries/{made.public_id}/release-pin").status_code
        == 204
    )
    assert me.post(path, {"proof": {"pin": made.pin}}).status_code == 200


def test_a_failure_has_a_reason_of_the_list(api: Any) -> None:
    _w, made, me, stops = started(api)
    me.post(f"/courier/stops/{stops['pickup']}/complete")
    path = f"/courier/stops/{stops['drop']}/fail"
    assert me.post(path, {"reason": "weather"}).json["errors"][0]["code"] == "unknown_option"
    assert me.post(path, {"reason": "no_access", "comment": "gate"}).json["state"] == "failed"
    assert api.get(f"/tracking/{made.tracking_token}").status_code == 404


def test_strangers_find_nothing(api: Any) -> None:
    w, made, _me, stops = started(api)
    other = make.world()
    they = make.call_as(api, other.courier_user)
    assert they.get("/courier/route").status_code == 404
    assert they.post(f"/courier/stops/{stops['pickup']}/arrive").status_code == 404
    assert make.call_as(api, other.buyer).get(f"/deliveries/{made.public_id}").status_code == 404
    assert make.call_as(api, w.buyer).get("/courier/route").status_code == 403
    assert api.get("/tracking/unknown").status_code == 404


def test_a_stale_stop_is_412_and_a_batch_over_500_is_refused(api: Any) -> None:
    _w, _made, me, stops = started(api)
    path = f"/courier/stops/{stops['pickup']}"
    me.post(f"{path}/arrive", {"version": 1})
    assert me.post(f"{path}/complete", {"version": 1}).status_code == 412
    fix = {"at": clock.now().isoformat(), "lat": 1, "lon": 1}
    assert me.post("/courier/positions", [fix] * 501).status_code == 422


def picture(me: Any, role: str = "photo") -> str:
    """Send a photograph; its id."""
    body = {"file": (io.BytesIO(images.encoded(images.quarters(64, 48), "JPEG")), "a.jpg"), "role": role}
    headers = {"Authorization": f"Bearer {me.token}"}
    sent = me._app.test_client(use_cookies=False).post(
        "/api/v1/courier/photos", data=body, headers=headers, content_type="multipart/form-data"
    )
    assert sent.status_code == 201, sent.text
    return str(sent.json["id"])


def test_a_proof_carries_photographs_a_signature_and_reasons_of_lines(api: Any) -> None:
    _w, made, me, stops = started(api)
    me.post(f"/courier/stops/{stops['pickup']}/complete")
    photo, signature = picture(me), picture(me, "signature")
    path = f"/courier/stops/{stops['drop']}/complete"
    proof = {"pin": made.pin, "photos": [photo], "signature": signature, "received_by": "Прораб"}
    stranger = {"proof": proof | {"photos": [str(made.public_id)]}}
    assert me.post(path, stranger).json["errors"][0]["code"] == "unknown_picture"
    lines = [{"line": "2", "delivered": "7", "reason": "torn"}]
    assert me.post(path, {"proof": proof, "lines": lines}).json["state"] == "done"
    attempt = session.scalars(sa.select(DeliveryAttempt)).one()
    assert attempt.proof["photos"] == [photo]
    assert attempt.proof["signature"] == signature
    assert attempt.proof["received_by"] == "Прораб"
    assert attempt.lines[1]["reason"] == "torn"


def test_a_truck_that_must_not_drive_does_not_start_and_the_day_ends_with_the_odometer(api: Any) -> None:
    w = make.world()
    make.published(w, [make.delivery(w)])
    me = make.call_as(api, w.courier_user)
    bad = {"odometer_km": 500, "defects": [{"item": "tyres", "note": "flat"}], "may_drive": False}
    assert me.post("/courier/check", bad).json == {"may_start": False}
    assert me.post("/courier/route/start", {}).json["code"] == "vehicle_forbidden"
    assert (
        me.post("/courier/check", {"odometer_km": 500, "defects": [{"item": "wings", "note": "x"}]}).status_code == 422
    )
    me.post("/courier/check", {"odometer_km": 500})
    assert me.post("/courier/route/start", {}).json["state"] == "started"
    assert me.post("/courier/route/end", {"odometer_km": 499}).json["errors"][0]["code"] == "odometer_back"
    for _twice in range(2):
        assert me.post("/courier/route/end", {"odometer_km": 560}).status_code == 200
