"""Words of the seller's desk."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

NOT_SOLD = {
    "": _("on sale"),
    "seller_closed": _("the company does not sell now"),
    "blocked": _("blocked by the operator"),
    "hidden": _("hidden by you"),
    "product_hidden": _("the product card is hidden"),
    "no_stock": _("sold out"),
    "warehouses_closed": _("lies in a closed warehouse"),
    "all_promised": _("all promised to orders"),
    "safety_stock": _("only the safety stock is left"),
}
"""Why an offer cannot be bought, by `DeskOffer.why_not_sold`."""

BULK_ACTIONS = {
    "percent": _("Change the price by a percentage"),
    "add": _("Change the price by roubles"),
    "price": _("Set the price, roubles"),
    "lead_time": _("Days to make ready"),
    "show": _("Put on sale"),
    "hide": _("Hide"),
}
ROUNDINGS = {1: _("to a kopek"), 100: _("to a rouble"), 1000: _("to 10 roubles")}
BULK_REFUSALS = {
    "same": _("already so"),
    "blocked": _("blocked by the operator"),
    "price_range": _("the price would be below a kopek or too large"),
    "ladder_order": _("the price would not be above the steps of its ladder"),
}

ERRORS = {
    "nothing_chosen": _("Choose at least one offer."),
    "nothing_to_change": _("Zero changes nothing."),
}
