"""People who can sign in, their companies, and browsers that speak for them."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.accounts import agreements, bank, documents, organisations, passwords, queries, service
from app.accounts.bank import BankDetails
from app.accounts.documents import Upload
from app.accounts.models import Organisation, OrganisationMember, User
from app.accounts.organisations import Requisites
from app.accounts.service import Client, NewUser, SignedIn
from app.core import jobs
from app.core.db import session, unit_of_work
from app.core.models import AuditEntry, Job
from app.core.permissions import Actor
from app.core.storage import LocalStorage, Storage
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
    values = {
        "name": f"Компания {number()}",
        "inn": INNS[kind][0],
        "kpp": f"{number() % 10**9:09d}",
        "bank": {},
    } | fields
    row = Organisation(kind=kind, status=status, **values)
    session.add(row)
    session.flush()
    session.add(OrganisationMember(organisation_id=row.id, user_id=owner.id, role="owner"))
    return row


BANK = BankDetails("049900999", "40702810600000000001", "30101810500000000999", "Банк Учебный")
PDF = b"%PDF-1.4\n%%EOF\n"


def storage() -> Storage:
    return LocalStorage(Path(os.environ["TUTUU_TEST_ROOT"]) / "files")


def ready(owner: Actor, kind: str, firm: Requisites) -> uuid.UUID:
    """A draft with everything that the operator asks for."""
    key = organisations.create(owner, kind, replace(firm, address="Учебная ул., 1"))
    bank.save(owner, key, BANK)
    for paper in documents.required(firm.inn):
        documents.add(owner, storage(), key, Upload(paper, f"{paper}.pdf", PDF))
    agreement = agreements.current(kind)
    if agreement is not None:
        agreements.accept(owner, key, agreement.version)
    return key


def accept_documents(operator: Actor, key: uuid.UUID) -> None:
    owner = session.scalars(
        sa.select(OrganisationMember.user_id)
        .join(Organisation, Organisation.id == OrganisationMember.organisation_id)
        .where(Organisation.public_id == key)
    ).first()
    assert owner is not None
    for one in documents.of(queries.organisation(owner, key).id):
        documents.decide(operator, key, one.public_id, "accept")


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
