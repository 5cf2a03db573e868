"""Prices that buyers ask of the seller."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.core import clock
from app.core.errors import DomainError, Invalid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.orders import quote_queries, quotes
from app.orders.quote_queries import QuoteView
from app.orders.quotes import Price, Terms
from app.texts import company as words
from app.web import paths
from app.web.buyer.cart import name_of
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, key_of, money_or_none, sentence
from app.web.seller import frame

pages = Guarded("seller_quotes", __name__, url_prefix="/seller/quotes")
PATH = "/seller/quotes"
PAGE = 24


@pages.get("", permission=Permission.SELLER_ORDERS)
def index() -> Response:
    """Newest first."""
    actor = access.actor()
    found = quote_queries.of_seller(actor.seller_id, before=before(), limit=PAGE + 1)
    more = paths.with_query(PATH, before=found[PAGE - 1].row.id) if len(found) > PAGE else ""
    return render_page(
        "seller/quotes.html", None, views=found[:PAGE], words=words, next_url=more, **frame.context(actor)
    )


@pages.get("/<quote>", permission=Permission.SELLER_ORDERS)
def show(quote: str) -> Response:
    """One request, with the form of prices while it may be answered."""
    return _page(quote)


def _page(quote: str, error: str = "", status: int = 200) -> Response:
    actor = access.actor()
    view = quote_queries.sellers_view(actor.seller_id, key_of(quote))
    return render_page(
        "seller/quote.html", None, status=status, view=view, words=words, error=error, typed=request.form,
        name_of=name_of, may_offer=view.row.status in ("requested", "countered"),
        week=(clock.today() + timedelta(days=7)).isoformat(), **frame.context(actor),
    )  # fmt: skip


@pages.post("/<quote>/offer", permission=Permission.SELLER_ORDERS)
def offer(quote: str) -> Response:
    """Name prices; a line left empty cannot be supplied."""
    actor, key = access.actor(), key_of(quote)
    view = quote_queries.sellers_view(actor.seller_id, key)
    try:
        quotes.offer(actor, key, _terms(view))
    except DomainError as refusal:
        return _refused(quote, refusal)
    flash(_("The buyer has your prices. They bind you until the day you named."), "ok")
    return redirect_to(f"{PATH}/{quote}")


def _terms(view: QuoteView) -> Terms:
    form, prices = request.form, {}
    for line in view.lines:
        price = money_or_none(form.get(f"price-{line.public_id}", ""), "price")
        if price is None:
            continue
        text = form.get(f"quantity-{line.public_id}", "")
        try:
            prices[line.public_id] = Price(price, parse_decimal(text) if text.strip() else None)
        except NotANumber as error:
            raise Invalid.one("/quantity", error.code) from None
    try:
        until = date.fromisoformat(form.get("valid_until", ""))
    except ValueError:
        raise Invalid.one("/valid_until", "required") from None
    end = clock.at(until, 0) + timedelta(days=1)
    return Terms(prices, form.get("delivery") == "included", end, form.get("comment", ""))


def _refused(quote: str, refusal: DomainError) -> Response:
    if refusal.status == 404:
        raise refusal
    return _page(quote, sentence(refusal), refusal.status)


@pages.post("/<quote>/decline", permission=Permission.SELLER_ORDERS)
def decline(quote: str) -> Response:
    """Nothing of it can be supplied."""
    try:
        quotes.decline(access.actor(), key_of(quote), request.form.get("comment", ""), as_seller=True)
    except DomainError as refusal:
        return _refused(quote, refusal)
    return redirect_to(PATH)
