"""Words of returns and claims: refusals, history, reasons, terms."""

from __future__ import annotations

from flask_babel import gettext, ngettext  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _

from app.offers.return_terms import Terms

ERRORS = {
    "return_days_range": _("From 1 to %(maximum)s days."),
    "return_fee_range": _("From 0 to %(maximum)s percent."),
    "return_no_leftovers": _("The seller does not take leftovers back."),
    "return_section": _("The seller does not take goods of this section back."),
    "return_too_late": _("The time to send it back is over."),
    "return_nothing_left": _("All of it is going back already."),
    "return_whole_packs": _("The seller takes back whole packs only."),
    "return_nothing": _("Say how much of at least one line goes back."),
    "return_state": _("The return is in another state now, so this cannot be done."),
    "return_came_empty": _("Nothing that came can be paid for. Reject the return with a reason."),
    "photos_required": _("Add at least one photograph."),
    "claim_state": _("The claim is in another state now, so this cannot be done."),
    "claim_open": _("There is an open claim on this line already."),
    "claim_decided": _("The operator has decided a claim on this line already."),
    "claim_too_late": _("Claims are taken within %(days)s days after the delivery."),
    "claim_sum": _("At most %(maximum)s roubles."),
}
HISTORY = {
    "return.requested": _("Asked to send goods back"),
    "return.approved": _("The return is approved"),
    "return.in_transit": _("The goods are on their way back"),
    "return.received": _("The goods that came back are counted"),
    "return.refunded": _("The return is paid back"),
    "return.rejected": _("The return is rejected"),
    "return.cancelled": _("The return is called off"),
    "return.escalated": _("The return is before the operator"),
    "claim.opened": _("A claim is opened"),
    "claim.agreed": _("The claim is agreed"),
    "claim.offered": _("The seller offers less on the claim"),
    "claim.refused": _("The seller refuses the claim"),
    "claim.escalated": _("The claim is before the operator"),
    "claim.settled": _("The operator has decided the claim"),
    "claim.withdrawn": _("The claim is taken back"),
}
RETURN_REASONS = {
    "leftover": _("left over, whole and unused"),
    "damaged": _("came damaged"),
    "wrong": _("not what was ordered"),
}
CLAIM_KINDS = {
    "damaged": _("came damaged"),
    "short": _("less came than was signed for"),
    "wrong": _("not what was ordered"),
}
WISHES = {
    "money": _("money back"),
    "replacement": _("a replacement"),
    "other": _("something else, as written"),
}
RIGHT = {
    "buyer": _("the buyer is right"),
    "seller": _("the seller is right"),
    "both": _("both are right in part"),
}
CARRIED = {
    "buyer": _("the buyer brings them"),
    "seller": _("the seller fetches them"),
}
REASONS = {
    "return": _("goods that came back"),
    "claim": _("a claim"),
    "return_no_answer": _("no answer from the seller"),
    "return_not_sent": _("nothing was sent in time"),
    "return_not_counted": _("nobody has counted the goods"),
    "return_came_empty": _("nothing that can be paid for"),
    "claim_no_answer": _("no answer from the seller"),
    "claim_no_reply": _("no reply from the buyer"),
    **{f"return:{code}": text for code, text in RETURN_REASONS.items()},
    **{f"claim:{code}": text for code, text in CLAIM_KINDS.items()},
}
RETURN_TABS = {
    "requested": _("To answer"),
    "coming": _("Expected back"),
    "received": _("Counted"),
    "stuck": _("Before the operator"),
    "over": _("Over"),
}
CLAIM_TABS = {
    "opened": _("To answer"),
    "answered": _("Answered"),
    "escalated": _("Before the operator"),
    "over": _("Over"),
}


def short(terms: Terms, *, excluded: bool = False) -> str:
    """Terms of leftovers in a few words, for a table."""
    if not terms.accepts or excluded:
        return str(gettext("no leftovers back"))
    text = str(ngettext("leftovers back %(num)s day", "leftovers back %(num)s days", terms.days))
    return f"{text}, −{terms.fee_percent.normalize():f} %" if terms.fee_percent else text


def whole(terms: Terms, sections: list[str]) -> list[str]:
    """Terms of leftovers as sentences."""
    if not terms.accepts:
        return [str(gettext("Leftovers are not taken back."))]
    told = [
        ngettext(
            "Leftovers are taken back within %(num)s day after the delivery.",
            "Leftovers are taken back within %(num)s days after the delivery.",
            terms.days,
        ),
        gettext("Whole packs only.") if terms.whole_packs else gettext("Opened packs too."),
        gettext("The buyer brings them.") if terms.carried_by == "buyer" else gettext("The seller fetches them."),
    ]
    if terms.fee_percent:
        told.append(
            gettext("The seller keeps %(percent)s %% for the work.", percent=f"{terms.fee_percent.normalize():f}")
        )
    if sections:
        told.append(gettext("Not taken back: %(sections)s.", sections=", ".join(sections)))
    return [str(one) for one in told]
