"""The JSON API, /api/v1: the third face of the same core."""

from __future__ import annotations

import importlib

from flask import Flask, Response, request
from flask.sansio.blueprints import Blueprint

from app import registry
from app.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Register the operations, the document and CORS."""
    from app.api import auth, kernel, openapi  # after the package is importable: its modules import each other

    auth.init_app(app, settings)
    app.extensions["api_operations"] = []
    for where in registry.API_BLUEPRINTS:
        module, _, name = where.partition(":")
        blueprint: kernel.Api = getattr(importlib.import_module(module), name)
        app.register_blueprint(blueprint, url_prefix=kernel.PREFIX)
        app.extensions["api_operations"].extend(blueprint.operations)
    app.register_blueprint(openapi.docs)
    app.after_request(lambda response: allow_origin(response, settings.cors_origins))


def blueprints(app: Flask) -> list[Blueprint]:
    """All blueprints of the API."""
    return [b for b in app.blueprints.values() if b.name.startswith("api_")]


def allow_origin(response: Response, origins: tuple[str, ...]) -> Response:
    """CORS for exact origins, never with credentials."""
    if not request.path.startswith("/api/v1"):
        return response
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Origin")
    origin = request.headers.get("Origin", "")
    if origin in origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
        response.headers["Access-Control-Allow-Headers"] = (
            "Authorization, Content-Type, X-Device-Id, X-Cart-Token, Idempotency-Key, If-Match"
        )
        response.headers["Access-Control-Expose-Headers"] = "ETag, Location, X-Cart-Token, X-Request-Id, Retry-After"
    return response
