"""Places offered by mail. The link proves that the mailbox is the invited person's; an address alone proves nothing,
since accounts are opened without a proof of theirs.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.accounts import team
from app.accounts.company_models import Invitation
from app.accounts.models import Organisation, OrganisationMember, User
from app.accounts.requisites import email_key
from app.core import audit, clock, mail
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.ids import new_token, token_hash
from app.core.permissions import Actor

LIFE = timedelta(days=7)
MOST_OPEN = 50
"""Open invitations of a company."""
_OPEN = sa.and_(Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None), Invitation.declined_at.is_(None))


@unit_of_work
def invite(actor: Actor, public_id: uuid.UUID, email: str, role: str) -> uuid.UUID:
    """Mail a link that gives a place. The answer is the same whether or not the address has an account; inviting an
    address again sends a new link, and the old one dies.

    Raises:
        NotFound, Forbidden. Invalid: no address, an unknown role, a member already, too many are open.
    """
    row = team.company_to_staff(actor, public_id, role)
    key = email_key(email)
    if key is None:
        raise Invalid.one("/email", "malformed_email")
    member = sa.select(OrganisationMember.id).join(User, User.id == OrganisationMember.user_id)
    if session.scalar(member.where(OrganisationMember.organisation_id == row.id, User.email_key == key)):
        raise Invalid.one("/email", "member_already")
    opened = session.scalars(
        sa.select(Invitation).where(Invitation.organisation_id == row.id, _OPEN).with_for_update()
    ).all()
    found = next((one for one in opened if one.email_key == key), None)
    if found is not None:
        team.company_to_staff(actor, public_id, found.role)
        found.role = role
    elif len(opened) >= MOST_OPEN:
        raise Invalid.one("/email", "too_many_invitations", maximum=MOST_OPEN)
    else:
        found = Invitation(organisation_id=row.id, email=email.strip(), email_key=key, role=role)
        session.add(found)
    _send(actor, found, row)
    audit.record(
        actor, "member.invited", "organisation", row.id, after={"invitation": found.id, "email": key, "role": role}
    )
    return found.public_id


def _send(actor: Actor, invitation: Invitation, company: Organisation) -> None:
    token = new_token()
    invitation.token_hash, invitation.invited_by_id = token_hash(token), actor.user
    invitation.sent_at, invitation.expires_at = clock.now(), clock.now() + LIFE
    session.flush()
    mail.queue(
        invitation.email, "invitation", actor.locale, company=company.name, person=actor.name, role=invitation.role,
        path=f"/invitations/{token}", days=LIFE.days,
    )  # fmt: skip


@unit_of_work
def resend(actor: Actor, public_id: uuid.UUID, invitation: uuid.UUID) -> None:
    """Mail a new link; the old one dies.

    Raises:
        NotFound, Forbidden.
    """
    row, found = _own(actor, public_id, invitation)
    _send(actor, found, row)
    audit.record(actor, "member.invited", "organisation", row.id, after={"invitation": found.id, "again": True})


@unit_of_work
def revoke(actor: Actor, public_id: uuid.UUID, invitation: uuid.UUID) -> None:
    """Take the offer back; its link is dead at once.

    Raises:
        NotFound, Forbidden.
    """
    row, found = _own(actor, public_id, invitation)
    found.revoked_at = clock.now()
    audit.record(actor, "invitation.revoked", "organisation", row.id, before={"invitation": found.id})


def _own(actor: Actor, public_id: uuid.UUID, invitation: uuid.UUID) -> tuple[Organisation, Invitation]:
    row = team.company_to_staff(actor, public_id)
    found = session.scalars(
        sa.select(Invitation)
        .where(Invitation.organisation_id == row.id, Invitation.public_id == invitation, _OPEN)
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound()
    team.company_to_staff(actor, public_id, found.role)
    return row, found


@unit_of_work
def accept(actor: Actor, token: str) -> uuid.UUID:
    """Take the place of a mailed link. Returns the company.

    Raises:
        Conflict: `invitation_dead`: used, revoked, too old or never made. Forbidden: `invitation_for_another`.
    """
    found = session.scalars(
        sa.select(Invitation).where(Invitation.token_hash == token_hash(token)).with_for_update()
    ).one_or_none()
    if found is None or not _is_live(found):
        raise Conflict("invitation_dead")
    if found.email_key != email_key(actor.email):
        raise Forbidden("invitation_for_another")
    company = session.get_one(Organisation, found.organisation_id)
    found.accepted_at, found.user_id = clock.now(), actor.user
    if team.seated(company.id, actor.user, found.role):
        audit.record(
            actor, "member.added", "organisation", company.id,
            after={"user": actor.user, "role": found.role, "invitation": found.id},
        )  # fmt: skip
    key: uuid.UUID = company.public_id
    return key


@unit_of_work
def decline(actor: Actor, invitation: uuid.UUID) -> None:
    """Refuse a place offered to the own address.

    Raises:
        NotFound: no such open invitation.
    """
    found = session.scalars(
        sa.select(Invitation)
        .where(Invitation.public_id == invitation, Invitation.email_key == email_key(actor.email), _OPEN)
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound()
    found.declined_at = clock.now()
    audit.record(actor, "invitation.declined", "organisation", found.organisation_id, before={"invitation": found.id})


def _is_live(found: Invitation) -> bool:
    ended = found.accepted_at or found.revoked_at or found.declined_at
    return ended is None and found.expires_at > clock.now()


@dataclass(frozen=True, slots=True)
class Offered:
    """An invitation as its company or its addressee sees it."""

    public_id: uuid.UUID
    company: str
    kind: str
    email: str
    role: str
    invited_by: str
    sent_at: datetime
    expires_at: datetime

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= clock.now()


_OFFERED = (
    sa.select(
        Invitation.public_id, Organisation.name, Organisation.kind, Invitation.email, Invitation.role,
        User.name.label("invited_by"), Invitation.sent_at, Invitation.expires_at,
    )
    .join(Organisation, Organisation.id == Invitation.organisation_id)
    .join(User, User.id == Invitation.invited_by_id)
    .order_by(Invitation.id)
)  # fmt: skip


def of_company(organisation_id: int) -> list[Offered]:
    """Open invitations of a company, expired ones too: they can be sent again."""
    return [
        Offered(*row) for row in session.execute(_OFFERED.where(Invitation.organisation_id == organisation_id, _OPEN))
    ]


def for_person(email: str) -> list[Offered]:
    """Open invitations to an address that have not expired."""
    live = Invitation.expires_at > clock.now()
    rows = session.execute(_OFFERED.where(Invitation.email_key == (email_key(email) or ""), _OPEN, live).limit(20))
    return [Offered(*row) for row in rows]


def behind(token: str) -> Offered:
    """The invitation of a mailed link.

    Raises:
        Conflict: `invitation_dead`.
    """
    row = session.execute(
        _OFFERED.where(Invitation.token_hash == token_hash(token), _OPEN, Invitation.expires_at > clock.now())
    ).one_or_none()
    if row is None:
        raise Conflict("invitation_dead")
    return Offered(*row)
