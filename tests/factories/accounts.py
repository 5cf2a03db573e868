"""People who can sign in, their companies, and browsers that speak for them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import passwords, service
from app.accounts.models import Organisation, OrganisationMember, User
from app.accounts.service import Client, NewUser, SignedIn
from app.core import jobs
from app.core.db import session, unit_of_work
from app.core.models import AuditEntry, Job
from app.core.permissions import Actor
from tests.factories.orders import number
from workers.worker import handler_of

PASSWORD = "correct horse"
INNS = {
    "buyer": ("7707083893", "773601001"),
    "seller": ("7736050003", "773601001"),
    "carrier": ("7702070139", "770201001"),
}


def client_of() -> Client:
    """A browser nobody has used."""
    return Client(uuid.uuid4(), "Mozilla/5.0 (Linux; Android 14) Chrome/120", "192.0.2.7")


def email() -> str:
    return f"human{number()}@test.example"


@unit_of_work
def account(address: str = "", **fields: Any) -> User:
    """A person whose password is PASSWORD."""
    address = address or email()
    values = {"name": "Участник Тестовый", "password_hash": passwords.hashed(PASSWORD)} | fields
    row = User(email=address, email_key=address.casefold(), **values)
    session.add(row)
    session.flush()
    return row


def actor(user: User, **more: Any) -> Actor:
    return Actor(user_id=user.id, public_id=user.public_id, name=user.name, email=user.email, **more)


def registered(address: str = "") -> SignedIn:
    return service.register(NewUser(address or email(), PASSWORD, "Участник Тестовый"), client_of())


@unit_of_work
def company(owner: User, kind: str = "seller", status: str = "approved", **fields: Any) -> Organisation:
    """A company with its owner."""
    values = {"name": f"Компания {number()}", "inn": INNS[kind][0], "kpp": f"{number() % 10**9:09d}"} | fields
    row = Organisation(kind=kind, status=status, bank={}, **values)
    session.add(row)
    session.flush()
    session.add(OrganisationMember(organisation_id=row.id, user_id=owner.id, role="owner"))
    return row


@unit_of_work
def seat(company_row: Organisation, user: User, role: str) -> None:
    session.add(OrganisationMember(organisation_id=company_row.id, user_id=user.id, role=role))


def browser(app: Flask, user: User) -> FlaskClient:
    """A browser that signed in through the page."""
    client = app.test_client()
    answer = client.post("/login", data={"email": user.email, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client


def audited(action: str) -> int:
    """How many times the log tells of the action."""
    return session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == action)) or 0


def mails(template: str) -> list[dict[str, Any]]:
    """Payloads of the queued mails of a template."""
    rows = session.scalars(sa.select(Job.payload).where(Job.kind == "mail.send").order_by(Job.id))
    return [row for row in rows if row["template"] == template]


def run_jobs(kind: str) -> None:
    """Do the queued jobs of a kind; a handler that raises fails the test."""
    for job_id in session.scalars(sa.select(Job.id).where(Job.kind == kind, Job.state == "queued")).all():
        session.execute(sa.update(Job).where(Job.id == job_id).values(run_at=sa.func.now() - timedelta(seconds=1)))
        session.commit()
        job = jobs.claim(job_id)
        assert job is not None
        handler_of(kind)(job)
        assert session.scalar(sa.select(Job.state).where(Job.id == job_id)) == "done"
