"""Password hashes: argon2id with OWASP's minimum (m=19 MiB, t=2, p=1)."""

from __future__ import annotations

import functools
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.core.errors import Invalid

MIN_LENGTH = 8
MAX_LENGTH = 128
COMMON = frozenset((Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split())

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def use_cheapest() -> None:
    """Tests only: hashes that cost nothing."""
    global _hasher
    _hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    _dummy.cache_clear()


def check_strength(password: str, pointer: str = "/password") -> None:
    """Refuse what a guesser tries first; everything else is taken verbatim.

    Raises:
        Invalid: too short, too long or common.
    """
    if len(password) < MIN_LENGTH:
        raise Invalid.one(pointer, "too_short", minimum=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise Invalid.one(pointer, "too_long", maximum=MAX_LENGTH)
    if password.lower() in COMMON:
        raise Invalid.one(pointer, "common_password")


def hashed(password: str) -> str:
    """The hash to store."""
    return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether the password is right. Without a stored hash a dummy is checked, so that both take the same time."""
    try:
        return _hasher.verify(stored or _dummy(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with older parameters."""
    return _hasher.check_needs_rehash(stored)


@functools.cache
def _dummy() -> str:
    return _hasher.hash("nobody has this password")
