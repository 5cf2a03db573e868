"""Paying by card: to the page of the provider and back."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Response, current_app, flash

from app import access, texts
from app.access import Guarded
from app.core.errors import Conflict
from app.core.permissions import Permission
from app.orders import card, queries
from app.orders.queries import GroupView
from app.payments import providers
from app.payments import rules as payment_rules
from app.settings import Settings
from app.web import paths
from app.web.htmx import redirect_to, render_page
from app.web.reading import key_of

pages = Guarded("paying", __name__)


def order_url(number: str) -> str:
    """The whole address of the page that the provider sends the buyer back to."""
    settings: Settings = current_app.extensions["settings"]
    return f"{settings.public_url}{paths.order_path(number)}"


@pages.get("/orders/<number>/pay", permission=Permission.BUY)
def ask(number: str) -> Response:
    """Says what is to be paid and until when."""
    view = queries.group_view(access.actor().user, number)
    if view.payment is None or view.payment.method != "card" or not view.payment.left:
        return redirect_to(paths.order_path(number))
    return render_page("buyer/pay.html", None, number=number, url="", amount=view.payment.left, until=deadline_of(view))


def deadline_of(view: GroupView) -> datetime:
    """Until when a purchase can be paid by card."""
    return view.row.created_at + timedelta(minutes=payment_rules.CARD_MINUTES)


@pages.post("/orders/<number>/pay", permission=Permission.BUY)
def begin(number: str) -> Response:
    """Begin a visit to the provider's page."""
    return begun(number)


def begun(number: str) -> Response:
    """To the page that leads to the provider; back to the order with the reason when it cannot be paid."""
    try:
        reference = card.begin(access.actor(), number)
    except Conflict as refusal:
        flash(texts.message(refusal), "bad")
        return redirect_to(paths.order_path(number))
    return redirect_to(f"{paths.order_path(number)}/pay/{reference}/bank")


@pages.get("/orders/<number>/pay/<reference>/bank", permission=Permission.BUY)
def leave(number: str, reference: str) -> Response:
    """Sends the browser on. A page of its own, because our forms may lead to no other site (form-action)."""
    visit = card.visit(access.actor(), number, key_of(reference), order_url(number))
    if visit is None:
        return redirect_to(paths.order_path(number))
    return render_page("buyer/pay.html", None, number=number, amount=visit.amount, url=providers.present().start(visit))
