"""The frame of a seller's cabinet: sections and the number of orders that wait."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app.core.permissions import Actor, Permission, may
from app.orders import seller_queries as orders


def context(actor: Actor) -> dict[str, Any]:
    """Names that `layouts/office.html` uses."""
    place = actor.seller
    sections = [
        ("/seller/overview", _("Overview"), "layout-dashboard", Permission.SELLER_ORDERS, 0),
        ("/seller/orders", _("Orders"), "package", Permission.SELLER_VIEW, orders.count_new(actor.seller_id)),
        ("/seller/offers", _("Offers"), "tags", Permission.SELLER_OFFERS, 0),
        ("/seller/changes", _("Cards"), "pencil", Permission.SELLER_OFFERS, 0),
        ("/seller/imports", _("Price lists"), "upload", Permission.SELLER_OFFERS, 0),
        ("/seller/documents", _("Certificates"), "badge-check", Permission.SELLER_OFFERS, 0),
        ("/seller/stock", _("Stock"), "layers", Permission.SELLER_STOCK, 0),
        ("/seller/warehouses", _("Warehouses"), "warehouse", Permission.SELLER_STOCK, 0),
    ]
    return {
        "nav": [
            {"url": url, "label": label, "icon": icon, "count": count}
            for url, label, icon, permission, count in sections
            if may(actor, permission)
        ],
        "office_name": place.organisation_name if place else "",
        "office_role": "",
    }
