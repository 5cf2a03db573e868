"""Access tokens (JWT, EdDSA, 10 minutes) and opaque refresh tokens (rotated, one family per sign-in)."""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.core import clock
from app.core.errors import NotSignedIn
from app.settings import Settings

ACCESS_LIFE = timedelta(minutes=10)
REFRESH_LIFE = timedelta(days=30)
GRACE = timedelta(seconds=20)
"""A refresh token used twice within this time gets the same successor: a client retried, nobody stole."""
ISSUER = "tutuu-market"
AUDIENCE = "tutuu-api"
TYPE = "at+jwt"


@dataclass(frozen=True, slots=True)
class Claims:
    """What an accepted access token says."""

    user: uuid.UUID
    epoch: int
    device: uuid.UUID


class Signer:
    """Signs with the present key and accepts the previous one too."""

    def __init__(self, settings: Settings) -> None:
        seeds = [settings.jwt_seed or f"jwt:{settings.secret_key}"]
        if settings.jwt_previous_seed:
            seeds.append(settings.jwt_previous_seed)
        private = [Ed25519PrivateKey.from_private_bytes(hashlib.sha256(s.encode()).digest()) for s in seeds]
        self._key = private[0]
        self._public: dict[str, Ed25519PublicKey] = {_kid(k.public_key()): k.public_key() for k in private}
        self._kid = _kid(self._key.public_key())

    def sign(self, user: uuid.UUID, epoch: int, device: uuid.UUID) -> str:
        """An access token for a device of a person."""
        now = clock.now()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user),
            "iat": now,
            "nbf": now,
            "exp": now + ACCESS_LIFE,
            "jti": uuid.uuid4().hex,
            "epoch": epoch,
            "device": str(device),
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._kid, "typ": TYPE})

    def read(self, token: str) -> Claims:
        """The claims of a good token.

        Raises:
            NotSignedIn: forged, expired, of another type, for somebody else.
        """
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != TYPE:
                raise NotSignedIn("invalid_token")
            found: dict[str, Any] = jwt.decode(
                token,
                self._public[str(header.get("kid", ""))],
                algorithms=["EdDSA"],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=5,
                options={"require": ["exp", "iat", "nbf", "iss", "aud", "sub", "jti"]},
            )
            return Claims(uuid.UUID(found["sub"]), int(found["epoch"]), uuid.UUID(found["device"]))
        except (jwt.PyJWTError, KeyError, ValueError, TypeError):
            raise NotSignedIn("invalid_token") from None


def _kid(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def seal(successor: str, holder: str) -> bytes:
    """The next refresh token, readable only with the one that was presented."""
    return _box(holder).encrypt(successor.encode())


def unseal(sealed: bytes, holder: str) -> str:
    """The successor for a parallel retry.

    Raises:
        NotSignedIn: sealed for another token.
    """
    try:
        return _box(holder).decrypt(sealed).decode()
    except InvalidToken:
        raise NotSignedIn("invalid_token") from None


def _box(holder: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"successor:" + holder.encode()).digest()))
