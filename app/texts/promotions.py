"""Words of promotions: refusals, states, what a code comes to."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

CODES = {
    "unknown": _("There is no such code."),
    "ended": _("This code does not hold any more."),
    "not_yet": _("This code holds from %(day)s."),
    "used_up": _("This code has been used as often as it may be."),
    "used_by_you": _("You have used this code already."),
    "first_order": _("This code is for a first order only."),
    "too_small": _("Goods of this discount for %(missing)s more, and the code works."),
    "other_goods": _("The code is not for the goods in the cart."),
    "not_best": _("Another discount on these goods is larger, and the two do not add up."),
}
"""What a code in the cart comes to, by problem."""
ERRORS = {
    **{f"code_{name}": text for name, text in CODES.items()},
    "code_malformed": _("3 to 32 letters, figures and hyphens, without blanks."),
    "code_taken": _("A running promotion has this code."),
    "percent_or_amount": _("Name either a percent or a sum."),
    "discount_percent_range": _("More than 0 and at most 99 percent: a discount leaves a price."),
    "discount_amount_range": _("More than zero."),
    "cap_of_percent": _("Only a percent is capped."),
    "own_cost_only": _("A seller bears the own discounts whole."),
    "limit_of_uses": _("From 1 to %(maximum)s."),
    "priority_range": _("From 0 to 10,000."),
    "unknown_skus": _("No such SKU among the seller's offers: %(skus)s."),
    "promotion_used": _("Somebody has used it already: it can only be stopped. Make another one."),
    "promotion_stopped": _("It is stopped for good. Make another one."),
    "discount_changed": _("A discount does not hold any more. The cart is as it was."),
}
WHY = {
    "ended": _("the promotion is over"),
    "not_yet": _("the promotion has not begun"),
    "used_up": _("others were faster: it has been used as often as it may be"),
    "used_by_you": _("it has been used as often as one buyer may"),
    "first_order": _("it is for a first order only"),
    "changed": _("its terms were changed"),
}
"""Why a promised discount is gone."""
STATES = {
    "running": _("in force"),
    "planned": _("has not begun"),
    "ended": _("is over"),
    "used_up": _("used up"),
    "stopped": _("stopped for good"),
}
TONES = {"running": "ok", "planned": "warn"}
SCOPES = {
    "all": _("all goods"),
    "categories": _("sections with all below them"),
    "offers": _("named offers"),
}


def code_said(problem: str, missing: str = "", day: str = "") -> str:
    """What to tell of a code in the cart; amounts and days come as people read them."""
    return str(CODES[problem]) % {"missing": missing, "day": day}
