"""Commands on organisations and their members."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.accounts.events import OrganisationApproved, OrganisationSuspended
from app.accounts.models import Organisation, OrganisationMember, User
from app.accounts.requisites import email_key, inn_is_valid, kpp_is_valid, ogrn_is_valid
from app.core import audit, events
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, DomainError, FieldError, Forbidden, Invalid, NotFound, Stale
from app.core.permissions import Actor

ROLES_OF = {
    "buyer": ("owner", "member"),
    "seller": ("owner", "manager", "warehouse", "accountant"),
    "carrier": ("owner", "dispatcher", "courier"),
}
DECISIONS = {
    "approve": (("submitted", "returned", "suspended"), "approved"),
    "return": (("submitted",), "returned"),
    "suspend": (("approved",), "suspended"),
}


@dataclass(frozen=True, slots=True)
class Requisites:
    """What a company says of itself."""

    name: str
    inn: str
    kpp: str = ""
    ogrn: str = ""
    address: str = ""


@unit_of_work
def create(actor: Actor, kind: str, given: Requisites) -> uuid.UUID:
    """Register a company with the actor as its owner. A buyer's company works at once, others wait for the operator.

    Raises:
        Invalid: with every wrong field, `organisation_exists` when INN and KPP are known for this kind.
    """
    _check(given, kind)
    made = session.execute(
        insert(Organisation)
        .values(
            kind=kind, name=given.name.strip(), inn=given.inn, kpp=given.kpp, ogrn=given.ogrn,
            address=given.address.strip(), status="approved" if kind == "buyer" else "submitted",
        )
        .on_conflict_do_nothing()
        .returning(Organisation.id, Organisation.public_id)
    ).one_or_none()  # fmt: skip
    if made is None:
        raise Invalid.one("/inn", "organisation_exists")
    session.add(OrganisationMember(organisation_id=made.id, user_id=actor.user, role="owner"))
    audit.record(actor, "organisation.created", "organisation", made.id, after={"kind": kind, "inn": given.inn})
    public_id: uuid.UUID = made.public_id
    return public_id


def _check(given: Requisites, kind: str) -> None:
    errors = []
    if kind not in ROLES_OF:
        errors.append(FieldError("/kind", "unknown_option"))
    if not 2 <= len(given.name.strip()) <= 200:
        errors.append(FieldError("/name", "too_short" if len(given.name.strip()) < 2 else "too_long",
                                 {"minimum": 2, "maximum": 200}))  # fmt: skip
    if not inn_is_valid(given.inn):
        errors.append(FieldError("/inn", "wrong_inn"))
    if given.kpp and not kpp_is_valid(given.kpp):
        errors.append(FieldError("/kpp", "wrong_kpp"))
    if len(given.inn) == 10 and not given.kpp:
        errors.append(FieldError("/kpp", "kpp_needed"))
    if given.ogrn and not ogrn_is_valid(given.ogrn):
        errors.append(FieldError("/ogrn", "wrong_ogrn"))
    if len(given.address) > 300:
        errors.append(FieldError("/address", "too_long", {"maximum": 300}))
    if errors:
        raise Invalid(errors)


@unit_of_work
def edit(actor: Actor, public_id: uuid.UUID, given: Requisites, version: int | None = None) -> None:
    """Change a company's data; what the operator returned goes to the operator again.

    Raises:
        NotFound, Forbidden, Stale. Invalid: a wrong field, `organisation_exists`, or `inn_fixed` when the operator has
            approved the company: another INN is another company.
    """
    row = _owned(actor, public_id)
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    _check(given, row.kind)
    if given.inn != row.inn and row.kind != "buyer" and row.status in ("approved", "suspended"):
        raise Invalid.one("/inn", "inn_fixed")
    before = {"name": row.name, "inn": row.inn, "kpp": row.kpp, "ogrn": row.ogrn, "address": row.address}
    row.name, row.inn, row.kpp, row.ogrn = given.name.strip(), given.inn, given.kpp, given.ogrn
    row.address = given.address.strip()
    if row.status == "returned":
        row.status = "submitted"
    row.version += 1
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise Invalid.one("/inn", "organisation_exists") from None
    audit.record(actor, "organisation.changed", "organisation", row.id, before=before)


def _owned(actor: Actor, public_id: uuid.UUID) -> Organisation:
    found = session.execute(
        sa.select(Organisation, OrganisationMember.role)
        .join(OrganisationMember, OrganisationMember.organisation_id == Organisation.id)
        .where(Organisation.public_id == public_id, OrganisationMember.user_id == actor.user)
        .with_for_update(of=Organisation)
    ).one_or_none()
    if found is None:
        raise NotFound()
    if found.role != "owner":
        raise Forbidden()
    organisation: Organisation = found[0]
    return organisation


@unit_of_work
def add_member(actor: Actor, public_id: uuid.UUID, email: str, role: str) -> None:
    """Give a registered person a place in the company.

    Raises:
        NotFound, Forbidden: not the actor's own company. Invalid: no such person or role, or a member already.
    """
    row = _owned(actor, public_id)
    if role not in ROLES_OF[row.kind]:
        raise Invalid.one("/role", "unknown_option")
    user = session.scalars(
        sa.select(User).where(User.email_key == (email_key(email) or ""), User.is_active)
    ).one_or_none()
    if user is None:
        raise Invalid.one("/email", "no_such_person")
    made = session.execute(
        insert(OrganisationMember)
        .values(organisation_id=row.id, user_id=user.id, role=role)
        .on_conflict_do_nothing()
        .returning(OrganisationMember.id)
    ).one_or_none()
    if made is None:
        raise Invalid.one("/email", "member_already")
    audit.record(actor, "member.added", "organisation", row.id, after={"user": user.id, "role": role})


@unit_of_work
def remove_member(actor: Actor, public_id: uuid.UUID, member: uuid.UUID) -> None:
    """Take the place away; what the person could do through it ends with the next request.

    Raises:
        NotFound, Forbidden. Conflict: `last_owner`.
    """
    row = _owned(actor, public_id)
    found = session.execute(
        sa.select(OrganisationMember, User.id)
        .join(User, User.id == OrganisationMember.user_id)
        .where(OrganisationMember.organisation_id == row.id, User.public_id == member)
    ).one_or_none()
    if found is None:
        raise NotFound()
    owners = session.scalar(
        sa.select(sa.func.count()).where(
            OrganisationMember.organisation_id == row.id, OrganisationMember.role == "owner"
        )
    )
    if found[0].role == "owner" and owners == 1:
        raise Conflict("last_owner")
    session.delete(found[0])
    session.execute(sa.update(User).where(User.id == found[1]).values(token_epoch=User.token_epoch + 1))
    audit.record(actor, "member.removed", "organisation", row.id, before={"user": found[1]})


@unit_of_work
def decide(actor: Actor, public_id: uuid.UUID, decision: str, note: str = "") -> None:
    """The operator's word on a company: approve, return (with a note) or suspend.

    Raises:
        NotFound. DomainError: `decision_not_possible` from the present state. Invalid: a return needs a note.
    """
    if decision not in DECISIONS:
        raise Invalid.one("/decision", "unknown_option")
    allowed, target = DECISIONS[decision]
    row = session.scalars(
        sa.select(Organisation).where(Organisation.public_id == public_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound()
    if row.status not in allowed:
        raise DomainError("decision_not_possible", status=row.status)
    if decision == "return" and not note.strip():
        raise Invalid.one("/note", "required")
    before = row.status
    row.status, row.review_note = target, note.strip()[:1000]
    if decision == "approve":
        events.record(OrganisationApproved(row.id, row.kind, row.name))
    if decision == "suspend":
        events.record(OrganisationSuspended(row.id, row.kind))
    audit.record(
        actor, f"organisation.{target}", "organisation", row.id, before={"status": before}, after={"status": target}
    )
