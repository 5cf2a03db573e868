"""Refunds of a buyer: naming the account that the money shall go to."""

from __future__ import annotations

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.accounts import queries as accounts
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Permission
from app.orders import numbers, queries, refunds
from app.payments import refund_queries
from app.payments.refunds import Payee
from app.web import paths
from app.web.htmx import redirect_to, render_page
from app.web.reading import by_field, key_of, sentence

pages = Guarded("buyer_refunds", __name__)


@pages.get("/orders/<number>/refunds/<refund>/account", permission=Permission.BUY)
def show(number: str, refund: str) -> Response:
    """The form: name, BIK, account."""
    return _page(number, refund, {"name": accounts.profile(access.actor().user).name}, {})


def _page(number: str, refund: str, typed: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    group = queries.group_view(access.actor().user, _group(number))
    key = key_of(refund)
    rows = refund_queries.of_orders(order.row.id for order in group.orders)
    found = next((row for row in rows if row.public_id == key), None)
    if found is None or not found.wants_payee:
        raise NotFound()
    return render_page(
        "buyer/refund.html", None, status=status, group=group.row, refund=found,
        typed={**typed, **(found.payee if not errors else {})}, errors=errors,
    )  # fmt: skip


@pages.post("/orders/<number>/refunds/<refund>/account", permission=Permission.BUY)
def name_payee(number: str, refund: str) -> Response:
    """Keep the account."""
    form = request.form
    given = Payee(form.get("name", ""), form.get("bik", ""), form.get("account", ""))
    try:
        refunds.name_payee(access.actor(), key_of(refund), given)
    except Invalid as error:
        return _page(number, refund, form.to_dict(), by_field(error), 422)
    except Conflict as refusal:
        flash(sentence(refusal), "bad")
    else:
        flash(str(_("Thank you. The money goes to this account.")), "ok")
    return redirect_to(paths.order_path(_group(number)))


def _group(number: str) -> str:
    """The purchase of an order's number."""
    return numbers.group_of(number) if numbers.ORDER.fullmatch(number) else number
