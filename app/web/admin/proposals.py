"""The operator's desk for products that sellers propose."""

from __future__ import annotations

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.catalog import queries as catalog
from app.catalog.queries import CategoryNode
from app.core.errors import Conflict, Invalid
from app.core.permissions import Permission
from app.offers import moderation
from app.texts import offers as words
from app.web import paths
from app.web.admin.operations import nav
from app.web.filters import language
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, by_field, key_of

pages = Guarded("admin_proposals", __name__, url_prefix="/admin/proposals")
LIST = "/admin/proposals"
PAGE_SIZE = 20


def state_of(text: str | None) -> str:
    """A state out of an address; what waits when it is none of them."""
    return text if text in moderation.STATES else "pending"


@pages.get("", permission=Permission.ADMIN_CATALOGUE)
def show_all() -> Response:
    """Proposals of one state."""
    return _page({}, {})


def _page(typed: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    state = state_of(request.args.get("state"))
    found = moderation.proposals(state, before=before(), limit=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    leaves = _leaves(catalog.tree(), "")
    return render_page(
        "admin/proposals.html", None, rows=shown, state=state, counts=moderation.counts(), leaves=leaves,
        guesses={row.public_id: _guess(row.text("category"), leaves) for row in shown}, typed=typed, errors=errors,
        labels=words.PROPOSAL, nav=nav(), office_name=_("Administration"), status=status,
        next_url=paths.with_query(LIST, state=state, before=shown[-1].id) if len(found) > PAGE_SIZE else "",
    )  # fmt: skip


def _leaves(nodes: tuple[CategoryNode, ...], above: str) -> list[tuple[str, str]]:
    found = []
    for node in nodes:
        name = f"{above} / {node.name(language())}" if above else node.name(language())
        found += _leaves(node.children, name) if node.children else [(node.slug, name)]
    return found


def _guess(said: str, leaves: list[tuple[str, str]]) -> str:
    """The leaf whose name is what the seller called the section; empty when none is."""
    wanted = said.rsplit("/", 1)[-1].strip().lower()
    return next((slug for slug, name in leaves if wanted and name.rsplit(" / ", 1)[-1].lower() == wanted), "")


@pages.post("/<change>", permission=Permission.ADMIN_CATALOGUE)
def decide(change: str) -> Response:
    """Approve, decline or send back with a note."""
    form = request.form
    try:
        moderation.decide(
            access.actor(), key_of(change), form.get("decision", ""), form.get("note", ""), form.get("category", "")
        )
    except Invalid as error:
        return _page(form.to_dict() | {"change": change}, by_field(error), 422)
    except Conflict as error:
        flash(texts.message(error), "bad")
        return redirect_to(LIST)
    flash(_("Decided and written to the audit log."), "ok")
    return redirect_to(LIST)
