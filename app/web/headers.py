"""Security and cache headers of every answer. Pages load nothing from elsewhere, so the policy is one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import request
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from flask import Flask, Response

POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
NOWHERE = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
ON_THE_ROAD = "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()"
"""Couriers photograph what they unload and send where they are."""
ONE_YEAR = 31_536_000


def content_security_policy(tile_url: str = "", *, own_pictures: bool = False) -> str:
    """The policy; pictures of a map server are allowed when one is configured.

    Args:
        own_pictures: the page shows pictures that the phone has just taken and not yet sent.
    """
    sources = ["blob:"] if own_pictures else []
    if tile_url:
        parts = urlsplit(tile_url.replace("{s}.", "*."))
        sources.append(f"{parts.scheme}://{parts.netloc}")
    return f"{POLICY}; img-src 'self' {' '.join(sources)}" if sources else POLICY


def init_headers(
    app: Flask,
    *,
    is_signed_in: Callable[[], bool],
    secure: bool = False,
    tile_url: str = "",
) -> None:
    """Add the headers to every answer of `app`.

    Args:
        is_signed_in: asks whether the present request belongs to a person; their pages are not stored anywhere.
        secure: the site is reached by https only, so browsers may insist on it.
        tile_url: address pattern of map tiles, or empty.
    """
    policy = content_security_policy(tile_url)
    on_the_road = content_security_policy(tile_url, own_pictures=True)

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        driving = request.path.startswith("/courier")
        headers.setdefault("Content-Security-Policy", on_the_road if driving else policy)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault(
            "Permissions-Policy",
            ON_THE_ROAD if driving else NOWHERE,
        )
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if secure:
            headers.setdefault("Strict-Transport-Security", f"max-age={ONE_YEAR}; includeSubDomains")
        if response.mimetype == "text/html":
            response.vary.update(("HX-Request", "Cookie"))
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store" if _private(is_signed_in) else "no-cache"
        return response


def _private(is_signed_in: Callable[[], bool]) -> bool:
    """Whether the answer may hold personal data; when the session cannot be read, it may."""
    try:
        return is_signed_in()
    except SQLAlchemyError:  # the database may be down: the error page must still leave, and must not be kept
        return True
