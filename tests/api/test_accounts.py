"""Accounts through the API: names and codes of the contract, tokens, and what is not told to others."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.accounts import service
from app.accounts.models import Device, RefreshToken, Site, User
from app.core.db import session
from app.core.models import IdempotencyKey
from tests.client import ApiClient
from tests.factories import accounts as make

NEW = {"password": "correct horse", "name": "Анна Тестовая", "phone": "8 916 123-45-67"}


def problem(answer: Any) -> tuple[int, str, list[tuple[str, str]]]:
    assert answer.content_type == "application/problem+json"
    body = answer.json
    assert set(body) >= {"type", "title", "status", "detail", "code", "errors", "request_id"}
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"], [(e["pointer"], e["code"]) for e in body["errors"]]


def signed(app: Flask, user: User) -> ApiClient:
    return ApiClient(app).as_user(user.email)


def test_register_answers_with_tokens_that_work(api: ApiClient) -> None:
    address = make.email()
    answer = api.post("/auth/register", NEW | {"email": address})
    assert answer.status_code == 201
    assert set(answer.json) == {"user", "access_token", "refresh_token", "expires_in"}
    assert answer.json["user"]["email"] == address
    assert answer.headers["Cache-Control"] == "no-store"
    api.token = answer.json["access_token"]
    me = api.get("/me").json
    assert (me["email"], me["phone"], me["roles"], me["memberships"]) == (address, "+79161234567", [], [])
    again = api.post("/auth/register", NEW | {"email": address.upper()})
    assert problem(again)[2] == [("/email", "email_taken")]


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login", "/auth/refresh"])
@pytest.mark.parametrize("device", ["", "not-a-uuid"])
def test_a_device_must_name_itself(api: ApiClient, path: str, device: str) -> None:
    bodies: dict[str, dict[str, str]] = {
        "/auth/register": NEW | {"email": make.email()}, "/auth/login": {"email": "a@b.ru", "password": "x"},
        "/auth/refresh": {"refresh_token": "x"},
    }  # fmt: skip
    status, _, errors = problem(api.post(path, bodies[path], headers={"X-Device-Id": device}))
    assert (status, errors) == (422, [("/headers/X-Device-Id", "device_id_required")])


def test_all_wrong_fields_and_unknown_ones_are_named(api: ApiClient) -> None:
    status, code, errors = problem(api.post("/auth/register", {"email": 1, "name": "x", "is_admin": True}))
    assert (status, code) == (422, "invalid_fields")
    assert set(errors) == {("/email", "wrong_type"), ("/password", "required"), ("/is_admin", "unknown_field")}


def test_wrong_sign_ins_give_the_same_bytes(api: ApiClient) -> None:
    user, blocked = make.account(), make.account(is_active=False)
    bodies = set()
    for email, password in (
        (user.email, "wrong one"), ("unknown@test.example", "wrong one"), (blocked.email, make.PASSWORD),
        ("no address", "wrong one"),
    ):  # fmt: skip
        answer = api.post("/auth/login", {"email": email, "password": password})
        assert problem(answer)[:2] == (401, "wrong_credentials")
        bodies.add(json.dumps(answer.json | {"request_id": ""}, sort_keys=True))
    assert len(bodies) == 1


def test_a_password_is_taken_as_it_is(api: ApiClient) -> None:
    address = make.email()
    assert api.post("/auth/register", NEW | {"email": address, "password": "  two spaces "}).status_code == 201
    assert api.post("/auth/login", {"email": address, "password": "two spaces"}).status_code == 401
    assert api.post("/auth/login", {"email": f" {address} ", "password": "  two spaces "}).status_code == 200


def test_refresh_rotates_and_logout_ends_the_family(api: ApiClient) -> None:
    user = make.account()
    first = api.post("/auth/login", {"email": user.email, "password": make.PASSWORD}).json
    second = api.post("/auth/refresh", {"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    assert second.json["refresh_token"] != first["refresh_token"]
    assert problem(api.post("/auth/refresh", {"refresh_token": "unknown"}))[:2] == (401, "invalid_token")
    assert api.post("/auth/logout", {"refresh_token": second.json["refresh_token"]}).status_code == 204
    assert api.post("/auth/logout", {"refresh_token": "unknown"}).status_code == 204
    assert api.post("/auth/refresh", {"refresh_token": second.json["refresh_token"]}).status_code == 401


def test_tokens_lie_in_no_table_even_with_an_idempotency_key(api: ApiClient) -> None:
    user = make.account()
    body = {"email": user.email, "password": make.PASSWORD}
    one = api.post("/auth/login", body, headers={"Idempotency-Key": "same"}).json
    two = api.post("/auth/login", body, headers={"Idempotency-Key": "same"}).json
    assert one["refresh_token"] != two["refresh_token"]
    assert session.scalar(sa.select(sa.func.count(IdempotencyKey.id))) == 0


def test_forgot_tells_nothing_and_reset_works_once(api: ApiClient) -> None:
    user = make.account()
    client = signed(api._app, user)
    known = api.post("/auth/password/forgot", {"email": user.email})
    unknown = api.post("/auth/password/forgot", {"email": "unknown@test.example"})
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data) == (202, b"")
    [mail] = make.mails("password_reset")
    token = mail["values"]["path"].rsplit("/", 1)[1]
    assert problem(api.post("/auth/password/reset", {"token": token, "password": "short"}))[2] == [
        ("/password", "too_short")
    ]
    assert api.post("/auth/password/reset", {"token": token, "password": "another horse"}).status_code == 204
    assert client.get("/me").status_code == 401, "the access token died with the password"
    again = api.post("/auth/password/reset", {"token": token, "password": "third horse yet"})
    assert problem(again)[:2] == (422, "reset_link_dead")


def test_cookies_open_nothing_here_and_tokens_nothing_on_pages(app: Flask, db_session: Any) -> None:
    user = make.account()
    browser = make.browser(app, user)
    assert browser.get("/api/v1/me").status_code == 401
    token = signed(app, user).token
    page = app.test_client().get("/account", headers={"Authorization": f"Bearer {token}"})
    assert page.location == "/login?next=/account"


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Basic dTpw", "Bearer a.b.c"])
def test_a_bad_token_is_refused_even_where_none_is_needed(api: ApiClient, header: str) -> None:
    for path in ("/me", "/categories"):
        answer = api.get(path, headers={"Authorization": header})
        assert problem(answer)[:2] == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_me_is_changed_by_version(app: Flask, db_session: Any) -> None:
    api = signed(app, make.account())
    tag = api.get("/me").headers["ETag"]
    changed = api.patch("/me", {"name": "Новое Имя", "locale": "en"}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json["name"], changed.json["locale"]) == (200, "Новое Имя", "en")
    assert problem(api.patch("/me", {"name": "Старое"}, headers={"If-Match": tag}))[0] == 412
    assert problem(api.patch("/me", {"email": "other@test.example"}))[2] == [("/email", "unknown_field")]
    assert problem(api.patch("/me", {"phone": "abc"}))[2] == [("/phone", "malformed_phone")]


def test_a_blocked_person_and_a_revoked_device_are_out_at_once(app: Flask, db_session: Any) -> None:
    user = make.account()
    one, two = signed(app, user), signed(app, user)
    rows = {row["current"]: row for row in one.get("/me/devices").json["items"]}
    assert set(rows[True]) == {"id", "name", "user_agent", "last_seen_at", "current"}
    assert one.delete(f"/me/devices/{rows[False]['id']}").status_code == 204
    assert two.get("/me").status_code == 401
    assert one.get("/me").status_code == 200
    service.set_active(make.actor(make.account(is_admin=True), is_admin=True), user.public_id, active=False)
    assert one.get("/me").status_code == 401


SITE = {"title": "Дом", "address": "Учебная ул., 1", "lat": 55.8, "lon": 37.6, "contact_phone": "8 916 123-45-67"}


def test_sites_are_made_changed_and_hidden(app: Flask, db_session: Any) -> None:
    api = signed(app, make.account())
    made = api.post("/me/sites", SITE)
    assert (made.status_code, made.json["contact_phone"], made.json["unloading"]) == (201, "+79161234567", "self")
    where = f"/me/sites/{made.json['id']}"
    changed = api.patch(where, {"floor": 3}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json["floor"], changed.json["version"]) == (200, 3, 2)
    assert api.patch(where, {"floor": 4}, headers={"If-Match": '"1"'}).status_code == 412
    wrong = problem(api.post("/me/sites", SITE | {"lat": 91, "title": " ", "contact_phone": "abc"}))
    assert set(wrong[2]) == {("/lat", "too_large"), ("/title", "required"), ("/contact_phone", "malformed_phone")}
    assert api.delete(where).status_code == 204
    assert api.get("/me/sites").json == {"items": [], "next_cursor": None}
    assert api.delete(where).status_code == 404
    assert session.scalar(sa.select(sa.func.count()).where(Site.is_deleted)) == 1


def test_a_short_list_is_read_page_by_page(app: Flask, db_session: Any) -> None:
    api = signed(app, make.account())
    titles = ["A", "B", "C"]
    for title in titles:
        api.post("/me/sites", SITE | {"title": title})
    whole = [site["id"] for site in api.get("/me/sites").json["items"]]
    first = api.get("/me/sites?limit=2").json
    rest = api.get(f"/me/sites?limit=2&cursor={first['next_cursor']}").json
    assert [s["id"] for s in first["items"] + rest["items"]] == whole
    assert (len(whole), rest["next_cursor"]) == (3, None)
    assert problem(api.get("/me/sites?cursor=other"))[2] == [("/query/cursor", "malformed")]
    assert problem(api.get("/me/sites?limit=0"))[2] == [("/query/limit", "too_small")]


def test_a_company_and_its_people(app: Flask, db_session: Any) -> None:
    owner, helper = make.account(), make.account()
    api = signed(app, owner)
    inn, kpp = make.INNS["seller"]
    firm = {"kind": "seller", "name": "Проба", "inn": inn, "kpp": kpp}
    wrong = problem(api.post("/organisations", firm | {"inn": inn[:-1] + "0", "kpp": "1"}))
    assert wrong[2] == [("/inn", "wrong_inn"), ("/kpp", "wrong_kpp")]
    made = api.post("/organisations", firm)
    assert (made.status_code, made.json["status"], made.json["role"]) == (201, "draft", "owner")
    where = f"/organisations/{made.json['id']}"
    tag = api.get(where).headers["ETag"]
    changed = api.patch(where, {"address": "Учебная ул., 1"}, headers={"If-Match": tag})
    assert changed.json["address"] == "Учебная ул., 1"
    assert api.patch(where, {"address": "Другая"}, headers={"If-Match": tag}).status_code == 412
    added = api.post(f"{where}/members", {"email": helper.email, "role": "manager"})
    assert (added.status_code, [m["role"] for m in added.json["items"]]) == (201, ["owner", "manager"])
    king = api.post(f"{where}/members", {"email": helper.email, "role": "king"})
    assert problem(king)[2] == [("/role", "unknown_option")]
    theirs = signed(app, helper)
    assert theirs.get(where).json["role"] == "manager"
    assert problem(theirs.patch(where, {"name": "Моя"}))[0] == 403
    assert api.delete(f"{where}/members/{helper.public_id}").status_code == 204
    assert theirs.get(where).status_code == 401, "the token is of the time before"
    assert problem(api.delete(f"{where}/members/{owner.public_id}"))[:2] == (409, "last_owner")


def test_what_belongs_to_others_is_as_absent(app: Flask, db_session: Any) -> None:
    owner = make.account()
    firm = make.company(owner)
    api, stranger = signed(app, owner), signed(app, make.account())
    site = api.post("/me/sites", SITE).json["id"]
    device = next(d["id"] for d in api.get("/me/devices").json["items"])
    calls = [
        ("GET", "/organisations/{}", firm.public_id, None),
        ("PATCH", "/organisations/{}", firm.public_id, {"name": "Моя"}),
        ("GET", "/organisations/{}/members", firm.public_id, None),
        ("POST", "/organisations/{}/members", firm.public_id, {"email": owner.email, "role": "owner"}),
        ("DELETE", f"/organisations/{{}}/members/{owner.public_id}", firm.public_id, None),
        ("PATCH", "/me/sites/{}", site, {"title": "Мой"}), ("DELETE", "/me/sites/{}", site, None),
        ("DELETE", "/me/devices/{}", device, None),
    ]  # fmt: skip
    for method, path, foreign, body in calls:
        seen = set()
        for key in (str(foreign), str(uuid.uuid4()), "not-an-id"):
            answer = stranger.call(method, path.format(key), body)
            assert problem(answer)[:2] == (404, "not_found"), (method, path)
            seen.add(json.dumps(answer.json | {"request_id": ""}, sort_keys=True))
        assert len(seen) == 1
    assert api.get(f"/organisations/{firm.public_id}").status_code == 200


def test_refusals_speak_the_clients_language(api: ApiClient) -> None:
    body = {"email": "a@b.ru", "password": "x"}
    assert "пароль" in api.post("/auth/login", body).json["detail"].lower()


def test_sign_in_is_limited(app: Flask, api: ApiClient) -> None:
    user = make.account()
    app.config["RATELIMIT_ENABLED"] = True
    try:
        for _ in range(10):
            assert api.post("/auth/login", {"email": user.email, "password": "wrong one"}).status_code == 401
        refused = api.post("/auth/login", {"email": user.email, "password": make.PASSWORD})
        assert problem(refused)[:2] == (429, "too_many_requests")
        assert int(refused.headers["Retry-After"]) > 0
    finally:
        app.config["RATELIMIT_ENABLED"] = False


@pytest.mark.parametrize("text", ["a\x00b", "\x00"])
def test_a_nul_character_is_no_fault_of_ours(api: ApiClient, text: str) -> None:
    user = make.account()
    mine = ApiClient(api._app).as_user(user.email)
    for answer in (
        api.post("/auth/register", NEW | {"email": make.email(), "name": text}),
        api.post("/auth/login", {"email": text, "password": text}),
        mine.patch("/me", {"name": text}),
        mine.post("/me/sites", SITE | {"access": text}),
        mine.post("/me/sites", SITE | {"access": text}, headers={"Idempotency-Key": "k"}),
    ):
        assert 400 <= answer.status_code < 500, answer.text
    page = api._app.test_client().post("/login", data={"email": f"a{text}@b.ru", "password": "x"})
    assert page.status_code in (400, 422)
    assert api._app.test_client().get("/search?q=%00").status_code in (200, 400)


def test_the_whole_sign_in_takes_few_queries(app: Flask, db_session: Any, count_queries: Any) -> None:
    api = signed(app, make.account())
    with count_queries() as seen:
        assert api.get("/me").status_code == 200
    assert len(seen) <= 3, seen
    assert session.scalar(sa.select(sa.func.count(Device.id))) == 1
    assert session.scalar(sa.select(sa.func.count(RefreshToken.id))) == 1
