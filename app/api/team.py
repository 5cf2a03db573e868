"""Calls on the people of a company: roles, invitations."""

from __future__ import annotations

import uuid

from pydantic import Field

from app import access
from app.accounts import invitations, queries, team
from app.accounts.invitations import Offered
from app.api.accounts import MemberOut, OrganisationOut, members_out, organisation_out
from app.api.kernel import Api, given_id
from app.api.schemas import MoneyIn, Page, PageQuery, Schema, Utc, part_of
from app.core.errors import Forbidden
from app.core.permissions import Permission
from app.web import limits

api = Api("team", tag="Companies")


class RoleIn(Schema):
    role: str = Field(max_length=20)


@api.patch(
    "/organisations/{organisation}/members/{member}", permission=Permission.ACCOUNT, body=RoleIn,
    answer=Page[MemberOut], summary="Give a member another role", example={"role": "manager"},
)  # fmt: skip
def change_role(organisation: str, member: str, body: RoleIn) -> Page[MemberOut]:
    """Only roles below the own one. Tokens of the member made before die; 409 `last_owner`."""
    actor, key = access.actor(), given_id(organisation)
    team.change_role(actor, key, given_id(member), body.role)
    return Page[MemberOut](items=members_out(queries.organisation(actor.user, key).id))


class LimitsIn(Schema):
    """Null: as much as it takes."""

    per_order: MoneyIn | None
    per_month: MoneyIn | None


@api.put(
    "/organisations/{organisation}/members/{member}/limits", permission=Permission.ACCOUNT, body=LimitsIn,
    answer=Page[MemberOut], summary="Say how much a member spends without asking",
    example={"per_order": {"amount": 5000000, "currency": "RUB"}, "per_month": None},
)  # fmt: skip
def set_limits(organisation: str, member: str, body: LimitsIn) -> Page[MemberOut]:
    """Only the owner of a buying company, and only for plain members."""
    actor, key = access.actor(), given_id(organisation)
    per_order, per_month = (one.amount if one else None for one in (body.per_order, body.per_month))
    team.set_limits(actor, key, given_id(member), per_order, per_month)
    return Page[MemberOut](items=members_out(queries.organisation(actor.user, key).id))


class InvitationIn(Schema):
    email: str = Field(max_length=254)
    role: str = Field(max_length=20)


class InvitationOut(Schema):
    id: uuid.UUID
    company: str
    email: str
    role: str
    invited_by: str
    sent_at: Utc
    expires_at: Utc
    expired: bool


def _out(one: Offered) -> InvitationOut:
    return InvitationOut(
        id=one.public_id, company=one.company, email=one.email, role=one.role, invited_by=one.invited_by,
        sent_at=one.sent_at, expires_at=one.expires_at, expired=one.is_expired,
    )  # fmt: skip


@api.get(
    "/organisations/{organisation}/invitations", permission=Permission.ACCOUNT, query=PageQuery,
    answer=Page[InvitationOut], summary="Open invitations of a company",
)  # fmt: skip
def company_invitations(query: PageQuery, organisation: str) -> Page[InvitationOut]:
    """For those who may give places; expired ones are there too, to be sent again."""
    row = queries.organisation(access.actor().user, given_id(organisation))
    if not team.may_give(row.kind, row.role):
        raise Forbidden()
    return part_of([_out(one) for one in invitations.of_company(row.id)], query)


@api.post(
    "/organisations/{organisation}/invitations", permission=Permission.ACCOUNT, body=InvitationIn,
    answer=InvitationOut, status=201, summary="Invite a person by e-mail",
    example={"email": "keeper@demo.example", "role": "warehouse"},
)  # fmt: skip
def invite(organisation: str, body: InvitationIn) -> InvitationOut:
    """Mails a link that works once within seven days. The answer does not tell whether the address has an account."""
    actor, key = access.actor(), given_id(organisation)
    limits.hit_invitation(actor.user, body.email)
    made = invitations.invite(actor, key, body.email, body.role)
    row = queries.organisation(actor.user, key)
    return next(_out(one) for one in invitations.of_company(row.id) if one.public_id == made)


@api.post(
    "/organisations/{organisation}/invitations/{invitation}/resend", permission=Permission.ACCOUNT,
    summary="Mail a new link", status=204,
)  # fmt: skip
def resend(organisation: str, invitation: str) -> None:
    """The old link dies."""
    limits.hit_invitation(access.actor().user, invitation)
    invitations.resend(access.actor(), given_id(organisation), given_id(invitation))


@api.delete(
    "/organisations/{organisation}/invitations/{invitation}", permission=Permission.ACCOUNT,
    summary="Take an invitation back", status=204,
)  # fmt: skip
def revoke(organisation: str, invitation: str) -> None:
    """Its link is dead at once."""
    invitations.revoke(access.actor(), given_id(organisation), given_id(invitation))


@api.get(
    "/me/invitations", permission=Permission.ACCOUNT, query=PageQuery, answer=Page[InvitationOut],
    summary="Invitations to the own address",
)  # fmt: skip
def own_invitations(query: PageQuery) -> Page[InvitationOut]:
    """To take one, send the token of the mailed link: it shows that the mailbox is yours."""
    return part_of([_out(one) for one in invitations.for_person(access.actor().email)], query)


@api.delete("/me/invitations/{invitation}", permission=Permission.ACCOUNT, summary="Decline an invitation", status=204)
def decline(invitation: str) -> None:
    """Only to the own address."""
    invitations.decline(access.actor(), given_id(invitation))


class TokenIn(Schema):
    token: str = Field(max_length=200)


@api.post(
    "/invitations/accept", permission=Permission.ACCOUNT, body=TokenIn, answer=OrganisationOut,
    summary="Take an offered place",
)  # fmt: skip
def accept(body: TokenIn) -> OrganisationOut:
    """`token` is the last part of the mailed link. The e-mail of the account must be that of the invitation."""
    actor = access.actor()
    limits.hit("invitation_link", str(actor.user))
    return organisation_out(queries.organisation(actor.user, invitations.accept(actor, body.token)))
