"""The operator's editor of categories and attributes. Every change is shown with what it touches before it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.catalog import attributes, categories
from app.catalog import queries as catalog
from app.catalog.queries import CategoryNode
from app.core import jobs
from app.core.errors import DomainError, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.estimates import taxonomy
from app.estimates.taxonomy import Wish
from app.texts import cards as words
from app.web import drawings, paths
from app.web.admin.operations import nav
from app.web.filters import language
from app.web.htmx import redirect_to, render_page
from app.web.reading import by_field

pages = Guarded("admin_categories", __name__, url_prefix="/admin/categories")
LIST = "/admin/categories"
CHECKS = ("is_facet",)
NUMBERS = ("position",)


@pages.get("", permission=Permission.ADMIN_CATALOGUE)
def show_all() -> Response:
    """The tree, and the form of a new category."""
    return _tree_page({}, {})


def _tree_page(typed: Mapping[str, str], errors: Mapping[str, str], status: int = 200) -> Response:
    return render_page(
        "admin/categories.html", None, tree=catalog.tree(), typed=typed, errors=errors, status=status, list=LIST,
        parents=_places(catalog.tree(), 2), drawings=sorted(drawings.DRAWINGS), job=_job(), **_frame(),
    )  # fmt: skip


def _frame() -> dict[str, Any]:
    return {"nav": nav(), "office_name": _("Administration"), "labels": words.TAXONOMY, "kinds": words.KINDS}


def _places(nodes: tuple[CategoryNode, ...], deepest: int, but: int = 0) -> list[tuple[str, str]]:
    """(slug, name) of the categories that others may stand under."""
    found = [("", str(_("at the top")))]
    level = [(node, "") for node in nodes]
    while level:
        node, indent = level.pop(0)
        if node.id != but and node.depth <= deepest:
            found.append((node.slug, indent + node.name(language())))
            level = [(child, indent + "– ") for child in node.children] + level
    return found


def _job() -> jobs.JobView | None:
    key = parse_uuid(request.args.get("job", ""))
    try:
        return None if key is None else jobs.view(key, any_user=True)
    except NotFound:
        return None


@pages.post("", permission=Permission.ADMIN_CATALOGUE)
def add() -> Response:
    """Open a category."""
    given = _given("parent", *categories.FIELDS)
    return _decide(Wish("category.add", request.form.get("slug", "").strip(), "", given), LIST)


@pages.get("/<slug>", permission=Permission.ADMIN_CATALOGUE)
def show(slug: str) -> Response:
    """A category: its fields, its attributes."""
    return _category_page(slug, {}, {})


def _category_page(slug: str, typed: Mapping[str, str], errors: Mapping[str, str], status: int = 200) -> Response:
    row = categories.by_slug(slug)
    tree = catalog.tree()
    trail = catalog.find_category(tree, slug)
    said = {name: getattr(row, name) for name in ("slug", "name_ru", "name_en", "position", "drawing")}
    said |= {"synonyms": "\n".join(row.synonyms), "parent": trail[-2].slug if len(trail) > 1 else ""}
    return render_page(
        "admin/category.html", None, slug=slug, trail=trail, node=trail[-1], typed=said | dict(typed), errors=errors,
        parents=_places(tree, 2, row.id), drawings=sorted(drawings.DRAWINGS | {row.drawing}), status=status, list=LIST,
        attributes=catalog.attributes([row.id]), version=row.version, job=_job(), new=typed, **_frame(),
    )  # fmt: skip


@pages.post("/<slug>", permission=Permission.ADMIN_CATALOGUE)
def edit(slug: str) -> Response:
    """Change the fields, the address, the place in the tree."""
    given = _given("slug", "parent", *categories.FIELDS)
    return _decide(Wish("category.edit", slug, "", given), f"{LIST}/{given.get('slug') or slug}")


@pages.post("/<slug>/remove", permission=Permission.ADMIN_CATALOGUE)
def remove(slug: str) -> Response:
    """Take an empty category away."""
    return _decide(Wish("category.remove", slug), LIST)


@pages.post("/<slug>/attributes", permission=Permission.ADMIN_CATALOGUE)
def add_attribute(slug: str) -> Response:
    """Declare an attribute."""
    key = request.form.get("key", "").strip()
    return _decide(Wish("attribute.add", slug, key, _given(*attributes.FIELDS)), f"{LIST}/{slug}")


@pages.get("/<slug>/attributes/<key>", permission=Permission.ADMIN_CATALOGUE)
def show_attribute(slug: str, key: str) -> Response:
    """An attribute: its fields and values."""
    return _attribute_page(slug, key, {}, {})


def _attribute_page(
    slug: str, key: str, typed: Mapping[str, str], errors: Mapping[str, str], status: int = 200
) -> Response:
    row = attributes.find(slug, key)
    said = {name: getattr(row, name) for name in attributes.FIELDS} | dict(typed)
    return render_page(
        "admin/attribute.html", None, slug=slug, key=key, trail=catalog.find_category(catalog.tree(), slug), typed=said,
        errors=errors, values=attributes.values(slug, key), status=status, list=LIST, job=_job(),
        chosen=request.form.getlist("values"), into=request.form.get("into", ""), **_frame(),
    )  # fmt: skip


@pages.post("/<slug>/attributes/<key>", permission=Permission.ADMIN_CATALOGUE)
def edit_attribute(slug: str, key: str) -> Response:
    """Change names, kind, unit, order, whether it filters."""
    return _decide(Wish("attribute.edit", slug, key, _given(*attributes.FIELDS)), f"{LIST}/{slug}/attributes/{key}")


@pages.post("/<slug>/attributes/<key>/merge", permission=Permission.ADMIN_CATALOGUE)
def merge_values(slug: str, key: str) -> Response:
    """Write several values as one."""
    given = {"values": request.form.getlist("values"), "into": request.form.get("into", "").strip()}
    return _decide(Wish("attribute.merge", slug, key, given), f"{LIST}/{slug}/attributes/{key}")


@pages.post("/<slug>/attributes/<key>/remove", permission=Permission.ADMIN_CATALOGUE)
def remove_attribute(slug: str, key: str) -> Response:
    """Take it away with its values."""
    return _decide(Wish("attribute.remove", slug, key), f"{LIST}/{slug}")


def _given(*names: str) -> dict[str, Any]:
    """The fields of the form as the catalogue takes them."""
    found: dict[str, Any] = {}
    for name in names:
        text = request.form.get(name, "").strip()
        if name in CHECKS:
            found[name] = bool(text)
        elif name in NUMBERS:
            found[name] = int(text) if text.isdecimal() and len(text) < 6 else 0
        elif name == "synonyms":
            found[name] = [" ".join(line.split())[:100] for line in text.splitlines() if line.strip()]
        elif name in request.form:
            found[name] = text
    return found


def _decide(wish: Wish, after: str) -> Response:
    """First what it touches, with a button that does it; with `confirmed` it is done."""
    actor = access.actor()
    if request.form.get("confirmed") != "1":
        effects = taxonomy.preview(actor, wish)
        if isinstance(effects.refused, Invalid):
            return _again(wish, effects.refused)
        kept = [(name, text) for name, texts_of in request.form.lists() for text in texts_of if name != "csrf_token"]
        return render_page(
            "admin/effects.html", None, wish=wish, effects=effects, kept=kept, back=_place_of(wish), list=LIST,
            refused=texts.message(effects.refused) if effects.refused else "", title=words.WISHES[wish.action],
            status=409 if effects.refused else 200, **_frame(),
        )  # fmt: skip
    version = request.form.get("version", "")
    try:
        job = taxonomy.perform(actor, wish, int(version) if version.isdecimal() else None)
    except Invalid as error:
        return _again(wish, error)
    except NotFound:
        raise
    except DomainError as error:
        flash(texts.message(error), "bad")
        return redirect_to(_place_of(wish))
    if job is None:
        flash(_("Done and written to the audit log."), "ok")
    return redirect_to(paths.with_query(after, job=job))


def _place_of(wish: Wish) -> str:
    if wish.action == "category.add":
        return LIST
    if wish.action in ("attribute.edit", "attribute.merge", "attribute.remove"):
        return f"{LIST}/{wish.category}/attributes/{wish.key}"
    return f"{LIST}/{wish.category}"


def _again(wish: Wish, error: Invalid) -> Response:
    """The form with what was typed and what is wrong with it."""
    typed, wrong = request.form.to_dict(), by_field(error)
    if wish.action == "category.add":
        return _tree_page(typed, wrong, 422)
    if wish.action in ("attribute.edit", "attribute.merge"):
        return _attribute_page(wish.category, wish.key, typed, wrong, 422)
    if wish.action == "attribute.add":
        return _category_page(wish.category, {}, {f"new_{name}": text for name, text in wrong.items()}, 422)
    return _category_page(wish.category, typed, wrong, 422)
