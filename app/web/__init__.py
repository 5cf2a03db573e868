"""The pages: server-rendered, whole without JavaScript, parts for htmx. `init_app` wires them."""

from __future__ import annotations

import importlib
import time

import structlog
from flask import Flask, Response, g, request
from flask_wtf import CSRFProtect

from app import registry
from app.core import metrics
from app.core.db import session
from app.core.ids import uuid7
from app.settings import Settings
from app.web import errors, health

csrf = CSRFProtect()


def init_app(app: Flask, settings: Settings) -> None:
    """Register everything a page needs, in the order requests meet it."""
    app.before_request(start_request)
    app.after_request(count_request)
    csrf.init_app(app)
    errors.init_app(app)
    app.register_blueprint(health.pages)
    for where in registry.PAGE_BLUEPRINTS:
        module, _, name = where.partition(":")
        app.register_blueprint(getattr(importlib.import_module(module), name))


def start_request() -> None:
    """Name the request and make the reads of GET read-only."""
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if given.isalnum() and len(given) <= 64 else uuid7().hex
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if request.method in ("GET", "HEAD"):
        session.info["read_only"] = True


def count_request(response: Response) -> Response:
    """Count and time the request under its route template."""
    route = request.url_rule.rule if request.url_rule else "none"
    metrics.REQUESTS.labels(route, request.method, response.status_code).inc()
    metrics.SECONDS.labels(route).observe(time.perf_counter() - g.get("started", time.perf_counter()))
    response.headers["X-Request-Id"] = g.get("request_id", "")
    structlog.contextvars.unbind_contextvars("request_id")
    return response


__all__ = ["csrf", "init_app"]
