"""A seller's photographs and documents of cards the seller offers: the operator decides on both."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import Response

from app import access
from app.access import Guarded
from app.catalog import media_queries
from app.catalog.media_queries import CardHead
from app.core.permissions import Actor, Permission
from app.offers import picture_changes
from app.texts import media as words
from app.web import paths
from app.web.htmx import render_page
from app.web.product_media import Desk
from app.web.reading import before
from app.web.seller import frame

pages = Guarded("seller_media", __name__)
LIST = "/seller/documents"
PAGE_SIZE = 50


def _order(actor: Actor, card: CardHead) -> Sequence[uuid.UUID] | None:
    found = picture_changes.wish(actor.seller_id, card.id)
    return found.images if found else None


def _arrange(actor: Actor, card: CardHead, ids: Sequence[uuid.UUID]) -> None:
    picture_changes.propose(actor, card.public_id, ids)


Desk(
    name="seller", base="/seller/products", permission=Permission.SELLER_OFFERS,
    seller=lambda actor: actor.seller_id,
    card=lambda actor, product: picture_changes.offered_card(actor.seller_id, product),
    order=_order, arrange=_arrange,
    remove=lambda actor, card, picture: picture_changes.remove(actor, card.public_id, picture),
    frame=frame.context,
).routes(pages)  # fmt: skip


@pages.get(LIST, permission=Permission.SELLER_OFFERS)
def all_documents() -> Response:
    """All own documents, those out of date too."""
    actor = access.actor()
    found = media_queries.documents(seller_id=actor.seller_id, before=before(), limit=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    return render_page(
        "media/own_documents.html", None, rows=shown, states=words.DOCUMENT_STATES, kinds=words.DOCUMENT_KINDS,
        next_url=paths.with_query(LIST, before=shown[-1].id) if len(found) > PAGE_SIZE else "", **frame.context(actor),
    )  # fmt: skip
