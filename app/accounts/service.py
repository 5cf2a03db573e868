"""Commands of people: register, sign in and out, passwords, profile, devices."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from app.accounts import passwords
from app.accounts.models import (
    Device,
    LoginSession,
    Organisation,
    OrganisationMember,
    PasswordReset,
    RefreshToken,
    User,
)
from app.accounts.requisites import email_key, phone_normal
from app.core import audit, clock, mail
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, DomainError, FieldError, Forbidden, Invalid, NotFound, NotSignedIn, Stale
from app.core.ids import new_token, token_hash
from app.core.permissions import Actor

SESSION_LIFE = timedelta(days=30)
RESET_LIFE = timedelta(hours=1)
MAX_DEVICES = 20


@dataclass(frozen=True, slots=True)
class Client:
    """The browser or app that speaks: the id it brought, what it calls itself, its address."""

    client_id: uuid.UUID
    user_agent: str = ""
    ip: str = ""


@dataclass(frozen=True, slots=True)
class NewUser:
    """What registration asks."""

    email: str
    password: str
    name: str
    phone: str = ""
    locale: str = "ru"
    marketing_consent: bool = False


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person who proved who they are, on a known device."""

    user_id: int
    public_id: uuid.UUID
    device_id: int
    epoch: int
    locale: str


@unit_of_work
def register(new: NewUser, client: Client) -> SignedIn:
    """Open an account and sign it in.

    Raises:
        Invalid: with every wrong field; `email_taken` when the address has an account.
    """
    key, phone = _checked_person(new.email, new.name, new.phone)
    passwords.check_strength(new.password)
    user_id = session.scalar(
        insert(User)
        .values(
            email=new.email.strip(),
            email_key=key,
            password_hash=passwords.hashed(new.password),
            name=new.name.strip(),
            phone=phone,
            locale=new.locale,
            marketing_consent=new.marketing_consent,
        )
        .on_conflict_do_nothing(index_elements=[User.email_key])
        .returning(User.id)
    )
    if user_id is None:
        raise Invalid.one("/email", "email_taken")
    user = session.get_one(User, user_id)
    signed = _on_device(user, client)
    audit.record(_as_actor(signed, client), "user.registered", "user", user.id)
    mail.queue(user.email, "welcome", user.locale, name=user.name)
    return signed


def _checked_person(email: str, name: str, phone: str) -> tuple[str, str]:
    errors = []
    key = email_key(email)
    if key is None:
        errors.append(FieldError("/email", "malformed_email"))
    if not 1 <= len(name.strip()) <= 100:
        errors.append(FieldError("/name", "required" if not name.strip() else "too_long", {"maximum": 100}))
    normal = phone_normal(phone) if phone.strip() else ""
    if normal is None:
        errors.append(FieldError("/phone", "malformed_phone"))
    if errors:
        raise Invalid(errors)
    return key or "", normal or ""


@unit_of_work
def sign_in(email: str, password: str, client: Client) -> SignedIn:
    """Check a password. An unknown address and a wrong password answer alike and take the same time.

    Raises:
        NotSignedIn: `wrong_credentials`.
    """
    user = session.scalars(sa.select(User).where(User.email_key == (email_key(email) or ""))).one_or_none()
    if not passwords.matches(user.password_hash if user else None, password) or user is None or not user.is_active:
        raise NotSignedIn("wrong_credentials")
    if passwords.needs_rehash(user.password_hash):
        user.password_hash = passwords.hashed(password)
    signed = _on_device(user, client)
    audit.record(_as_actor(signed, client), "user.signed_in", "user", user.id)
    return signed


def _as_actor(signed: SignedIn, client: Client) -> Actor:
    return Actor(user_id=signed.user_id, device_id=signed.device_id, ip=client.ip)


def _on_device(user: User, client: Client) -> SignedIn:
    """Note the device of a sign-in; a revoked one is new again, the least used ones beyond the cap are dropped."""
    device_id = session.scalar(
        insert(Device)
        .values(
            user_id=user.id,
            client_id=client.client_id,
            user_agent=client.user_agent[:300],
            last_ip=client.ip,
            name=_device_name(client.user_agent),
        )
        .on_conflict_do_update(
            index_elements=[Device.user_id, Device.client_id],
            set_={"last_seen_at": sa.func.now(), "last_ip": client.ip, "revoked_at": None},
        )
        .returning(Device.id)
    )
    extra = (
        sa.select(Device.id)
        .where(Device.user_id == user.id, Device.revoked_at.is_(None))
        .order_by(Device.last_seen_at.desc(), Device.id.desc())
        .offset(MAX_DEVICES)
    )
    session.execute(sa.update(Device).where(Device.id.in_(extra)).values(revoked_at=sa.func.now()))
    assert device_id is not None
    return SignedIn(user.id, user.public_id, device_id, user.token_epoch, user.locale)


def _device_name(user_agent: str) -> str:
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
    browsers = ("YaBrowser", "Edg", "Firefox", "Chrome", "Safari")
    system = next((s for s in systems if s in user_agent), "")
    browser = next((b for b in browsers if b in user_agent), user_agent.split("/")[0][:40])
    return " · ".join(word for word in (browser, system) if word)


@unit_of_work
def open_session(signed: SignedIn) -> str:
    """A new session of a browser; returns the cookie's token, of which only the hash is kept."""
    token = new_token()
    session.add(
        LoginSession(
            token_hash=token_hash(token),
            user_id=signed.user_id,
            device_id=signed.device_id,
            expires_at=clock.now() + SESSION_LIFE,
        )
    )
    return token


@unit_of_work
def sign_out(actor: Actor) -> None:
    """End the session of this browser on the server."""
    session.execute(sa.update(LoginSession).where(LoginSession.id == actor.session_id).values(revoked_at=sa.func.now()))


@unit_of_work
def touch(actor: Actor) -> None:
    """Write when the session and device were last seen."""
    if actor.session_id is not None:
        session.execute(
            sa.update(LoginSession).where(LoginSession.id == actor.session_id).values(last_seen_at=sa.func.now())
        )
    session.execute(
        sa.update(Device).where(Device.id == actor.device_id).values(last_seen_at=sa.func.now(), last_ip=actor.ip)
    )


@unit_of_work
def work_for(actor: Actor, organisation_public_id: uuid.UUID) -> None:
    """Choose the seller or carrier to work for, of those the person belongs to.

    Raises:
        NotFound: no place there.
    """
    place = next((m for m in actor.memberships if m.organisation_public_id == organisation_public_id), None)
    if place is None or not (place.is_seller or place.is_dispatcher):
        raise NotFound()
    column = LoginSession.current_seller_id if place.is_seller else LoginSession.current_carrier_id
    session.execute(
        sa.update(LoginSession).where(LoginSession.id == actor.session_id).values({column: place.organisation_id})
    )


@unit_of_work
def ask_password_reset(email: str) -> None:
    """Mail a link that sets a new password, if the address has an account. Tells nobody whether it has."""
    user = session.scalars(sa.select(User).where(User.email_key == (email_key(email) or ""))).one_or_none()
    if user is None or not user.is_active:
        return
    token = new_token()
    session.add(PasswordReset(token_hash=token_hash(token), user_id=user.id, expires_at=clock.now() + RESET_LIFE))
    mail.queue(user.email, "password_reset", user.locale, name=user.name, path=f"/password/reset/{token}")


@unit_of_work
def reset_password(token: str, password: str, ip: str = "") -> None:
    """Set a new password by a mailed link; every session and token of the account ends.

    Raises:
        DomainError: `reset_link_dead` when the link is unknown, used or old. Invalid: the password is weak.
    """
    passwords.check_strength(password)
    row = session.scalars(
        sa.select(PasswordReset)
        .where(
            PasswordReset.token_hash == token_hash(token),
            PasswordReset.used_at.is_(None),
            PasswordReset.expires_at > sa.func.now(),
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise DomainError("reset_link_dead")
    row.used_at = clock.now()
    _set_password(row.user_id, password)
    audit.record(Actor(user_id=row.user_id, ip=ip), "user.password_reset", "user", row.user_id)


@unit_of_work
def change_password(actor: Actor, old: str, new: str) -> None:
    """Set a new password knowing the old one; other browsers and all API tokens are signed out.

    Raises:
        Invalid: the old one is wrong or the new one weak.
    """
    user = session.get_one(User, actor.user)
    if not passwords.matches(user.password_hash, old):
        raise Invalid.one("/old_password", "wrong_password")
    passwords.check_strength(new, "/new_password")
    _set_password(actor.user, new, keep_session=actor.session_id)
    audit.record(actor, "user.password_changed", "user", actor.user)


def _set_password(user_id: int, password: str, keep_session: int | None = None) -> None:
    session.execute(sa.update(User).where(User.id == user_id).values(password_hash=passwords.hashed(password)))
    session.execute(  # other links that were mailed open nothing any more
        sa.update(PasswordReset)
        .where(PasswordReset.user_id == user_id, PasswordReset.used_at.is_(None))
        .values(used_at=sa.func.now())
    )
    end_everything(user_id, keep_session=keep_session)


def end_everything(user_id: int, *, keep_session: int | None = None) -> None:
    """End all sessions, refresh tokens and access tokens of a person, in the present transaction."""
    now = sa.func.now()
    session.execute(sa.update(User).where(User.id == user_id).values(token_epoch=User.token_epoch + 1))
    session.execute(
        sa.update(LoginSession)
        .where(
            LoginSession.user_id == user_id,
            LoginSession.revoked_at.is_(None),
            LoginSession.id != (keep_session or 0),
        )
        .values(revoked_at=now)
    )
    session.execute(
        sa.update(RefreshToken)
        .where(RefreshToken.user_id == user_id, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """New values; None leaves a field as it is."""

    name: str | None = None
    phone: str | None = None
    locale: str | None = None
    marketing_consent: bool | None = None


@unit_of_work
def edit_profile(actor: Actor, change: ProfileChange, version: int | None = None) -> None:
    """Change the own profile.

    Raises:
        Stale: `version` is not the present one. Invalid: a field is wrong.
    """
    user = session.scalars(sa.select(User).where(User.id == actor.user).with_for_update()).one()
    if version is not None and version != user.version:
        raise Stale(version=user.version)
    name = user.name if change.name is None else change.name
    _, phone = _checked_person(user.email, name, user.phone if change.phone is None else change.phone)
    user.name, user.phone = name.strip(), phone
    if change.locale is not None:
        user.locale = change.locale
    if change.marketing_consent is not None:
        user.marketing_consent = change.marketing_consent
    user.version += 1
    audit.record(actor, "user.profile_changed", "user", user.id)


@unit_of_work
def close_account(actor: Actor, password: str) -> None:
    """The person leaves: nobody can sign in any more, everything signed in ends. Orders and documents stay.

    Raises:
        Invalid: the password is wrong. Conflict: `last_owner` of a company that still trades.
    """
    user = session.scalars(sa.select(User).where(User.id == actor.user).with_for_update()).one()
    if not passwords.matches(user.password_hash, password):
        raise Invalid.one("/close_password", "wrong_password")
    if session.scalar(_only_owner_of(user.id)):
        raise Conflict("last_owner")
    user.is_active = False
    end_everything(user.id)
    audit.record(actor, "user.closed", "user", user.id, before={"is_active": True}, after={"is_active": False})


def _only_owner_of(user_id: int) -> sa.Select[int]:
    """Selling and carrying companies that would be left without an owner."""
    other = aliased(OrganisationMember)
    return (
        sa.select(Organisation.id)
        .join(OrganisationMember, OrganisationMember.organisation_id == Organisation.id)
        .where(
            OrganisationMember.user_id == user_id,
            OrganisationMember.role == "owner",
            Organisation.kind != "buyer",
            Organisation.status == "approved",
            ~sa.exists().where(
                other.organisation_id == Organisation.id, other.role == "owner", other.user_id != user_id
            ),
        )
        .limit(1)
    )


@unit_of_work
def rename_device(actor: Actor, public_id: uuid.UUID, name: str) -> None:
    """Give a device a name one recognises.

    Raises:
        NotFound: absent or another person's. Invalid: the name is empty or too long.
    """
    if not 1 <= len(name.strip()) <= 60:
        raise Invalid.one("/name", "required" if not name.strip() else "too_long", maximum=60)
    device = _own_device(actor, public_id)
    device.name = name.strip()


@unit_of_work
def revoke_device(actor: Actor, public_id: uuid.UUID) -> None:
    """Sign a device out everywhere: sessions, refresh tokens, and access tokens by the device's own row.

    Raises:
        NotFound: absent or another person's.
    """
    device = _own_device(actor, public_id)
    now = clock.now()
    device.revoked_at = now
    for table in (LoginSession, RefreshToken):
        session.execute(
            sa.update(table).where(table.device_id == device.id, table.revoked_at.is_(None)).values(revoked_at=now)
        )
    audit.record(actor, "device.revoked", "device", device.id)


def _own_device(actor: Actor, public_id: uuid.UUID) -> Device:
    device = session.scalars(
        sa.select(Device).where(
            Device.user_id == actor.user, Device.public_id == public_id, Device.revoked_at.is_(None)
        )
    ).one_or_none()
    if device is None:
        raise NotFound()
    return device


@unit_of_work
def set_active(actor: Actor, user_public_id: uuid.UUID, *, active: bool) -> None:
    """The operator blocks or unblocks a person; a block ends everything at once.

    Raises:
        NotFound: absent. Forbidden: `cannot_block_self`.
    """
    user = session.scalars(sa.select(User).where(User.public_id == user_public_id)).one_or_none()
    if user is None:
        raise NotFound()
    if user.id == actor.user:
        raise Forbidden("cannot_block_self")
    before = user.is_active
    user.is_active = active
    if not active:
        end_everything(user.id)
    audit.record(
        actor, "user.unblocked" if active else "user.blocked", "user", user.id,
        before={"is_active": before}, after={"is_active": active},
    )  # fmt: skip
