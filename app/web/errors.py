"""Every refusal becomes one kind of page, or a part that says the same. The API has its own in app/api."""

from __future__ import annotations

from urllib.parse import quote

import structlog
from flask import Flask, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy import exc
from werkzeug.exceptions import HTTPException

from app import texts
from app.core.db import is_unavailable, session
from app.core.errors import DomainError, NotSignedIn, TooMany, Unavailable

log = structlog.get_logger(__name__)

PAGES = {403, 404, 405, 429, 500, 503}


def init_app(app: Flask) -> None:
    """Register the handlers of pages."""
    app.register_error_handler(DomainError, domain_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(exc.SQLAlchemyError, database_error)
    app.register_error_handler(Exception, crash)


def error_page(status: int, message: str = "") -> ResponseReturnValue:
    """The page of a status; the database may be down, so it reads nothing."""
    template = f"errors/{status if status in PAGES else 500 if status >= 500 else 404}.html"
    return render_template(template, message=message, status=status, request_id=g.get("request_id", "")), status


def domain_error(error: DomainError) -> ResponseReturnValue:
    """A refusal that no form caught."""
    session.rollback()
    if isinstance(error, NotSignedIn) and request.method == "GET":
        return redirect(f"/login?next={quote(request.full_path.rstrip('?'))}", code=302)
    if isinstance(error, NotSignedIn):
        return redirect("/login", code=303)
    body, status = error_page(error.status, texts.message(error))  # type: ignore[misc]  # always a pair
    if isinstance(error, Unavailable | TooMany):
        return body, status, {"Retry-After": str(error.context["retry_after"])}
    return body, status


def http_error(error: HTTPException) -> ResponseReturnValue:
    """Werkzeug's refusals: unknown address, method, too large, bad CSRF token."""
    code = "form_expired" if isinstance(error, CSRFError) else f"http_{error.code}"
    status = error.code or 500
    if status < 400 and error.response is not None:
        return error.response
    body, _ = error_page(status, texts.message(DomainError(code)))  # type: ignore[misc]  # always a pair
    allow = {"Allow": ", ".join(error.valid_methods)} if getattr(error, "valid_methods", None) else {}
    return body, status, allow


def database_error(error: exc.SQLAlchemyError) -> ResponseReturnValue:
    """Down, full or slow: 503 with Retry-After; anything else is a fault of ours."""
    if is_unavailable(error):
        return domain_error(Unavailable())
    return crash(error)


def crash(error: Exception) -> ResponseReturnValue:
    """A fault of ours: logged with its trace, told without details."""
    session.rollback()
    log.error("request_crashed", path=request.path, exc_info=error)
    return error_page(500)
