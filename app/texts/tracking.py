"""What people read for codes of tracking, papers and pay of carrying."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext as _

from app.texts import logistics

ERRORS = {
    "too_many_messages": _("%(maximum)s messages are enough: call the driver."),
    "period_billed": _("Days of this period are invoiced already, up to %(last)s."),
    "period_not_over": _("A period can be invoiced once its last day is over."),
    "nothing_to_bill": _("Nothing was driven in this period that is to be invoiced."),
    "no_proof": _("Nothing has been handed over yet."),
    "pay_known": _("A rate from this day on is declared already."),
}
VAT = {
    "general": _("VAT at the general rate"),
    "special5": _("VAT 5 % of the simplified regime"),
    "special7": _("VAT 7 % of the simplified regime"),
    "none": _("without VAT"),
}
INVOICE_PARTS = {
    "waiting": _("Waiting at the door"),
    "failed_trip": _("Trip without a handover"),
}
RISKS = {
    "late": _("will be late"),
    "at_risk": _("may be late"),
    "silent": _("the truck does not tell its place"),
}


def invoice_part(code: str, context: Mapping[str, Any]) -> str:
    """A part of a line of a carrier's invoice with its figures."""
    if code == "waiting":
        return str(gettext("Waiting at the door, %(minutes)s min", minutes=context.get("minutes")))
    if code == "failed_trip":
        why = logistics.fail_reason(str(context.get("reason", "")))
        return str(
            gettext("Trip without a handover (%(why)s), %(percent)s %%", why=why, percent=context.get("percent"))
        )
    return logistics.price_line(code, context)
