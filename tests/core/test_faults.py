"""What a visitor and a client are told when something is wrong: with the request, or with the servers behind us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import exc
from werkzeug.test import TestResponse

from app import create_app
from app.core.cache import Cache
from app.core.db import session
from app.settings import Settings
from tests.client import ApiClient
from tests.factories import accounts as make

NOWHERE = "postgresql+psycopg2://nobody@127.0.0.1:1/none"
NO_VALKEY = "redis://127.0.0.1:1/0"


def problem(answer: TestResponse) -> dict[str, Any]:
    """The problem document, checked for what every one of them has."""
    assert answer.content_type == "application/problem+json"
    told: dict[str, Any] = answer.json
    assert told["status"] == answer.status_code
    assert told["type"] == f"/api/docs#errors-{told['code']}"
    assert told["title"]
    assert told["detail"]
    assert told["request_id"] == answer.headers["X-Request-Id"] != ""
    assert "Traceback" not in answer.text
    return told


def page(answer: TestResponse) -> str:
    """A whole page of the market."""
    assert answer.content_type == "text/html; charset=utf-8"
    assert answer.text.startswith("<!doctype html>")
    assert 'href="/' in answer.text
    assert "Traceback" not in answer.text
    return answer.text


def fresh(database: str, valkey: str) -> Flask:
    settings = Settings(
        environment="test", secret_key="x" * 40, database_url=database, redis_url=valkey, argon2_cheap=True
    )
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture(scope="module")
def no_database() -> Flask:
    return fresh(NOWHERE, NO_VALKEY)


@pytest.fixture
def without_valkey(app: Flask) -> Iterator[Flask]:
    before = app.extensions["cache"]
    app.extensions["cache"] = Cache(NO_VALKEY)
    yield app
    app.extensions["cache"] = before


@pytest.mark.parametrize("path", ["/", "/catalog", "/login?next=/x", "/account"])
def test_without_the_database_a_page_says_to_come_back(no_database: Flask, path: str) -> None:
    client = no_database.test_client()
    client.set_cookie("session", "some-token")
    answer = client.get(path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    page(answer)


def test_without_the_database_a_form_says_to_come_back(no_database: Flask) -> None:
    answer = no_database.test_client().post("/login", data={"email": "a@b.ru", "password": "correct horse"})
    assert answer.status_code in (422, 503)  # beside the form, or as a page of its own
    assert "Traceback" not in answer.text
    assert 'name="password"' in answer.text or answer.headers.get("Retry-After") == "5"


@pytest.mark.parametrize(("method", "path", "body"), [
    ("GET", "/categories", None), ("POST", "/auth/login", {"email": "a@b.ru", "password": "correct horse"}),
    ("POST", "/auth/password/forgot", {"email": "a@b.ru"}),
])  # fmt: skip
def test_without_the_database_the_api_says_to_come_back(no_database: Flask, method: str, path: str, body: Any) -> None:
    answer = ApiClient(no_database).call(method, path, json=body)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert problem(answer)["code"] == "unavailable"
    assert "127.0.0.1" not in answer.text


def test_without_the_database_the_process_lives_but_is_not_ready(no_database: Flask) -> None:
    client = no_database.test_client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "unavailable", "down": ["database"], "degraded": ["valkey"]}


def test_without_valkey_everything_is_served(without_valkey: Flask, db_session: Any) -> None:
    client = without_valkey.test_client()
    user = make.account()
    assert client.get("/").status_code == 200
    assert client.get("/catalog").status_code == 200
    assert make.browser(without_valkey, user).get("/account").status_code == 200
    assert ApiClient(without_valkey).as_user(user.email).get("/me").status_code == 200
    assert client.get("/readyz").json == {"status": "ok", "degraded": ["valkey"]}


def test_with_everything_up_nothing_is_degraded(client: FlaskClient) -> None:
    assert client.get("/readyz").json == {"status": "ok", "degraded": []}


@pytest.mark.parametrize("path", ["/nothing-here", "/orders/../etc/passwd", "/%2e%2e/%00", "/static/../wsgi.py", "/ю"])
def test_an_unknown_address(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (400, 404)
    page(answer)
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code in (400, 404)
    problem(answer)


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.put("/login")
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))
    page(answer)
    answer = client.delete("/api/v1/me")
    assert (answer.status_code, problem(answer)["code"]) == (405, "http_405")
    assert {"GET", "PATCH"} <= set(answer.headers["Allow"].split(", "))


def test_a_body_that_is_too_large(client: FlaskClient) -> None:
    answer = client.post("/login", data=b"x" * (22 * 1024 * 1024), content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
    page(answer)
    field = {"email": "x" * (3 * 1024 * 1024)}
    assert client.post("/login", data=field, content_type="multipart/form-data").status_code == 413
    answer = client.post("/api/v1/auth/login", data=b" " * (22 * 1024 * 1024), content_type="application/json")
    assert (answer.status_code, problem(answer)["code"]) == (413, "http_413")


@pytest.mark.parametrize(("body", "content_type", "status"), [
    (b"{", "application/json", 400), (b"", "application/json", 400), (b"\xff\xfe", "application/json", 400),
    (b'{"email": NaN}', "application/json", 422), (b"[" * 100_000, "application/json", 400),
    (b"null", "application/json", 422), (b"[]", "application/json", 422), (b'"x"', "application/json", 422),
    (b"{}", "text/plain", 415), (b"email=a", "application/x-www-form-urlencoded", 415),
    (b'{"email": "a\\u0000@b.ru", "password": "correct horse"}', "application/json", 400),
])  # fmt: skip
def test_a_body_that_cannot_be_read(client: FlaskClient, body: bytes, content_type: str, status: int) -> None:
    headers = {"X-Device-Id": "0190a0a0-0000-7000-8000-000000000000"}
    answer = client.post("/api/v1/auth/login", data=body, content_type=content_type, headers=headers)
    assert answer.status_code == status
    problem(answer)


def test_an_unknown_parameter_of_the_query_is_named(api: ApiClient) -> None:
    answer = api.get("/categories?surprise=1")
    assert answer.status_code == 422
    assert problem(answer)["errors"][0]["pointer"] == "/query/surprise"


@pytest.mark.parametrize(
    "failing", [RuntimeError("secret detail"), exc.ProgrammingError("SELECT secret", {}, Exception())]
)
def test_a_fault_of_ours_is_told_without_details(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, failing: Exception
) -> None:
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)

    def crash(**_: Any) -> None:
        raise failing

    for endpoint in ("auth.login", "api_accounts.me"):
        monkeypatch.setitem(app.view_functions, endpoint, crash)
    answer = client.get("/login")
    assert answer.status_code == 500
    assert "secret" not in page(answer)
    user = make.account()
    answer = ApiClient(app).as_user(user.email).get("/me")
    assert (answer.status_code, problem(answer)["code"]) == (500, "internal_error")
    assert "secret" not in answer.text


def test_a_slow_query_is_an_outage_not_a_crash(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(**_: Any) -> None:
        session.execute(sa.text("SET LOCAL statement_timeout = '50ms'"))
        session.execute(sa.text("SELECT pg_sleep(5)"))

    monkeypatch.setitem(app.view_functions, "auth.login", slow)
    answer = client.get("/login")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    page(answer)


def test_a_request_is_named_by_the_client_or_by_us(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "abc123"}).headers["X-Request-Id"] == "abc123"
    for wrong in ("a b", "x" * 65, "<script>", ""):
        assert re.fullmatch(
            r"[0-9a-f]{32}", client.get("/healthz", headers={"X-Request-Id": wrong}).headers["X-Request-Id"]
        )


def _calls(app: Flask) -> set[tuple[str, str]]:
    return {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/")
    }


def test_the_document_covers_every_call_and_no_other(app: Flask, client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    told = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert _calls(app) - told == {("GET", "/api/v1/openapi.json")}
    assert told <= _calls(app)


def test_the_document_is_whole(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    text = client.get("/api/v1/openapi.json").text
    schemas = document["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', text)) <= schemas.keys()
    seen = []
    for path, item in document["paths"].items():
        for operation in item.values():
            seen.append(operation["operationId"])
            assert operation["summary"]
            named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))
            assert {"401", "422", "503"} <= operation["responses"].keys()
    assert len(seen) == len(set(seen))


def test_every_call_that_needs_a_person_refuses_strangers(app: Flask, client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    closed = [(m, path) for path, item in document["paths"].items() for m, op in item.items() if "security" in op]
    assert len(closed) > 30
    for method, path in closed:
        answer = client.open(re.sub(r"\{\w+\}", "x", path), method=method.upper(), json={})
        assert answer.status_code == 401, (method, path)
        assert problem(answer)["code"] == "not_signed_in"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
