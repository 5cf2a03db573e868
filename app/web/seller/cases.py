"""Returns and claims at the seller's desk, and the terms of returns."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.catalog import queries as catalog
from app.core.errors import DomainError, FieldError, Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Permission, may
from app.core.units import NotANumber, parse_decimal
from app.offers import return_terms
from app.offers.return_terms import Terms
from app.orders import case_queries, claims, return_desk
from app.orders.case_queries import Scope
from app.orders.return_desk import Count
from app.texts import returns as words
from app.web import case_pages
from app.web.buyer import cases as buyer_cases
from app.web.htmx import redirect_to, render_page
from app.web.reading import by_field, key_of, money_or_none
from app.web.seller import frame

pages = Guarded("seller_cases", __name__, url_prefix="/seller")


def _mine() -> Scope:
    return case_queries.sellers(access.actor())


def _rights() -> dict[str, bool]:
    """What this member may do beside reading."""
    actor = access.actor()
    return {
        "may_answer": may(actor, Permission.SELLER_ORDERS), "may_count": may(actor, Permission.SELLER_PICK),
        "may_pay": may(actor, Permission.SELLER_MONEY),
    }  # fmt: skip


@pages.get("/returns", permission=Permission.SELLER_VIEW)
def list_returns() -> Response:
    """Goods that come back."""
    return case_pages.list_page(
        "returns", _mine(), "/seller/returns", "seller", "requested", **frame.context(access.actor())
    )


@pages.get("/claims", permission=Permission.SELLER_VIEW)
def list_claims() -> Response:
    """Claims of buyers."""
    return case_pages.list_page(
        "claims", _mine(), "/seller/claims", "seller", "opened", **frame.context(access.actor())
    )


def _return_page(key: uuid.UUID, error: DomainError | None = None) -> Response:
    return case_pages.return_page(_mine(), key, "seller", error, **_rights(), **frame.context(access.actor()))


def _claim_page(key: uuid.UUID, error: DomainError | None = None) -> Response:
    return case_pages.claim_page(_mine(), key, "seller", error, **_rights(), **frame.context(access.actor()))


@pages.get("/returns/<case>", permission=Permission.SELLER_VIEW)
def show_return(case: str) -> Response:
    """One return."""
    return _return_page(key_of(case))


@pages.post("/returns/<case>/answer", permission=Permission.SELLER_ORDERS)
def answer_return(case: str) -> Response:
    """Approve, decline, or say that the goods are fetched."""
    return decide_return(access.actor(), key_of(case), f"/seller/returns/{case}", _return_page)


@pages.post("/returns/<case>/receive", permission=Permission.SELLER_PICK)
def receive(case: str) -> Response:
    """Count what came."""
    return count_return(access.actor(), key_of(case), f"/seller/returns/{case}", _return_page)


@pages.post("/returns/<case>/refund", permission=Permission.SELLER_MONEY)
def refund(case: str) -> Response:
    """Pay back what was counted."""
    key, actor = key_of(case), access.actor()
    return case_pages.then(
        lambda: return_desk.refund(actor, key), f"/seller/returns/{key}", lambda e: _return_page(key, e)
    )


def decide_return(actor: Any, key: uuid.UUID, path: str, again: Any) -> Response:
    """The words of a seller on a return, by `decision`."""
    text, said = request.form.get("answer", ""), request.form.get("decision", "")
    acts = {
        "approve": lambda: return_desk.approve(actor, key, text),
        "reject": lambda: return_desk.reject(actor, key, text),
        "fetched": lambda: return_desk.fetched(actor, key),
    }
    return case_pages.then(acts.get(said, acts["reject"]), path, lambda refusal: again(key, refusal))


def count_return(actor: Any, key: uuid.UUID, path: str, again: Any) -> Response:
    """The form of a count: fields `q-<line>` came, `fit-<line>` of them can be sold."""
    form = request.form

    def act() -> None:
        counts, errors = {}, []
        for name in form:
            line = parse_uuid(name.removeprefix("q-")) if name.startswith("q-") else None
            if line is None:
                continue
            try:
                came = parse_decimal(form[name])
                fit = form.get(f"fit-{line}", "")
                counts[line] = Count(came, parse_decimal(fit) if fit.strip() else came)
            except NotANumber as error:
                errors.append(FieldError(f"/lines/{line}", error.code))
        if errors:
            raise Invalid(errors)
        place = parse_uuid(form.get("warehouse", ""))
        return_desk.receive(actor, key, counts, place, form.get("count_note", ""))

    return case_pages.then(act, path, lambda refusal: again(key, refusal))


@pages.get("/claims/<case>", permission=Permission.SELLER_VIEW)
def show_claim(case: str) -> Response:
    """One claim."""
    return _claim_page(key_of(case))


@pages.post("/claims/<case>/refuse", permission=Permission.SELLER_ORDERS)
def refuse(case: str) -> Response:
    """No, and why."""
    key, actor = key_of(case), access.actor()
    text = request.form.get("answer", "")
    return case_pages.then(
        lambda: claims.refuse(actor, key, text), f"/seller/claims/{key}", lambda e: _claim_page(key, e)
    )


@pages.post("/claims/<case>/agree", permission=Permission.SELLER_MONEY)
def agree(case: str) -> Response:
    """What the buyer wants, or a smaller sum: only who may give money back may promise it."""
    key, actor, form = key_of(case), access.actor(), request.form

    def act() -> None:
        if form.get("decision") == "offer":
            claims.offer(actor, key, money_or_none(form.get("amount", ""), "amount") or 0, form.get("answer", ""))
        else:
            claims.agree(actor, key, form.get("answer", ""))

    return case_pages.then(act, f"/seller/claims/{key}", lambda e: _claim_page(key, e))


@pages.get("/return-terms", permission=Permission.SELLER_OFFERS)
def show_terms() -> Response:
    """What is taken back, and the form."""
    return _terms_page()


def _terms_page(error: Invalid | None = None) -> Response:
    actor = access.actor()
    now = return_terms.current([actor.seller_id])[actor.seller_id]
    chosen = request.form.getlist("section") if error else [one.slug for one in return_terms.names_of([now]).values()]
    return render_page(
        "seller/return_terms.html", None, status=422 if error else 200, terms=now, told=buyer_cases.told(now),
        typed=request.form, errors=by_field(error) if error else {}, words=words, tree=catalog.tree(), chosen=chosen,
        most_days=return_terms.MOST_DAYS, most_fee=return_terms.MOST_FEE, **frame.context(actor),
    )  # fmt: skip


@pages.post("/return-terms", permission=Permission.SELLER_OFFERS)
def save_terms() -> Response:
    """For orders from now on."""
    form = request.form
    try:
        terms = Terms(
            form.get("accepts") == "1", int(_number("days", 14)), form.get("whole_packs") == "1",
            _number("fee_percent", 0), form.get("carried_by", ""),
        )  # fmt: skip
        return_terms.change(access.actor(), terms, form.getlist("section"))
    except Invalid as refusal:
        return _terms_page(refusal)
    flash(_("Saved. The terms hold for orders placed from now on."), "ok")
    return redirect_to("/seller/return-terms")


def _number(name: str, empty: int) -> Decimal:
    text = request.form.get(name, "").strip()
    if not text:
        return Decimal(empty)
    try:
        found = parse_decimal(text)
    except NotANumber as error:
        raise Invalid.one(f"/{name}", error.code) from None
    if abs(found) > 10**6:
        raise Invalid.one(f"/{name}", "not_a_number")
    return found
