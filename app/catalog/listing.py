"""Lists of products: filters, facets whose counts follow the other filters, sorting, keyset pages.

Inside a facet its values add up (OR), between facets they narrow (AND), and a facet is never narrowed by itself.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.catalog.models import (
    Attribute,
    Category,
    Product,
    ProductListing,
    ProductUnit,
    ProductValue,
)
from app.catalog.queries import AttributeRow
from app.catalog.search import Match
from app.core.db import session
from app.core.errors import Invalid

SORTS = ("relevance", "price", "unit_price", "newest")
BRAND = "brand"
MAX_FACETS = 8
MAX_VALUES = 40


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a list. `attributes`: key (or `brand`) -> chosen values; prices in kopeks per base unit."""

    category_ids: Sequence[int] = ()
    match: Match | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    price_min: int | None = None
    price_max: int | None = None
    seller_ids: tuple[int, ...] = ()
    in_stock: bool = False


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A card of a list."""

    id: int
    public_id: uuid.UUID
    slug: str
    name_ru: str
    name_en: str
    category_id: int
    brand: str
    base_unit: str
    price_from: int
    unit_price: int | None
    content_unit: str | None
    offers_count: int
    available: Decimal
    lead_time_days: int
    drawing: str


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value one may choose and how many products it would leave."""

    value: str
    count: int
    selected: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A property to filter by. `key` is an attribute's key, `brand` or `seller`."""

    key: str
    name_ru: str
    name_en: str
    unit: str
    values: tuple[FacetValue, ...]

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru


@dataclass(frozen=True, slots=True)
class Facets:
    """All facets of a list, its size, and the span of prices without the price filter."""

    total: int
    facets: tuple[Facet, ...]
    sellers: tuple[tuple[int, int], ...]
    in_stock: int
    price_low: int | None
    price_high: int | None


_content = sa.orm.aliased(ProductUnit)
Part = sa.Select[*tuple[Any, ...]]


def _value_condition(key: str, values: Sequence[str], ids: Mapping[str, Sequence[int]]) -> sa.ColumnElement[bool]:
    if key == BRAND:
        return Product.brand.in_(values)
    return sa.exists().where(
        ProductValue.product_id == Product.id,
        ProductValue.attribute_id.in_(ids.get(key, ())),
        ProductValue.text.in_(values),
    )


def _base_conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if filters.category_ids:
        found.append(Product.category_id.in_(filters.category_ids))
    if filters.match is not None:
        found.append(filters.match.condition)
    return found


def _price_conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if filters.price_min is not None:
        found.append(ProductListing.price_from >= filters.price_min)
    if filters.price_max is not None:
        found.append(ProductListing.price_from <= filters.price_max)
    return found


def _seller_condition(filters: Filters) -> list[sa.ColumnElement[bool]]:
    return [ProductListing.seller_ids.overlap(list(filters.seller_ids))] if filters.seller_ids else []


def _stock_condition(filters: Filters) -> list[sa.ColumnElement[bool]]:
    return [ProductListing.available > 0] if filters.in_stock else []


def _ids_by_key(known: Sequence[AttributeRow]) -> dict[str, list[int]]:
    ids: dict[str, list[int]] = {}
    for row in known:
        ids.setdefault(row.key, []).append(row.id)
    return ids


def page(
    filters: Filters, known: Sequence[AttributeRow], sort: str, cursor: str | None, limit: int
) -> tuple[list[ListedProduct], str | None]:
    """One page of a list and the cursor of the next one.

    Raises:
        Invalid: unknown sort or a cursor that is not ours.
    """
    keys = _sort_keys(sort, filters)
    ids = _ids_by_key(known)
    statement = (
        sa.select(
            Product.id, Product.public_id, Product.slug, Product.name_ru, Product.name_en, Product.category_id,
            Product.brand, Product.base_unit, ProductListing.price_from, ProductListing.unit_price,
            _content.code, ProductListing.offers_count, ProductListing.available, ProductListing.lead_time_days,
            Category.drawing,
            *(expression.label(f"key_{i}") for i, (expression, _) in enumerate(keys)),
        )
        .join(ProductListing, ProductListing.product_id == Product.id)
        .join(Category, Category.id == Product.category_id)
        .outerjoin(_content, sa.and_(_content.product_id == Product.id, _content.is_content))
        .where(
            *_base_conditions(filters), *_price_conditions(filters), *_seller_condition(filters),
            *_stock_condition(filters),
            *(_value_condition(k, v, ids) for k, v in filters.attributes.items()),
        )
        .order_by(*(e.desc() if down else e.asc() for e, down in keys))
        .limit(limit + 1)
    )  # fmt: skip
    if cursor:
        statement = statement.where(_after(keys, _read_cursor(cursor, len(keys))))
    rows: Sequence[Any] = session.execute(statement).all()
    shown = rows[:limit]
    following = _write_cursor(shown[-1][15:]) if len(rows) > limit else None
    return [ListedProduct(*row[:15]) for row in shown], following


def _sort_keys(sort: str, filters: Filters) -> list[tuple[sa.SQLColumnExpression[Any], bool]]:
    """Expressions to sort by, and whether each goes down; the product's id ends every order."""
    stocked = (ProductListing.available > 0).cast(sa.Integer)
    if sort == "price":
        return [(ProductListing.price_from, False), (Product.id, False)]
    if sort == "unit_price":
        return [(sa.func.coalesce(ProductListing.unit_price, ProductListing.price_from), False), (Product.id, False)]
    if sort == "newest":
        return [(Product.id, True)]
    if sort != "relevance":
        raise Invalid.one("/query/sort", "unknown_option")
    if filters.match is not None:
        score = sa.cast(filters.match.score * (1 + stocked), sa.Numeric(12, 6))
        return [(score, True), (Product.id, False)]
    return [(stocked, True), (ProductListing.offers_count, True), (Product.id, False)]


def _after(keys: Sequence[tuple[sa.SQLColumnExpression[Any], bool]], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Rows behind the last one shown: (a > x) or (a = x and b > y) ..., each in its own direction."""
    found = []
    for i, (expression, down) in enumerate(keys):
        same = [e == v for (e, _), v in zip(keys[:i], values[:i], strict=True)]
        found.append(sa.and_(*same, expression < values[i] if down else expression > values[i]))
    return sa.or_(*found)


def _write_cursor(values: Sequence[Any]) -> str:
    text = json.dumps([str(v) for v in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, count: int) -> list[Decimal]:
    try:
        raw = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [Decimal(v) for v in raw]
        if len(values) != count or not all(v.is_finite() and abs(v) < Decimal(10) ** 18 for v in values):
            raise ValueError
        return values
    except (ValueError, TypeError, ArithmeticError):
        raise Invalid.one("/query/cursor", "malformed") from None


def facets(filters: Filters, known: Sequence[AttributeRow]) -> Facets:
    """Counts of every facet in one statement over the products that pass everything but attributes."""
    ids = _ids_by_key(known)
    chosen = list(filters.attributes.items())
    flags = [_value_condition(k, v, ids).label(f"flag_{i}") for i, (k, v) in enumerate(chosen)]
    price_ok = sa.and_(sa.true(), *_price_conditions(filters)).label("price_ok")
    seller_ok = sa.and_(sa.true(), *_seller_condition(filters)).label("seller_ok")
    stock_ok = sa.and_(sa.true(), *_stock_condition(filters)).label("stock_ok")
    base = (
        sa.select(
            Product.id, Product.brand, ProductListing.price_from, ProductListing.seller_ids,
            (ProductListing.available > 0).label("stocked"), price_ok, seller_ok, stock_ok, *flags,
        )
        .join(ProductListing, ProductListing.product_id == Product.id)
        .where(*_base_conditions(filters))
        .cte("base")
    )  # fmt: skip
    flag = {k: base.c[f"flag_{i}"] for i, (k, _) in enumerate(chosen)}
    gates = {"price": base.c.price_ok, "seller": base.c.seller_ok, "stock": base.c.stock_ok, **flag}

    def passing(but: str = "") -> sa.ColumnElement[bool]:
        return sa.and_(sa.true(), *(gate for name, gate in gates.items() if name != but))

    parts = [
        _counted("total", sa.literal(""), passing(), base),
        _counted("stock", sa.literal(""), sa.and_(passing("stock"), base.c.stocked), base),
        _counted("brand", base.c.brand, passing(BRAND), base),
        _price_end(sa.func.min, "low", passing("price"), base),
        _price_end(sa.func.max, "high", passing("price"), base),
        _seller_counts(passing("seller"), base),
        *([_attribute_counts(known, gates, passing, base)] if known else []),
    ]
    rows = session.execute(sa.union_all(*parts)).all()
    return _assembled(rows, known, filters)


def without_each(filters: Filters, known: Sequence[AttributeRow]) -> dict[str, int]:
    """For an empty list: how many products there would be without each of its filters, in one query.

    Keys: those of `filters.attributes`, and `price`, `seller`, `in_stock`.
    """
    ids = _ids_by_key(known)
    gates = {key: _value_condition(key, values, ids) for key, values in filters.attributes.items()}
    for name, found in (
        ("price", _price_conditions(filters)), ("seller", _seller_condition(filters)),
        ("in_stock", _stock_condition(filters)),
    ):  # fmt: skip
        if found:
            gates[name] = sa.and_(*found)
    if not gates:
        return {}
    counts = (
        sa.func.count().filter(sa.and_(sa.true(), *(gate for name, gate in gates.items() if name != dropped)))
        for dropped in gates
    )
    statement = (
        sa.select(*counts)
        .select_from(Product)
        .join(ProductListing, ProductListing.product_id == Product.id)
        .where(*_base_conditions(filters))
    )
    return dict(zip(gates, session.execute(statement).one(), strict=True))


def _counted(kind: str, value: sa.ColumnElement[Any], where: sa.ColumnElement[bool], base: sa.CTE) -> Part:
    return (
        sa.select(sa.literal(kind).label("kind"), value.label("value"), sa.func.count(base.c.id).label("n"))
        .where(where)
        .group_by(sa.text("2"))
    )


def _price_end(end: Any, kind: str, where: sa.ColumnElement[bool], base: sa.CTE) -> Part:
    return sa.select(sa.literal(f"price_{kind}"), sa.literal(""), sa.func.coalesce(end(base.c.price_from), 0)).where(
        where
    )


def _seller_counts(where: sa.ColumnElement[bool], base: sa.CTE) -> Part:
    seller = sa.func.unnest(base.c.seller_ids).label("seller")
    spread = sa.select(base.c.id, seller).where(where).subquery()
    return sa.select(sa.literal("seller"), spread.c.seller.cast(sa.Text), sa.func.count()).group_by(spread.c.seller)


def _attribute_counts(known: Sequence[AttributeRow], gates: Mapping[str, Any], passing: Any, base: sa.CTE) -> Part:
    chosen = [key for key in gates if key not in ("price", "seller", "stock", BRAND)]
    where = sa.case(*((Attribute.key == key, passing(key)) for key in chosen), else_=passing()) if chosen else passing()
    wanted = [row.id for row in known if row.is_facet]
    return (
        sa.select(sa.literal("attribute:").concat(Attribute.key), ProductValue.text, sa.func.count(base.c.id))
        .join(ProductValue, ProductValue.product_id == base.c.id)
        .join(Attribute, Attribute.id == ProductValue.attribute_id)
        .where(ProductValue.attribute_id.in_(wanted), where)
        .group_by(Attribute.key, ProductValue.text)
    )


def _assembled(rows: Sequence[Any], known: Sequence[AttributeRow], filters: Filters) -> Facets:
    single = {row[0]: int(row[2]) for row in rows if row[0] in ("total", "stock", "price_low", "price_high")}
    counts: dict[str, dict[str, int]] = {}
    for kind, value, n in rows:
        if kind == "brand" and value:
            counts.setdefault(BRAND, {})[value] = n
        elif kind.startswith("attribute:"):
            counts.setdefault(kind.removeprefix("attribute:"), {})[value] = n
    found = []
    names = {row.key: row for row in reversed(known) if row.is_facet}
    order = [BRAND, *dict.fromkeys(row.key for row in known if row.is_facet and row.key != BRAND)]
    for key in order:
        chosen = filters.attributes.get(key, ())
        values = counts.get(key, {}) | {v: 0 for v in chosen if v not in counts.get(key, {})}
        if values and (len(values) > 1 or chosen):
            found.append(_facet(key, names.get(key), values, chosen))
    sellers = sorted(((int(v), n) for kind, v, n in rows if kind == "seller"), key=lambda p: (-p[1], p[0]))
    return Facets(
        single.get("total", 0), tuple(found[:MAX_FACETS]), tuple(sellers), single.get("stock", 0),
        single.get("price_low") or None, single.get("price_high") or None,
    )  # fmt: skip


def _facet(key: str, row: AttributeRow | None, values: Mapping[str, int], chosen: Sequence[str]) -> Facet:
    ordered = sorted(values.items(), key=lambda item: _value_order(item[0]))
    shown = tuple(FacetValue(v, n, v in chosen) for v, n in ordered[:MAX_VALUES])
    if row is None:
        return Facet(key, "Бренд", "Brand", "", shown)
    return Facet(key, row.name_ru, row.name_en, row.unit, shown)


def _value_order(text: str) -> tuple[int, Decimal, str]:
    """Numbers by size, then words by alphabet."""
    try:
        return (0, Decimal(text), text)
    except ArithmeticError:
        return (1, Decimal(0), text)
