"""Words of money: bank statements, cards, documents."""

from __future__ import annotations

from flask_babel import lazy_gettext as _  # type: ignore[import-untyped]  # the package ships no types

ERRORS = {
    "nothing_extra": _("All that is kept is for goods: nothing is to be given back."),
    "statement_too_large": _("The file is larger than %(maximum)s MB."),
    "statement_too_long": _("The file holds more than %(maximum)s payments. Ask the bank for fewer days."),
    "statement_encoding": _("The file is neither UTF-8 nor windows-1251."),
    "statement_not_1c": _("This is no bank statement for 1C: its first line must be 1CClientBankExchange."),
    "statement_foreign": _("The statement is of another account: %(account)s."),
    "statement_no_account": _("The file names no account."),
    "statement_unfinished": _("Line %(line)s: the file breaks off before its end. Download it again."),
    "statement_after_end": _("Line %(line)s: there is text after the end of the file."),
    "statement_line": _("Line %(line)s is not “name=value”."),
    "statement_section": _("Line %(line)s: a section begins or ends where it must not (%(name)s)."),
    "statement_account": _("Line %(line)s: %(name)s is no account of 20 digits."),
    "statement_twice": _("Line %(line)s: %(name)s stands twice in one payment."),
    "statement_long": _("Line %(line)s: %(name)s is too long."),
    "statement_missing": _("The payment that begins in line %(line)s has no %(name)s."),
    "statement_date": _("Line %(line)s: %(name)s is no date like 24.11.2026."),
    "statement_amount": _("Line %(line)s: %(name)s is no sum of roubles with at most two places."),
    "statement_inn": _("Line %(line)s: the payer's INN has other signs than digits."),
    "cards_not_taken": _("Cards are not taken here."),
    "payment_state": _("Nothing is to be paid by card for this order."),
    "payment_too_late": _("The time to pay is over; the order is being called off."),
    "not_paid_yet": _("The buyer has not paid by card yet: begin to pick when the order is paid."),
    "webhook_signature": _("The signature is wrong."),
    "webhook_old": _("The message is older than five minutes."),
    "webhook_malformed": _("The message cannot be read."),
    "no_such_invoice": _("There is no such invoice."),
}

PROBLEMS = {
    "unknown": _("names no known invoice"),
    "less": _("less than is to be paid"),
    "more": _("more than is to be paid"),
    "closed": _("the invoice is paid or cancelled"),
    "ambiguous": _("names several invoices"),
}
"""Why a payment that came was not matched by itself."""
