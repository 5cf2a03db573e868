"""The gate in front of every view: a route declares its permission or cannot be registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, abort, current_app, g, request
from flask.blueprints import BlueprintSetupState

from app.core.permissions import ANONYMOUS, Actor, Permission, require

_KEY = "tutuu_permissions"
OPEN_ENDPOINTS = frozenset({"static"})


class Guarded(Blueprint):
    """A blueprint whose routes must name a permission: `@pages.get("/cart", permission=Permission.CART)`."""

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Any = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        permission = options.pop("permission", None)
        if not isinstance(permission, Permission):
            raise TypeError(f"route {rule} of {self.name} declares no permission")
        name = endpoint or view_func.__name__

        def remember(state: BlueprintSetupState) -> None:
            full_name = f"{state.name_prefix}.{state.name}.{name}".lstrip(".")
            state.app.extensions.setdefault(_KEY, {})[full_name] = permission

        self.record(remember)
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)


def permissions(app: Flask) -> dict[str, Permission]:
    """Endpoint -> permission of every registered route."""
    found: dict[str, Permission] = app.extensions.setdefault(_KEY, {})
    return found


def check_every_route_is_guarded(app: Flask) -> None:
    """Called at the end of create_app.

    Raises:
        RuntimeError: a route came in past `Guarded`.
    """
    known = permissions(app)
    naked = {r.endpoint for r in app.url_map.iter_rules()} - known.keys() - OPEN_ENDPOINTS
    if naked:
        raise RuntimeError(f"routes without a permission: {sorted(naked)}")


def guard(load_actor: Callable[[], Actor]) -> Callable[[], None]:
    """A before_request function: finds out who asks, then opens or refuses the door.

    Reads of GET and HEAD run in read-only transactions.
    """

    def before_request() -> None:
        g.actor = ANONYMOUS
        endpoint = request.endpoint
        if endpoint is None or endpoint in OPEN_ENDPOINTS or request.method == "OPTIONS":
            return
        permission = permissions(current_app).get(endpoint)
        if permission is None:
            abort(404)
        g.actor = load_actor()
        require(g.actor, permission)

    return before_request


def actor() -> Actor:
    """Who acts in this request."""
    found: Actor = g.get("actor", ANONYMOUS)
    return found
