"""Products that a seller proposed: what the operator says of them, mending and sending again."""

from __future__ import annotations

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.core.errors import Conflict, Invalid
from app.core.permissions import Permission
from app.offers import moderation
from app.texts import offers as words
from app.web import paths
from app.web.admin.proposals import state_of
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, by_field, key_of
from app.web.seller import frame

pages = Guarded("seller_proposals", __name__, url_prefix="/seller/proposals")
LIST = "/seller/proposals"
PAGE_SIZE = 20


@pages.get("", permission=Permission.SELLER_OFFERS)
def show_all() -> Response:
    """Own proposals of one state."""
    return _page({}, {})


def _page(typed: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    actor = access.actor()
    state = state_of(request.args.get("state"))
    found = moderation.proposals(state, actor.seller_id, before(), PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    return render_page(
        "seller/proposals.html", None, rows=shown, state=state, counts=moderation.counts(actor.seller_id),
        typed=typed, errors=errors, labels=words.PROPOSAL, fields=moderation.TEXTS, status=status,
        next_url=paths.with_query(LIST, state=state, before=shown[-1].id) if len(found) > PAGE_SIZE else "",
        **frame.context(actor),
    )  # fmt: skip


@pages.post("/<change>", permission=Permission.SELLER_OFFERS)
def send_again(change: str) -> Response:
    """Save the mended fields and put the proposal before the operator again."""
    try:
        moderation.send_again(access.actor(), key_of(change), request.form.to_dict())
    except Invalid as error:
        return _page(request.form.to_dict() | {"change": change}, by_field(error), 422)
    except Conflict as error:
        flash(texts.message(error), "bad")
        return redirect_to(LIST)
    flash(_("Sent. The operator decides on it."), "ok")
    return redirect_to(LIST)
