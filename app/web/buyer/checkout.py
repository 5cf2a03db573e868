"""Checkout in two steps: where and when, then who receives and pays."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.accounts import queries as accounts
from app.accounts import sites
from app.core.errors import Conflict, DomainError, FieldError, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Actor, Permission
from app.core.units import NotANumber, parse_decimal
from app.offers import return_terms
from app.orders import approvals, checkout, choice_views, promoting, queries
from app.orders.approvals import Asked
from app.orders.checkout import Quote
from app.orders.choices import Choice
from app.orders.placing import Contact
from app.orders.plan import Plan
from app.orders.rules import CASH_LIMIT
from app.payments import providers
from app.texts import delivery_choice
from app.texts import orders as words
from app.texts import returns as return_words
from app.texts.logistics import UNLOADING, no_carrier, price_line
from app.texts.promotions import WHY
from app.web import limits, paths
from app.web.buyer.cart import by_seller, code_said, likely_payer
from app.web.buyer.paying import begun
from app.web.filters import day, language
from app.web.htmx import is_part_request, redirect_to, render_page
from app.web.reading import key_of
from app.web.sessions import client_ip

pages = Guarded("checkout", __name__)

PLACES: dict[str, tuple[str, float, float]] = {
    "sokolniki": ("Сокольники", 55.7905, 37.6790),
    "preobrazhenskoe": ("Преображенское", 55.7965, 37.7140),
    "bogorodskoe": ("Богородское", 55.8130, 37.7135),
    "metrogorodok": ("Метрогородок", 55.8285, 37.7545),
    "golyanovo": ("Гольяново", 55.8180, 37.7990),
    "izmailovo": ("Измайлово", 55.7935, 37.7750),
    "rostokino": ("Ростокино", 55.8320, 37.6650),
    "babushkinsky": ("Бабушкинский", 55.8650, 37.6640),
}
"""Points of the districts of the demo city, for an address that is not on the map yet."""


@dataclass(slots=True)
class Typed:
    """What stands in the form, and what is wrong with it."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    notice: str = ""

    def get(self, name: str, default: str = "") -> str:
        """The value as typed."""
        return self.values.get(name, default)

    @property
    def summary(self) -> list[tuple[str, str]]:
        """For the box above the form."""
        return list(self.errors.items())


@pages.get("/checkout", permission=Permission.BUY)
def show() -> Response:
    """The first step, or the second when a quote is named."""
    known = parse_uuid(request.args.get("quote", ""))
    if known is None:
        return where_and_when(Typed())
    quote = checkout.quote_of(access.actor(), known)
    if not quote.is_open:
        return redirect_to(paths.ORDERS)
    return who_pays(quote, Typed())


def where_and_when(typed: Typed, status: int = 200) -> Response:
    """The first step."""
    actor = access.actor()
    plan = queries.cart_plan(actor, "", company_id=likely_payer(actor))
    if not plan.lines:
        return redirect_to(paths.CART)
    return render_page(
        "buyer/checkout.html",
        None,
        status=status,
        step=1,
        plan=plan,
        returns=_returns(plan),
        typed=typed,
        sites=accounts.sites(actor.user),
        slots=checkout.slots(plan.lead_time_days, checkout.carriers_of(plan)),
        places=PLACES,
        unloading=[(code, str(words)) for code, words in UNLOADING.items()],
        no_carrier=no_carrier,
        code_said=code_said,
        by_seller=by_seller(plan),
    )


def _returns(plan: Plan) -> dict[int, str]:
    """Seller -> what becomes of leftovers, in words."""
    terms = return_terms.current(trip.seller_id for trip in plan.trips)
    return {seller: return_words.short(one) for seller, one in terms.items()}


def who_pays(
    quote: Quote, typed: Typed, status: int = 200, differences: list[dict[str, Any]] | None = None
) -> Response:
    """The second step, with everything repeated before the button."""
    actor = access.actor()
    payload = quote.payload
    day_of_it = date.fromisoformat(payload["day"])
    now = queries.cart_plan(actor, "", payload["site"], day_of_it, likely_payer(actor))
    plan = promoting.as_promised(now, payload)
    return render_page(
        "buyer/checkout.html",
        None,
        status=status,
        step=2,
        quote=quote,
        payload=payload,
        plan=plan,
        returns=_returns(plan),
        lines={line.id: line for line in plan.lines},
        deal=payload.get("deal"),
        truck_days=choice_views.truck_days(quote) if quote.is_open else [],
        no_joint=delivery_choice.no_joint,
        words=words,
        by_seller=by_seller(plan),
        code_said=code_said,
        why_gone=WHY,
        typed=typed,
        person=accounts.profile(actor.user),
        companies=[m for m in actor.memberships if m.kind == "buyer"],
        differences=differences or [],
        cash_limit=CASH_LIMIT,
        cards_taken=providers.are_cards_taken(),
        unloading=UNLOADING,
        price_line=price_line,
        day=day_of_it,
        day_of=date.fromisoformat,
        moment_of=datetime.fromisoformat,
    )


@pages.post("/checkout/quote", permission=Permission.BUY)
def make_quote() -> Response:
    """Keep the first step and hold the prices."""
    typed = Typed(request.form.to_dict())
    try:
        site = _site(typed)
        chosen, _sep, window = typed.get("slot").partition("/")
        if typed.get("code"):
            limits.hit("code", client_ip())
        quote = _quoted(site, _day(chosen), window, typed)
    except Invalid as refusal:
        typed.errors = _said(refusal)
        return where_and_when(typed, 422)
    except Conflict as refusal:
        if refusal.code == "cart_empty":
            return redirect_to(paths.CART)
        typed.errors = {"": _why(refusal)}
        return where_and_when(typed, 409)
    return redirect_to(paths.with_query(paths.CHECKOUT, quote=quote.public_id))


def _quoted(site: dict[str, Any], day: date | None, window: str, typed: Typed) -> Quote:
    """The quote; what no carrier brings is fetched where the warehouse has a counter, and the page says so."""
    actor = access.actor()
    chosen: dict[uuid.UUID, Choice] = {}
    while True:
        try:
            return checkout.make_quote(
                actor, site, day, window, typed.get("payment_method", "invoice"), chosen, organisation=_likely(actor),
                code=typed.values.get("code"),
            )  # fmt: skip
        except Conflict as refusal:
            group = parse_uuid(str(refusal.context.get("group", "")))
            if refusal.code != "no_carrier" or not refusal.context["pickup"] or group is None:
                raise
            chosen[group] = Choice("pickup")
            flash(" ".join([_why(refusal), str(_("You can fetch it at the warehouse, see below."))]), "warn")


def _likely(actor: Actor) -> UUID | None:
    """The company that stands chosen as payer in the next step."""
    return next((m.organisation_public_id for m in actor.memberships if m.kind == "buyer"), None)


@pages.post("/checkout/quote/<quote>/prolong", permission=Permission.BUY)
def prolong(quote: str) -> Response:
    """The buyer is filling in the form: what is held is held longer."""
    actor, known = access.actor(), key_of(quote)
    try:
        found = checkout.prolong(actor, known)
    except Conflict:
        found = checkout.quote_of(actor, known)
    if not is_part_request():
        return redirect_to(paths.with_query(paths.CHECKOUT, quote=known))
    return render_page("buyer/_hold.html", None, quote=found)


@pages.post("/checkout", permission=Permission.BUY)
def place() -> Response:
    """Place the order; what changed meanwhile is shown to be confirmed."""
    actor = access.actor()
    known = parse_uuid(request.form.get("quote", ""))
    if known is None:
        raise NotFound()
    quote = checkout.quote_of(actor, known)
    typed = Typed(request.form.to_dict())
    contact = Contact(typed.get("name"), typed.get("phone"))
    try:
        placed = approvals.place(actor, known, contact, typed.get("payment_method"), typed.get("comment"),
                                 parse_uuid(typed.get("organisation")))  # fmt: skip
    except Invalid as refusal:
        typed.errors = _said(refusal)
        return who_pays(quote, typed, 422)
    except Conflict as refusal:
        return _again(quote, typed, refusal)
    if isinstance(placed, Asked):
        flash(_("The sum is above your limit: the company's approvers have been asked."), "warn")
        return redirect_to(f"/approvals/{placed.public_id}")
    if typed.get("payment_method") == "card" and not placed.replayed:
        return begun(placed.number)
    return redirect_to(paths.with_query(paths.order_path(placed.number), placed=1))


def _away(difference: dict[str, Any]) -> str:
    """Why a line is gone, when its seller will be back."""
    if "back_on" not in difference:
        return ""
    name = difference["name_en"] if language() == "en" else difference["name_ru"]
    back = day(date.fromisoformat(difference["back_on"]))
    return str(_("%(name)s: the seller is on holiday and sells again from %(day)s.", name=name, day=back))


def _again(old: Quote, typed: Typed, refusal: Conflict) -> Response:
    """Prices, stock, windows or the cart have moved: quote anew for the same place and show the differences."""
    typed.notice = delivery_choice.refused(refusal)
    differences = refusal.context.get("differences", [])
    try:
        fresh = checkout.quote_again(
            access.actor(), old, typed.get("payment_method"), organisation=parse_uuid(typed.get("organisation"))
        )
    except DomainError as why:
        typed.errors = {"": " ".join([typed.notice, *map(_away, differences)]) if differences else _why(why)}
        return where_and_when(typed, 409)
    return who_pays(fresh, typed, 409, differences)


def _why(refusal: DomainError) -> str:
    if refusal.code == "no_carrier":
        return no_carrier(str(refusal.context.get("reason", "")))
    return delivery_choice.refused(refusal)


def _site(typed: Typed) -> dict[str, Any]:
    """The saved site that was chosen, or the new one, which is kept for the next time.

    Raises:
        Invalid: nothing chosen, or the new one is not whole.
    """
    actor = access.actor()
    chosen = parse_uuid(typed.get("site"))
    if chosen is not None:
        try:
            return accounts.site(actor.user, chosen).snapshot()
        except NotFound:
            raise Invalid([FieldError("/site", "unknown_option")]) from None
    place = PLACES.get(typed.get("place"))
    given = {
        "title": typed.get("address")[:100],
        "address": typed.get("address").strip(),
        "lat": place[1] if place else _number(typed, "lat"),
        "lon": place[2] if place else _number(typed, "lon"),
        "floor": int(_number(typed, "floor") or 1),
        "lift": typed.get("lift") == "1",
        "unloading": typed.get("unloading", "self"),
        "access": typed.get("access"),
    }
    checkout.check_site(given)
    sites.add(actor, {key: value for key, value in given.items() if value not in (None, "")})
    return given


def _number(typed: Typed, name: str) -> float | None:
    text = typed.get(name).strip()
    if not text:
        return None
    try:
        return float(parse_decimal(text))
    except NotANumber as error:
        raise Invalid([FieldError(f"/address/{name}", error.code)]) from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid([FieldError("/slot/day", "unknown_option")]) from None


def _said(refusal: Invalid) -> dict[str, str]:
    """Field of the form -> what is wrong with it."""
    names = {"day": "slot", "window": "slot", "lat": "place", "lon": "place"}
    found = {}
    for error in refusal.errors:
        name = error.pointer.rsplit("/", 1)[-1]
        found[names.get(name, name)] = texts.error_text(error.code, error.context)
    return found or {"": str(_("Some fields are not right."))}
