"""Purchases that wait for an approval: the list, the page to decide on, and the buyer's way back."""

from __future__ import annotations

from datetime import date

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.core.errors import Conflict, DomainError, Invalid
from app.core.permissions import Permission
from app.orders import approvals
from app.texts import company as words
from app.texts import orders as order_words
from app.web import paths
from app.web.buyer.cart import name_of, told
from app.web.htmx import redirect_to, render_page
from app.web.reading import key_of, sentence

pages = Guarded("approvals", __name__)
PATH = "/approvals"


@pages.get(PATH, permission=Permission.BUY)
def index() -> Response:
    """What waits for the person's answer, and what the person asked for."""
    rows = approvals.requests_of(access.actor())
    return render_page("buyer/approvals.html", None, rows=rows, words=words)


@pages.get(f"{PATH}/<approval>", permission=Permission.BUY)
def show(approval: str) -> Response:
    """A purchase as it was asked for, beside what it would come to now."""
    return _page(approval)


def _page(approval: str, error: str = "", status: int = 200) -> Response:
    view = approvals.request(access.actor(), key_of(approval))
    return render_page(
        "buyer/approval.html", None, status=status, view=view, words=words, order_words=order_words, name_of=name_of,
        error=error, typed=request.form.get("reason", ""), problem=sentence(view.problem) if view.problem else "",
        day=date.fromisoformat((view.now or view.payload)["day"]), window_of=(view.now or view.payload)["window"],
        day_was=date.fromisoformat(view.payload["day"]),
    )  # fmt: skip


@pages.post(f"{PATH}/<approval>/approve", permission=Permission.BUY)
def approve(approval: str) -> Response:
    """Place it at the terms that were shown; others are shown first."""
    try:
        placed = approvals.approve(access.actor(), key_of(approval), request.form.get("terms", ""))
    except (Conflict, Invalid) as refusal:
        return _page(approval, sentence(refusal), refusal.status)
    flash(_("The purchase %(number)s is placed.", number=placed.number), "ok")
    return redirect_to(f"{PATH}/{approval}")


@pages.post(f"{PATH}/<approval>/decline", permission=Permission.BUY)
def decline(approval: str) -> Response:
    """Refuse with a reason."""
    try:
        approvals.decline(access.actor(), key_of(approval), request.form.get("reason", ""))
    except (Conflict, Invalid) as refusal:
        return _page(approval, sentence(refusal), refusal.status)
    flash(_("The purchase is declined; the buyer has been told."), "ok")
    return redirect_to(PATH)


@pages.post(f"{PATH}/<approval>/withdraw", permission=Permission.BUY)
def withdraw(approval: str) -> Response:
    """Take an own request back."""
    try:
        approvals.withdraw(access.actor(), key_of(approval))
        flash(_("The request is taken back. Its goods can go into the cart again."), "ok")
    except Conflict as refusal:
        flash(sentence(refusal), "bad")
    return redirect_to(f"{PATH}/{approval}")


@pages.post(f"{PATH}/<approval>/to-cart", permission=Permission.BUY)
def to_cart(approval: str) -> Response:
    """What was not approved, into the cart again."""
    try:
        for change in approvals.to_cart(access.actor(), key_of(approval)):
            if change.note:
                flash(told(change), "warn")
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        flash(sentence(refusal), "bad")
    return redirect_to(paths.CART)
