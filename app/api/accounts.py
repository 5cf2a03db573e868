"""Accounts: registration, tokens, the own profile, devices, sites, organisations."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from flask import request
from pydantic import Field, StringConstraints

from app import access
from app.accounts import organisations, queries, refresh, service, sites, team
from app.accounts.models import Site
from app.accounts.service import Client, NewUser, ProfileChange, SignedIn
from app.api.auth import signer
from app.api.kernel import Answer, Api, etag, expected_version, given_id
from app.api.schemas import MoneyOut, Page, PageQuery, Schema, Utc, money, part_of
from app.core.errors import Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.web import limits
from app.web.sessions import client_ip

api = Api("accounts", tag="Accounts")


Secret = Annotated[str, StringConstraints(strip_whitespace=False, max_length=200)]
"""A password is taken as it is, spaces included."""


class RegisterIn(Schema):
    email: str = Field(max_length=254)
    password: Secret
    name: str = Field(max_length=100)
    phone: str = Field(default="", max_length=40)
    locale: Literal["ru", "en"] = "ru"


class LoginIn(Schema):
    email: str = Field(max_length=254)
    password: Secret
    totp: str | None = Field(default=None, max_length=10)


class RefreshIn(Schema):
    refresh_token: str = Field(max_length=200)


class ForgotIn(Schema):
    email: str = Field(max_length=254)


class ResetIn(Schema):
    token: str = Field(max_length=200)
    password: Secret


class MembershipOut(Schema):
    organisation: uuid.UUID
    name: str
    kind: Literal["buyer", "seller", "carrier"]
    role: str


class MeOut(Schema):
    id: uuid.UUID
    email: str
    name: str
    phone: str
    locale: Literal["ru", "en"]
    marketing_consent: bool
    roles: list[str]
    memberships: list[MembershipOut]
    version: int


class UserOut(Schema):
    id: uuid.UUID
    email: str
    name: str


class TokensOut(Schema):
    user: UserOut
    access_token: str
    refresh_token: str
    expires_in: int


class RotatedOut(Schema):
    access_token: str
    refresh_token: str
    expires_in: int


class MePatch(Schema):
    name: str | None = Field(default=None, max_length=100)
    phone: str | None = Field(default=None, max_length=40)
    locale: Literal["ru", "en"] | None = None
    marketing_consent: bool | None = None


class DeviceOut(Schema):
    id: uuid.UUID
    name: str
    user_agent: str
    last_seen_at: Utc
    current: bool


def _client() -> Client:
    """The calling device.

    Raises:
        Invalid: X-Device-Id is missing or no UUID.
    """
    device = parse_uuid(request.headers.get("X-Device-Id", ""))
    if device is None:
        raise Invalid.one("/headers/X-Device-Id", "device_id_required")
    return Client(device, request.headers.get("User-Agent", ""), client_ip())


NOT_KEPT = {"Cache-Control": "no-store"}
"""Of answers with tokens: kept neither by caches nor for Idempotency-Key."""


def _tokens(signed: SignedIn, client: Client, status: int = 200) -> Answer:
    profile = queries.profile(signed.user_id)
    tokens = TokensOut(
        user=UserOut(id=profile.public_id, email=profile.email, name=profile.name),
        access_token=signer().sign(signed.public_id, signed.epoch, client.client_id),
        refresh_token=refresh.issue(signed),
        expires_in=600,
    )
    return Answer(tokens, status, NOT_KEPT)


@api.post(
    "/auth/register", permission=Permission.PUBLIC, body=RegisterIn, answer=TokensOut, status=201,
    summary="Open an account", example={"email": "new@demo.example", "password": "correct horse", "name": "Anna"},
)  # fmt: skip
def register(body: RegisterIn) -> Answer:
    """Needs X-Device-Id. Answers with the first pair of tokens."""
    client = _client()
    limits.hit("register", client.ip)
    return _tokens(service.register(NewUser(**body.model_dump()), client), client, 201)


@api.post(
    "/auth/login", permission=Permission.PUBLIC, body=LoginIn, answer=TokensOut, summary="Sign in",
    example={"email": "buyer@demo.example", "password": "tutuu-demo"},
)  # fmt: skip
def login(body: LoginIn) -> Answer:
    """Needs X-Device-Id. A wrong password and an unknown address answer alike."""
    client = _client()
    limits.hit_sign_in(client.ip, body.email)
    return _tokens(service.sign_in(body.email, body.password, client), client)


@api.post(
    "/auth/refresh", permission=Permission.PUBLIC, body=RefreshIn, answer=RotatedOut, summary="Next pair of tokens"
)
def rotate(body: RefreshIn) -> Answer:
    """A refresh token works once; using it again ends the whole family."""
    client = _client()
    limits.hit("refresh", client.ip)
    rotated = refresh.rotate(body.refresh_token, client.client_id, client.ip)
    assert rotated.signed is not None
    access_token = signer().sign(rotated.signed.public_id, rotated.signed.epoch, client.client_id)
    rotated_out = RotatedOut(access_token=access_token, refresh_token=rotated.token, expires_in=600)
    return Answer(rotated_out, headers=NOT_KEPT)


@api.post("/auth/logout", permission=Permission.PUBLIC, body=RefreshIn, summary="End the family of a refresh token")
def logout(body: RefreshIn) -> None:
    """Answers 204 whether or not the token was known."""
    refresh.revoke(body.refresh_token)


@api.post("/auth/password/forgot", permission=Permission.PUBLIC, body=ForgotIn, summary="Mail a reset link", status=202)
def forgot(body: ForgotIn) -> Answer:
    """The same answer whether or not the address has an account."""
    limits.hit_forgot(client_ip(), body.email)
    service.ask_password_reset(body.email)
    return Answer(None, 202)


@api.post("/auth/password/reset", permission=Permission.PUBLIC, body=ResetIn, summary="Set a new password by a link")
def reset(body: ResetIn) -> None:
    """Ends every session and token of the account."""
    limits.hit("reset", client_ip())
    service.reset_password(body.token, body.password, client_ip())


def _me() -> Answer:
    actor = access.actor()
    profile = queries.profile(actor.user)
    me = MeOut(
        id=profile.public_id, email=profile.email, name=profile.name, phone=profile.phone,
        locale=profile.locale,
        marketing_consent=profile.marketing_consent,
        roles=sorted(role for role in actor.roles if role not in ("anyone", "user")),
        memberships=[
            MembershipOut(
                organisation=m.organisation_public_id, name=m.organisation_name,
                kind=m.kind, role=m.role,
            )
            for m in actor.memberships
        ],
        version=profile.version,
    )  # fmt: skip
    return Answer(me, headers=etag(profile.version))


@api.get("/me", permission=Permission.ACCOUNT, answer=MeOut, summary="The own account")
def me() -> Answer:
    """With roles and memberships."""
    return _me()


@api.patch("/me", permission=Permission.ACCOUNT, body=MePatch, answer=MeOut, summary="Change the own account")
def change_me(body: MePatch) -> Answer:
    """Honours If-Match."""
    service.edit_profile(access.actor(), ProfileChange(**body.model_dump()), expected_version())
    return _me()


@api.get(
    "/me/devices",
    permission=Permission.ACCOUNT,
    query=PageQuery,
    answer=Page[DeviceOut],
    summary="Devices that are signed in",
)
def devices(query: PageQuery) -> Page[DeviceOut]:
    """Last seen first."""
    actor = access.actor()
    rows = queries.devices(actor.user)
    shown = [
        DeviceOut(
            id=d.public_id, name=d.name, user_agent=d.user_agent, last_seen_at=d.last_seen_at,
            current=d.id == actor.device_id,
        )
        for d in rows
    ]  # fmt: skip
    return part_of(shown, query)


@api.delete("/me/devices/{device}", permission=Permission.ACCOUNT, summary="Sign a device out", status=204)
def revoke_device(device: str) -> None:
    """Its sessions and tokens end at once."""
    service.revoke_device(access.actor(), given_id(device))


class SiteIn(Schema):
    title: str = Field(max_length=100)
    address: str = Field(max_length=300)
    lat: float
    lon: float
    access: str = Field(default="", max_length=500)
    max_vehicle_kg: int | None = None
    max_height_mm: int | None = None
    floor: int = 1
    lift: bool = False
    unloading: Literal["self", "hands", "crane", "tail_lift"] = "self"
    contact_name: str = Field(default="", max_length=100)
    contact_phone: str = Field(default="", max_length=40)


class NewSite(SiteIn):
    """A site; with `organisation`, for everybody of a buying company that the person owns."""

    organisation: uuid.UUID | None = None


class SitePatch(Schema):
    title: str | None = Field(default=None, max_length=100)
    address: str | None = Field(default=None, max_length=300)
    lat: float | None = None
    lon: float | None = None
    access: str | None = Field(default=None, max_length=500)
    max_vehicle_kg: int | None = None
    max_height_mm: int | None = None
    floor: int | None = None
    lift: bool | None = None
    unloading: Literal["self", "hands", "crane", "tail_lift"] | None = None
    contact_name: str | None = Field(default=None, max_length=100)
    contact_phone: str | None = Field(default=None, max_length=40)


class SiteOut(SiteIn):
    id: uuid.UUID
    version: int
    shared: bool
    """With everybody of a company."""


def site_out(site: Site) -> SiteOut:
    """A site as the API shows it."""
    return SiteOut(id=site.public_id, version=site.version, shared=site.organisation_id is not None, **site.snapshot())


SITE_EXAMPLE: dict[str, Any] = {
    "title": "House", "address": "Moscow, Rustaveli street, 12", "lat": 55.8142, "lon": 37.5876,
    "contact_name": "Anna", "contact_phone": "+79000000000",
}  # fmt: skip


@api.get("/me/sites", permission=Permission.BUY, query=PageQuery, answer=Page[SiteOut], summary="Building sites")
def list_sites(query: PageQuery) -> Page[SiteOut]:
    """Newest first."""
    return part_of([site_out(s) for s in queries.sites(access.actor().user)], query)


@api.post(
    "/me/sites", permission=Permission.BUY, body=NewSite, answer=SiteOut, status=201, summary="Keep a building site",
    example=SITE_EXAMPLE,
)  # fmt: skip
def add_site(body: NewSite) -> SiteOut:
    """Where trucks go, and what they meet there. Members use the sites of their company; its owner keeps them."""
    return site_out(sites.add(access.actor(), body.model_dump(), body.organisation))


@api.patch("/me/sites/{site}", permission=Permission.BUY, body=SitePatch, answer=SiteOut, summary="Change a site")
def change_site(site: str, body: SitePatch) -> SiteOut:
    """Orders already placed keep their copy. Honours If-Match."""
    given = body.model_dump(exclude_unset=True)
    return site_out(sites.edit(access.actor(), given_id(site), given, expected_version()))


@api.delete("/me/sites/{site}", permission=Permission.BUY, summary="Remove a site", status=204)
def remove_site(site: str) -> None:
    """Orders that went there keep it."""
    sites.remove(access.actor(), given_id(site))


class OrganisationIn(Schema):
    kind: Literal["buyer", "seller", "carrier"]
    name: str = Field(max_length=200)
    inn: str = Field(max_length=12)
    kpp: str = Field(default="", max_length=9)
    ogrn: str = Field(default="", max_length=15)
    address: str = Field(default="", max_length=300)


class OrganisationPatch(Schema):
    name: str | None = Field(default=None, max_length=200)
    inn: str | None = Field(default=None, max_length=12)
    kpp: str | None = Field(default=None, max_length=9)
    ogrn: str | None = Field(default=None, max_length=15)
    address: str | None = Field(default=None, max_length=300)


class OrganisationOut(Schema):
    id: uuid.UUID
    kind: str
    name: str
    inn: str
    kpp: str
    ogrn: str
    address: str
    status: str
    review_note: str
    role: str
    version: int


class MemberIn(Schema):
    email: str = Field(max_length=254)
    role: str = Field(max_length=20)


class MemberOut(Schema):
    id: uuid.UUID
    name: str
    email: str
    role: str
    per_order: MoneyOut | None
    """What one purchase paid by a buying company may cost without an approval; null: no limit."""
    per_month: MoneyOut | None


def organisation_out(row: queries.OrganisationRow) -> OrganisationOut:
    """A company as the API shows it."""
    return OrganisationOut(
        id=row.public_id, kind=row.kind, name=row.name, inn=row.inn, kpp=row.kpp, ogrn=row.ogrn,
        address=row.address, status=row.status, review_note=row.review_note, role=row.role, version=row.version,
    )  # fmt: skip


@api.get(
    "/organisations",
    permission=Permission.ACCOUNT,
    query=PageQuery,
    answer=Page[OrganisationOut],
    summary="Own organisations",
)
def list_organisations(query: PageQuery) -> Page[OrganisationOut]:
    """Those one belongs to."""
    return part_of([organisation_out(o) for o in queries.organisations(access.actor().user)], query)


@api.post(
    "/organisations", permission=Permission.ACCOUNT, body=OrganisationIn, answer=OrganisationOut, status=201,
    summary="Register a company",
    example={"kind": "buyer", "name": "Demo Build", "inn": "7707083893", "kpp": "773601001"},
)  # fmt: skip
def add_organisation(body: OrganisationIn) -> OrganisationOut:
    """INN and OGRN checksums are verified. Sellers and carriers are drafts until `submit`."""
    values = body.model_dump()
    public_id = organisations.create(access.actor(), values.pop("kind"), organisations.Requisites(**values))
    return organisation_out(queries.organisation(access.actor().user, public_id))


@api.get("/organisations/{organisation}", permission=Permission.ACCOUNT, answer=OrganisationOut, summary="One company")
def show_organisation(organisation: str) -> Answer:
    """Only for its members."""
    row = queries.organisation(access.actor().user, given_id(organisation))
    return Answer(organisation_out(row), headers=etag(row.version))


@api.patch(
    "/organisations/{organisation}", permission=Permission.ACCOUNT, body=OrganisationPatch, answer=OrganisationOut,
    summary="Change a company",
)  # fmt: skip
def change_organisation(organisation: str, body: OrganisationPatch) -> OrganisationOut:
    """Only its owner. Honours If-Match."""
    actor, key = access.actor(), given_id(organisation)
    row = queries.organisation(actor.user, key)
    present = {"name": row.name, "inn": row.inn, "kpp": row.kpp, "ogrn": row.ogrn, "address": row.address}
    given = organisations.Requisites(**(present | body.model_dump(exclude_none=True)))
    organisations.edit(actor, key, given, expected_version())
    return organisation_out(queries.organisation(actor.user, key))


@api.get(
    "/organisations/{organisation}/members", permission=Permission.ACCOUNT, query=PageQuery,
    answer=Page[MemberOut], summary="People of a company",
)  # fmt: skip
def members(query: PageQuery, organisation: str) -> Page[MemberOut]:
    """Only for its members."""
    row = queries.organisation(access.actor().user, given_id(organisation))
    return part_of(members_out(row.id), query)


def members_out(organisation_id: int) -> list[MemberOut]:
    """People of a company as the API shows them."""
    return [
        MemberOut(
            id=m.public_id,
            name=m.name,
            email=m.email,
            role=m.role,
            per_order=None if m.spending_limit is None else money(m.spending_limit),
            per_month=None if m.monthly_limit is None else money(m.monthly_limit),
        )
        for m in queries.members(organisation_id)
    ]


@api.post(
    "/organisations/{organisation}/members", permission=Permission.ACCOUNT, body=MemberIn, answer=Page[MemberOut],
    status=201, summary="Give a person a place in a company",
)  # fmt: skip
def add_member(organisation: str, body: MemberIn) -> Page[MemberOut]:
    """Only for roles below the own one; the person must have an account (others are invited)."""
    actor, key = access.actor(), given_id(organisation)
    team.add_member(actor, key, body.email, body.role)
    return Page[MemberOut](items=members_out(queries.organisation(actor.user, key).id))


@api.delete(
    "/organisations/{organisation}/members/{member}", permission=Permission.ACCOUNT, summary="Take the place away",
    status=204,
)  # fmt: skip
def remove_member(organisation: str, member: str) -> None:
    """What the person could do through it ends with the next request."""
    team.remove_member(access.actor(), given_id(organisation), given_id(member))
