"""The operator's commands on attributes. What touches many products is done by a worker in batches.

A batch is whole by itself: values, rows of lists and versions of cards change together, so a worker that is killed
leaves nothing half done and the next one goes on.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from app.catalog import cards, categories, facts
from app.catalog.cards import flush
from app.catalog.models import ATTRIBUTE_KINDS, Attribute, Category, Product, ProductValue
from app.catalog.queries import TAXONOMY
from app.core import audit, jobs
from app.core.db import changed, lock_rows, session, unit_of_work
from app.core.errors import FieldError, Invalid, NotFound
from app.core.permissions import Actor

FIELDS = ("name_ru", "name_en", "kind", "unit", "is_facet", "position")
LISTED = ("is_facet", "position")
"""Fields that rows of lists depend on."""
AT_ONCE = 2_000
"""Products up to which a change is done in the request."""
BATCH = 1_000
SHOWN = 5
JOB = "catalog.attribute"


@unit_of_work
def add(actor: Actor, category: str, key: str, given: Mapping[str, Any]) -> None:
    """Declare a property of the products of a leaf.

    Raises:
        NotFound: there is no such category.
        Invalid: a key that is taken or malformed, a missing name, an unknown kind, a category with others below.
    """
    place = categories.by_slug(category)
    errors = _errors({"name_ru": "", "name_en": "", "kind": ""} | dict(given))
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", key):
        errors.append(FieldError("/key", "malformed"))
    if session.scalar(sa.select(sa.exists().where(Category.parent_id == place.id))):
        errors.append(FieldError("/key", "not_a_leaf"))
    if errors:
        raise Invalid(errors)
    row = Attribute(category_id=place.id, key=key, **{name: given[name] for name in FIELDS if name in given})
    session.add(row)
    flush("/key", "key_taken")
    audit.record(actor, "attribute.added", "attribute", row.id, after={"key": key} | dict(given))
    changed("listing")
    changed(TAXONOMY)


def _errors(given: Mapping[str, Any]) -> list[FieldError]:
    errors = [
        FieldError(f"/{name}", "required") for name in ("name_ru", "name_en") if name in given and not given[name]
    ]
    if given.get("kind", ATTRIBUTE_KINDS[0]) not in ATTRIBUTE_KINDS:
        errors.append(FieldError("/kind", "unknown_option"))
    return errors


def find(category: str, key: str) -> Attribute:
    """An attribute of a category.

    Raises:
        NotFound.
    """
    row = session.scalars(
        sa.select(Attribute)
        .join(Category, Category.id == Attribute.category_id)
        .where(Category.slug == category, Attribute.key == key)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


@unit_of_work
def edit(actor: Actor, category: str, key: str, given: Mapping[str, Any]) -> uuid.UUID | None:
    """Change FIELDS. Another kind is taken only when every value can be one of it; values are then written its way.

    Returns:
        The id of the job that does the rest, or None when all is done.

    Raises:
        NotFound, Invalid: `values_do_not_fit` with some that do not.
    """
    row = _locked(category, key)
    errors = _errors(given)
    if given.get("kind", row.kind) != row.kind and not errors:
        errors += _unfit(row, given["kind"])
    if errors:
        raise Invalid(errors)
    before = {name: getattr(row, name) for name in FIELDS if name in given and getattr(row, name) != given[name]}
    for name in before:
        setattr(row, name, given[name])
    session.flush()
    audit.record(
        actor, "attribute.edited", "attribute", row.id, before=before, after={name: given[name] for name in before}
    )
    changed("listing")
    changed(TAXONOMY)
    if "kind" in before:
        return _do(actor, row, {"action": "convert"})
    return _do(actor, row, {"action": "refresh"}) if any(name in before for name in LISTED) else None


def _unfit(row: Attribute, kind: str) -> list[FieldError]:
    """Values that cannot be of this kind."""
    texts = session.scalars(sa.select(ProductValue.text).where(ProductValue.attribute_id == row.id).distinct())
    wrong = [text for text in texts if cards.as_kind(text, kind) is None]
    if not wrong:
        return []
    told = {"count": len(wrong), "values": ", ".join(sorted(wrong)[:SHOWN])}
    return [FieldError("/kind", "values_do_not_fit", told)]


@unit_of_work
def remove(actor: Actor, category: str, key: str) -> uuid.UUID | None:
    """Take an attribute away with all its values; the id of the job that does it, or None when it is done.

    Raises:
        NotFound.
    """
    row = _locked(category, key)
    audit.record(actor, "attribute.removed", "attribute", row.id, before={"key": key, "category": category})
    return _do(actor, row, {"action": "remove"})


@unit_of_work
def merge_values(actor: Actor, category: str, key: str, values: Sequence[str], into: str) -> uuid.UUID | None:
    """Write several values as one ("белый", "Белый"); the id of the job that does it, or None when it is done.

    Raises:
        NotFound.
        Invalid: nothing to merge, an empty target, or one that is not of the attribute's kind.
    """
    row = _locked(category, key)
    target = " ".join(into.split())
    wanted = sorted(set(values) - {target})
    if not target:
        raise Invalid.one("/into", "required")
    if not wanted:
        raise Invalid.one("/values", "required")
    if len(target) > cards.MOST_VALUE or cards.as_kind(target, row.kind) != target:
        raise Invalid.one("/into", "malformed")
    audit.record(
        actor, "attribute.values_merged", "attribute", row.id, before={"values": wanted}, after={"into": target}
    )
    return _do(actor, row, {"action": "merge", "values": wanted, "into": target})


def _locked(category: str, key: str) -> Attribute:
    [row] = lock_rows(Attribute, [find(category, key).id])
    assert isinstance(row, Attribute)
    return row


def _do(actor: Actor, row: Attribute, work: dict[str, Any]) -> uuid.UUID | None:
    """At once, or by a worker when many products are touched."""
    work = work | {"attribute": row.id}
    if touched(work) > AT_ONCE:
        return jobs.enqueue(JOB, work, user_id=actor.user_id)
    run(work)
    return None


def touched(work: Mapping[str, Any]) -> int:
    """How many products a piece of work touches."""
    return session.scalar(sa.select(sa.func.count()).select_from(ProductValue).where(*_which(work))) or 0


def _which(work: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    conditions = [ProductValue.attribute_id == work["attribute"]]
    return conditions + ([ProductValue.text.in_(work["values"])] if work["action"] == "merge" else [])


def run(work: Mapping[str, Any], show: Callable[[int, int], object] = lambda done, total: None) -> int:
    """Do a piece of work in batches, each in its own transaction; how many products it touched. Safe to repeat."""
    ids = list(
        session.scalars(sa.select(ProductValue.product_id).where(*_which(work)).order_by(ProductValue.product_id))
    )
    for start in range(0, len(ids), BATCH):
        _batch(work, ids[start : start + BATCH])
        show(min(start + BATCH, len(ids)), len(ids))
    if work["action"] == "remove":
        _finish_removal(work["attribute"])
    return len(ids)


@unit_of_work
def _batch(work: Mapping[str, Any], ids: Sequence[int]) -> None:
    """Values of some products, in the order of their ids; then what lists say of them."""
    session.execute(sa.select(Product.id).where(Product.id.in_(ids)).order_by(Product.id).with_for_update())
    mine = sa.and_(*_which(work), ProductValue.product_id.in_(ids))
    if work["action"] == "remove":
        session.execute(sa.delete(ProductValue).where(mine))
    elif work["action"] == "merge":
        values = {"text": work["into"], "number": cards.number_of(work["into"])}
        session.execute(sa.update(ProductValue).where(mine).values(**values))
    elif work["action"] == "convert":
        _convert(work["attribute"], mine)
    if work["action"] != "refresh":
        session.execute(sa.update(Product).where(Product.id.in_(ids)).values(version=Product.version + 1))
    facts.refresh(ids)


def _convert(attribute: int, mine: sa.ColumnElement[bool]) -> None:
    kind = session.scalar(sa.select(Attribute.kind).where(Attribute.id == attribute)) or "text"
    for text in session.scalars(sa.select(ProductValue.text).where(mine).distinct()).all():
        written = cards.as_kind(text, kind) or text
        session.execute(
            sa.update(ProductValue)
            .where(mine, ProductValue.text == text)
            .values(text=written, number=cards.number_of(written))
        )


@unit_of_work
def _finish_removal(attribute: int) -> None:
    """The attribute itself, and values that came in meanwhile."""
    left = session.scalars(
        sa.delete(ProductValue).where(ProductValue.attribute_id == attribute).returning(ProductValue.product_id)
    ).all()
    session.execute(sa.delete(Attribute).where(Attribute.id == attribute))
    facts.refresh(left)
    changed("listing")
    changed(TAXONOMY)


def values(category: str, key: str, limit: int = 500) -> list[tuple[str, int]]:
    """Values of an attribute with the number of products, most frequent first."""
    row = find(category, key)
    rows = session.execute(
        sa.select(ProductValue.text, sa.func.count())
        .where(ProductValue.attribute_id == row.id)
        .group_by(ProductValue.text)
        .order_by(sa.func.count().desc(), ProductValue.text)
        .limit(limit)
    )
    return [(text, count) for text, count in rows]
