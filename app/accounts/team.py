"""People of a company: places given, changed and taken away. Nobody gives a role that opens more than the own one."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.accounts.models import Organisation, OrganisationMember, User
from app.accounts.organisations import ROLES_OF, locked
from app.accounts.requisites import email_key
from app.core import audit
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.permissions import Actor, opens_less

MOST_LIMIT = 10**12
"""Kopeks; a limit above it is a slip of the finger."""


def may_give(kind: str, own: str) -> tuple[str, ...]:
    """Roles that a member with the role `own` may give and take: an owner all, others what opens less than theirs."""
    if own == "owner":
        return ROLES_OF[kind]
    return tuple(role for role in ROLES_OF[kind] if kind != "buyer" and opens_less(kind, role, own))


def company_to_staff(actor: Actor, public_id: uuid.UUID, *roles: str) -> Organisation:
    """A company in which the actor may give (and take) these roles, locked.

    Raises:
        NotFound: no place there. Forbidden: the own role does not allow it. Invalid: a role the company does not have.
    """
    row, own = locked(actor, public_id)
    allowed = may_give(row.kind, own)
    if not allowed:
        raise Forbidden()
    for role in roles:
        if role not in ROLES_OF[row.kind]:
            raise Invalid.one("/role", "unknown_option")
        if role not in allowed:
            raise Forbidden("role_above_own")
    return row


@unit_of_work
def add_member(actor: Actor, public_id: uuid.UUID, email: str, role: str) -> None:
    """Give a registered person a place in the company.

    Raises:
        NotFound, Forbidden: not the actor's to give. Invalid: no such person or role, or a member already.
    """
    row = company_to_staff(actor, public_id, role)
    user = session.scalars(
        sa.select(User).where(User.email_key == (email_key(email) or ""), User.is_active)
    ).one_or_none()
    if user is None:
        raise Invalid.one("/email", "no_such_person")
    if not seated(row.id, user.id, role):
        raise Invalid.one("/email", "member_already")
    audit.record(actor, "member.added", "organisation", row.id, after={"user": user.id, "role": role})


def seated(organisation_id: int, user_id: int, role: str) -> bool:
    """Write the place. False: the person has one already, which stays as it is."""
    made = session.scalar(
        insert(OrganisationMember)
        .values(organisation_id=organisation_id, user_id=user_id, role=role)
        .on_conflict_do_nothing()
        .returning(OrganisationMember.id)
    )
    return made is not None


@unit_of_work
def change_role(actor: Actor, public_id: uuid.UUID, member: uuid.UUID, role: str) -> None:
    """Give a member another role; tokens made before die.

    Raises:
        NotFound, Forbidden. Invalid: unknown role. Conflict: `last_owner`.
    """
    row = company_to_staff(actor, public_id, role)
    place = _place(row.id, member)
    company_to_staff(actor, public_id, place.role)
    if place.role == role:
        return
    if place.role == "owner":
        _check_not_last_owner(row.id)
    before, place.role = place.role, role
    place.spending_limit = place.monthly_limit = None
    _end_tokens(place.user_id)
    audit.record(
        actor, "member.role_changed", "organisation", row.id, before={"user": place.user_id, "role": before},
        after={"role": role},
    )  # fmt: skip


@unit_of_work
def set_limits(
    actor: Actor, public_id: uuid.UUID, member: uuid.UUID, per_order: int | None, per_month: int | None
) -> None:
    """Say how much a member may spend of the company's money without asking; None: as much as it takes.

    Args:
        per_order: kopeks of one purchase. per_month: kopeks of a calendar month.

    Raises:
        NotFound, Forbidden: not the actor's company. Invalid: below zero, or the member is no plain buyer.
    """
    row = company_to_staff(actor, public_id, "member")
    place = _place(row.id, member)
    if place.role != "member":
        raise Invalid.one("/per_order", "limits_of_members_only")
    for name, value in (("per_order", per_order), ("per_month", per_month)):
        if value is not None and not 0 <= value <= MOST_LIMIT:
            raise Invalid.one(f"/{name}", "limit_range", maximum=MOST_LIMIT // 100)
    before = {"user": place.user_id, "per_order": place.spending_limit, "per_month": place.monthly_limit}
    place.spending_limit, place.monthly_limit = per_order, per_month
    audit.record(
        actor, "member.limits_changed", "organisation", row.id, before=before,
        after={"per_order": per_order, "per_month": per_month},
    )  # fmt: skip


@unit_of_work
def remove_member(actor: Actor, public_id: uuid.UUID, member: uuid.UUID) -> None:
    """Take the place away; what the person could do through it ends with the next request.

    Raises:
        NotFound, Forbidden. Conflict: `last_owner`.
    """
    row = company_to_staff(actor, public_id)
    place = _place(row.id, member)
    company_to_staff(actor, public_id, place.role)
    if place.role == "owner":
        _check_not_last_owner(row.id)
    session.delete(place)
    _end_tokens(place.user_id)
    audit.record(actor, "member.removed", "organisation", row.id, before={"user": place.user_id})


def _place(organisation_id: int, member: uuid.UUID) -> OrganisationMember:
    found = session.scalars(
        sa.select(OrganisationMember)
        .join(User, User.id == OrganisationMember.user_id)
        .where(OrganisationMember.organisation_id == organisation_id, User.public_id == member)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def _check_not_last_owner(organisation_id: int) -> None:
    """The company is locked, so nobody else takes an owner away meanwhile."""
    owners = session.scalar(
        sa.select(sa.func.count()).where(
            OrganisationMember.organisation_id == organisation_id, OrganisationMember.role == "owner"
        )
    )
    if owners == 1:
        raise Conflict("last_owner")


def _end_tokens(user_id: int) -> None:
    session.execute(sa.update(User).where(User.id == user_id).values(token_epoch=User.token_epoch + 1))
