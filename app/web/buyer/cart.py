"""The cart: what is in it, from which warehouse, how heavy it is and what it costs with delivery."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import Response, current_app, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.accounts import queries as accounts
from app.catalog import queries as catalog
from app.core.errors import Conflict, DomainError, FieldError, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Actor, Permission
from app.core.units import NotANumber, parse_decimal
from app.offers import queries as offers
from app.orders import carts, promoting, promotions, queries
from app.orders.carts import CartChange
from app.orders.plan import Plan
from app.orders.promoting import CodeState
from app.texts import promotions as promotion_words
from app.texts.logistics import no_carrier
from app.texts.orders import CHANGE_NOTES, said
from app.web import limits, paths, sessions
from app.web.filters import day, language, money, qty
from app.web.htmx import is_part_request, redirect_to, render_page

pages = Guarded("cart", __name__)
KEEP_SECONDS = 90 * 24 * 3600


@pages.get("/cart", permission=Permission.CART)
def show() -> Response:
    """The cart, priced to the buyer's last site or to the city's centre."""
    return cart_page(removed=_removed())


def cart_page(
    *,
    status: int = 200,
    error: str = "",
    notice: str = "",
    removed: Mapping[str, Any] | None = None,
    typed_code: str | None = None,
    code_error: str = "",
) -> Response:
    """The page or its part. `typed_code`: as it was typed, when it was refused."""
    actor = access.actor()
    site = default_site()
    plan = queries.cart_plan(actor, sessions.guest_cart_token(), site, company_id=likely_payer(actor))
    return render_page(
        "buyer/cart.html",
        "buyer/_cart.html",
        status=status,
        plan=plan,
        site=site,
        error=error,
        notice=notice,
        removed=removed,
        typed_code=typed_code,
        code_error=code_error,
        code_said=code_said,
        by_seller=by_seller(plan),
        drawings=drawings(),
        name_of=name_of,
        no_carrier=no_carrier,
        cart_count=lambda: len(plan.lines),
        cart_oob=is_part_request(),
    )


def default_site() -> dict[str, Any] | None:
    """Where the person's last site is; None for a guest."""
    actor = access.actor()
    if not actor.is_signed_in:
        return None
    found = accounts.sites(actor.user)
    return found[0].snapshot() if found else None


def drawings() -> dict[int, str]:
    """Category -> name of its drawing, from the cached tree."""
    found: dict[int, str] = {}
    waiting = list(catalog.tree(current_app.extensions["cache"]))
    while waiting:
        node = waiting.pop()
        found[node.id] = node.drawing
        waiting.extend(node.children)
    return found


def name_of(thing: Any) -> str:
    """The name of an offer, line or change in the reader's language."""
    name: str = (thing.name_en if language() == "en" else "") or thing.name_ru
    return name


@pages.post("/cart/lines", permission=Permission.CART)
def add() -> Response:
    """Put an offer in; forms round up to whole packs and say so."""
    offer = parse_uuid(request.form.get("offer_id", ""))
    try:
        if offer is None:
            raise NotFound()
        wanted = typed_quantity("quantity", "1")
        change = carts.add(access.actor(), sessions.guest_cart_token(), offer, wanted, round_up=True)
    except DomainError as refusal:
        if isinstance(refusal, NotFound):
            raise
        flash(first_message(refusal), "bad")
        return redirect_to(paths.CART)
    flash(told(change), "warn" if change.note else "ok")
    response = redirect_to(paths.CART)
    if change.token:
        sessions.set_cookie(response, sessions.CART_COOKIE, change.token, KEEP_SECONDS)
    return response


@pages.post("/cart/lines/<line>", permission=Permission.CART)
def change(line: str) -> Response:
    """Set the quantity of a line; 0 takes it out."""
    known = parse_uuid(line)
    if known is None:
        raise NotFound()
    try:
        wanted = Decimal(0) if "remove" in request.form else typed_quantity("quantity", "")
        made = carts.change(access.actor(), sessions.guest_cart_token(), known, max(wanted, Decimal(0)), round_up=True)
    except Invalid as refusal:
        return cart_page(status=422, error=first_message(refusal))
    if made.line is None:
        return _after_removal(made)
    notice = told(made) if made.note else ""
    if is_part_request():
        return cart_page(notice=notice)
    if notice:
        flash(notice, "warn")
    return redirect_to(paths.CART)


@pages.post("/cart/code", permission=Permission.CART)
def use_code() -> Response:
    """Keep the code of a promotion, or take it out."""
    actor = access.actor()
    typed = "" if "remove" in request.form else request.form.get("code", "")
    if typed:
        limits.hit("code", sessions.client_ip())
    try:
        promotions.use_code(actor, sessions.guest_cart_token(), typed, likely_payer(actor))
    except Invalid as refusal:
        return cart_page(status=422, typed_code=typed, code_error=first_message(refusal))
    except Conflict:  # the cart is empty by now
        return redirect_to(paths.CART)
    return cart_page() if is_part_request() else redirect_to(paths.CART)


def likely_payer(actor: Actor) -> int | None:
    """The organisation that stands chosen as payer in the checkout's form; None: the person."""
    return next((m.organisation_id for m in actor.memberships if m.kind == "buyer"), None)


def code_said(state: CodeState) -> str:
    """What the code in the cart comes to; empty when it works."""
    if not state.problem:
        return ""
    begins = day(state.valid_from) if state.valid_from else ""
    return promotion_words.code_said(state.problem, money(state.missing), begins)


def by_seller(plan: Plan) -> dict[int, list[tuple[str, int]]]:
    """Seller -> (name, kopeks) of each discount on the own goods."""
    found: dict[int, list[tuple[str, int]]] = {}
    for one in promoting.by_seller(plan):
        found.setdefault(one.seller_id, []).append((name_of(one), one.amount))
    return found


@pages.post("/cart/prices", permission=Permission.CART)
def accept_prices() -> Response:
    """The buyer has seen the new prices."""
    carts.accept_prices(access.actor(), sessions.guest_cart_token())
    return cart_page() if is_part_request() else redirect_to(paths.CART)


def _after_removal(made: CartChange) -> Response:
    removed = {"offer": made.offer, "name": name_of(made), "quantity": made.quantity}
    if is_part_request():
        return cart_page(removed=removed)
    return redirect_to(paths.with_query(paths.CART, removed=made.offer, was=f"{made.quantity.normalize():f}"))


def _removed() -> dict[str, Any] | None:
    """What was just taken out, from the address, so that it can be put back without script."""
    offer = parse_uuid(request.args.get("removed", ""))
    if offer is None:
        return None
    try:
        return {
            "offer": offer,
            "name": name_of(offers.offer_by_public_id(offer)),
            "quantity": parse_decimal(request.args.get("was", "1")),
        }
    except (NotFound, NotANumber):
        return None


def typed_quantity(name: str, default: str) -> Decimal:
    """A quantity as people type it, plus the button that was pressed without script.

    Raises:
        Invalid: it is no number.
    """
    try:
        typed = parse_decimal(request.form.get(name, default) or default)
        step = request.form.get(f"{name}_step")
        return typed + (Decimal(step) if step else 0)
    except (NotANumber, ArithmeticError):
        raise Invalid([FieldError(f"/{name}", "not_a_number")]) from None


def first_message(refusal: DomainError) -> str:
    """One sentence for a refusal."""
    if isinstance(refusal, Invalid) and refusal.errors:
        return texts.error_text(refusal.errors[0].code, refusal.errors[0].context)
    return texts.message(refusal)


def told(made: CartChange) -> str:
    """What a change came to."""
    amount = qty(made.quantity, made.unit)
    if made.note:
        why = said(CHANGE_NOTES, made.note)
        return str(_("%(name)s: %(amount)s, %(why)s", name=name_of(made), amount=amount, why=why))
    return str(_("In the cart: %(name)s, %(amount)s", name=name_of(made), amount=amount))


def uuid_or_404(text: str) -> uuid.UUID:
    """An id of the path.

    Raises:
        NotFound: it is none.
    """
    found = parse_uuid(text)
    if found is None:
        raise NotFound()
    return found
