"""The operator's page of bank statements: reading a file, deciding what found no invoice."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import ngettext

from app import access
from app.access import Guarded
from app.core.errors import Conflict, Invalid
from app.core.permissions import Permission
from app.payments import incoming, statement_file, statements
from app.texts import error_text, message
from app.texts import paying as words
from app.web import limits
from app.web.account.profile import given
from app.web.admin.operations import office_page
from app.web.filters import money

pages = Guarded("statements", __name__)
PATH = "/admin/statements"


@pages.get(PATH, permission=Permission.ADMIN_MONEY)
def show() -> ResponseReturnValue:
    """What waits for a hand, what is to be given back, and the files."""
    return _page()


def _page(status: int = 200, **wrong: Any) -> ResponseReturnValue:
    return office_page(
        "admin/statements.html", status, undecided=incoming.waiting(), extra=incoming.to_give_back(),
        files=incoming.files(), problems=words.PROBLEMS, megabytes=statement_file.MAX_BYTES // 1024 // 1024,
        **{"errors": [], "row_id": None, "row_error": "", "typed": "", **wrong},
    )  # fmt: skip


@pages.post(PATH, permission=Permission.ADMIN_MONEY)
def read() -> ResponseReturnValue:
    """Read a file of the bank."""
    limits.hit("upload", str(access.actor().user))
    file = request.files.get("file")
    data = file.stream.read(statement_file.MAX_BYTES + 1) if file is not None else b""
    try:
        if file is None or not data:
            raise Invalid.one("/file", "required")
        found = statements.read(access.actor(), file.filename or "", data)
    except Invalid as refusal:
        return _page(422, errors=[("file", error_text(e.code, e.context)) for e in refusal.errors])
    flash(
        _("Payments in the file: %(documents)s, new: %(added)s, matched: %(matched)s.",
          documents=found.documents, added=found.added, matched=found.matched),
        "ok",
    )  # fmt: skip
    if found.paid_out:
        flash(ngettext("%(num)s payout has gone.", "%(num)s payouts have gone.", found.paid_out), "ok")
    return redirect(PATH, code=303)


@pages.post(f"{PATH}/<incoming_id>/attach", permission=Permission.ADMIN_MONEY)
def attach(incoming_id: str) -> ResponseReturnValue:
    """Say which invoice a payment is for."""
    number = request.form.get("number", "")[:40]
    known = given(incoming_id)
    try:
        paid = statements.attach(access.actor(), known, number)
    except Invalid as refusal:
        text = error_text(refusal.errors[0].code, refusal.errors[0].context)
        return _page(422, row_id=known, row_error=text, typed=number, errors=[(f"number-{known}", text)])
    except Conflict as refusal:
        flash(message(refusal), "bad")
        return redirect(PATH, code=303)
    flash(_("The invoice is paid.") if paid else _("The money is kept on the invoice."), "ok")
    return redirect(PATH, code=303)


@pages.post(f"{PATH}/extra/<number>", permission=Permission.ADMIN_MONEY)
def give_extra_back(number: str) -> ResponseReturnValue:
    """What came beyond an invoice has been sent back by bank."""
    try:
        amount = statements.give_extra_back(access.actor(), number, request.form.get("reference", ""))
        flash(_("Given back: %(sum)s. It stands in the audit log.", sum=money(amount)), "ok")
    except Conflict as refusal:
        flash(message(refusal), "bad")
    return redirect(PATH, code=303)


@pages.post(f"{PATH}/<incoming_id>/not-ours", permission=Permission.ADMIN_MONEY)
def not_ours(incoming_id: str) -> ResponseReturnValue:
    """Say that a payment is for no purchase."""
    try:
        statements.not_ours(access.actor(), given(incoming_id))
        flash(_("Done and written to the audit log."), "ok")
    except Conflict as refusal:
        flash(message(refusal), "bad")
    return redirect(PATH, code=303)
