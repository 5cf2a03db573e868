"""The seller's table of offers: filtered, sorted, page by page or whole for a file."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.catalog.models import Category, Product
from app.core import keyset
from app.core.db import session
from app.core.errors import Invalid
from app.offers.desk import ROWS, DeskOffer, built
from app.offers.models import Offer, Seller, StockLevel, Warehouse

VIEWS = ("all", "selling", "not_selling", "active", "hidden", "out", "low")
"""`selling`: can be bought now; `out`: nothing is left to sell; `low`: less is left than twice the safety stock."""
BATCH = 1000


def _sum_of_stock(expression: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    return (
        sa.select(sa.func.coalesce(sa.func.sum(expression), 0))
        .where(StockLevel.offer_id == Offer.id, Warehouse.id == StockLevel.warehouse_id, Warehouse.is_active)
        .scalar_subquery()
    )


_LEFT = StockLevel.on_hand - StockLevel.allocated - StockLevel.reserved
FREE = _sum_of_stock(sa.func.greatest(_LEFT - StockLevel.safety, 0))
_LOW = sa.exists().where(
    StockLevel.offer_id == Offer.id,
    Warehouse.id == StockLevel.warehouse_id,
    Warehouse.is_active,
    StockLevel.safety > 0,
    2 * StockLevel.safety > _LEFT,
)
_SELLING = sa.and_(Offer.status == "active", Product.status == "active", Seller.is_active, FREE > 0)
_CONDITIONS: dict[str, sa.ColumnElement[bool]] = {
    "all": sa.true(),
    "selling": _SELLING,
    "not_selling": sa.not_(_SELLING),
    "active": Offer.status == "active",
    "hidden": Offer.status == "hidden",
    "out": FREE <= 0,
    "low": _LOW,
}
_SORTS: dict[str, tuple[sa.SQLColumnExpression[Any], type]] = {
    "sku": (Offer.sku, str),
    "name": (Product.name_key, str),
    "price": (Offer.price, Decimal),
    "free": (FREE, Decimal),
    "changed": (sa.cast(sa.func.extract("epoch", Offer.updated_at) * 1_000_000, sa.Numeric(20, 0)), Decimal),
}
SORTS = tuple(sign + name for name in _SORTS for sign in ("", "-"))
"""`-` sorts downwards."""


@dataclass(frozen=True, slots=True)
class TableFilter:
    """What narrows the table. `text`: part of the SKU or name; `category`: slug; prices in kopeks, both ends in."""

    text: str = ""
    view: str = "all"
    category: str = ""
    price_min: int | None = None
    price_max: int | None = None
    ids: tuple[uuid.UUID, ...] = ()
    """Only these rows, when any are named."""


def narrowed(seller_id: int, wanted: TableFilter) -> list[sa.ColumnElement[bool]]:
    """Conditions over `desk.ROWS`.

    Raises:
        Invalid: unknown view.
    """
    if wanted.view not in _CONDITIONS:
        raise Invalid.one("/query/view", "unknown_option")
    conditions: list[sa.ColumnElement[bool]] = [Offer.seller_id == seller_id, _CONDITIONS[wanted.view]]
    if wanted.text:
        text = wanted.text.lower().replace("ё", "е")
        sku, name = sa.func.lower(Offer.sku), Product.name_key
        conditions.append(sa.or_(sku.contains(text, autoescape=True), name.contains(text, autoescape=True)))
    if wanted.category:
        under = sa.select(Category.id).where(Category.slug == wanted.category).scalar_subquery()
        conditions.append(Product.category_id.in_(sa.select(Category.id).where(Category.path.any(under))))
    if wanted.price_min is not None:
        conditions.append(Offer.price >= wanted.price_min)
    if wanted.price_max is not None:
        conditions.append(Offer.price <= wanted.price_max)
    if wanted.ids:
        conditions.append(Offer.public_id.in_(wanted.ids))
    return conditions


def _keys(sort: str) -> tuple[list[keyset.Key], list[type]]:
    name = sort.removeprefix("-")
    if sort not in SORTS:
        raise Invalid.one("/query/sort", "unknown_option")
    expression, kind = _SORTS[name]
    down = sort.startswith("-")
    return [(expression, down), (Offer.id, down)], [kind, Decimal]


def page(
    seller_id: int, wanted: TableFilter, *, sort: str = "sku", cursor: str | None = None, limit: int = 24
) -> tuple[list[DeskOffer], str | None]:
    """A page of a seller's offers and the cursor of the next.

    Raises:
        Invalid: unknown view or sort, or a cursor of another order.
    """
    keys, kinds = _keys(sort)
    statement = (
        ROWS.add_columns(keys[0][0].label("sorted_by"))
        .where(*narrowed(seller_id, wanted))
        .order_by(*keyset.ordering(keys))
        .limit(limit + 1)
    )
    if cursor:
        statement = statement.where(keyset.after(keys, keyset.read_cursor(cursor, kinds)))
    rows = session.execute(statement).all()
    shown = rows[:limit]
    following = keyset.write_cursor([shown[-1].sorted_by, shown[-1].id]) if len(rows) > limit else None
    return [built(row) for row in shown], following


def counts(seller_id: int, wanted: TableFilter) -> dict[str, int]:
    """How many offers each view holds under the other filters."""
    others = TableFilter(wanted.text, "all", wanted.category, wanted.price_min, wanted.price_max)
    counted = session.execute(
        sa.select(*(sa.func.count().filter(condition).label(view) for view, condition in _CONDITIONS.items()))
        .select_from(Offer)
        .join(Product, Product.id == Offer.product_id)
        .join(Seller, Seller.id == Offer.seller_id)
        .where(*narrowed(seller_id, others))
    ).one()
    return dict(counted._mapping)


def whole(seller_id: int, wanted: TableFilter) -> Iterator[DeskOffer]:
    """All filtered offers by SKU, read in batches."""
    cursor: str | None = None
    while True:
        found, cursor = page(seller_id, wanted, cursor=cursor, limit=BATCH)
        yield from found
        if cursor is None:
            return
