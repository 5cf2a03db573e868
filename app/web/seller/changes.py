"""A seller's changes of the catalogue: the form of a card, what was sent and what became of it, new products."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.catalog import cards
from app.catalog.cards import Content
from app.core.errors import Conflict, Invalid, Stale
from app.core.permissions import Permission
from app.offers import card_changes, change_queries, desk, new_products
from app.offers.change_queries import ChangeRow
from app.offers.desk import DeskOffer
from app.texts import cards as words
from app.web import card_form, paths
from app.web.card_form import Refused
from app.web.card_words import words_for
from app.web.carrier.forms import kopeks
from app.web.filters import language
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, key_of
from app.web.seller import frame

pages = Guarded("seller_changes", __name__, url_prefix="/seller")
LIST = "/seller/changes"
PAGE_SIZE = 20


def state_of(text: str | None) -> str:
    """A state out of an address; what waits when it is none of them."""
    return text if text in change_queries.STATES else "pending"


@pages.get("/proposals", permission=Permission.SELLER_OFFERS)
def moved() -> Response:
    """The address this list had while it held new products only."""
    return redirect_to(paths.with_query(LIST, state=request.args.get("state")))


@pages.get("/changes", permission=Permission.SELLER_OFFERS)
def show_all() -> Response:
    """Own changes of one state."""
    actor = access.actor()
    state = state_of(request.args.get("state"))
    found = change_queries.page(state, actor.seller_id, before(), PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    return render_page(
        "seller/changes.html", None, rows=shown, state=state, counts=change_queries.counts(actor.seller_id),
        states=words.STATES, words=words_for(shown), list=LIST,
        next_url=paths.with_query(LIST, state=state, before=shown[-1].id) if len(found) > PAGE_SIZE else "",
        **frame.context(actor),
    )  # fmt: skip


@pages.get("/changes/<change>", permission=Permission.SELLER_OFFERS)
def show(change: str) -> Response:
    """One change: what it says, what the operator says."""
    actor = access.actor()
    row = change_queries.find(key_of(change), actor.seller_id)
    known = words_for([row])
    card = None if row.is_new or not row.is_open else change_queries.present(row)
    return render_page(
        "seller/change.html", None, row=row, lines=[] if row.is_new else [known.line(i) for i in row.items(card)],
        facts=known.facts(row.card) if row.is_new else [], states=words.STATES, list=LIST, labels=words.LABELS,
        **frame.context(actor),
    )  # fmt: skip


@pages.post("/changes/<change>/withdraw", permission=Permission.SELLER_OFFERS)
def withdraw(change: str) -> Response:
    """Take it back before it is decided."""
    try:
        card_changes.withdraw(access.actor(), key_of(change))
        flash(_("Withdrawn."), "ok")
    except Conflict as error:
        flash(texts.message(error), "bad")
    return redirect_to(f"{LIST}/{change}")


@pages.get("/offers/<offer>/card", permission=Permission.SELLER_OFFERS)
def edit(offer: str) -> Response:
    """The card of the product, with what an edit that is not decided yet says."""
    found = desk.offer(access.actor().seller_id, key_of(offer))
    return _edit_page(found, None, Refused())


def _edit_page(offer: DeskOffer, typed: Content | None, wrong: Refused, status: int = 200) -> Response:
    actor = access.actor()
    head = cards.head(offer.product_public_id)
    card = cards.read(head.id)
    waiting = change_queries.open_of(actor.seller_id, head.id)
    said = typed or (waiting.payload if waiting else {})
    comment = request.form.get("comment", waiting.comment if waiting else "")
    return render_page(
        "seller/card.html", None, title=offer.name(language()), offer=offer, waiting=waiting, comment=comment,
        version=head.version, status=status,
        form=card_form.context(_shown(card, said), offer.base_unit, wrong), **frame.context(actor),
    )  # fmt: skip


def _shown(card: Content, said: Any) -> Content:
    """The card with everything that was typed or sent on it, wrong values too."""
    found = {name: card[name] | said.get(name, {}) for name in ("fields", "attributes")}
    return card | found | ({"units": said["units"]} if "units" in said else {})


@pages.post("/offers/<offer>/card", permission=Permission.SELLER_OFFERS)
def send(offer: str) -> Response:
    """Send what differs from the card."""
    actor = access.actor()
    found = desk.offer(actor.seller_id, key_of(offer))
    typed, version = card_form.posted(), request.form.get("version", "")
    try:
        sent = card_changes.send(
            actor, found.product_public_id, typed, int(version) if version.isdecimal() else None,
            request.form.get("comment", ""),
        )  # fmt: skip
    except Stale:
        return _edit_page(found, typed, card_form.refused(Conflict("card_changed")), 412)
    except (Invalid, Conflict) as error:
        return _edit_page(found, typed, card_form.refused(error), error.status)
    flash(_("Approved at once.") if sent.status == "approved" else _("Sent. The operator decides on it."), "ok")
    return redirect_to(f"{LIST}/{sent.public_id}")


EMPTY: Content = {"fields": {"category": ""}, "attributes": {}, "units": [], "base_unit": "pcs"}


@pages.get("/changes/new", permission=Permission.SELLER_OFFERS)
def new() -> Response:
    """The form of a product that the catalogue does not have; `category` chooses its section."""
    return _new_page(EMPTY | {"fields": {"category": request.args.get("category", "")}}, None, Refused())


@pages.get("/changes/<change>/mend", permission=Permission.SELLER_OFFERS)
def mend(change: str) -> Response:
    """The form of an own proposal again."""
    row = change_queries.find(key_of(change), access.actor().seller_id)
    return _new_page(row.card, row, Refused()) if row.is_new else redirect_to(f"/seller/offers/{row.offer}/card")


def _new_page(card: Content, row: ChangeRow | None, wrong: Refused, status: int = 200) -> Response:
    typed = request.form.get("price")
    price = card.get("price")
    return render_page(
        "seller/card_new.html", None, row=row, status=status,
        comment=request.form.get("comment", row.comment if row else ""),
        sku=request.form.get("sku", card.get("sku", "")), list=LIST,
        price=typed if typed is not None else f"{price / 100:.2f}".rstrip("0").rstrip(".") if price else "",
        form=card_form.context(card, card.get("base_unit", "pcs"), wrong), **frame.context(access.actor()),
    )  # fmt: skip


@pages.post("/changes/new", permission=Permission.SELLER_OFFERS)
def add() -> Response:
    """Send a new product."""
    return _send_new(None)


@pages.post("/changes/<change>/mend", permission=Permission.SELLER_OFFERS)
def send_again(change: str) -> Response:
    """Send the mended proposal."""
    row = change_queries.find(key_of(change), access.actor().seller_id)
    return _send_new(row) if row.is_new else redirect_to(f"/seller/offers/{row.offer}/card")


def _send_new(row: ChangeRow | None) -> Response:
    actor, comment = access.actor(), request.form.get("comment", "")
    typed = card_form.posted()
    typed = {"units": []} | typed | {"base_unit": request.form.get("base_unit", "pcs"), "source": "form"}
    typed |= {"sku": request.form.get("sku", "").strip()}
    if request.form.get("step") == "category":
        return _new_page(typed, row, Refused())
    try:
        if request.form.get("price", "").strip():
            typed["price"] = kopeks(request.form["price"], "/price")
        if row is None:
            made = new_products.propose(actor, typed, comment)
        else:
            made = row.public_id
            new_products.send_again(actor, made, typed, comment)
    except (Invalid, Conflict) as error:
        return _new_page(typed, row, card_form.refused(error), error.status)
    flash(_("Sent. The operator decides on it."), "ok")
    return redirect_to(f"{LIST}/{made}")
