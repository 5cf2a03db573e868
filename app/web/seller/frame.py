"""The frame of a seller's cabinet: sections and how many orders, reviews and questions wait."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app.core.permissions import Actor, Permission, may
from app.feedback import queries as feedback
from app.orders import seller_queries as orders
from app.orders.case_queries import waiting_for_seller


def context(actor: Actor) -> dict[str, Any]:
    """Names that `layouts/office.html` uses."""
    place = actor.seller
    reviews, questions = feedback.waiting_for_seller(actor.seller_id)
    back = waiting_for_seller(actor.seller_id)
    sections = [
        ("/seller/overview", _("Overview"), "layout-dashboard", Permission.SELLER_ORDERS, 0),
        ("/seller/orders", _("Orders"), "package", Permission.SELLER_VIEW, orders.count_new(actor.seller_id)),
        ("/seller/quotes", _("Price requests"), "message-square", Permission.SELLER_ORDERS, 0),
        ("/seller/offers", _("Offers"), "tags", Permission.SELLER_OFFERS, 0),
        ("/seller/promotions", _("Promotions"), "percent", Permission.SELLER_OFFERS, 0),
        ("/seller/stock", _("Stock"), "layers", Permission.SELLER_STOCK, 0),
        ("/seller/returns", _("Returns"), "undo-2", Permission.SELLER_VIEW, back.returns),
        ("/seller/claims", _("Claims"), "circle-alert", Permission.SELLER_VIEW, back.claims),
        ("/seller/reviews", _("Reviews"), "star", Permission.SELLER_ORDERS, reviews),
        ("/seller/questions", _("Questions"), "circle-help", Permission.SELLER_OFFERS, questions),
        ("/seller/imports", _("Price lists"), "upload", Permission.SELLER_OFFERS, 0),
        ("/seller/changes", _("Cards"), "pencil", Permission.SELLER_OFFERS, 0),
        ("/seller/documents", _("Certificates"), "badge-check", Permission.SELLER_OFFERS, 0),
        ("/seller/warehouses", _("Warehouses"), "warehouse", Permission.SELLER_STOCK, 0),
        ("/seller/money", _("Money"), "wallet", Permission.SELLER_MONEY, 0),
        ("/seller/return-terms", _("Terms of returns"), "undo-2", Permission.SELLER_OFFERS, 0),
        ("/seller/holiday", _("Holiday"), "calendar", Permission.SELLER_OFFERS, 0),
        (f"/account/organisations/{place.organisation_public_id if place else ''}", _("Company and team"), "users",
         Permission.SELLER_VIEW, 0),
    ]  # fmt: skip
    return {
        "nav": [
            {"url": url, "label": label, "icon": icon, "count": count}
            for url, label, icon, permission, count in sections
            if may(actor, permission)
        ],
        "office_name": place.organisation_name if place else "",
        "office_role": "",
        "other_places": [m for m in actor.memberships if m.is_seller and m != place],
        "suspended": place is not None and place.status == "suspended",
    }
