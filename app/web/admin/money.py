"""The operator's money: refunds that wait, payout runs with their file for the bank, corrections of ledgers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Response, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.core import clock
from app.core.errors import DomainError
from app.core.permissions import Permission
from app.orders import money_queries, refunds
from app.payments import bank_file, ledger, money_desk, payouts, refund_queries, rules
from app.texts import orders as order_words
from app.texts import payments as words
from app.web import paths
from app.web.admin.operations import office_page
from app.web.reading import before, key_of, sentence
from app.web.seller.money import kopeks, wanted_refund

pages = Guarded("admin_money", __name__, url_prefix="/admin")
PAGE = 50


def _then(where: str, act: Callable[[], object], told: str) -> ResponseReturnValue:
    """Do it and show the list; a refusal is told there."""
    try:
        act()
        flash(told, "ok")
    except DomainError as error:
        if error.status == 404:
            raise
        flash(sentence(error), "bad")
    return redirect(where, code=303)


@pages.get("/refunds", permission=Permission.ADMIN_MONEY)
def list_refunds() -> ResponseReturnValue:
    """Refunds by what they wait for."""
    tab = request.args.get("tab", "requested")
    tab = tab if tab in refund_queries.TABS else "requested"
    rows = refund_queries.page(tab, before=before(), limit=PAGE + 1)
    return office_page(
        "admin/refunds.html", rows=rows[:PAGE], tab=tab, counts=refund_queries.counts(), words=order_words,
        names=money_queries.names_of(row.order_id for row in rows), me=access.actor().user,
        next_url=paths.with_query("/admin/refunds", tab=tab, before=rows[PAGE - 1].id) if len(rows) > PAGE else "",
    )  # fmt: skip


@pages.post("/refunds", permission=Permission.ADMIN_MONEY)
def add_refund() -> ResponseReturnValue:
    """The operator gives money back on an order."""
    number = request.form.get("number", "").strip()[:40]
    return _then(
        "/admin/refunds",
        lambda: refunds.request(access.actor(), number, wanted_refund()),
        _("The refund is written."),
    )


@pages.post("/refunds/<refund>", permission=Permission.ADMIN_MONEY)
def decide_refund(refund: str) -> ResponseReturnValue:
    """Approve, decline with a reason, or mark as paid."""
    key, note, actor = key_of(refund), request.form.get("note", ""), access.actor()
    acts: dict[str, Callable[[], object]] = {
        "approve": lambda: refunds.approve(actor, key),
        "decline": lambda: refunds.decline(actor, key, note),
        "paid": lambda: refunds.mark_paid(actor, key, note),
    }
    act = acts.get(request.form.get("decision", ""), acts["approve"])
    return _then("/admin/refunds", act, _("Done and written to the audit log."))


@pages.get("/payouts", permission=Permission.ADMIN_MONEY)
def list_payouts() -> ResponseReturnValue:
    """Runs, payouts that wait for the bank, corrections."""
    return office_page(
        "admin/payouts.html", runs=money_desk.runs(), rows=money_desk.waiting_payouts(), due=money_desk.due(),
        corrections=money_desk.corrections(), sellers=money_desk.sellers(), skipped=words.SKIPPED,
        me=access.actor().user, typed={}, hold=rules.HOLD_DAYS, least=rules.PAYOUT_MINIMUM,
    )  # fmt: skip


@pages.post("/payouts", permission=Permission.ADMIN_MONEY)
def start_run() -> ResponseReturnValue:
    """Pay everybody who has enough."""
    told = _("The run has begun; it takes a minute. Reload the page to see it.")
    return _then("/admin/payouts", lambda: payouts.start(access.actor()), told)


@pages.get("/payouts/runs/<run>/bank.txt", permission=Permission.ADMIN_MONEY)
def bank_text(run: str) -> Response:
    """The run as payment orders for a bank client."""
    found = money_desk.run_payouts(key_of(run))
    orders = [
        bank_file.PaymentOrder(row.id, row.amount, row.requisites, _purpose(row.id, row.created_at)) for row in found
    ]
    body = bank_file.write(orders, rules.OPERATOR, clock.today(), clock.local(clock.now()))
    answer = Response(body, content_type="text/plain; charset=windows-1251")
    answer.headers.set("Content-Disposition", "attachment", filename="kl_to_1c.txt")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _purpose(number: int, made: datetime) -> str:
    day = f"{clock.local(made):%d.%m.%Y}"
    return f"Перечисление выручки за товары по агентскому договору, выплата {number} от {day}. Без НДС"


@pages.post("/payouts/<payout>", permission=Permission.ADMIN_MONEY)
def decide_payout(payout: str) -> ResponseReturnValue:
    """Carried out by the bank, or sent back by it."""
    key, note, actor = key_of(payout), request.form.get("note", ""), access.actor()
    if request.form.get("decision") == "failed":
        return _then("/admin/payouts", lambda: payouts.mark_failed(actor, key, note), _("The money is back."))
    return _then("/admin/payouts", lambda: payouts.mark_paid(actor, key, note), _("Marked as paid."))


@pages.post("/corrections", permission=Permission.ADMIN_MONEY)
def ask_correction() -> ResponseReturnValue:
    """Ask for a row by hand."""
    seller = request.form.get("seller", "")

    def act() -> None:
        number = int(seller) if seller.isdecimal() and len(seller) < 18 else 0
        wanted = ledger.Wanted(number, kopeks("amount", required=True) or 0, request.form.get("reason", ""))
        ledger.ask_correction(access.actor(), wanted)

    return _then("/admin/payouts", act, _("Another person has to agree now."))


@pages.post("/corrections/<correction>", permission=Permission.ADMIN_MONEY)
def decide_correction(correction: str) -> ResponseReturnValue:
    """Agree or decline."""
    key, decision = key_of(correction), request.form.get("decision", "")
    return _then(
        "/admin/payouts", lambda: ledger.decide_correction(access.actor(), key, decision), _("Decided."),
    )  # fmt: skip
