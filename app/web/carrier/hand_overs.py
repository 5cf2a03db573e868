"""Deliveries handed from one carrier to another: the list, an offer, the answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.core.errors import Conflict, Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.logistics import hand_overs
from app.logistics.hand_overs import Offer
from app.texts import carrier as words
from app.texts import logistics
from app.web.carrier.deliveries import delivery_page
from app.web.carrier.forms import kopeks, number
from app.web.carrier.frame import key_of, office, pages
from app.web.htmx import redirect_to, render_page

LIST = "/carrier/hand-overs"


@pages.get("/hand-overs", permission=Permission.CARRIER_VIEW)
def all_offers() -> Response:
    """What was offered to us and by us, open ones first."""
    carrier_id = access.actor().carrier_id
    rows = hand_overs.hand_overs(carrier_id)
    return render_page("carrier/hand_overs.html", None, rows=rows, carrier_id=carrier_id, words=words, **office())


@pages.get("/hand-overs/<key>", permission=Permission.CARRIER_VIEW)
def one_offer(key: str) -> Response:
    """One offer with its answers."""
    return _page(key)


def _page(key: str, error: str = "", status: int = 200) -> Response:
    carrier_id = access.actor().carrier_id
    row = hand_overs.hand_over(carrier_id, key_of(key))
    return render_page(
        "carrier/hand_over.html", None, row=row, is_mine=row.is_mine(carrier_id), texts=logistics, words=words,
        error=error, status=status, **office(),
    )  # fmt: skip


@pages.post("/deliveries/<key>/hand-over", permission=Permission.CARRIER_PLAN)
def offer(key: str) -> Response:
    """Offer a delivery to another carrier."""
    form = request.form
    try:
        carrier = parse_uuid(form.get("carrier", ""))
        if carrier is None:
            raise Invalid.one("/carrier", "unknown_option")
        wanted = Offer(
            carrier, form.get("reason", ""), kopeks(form.get("price", ""), "/price"),
            number(form.get("hours", "4"), "/hours"), form.get("note", ""),
        )  # fmt: skip
        hand_overs.offer(access.actor(), key_of(key), wanted)
    except Invalid as error:
        return delivery_page(key, texts.error_text(error.errors[0].code, error.errors[0].context), 422)
    except Conflict as error:
        return delivery_page(key, texts.message(error), 409)
    flash(_("The delivery is offered; until it is accepted it stays yours."), "ok")
    return redirect_to(f"/carrier/deliveries/{key}")


@pages.post("/hand-overs/<key>/accept", permission=Permission.CARRIER_PLAN)
def accept(key: str) -> Response:
    """Take the delivery over."""
    return _answer(key, hand_overs.accept, _("The delivery is yours now: plan it into a route."))


@pages.post("/hand-overs/<key>/decline", permission=Permission.CARRIER_PLAN)
def decline(key: str) -> Response:
    """Say no."""
    said = request.form.get("answer", "")
    return _answer(key, lambda actor, found: hand_overs.decline(actor, found, said), _("The offer is declined."))


@pages.post("/hand-overs/<key>/withdraw", permission=Permission.CARRIER_PLAN)
def withdraw(key: str) -> Response:
    """Take the offer back."""
    return _answer(key, hand_overs.withdraw, _("The offer is taken back."))


def _answer(key: str, act: Callable[[Any, Any], None], done: str) -> Response:
    try:
        act(access.actor(), key_of(key))
    except Invalid as error:
        return _page(key, texts.error_text(error.errors[0].code, error.errors[0].context), 422)
    except Conflict as error:
        return _page(key, texts.message(error), 409)
    flash(done, "ok")
    return redirect_to(f"{LIST}/{key}")
