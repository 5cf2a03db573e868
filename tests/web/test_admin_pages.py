"""The operator's desk: decides, blocks, retries, reads the log; nobody else gets in."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.accounts.models import Organisation, User
from app.core import audit, jobs
from app.core.db import session, unit_of_work
from app.core.models import AuditEntry, Job
from tests.factories import accounts as make
from tests.web.test_cart import text_of

PAGES = ("/admin/organisations", "/admin/users", "/admin/jobs", "/admin/audit")


@pytest.fixture
def operator(app: Flask, db_session: Any) -> FlaskClient:
    return make.browser(app, make.account(is_admin=True))


@unit_of_work
def dead_job() -> Job:
    """A job that used up its attempts."""
    key = jobs.enqueue("mail.send", {"to": "a@test.example"})
    row = session.scalars(sa.select(Job).where(Job.public_id == key)).one()
    row.state, row.attempts, row.error = "dead", 5, "Traceback: the relay said <no>"
    return row


@unit_of_work
def entries(count: int, action: str) -> None:
    for n in range(count):
        audit.record(make.actor(session.scalars(sa.select(User).limit(1)).one()), action, "thing", n)


@pytest.mark.parametrize("path", PAGES)
def test_only_the_operator_comes_in(app: Flask, client: FlaskClient, operator: FlaskClient, path: str) -> None:
    assert client.get(path).location == f"/login?next={path}"
    owner = make.account()
    make.company(owner)
    assert make.browser(app, owner).get(path).status_code == 403
    assert operator.get(path).status_code == 200


def test_what_the_operator_posts_nobody_else_may(app: Flask, client: FlaskClient) -> None:
    person = make.browser(app, make.account())
    firm, job, user = make.company(make.account(), status="submitted"), dead_job(), make.account()
    for path, data in (
        (f"/admin/organisations/{firm.public_id}", {"decision": "approve"}),
        (f"/admin/users/{user.public_id}", {"active": "0"}),
        (f"/admin/jobs/{job.public_id}/retry", {}),
    ):
        assert person.post(path, data=data).status_code == 403
        assert client.post(path, data=data).location == "/login"
    session.expire_all()
    assert (firm.status, job.state, user.is_active) == ("submitted", "dead", True)


def test_a_company_is_returned_with_a_note_then_approved(operator: FlaskClient) -> None:
    firm = make.company(make.account(), status="submitted", name="ООО «Проба»")
    address = f"/admin/organisations/{firm.public_id}"
    assert "ООО «Проба»" in operator.get("/admin/organisations").text
    operator.post(address, data={"decision": "return", "note": ""})
    session.refresh(firm)
    assert firm.status == "submitted", "a return says why"
    operator.post(address, data={"decision": "return", "note": "Нет ОГРН"})
    session.refresh(firm)
    assert (firm.status, firm.review_note) == ("returned", "Нет ОГРН")
    assert "Нет ОГРН" in operator.get("/admin/organisations?state=returned").text
    operator.post(address, data={"decision": "approve"}, follow_redirects=True)
    session.refresh(firm)
    assert firm.status == "approved"
    kinds = session.scalars(sa.select(Job.kind).where(Job.kind.startswith("organisations")))
    assert list(kinds) == ["organisations.approved"]
    again = operator.post(address, data={"decision": "approve"}, follow_redirects=True)
    assert "нельзя" in text_of(again).lower() or "невозможно" in text_of(again).lower()
    assert operator.post(f"/admin/organisations/{uuid.uuid4()}", data={"decision": "approve"}).status_code == 404
    assert make.audited("organisation.returned") == make.audited("organisation.approved") == 1


def test_a_person_is_found_blocked_and_let_in_again(app: Flask, operator: FlaskClient) -> None:
    user = make.account("blockme@test.example", name="Тот Самый")
    theirs = make.browser(app, user)
    page = operator.get("/admin/users?q=Тот Самый")
    assert user.email in page.text
    assert user.email not in operator.get("/admin/users?q=%25").text, "a percent sign is no wildcard"
    assert operator.post(f"/admin/users/{user.public_id}", data={"active": "0"}).status_code == 303
    assert theirs.get("/account").status_code == 303
    assert theirs.post("/login", data={"email": user.email, "password": make.PASSWORD}).status_code == 422
    operator.post(f"/admin/users/{user.public_id}", data={"active": "1"})
    assert theirs.post("/login", data={"email": user.email, "password": make.PASSWORD}).status_code == 303
    myself = session.scalars(sa.select(User).where(User.is_admin)).one()
    assert operator.post(f"/admin/users/{myself.public_id}", data={"active": "0"}).status_code == 403
    assert operator.get("/admin/users").status_code == 200
    assert f"/admin/users/{myself.public_id}" not in operator.get("/admin/users").text


def test_a_dead_job_shows_its_error_and_is_tried_again(operator: FlaskClient) -> None:
    job = dead_job()
    page = operator.get("/admin/jobs?state=dead")
    assert "the relay said &lt;no&gt;" in page.text
    assert operator.post(f"/admin/jobs/{job.public_id}/retry").status_code == 303
    session.refresh(job)
    assert (job.state, job.attempts, job.error) == ("queued", 0, None)
    assert make.audited("job.retried") == 1
    assert operator.post(f"/admin/jobs/{job.public_id}/retry").status_code == 404, "only the dead are raised"
    assert make.audited("job.retried") == 1


def test_the_log_is_filtered_and_paged_without_gaps(operator: FlaskClient) -> None:
    entries(120, "stock.adjusted")
    seen: list[str] = []
    address = "/admin/audit?action=stock."
    while address:
        page = operator.get(address)
        assert "user.signed_in" not in text_of(page).split("stock.adjusted", 1)[-1]
        seen += re.findall(r"thing (\d+)<", page.text)
        found = re.search(r'href="(/admin/audit\?[^"]*before=\d+[^"]*)"', page.text)
        address = found[1].replace("&amp;", "&") if found else ""
    assert seen == [str(n) for n in reversed(range(1, 120))] or seen == [str(n) for n in reversed(range(120))]


def test_the_log_cannot_be_rewritten(operator: FlaskClient) -> None:
    entries(1, "x.y")
    for statement in (sa.update(AuditEntry).values(action="z"), sa.delete(AuditEntry)):
        with pytest.raises(sa.exc.DBAPIError), session.begin_nested():
            session.execute(statement)


@pytest.mark.parametrize("path", [
    *PAGES, "/admin/organisations?state=nonsense", "/admin/users?before=abc", "/admin/jobs?state=nonsense&before=-1",
    "/admin/audit?before=99999999999999999999",
])  # fmt: skip
def test_pages_take_few_queries_and_any_address(operator: FlaskClient, count_queries: Any, path: str) -> None:
    for _ in range(3):
        make.company(make.account(), status="submitted")
    dead_job()
    operator.get(path)
    with count_queries() as seen:
        page = operator.get(path)
    assert page.status_code == 200
    assert len(seen) <= 5, seen
    ids = re.findall(r'\bid="([^"]+)"', page.text)
    assert len(ids) == len(set(ids))
    for raw in ("submitted", " seller ", " buyer "):
        assert raw not in text_of(page).replace("state=submitted", ""), raw
    assert session.scalar(sa.select(sa.func.count(Organisation.id))) == 3
