"""Idempotency-Key: the same request sent twice is done once, and another one under the same key is refused."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.accounts.models import Site
from app.api import idempotency
from app.core import clock
from app.core.db import session
from app.core.models import IdempotencyKey
from tests.client import ApiClient
from tests.factories import accounts as make

SITE = {"title": "Дом", "address": "Учебная ул., 1", "lat": 55.8, "lon": 37.6}


def key(text: str) -> dict[str, str]:
    return {"Idempotency-Key": text}


def signed_in(app: Flask) -> ApiClient:
    return ApiClient(app).as_user(make.account().email)


def sites_kept() -> int:
    return session.scalar(sa.select(sa.func.count(Site.id))) or 0


@pytest.fixture
def person(app: Flask, db_session: Any) -> ApiClient:
    return signed_in(app)


def test_the_same_request_is_done_once_and_answered_alike(person: ApiClient) -> None:
    first, second = (person.post("/me/sites", SITE, headers=key("one")) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.data == second.data
    assert second.content_type == "application/json"
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert sites_kept() == 1


def test_another_key_or_none_is_another_request(person: ApiClient) -> None:
    for headers in (key("one"), key("two"), {}, {}):
        assert person.post("/me/sites", SITE, headers=headers).status_code == 201
    assert sites_kept() == 4


def test_a_key_with_another_body_is_refused(person: ApiClient) -> None:
    person.post("/me/sites", SITE, headers=key("one"))
    other = person.post("/me/sites", SITE | {"title": "Дача"}, headers=key("one"))
    assert other.status_code == 422
    assert [(e["pointer"], e["code"]) for e in other.json["errors"]] == [("/headers/Idempotency-Key", "key_reused")]
    assert sites_kept() == 1


def test_keys_of_two_people_do_not_meet(app: Flask, person: ApiClient) -> None:
    mine = person.post("/me/sites", SITE, headers=key("one"))
    theirs = signed_in(app).post("/me/sites", SITE, headers=key("one"))
    assert theirs.status_code == 201
    assert theirs.json["id"] != mine.json["id"]


def test_a_refusal_is_not_kept_so_the_mended_request_may_use_the_key(person: ApiClient) -> None:
    assert person.post("/me/sites", SITE | {"lat": 99}, headers=key("one")).status_code == 422
    assert person.post("/me/sites", SITE, headers=key("one")).status_code == 201


@pytest.mark.parametrize(("text", "status"), [("x" * 255, 201), ("x" * 256, 422), ("'; DROP TABLE site; --", 201)])
def test_the_length_of_a_key_is_bounded(person: ApiClient, text: str, status: int) -> None:
    assert person.post("/me/sites", SITE, headers=key(text)).status_code == status


def test_answers_with_tokens_are_kept_nowhere(person: ApiClient) -> None:
    user = make.account()
    body = {"email": user.email, "password": make.PASSWORD}
    first, second = (person.post("/auth/login", body, headers=key("one")) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json["refresh_token"] != second.json["refresh_token"]
    assert first.headers["Cache-Control"] == "no-store"
    assert session.scalar(sa.select(sa.func.count(IdempotencyKey.id))) == 0


def _unanswered(app: Flask, age: timedelta) -> ApiClient:
    person = signed_in(app)
    person.post("/me/sites", SITE, headers=key("one"))
    session.execute(sa.delete(Site))
    session.execute(sa.update(IdempotencyKey).values(status=None, body=None, created_at=clock.now() - age))
    session.commit()
    return person


def test_a_twin_that_works_too_long_is_a_conflict(app: Flask, db_session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    person = _unanswered(app, timedelta())
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.2)
    answer = person.post("/me/sites", SITE, headers=key("one"))
    assert (answer.status_code, answer.json["code"]) == (409, "request_in_progress")
    assert answer.headers["Retry-After"] == "1"
    assert sites_kept() == 0


def test_the_key_of_a_process_that_died_is_taken_over(app: Flask, db_session: Any) -> None:
    person = _unanswered(app, idempotency.STUCK_AFTER + timedelta(seconds=5))
    assert person.post("/me/sites", SITE, headers=key("one")).status_code == 201
    assert sites_kept() == 1


def test_twins_at_once_make_one_thing(committed_db: Flask) -> None:
    person = signed_in(committed_db)
    session.remove()
    answers: list[Any] = []
    gate = threading.Barrier(5)

    def turn() -> None:
        gate.wait()
        answers.append(person.post("/me/sites", SITE, headers=key("one")))

    threads = [threading.Thread(target=turn) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a.status_code for a in answers] == [201] * 5
    assert len({a.data for a in answers}) == 1
    assert sites_kept() == 1
