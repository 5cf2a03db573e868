"""The API of accounts: tokens, the own account, devices, sites and companies, as a client meets them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask import Flask

from app.accounts import service
from tests.client import ApiClient
from tests.factories import accounts as make

pytestmark = pytest.mark.usefixtures("db_session")
PASSWORD = make.PASSWORD
SITE = {"title": "Дом", "address": "Учебная ул., 1", "lat": 55.8, "lon": 37.6}
FIRM = {"kind": "seller", "name": "ООО «Проба»", "inn": "7736050003", "kpp": "773601001", "ogrn": "1027700132195"}


def fields(answer: Any) -> dict[str, str]:
    """Pointer -> code of a 422."""
    assert answer.status_code == 422, answer.text
    assert answer.content_type == "application/problem+json"
    return {error["pointer"]: error["code"] for error in answer.json["errors"]}


def code(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert answer.content_type == "application/problem+json", answer.text
    return answer.status_code, answer.json["code"]


def someone(app: Flask, **more: Any) -> ApiClient:
    return ApiClient(app).as_user(make.account(**more).email)


@pytest.fixture
def person(app: Flask) -> ApiClient:
    return someone(app)


def test_registering_opens_the_account_and_signs_in(api: ApiClient) -> None:
    address = make.email()
    answer = api.post("/auth/register", {"email": address, "password": PASSWORD, "name": "Участник"})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["expires_in"] == 600
    api.token = answer.json["access_token"]
    me = api.get("/me")
    assert (me.json["email"], me.json["name"], me.json["locale"]) == (address, "Участник", "ru")
    assert me.json["id"] == answer.json["user"]["id"]
    assert me.json["memberships"] == []


@pytest.mark.parametrize(("change", "expected"), [
    ({"email": "no address"}, {"/email": "malformed_email"}), ({"name": " "}, {"/name": "required"}),
    ({"phone": "12"}, {"/phone": "malformed_phone"}), ({"password": "short"}, {"/password": "too_short"}),
    ({"password": "password123"}, {"/password": "common_password"}), ({"locale": "fr"}, {"/locale": "unknown_option"}),
    ({"is_admin": True}, {"/is_admin": "unknown_field"}), ({"email": 5}, {"/email": "wrong_type"}),
    ({"email": "x" * 255}, {"/email": "too_long"}), ({"name": None}, {"/name": "wrong_type"}),
    ({"email": "a@b.ru\nBcc: c@d.ru"}, {"/email": "malformed_email"}),
])  # fmt: skip
def test_a_wrong_registration_names_its_field(api: ApiClient, change: dict[str, Any], expected: dict[str, str]) -> None:
    body = {"email": make.email(), "password": PASSWORD, "name": "Участник"} | change
    assert fields(api.post("/auth/register", body)) == expected


def test_a_taken_address_is_said(api: ApiClient) -> None:
    user = make.account()
    answer = api.post("/auth/register", {"email": user.email.upper(), "password": PASSWORD, "name": "Второй"})
    assert fields(answer) == {"/email": "email_taken"}


@pytest.mark.parametrize("device", ["", "phone", "'; --"])
def test_signing_in_needs_a_device(app: Flask, device: str) -> None:
    body = {"email": make.account().email, "password": PASSWORD}
    answer = ApiClient(app).post("/auth/login", body, headers={"X-Device-Id": device})
    assert fields(answer) == {"/headers/X-Device-Id": "device_id_required"}


def test_wrong_password_unknown_address_and_blocked_person_answer_alike(api: ApiClient) -> None:
    known, blocked = make.account(), make.account(is_active=False)
    answers = [
        api.post("/auth/login", {"email": email, "password": password})
        for email, password in (
            (known.email, "wrong horse"), ("unknown@test.example", PASSWORD), (blocked.email, PASSWORD), ("", ""),
            ("' OR 1=1 --", "' OR 1=1 --"),
        )
    ]  # fmt: skip
    assert {code(answer) for answer in answers} == {(401, "wrong_credentials")}
    assert {answer.json["detail"] for answer in answers} == {answers[0].json["detail"]}


def test_a_refresh_token_rotates_and_its_reuse_ends_the_family(app: Flask) -> None:
    client = ApiClient(app)
    body = {"email": make.account().email, "password": PASSWORD}
    first = client.post("/auth/login", body).json["refresh_token"]
    answer = client.post("/auth/refresh", {"refresh_token": first})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    client.token = answer.json["access_token"]
    assert client.get("/me").status_code == 200
    client.token = ""
    thief = ApiClient(app)
    stolen = answer.json["refresh_token"]
    assert code(thief.post("/auth/refresh", {"refresh_token": stolen})) == (401, "invalid_token")
    assert code(client.post("/auth/refresh", {"refresh_token": stolen})) == (401, "invalid_token")
    assert make.audited("token.reused") == 1


def test_signing_out_ends_the_family_and_never_tells_what_it_knew(app: Flask) -> None:
    client = ApiClient(app)
    token = client.post("/auth/login", {"email": make.account().email, "password": PASSWORD}).json["refresh_token"]
    for sent in (token, "unknown"):
        answer = client.post("/auth/logout", {"refresh_token": sent})
        assert (answer.status_code, answer.data) == (204, b"")
    assert code(client.post("/auth/refresh", {"refresh_token": token})) == (401, "invalid_token")


def test_a_reset_link_sets_the_password_once_and_ends_all_tokens(app: Flask) -> None:
    user = make.account()
    client = ApiClient(app).as_user(user.email)
    guest = ApiClient(app)
    known, unknown = (guest.post("/auth/password/forgot", {"email": e}) for e in (user.email, "unknown@test.example"))
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data) == (202, b"")
    (letter,) = make.mails("password_reset")
    token = letter["values"]["path"].rsplit("/", 1)[-1]
    assert fields(guest.post("/auth/password/reset", {"token": token, "password": "x"})) == {"/password": "too_short"}
    body = {"token": token, "password": "battery staple"}
    assert guest.post("/auth/password/reset", body).status_code == 204
    assert code(guest.post("/auth/password/reset", body)) == (422, "reset_link_dead")
    assert code(client.get("/me")) == (401, "invalid_token")
    assert code(guest.post("/auth/login", {"email": user.email, "password": PASSWORD}))[0] == 401
    assert ApiClient(app).as_user(user.email, "battery staple").get("/me").status_code == 200


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer x.y.z", "Basic YTpi", "x", "Bearer a b", "bearer null"]
)
def test_a_bad_token_is_refused_even_on_open_calls(api: ApiClient, header: str) -> None:
    for path in ("/me", "/categories"):
        answer = api.get(path, headers={"Authorization": header})
        assert code(answer) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_session_cookie_opens_no_api(app: Flask) -> None:
    browser = make.browser(app, make.account())
    assert browser.get("/account").status_code == 200
    assert code(browser.get("/api/v1/me")) == (401, "not_signed_in")


def test_the_own_account_is_changed_by_version(person: ApiClient) -> None:
    first = person.get("/me")
    tag = {"If-Match": first.headers["ETag"]}
    answer = person.patch("/me", {"name": " Новое имя ", "phone": "8 916 123-45-67", "locale": "en"}, headers=tag)
    assert answer.status_code == 200
    assert (answer.json["name"], answer.json["phone"], answer.json["locale"]) == ("Новое имя", "+79161234567", "en")
    assert answer.headers["ETag"] != first.headers["ETag"]
    assert code(person.patch("/me", {"name": "Другое"}, headers=tag)) == (412, "stale_version")
    assert person.get("/me").json["name"] == "Новое имя"
    assert fields(person.patch("/me", {"email": "a@b.ru"})) == {"/email": "unknown_field"}
    assert fields(person.patch("/me", {"name": "", "phone": "1"})) == {
        "/name": "required",
        "/phone": "malformed_phone",
    }


def test_text_is_kept_as_typed_whatever_it_looks_like(person: ApiClient) -> None:
    name = "<script>alert(1)</script>'; DROP TABLE user_account; -- {{7*7}} 🏗"
    assert person.patch("/me", {"name": name}).json["name"] == name


def test_a_device_is_signed_out_by_its_owner_only(app: Flask) -> None:
    user = make.account()
    here, there = ApiClient(app).as_user(user.email), ApiClient(app).as_user(user.email)
    rows = here.get("/me/devices").json["items"]
    assert sorted(row["current"] for row in rows) == [False, True]
    other = next(row["id"] for row in rows if not row["current"])
    stranger = someone(app)
    absent = stranger.delete(f"/me/devices/{uuid.uuid4()}")
    foreign = stranger.delete(f"/me/devices/{other}")
    assert code(absent) == code(foreign) == (404, "not_found")
    assert there.get("/me").status_code == 200
    assert here.delete(f"/me/devices/{other}").status_code == 204
    assert code(there.get("/me")) == (401, "invalid_token")
    assert here.get("/me").status_code == 200


def test_a_site_is_kept_changed_and_removed(person: ApiClient) -> None:
    made = person.post("/me/sites", SITE)
    assert made.status_code == 201
    path = f"/me/sites/{made.json['id']}"
    changed = person.patch(path, {"floor": 4, "lift": True}, headers={"If-Match": '"1"'})
    assert (changed.json["floor"], changed.json["lift"], changed.json["title"]) == (4, True, "Дом")
    assert code(person.patch(path, {"floor": 5}, headers={"If-Match": '"1"'})) == (412, "stale_version")
    assert [s["id"] for s in person.get("/me/sites").json["items"]] == [made.json["id"]]
    assert person.delete(path).status_code == 204
    assert person.get("/me/sites").json["items"] == []
    assert code(person.delete(path)) == (404, "not_found")


@pytest.mark.parametrize(("change", "pointer"), [
    ({"lat": 91}, "/lat"), ({"lon": "east"}, "/lon"), ({"lat": None}, "/lat"), ({"floor": 500}, "/floor"),
    ({"unloading": "magic"}, "/unloading"), ({"title": ""}, "/title"), ({"max_vehicle_kg": -1}, "/max_vehicle_kg"),
    ({"address": "x" * 301}, "/address"), ({"user_id": 1}, "/user_id"), ({"floor": 10**30}, "/floor"),
    ({"max_height_mm": 10**12}, "/max_height_mm"), ({"max_vehicle_kg": 10**12}, "/max_vehicle_kg"),
])  # fmt: skip
def test_a_wrong_site_names_its_field(person: ApiClient, change: dict[str, Any], pointer: str) -> None:
    assert list(fields(person.post("/me/sites", SITE | change))) == [pointer]


@pytest.mark.parametrize("name", ["", "not-a-uuid", "1", "%27", "00000000-0000-0000-0000-000000000000"])
def test_ids_that_are_none_are_absent(person: ApiClient, name: str) -> None:
    for path in (f"/me/sites/{name}", f"/me/devices/{name}"):
        assert person.delete(path).status_code == 404
    assert person.get(f"/organisations/{name}").status_code == 404


def test_a_company_is_registered_shown_and_changed(person: ApiClient) -> None:
    made = person.post("/organisations", FIRM)
    assert made.status_code == 201
    assert (made.json["status"], made.json["role"]) == ("draft", "owner")
    path = f"/organisations/{made.json['id']}"
    shown = person.get(path)
    assert shown.json == made.json
    changed = person.patch(path, {"name": "ООО «Иное»"}, headers={"If-Match": shown.headers["ETag"]})
    assert (changed.json["name"], changed.json["inn"]) == ("ООО «Иное»", FIRM["inn"])
    assert code(person.patch(path, {"name": "Третье"}, headers={"If-Match": shown.headers["ETag"]})) == (
        412,
        "stale_version",
    )
    assert [o["id"] for o in person.get("/organisations").json["items"]] == [made.json["id"]]


@pytest.mark.parametrize(("change", "expected"), [
    ({"inn": "7736050004"}, {"/inn": "wrong_inn"}), ({"kpp": ""}, {"/kpp": "kpp_needed"}),
    ({"ogrn": "1027700132190"}, {"/ogrn": "wrong_ogrn"}), ({"kind": "bank"}, {"/kind": "unknown_option"}),
    ({"status": "approved"}, {"/status": "unknown_field"}), ({"inn": "1" * 13}, {"/inn": "too_long"}),
    ({"inn": "٧٧٣٦٠٥٠٠٠٣"}, {"/inn": "wrong_inn"}),
])  # fmt: skip
def test_a_wrong_company_names_its_field(person: ApiClient, change: dict[str, Any], expected: dict[str, str]) -> None:
    assert fields(person.post("/organisations", FIRM | change)) == expected


def test_the_same_company_is_registered_once(app: Flask, person: ApiClient) -> None:
    person.post("/organisations", FIRM)
    assert fields(someone(app).post("/organisations", FIRM)) == {"/inn": "organisation_exists"}


def test_people_of_a_company_come_and_go(app: Flask, person: ApiClient) -> None:
    key = person.post("/organisations", FIRM).json["id"]
    path = f"/organisations/{key}/members"
    helper = make.account()
    added = person.post(path, {"email": helper.email, "role": "warehouse"})
    assert added.status_code == 201
    assert {(m["email"], m["role"]) for m in added.json["items"]} >= {(helper.email, "warehouse")}
    assert fields(person.post(path, {"email": helper.email, "role": "manager"})) == {"/email": "member_already"}
    assert fields(person.post(path, {"email": "no@test.example", "role": "manager"})) == {"/email": "no_such_person"}
    assert fields(person.post(path, {"email": make.account().email, "role": "courier"})) == {"/role": "unknown_option"}
    hand = ApiClient(app).as_user(helper.email)
    assert hand.get(path).status_code == 200
    assert code(hand.post(path, {"email": make.account().email, "role": "owner"})) == (403, "forbidden")
    assert code(hand.delete(f"{path}/{helper.public_id}")) == (403, "forbidden")
    own = person.get("/me").json["id"]
    assert code(person.delete(f"{path}/{own}")) == (409, "last_owner")
    assert person.delete(f"{path}/{helper.public_id}").status_code == 204
    assert code(hand.get(path)) == (401, "invalid_token")  # the old token ended with the place
    assert code(person.delete(f"{path}/{helper.public_id}")) == (404, "not_found")


def test_a_strangers_company_is_as_absent(app: Flask, person: ApiClient) -> None:
    made = person.post("/organisations", FIRM).json["id"]
    me = person.get("/me").json["id"]
    stranger = someone(app)
    operator = someone(app, is_admin=True)
    for client in (stranger, operator):
        for method, tail, body in (
            ("GET", "", None), ("PATCH", "", {"name": "Моё имя"}), ("GET", "/members", None),
            ("POST", "/members", {"email": make.account().email, "role": "owner"}), ("DELETE", f"/members/{me}", None),
        ):  # fmt: skip
            answers = [
                client.call(method, f"/organisations/{key}{tail}", json=body, headers={"X-Request-Id": "same"})
                for key in (made, uuid.uuid4())
            ]
            assert [code(a) for a in answers] == [(404, "not_found")] * 2, (method, tail)
            assert answers[0].data == answers[1].data
    assert person.get(f"/organisations/{made}").json["name"] == FIRM["name"]


def test_a_strangers_site_is_as_absent(app: Flask, person: ApiClient) -> None:
    made = person.post("/me/sites", SITE).json["id"]
    stranger = someone(app)
    assert code(stranger.patch(f"/me/sites/{made}", {"title": "Моё"})) == (404, "not_found")
    assert code(stranger.delete(f"/me/sites/{made}")) == (404, "not_found")
    assert person.get("/me/sites").json["items"][0]["title"] == "Дом"


def test_a_blocked_person_is_out_with_the_next_call(app: Flask) -> None:
    user = make.account()
    client = ApiClient(app).as_user(user.email)
    assert client.get("/me").status_code == 200
    operator = make.account(is_admin=True)
    service.set_active(make.actor(operator, is_admin=True), user.public_id, active=False)
    assert code(client.get("/me")) == (401, "invalid_token")


def test_guessing_a_password_is_limited(app: Flask, api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "RATELIMIT_ENABLED", True)
    body = {"email": f"guess-{uuid.uuid4().hex}@test.example", "password": "wrong horse"}
    answers = [api.post("/auth/login", body) for _ in range(11)]
    assert [a.status_code for a in answers] == [401] * 10 + [429]
    assert code(answers[-1]) == (429, "too_many_requests")
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 300
