"""Words of buying as a company: approvals, quick orders, prices asked of sellers."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

ERRORS = {
    "limits_of_members_only": _("Only members have limits; owners and approvers spend without."),
    "limit_range": _("From 0 to %(maximum)s roubles."),
    "above_limit": _("The sum is above your limit in the company. Ask an owner or approver."),
    "approval_state": _("The request has been answered already."),
    "own_request": _("Nobody approves an own request. Ask another approver."),
    "too_many_lines": _("At most %(maximum)s lines at once. Send the rest after them."),
    "seller_offers_none": _("One of these sellers offers nothing of the list."),
    "too_many": _("At most %(maximum)s."),
    "price_range": _("Enter a price above zero."),
    "price_raised": _("After a counter-offer a price may not be higher than before (%(price)s)."),
    "offer_nothing": _("Name the price of at least one line, or decline the request."),
    "offer_end_range": _("The offer must end in the future, within %(maximum)s days."),
    "quote_state": _("The request is in another state now, so this cannot be done."),
    "quote_over": _("The time of the offer is over. Ask the seller for new prices."),
}
APPROVALS = {
    "waiting": _("waits for an answer"),
    "approved": _("approved"),
    "declined": _("declined"),
    "withdrawn": _("withdrawn"),
    "expired": _("nobody answered"),
}
ABOVE = {"order": _("above the limit of one purchase"), "month": _("above the limit of the month")}
QUOTES = {
    "requested": _("asked"),
    "offered": _("offer"),
    "countered": _("counter-offer"),
    "accepted": _("ordered"),
    "declined": _("declined"),
    "withdrawn": _("withdrawn"),
    "expired": _("expired"),
}
TONES = {
    "waiting": "warn", "approved": "ok", "declined": "bad", "requested": "warn", "offered": "ok", "countered": "warn",
    "accepted": "ok",
}  # fmt: skip
"""State -> tone of its tag; others are plain."""
QUICK = {
    "choose": _("the code fits several products: choose one"),
    "unit": _("it is not counted in this unit"),
    "sold_out": _("nobody has any now"),
    "missing": _("no such code"),
}
QUICK_NOTES = {
    "": "",
    "step": _("sold by whole packs: this is the nearest quantity"),
    "minimum": _("this is the smallest quantity that is sold"),
    "stock": _("only so much is there"),
    "required": _("how much?"),
    "not_a_number": _("the quantity is no number"),
    "too_many_digits": _("the quantity has too many digits"),
    "quantity_positive": _("the quantity must be more than zero"),
    "too_large": _("that is too much for one line"),
}
