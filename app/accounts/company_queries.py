"""Reads of companies for the operator, and of whom to write to about one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app.accounts.company_models import BankChange, OrganisationDocument
from app.accounts.models import Organisation, OrganisationMember, User
from app.accounts.queries import ORGANISATION, OrganisationRow
from app.core.db import session
from app.core.errors import NotFound

REVIEW_STATES = ("submitted", "in_review", "returned", "approved", "suspended", "draft")
_WAITING_CHANGE = sa.and_(
    Organisation.status.in_(("approved", "suspended")),
    sa.or_(
        sa.exists().where(BankChange.organisation_id == Organisation.id, BankChange.state == "pending"),
        sa.exists().where(
            OrganisationDocument.organisation_id == Organisation.id, OrganisationDocument.state == "pending"
        ),
    ),
)


def organisations_to_review(state: str, text: str = "", after: int = 0, limit: int = 50) -> list[OrganisationRow]:
    """The operator's list, oldest first: companies of one state, or `changes`: trading ones that wait for a word on a
    document or on bank details.

    Args:
        text: part of the name, or the beginning of the INN or OGRN.
        after: only ids above this one.
    """
    statement = sa.select(*ORGANISATION).where(Organisation.id > after).order_by(Organisation.id).limit(limit)
    if state == "changes":
        statement = statement.where(_WAITING_CHANGE)
    else:
        statement = statement.where(Organisation.status == state)
    if text:
        known = Organisation.inn.startswith(text, autoescape=True) | Organisation.ogrn.startswith(text, autoescape=True)
        statement = statement.where(known | Organisation.name.icontains(text, autoescape=True))
    return [OrganisationRow(**row._mapping) for row in session.execute(statement)]


def organisation_counts() -> dict[str, int]:
    """How many organisations are in each state, and under `changes` how many trading ones wait for a word."""
    rows = session.execute(sa.select(Organisation.status, sa.func.count()).group_by(Organisation.status))
    found = {row[0]: row[1] for row in rows}
    waiting = session.scalar(sa.select(sa.func.count(Organisation.id)).where(_WAITING_CHANGE))
    return found | {"changes": waiting or 0}


def organisation_of_any(public_id: uuid.UUID) -> OrganisationRow:
    """Any organisation, for the operator.

    Raises:
        NotFound.
    """
    row = session.execute(sa.select(*ORGANISATION).where(Organisation.public_id == public_id)).one_or_none()
    if row is None:
        raise NotFound()
    return OrganisationRow(**row._mapping)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom to write to about a company."""

    email: str
    name: str
    locale: str


def owners(organisation_id: int) -> list[Owner]:
    """Owners of a company whose accounts are open."""
    rows = session.execute(
        sa.select(User.email, User.name, User.locale)
        .join(OrganisationMember, OrganisationMember.user_id == User.id)
        .where(
            OrganisationMember.organisation_id == organisation_id, OrganisationMember.role == "owner", User.is_active
        )
        .order_by(User.id)
    )
    return [Owner(*row) for row in rows]


def members(organisation_id: int, roles: Sequence[str]) -> list[Owner]:
    """People of a company in these roles whose accounts are open."""
    rows = session.execute(
        sa.select(User.email, User.name, User.locale)
        .join(OrganisationMember, OrganisationMember.user_id == User.id)
        .where(
            OrganisationMember.organisation_id == organisation_id, OrganisationMember.role.in_(roles), User.is_active
        )
        .order_by(User.id)
    )
    return [Owner(*row) for row in rows]


def person_name(user_id: int | None) -> str:
    """The name of a person, or nothing."""
    return (session.scalar(sa.select(User.name).where(User.id == user_id)) or "") if user_id else ""
