"""The operator's desk: who may enter, what a decision does, what odd input gets."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.accounts.models import Organisation, User
from app.core import jobs
from app.core.db import session, unit_of_work
from app.core.models import Job
from tests.factories import accounts as make

pytestmark = pytest.mark.usefixtures("db_session")
PAGES = ("/admin/organisations", "/admin/users", "/admin/jobs", "/admin/audit")


@pytest.fixture
def operator(app: Flask) -> FlaskClient:
    return make.browser(app, make.account(is_admin=True))


def status_of(row: Organisation) -> Any:
    return session.scalar(sa.select(Organisation.status).where(Organisation.id == row.id))


@pytest.mark.parametrize("path", PAGES)
def test_only_the_operator_enters(app: Flask, operator: FlaskClient, path: str) -> None:
    assert operator.get(path).status_code == 200
    assert make.browser(app, make.account()).get(path).status_code == 403
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.location) == (303, f"/login?next={path}")


def test_others_decide_nothing(app: Flask) -> None:
    firm, victim = make.company(make.account(), status="submitted"), make.account()
    owner = make.browser(app, make.account())
    assert owner.post(f"/admin/organisations/{firm.public_id}", data={"decision": "approve"}).status_code == 403
    assert owner.post(f"/admin/users/{victim.public_id}", data={"active": "0"}).status_code == 403
    assert status_of(firm) == "submitted"
    assert session.scalar(sa.select(User.is_active).where(User.id == victim.id)) is True


def test_a_company_is_approved_and_its_name_is_shown_as_text(operator: FlaskClient) -> None:
    firm = make.company(make.account(), status="submitted", name="<script>alert(1)</script>")
    shown = operator.get("/admin/organisations").text
    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)" in shown
    answer = operator.post(f"/admin/organisations/{firm.public_id}", data={"decision": "approve"})
    assert answer.status_code == 303
    assert status_of(firm) == "approved"


@pytest.mark.parametrize(
    "form", [{"decision": "return", "note": " "}, {"decision": "burn"}, {}, {"decision": "suspend"}]
)
def test_a_decision_that_cannot_be_made_changes_nothing(operator: FlaskClient, form: dict[str, str]) -> None:
    firm = make.company(make.account(), status="submitted")
    assert operator.post(f"/admin/organisations/{firm.public_id}", data=form).status_code == 303
    assert status_of(firm) == "submitted"


@pytest.mark.parametrize("key", ["01a20dc1-0000-7000-8000-000000000000", "x", "1"])
def test_what_is_absent_is_said(operator: FlaskClient, key: str) -> None:
    for path in (f"/admin/organisations/{key}", f"/admin/users/{key}", f"/admin/jobs/{key}/retry"):
        assert operator.post(path, data={"decision": "approve", "active": "1"}).status_code == 404


def test_a_blocked_person_is_out_and_comes_back(app: Flask, operator: FlaskClient) -> None:
    user = make.account()
    browser = make.browser(app, user)
    assert operator.post(f"/admin/users/{user.public_id}", data={"active": "0"}).status_code == 303
    assert browser.get("/account").status_code == 303
    operator.post(f"/admin/users/{user.public_id}", data={"active": "1"})
    assert make.browser(app, user).get("/account").status_code == 200


def test_a_dead_job_is_tried_again_once(operator: FlaskClient) -> None:
    key = unit_of_work(lambda: jobs.enqueue("mail.send", {}, max_attempts=1))()
    job = jobs.claim(session.scalars(sa.select(Job.id).where(Job.public_id == key)).one())
    assert job is not None
    job.fail("it broke")
    assert str(key) in operator.get("/admin/jobs?state=dead").text
    assert operator.post(f"/admin/jobs/{key}/retry").status_code == 303
    assert session.scalar(sa.select(Job.state).where(Job.public_id == key)) == "queued"
    assert operator.post(f"/admin/jobs/{key}/retry").status_code == 404
    assert make.audited("job.retried") == 1


@pytest.mark.parametrize("query", ["?before=x", "?before=-1", "?before=99999999999999999999", "?q=%25_'",
                                   "?state=burnt", "?action=%25", "?action=" + "x" * 5000])  # fmt: skip
def test_odd_queries_are_answered(operator: FlaskClient, query: str) -> None:
    for path in PAGES:
        assert operator.get(path + query).status_code == 200
