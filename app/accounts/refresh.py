"""Refresh tokens of the API: opaque, rotated on every use, one family per sign-in (RFC 9700 section 4.14.2)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from app.accounts.models import Device, RefreshToken, User
from app.accounts.service import SignedIn
from app.accounts.tokens import GRACE, REFRESH_LIFE, seal, unseal
from app.core import audit, clock, mail
from app.core.db import session, unit_of_work
from app.core.errors import NotSignedIn
from app.core.ids import new_token, token_hash
from app.core.permissions import Actor


@dataclass(frozen=True, slots=True)
class Rotated:
    """The person and the next refresh token; `stolen` when the whole family had to be ended instead."""

    signed: SignedIn | None
    token: str
    stolen: bool = False


@unit_of_work
def issue(signed: SignedIn) -> str:
    """The first refresh token of a new family."""
    return _add(signed.user_id, signed.device_id, uuid.uuid4(), clock.now() + REFRESH_LIFE)


def _add(user_id: int, device_id: int, family: uuid.UUID, expires_at: object) -> str:
    token = new_token()
    session.add(
        RefreshToken(
            token_hash=token_hash(token), family=family, user_id=user_id, device_id=device_id, expires_at=expires_at
        )
    )
    return token


def rotate(token: str, client_id: uuid.UUID, ip: str) -> Rotated:
    """Exchange a refresh token for its successor.

    Raises:
        NotSignedIn: unknown, expired, revoked, brought by another device, or used before.
    """
    rotated = _rotate(token, client_id, ip)  # a theft must be committed before it is refused
    if rotated.stolen or rotated.signed is None:
        raise NotSignedIn("invalid_token")
    return rotated


@unit_of_work
def _rotate(token: str, client_id: uuid.UUID, ip: str) -> Rotated:
    row = session.scalars(
        sa.select(RefreshToken).where(RefreshToken.token_hash == token_hash(token)).with_for_update()
    ).one_or_none()
    if row is None or row.revoked_at is not None or row.expires_at <= clock.now():
        return Rotated(None, "")
    found = session.execute(
        sa.select(User, Device).join(Device, Device.user_id == User.id).where(Device.id == row.device_id)
    ).one()
    user: User = found[0]
    device: Device = found[1]
    if not user.is_active or device.revoked_at is not None:
        return Rotated(None, "")
    if device.client_id != client_id:
        _end_family(row, user, ip)
        return Rotated(None, "", stolen=True)
    signed = SignedIn(user.id, user.public_id, device.id, user.token_epoch, user.locale)
    if row.used_at is not None:
        if row.used_at + GRACE >= clock.now() and row.sealed_successor is not None:
            return Rotated(signed, unseal(row.sealed_successor, token))
        _end_family(row, user, ip)
        return Rotated(None, "", stolen=True)
    successor = _add(user.id, device.id, row.family, row.expires_at)
    row.used_at = clock.now()
    row.sealed_successor = seal(successor, token)
    return Rotated(signed, successor)


def _end_family(row: RefreshToken, user: User, ip: str) -> None:
    session.execute(
        sa.update(RefreshToken)
        .where(RefreshToken.family == row.family, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=sa.func.now())
    )
    audit.record(Actor(user_id=user.id, ip=ip), "token.reused", "refresh_token", row.id)
    mail.queue(user.email, "token_reuse", user.locale, name=user.name)


@unit_of_work
def revoke(token: str) -> None:
    """End the family of a refresh token; an unknown token changes nothing."""
    family = sa.select(RefreshToken.family).where(RefreshToken.token_hash == token_hash(token)).scalar_subquery()
    session.execute(
        sa.update(RefreshToken)
        .where(RefreshToken.family == family, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=sa.func.now())
    )
