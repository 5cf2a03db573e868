"""Commands on organisations and their members."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Organisation, OrganisationMember
from app.accounts.requisites import inn_is_valid, kpp_is_valid, ogrn_is_valid
from app.core import audit
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, Stale
from app.core.permissions import Actor

ROLES_OF = {
    "buyer": ("owner", "approver", "member"),
    "seller": ("owner", "manager", "warehouse", "accountant"),
    "carrier": ("owner", "dispatcher", "courier"),
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
    """Register a company with the actor as its owner. A buyer's company works at once, others are drafts until they
    are sent to the operator (`review.submit`).

    Raises:
        Invalid: with every wrong field, `organisation_exists` when INN and KPP are known for this kind.
    """
    _check(given, kind)
    made = session.execute(
        insert(Organisation)
        .values(
            kind=kind, name=given.name.strip(), inn=given.inn, kpp=given.kpp, ogrn=given.ogrn,
            address=given.address.strip(), status="approved" if kind == "buyer" else "draft",
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
    """Change a company's data.

    Raises:
        NotFound, Forbidden, Stale. Conflict: `company_in_review`.
        Invalid: a wrong field, `organisation_exists`, or `inn_fixed` when the operator has approved the company:
            another INN is another company.
    """
    row = owned(actor, public_id)
    check_not_in_review(row)
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    _check(given, row.kind)
    if given.inn != row.inn and row.kind != "buyer" and row.status in ("approved", "suspended"):
        raise Invalid.one("/inn", "inn_fixed")
    before = {"name": row.name, "inn": row.inn, "kpp": row.kpp, "ogrn": row.ogrn, "address": row.address}
    row.name, row.inn, row.kpp, row.ogrn = given.name.strip(), given.inn, given.kpp, given.ogrn
    row.address = given.address.strip()
    row.version += 1
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise Invalid.one("/inn", "organisation_exists") from None
    audit.record(actor, "organisation.changed", "organisation", row.id, before=before)


def owned(actor: Actor, public_id: uuid.UUID) -> Organisation:
    """An organisation that the actor owns, locked.

    Raises:
        NotFound: the actor has no place in it. Forbidden: the place is not the owner's.
    """
    row, role = locked(actor, public_id)
    if role != "owner":
        raise Forbidden()
    return row


def locked(actor: Actor, public_id: uuid.UUID) -> tuple[Organisation, str]:
    """An organisation of the actor, locked, and the actor's role there.

    Raises:
        NotFound: the actor has no place in it.
    """
    found = session.execute(
        sa.select(Organisation, OrganisationMember.role)
        .join(OrganisationMember, OrganisationMember.organisation_id == Organisation.id)
        .where(Organisation.public_id == public_id, OrganisationMember.user_id == actor.user)
        .with_for_update(of=Organisation)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found[0], found[1]


def lock(organisation_id: int) -> str:
    """Lock an organisation by its inner id; answers its name."""
    row: Organisation = lock_rows(Organisation, [organisation_id])[0]
    return row.name


def check_not_in_review(row: Organisation) -> None:
    """What the operator looks at stays as it is.

    Raises:
        Conflict: `company_in_review`.
    """
    if row.status == "in_review":
        raise Conflict("company_in_review")
