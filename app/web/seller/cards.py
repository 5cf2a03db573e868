"""Which cards a seller should fill first."""

from __future__ import annotations

from flask import Response

from app import access
from app.access import Guarded
from app.core import clock
from app.core.permissions import Permission
from app.orders import card_scores
from app.texts import cards as words
from app.web.htmx import render_page
from app.web.seller import frame

pages = Guarded("seller_cards", __name__, url_prefix="/seller/cards")


@pages.get("", permission=Permission.SELLER_OFFERS)
def show() -> Response:
    """How complete the cards are, and the ones that matter most."""
    actor = access.actor()
    return render_page(
        "seller/cards.html", None, total=card_scores.of_seller(actor.seller_id), facts=words.FACTS,
        rows=card_scores.to_fill(actor.seller_id, clock.today()), days=card_scores.SOLD_DAYS, **frame.context(actor),
    )  # fmt: skip
