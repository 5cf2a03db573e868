"""The buyer's returns and claims."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.catalog.sections import Section
from app.core import clock
from app.core.errors import Conflict, DomainError, FieldError, Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.offers import return_terms
from app.offers.return_terms import Terms
from app.orders import case_queries, claims, return_rules, returns
from app.orders.case_queries import Options, Scope
from app.texts import returns as words
from app.web import case_pages, evidence
from app.web.buyer.cart import name_of
from app.web.filters import language
from app.web.htmx import redirect_to, render_page
from app.web.reading import by_field, key_of, money_or_none, quantities, sentence

pages = Guarded("buyer_cases", __name__)


def _mine() -> Scope:
    return case_queries.buyers(access.actor())


def terms_told(terms: Mapping[int, Terms], sections: Mapping[int, Section]) -> dict[int, list[str]]:
    """Terms as sentences, with the names of sections in the reader's language."""
    names = {one.id: one.name_en if language() == "en" else one.name_ru for one in sections.values()}
    return {
        key: words.whole(each, [names[one] for one in each.category_ids if one in names]) for key, each in terms.items()
    }


def told(terms: Terms) -> list[str]:
    """The same of one seller or order."""
    return terms_told({0: terms}, return_terms.names_of([terms]))[0]


@pages.get("/returns", permission=Permission.BUY)
def list_returns() -> Response:
    """What the person sends back."""
    return case_pages.list_page("returns", _mine(), "/returns", "buyer")


@pages.get("/claims", permission=Permission.BUY)
def list_claims() -> Response:
    """The person's claims."""
    return case_pages.list_page("claims", _mine(), "/claims", "buyer")


def _form_page(
    template: str, options: Options, photos: list[uuid.UUID], refusal: DomainError | None, **more: Any
) -> Response:  # fmt: skip
    """A form of an order; refused, it keeps what was typed and the photographs that were sent."""
    return render_page(
        template, None, status=refusal.status if refusal else 200, options=options, photos=photos, words=words,
        name_of=name_of, typed=request.form, now=clock.now(), most_photos=return_rules.MOST_PHOTOS,
        fault_days=return_rules.FAULT_DAYS, error=sentence(refusal) if refusal else "",
        errors=by_field(refusal) if isinstance(refusal, Invalid) else {}, **more,
    )  # fmt: skip


@pages.get("/orders/<number>/return", permission=Permission.BUY)
def ask_return(number: str) -> Response:
    """The form: why, which lines, how they look."""
    return _return_form(case_queries.options(_mine(), number), [])


def _return_form(options: Options, photos: list[uuid.UUID], refusal: DomainError | None = None) -> Response:
    return _form_page("cases/return_new.html", options, photos, refusal, terms=told(options.terms))


@pages.post("/orders/<number>/return", permission=Permission.BUY)
def request_return(number: str) -> Response:
    """Ask the seller."""
    options = case_queries.options(_mine(), number)
    photos, errors = evidence.from_form()
    form = request.form
    try:
        if errors:
            raise Invalid(errors)
        wanted = returns.Wanted(
            form.get("reason", ""), quantities(skip_blank=True), form.get("note", ""), tuple(photos)
        )  # fmt: skip
        key = returns.request(access.actor(), number, wanted)
    except (Invalid, Conflict) as refusal:
        return _return_form(options, photos, refusal)
    flash(_("The seller has been asked. Without an answer the return is approved by itself."), "ok")
    return redirect_to(f"/returns/{key}")


@pages.get("/returns/<case>", permission=Permission.BUY)
def show_return(case: str) -> Response:
    """How it stands."""
    return case_pages.return_page(_mine(), key_of(case), "buyer")


@pages.post("/returns/<case>", permission=Permission.BUY)
def move_return(case: str) -> Response:
    """Sent off, or called off."""
    key, actor = key_of(case), access.actor()
    act = returns.cancel if request.form.get("decision") == "cancel" else returns.send
    return case_pages.then(
        lambda: act(actor, key), f"/returns/{key}", lambda e: case_pages.return_page(_mine(), key, "buyer", e)
    )


@pages.get("/orders/<number>/claim", permission=Permission.BUY)
def ask_claim(number: str) -> Response:
    """The form: which line, what is wrong, what is wanted."""
    return _form_page("cases/claim_new.html", case_queries.options(_mine(), number), [], None)


@pages.post("/orders/<number>/claim", permission=Permission.BUY)
def open_claim(number: str) -> Response:
    """Put it before the seller."""
    options = case_queries.options(_mine(), number)
    photos, errors = evidence.from_form()
    try:
        key = claims.open_claim(access.actor(), number, _claim(photos, errors))
    except (Invalid, Conflict) as refusal:
        return _form_page("cases/claim_new.html", options, photos, refusal)
    flash(_("The seller has your claim. Without an answer it goes to the operator."), "ok")
    return redirect_to(f"/claims/{key}")


def _claim(photos: list[uuid.UUID], errors: list[FieldError]) -> claims.Wanted:
    """The form of a claim.

    Raises:
        Invalid: every field that cannot be read.
    """
    form = request.form
    line, quantity, amount = parse_uuid(form.get("line", "")), Decimal(0), None
    if line is None:
        errors.append(FieldError("/line", "required"))
    try:
        quantity = parse_decimal(form.get("quantity", ""))
    except NotANumber as error:
        errors.append(FieldError("/quantity", error.code))
    try:
        amount = money_or_none(form.get("amount", ""), "amount")
    except Invalid as refusal:
        errors += refusal.errors
    if errors or line is None:
        raise Invalid(errors)
    return claims.Wanted(
        line, form.get("kind", ""), quantity, form.get("wish", ""), form.get("note", ""), amount or 0, tuple(photos)
    )  # fmt: skip


@pages.get("/claims/<case>", permission=Permission.BUY)
def show_claim(case: str) -> Response:
    """How it stands."""
    return case_pages.claim_page(_mine(), key_of(case), "buyer")


@pages.post("/claims/<case>", permission=Permission.BUY)
def reply(case: str) -> Response:
    """Take the offer, put it before the operator, or take the claim back."""
    key, actor = key_of(case), access.actor()
    acts: dict[str, Callable[[Any, uuid.UUID], None]] = {
        "accept": claims.accept, "escalate": claims.escalate, "withdraw": claims.withdraw,
    }  # fmt: skip
    act = acts.get(request.form.get("decision", ""), claims.accept)
    return case_pages.then(
        lambda: act(actor, key), f"/claims/{key}", lambda e: case_pages.claim_page(_mine(), key, "buyer", e)
    )
