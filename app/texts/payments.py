"""Words of money: refusals, kinds of rows of the ledger, states."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

ERRORS = {
    "refund_state": _("The refund is in another state now, so this cannot be done."),
    "refund_too_early": _("Money is given back by hand once the order is completed and paid."),
    "refund_exceeds_paid": _("Together with other refunds this would be more than was paid."),
    "refund_most": _("From 0 to %(maximum)s roubles."),
    "refund_goods_sum": _("The goods must be the sum of the lines."),
    "refund_nothing": _("Name an amount."),
    "refund_is_due": _("This was not handed over, so it has to go back to the buyer."),
    "refund_goes_to_card": _("The money goes back to the card by itself."),
    "refund_needs_payee": _("The buyer has not named an account yet."),
    "same_person": _("Another person has to agree: not the one who asked."),
    "pallets_none": _("Count at least one pallet."),
    "pallets_counted": _("Pallets of this order were counted meanwhile. Look at the numbers and count again."),
    "payout_state": _("The payout is in another state now, so this cannot be done."),
    "correction_state": _("This is decided already."),
    "correction_amount": _("Not zero, and at most %(maximum)s roubles."),
    "percent_range": _("From 0 to 100."),
    "amount_range": _("Not less than zero."),
    "upper_above_lower": _("The upper bound must be above the lower one."),
    "last_before_first": _("The last day is before the first."),
}
KINDS = {
    "sale": _("Goods handed over"),
    "commission": _("Fee of the market"),
    "delivery": _("Delivery"),
    "refund": _("Refund to the buyer"),
    "correction": _("Correction"),
    "payout": _("Paid out"),
    "payout_failed": _("Payout came back"),
    "promotion": _("Discounts that the market bears"),
    "deposit": _("Deposit for pallets"),
    "deposit_returned": _("Deposit for pallets that came back"),
}
SKIPPED = {
    "bank_missing": _("no confirmed bank details"),
    "too_little": _("less than the smallest payout"),
}
VERDICTS = {
    "day": _("does not hold today"),
    "seller": _("another seller"),
    "category": _("another category"),
    "amount": _("another amount"),
    "": _("matches"),
}
