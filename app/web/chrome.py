"""What every page's frame shows: who is here, how much is in the cart, the top of the catalogue."""

from __future__ import annotations

from typing import Any

from flask import current_app, request

from app import access
from app.catalog import queries as catalog
from app.core.permissions import Actor
from app.orders import queries as orders
from app.web.filters import language
from app.web.sessions import guest_cart_token


class Frame:
    """Values of the frame, each read only if the template asks: an error page asks for none."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    @property
    def cart_count(self) -> int:
        return orders.cart_count(self._actor, guest_cart_token())


def context() -> dict[str, Any]:
    """Names that layouts use."""
    if request.path.startswith("/api/v1"):
        return {}
    actor = access.actor()
    return {
        "actor": actor,
        "frame": Frame(actor),
        "top_categories": catalog.top_categories(language(), current_app.extensions["cache"]),
        "locale": language(),
        "theme": request.cookies.get("theme", ""),
    }
