"""A seller's money: balance, ledger, payouts, statements, one order to the kopek, giving money back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.core import clock
from app.core.errors import Conflict, FieldError, Invalid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.orders import carrier_bills, money_queries, refunds
from app.payments import balances, rules
from app.payments.balances import Filter
from app.texts import orders as order_words
from app.texts import payments as words
from app.web import paths
from app.web.carrier_money import pdf_of
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, by_field, key_of, sentence
from app.web.seller import frame, statement

pages = Guarded("seller_money", __name__, url_prefix="/seller/money")
HERE = "/seller/money"
PAGE = 50
LONGEST = timedelta(days=366)


def kopeks(name: str, *, required: bool = False) -> int | None:
    """A field in roubles as kopeks; None when it is empty.

    Raises:
        Invalid: no number, or parts of a kopek.
    """
    text = request.values.get(name, "").strip()
    if not text:
        if required:
            raise Invalid.one(f"/{name}", "required")
        return None
    try:
        amount = parse_decimal(text) * 100
    except NotANumber as error:
        raise Invalid.one(f"/{name}", error.code) from None
    if amount != int(amount) or abs(amount) > 10**14:
        raise Invalid.one(f"/{name}", "not_a_number")
    return int(amount)


def day_of(name: str) -> date | None:
    """A day of the address; what is no day is no filter."""
    try:
        return date.fromisoformat(request.values.get(name, ""))
    except ValueError:
        return None


@pages.get("", permission=Permission.SELLER_MONEY)
def show() -> Response:
    """Balance and ledger, newest first."""
    actor = access.actor()
    kind = request.args.get("kind", "")
    wanted = Filter(day_of("first"), day_of("last"), kind if kind in words.KINDS else "")
    rows = balances.transfers(actor.seller_id, wanted, before=before(), limit=PAGE + 1)
    shown = rows[:PAGE]
    query = {"first": wanted.first or "", "last": wanted.last or "", "kind": wanted.kind}
    return render_page(
        "seller/money.html", None, balance=balances.balance(actor.seller_id), rows=shown, kinds=words.KINDS,
        names=money_queries.names_of(row.order_id for row in shown), wanted=wanted, query=query,
        payouts=balances.payouts(actor.seller_id, limit=10), hold=rules.HOLD_DAYS, least=rules.PAYOUT_MINIMUM,
        next_url=paths.with_query(HERE, query, before=shown[-1].id) if len(rows) > PAGE else "",
        bills=carrier_bills.issued(seller_id=actor.seller_id),
        **frame.context(actor),
    )  # fmt: skip


@pages.get("/statement.<kind>", permission=Permission.SELLER_MONEY)
def get_statement(kind: str) -> Response:
    """The period as a file: csv, or pdf for anything else. Without days: the present month."""
    actor = access.actor()
    last = day_of("last") or clock.today()
    first = max(day_of("first") or last.replace(day=1), last - LONGEST)
    found = balances.statement(actor.seller_id, min(first, last), last)
    names = money_queries.names_of(row.order_id for row in found.rows)
    if kind == "csv":
        answer = Response(statement.as_csv(found, names), mimetype="text/csv")
    else:
        kind = "pdf"
        seller = actor.seller.organisation_name if actor.seller else ""
        body = statement.as_pdf(found, names, seller, rules.OPERATOR["name"])
        answer = Response(body, mimetype="application/pdf")
    name = f"statement-{found.first}-{found.last}.{kind}"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/carrier-invoices/<key>/file.pdf", permission=Permission.SELLER_MONEY)
def carrier_invoice(key: str) -> Response:
    """What a carrier invoiced for trips that the seller pays."""
    return pdf_of(carrier_bills.invoice(key_of(key), seller_id=access.actor().seller_id))


@pages.get("/orders/<number>", permission=Permission.SELLER_MONEY)
def show_order(number: str) -> Response:
    """One order to the kopek, and the form to give money back."""
    return _order_page(number, {}, {})


def _order_page(number: str, typed: dict[str, Any], errors: dict[str, str], status: int = 200) -> Response:
    actor = access.actor()
    found = money_queries.order_money(actor.seller_id, number)
    return render_page(
        "seller/order_money.html", None, status=status, found=found, typed=typed, errors=errors, kinds=words.KINDS,
        words=order_words, limit=rules.REFUND_LIMIT, **frame.context(actor),
    )  # fmt: skip


@pages.post("/orders/<number>", permission=Permission.SELLER_MONEY)
def refund(number: str) -> Response:
    """Give money back."""
    try:
        refunds.request(access.actor(), number, wanted_refund())
    except (Invalid, Conflict) as refusal:
        told = by_field(refusal) if isinstance(refusal, Invalid) else {"goods": sentence(refusal)}
        return _order_page(number, request.form.to_dict(), told, 422)
    flash(str(_("The refund is written. You see here when it is paid.")), "ok")
    return redirect_to(f"{HERE}/orders/{number}")


def wanted_refund() -> refunds.Wanted:
    """The form of a refund.

    Raises:
        Invalid: with every text that is no amount.
    """
    errors: list[FieldError] = []
    found: dict[str, int] = {}
    for name in ("goods", "delivery"):
        try:
            found[name] = kopeks(name) or 0
        except Invalid as error:
            errors += error.errors
    if errors:
        raise Invalid(errors)
    return refunds.Wanted(request.form.get("reason", ""), found["goods"], found["delivery"])
