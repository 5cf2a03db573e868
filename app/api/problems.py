"""Refusals as application/problem+json (RFC 9457)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Response, g, jsonify

from app import texts
from app.core.errors import DomainError, Invalid
from app.texts.general import TITLES

TYPE = "/api/docs#errors"


def respond(error: DomainError) -> Response:
    """The problem document of a refusal."""
    message = texts.message(error)
    document: dict[str, Any] = {
        "type": f"{TYPE}-{error.code}",
        "title": str(TITLES.get(error.status, TITLES[422])),
        "status": error.status,
        "detail": message,
        "code": error.code,
        "errors": _fields(error),
        "request_id": g.get("request_id", ""),
    }
    extra = {key: plain(value) for key, value in error.context.items() if key not in document}
    response = jsonify(document | extra)
    response.status_code = error.status
    response.content_type = "application/problem+json"
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="tutuu"'
    if "retry_after" in error.context:
        response.headers["Retry-After"] = str(error.context["retry_after"])
    response.headers.extend(getattr(error, "headers", {}))
    return response


def _fields(error: DomainError) -> list[dict[str, Any]]:
    if not isinstance(error, Invalid):
        return []
    return [
        {"pointer": f.pointer, "code": f.code, "message": texts.error_text(f.code, f.context)} for f in error.errors
    ]


def plain(value: Any) -> Any:
    """JSON values of an error's context: decimals as strings, ids as text."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value if isinstance(value, str | int | float | bool | None) else str(value)
