"""What the phone sends by itself: whose it is, where it comes from, what it is answered."""

from __future__ import annotations

import io
import re
import uuid
from typing import Any

import brotli  # type: ignore[import-untyped]  # the package ships no types
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.core import clock
from app.core.db import session
from app.logistics import courier_day
from app.logistics.courier_models import ProofPhoto
from app.logistics.models import Delivery, DeliveryEvent
from tests.factories import images
from tests.factories import logistics as make
from tests.logistics.test_courier_day import Day

HERE = {"Origin": "http://localhost"}


@pytest.fixture
def day(client: FlaskClient) -> Day:
    """A started route of one delivery, its driver signed in."""
    found = Day()
    make.browse(client, found.w.courier_user)
    return found


def tap(kind: str, stop: uuid.UUID, **fields: Any) -> dict[str, Any]:
    return {"key": str(uuid.uuid4()), "kind": kind, "stop": str(stop), "at": clock.now().isoformat()} | fields


def send(client: FlaskClient, day: Day, *taps: dict[str, Any], headers: Any = HERE, person: Any = None) -> Any:
    body = {"person": str(person or day.w.courier_user.public_id), "actions": list(taps)}
    return client.post("/courier/outbox", json=body, headers=headers)


def test_each_tap_is_answered_by_itself(client: FlaskClient, day: Day) -> None:
    arrive = tap("arrive", day.stop("pickup"), position={"lat": 55.8, "lon": 37.6}, version=1)
    early = tap("complete", day.stop("drop"), offline=True, payload={"pin": day.made[0].pin})
    answer = send(client, day, arrive, early, arrive)
    assert answer.status_code == 200
    told = answer.json["actions"]
    assert [(one["outcome"], one["became"]) for one in told] == [
        ("done", "done"), ("conflict", "conflict"), ("repeated", "done"),
    ]  # fmt: skip
    assert told[1]["code"] == "not_loaded"
    assert told[1]["text"]
    assert day.made[0].public_id
    assert "T" in told[1]["now"]


def test_fields_of_a_form_are_read_as_forms_are(client: FlaskClient, day: Day) -> None:
    send(client, day, tap("complete", day.stop("pickup"), payload={"q2": "7", "reason_2": "torn", "received_by": "К"}))
    cargo = session.scalar(sa.select(Delivery.cargo).where(Delivery.id == day.made[0].id))
    assert cargo is not None
    assert (cargo[1]["loaded"], cargo[1]["load_reason"]) == ("7", "torn")
    wrong = send(client, day, tap("complete", day.stop("drop"), payload={"q2": "много", "pin": "1"})).json["actions"][0]
    assert (wrong["became"], wrong["errors"][0][0]) == ("refused", "2")
    late = tap("complete", day.stop("drop"), offline=True, payload={"q2": "много", "pin": "4815"})
    assert send(client, day, late).json["actions"][0]["became"] == "refused"
    kept = session.scalars(sa.select(DeliveryEvent).where(DeliveryEvent.kind == "tap_conflict")).one()
    assert kept.details["comment"] == "q2: много"
    pin = "0000" if day.made[0].pin != "0000" else "1111"
    refused = send(client, day, tap("complete", day.stop("drop"), payload={"pin": pin})).json["actions"][0]
    assert (refused["became"], refused["errors"][0][0]) == ("refused", "pin")
    done = send(client, day, tap("complete", day.stop("drop"), payload={"pin": day.made[0].pin})).json["actions"][0]
    assert done["became"] == "done"
    assert day.state() == "partially_delivered"


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_cannot_send_taps(client: FlaskClient, day: Day, headers: dict[str, str]) -> None:
    answer = send(client, day, tap("arrive", day.stop("pickup")), headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "foreign_origin")
    assert day.stop_row("pickup").state == "planned"


def test_taps_of_one_person_are_not_done_by_another(client: FlaskClient, day: Day) -> None:
    other = make.world()
    make.browse(client, other.courier_user)
    answer = send(client, day, tap("arrive", day.stop("pickup")))
    assert (answer.status_code, answer.json["code"]) == (409, "other_person")
    assert day.stop_row("pickup").state == "planned"
    fresh = client.application.test_client()
    gone = send(fresh, day, tap("arrive", day.stop("pickup")))
    assert gone.status_code == 303, "signed out: the phone is sent to the sign-in and keeps the taps"


def test_what_is_no_outbox_is_refused(client: FlaskClient, day: Day) -> None:
    for body in (None, {}, {"person": "x", "actions": []}, {"person": str(uuid.uuid4()), "actions": [{"kind": "fly"}]}):
        assert client.post("/courier/outbox", json=body, headers=HERE).status_code == 422
    assert client.post("/courier/outbox", data="x", headers=HERE).status_code == 422


def test_a_photograph_is_kept_once_under_its_key(client: FlaskClient, app: Flask, day: Day) -> None:
    key = uuid.uuid4()

    def photo(content: bytes, **fields: Any) -> Any:
        data = {"person": str(day.w.courier_user.public_id), "key": str(key), "file": (io.BytesIO(content), "a.jpg")}
        return client.post("/courier/outbox/photos", data=data | fields, headers=HERE)

    jpeg = images.encoded(images.quarters(64, 48), "JPEG")
    first = photo(jpeg, role="line", line="2")
    assert first.status_code == 200
    assert photo(jpeg, role="line", line="2").json == first.json
    row = session.scalars(sa.select(ProofPhoto)).one()
    assert (row.role, row.line, row.state) == ("line", "2", "waiting")
    assert photo(b"no picture").status_code == 422
    assert photo(jpeg, person=str(uuid.uuid4())).json["code"] == "other_person"
    assert photo(jpeg, role="selfie").status_code == 422


def test_positions_of_the_pages_are_kept_on_shift(client: FlaskClient, day: Day) -> None:
    fix = {"at": clock.now().isoformat(), "lat": 55.8, "lon": 37.6, "accuracy_m": 12, "speed_mps": None}
    body = {"person": str(day.w.courier_user.public_id), "positions": [fix]}
    assert client.post("/courier/outbox/positions", json=body, headers=HERE).json == {"accepted": 1, "dropped": 0}
    assert client.post("/courier/outbox/positions", json=body).status_code == 409


def test_the_service_worker_covers_the_courier_and_names_files_that_exist(client: FlaskClient, day: Day) -> None:
    answer = client.get("/courier/sw.js")
    assert answer.headers["Service-Worker-Allowed"] == "/courier"
    assert answer.headers["Cache-Control"] == "no-cache"
    files = re.findall(r'"(/static/[^"]+)"', answer.text)
    assert len(files) >= 14
    assert [path for path in files if client.get(path).status_code != 200] == []
    page = client.get("/courier")
    assert page.headers["Courier-Person"] == str(day.w.courier_user.public_id)
    assert "img-src 'self' blob:" in page.headers["Content-Security-Policy"]


def test_a_photograph_in_a_form_without_script(client: FlaskClient, day: Day) -> None:
    day.load()
    jpeg = images.encoded(images.quarters(64, 48), "JPEG")
    path = f"/courier/stops/{day.stop('drop')}"
    courier_day.arrive(day.w.courier, day.stop("drop"))
    courier_day.start_unloading(day.w.courier, day.stop("drop"))
    wrong = {"pin": "x", "photos": (io.BytesIO(jpeg), "a.jpg"), "photo_2": (io.BytesIO(jpeg), "b.jpg")}
    answer = client.post(f"{path}/complete", data=wrong, content_type="multipart/form-data")
    assert answer.status_code == 422
    kept = re.findall(r'name="photo" value="([0-9a-f-]{36})"', answer.text)
    assert len(kept) == 2, "pictures of a refused form are not taken again"
    done = client.post(f"{path}/complete", data={"pin": day.made[0].pin, "photo": kept, "received_by": "Прораб"})
    assert done.status_code == 303
    assert session.scalar(sa.select(sa.func.count()).where(ProofPhoto.delivery_id == day.made[0].id)) == 2


def test_pages_of_the_courier_cost_few_reads(client: FlaskClient, day: Day, count_queries: Any) -> None:
    for path, most in (("/courier", 8), (f"/courier/stops/{day.stop('drop')}", 7), ("/courier/end", 7)):
        client.get(path)
        with count_queries() as seen:
            assert client.get(path).status_code == 200
        assert len(seen) <= most, (path, seen)


def test_the_dispatcher_sees_what_the_road_reported_and_nobody_elses(client: FlaskClient, day: Day) -> None:
    look = {"odometer": "1", "tyres": "bad", "tyres_note": "гвоздь", "may_drive": "no"}
    assert client.post("/courier/check", data=look).status_code == 303
    send(client, day, tap("complete", day.stop("drop"), offline=True, payload={"pin": "1", "received_by": "Иван"}))
    make.browse(client, day.w.dispatcher_user)
    page = client.get("/carrier/road").text
    for words in ("гвоздь", "ехать нельзя", "Иван"):
        assert words in page
    make.browse(client, make.world().dispatcher_user)
    other = client.get("/carrier/road").text
    assert "гвоздь" not in other
    assert "Иван" not in other


def test_the_scripts_of_a_stop_are_light(client: FlaskClient, day: Day) -> None:
    page = client.get(f"/courier/stops/{day.stop('drop')}").text
    scripts = re.findall(r'<script src="([^"]+)"', page)
    assert len(scripts) == 6
    sizes = {path: len(brotli.compress(client.get(path).data, quality=11)) for path in scripts}
    assert sum(sizes.values()) <= 30 * 1024, sizes
