"""The operator's commands on the tree of categories."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app.catalog.cards import flush
from app.catalog.models import Attribute, Category, CategorySlug, Product
from app.catalog.queries import TAXONOMY
from app.core import audit, jobs
from app.core.db import changed, lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.core.permissions import Actor

FIELDS = ("name_ru", "name_en", "position", "drawing", "synonyms")
SEARCHED = ("name_ru", "name_en", "synonyms")
"""Fields by which products of the category are found."""
MAX_DEPTH = 3
MOST = {"name_ru": 200, "name_en": 200, "drawing": 40}
_SLUG = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")


@unit_of_work
def add(actor: Actor, slug: str, parent: str | None, given: Mapping[str, Any]) -> None:
    """Open a category under `parent` (a slug), or at the top.

    Raises:
        Invalid: the slug is or was another category's, the parent unknown, too deep, or holding products itself.
    """
    _check({"name_ru": "", "name_en": ""} | dict(given))
    above = _parent(parent)
    if above is not None and above.depth >= MAX_DEPTH:
        raise Invalid.one("/parent", "too_deep", maximum=MAX_DEPTH)
    _check_slug(slug, None)
    row = Category(
        slug=slug, parent_id=above.id if above else None, depth=above.depth + 1 if above else 1,
        **{name: given[name] for name in FIELDS if name in given},
    )  # fmt: skip
    session.add(row)
    flush("/slug", "slug_taken")
    row.path = [*(above.path if above else []), row.id]
    audit.record(actor, "category.added", "category", row.id, after={"slug": slug, "parent": parent})
    changed("listing")
    changed(TAXONOMY)


@unit_of_work
def edit(actor: Actor, slug: str, given: Mapping[str, Any], version: int | None = None) -> int:
    """Change names, drawing, place, synonyms (FIELDS), the address (`slug`) or what it stands under (`parent`).

    A changed address keeps leading here. A worker lets products be found by new words. Its new version.

    Raises:
        NotFound, Stale.
        Invalid: the slug is or was another's; the parent is unknown, below it, too high for it, or holds products.
    """
    _check(given)
    found = by_slug(slug)
    tree = lock_rows(Category, session.scalars(sa.select(Category.id).where(Category.path.contains([found.id]))).all())
    row = next(one for one in tree if one.id == found.id)
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    before = {name: getattr(row, name) for name in (*FIELDS, "slug") if name in given}
    for name in FIELDS:
        if name in given:
            setattr(row, name, given[name])
    if given.get("slug", row.slug) != row.slug:
        _rename(row, given["slug"])
    if "parent" in given:
        before["parent"] = row.parent_id
        _move(row, tree, _parent(given["parent"] or None))
    row.version += 1
    flush("/slug", "slug_taken")
    audit.record(actor, "category.edited", "category", row.id, before=before, after=dict(given))
    if any(name in given for name in SEARCHED):
        jobs.enqueue("search.rebuild", {"category": row.id}, user_id=actor.user_id)
    changed("listing")
    changed(TAXONOMY)
    return int(row.version)


@unit_of_work
def remove(actor: Actor, slug: str) -> None:
    """Take an empty category away, with its attributes and old addresses.

    Raises:
        NotFound.
        Conflict: `category_in_use` when it holds products (merged ones count) or other categories.
    """
    row = by_slug(slug)
    used = session.scalar(
        sa.select(
            sa.or_(sa.exists().where(Product.category_id == row.id), sa.exists().where(Category.parent_id == row.id))
        )
    )
    if used:
        raise Conflict("category_in_use")
    session.execute(sa.delete(Attribute).where(Attribute.category_id == row.id))
    audit.record(actor, "category.removed", "category", row.id, before={"slug": slug})
    session.execute(sa.text("DELETE FROM price_index WHERE category_id = :id"), {"id": row.id})
    session.delete(row)
    changed("listing")
    changed(TAXONOMY)


def by_slug(slug: str) -> Category:
    """The category at this address now.

    Raises:
        NotFound.
    """
    row = session.scalars(sa.select(Category).where(Category.slug == slug)).one_or_none()
    if row is None:
        raise NotFound()
    return row


def present_slug(old: str) -> str | None:
    """Where an address that a category had before leads now."""
    return session.scalar(
        sa.select(Category.slug)
        .join(CategorySlug, CategorySlug.category_id == Category.id)
        .where(CategorySlug.slug == old)
    )


def _parent(slug: str | None) -> Category | None:
    if not slug:
        return None
    row = session.scalars(sa.select(Category).where(Category.slug == slug)).one_or_none()
    if row is None:
        raise Invalid.one("/parent", "unknown_option")
    if session.scalar(sa.select(sa.exists().where(Product.category_id == row.id))):
        raise Invalid.one("/parent", "parent_holds_products")
    return row


def _check(given: Mapping[str, Any]) -> None:
    errors = [FieldError(f"/{name}", "required") for name in ("name_ru", "name_en") if not given.get(name, "x")]
    for name, most in MOST.items():
        if len(given.get(name, "")) > most:
            errors.append(FieldError(f"/{name}", "too_long", {"maximum": most}))
    if not 0 <= given.get("position", 0) <= 10_000:
        errors.append(FieldError("/position", "too_large", {"maximum": 10_000}))
    if len(given.get("synonyms", ())) > 50:
        errors.append(FieldError("/synonyms", "too_long", {"maximum": 50}))
    if errors:
        raise Invalid(errors)


def _check_slug(slug: str, own: int | None) -> None:
    if not _SLUG.fullmatch(slug) or len(slug) > 80:
        raise Invalid.one("/slug", "malformed")
    now = session.scalar(sa.select(Category.id).where(Category.slug == slug))
    before = session.scalar(sa.select(CategorySlug.category_id).where(CategorySlug.slug == slug))
    if now is not None or before not in (None, own):
        raise Invalid.one("/slug", "slug_taken")


def _rename(row: Category, slug: str) -> None:
    _check_slug(slug, row.id)
    session.execute(sa.delete(CategorySlug).where(CategorySlug.slug == slug))  # its own of earlier days
    session.add(CategorySlug(slug=row.slug, category_id=row.id))
    row.slug = slug


def _move(row: Category, tree: list[Category], above: Category | None) -> None:
    """Hang the category with all below it somewhere else. Products stay where they are, so lists need nothing."""
    if above is not None and row.id in above.path:
        raise Invalid.one("/parent", "parent_is_below")
    deeper = (above.depth + 1 if above else 1) - row.depth
    if max(one.depth for one in tree) + deeper > MAX_DEPTH:
        raise Invalid.one("/parent", "too_deep", maximum=MAX_DEPTH)
    cut = len(row.path) - 1
    start = list(above.path) if above else []
    for one in tree:
        one.path = start + one.path[cut:]
        one.depth += deeper
    row.parent_id = above.id if above else None
