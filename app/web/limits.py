"""Limits on guessing and asking: sign-in, registration, password links, codes of promotions, questions, links that open
nothing, messages to drivers.

Counted in Valkey, in memory while it is down.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Flask, current_app
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from app.core.errors import TooMany
from app.settings import Settings

RULES = {
    "login": "10 per 5 minutes",
    "login_address": "200 per 5 minutes",
    "register": "60 per hour",
    "forgot": "30 per hour",
    "forgot_account": "5 per hour",
    "reset": "20 per hour",
    "refresh": "300 per 5 minutes",
    "question": "10 per hour",
    "invite": "60 per hour",
    "invite_address": "5 per hour",
    "invitation_link": "60 per hour",
    "upload": "60 per hour",
    "code": "60 per hour",
    "tracking_miss": "60 per 10 minutes",
    "driver_message": "6 per 10 minutes",
}


def init_app(app: Flask, settings: Settings) -> None:
    """Set up the limiter; it limits nothing by itself, views call `hit`."""
    timeouts: dict[str, Any] = {"socket_connect_timeout": 0.3, "socket_timeout": 0.3}
    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri=settings.redis_url,
        storage_options=timeouts,
        swallow_errors=True,
    )
    app.extensions["market_limiter"] = limiter
    app.extensions["market_limiter_in_memory"] = FixedWindowRateLimiter(MemoryStorage())


def hit(rule: str, key: str) -> None:
    """Count one try.

    Raises:
        TooMany: the limit of the rule is reached for the key.
    """
    if not current_app.config["RATELIMIT_ENABLED"]:
        return
    item = parse(RULES[rule])
    name = hashlib.sha256(key.encode()).hexdigest()[:32]  # no addresses of people in the counter's server
    limiter: Limiter = current_app.extensions["market_limiter"]
    try:
        allowed = limiter.limiter.hit(item, rule, name)
    except (RedisError, OSError):  # the counter's server is down: this process counts by itself
        allowed = current_app.extensions["market_limiter_in_memory"].hit(item, rule, name)
    if not allowed:
        raise TooMany(int(item.get_expiry()))


def hit_sign_in(ip: str, email: str) -> None:
    """Count a sign-in: few for one account from one place, more for one place (many accounts, one password).

    Raises:
        TooMany.
    """
    hit("login", f"{ip}:{email.strip().casefold()}")
    hit("login_address", ip)


def hit_forgot(ip: str, email: str) -> None:
    """Count a request for a reset link, so that nobody's mailbox is flooded; known and unknown addresses alike.

    Raises:
        TooMany.
    """
    hit("forgot", ip)
    hit("forgot_account", email.strip().casefold())


def hit_invitation(user_id: int, address: str) -> None:
    """Count a mailed invitation: of the person who invites, and to one address, so that no mailbox is flooded.

    Raises:
        TooMany.
    """
    hit("invite", str(user_id))
    hit("invite_address", address.strip().casefold())
