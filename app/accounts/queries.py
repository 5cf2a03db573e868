"""Reads of people, devices, organisations, sites."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.accounts.models import Device, LoginSession, Organisation, OrganisationMember, Site, User
from app.core.db import session
from app.core.errors import NotFound
from app.core.ids import token_hash
from app.core.permissions import Actor, Membership

IDLE = timedelta(days=14)
TOUCH_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Seen:
    """Who is behind a session or token, and whether its last-seen time is due to be written."""

    actor: Actor
    touch: bool


_MEMBERSHIPS = (
    sa.select(
        sa.func.coalesce(
            sa.func.jsonb_agg(
                aggregate_order_by(
                    sa.func.jsonb_build_array(
                        Organisation.id, Organisation.public_id, Organisation.name, Organisation.kind,
                        OrganisationMember.role, Organisation.status,
                    ),
                    Organisation.id,
                )
            ),
            sa.text("'[]'::jsonb"),
        )
    )
    .join(OrganisationMember, OrganisationMember.organisation_id == Organisation.id)
    .where(OrganisationMember.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
    .label("memberships")
)  # fmt: skip
_USER = (User.id, User.public_id, User.name, User.email, User.locale, User.is_admin, _MEMBERSHIPS)
_BY_SESSION = (
    sa.select(
        *_USER,
        LoginSession.id.label("session_id"),
        LoginSession.device_id,
        LoginSession.current_seller_id,
        LoginSession.current_carrier_id,
        (LoginSession.last_seen_at < sa.func.now() - TOUCH_AFTER).label("touch"),
    )
    .join(User, User.id == LoginSession.user_id)
    .join(Device, Device.id == LoginSession.device_id)
    .where(
        LoginSession.token_hash == sa.bindparam("token"),
        LoginSession.revoked_at.is_(None),
        LoginSession.expires_at > sa.func.now(),
        LoginSession.last_seen_at > sa.func.now() - IDLE,
        Device.revoked_at.is_(None),
        User.is_active,
    )
)
_BY_TOKEN = (
    sa.select(
        *_USER,
        sa.null().label("session_id"),
        Device.id.label("device_id"),
        sa.null().label("current_seller_id"),
        sa.null().label("current_carrier_id"),
        (Device.last_seen_at < sa.func.now() - TOUCH_AFTER).label("touch"),
    )
    .join(Device, Device.user_id == User.id)
    .where(
        User.public_id == sa.bindparam("user"),
        User.token_epoch == sa.bindparam("epoch"),
        User.is_active,
        Device.client_id == sa.bindparam("device"),
        Device.revoked_at.is_(None),
    )
)


def by_session(token: str, *, ip: str, request_id: str) -> Seen | None:
    """The person of a live session cookie, in one query."""
    row = session.execute(_BY_SESSION, {"token": token_hash(token)}).one_or_none()
    return None if row is None else Seen(_actor(row, ip, request_id), bool(row.touch))


def by_token(user: uuid.UUID, epoch: int, device: uuid.UUID, *, ip: str, request_id: str) -> Seen | None:
    """The person of an access token whose epoch and device are still good, in one query."""
    row = session.execute(_BY_TOKEN, {"user": user, "epoch": epoch, "device": device}).one_or_none()
    return None if row is None else Seen(_actor(row, ip, request_id), bool(row.touch))


def _actor(row: Any, ip: str, request_id: str) -> Actor:
    places = tuple(
        Membership(m[0], uuid.UUID(m[1]), m[2], m[3], m[4], m[5])
        for m in row.memberships
        if m[3] == "buyer" or m[5] == "approved" or (m[3] == "seller" and m[5] == "suspended")
    )
    return Actor(
        user_id=row.id, public_id=row.public_id, name=row.name, email=row.email, locale=row.locale,
        is_admin=row.is_admin, memberships=places, current_seller_id=row.current_seller_id,
        current_carrier_id=row.current_carrier_id, device_id=row.device_id, session_id=row.session_id, ip=ip,
        request_id=request_id,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person sees of the own account."""

    public_id: uuid.UUID
    email: str
    name: str
    phone: str
    locale: str
    marketing_consent: bool
    version: int


def profile(user_id: int) -> Profile:
    """The person's own account."""
    row = session.execute(
        sa.select(
            User.public_id, User.email, User.name, User.phone, User.locale, User.marketing_consent, User.version
        ).where(User.id == user_id)
    ).one()
    return Profile(*row)


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device of a person."""

    id: int
    public_id: uuid.UUID
    client_id: uuid.UUID
    name: str
    user_agent: str
    last_ip: str
    last_seen_at: datetime


def devices(user_id: int) -> list[DeviceRow]:
    """Devices that may still be signed in, last seen first."""
    rows = session.execute(
        sa.select(
            Device.id, Device.public_id, Device.client_id, Device.name, Device.user_agent, Device.last_ip,
            Device.last_seen_at,
        )
        .where(Device.user_id == user_id, Device.revoked_at.is_(None))
        .order_by(Device.last_seen_at.desc(), Device.id)
        .limit(100)
    )  # fmt: skip
    return [DeviceRow(*row) for row in rows]


def sites(user_id: int) -> Sequence[Site]:
    """Building sites that a person may send trucks to: the own ones and those of the own companies, newest first."""
    return session.scalars(
        sa.select(Site).where(_may_use(user_id), ~Site.is_deleted).order_by(Site.id.desc()).limit(100)
    ).all()


def own_sites(user_id: int) -> list[Site]:
    """Private building sites of a person, newest first."""
    return [site for site in sites(user_id) if site.organisation_id is None]


def _may_use(user_id: int, *roles: str) -> sa.ColumnElement[bool]:
    """A private site of the person, or a site of a company where the person has a place (with one of the roles)."""
    seats = sa.select(OrganisationMember.organisation_id).where(OrganisationMember.user_id == user_id)
    if roles:
        seats = seats.where(OrganisationMember.role.in_(roles))
    is_private = sa.and_(Site.user_id == user_id, Site.organisation_id.is_(None))
    return sa.or_(is_private, Site.organisation_id.in_(seats))


def site_kept_as(user_id: int) -> str:
    """The name under which pages keep a person's chosen site; commands on sites say that it `changed`."""
    return f"site-{user_id}"


def chosen_site(user_id: int) -> Site | None:
    """The site that prices in lists are delivered to: the chosen one, or the person's only one."""
    rows = session.scalars(
        sa.select(Site)
        .where(Site.user_id == user_id, Site.organisation_id.is_(None), ~Site.is_deleted)
        .order_by(Site.is_chosen.desc(), Site.id)
        .limit(2)
    ).all()
    return rows[0] if rows and (rows[0].is_chosen or len(rows) == 1) else None


def site(user_id: int, public_id: uuid.UUID) -> Site:
    """One building site that this person may send trucks to.

    Raises:
        NotFound: absent, deleted, or neither the person's nor of a company of the person.
    """
    return _site(public_id, _may_use(user_id))


def managed_site(user_id: int, public_id: uuid.UUID) -> Site:
    """One building site that this person may change: a private one, or one of a company the person owns.

    Raises:
        NotFound: absent, deleted or not the person's to change.
    """
    return _site(public_id, _may_use(user_id, "owner"))


def _site(public_id: uuid.UUID, condition: sa.ColumnElement[bool]) -> Site:
    row = session.scalars(sa.select(Site).where(condition, Site.public_id == public_id, ~Site.is_deleted)).one_or_none()
    if row is None:
        raise NotFound()
    return row


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    """An organisation as a member or the operator sees it."""

    id: int
    public_id: uuid.UUID
    kind: str
    name: str
    inn: str
    kpp: str
    ogrn: str
    address: str
    bank: dict[str, Any]
    status: str
    review_note: str
    version: int
    created_at: datetime
    section_notes: dict[str, Any]
    reviewer_id: int | None
    role: str = ""

    @classmethod
    def of(cls, row: Organisation) -> OrganisationRow:
        """A loaded row, seen by nobody in particular."""
        return cls(**{column.key: getattr(row, column.key) for column in ORGANISATION})


ORGANISATION = (
    Organisation.id, Organisation.public_id, Organisation.kind, Organisation.name, Organisation.inn, Organisation.kpp,
    Organisation.ogrn, Organisation.address, Organisation.bank, Organisation.status, Organisation.review_note,
    Organisation.version, Organisation.created_at, Organisation.section_notes, Organisation.reviewer_id,
)  # fmt: skip


def organisations(user_id: int) -> list[OrganisationRow]:
    """Organisations of a person, with the own role."""
    rows = session.execute(
        sa.select(*ORGANISATION, OrganisationMember.role)
        .join(OrganisationMember, OrganisationMember.organisation_id == Organisation.id)
        .where(OrganisationMember.user_id == user_id)
        .order_by(Organisation.id)
    )
    return [OrganisationRow(**row._mapping) for row in rows]


def organisation(user_id: int, public_id: uuid.UUID) -> OrganisationRow:
    """An organisation of this person.

    Raises:
        NotFound: absent, or the person has no place in it.
    """
    found = [row for row in organisations(user_id) if row.public_id == public_id]
    if not found:
        raise NotFound()
    return found[0]


@dataclass(frozen=True, slots=True)
class Member:
    """A person in an organisation."""

    public_id: uuid.UUID
    name: str
    email: str
    role: str
    spending_limit: int | None
    monthly_limit: int | None


def members(organisation_id: int) -> list[Member]:
    """People of an organisation, owners first."""
    rows = session.execute(
        sa.select(
            User.public_id,
            User.name,
            User.email,
            OrganisationMember.role,
            OrganisationMember.spending_limit,
            OrganisationMember.monthly_limit,
        )
        .join(OrganisationMember, OrganisationMember.user_id == User.id)
        .where(OrganisationMember.organisation_id == organisation_id)
        .order_by(OrganisationMember.role != "owner", User.name, User.id)
    )
    return [Member(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Place:
    """A person's place in a company, with what a mail to the person needs. Limits in kopeks."""

    user_id: int
    role: str
    spending_limit: int | None
    monthly_limit: int | None
    name: str
    email: str
    locale: str


def places(organisation_id: int) -> list[Place]:
    """Who may act for a company: active people only."""
    rows = session.execute(
        sa.select(
            User.id, OrganisationMember.role, OrganisationMember.spending_limit, OrganisationMember.monthly_limit,
            User.name, User.email, User.locale,
        )
        .join(OrganisationMember, OrganisationMember.user_id == User.id)
        .where(OrganisationMember.organisation_id == organisation_id, User.is_active)
        .order_by(User.id)
    )  # fmt: skip
    return [Place(*row) for row in rows]


def people(user_ids: Iterable[int | None]) -> dict[int | None, str]:
    """Names of persons by inner id."""
    wanted = sorted({one for one in user_ids if one is not None})
    if not wanted:
        return {}
    return {row.id: row.name for row in session.execute(sa.select(User.id, User.name).where(User.id.in_(wanted)))}


def acting_as(user_id: int) -> Actor:
    """A person in whose name the market goes on with what the person asked for."""
    row = session.execute(
        sa.select(User.id, User.public_id, User.name, User.email, User.locale).where(User.id == user_id)
    ).one()
    return Actor(user_id=row.id, public_id=row.public_id, name=row.name, email=row.email, locale=row.locale)


def requisites(organisation_id: int) -> OrganisationRow:
    """An organisation by its inner id, for documents."""
    row = session.execute(sa.select(*ORGANISATION).where(Organisation.id == organisation_id)).one()
    return OrganisationRow(**row._mapping)


def outward_ids(organisation_ids: Iterable[int]) -> dict[int, uuid.UUID]:
    """The outward ids of organisations by inner id."""
    wanted = sorted(set(organisation_ids))
    rows = session.execute(sa.select(Organisation.id, Organisation.public_id).where(Organisation.id.in_(wanted)))
    return {row.id: row.public_id for row in rows}


def organisation_key(public_id: uuid.UUID, kind: str) -> int:
    """The inner id of an organisation of a kind, for who may name it.

    Raises:
        NotFound: there is none.
    """
    found: int | None = session.scalar(
        sa.select(Organisation.id).where(Organisation.public_id == public_id, Organisation.kind == kind)
    )
    if found is None:
        raise NotFound()
    return found


def is_same_company(one: int, other: int) -> bool:
    """Whether two organisations are one company by its INN: a seller that carries with its own trucks."""
    inns = session.scalars(sa.select(Organisation.inn).where(Organisation.id.in_((one, other)))).all()
    return len(inns) == 2 and inns[0] == inns[1]


def member_user_id(organisation_id: int, email: str) -> int | None:
    """The inner id of a member of an organisation by e-mail; None when the person is no member."""
    return session.scalar(
        sa.select(User.id)
        .join(OrganisationMember, OrganisationMember.user_id == User.id)
        .where(OrganisationMember.organisation_id == organisation_id, User.email_key == email.strip().lower())
    )


@dataclass(frozen=True, slots=True)
class UserRow:
    """A person in the operator's list."""

    id: int
    public_id: uuid.UUID
    email: str
    name: str
    is_admin: bool
    is_active: bool
    created_at: datetime


def users(text: str, before: int | None, limit: int = 50) -> list[UserRow]:
    """People whose e-mail or name contains the text, newest first, with an id below `before`."""
    statement = (
        sa.select(User.id, User.public_id, User.email, User.name, User.is_admin, User.is_active, User.created_at)
        .order_by(User.id.desc())
        .limit(limit)
    )
    if text:
        statement = statement.where(
            User.email_key.contains(text.casefold(), autoescape=True) | User.name.icontains(text, autoescape=True)
        )
    if before:
        statement = statement.where(User.id < before)
    return [UserRow(*row) for row in session.execute(statement)]
