"""The operator's photographs and documents of cards, and the decision on documents that sellers send."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.catalog import documents, media_queries, pictures
from app.core.errors import Conflict, Invalid
from app.core.permissions import Actor, Permission
from app.offers.sellers import seller_names
from app.texts import media as words
from app.web import paths
from app.web.admin.operations import nav
from app.web.htmx import redirect_to, render_page
from app.web.product_media import Desk
from app.web.reading import before, by_field, key_of

pages = Guarded("admin_media", __name__)
LIST = "/admin/documents"
VIEWS = ("pending", "expired")
PAGE_SIZE = 20


def _frame(_actor: Actor) -> dict[str, Any]:
    return {"nav": nav(), "office_name": _("Administration"), "office_role": ""}


Desk(
    name="admin", base="/admin/products", permission=Permission.ADMIN_CATALOGUE, seller=lambda _actor: None,
    card=lambda _actor, product: media_queries.card_head(product), order=lambda _actor, _card: None,
    arrange=lambda actor, card, ids: pictures.set_images(actor, card.id, ids),
    remove=lambda actor, card, picture: pictures.remove(actor, card.id, picture), frame=_frame,
).routes(pages)  # fmt: skip


@pages.get(LIST, permission=Permission.ADMIN_CATALOGUE)
def all_documents() -> Response:
    """Documents that wait, or those out of date."""
    return _page({}, {})


def _page(typed: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    asked = request.args.get("view", "")
    view = asked if asked in VIEWS else "pending"
    found = media_queries.documents(
        state="pending" if view == "pending" else "", expired=view == "expired", before=before(), limit=PAGE_SIZE + 1
    )
    shown = found[:PAGE_SIZE]
    return render_page(
        "admin/documents.html", None, rows=shown, view=view, counts=media_queries.document_counts(), typed=typed,
        errors=errors, kinds=words.DOCUMENT_KINDS, states=words.DOCUMENT_STATES, status=status, list=LIST,
        sellers=seller_names(sorted({row.seller_id for row in shown if row.seller_id is not None})),
        next_url=paths.with_query(LIST, view=view, before=shown[-1].id) if len(found) > PAGE_SIZE else "",
        **_frame(access.actor()),
    )  # fmt: skip


@pages.post(f"{LIST}/<document>", permission=Permission.ADMIN_CATALOGUE)
def decide(document: str) -> Response:
    """Let buyers see it, or decline it with a note."""
    form = request.form
    try:
        documents.decide(access.actor(), key_of(document), form.get("decision", ""), form.get("note", ""))
    except Invalid as error:
        return _page(form.to_dict() | {"document": document}, by_field(error), 422)
    except Conflict as error:
        flash(texts.message(error), "bad")
        return redirect_to(LIST)
    flash(_("Decided and written to the audit log."), "ok")
    return redirect_to(LIST)
