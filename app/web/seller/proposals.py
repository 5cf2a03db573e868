"""A seller proposes less of an order, or something else instead."""

from __future__ import annotations

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.core.errors import Conflict, FieldError, Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.orders import proposals, seller_queries
from app.orders.proposals import Wish
from app.orders.seller_queries import SellerOrderView
from app.web.buyer.cart import first_message, name_of
from app.web.htmx import redirect_to, render_page
from app.web.reading import money_or_none, quantities
from app.web.seller import frame

pages = Guarded("seller_proposals", __name__, url_prefix="/seller/orders")
FIELDS = {"substitute": "s", "quantity": "n", "price": "p"}
"""Part of a pointer -> the first letter of the field."""


@pages.get("/<number>/proposal", permission=Permission.SELLER_ORDERS)
def form(number: str) -> Response:
    """What could be sent instead, line by line."""
    view = seller_queries.seller_order(access.actor().seller_id, number)
    if view.order.row.status != "placed":
        return redirect_to(f"/seller/orders/{number}")
    return _page(view)


def _page(view: SellerOrderView, errors: dict[str, str] | None = None) -> Response:
    actor = access.actor()
    return render_page(
        "seller/proposal.html",
        None,
        status=422 if errors else 200,
        view=view,
        candidates=proposals.candidates(actor.seller_id, [line.product_id for line in view.order.lines]),
        error_of=errors or {},
        typed=request.form,
        name_of=name_of,
        **frame.context(actor),
    )


@pages.post("/<number>/proposal", permission=Permission.SELLER_ORDERS)
def send(number: str) -> Response:
    """Send it to the buyer; what is wrong is shown beside what was typed."""
    view = seller_queries.seller_order(access.actor().seller_id, number)
    try:
        proposals.propose(access.actor(), number, _wishes(), request.form.get("note", ""))
    except Invalid as refusal:
        return _page(view, {_field(e): str(texts.error_text(e.code, e.context)) for e in refusal.errors})
    except Conflict as refusal:
        flash(first_message(refusal), "bad")
    else:
        flash(_("The buyer has been asked. Until the answer the order waits."), "ok")
    return redirect_to(f"/seller/orders/{number}")


@pages.post("/<number>/proposal/withdraw", permission=Permission.SELLER_ORDERS)
def withdraw(number: str) -> Response:
    """Take the proposal back; the order waits for another answer."""
    proposals.withdraw(access.actor(), number)
    flash(_("The proposal is taken back."), "ok")
    return redirect_to(f"/seller/orders/{number}")


def _wishes() -> list[Wish]:
    """Lines of the form; a blank quantity or price is left to be reckoned.

    Raises:
        Invalid: a text that is no number or sum.
    """
    found, errors = [], []
    for line, kept in quantities().items():
        substitute = parse_uuid(request.form.get(f"s-{line}", ""))
        text = request.form.get(f"n-{line}", "").strip()
        try:
            quantity = parse_decimal(text) if text and substitute else None
            price = money_or_none(request.form.get(f"p-{line}", ""), f"lines/{line}/price") if substitute else None
        except NotANumber as error:
            errors.append(FieldError(f"/lines/{line}/quantity", error.code))
        except Invalid as refusal:
            errors += refusal.errors
        else:
            found.append(Wish(line, kept, substitute, quantity, price))
    if errors:
        raise Invalid(errors)
    return found


def _field(error: FieldError) -> str:
    """The field of the form that a pointer means; empty for the form as a whole."""
    parts = error.pointer.strip("/").split("/")
    if len(parts) > 1 and parts[0] == "lines":
        return f"{FIELDS.get(parts[2], 'q') if len(parts) > 2 else 'q'}-{parts[1]}"
    return "note" if parts[0] == "note" else ""
