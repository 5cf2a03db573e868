"""The operator's desk for what sellers propose: new products and edits of cards; sellers whose edits need no person."""

from __future__ import annotations

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.core.errors import Conflict, Invalid
from app.core.permissions import Permission
from app.offers import card_changes, change_queries, new_products, sellers
from app.offers.change_queries import ChangeRow
from app.texts import cards as words
from app.web import card_form, paths
from app.web.admin.operations import nav
from app.web.card_form import Refused
from app.web.card_words import guess, leaves, words_for
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, key_of
from app.web.seller.changes import state_of

pages = Guarded("admin_changes", __name__, url_prefix="/admin")
LIST = "/admin/changes"
PAGE_SIZE = 20


@pages.get("/proposals", permission=Permission.ADMIN_CATALOGUE)
def moved() -> Response:
    """The address this list had while it held new products only."""
    return redirect_to(paths.with_query(LIST, state=request.args.get("state")))


@pages.get("/changes", permission=Permission.ADMIN_CATALOGUE)
def show_all() -> Response:
    """Changes of one state, each with its buttons."""
    state = state_of(request.args.get("state"))
    found = change_queries.page(state, before=before(), limit=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    known = words_for(shown)
    options = leaves(known.tree)
    return render_page(
        "admin/changes.html", None, rows=shown, state=state, counts=change_queries.counts(), words=known,
        states=words.STATES, labels=words.LABELS, leaves=options, guesses={r.id: _guess(r, options) for r in shown},
        waits=_waits(shown), nav=nav(), office_name=_("Administration"), list=LIST,
        next_url=paths.with_query(LIST, state=state, before=shown[-1].id) if len(found) > PAGE_SIZE else "",
    )  # fmt: skip


def _guess(row: ChangeRow, options: list[tuple[str, str]]) -> str:
    if not row.is_new:
        return ""
    said = row.card
    return str(said["fields"].get("category") or guess(str(said.get("section", "")), options))


def _waits(rows: list[ChangeRow]) -> dict[int, list[str]]:
    """Why edits of trusted sellers wait."""
    trusted = [row for row in rows if row.is_trusted and row.is_open and not row.is_new]
    return {row.id: [str(words.WAITS[r]) for r in card_changes.reasons(row.base, row.payload)] for row in trusted}


@pages.get("/changes/<change>", permission=Permission.ADMIN_CATALOGUE)
def show(change: str) -> Response:
    """One change in three values, with a choice for each thing."""
    return _page(change_queries.find(key_of(change)), Refused())


def _page(row: ChangeRow, wrong: Refused, status: int = 200) -> Response:
    known = words_for([row])
    card = change_queries.present(row) if not row.is_new and row.is_open else None
    options = leaves(known.tree)
    summary = [(pointer.strip("/").replace("/", "-"), text) for pointer, text in wrong.errors.items()]
    return render_page(
        "admin/change.html", None, row=row, status=status, errors=wrong.errors,
        summary=summary + [("", text) for text in wrong.general],
        words=known, lines=[] if row.is_new else [known.line(item) for item in row.items(card)],
        facts=known.facts(row.card) if row.is_new else [], leaves=options, guess=_guess(row, options),
        waits=_waits([row]).get(row.id, []), typed=request.form, states=words.STATES, labels=words.LABELS, list=LIST,
        history=change_queries.history(row.product_id) if row.product_id else [], nav=nav(),
        office_name=_("Administration"),
    )  # fmt: skip


@pages.post("/changes/<change>", permission=Permission.ADMIN_CATALOGUE)
def decide(change: str) -> Response:
    """Approve, decline or send back with a note; the next one that waits follows."""
    row, form = change_queries.find(key_of(change)), request.form
    decision, note = form.get("decision", ""), form.get("note", "")
    try:
        if row.is_new:
            new_products.decide(access.actor(), row.public_id, decision, note, form.get("category", ""))
        else:
            choices = {name.removeprefix("choice."): form[name] for name in form if name.startswith("choice.")}
            version = form.get("version", "")
            card_changes.decide(
                access.actor(), row.public_id, decision, note, choices, int(version) if version.isdecimal() else None,
                form.get("seen"),
            )  # fmt: skip
    except (Invalid, Conflict) as error:
        return _page(change_queries.find(row.public_id), card_form.refused(error), error.status)
    flash(_("Decided and written to the audit log."), "ok")
    return redirect_to(LIST)


@pages.post("/changes/<change>/revert", permission=Permission.ADMIN_CATALOGUE)
def revert(change: str) -> Response:
    """Take an approved edit back."""
    row = change_queries.find(key_of(change))
    try:
        made = card_changes.revert(access.actor(), row.public_id, request.form.get("note", ""))
    except (Invalid, Conflict) as error:
        return _page(row, card_form.refused(error), error.status)
    flash(_("Taken back. The card says what it said before."), "ok")
    return redirect_to(f"{LIST}/{made}")


@pages.get("/trusted", permission=Permission.ADMIN_CATALOGUE)
def trusted() -> Response:
    """Sellers, and how their edits were decided."""
    text = request.args.get("q", "").strip()[:100]
    return render_page(
        "admin/trusted.html", None, rows=change_queries.by_trust(text), q=text, waits=words.WAITS, nav=nav(),
        office_name=_("Administration"),
    )  # fmt: skip


@pages.post("/trusted/<seller>", permission=Permission.ADMIN_CATALOGUE)
def trust(seller: str) -> Response:
    """Trust a seller, or no longer."""
    sellers.set_trusted(access.actor(), seller, trusted=request.form.get("trusted") == "1")
    flash(_("Done and written to the audit log."), "ok")
    return redirect_to("/admin/trusted")
