"""Cache of fragments and snapshots in Valkey with versioned keys. Valkey down is a miss, never an error.

A key is `name:version:detail`. Bumping the version of a name makes all its entries unreachable at once.
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


class Cache:
    """A small client over one Valkey."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
        self._down_until = 0.0
        self._to_bump: set[str] = set()

    def get_or_make(self, name: str, detail: str, make: Callable[[], str], *, seconds: int = 300) -> str:
        """The cached text, or the made one (kept for `seconds`)."""
        key = self._key(name, detail)
        found = self._call(lambda c: c.get(key)) if key else None
        if isinstance(found, bytes):
            return found.decode()
        text = make()
        if key:
            self._call(lambda c: c.set(key, text, ex=seconds))
        return text

    def bump(self, name: str) -> None:
        """Forget everything kept under the name: now, or as soon as Valkey answers again."""
        self._to_bump.add(name)
        if self._call(lambda c: c.incr(f"version:{name}")) is not None:
            self._to_bump.discard(name)

    def ping(self) -> bool:
        """Whether Valkey answers now."""
        self._down_until = 0.0
        return bool(self._call(lambda c: c.ping()))

    def _key(self, name: str, detail: str) -> str | None:
        if name in self._to_bump:
            self.bump(name)
        version = None if name in self._to_bump else self._call(lambda c: c.get(f"version:{name}") or b"0")
        if not isinstance(version, bytes):
            return None
        digest = hashlib.blake2b(detail.encode(), digest_size=16).hexdigest()
        return f"{name}:{version.decode()}:{digest}"

    def _call(self, command: Callable[[redis.Redis], object]) -> object:
        if time.monotonic() < self._down_until:
            return None
        try:
            return command(self._client)
        except redis.RedisError as error:
            self._down_until = time.monotonic() + PAUSE_AFTER_FAILURE
            log.warning("cache_down", error=str(error))
            return None
