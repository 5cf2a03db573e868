"""Prices asked of sellers: the list sent out, offers side by side, haggling, and the order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.accounts import queries as accounts
from app.catalog import lists, queries
from app.core.errors import DomainError, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.orders import carts, checkout, quote_queries, quotes
from app.orders.placing import Contact
from app.orders.quotes import Acceptance, Ask, Wish
from app.texts import company as words
from app.web import paths
from app.web.buyer.cart import name_of
from app.web.buyer.checkout import PLACES
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, key_of, money_or_none, sentence

pages = Guarded("quotes", __name__)
PATH = "/quotes"
PAGE = 24


@pages.get(PATH, permission=Permission.BUY)
def index() -> Response:
    """What was asked, newest first."""
    found = quote_queries.of_buyer(access.actor(), before=before(), limit=PAGE + 1)
    more = paths.with_query(PATH, before=found[PAGE - 1].row.id) if len(found) > PAGE else ""
    return render_page("buyer/quotes.html", None, views=found[:PAGE], words=words, next_url=more)


@pages.get(f"{PATH}/new", permission=Permission.BUY)
def new() -> Response:
    """The form for the cart, for a list (`list`) or for one product (`product`)."""
    return _form(_from_source(), {})


def _from_source() -> list[tuple[Any, Decimal]]:
    """(card, base units) of what the address names."""
    actor = access.actor()
    if request.args.get("list"):
        items = lists.list_view(actor.user, key_of(request.args["list"])).items
        wanted = {item.public_id: Decimal(1) if item.wanted is None else _decimal(item.wanted) for item in items}
    elif request.args.get("product"):
        wanted = {key_of(request.args["product"]): Decimal(1)}
    else:
        cart = carts.find_cart(actor, "")
        wanted = carts.base_wanted(cart) if cart is not None else {}
    return [(card, wanted[card.public_id]) for card in queries.products(list(wanted))]


def _decimal(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.001"))


def _form(cards: list[tuple[Any, Decimal]], typed: dict[str, str], error: str = "", status: int = 200) -> Response:
    actor = access.actor()
    wishes = [Wish(card.id, Fraction(base)) for card, base in cards]
    return render_page(
        "buyer/quote_new.html", None, status=status, cards=cards, typed=typed, error=error, name_of=name_of,
        sellers=quotes.sellers_for(wishes)[:20] if wishes else [], most=quotes.MOST_SELLERS, places=PLACES,
        sites=accounts.sites(actor.user), companies=[m for m in actor.memberships if m.kind == "buyer"],
        chosen=[int(one) for one in request.form.getlist("seller") if one.isdecimal()],
    )  # fmt: skip


@pages.post(PATH, permission=Permission.BUY)
def ask() -> Response:
    """Send the list to the sellers that are ticked."""
    form, actor = request.form, access.actor()
    keys = [key for key in map(parse_uuid, form.getlist("product")) if key is not None]
    cards = [(card, Decimal(1)) for card in queries.products(keys[: quotes.MOST_LINES])]
    try:
        cards = [(card, _quantity(form.get(f"quantity-{card.public_id}", ""))) for card, _one in cards]
        wishes = [Wish(card.id, Fraction(base)) for card, base in cards if base > 0]
        sellers = [int(one) for one in form.getlist("seller") if one.isdecimal() and len(one) < 18]
        given = Ask(wishes, sellers, _site(form.get("site", "")), _day(form.get("wanted_on", "")),
                    form.get("comment", ""), parse_uuid(form.get("organisation", "")))  # fmt: skip
        batch = quotes.ask(actor, given)
    except Invalid as refusal:
        return _form(cards, form.to_dict(), sentence(refusal), 422)
    flash(_("The sellers have been asked. You get a letter with each answer."), "ok")
    return redirect_to(f"{PATH}/batch/{batch}")


def _quantity(text: str) -> Decimal:
    try:
        return max(parse_decimal(text), Decimal(0))
    except NotANumber as error:
        raise Invalid.one("/quantity", error.code) from None


def _site(text: str) -> dict[str, Any]:
    """A saved site, or the middle of a district."""
    place = PLACES.get(text)
    if place is not None:
        return {"title": place[0], "address": place[0], "lat": place[1], "lon": place[2]}
    key = parse_uuid(text)
    try:
        if key is None:
            raise NotFound()
        return accounts.site(access.actor().user, key).snapshot()
    except NotFound:
        raise Invalid.one("/site", "unknown_option") from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid.one("/wanted_on", "unknown_option") from None


@pages.get(f"{PATH}/batch/<batch>", permission=Permission.BUY)
def compare(batch: str) -> Response:
    """Offers of all sellers asked together, side by side."""
    views = quote_queries.batch(access.actor(), key_of(batch))
    products = {line.product_id: line for view in views for line in view.lines}
    return render_page(
        "buyer/quote_compare.html", None, views=views, products=list(products.values()), words=words, name_of=name_of,
        best=quote_queries.best_prices(views), cheapest=_cheapest(views),
    )  # fmt: skip


def _cheapest(views: list[quote_queries.QuoteView]) -> int | None:
    """The request whose whole offer costs least; offers that lack something do not compete."""
    whole = [
        (v.sums.total, v.row.id) for v in views if v.row.is_live and v.sums and v.sums.total and not v.sums.lacking
    ]
    return min(whole)[1] if whole else None


@pages.get(f"{PATH}/<quote>", permission=Permission.BUY)
def show(quote: str) -> Response:
    """One request: what was said, and what may be said now."""
    return _page(quote)


def _page(quote: str, error: str = "", status: int = 200) -> Response:
    actor = access.actor()
    view = quote_queries.buyers_view(actor, key_of(quote))
    return render_page(
        "buyer/quote.html", None, status=status, view=view, words=words, error=error, typed=request.form,
        name_of=name_of, person=accounts.profile(actor.user),
        slots=checkout.slots_of_seller(view.row.seller_id) if view.row.is_live else [],
    )  # fmt: skip


@pages.post(f"{PATH}/<quote>/counter", permission=Permission.BUY)
def counter(quote: str) -> Response:
    """Name the prices wished; lines left empty are fine as they are."""
    key = key_of(quote)
    view = quote_queries.buyers_view(access.actor(), key)
    try:
        typed = {line.public_id: money_or_none(request.form.get(f"price-{line.public_id}", ""), "price")
                 for line in view.lines}  # fmt: skip
        quotes.counter(
            access.actor(), key, {k: v for k, v in typed.items() if v is not None}, request.form.get("comment", "")
        )
    except DomainError as refusal:
        return _refused(quote, refusal)
    flash(_("The seller has been told what you wish."), "ok")
    return redirect_to(f"{PATH}/{quote}")


def _refused(quote: str, refusal: DomainError) -> Response:
    if refusal.status == 404:
        raise refusal
    return _page(quote, sentence(refusal), refusal.status)


@pages.post(f"{PATH}/<quote>/accept", permission=Permission.BUY)
def accept(quote: str) -> Response:
    """Order at the offered prices."""
    form = request.form
    day, _sep, window = form.get("slot", "").partition("/")
    try:
        how = Acceptance(Contact(form.get("name", ""), form.get("phone", "")), form.get("payment_method", "invoice"),
                         form.get("comment", ""), _day(day), window)  # fmt: skip
        placed = quotes.accept(access.actor(), key_of(quote), how)
    except DomainError as refusal:
        return _refused(quote, refusal)
    return redirect_to(paths.with_query(paths.order_path(placed.number), placed=1))


@pages.post(f"{PATH}/<quote>/decline", permission=Permission.BUY)
def decline(quote: str) -> Response:
    """No, thank you."""
    try:
        quotes.decline(access.actor(), key_of(quote), request.form.get("comment", ""))
    except DomainError as refusal:
        return _refused(quote, refusal)
    return redirect_to(f"{PATH}/{quote}")


@pages.post(f"{PATH}/<quote>/withdraw", permission=Permission.BUY)
def withdraw(quote: str) -> Response:
    """It is needed no more."""
    try:
        quotes.withdraw(access.actor(), key_of(quote))
    except DomainError as refusal:
        return _refused(quote, refusal)
    return redirect_to(f"{PATH}/{quote}")
