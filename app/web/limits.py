"""Limits on guessing: sign-in, registration, password links. Counted in Valkey, in memory while it is down."""

from __future__ import annotations

from flask import Flask, current_app
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import parse

from app.core.errors import TooMany
from app.settings import Settings

RULES = {"login": "10 per 5 minutes", "register": "60 per hour", "forgot": "10 per hour", "reset": "20 per hour"}


def init_app(app: Flask, settings: Settings) -> None:
    """Set up the limiter; it limits nothing by itself, views call `hit`."""
    app.config.setdefault("RATELIMIT_ENABLED", settings.environment != "test")
    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri=settings.redis_url,
        storage_options={"socket_connect_timeout": 0.3, "socket_timeout": 0.3},  # type: ignore[dict-item]  # parts of a second are fine
        in_memory_fallback=["10000 per minute"],
        in_memory_fallback_enabled=True,
        swallow_errors=True,
    )
    app.extensions["market_limiter"] = limiter


def hit(rule: str, key: str) -> None:
    """Count one try.

    Raises:
        TooMany: the limit of the rule is reached for the key.
    """
    if not current_app.config["RATELIMIT_ENABLED"]:
        return
    limiter: Limiter = current_app.extensions["market_limiter"]
    item = parse(RULES[rule])
    try:
        allowed = limiter.limiter.hit(item, rule, key)
    except Exception:  # noqa: BLE001  # any failure of the counter's server: counting stops, signing in does not
        return
    if not allowed:
        raise TooMany(int(item.get_expiry()))
