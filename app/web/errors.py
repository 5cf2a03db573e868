"""Refusals as pages. They read nothing from the database, which may be what is down."""

from __future__ import annotations

from urllib.parse import quote

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app import texts
from app.core.errors import DomainError, NotSignedIn

TEMPLATES = {403, 404, 405, 429, 500, 503}


def respond(error: DomainError) -> ResponseReturnValue:
    """The page of a refusal; an anonymous visitor of a closed page goes to the sign-in first."""
    if isinstance(error, NotSignedIn):
        target = f"/login?next={quote(request.full_path.rstrip('?'))}" if request.method == "GET" else "/login"
        return redirect(target, code=303)
    g.refusing = True
    own = error.status if error.status in TEMPLATES else 500 if error.status >= 500 else None
    body = render_template(
        f"errors/{own}.html" if own else "errors/refused.html",
        message=texts.message(error),
        status=error.status,
        request_id=g.get("request_id", ""),
    )
    return body, error.status, headers(error)


def headers(error: DomainError) -> dict[str, str]:
    """Retry-After of a limit or an outage, Allow of a wrong method."""
    found: dict[str, str] = dict(getattr(error, "headers", {}))
    if "retry_after" in error.context:
        found["Retry-After"] = str(error.context["retry_after"])
    return found
