"""What every page's frame shows: who is here, how much is in the cart, the top of the catalogue."""

from __future__ import annotations

from typing import Any

from flask import current_app, g, request

from app import access
from app.catalog import queries as catalog
from app.orders import queries as orders
from app.web import sites
from app.web.filters import language
from app.web.sessions import guest_cart_token


def cart_count() -> int:
    """How many positions are in the cart of this request."""
    return orders.cart_count(access.actor(), guest_cart_token(), current_app.extensions["cache"])


def context() -> dict[str, Any]:
    """Names that layouts use. The page of a refusal reads nothing: the database may be what is down."""
    actor = access.actor()
    if g.get("refusing") or request.path.startswith("/api/"):
        return {"actor": actor, "locale": language(), "theme": request.cookies.get("theme", "")}
    return {
        "actor": actor,
        "cart_count": cart_count,
        "chosen_site": sites.chosen,
        "top_categories": catalog.top_categories(language(), current_app.extensions["cache"]),
        "locale": language(),
        "theme": request.cookies.get("theme", ""),
    }
