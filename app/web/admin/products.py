"""The operator's hand on master cards: found, changed at once, duplicates merged."""

from __future__ import annotations

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.catalog import cards, directory
from app.catalog.cards import Content
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.offers import card_changes, change_queries, merging
from app.texts import cards as words
from app.web import card_form, paths
from app.web.admin.operations import nav
from app.web.card_form import Refused
from app.web.card_words import Words
from app.web.htmx import redirect_to, render_page
from app.web.reading import before, key_of, sentence

pages = Guarded("admin_products", __name__, url_prefix="/admin/products")
LIST = "/admin/products"
PAGE_SIZE = 50


@pages.get("", permission=Permission.ADMIN_CATALOGUE)
def show_all() -> Response:
    """Cards by a part of the name, an article or a barcode; newest first."""
    text, status = request.args.get("q", "").strip()[:100], request.args.get("status", "")
    status = status if status in directory.STATES else "active"
    rows = directory.cards(text, status, before(), PAGE_SIZE + 1)
    shown = rows[:PAGE_SIZE]
    more = {"q": text, "status": status, "before": shown[-1].id} if len(rows) > PAGE_SIZE else {}
    return render_page(
        "admin/products.html", None, rows=shown, q=text, status_now=status, list=LIST, nav=nav(),
        office_name=_("Administration"), next_url=paths.with_query(LIST, more) if more else "",
    )  # fmt: skip


@pages.get("/<product>", permission=Permission.ADMIN_CATALOGUE)
def show(product: str) -> Response:
    """The form of a card, and what was approved on it."""
    return _page(cards.head(key_of(product)), product, None, Refused())


def _page(head: cards.Head, product: str, typed: Content | None, wrong: Refused, status: int = 200) -> Response:
    card = cards.read(head.id)
    shown = card if typed is None else card | typed | {"fields": card["fields"] | typed["fields"]}
    return render_page(
        "admin/product.html", None, product=product, version=head.version, status=status,
        title=card["fields"]["name_ru"], hidden=card["fields"]["hidden"], list=LIST, states=words.STATES,
        form=card_form.context(shown, head.base_unit, wrong), history=change_queries.history(head.id), nav=nav(),
        office_name=_("Administration"),
    )  # fmt: skip


@pages.post("/<product>", permission=Permission.ADMIN_CATALOGUE)
def change(product: str) -> Response:
    """Put the form on the card at once."""
    head = cards.head(key_of(product))
    typed, version = card_form.posted(), request.form.get("version", "")
    if request.form.get("hidden") is not None:
        typed = {"fields": {"hidden": request.form["hidden"]}}
    try:
        card_changes.edit(
            access.actor(), key_of(product), typed, int(version) if version.isdecimal() else None
        )  # fmt: skip
    except Stale:
        return _page(head, product, typed, card_form.refused(Conflict("card_changed")), 412)
    except Invalid as error:
        return _page(head, product, typed, card_form.refused(error), 422)
    flash(_("Saved."), "ok")
    return redirect_to(f"{LIST}/{product}")


@pages.get("/<product>/merge", permission=Permission.ADMIN_CATALOGUE)
def choose(product: str) -> Response:
    """Cards that may be the same; with `other` both side by side."""
    return _merge_page(product, request.args.get("other", ""), "")


def _merge_page(product: str, other: str, error: str, status: int = 200) -> Response:
    head = cards.head(key_of(product))
    card = cards.read(head.id)
    bare = other.strip().rsplit("/", 1)[-1]
    known = parse_uuid(bare) or (directory.by_slug(bare) if bare else None)
    try:
        plan = merging.plan(key_of(product), known) if known else None
        error = error or (_("There is no such product.") if bare and not known else "")
    except NotFound:
        plan, error = None, error or _("There is no such product.")
    except Conflict as refused:
        plan, error = None, texts.message(refused)
    context = {} if plan is None else _side_by_side(plan)
    return render_page(
        "admin/merge.html", None, product=product, other=known or other, title=card["fields"]["name_ru"], error=error,
        plan=plan, status=status, candidates=[] if plan else merging.candidates(key_of(product)), why=words.WHY_ALIKE,
        list=LIST, nav=nav(), office_name=_("Administration"), **context,
    )  # fmt: skip


def _side_by_side(plan: merging.Plan) -> dict[str, object]:
    known = Words((), [plan.kept["fields"]["category"], plan.gone["fields"]["category"]])
    lines = []
    for part in ("fields", "attributes"):
        mine, theirs = plan.kept[part], plan.gone[part]
        for key in [*mine, *(key for key in theirs if key not in mine)]:
            pair = [known.value(part, key, side.get(key, "")) for side in (mine, theirs)]
            if part == "attributes" or key != "hidden":
                lines.append((f"{part}/{key}", known.label(part, key), *pair))
    refused = texts.error_text(plan.refused[0], dict(plan.refused[1])) if plan.refused else ""
    return {
        "lines": lines, "refused": refused, "units": known.value("units", "", plan.units),
        "units_mine": known.value("units", "", plan.kept["units"]),
        "units_theirs": known.value("units", "", plan.gone["units"]),
        "offers": (merging.offers_of(plan.survivor.id), merging.offers_of(plan.loser.id)),
    }  # fmt: skip


@pages.post("/<product>/merge", permission=Permission.ADMIN_CATALOGUE)
def merge(product: str) -> Response:
    """The card of the address survives; `other` goes into it."""
    form = request.form
    take = [name.removeprefix("take.") for name in form if name.startswith("take.") and form[name] == "other"]
    try:
        versions = (int(form["version"]), int(form["other_version"]))
        merging.merge(access.actor(), key_of(product), key_of(form.get("other", "")), take, versions)
    except (KeyError, ValueError):
        return redirect_to(f"{LIST}/{product}/merge")
    except (Invalid, Conflict) as refused:
        return _merge_page(product, form.get("other", ""), sentence(refused), refused.status)
    flash(_("Merged. The address of the other card leads here."), "ok")
    return redirect_to(f"{LIST}/{product}")
