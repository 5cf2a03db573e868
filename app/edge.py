"""Where refusals leave the program: any exception becomes one DomainError, and that a page or problem+json."""

from __future__ import annotations

import structlog
from flask import Flask, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy import exc
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.api import problems
from app.core.db import is_unavailable, session
from app.core.errors import DomainError, Unavailable
from app.web import errors as pages

log = structlog.get_logger(__name__)


class HttpRefusal(DomainError):
    """What Werkzeug refuses by itself: unknown address, method, size, content type."""

    def __init__(self, error: HTTPException) -> None:
        super().__init__("form_expired" if isinstance(error, CSRFError) else f"http_{error.code}")
        self.status = error.code or 500
        allowed = error.valid_methods if isinstance(error, MethodNotAllowed) else None
        self.headers = {"Allow": ", ".join(allowed)} if allowed else {}


class Crash(DomainError):
    """A fault of ours; told without details."""

    status = 500

    def __init__(self) -> None:
        super().__init__("internal_error")


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(DomainError, refuse)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(exc.SQLAlchemyError, database_error)
    app.register_error_handler(Exception, crash)


def refuse(error: DomainError) -> ResponseReturnValue:
    """A refusal that no form caught."""
    session.rollback()
    if request.path.startswith("/api/v1"):
        return problems.respond(error)
    return pages.respond(error)


def http_error(error: HTTPException) -> ResponseReturnValue:
    """Werkzeug's own refusals; a ready response (a redirect) passes through."""
    if error.response is not None:
        return error.response
    if error.code is not None and error.code < 400:
        return error.get_response()
    return refuse(HttpRefusal(error))


def database_error(error: exc.SQLAlchemyError) -> ResponseReturnValue:
    """Down, full or slow: 503 with Retry-After; anything else is a fault of ours."""
    return refuse(Unavailable()) if is_unavailable(error) else crash(error)


def crash(error: Exception) -> ResponseReturnValue:
    """A fault of ours: logged with its trace, under the route and not the address, which may hold a secret link."""
    log.error("request_crashed", route=request.url_rule.rule if request.url_rule else "none", exc_info=error)
    return refuse(Crash())
