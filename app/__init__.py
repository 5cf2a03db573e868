"""Tutuu Market. `create_app` wires the application and does nothing else: no connection, no migration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Flask, current_app
from werkzeug.middleware.proxy_fix import ProxyFix

from app import access, api, cli, edge, registry, web
from app.accounts import passwords
from app.core import cache, logging, mail, storage
from app.core.db import db, engine_options, tell_after_commit
from app.payments import providers
from app.payments.test_provider import TestProvider
from app.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
MAX_BODY = 21 * 1024 * 1024
"""A file of 20 MB with the fields around it."""
MAX_FORM_MEMORY = 2 * 1024 * 1024


def create_app(settings: Settings) -> Flask:
    """The application for these settings. Web, workers, command line and tests all start here."""
    settings.check()
    logging.configure(pretty=settings.environment != "production")
    app = Flask("app", root_path=str(ROOT / "app"), template_folder="../templates", static_folder=None)
    configure(app, settings)
    use_roads_server(app, settings)
    db.init_app(app)
    registry.wire()
    tell_after_commit(forget_kept)
    if settings.argon2_cheap:
        passwords.use_cheapest()
    web.init_app(app, settings)
    api.init_app(app, settings)
    for blueprint in api.blueprints(app):
        web.csrf.exempt(blueprint)  # bearer tokens, never cookies: nothing to forge
    edge.init_app(app)
    cli.init_app(app)
    access.check_every_route_is_guarded(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # Flask's way to wrap
    return app


def forget_kept(name: str) -> None:
    """What was kept of `name` is out of date: a command that changed it is committed."""
    current_app.extensions["cache"].bump(name)


def use_roads_server(app: Flask, settings: Settings) -> None:
    """Road times from the server that the settings name; its answers are shared through the cache."""
    if not settings.roads_provider:
        return
    from app.logistics.routing import matrix, remote  # brings scipy, half a second: only where a server is named

    kept: cache.Cache = app.extensions["cache"]

    def keep(asked: str, find: Callable[[], str]) -> str:
        return kept.get_or_make("roads", asked, find, seconds=remote.KEEP_S)

    matrix.use_remote(remote.Remote(settings.roads_provider, settings.roads_url, keep))


def card_provider(settings: Settings) -> providers.Provider | None:
    """The provider of card payments that the settings name."""
    if settings.card_provider != "test":
        return None
    return TestProvider(settings.card_test_url, settings.card_secret)


def configure(app: Flask, settings: Settings) -> None:
    """Flask's own configuration and the kernel's servers, none of which is contacted here."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.pool_size),
        REDIS_URL=settings.redis_url,
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_MEMORY,
        MAX_FORM_PARTS=2000,
        WTF_CSRF_TIME_LIMIT=None,
        SESSION_COOKIE_NAME="tutuu",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        TESTING=settings.environment == "test",
    )
    app.extensions["settings"] = settings
    providers.use(card_provider(settings))
    app.extensions["cache"] = cache.Cache(settings.redis_url)
    app.extensions["storage"] = storage.open_storage(settings.storage, settings.s3_endpoint)
    app.extensions["mail"] = mail.open_backend(settings.mail_backend, settings.smtp_url)
