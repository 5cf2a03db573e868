"""Changes of categories and attributes, looked at before they are done: what they touch, and what forbids them.

The catalogue does not know of estimates. Assemblies name leaves and values of attributes, so a change that would leave
an assembly without its goods is refused here; pages and the API change the taxonomy only through this module.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from app.catalog import attributes, categories
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, DomainError, NotFound
from app.core.permissions import Actor
from app.estimates.assemblies import Assembly, Line, assemblies
from app.estimates.matching import same_value

ACTIONS = (
    "category.add", "category.edit", "category.remove", "attribute.add", "attribute.edit", "attribute.merge",
    "attribute.remove",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """A change that somebody wants. `given`: fields; `values` and `into` of a merge of values."""

    action: str
    category: str
    key: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Effects:
    """What a change touches. `refused`: why it cannot be done; `by_worker`: it takes more than a moment."""

    products: int
    offers: int
    values: int
    below: int
    assemblies: tuple[Assembly, ...]
    estimates: int
    keeps_address: bool
    by_worker: bool
    refused: DomainError | None


_COUNTS = """
WITH place AS (SELECT id FROM category WHERE path @> ARRAY[(SELECT id FROM category WHERE slug = :slug)]),
touched AS ({which})
SELECT (SELECT count(*) FROM touched) AS products,
    (SELECT count(*) FROM offer o WHERE o.product_id IN (SELECT id FROM touched)) AS offers,
    (SELECT greatest(count(*) - 1, 0) FROM place) AS below
"""
_OF_CATEGORY = sa.text(_COUNTS.format(which="SELECT p.id FROM product p WHERE p.category_id IN (SELECT id FROM place)"))
_OF_ATTRIBUTE = sa.text(
    _COUNTS.format(
        which="SELECT v.product_id AS id FROM product_value v JOIN attribute a ON a.id = v.attribute_id"
        " WHERE a.category_id IN (SELECT id FROM place) AND a.key = :key"
        " AND (CAST(:values AS text[]) IS NULL OR v.text = ANY(:values))"
    )
)
_ESTIMATES = sa.text("SELECT count(DISTINCT l.estimate_id) FROM estimate_line l WHERE l.category_slug = ANY(:slugs)")


@unit_of_work
def preview(actor: Actor, wish: Wish) -> Effects:
    """What the change would touch. It is rehearsed and taken back, so that a refusal is told before and not after.

    Raises:
        NotFound: there is no such category or attribute.
    """
    merged = list(wish.given["values"]) if wish.action == "attribute.merge" else None
    if wish.action in ("category.add", "attribute.add"):
        products = offers = below = 0
    else:
        bound: dict[str, Any] = {"slug": wish.category}
        statement = _OF_CATEGORY
        if wish.key:
            attributes.find(wish.category, wish.key)
            bound |= {"key": wish.key, "values": merged}
            statement = _OF_ATTRIBUTE
        products, offers, below = session.execute(statement, bound).one()
    known = attributes.values(wish.category, wish.key) if wish.key and wish.action != "attribute.add" else []
    named = tuple(_named(wish))
    slugs = [wish.category] if named else []
    estimates = session.scalar(_ESTIMATES, {"slugs": slugs}) if named else 0
    refused, by_worker = _rehearse(actor, wish)
    return Effects(
        products, offers, len(merged or known), below, named, estimates or 0,
        wish.given.get("slug", wish.category) != wish.category and wish.action == "category.edit", by_worker, refused,
    )  # fmt: skip


def _rehearse(actor: Actor, wish: Wish) -> tuple[DomainError | None, bool]:
    nested = session.begin_nested()
    try:
        return None, perform(actor, wish) is not None
    except NotFound:
        raise
    except DomainError as refused:
        return refused, False
    finally:
        nested.rollback()
        session.info.pop("changed", None)
        session.expire_all()


@unit_of_work
def perform(actor: Actor, wish: Wish, version: int | None = None) -> uuid.UUID | None:
    """Do it; the id of the job that finishes it, or None when it is done.

    Raises:
        Conflict: `assembly_depends`, or what the catalogue refuses.
        NotFound, Stale, Invalid: as the catalogue says.
    """
    breaking = [found.ru for found in _named(wish) if _breaks(wish)]
    if breaking:
        raise Conflict("assembly_depends", names=", ".join(breaking[:5]), count=len(breaking))
    given = dict(wish.given)
    if wish.action == "category.add":
        categories.add(actor, wish.category, given.pop("parent", None), given)
    elif wish.action == "category.edit":
        categories.edit(actor, wish.category, given, version)
    elif wish.action == "category.remove":
        categories.remove(actor, wish.category)
    elif wish.action == "attribute.add":
        attributes.add(actor, wish.category, wish.key, given)
    elif wish.action == "attribute.edit":
        return attributes.edit(actor, wish.category, wish.key, given)
    elif wish.action == "attribute.merge":
        return attributes.merge_values(actor, wish.category, wish.key, given["values"], given["into"])
    elif wish.action == "attribute.remove":
        return attributes.remove(actor, wish.category, wish.key)
    return None


def _breaks(wish: Wish) -> bool:
    """Whether the assemblies that name it could no longer find their goods."""
    if wish.action == "category.edit":
        return str(wish.given.get("slug", wish.category)) != wish.category
    if wish.action == "attribute.edit":
        row = attributes.find(wish.category, wish.key)
        return any(wish.given.get(name, getattr(row, name)) != getattr(row, name) for name in ("kind", "unit"))
    return wish.action in ("category.remove", "attribute.remove", "attribute.merge")


def _named(wish: Wish) -> list[Assembly]:
    """Assemblies that name the category, the attribute, or one of the values that go."""
    if wish.action in ("category.add", "attribute.add"):
        return []
    gone = [text for text in wish.given.get("values", ()) if text != wish.given.get("into")]
    return [
        found
        for found in assemblies().values()
        if any(line.category == wish.category and _names(found, line, wish.key, gone) for line in found.lines)
    ]


def _names(assembly: Assembly, line: Line, key: str, gone: list[str]) -> bool:
    """Whether a line asks for this attribute, or for one of the values that go."""
    options = {one.key: one.options for one in assembly.inputs}
    wanted = [options.get(value) or (value,) for name, value in line.spec if name == key]
    if not key or (wanted and not gone):
        return True
    return any(same_value(text, asked) for text in gone for asks in wanted for asked in asks)
