"""Addresses of pages. Lists of hundreds of links are built with these, because `url_for` costs more than a page."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

HOME = "/"
CATALOG = "/catalog"
SEARCH = "/search"
ESTIMATES = "/estimates"
CART = "/cart"
CHECKOUT = "/checkout"
ORDERS = "/orders"
LOGIN = "/login"
REGISTER = "/register"
LOGOUT = "/logout"
ACCOUNT = "/account"
PREFERENCES = "/preferences"
MAP_BASE = "/map/base.json"
"""GeoJSON of streets and water under every map."""


def category_path(slug: str) -> str:
    """A page of the catalogue."""
    return f"{CATALOG}/{quote(slug, safe='')}"


def product_path(slug: str) -> str:
    """The page of a product."""
    return f"/product/{quote(slug, safe='')}"


def search_path(query: str = "") -> str:
    """Search, with what is looked for."""
    return with_query(SEARCH, q=query)


def estimate_path(public_id: object) -> str:
    """A saved estimate."""
    return f"{ESTIMATES}/{public_id}"


def new_estimate_path(assembly: str) -> str:
    """The form of dimensions of an assembly."""
    return f"{ESTIMATES}/new/{quote(assembly, safe='')}"


def order_path(number: str) -> str:
    """A buyer's order."""
    return f"{ORDERS}/{quote(number, safe='')}"


def tracking_path(token: str) -> str:
    """The page that follows a delivery without a login."""
    return f"/t/{quote(token, safe='')}"


def with_query(path: str, query: Mapping[str, object] | None = None, /, **changes: object) -> str:
    """`path` with a query string; None and empty values are left out, lists repeat the name.

    Args:
        query: what the present address asks, e.g. `request.args.to_dict(flat=False)`.
        changes: names to set or, with None, to take away.
    """
    wanted = {**(query or {}), **changes}
    pairs = [
        (name, str(item))
        for name, value in wanted.items()
        for item in (value if isinstance(value, list | tuple) else [value])
        if item is not None and item != ""
    ]
    return f"{path}?{urlencode(pairs)}" if pairs else path
