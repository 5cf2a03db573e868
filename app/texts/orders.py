"""Words of ordering: refusals, history, reasons."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app.texts import logistics, returns

ERRORS = {
    "quantity_positive": _("The quantity must be more than zero."),
    "quantity_step": _("It is sold by %(step)s: choose a quantity that divides by it."),
    "offer_not_on_sale": _("This offer is not on sale."),
    "unit_not_sold": _("This offer is sold in another unit."),
    "sold_out": _("There is not enough of it for even the smallest quantity."),
    "cart_full": _("A cart holds at most %(maximum)s lines."),
    "cart_empty": _("The cart is empty."),
    "stock_changed": _("Something is no longer there in the quantity you want. Look at the differences."),
    "price_changed": _("Prices have changed since you saw them. Look at the differences."),
    "quote_expired": _("The prices were held for 15 minutes and that time is over. Look at them again."),
    "quote_outdated": _("The cart has changed since the prices were shown. Look at them again."),
    "day_out_of_range": _("Choose a day from %(minimum)s to %(maximum)s."),
    "too_much_for_cash": _("Cash is taken up to %(maximum)s roubles. Choose payment by invoice."),
    "phone_malformed": _("A phone has 11 digits, for example +7 916 123-45-67."),
    "order_state": _("The order is in another state now, so this cannot be done."),
    "fulfilment_state": _("The goods are in another state now, so this cannot be done."),
    "accept_deadline_passed": _("The time to answer is over; the order is being called off."),
    "too_late_to_cancel": _("The warehouse is already picking the order. Call the seller."),
    "line_twice": _("The line is named twice."),
    "site_or_address": _("Name either one of your sites or an address."),
    "unknown_order_line": _("There is no such line in this order."),
    "counted_range": _("From 0 to %(maximum)s."),
    "accept_nothing": _("Nothing would be left. Reject the order instead."),
    "proposal_empty": _("Nothing is changed. Take off what you do not have, or accept the order."),
    "proposal_open": _("A change is proposed already. Wait for the answer or take it back."),
    "proposal_over": _("The time to answer the proposal is over."),
    "proposal_state": _("The proposal has been answered or taken back."),
    "not_a_substitute": _("It cannot stand in: choose a product of yours with the same attributes."),
    "nothing_to_replace": _("The line is kept whole, so there is nothing to replace."),
    "substitute_dearer": _("It may cost at most %(maximum)s roubles, as what it replaces."),
    "substitute_heavier": _("It is heavier or longer than what it replaces; the truck was chosen for that."),
    "substitute_gone": _(
        "What was proposed has been sold to others meanwhile. Decline it, or ask the seller for another."
    ),
    "nothing_found": _("Nothing would be loaded. Count at least one line."),
}

HISTORY = {
    "order.placed": _("Order placed"),
    "order.accepted": _("The seller accepted the order"),
    "order.rejected": _("The seller rejected the order"),
    "order.expired": _("The seller did not answer in time"),
    "order.cancelled": _("The order is cancelled"),
    "order.completed": _("The order is completed"),
    "order.lines_cancelled": _("Some of the goods are cancelled"),
    "order.change_proposed": _("The seller proposes a change"),
    "order.change_declined": _("The change is declined"),
    "order.change_withdrawn": _("The seller took the proposal back"),
    "order.change_expired": _("The proposed change was not answered"),
    "order.pallets_returned": _("Returnable pallets came back"),
    "order.recounted": _("The sum was recalculated"),
    "fulfilment.picking": _("The warehouse is picking"),
    "fulfilment.ready": _("Ready for loading"),
    "fulfilment.handed_over": _("The warehouse has handed it over"),
    "fulfilment.in_transit": _("On the way to you"),
    "fulfilment.delivered": _("Delivered"),
    "fulfilment.partially_delivered": _("Delivered in part"),
    "fulfilment.failed": _("Could not be delivered"),
    "fulfilment.returning": _("Going back to the warehouse"),
    "fulfilment.returned": _("Back at the warehouse"),
    "fulfilment.cancelled": _("The trip is cancelled"),
    "fulfilment.moved": _("The day was moved"),
    "fulfilment.new_code": _("A new code for the counter"),
    "refund.requested": _("A refund was asked for"),
    "refund.approved": _("The refund is approved"),
    "refund.declined": _("The refund was declined"),
    "refund.payee_named": _("The account for the refund is named"),
    "refund.paid": _("Money was paid back"),
    "payment.paid": _("Paid"),
    "payment.overdue": _("The invoice is overdue"),
    **returns.HISTORY,
}

REASONS = {
    "accepted_less": _("the seller has less"),
    "change_accepted": _("as proposed by the seller"),
    "not_found": _("not all was found at the warehouse"),
    "not_delivered": _("not all was handed over"),
    "nothing_to_carry": _("nothing is left to carry"),
    "rejected": _("rejected by the seller"),
    "expired": _("no answer from the seller"),
    "cancelled": _("cancelled by the buyer"),
    "cancelled_by_buyer": _("cancelled by the buyer"),
    "not_paid": _("not paid in time"),
    "not_collected": _("nobody came for it in time"),
    "pallets_returned": _("returnable pallets came back"),
}

ALLOCATION = {
    "all_here": _("everything is in one warehouse"),
    "nearest": _("the nearest warehouse that has everything"),
    "fewest": _("as few trips as possible"),
    "split": _("no warehouse has all of it, so it is split"),
}

PAYMENT = {
    "invoice": _("by bank invoice"),
    "cash": _("in cash to the driver"),
    "card": _("by card"),
}

CHANGE_NOTES = {
    "step": _("rounded up to whole packs"),
    "minimum": _("raised to the smallest quantity"),
    "stock": _("cut to what is in stock"),
    "sold_out": _("sold out, left out"),
    "cart_full": _("the cart is full, left out"),
    "not_on_sale": _("nobody sells it now, left out"),
}


def reason(code: str) -> str:
    """Why something happened: our own reasons, those of couriers, or what a person typed."""
    return said({**logistics.FAIL_REASONS, **logistics.SHORT_REASONS, **returns.REASONS, **REASONS}, code)


def said(words: Mapping[str, object], code: str) -> str:
    """The words for a code; a code without words is shown as it was typed."""
    return str(words.get(code, code))
