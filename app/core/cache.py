"""Cache of fragments and snapshots in Valkey with versioned keys. Valkey down is a miss, never an error.

An entry begins with the version that its name had when it was begun to be made. Bumping the version of a name makes all
its entries worthless at once. One question to Valkey brings both.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import redis
import structlog

log = structlog.get_logger(__name__)

TIMEOUT = 1.0
PAUSE_AFTER_FAILURE = 5.0
"""Seconds in which a Valkey that failed is not asked again."""


VERSION_SECONDS = 24 * 3600
"""A version may be forgotten once no entry that was made under an older one can be there any more."""


def _raise_version(client: redis.Redis, key: str) -> object:
    both = client.pipeline()
    both.incr(key)
    both.expire(key, VERSION_SECONDS)
    return both.execute()


class Cache:
    """A small client over one Valkey."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
        self._down_until = 0.0
        self._to_bump: set[str] = set()

    def get_or_make(self, name: str, detail: str, make: Callable[[], str], *, seconds: int = 300) -> str:
        """The cached text, or the made one (kept for `seconds`, at most `VERSION_SECONDS`)."""
        if name in self._to_bump:
            self.bump(name)
        key = self._key(name, detail)
        both = None if name in self._to_bump else self._call(lambda c: c.mget(f"version:{name}", key))
        if not isinstance(both, list):
            return make()
        start = (both[0] or b"0") + b"\n"
        if both[1] is not None and both[1].startswith(start):
            return bytes(both[1][len(start) :]).decode()
        text = make()
        self._call(lambda c: c.set(key, start + text.encode(), ex=seconds))
        return text

    def bump(self, name: str) -> None:
        """Forget everything kept under the name: now, or as soon as Valkey answers again."""
        self._to_bump.add(name)
        if self._call(lambda c: _raise_version(c, f"version:{name}")) is not None:
            self._to_bump.discard(name)

    def ping(self) -> bool:
        """Whether Valkey answers now."""
        self._down_until = 0.0
        return bool(self._call(lambda c: c.ping()))

    @staticmethod
    def _key(name: str, detail: str) -> str:
        return f"{name}:{hashlib.blake2b(detail.encode(), digest_size=16).hexdigest()}"

    def _call(self, command: Callable[[redis.Redis], object]) -> object:
        if time.monotonic() < self._down_until:
            return None
        try:
            return command(self._client)
        except redis.RedisError as error:
            self._down_until = time.monotonic() + PAUSE_AFTER_FAILURE
            log.warning("cache_down", error=str(error))
            return None
