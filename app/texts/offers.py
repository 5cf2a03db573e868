"""Words of the seller's desk."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app.texts import returns

NOT_SOLD = {
    "": _("on sale"),
    "seller_closed": _("the company does not sell now"),
    "seller_holiday": _("the company is on holiday"),
    "seller_agreement": _("a newer agreement is not accepted"),
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

MOVEMENTS = {
    "received": _("received"),
    "allocated": _("promised to an order"),
    "released": _("promise given back"),
    "shipped": _("shipped"),
    "returned": _("returned by the buyer"),
    "adjusted": _("counted or put right"),
    "scrapped": _("scrapped"),
}
STOCK_REASONS = {
    "received": _("goods came in: adds"),
    "found": _("found: adds"),
    "lost": _("missing: takes away"),
    "damaged": _("damaged, scrapped: takes away"),
    "taken": _("taken for own use: takes away"),
}
"""Reasons of an adjustment, by `stock_desk.REASONS`."""
_SHORT_REASONS = {
    "received": _("goods came in"),
    "found": _("found"),
    "lost": _("missing"),
    "damaged": _("damaged, scrapped"),
    "taken": _("taken for own use"),
}
_OTHER_REASONS = {
    **{f"return_{code}": text for code, text in returns.RETURN_REASONS.items()},
    "stock_taking": _("stock-taking"),
    "opening stock": _("opening stock"),
    "placed": _("order placed"),
    "accepted_less": _("accepted less than ordered"),
    "cancelled_by_buyer": _("cancelled by the buyer"),
    "cancelled": _("order cancelled"),
    "rejected": _("order rejected"),
    "expired": _("order not answered in time"),
    "delivered": _("delivered"),
}


def stock_reason(reason: str) -> str:
    """Why stock moved, as a movement keeps it: a code, a note behind it, or a person's own words."""
    code, _colon, note = reason.partition(": ")
    if code not in STOCK_REASONS and code not in _OTHER_REASONS:
        return reason
    text = str(_OTHER_REASONS.get(code) or _SHORT_REASONS[code])
    return f"{text}: {note}" if note else text


ERRORS = {
    "already_decided": _("This was decided meanwhile."),
    "nothing_chosen": _("Choose at least one offer."),
    "nothing_to_change": _("Zero changes nothing."),
}
