"""The pages: server-rendered, whole without JavaScript, parts for htmx. `init_app` wires them."""

from __future__ import annotations

import importlib
import time
from pathlib import Path

import structlog
from flask import Flask, Response, abort, g, request
from flask_wtf import CSRFProtect

from app import access, i18n, registry
from app.api import auth
from app.core import metrics
from app.core.db import session
from app.core.ids import uuid7
from app.core.permissions import Actor
from app.settings import Settings
from app.web import assets, chrome, filters, headers, health, htmx, limits, sessions

csrf = CSRFProtect()
ROOT = Path(__file__).resolve().parent.parent.parent
VAR = ROOT / "var"
"""Compiled texts and styles; made anew when it is lost."""


def init_app(app: Flask, settings: Settings) -> None:
    """Register everything a page needs, in the order requests meet it."""
    i18n.init_i18n(app, cache=VAR / "i18n", user_locale=lambda: access.actor().locale if _signed_in() else None)
    filters.init_filters(app, assets.init_assets(app, ROOT / "static", VAR / "static"))
    headers.init_headers(app, is_signed_in=_signed_in, tile_url=settings.tile_url)
    htmx.init_htmx(app)
    app.before_request(start_request)
    app.after_request(count_request)
    csrf.init_app(app)
    sessions.init_app(app)
    limits.init_app(app, settings)
    app.before_request(access.guard(load_actor))
    app.before_request(refuse_nul)
    app.context_processor(chrome.context)
    app.register_blueprint(health.pages)
    for where in registry.PAGE_BLUEPRINTS:
        module, _, name = where.partition(":")
        app.register_blueprint(getattr(importlib.import_module(module), name))


def load_actor() -> Actor:
    """The person behind a request: by token on the API, by session cookie on pages, never the other way round."""
    return auth.load_actor() if request.path.startswith("/api/v1") else sessions.load_actor()


def _signed_in() -> bool:
    return access.actor().is_signed_in


def start_request() -> None:
    """Name the request and make the reads of GET read-only."""
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if given.isalnum() and len(given) <= 64 else uuid7().hex
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if request.method in ("GET", "HEAD"):
        session.info["read_only"] = True


def refuse_nul() -> None:
    """NUL, which no text of the database can hold, makes a request unreadable wherever it stands."""
    given = [request.path, *(v for fields in (request.args, request.form) for _, v in fields.items(multi=True))]
    if any("\0" in text for text in given) or (request.is_json and b"\\u0000" in request.get_data()):
        abort(400)


def count_request(response: Response) -> Response:
    """Count and time the request under its route template."""
    route = request.url_rule.rule if request.url_rule else "none"
    metrics.REQUESTS.labels(route, request.method, response.status_code).inc()
    metrics.SECONDS.labels(route).observe(time.perf_counter() - g.get("started", time.perf_counter()))
    response.headers["X-Request-Id"] = g.get("request_id", "")
    structlog.contextvars.unbind_contextvars("request_id")
    return response


__all__ = ["csrf", "init_app"]
