"""Lists of products: filters, facets whose counts follow the other filters, sorting, keyset pages.

Inside a facet its values add up (OR), between facets they narrow (AND), and a facet is never narrowed by itself.
Everything is read from `product_listing`, one row for each product on sale.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.catalog.models import Category, Product, ProductListing, ProductUnit, ProductValue
from app.catalog.queries import AttributeRow
from app.catalog.search import Match
from app.core.db import session
from app.core.errors import Invalid
from app.core.money import round_half_up

SORTS = ("relevance", "price", "unit_price", "delivered", "newest")
BRAND = "brand"
MAX_FACETS = 8
MAX_VALUES = 40
READY_DAYS = (0, 2, 6)
"""Lead times that the filter by delivery date offers: goods leave today, in two days, within a week."""
NOWHERE = 10**15
"""Sorts products that nobody delivers to the site behind all others."""


@dataclass(frozen=True, slots=True)
class ToSite:
    """What delivery to the buyer's site adds, from whoever knows tariffs: `app.logistics.site_rates`.

    `per_tonne`: seller -> kopeks for a tonne; a seller who is not there delivers nothing to the site.
    `near`: sellers close to it.
    """

    per_tonne: Mapping[int, int]
    near: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a list. `attributes`: key (or `brand`) -> chosen values; prices in kopeks per base unit.

    `ready_days`: in stock with some seller whose lead time is no longer than this.
    """

    category_ids: Sequence[int] = ()
    match: Match | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    price_min: int | None = None
    price_max: int | None = None
    seller_ids: tuple[int, ...] = ()
    in_stock: bool = False
    ready_days: int | None = None
    to_site: ToSite | None = None


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A card of a list. `delivered`: kopeks for a base unit brought to the site; None: nobody brings it, or no site."""

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
    delivered: int | None
    content_factor: Fraction | None

    @property
    def delivered_unit(self) -> int | None:
        """Kopeks for a content unit brought to the site."""
        if self.delivered is None or self.content_factor is None:
            return None
        return round_half_up(self.delivered * self.content_factor)


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value one may choose and how many products it would leave."""

    value: str
    count: int
    selected: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A property to filter by. `key` is an attribute's key or `brand`."""

    key: str
    name_ru: str
    name_en: str
    unit: str
    values: tuple[FacetValue, ...]
    kind: str = "enum"

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru


@dataclass(frozen=True, slots=True)
class Facets:
    """All facets of a list, its size, and the span of prices without the price filter.

    `ready`: lead time -> products with at most that. `sections`: categories of a search with their counts.
    `without`: filter -> how many products there would be if it were dropped.
    """

    total: int
    facets: tuple[Facet, ...]
    sellers: tuple[tuple[int, int], ...]
    in_stock: int
    ready: Mapping[int, int]
    sections: tuple[tuple[int, int], ...]
    price_low: int | None
    price_high: int | None
    without: Mapping[str, int]


_content = sa.orm.aliased(ProductUnit)
_stocked = ProductListing.available > 0
_NO_PRICE = sa.cast(sa.null(), sa.BigInteger)
Gate = sa.ColumnElement[bool]
Part = sa.Select[*tuple[Any, ...]]


def _gates(filters: Filters, known: Sequence[AttributeRow]) -> dict[str, Gate]:
    """The condition of every filter that is set, by its name."""
    found: dict[str, Gate] = {}
    for key, values in filters.attributes.items():
        found[key] = _value_condition(key, values, known)
    price = []
    if filters.price_min is not None:
        price.append(ProductListing.price_from >= filters.price_min)
    if filters.price_max is not None:
        price.append(ProductListing.price_from <= filters.price_max)
    if price:
        found["price"] = sa.and_(*price)
    if filters.seller_ids:
        found["seller"] = ProductListing.seller_ids.overlap(list(filters.seller_ids))
    if filters.in_stock:
        found["in_stock"] = _stocked
    if filters.ready_days is not None:
        found["by"] = sa.and_(_stocked, ProductListing.lead_time_days <= filters.ready_days)
    return found


def _value_condition(key: str, values: Sequence[str], known: Sequence[AttributeRow]) -> Gate:
    if key == BRAND:
        return ProductListing.brand.in_(values)
    if any(row.key == key and row.is_facet for row in known):
        marked = [f"{key}:{value}" for value in values]
        return ProductListing.facets.op("&&", is_comparison=True)(sa.cast(marked, ARRAY(sa.Text)))
    return sa.exists().where(
        ProductValue.product_id == ProductListing.product_id,
        ProductValue.attribute_id.in_([row.id for row in known if row.key == key]),
        ProductValue.text.in_(values),
    )


def _base(statement: Part, filters: Filters) -> Part:
    """Section and search: what the list is about, which no facet leaves out."""
    statement = statement.select_from(ProductListing)
    if filters.match is not None:
        statement = statement.where(filters.match.condition)
    if filters.category_ids:
        statement = statement.where(ProductListing.category_id.in_(filters.category_ids))
    return statement


def page(
    filters: Filters, known: Sequence[AttributeRow], sort: str, cursor: str | None, limit: int
) -> tuple[list[ListedProduct], str | None]:
    """One page of a list and the cursor of the next one.

    Raises:
        Invalid: unknown sort, `delivered` without a site, or a cursor that is not ours.
    """
    keys = _sort_keys(sort, filters)
    top = _base(
        sa.select(ProductListing.product_id.label("id"), *(e.label(f"key_{i}") for i, (e, _) in enumerate(keys))),
        filters,
    ).where(*_gates(filters, known).values())
    if cursor:
        top = top.where(_after(keys, _read_cursor(cursor, len(keys))))
    top = top.order_by(*(e.desc() if down else e.asc() for e, down in keys)).limit(limit + 1)
    first = top.subquery("top")
    places = [(first.c[f"key_{i}"], down) for i, (_, down) in enumerate(keys)]
    rows: Sequence[Any] = session.execute(
        sa.select(
            Product.id, Product.public_id, Product.slug, Product.name_ru, Product.name_en, Product.category_id,
            Product.brand, Product.base_unit, ProductListing.price_from, ProductListing.unit_price,
            _content.code, ProductListing.offers_count, ProductListing.available, ProductListing.lead_time_days,
            Category.drawing, _delivered(filters.to_site), _content.numerator, _content.denominator,
            *(column for column, _ in places),
        )
        .join(first, first.c.id == Product.id)
        .join(ProductListing, ProductListing.product_id == Product.id)
        .join(Category, Category.id == Product.category_id)
        .outerjoin(_content, sa.and_(_content.product_id == Product.id, _content.is_content))
        .order_by(*(column.desc() if down else column.asc() for column, down in places))
    ).all()  # fmt: skip
    shown = rows[:limit]
    following = _write_cursor(shown[-1][18:]) if len(rows) > limit else None
    return [_listed(list(row)) for row in shown], following


def _listed(row: list[Any]) -> ListedProduct:
    top, bottom = row[16:18]
    facts = [*row[:16], Fraction(top, bottom) if top else None]
    return ListedProduct(*facts)


def _delivered(to_site: ToSite | None) -> sa.ColumnElement[Any]:
    """The lowest over sellers of price and delivery, kopeks for a base unit."""
    if to_site is None:
        return sa.null()
    rates = sa.cast(sa.literal(json.dumps({str(k): v for k, v in to_site.per_tonne.items()})), JSONB)
    offers = (
        sa.func.unnest(ProductListing.seller_ids, ProductListing.seller_prices)
        .table_valued("seller", "price")
        .render_derived(name="o")
    )
    rate = sa.cast(rates.op("->>")(sa.cast(offers.c.seller, sa.Text)), sa.Numeric)
    whole = sa.func.round(sa.cast(offers.c.price, sa.Numeric) + rate * ProductListing.truck_kg / 1000)
    return sa.select(sa.cast(sa.func.min(whole), sa.BigInteger)).correlate(ProductListing).scalar_subquery()


def _standing(filters: Filters) -> sa.ColumnElement[Any]:
    """2 in stock near the site, 1 in stock elsewhere, 0 to order."""
    stocked = sa.cast(_stocked, sa.Integer)
    if filters.to_site is None or not filters.to_site.near:
        return stocked
    return stocked + sa.cast(ProductListing.stocked_ids.overlap(list(filters.to_site.near)), sa.Integer)


def _sort_keys(sort: str, filters: Filters) -> list[tuple[sa.SQLColumnExpression[Any], bool]]:
    """Expressions to sort by, and whether each goes down; the product's id ends every order."""
    last = (ProductListing.product_id, False)
    if sort == "price":
        return [(ProductListing.price_from, False), last]
    if sort == "unit_price":
        return [(sa.func.coalesce(ProductListing.unit_price, ProductListing.price_from), False), last]
    if sort == "delivered":
        if filters.to_site is None:
            raise Invalid.one("/query/site", "required")
        return [(sa.func.coalesce(_delivered(filters.to_site), NOWHERE), False), last]
    if sort == "newest":
        return [(ProductListing.product_id, True)]
    if sort != "relevance":
        raise Invalid.one("/query/sort", "unknown_option")
    if filters.match is None:
        return [(_standing(filters), True), (ProductListing.offers_count, True), (ProductListing.rating, True), last]
    place = 1 + _standing(filters) * sa.literal_column("0.5")
    quality: sa.ColumnElement[Any] = sa.literal_column("0.8") + ProductListing.rating * sa.literal_column("0.04")
    return [(sa.cast(filters.match.score * place * quality, sa.Numeric(12, 6)), True), last]


def _after(keys: Sequence[tuple[sa.SQLColumnExpression[Any], bool]], values: Sequence[Any]) -> Gate:
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
    """Counts of every facet, read in one pass.

    Each product of the section or search gets a mask with a bit for every filter it fails. It counts for a facet when
    it fails nothing, or nothing but that facet's own filter.
    """
    gates = _gates(filters, known)
    bits = {name: 1 << i for i, name in enumerate(gates)}
    fails: sa.ColumnElement[Any] = sa.literal_column("0")
    for name, gate in gates.items():
        fails = fails + sa.case((gate, 0), else_=bits[name])
    columns = {
        "brand": ProductListing.brand, "facets": ProductListing.facets, "sellers": ProductListing.seller_ids,
        "section": ProductListing.category_id, "price": ProductListing.price_from,
        "ready": sa.case((_stocked, ProductListing.lead_time_days), else_=-1), "fails": fails,
    }  # fmt: skip
    inner = _base(sa.select(*(column.label(name) for name, column in columns.items())), filters).subquery("failing")
    mask = sa.case((inner.c.fails.op("&")(inner.c.fails - 1) == 0, inner.c.fails), else_=-1) if gates else inner.c.fails
    base = sa.select(*(c for c in inner.c if c.name != "fails"), mask.label("mask")).cte("base")
    parts = [
        _counted("whole", base.c.ready, base, sa.func.min(base.c.price), sa.func.max(base.c.price)),
        _counted("brand", base.c.brand, base),
        _spread("seller", base.c.sellers, base),
    ]
    if any(row.is_facet for row in known):
        parts.append(_spread("value", base.c.facets, base))
    if filters.match is not None:
        parts.append(_counted("section", base.c.section, base))
    return _Counts(session.execute(sa.union_all(*parts)).all(), bits).facets(filters, known)


def _counted(kind: str, value: sa.ColumnElement[Any], base: sa.CTE, *ends: sa.ColumnElement[Any]) -> Part:
    """(kind, value, mask, number, lowest, highest price) of every value and mask."""
    low, high = ends or (_NO_PRICE, _NO_PRICE)
    group = (
        sa.select(value.label("value"), base.c.mask, sa.func.count().label("n"), low.label("low"), high.label("high"))
        .group_by(value, base.c.mask)
        .subquery()
    )
    return sa.select(
        sa.literal(kind), sa.cast(group.c.value, sa.Text), group.c.mask, group.c.n, group.c.low, group.c.high
    )


def _spread(kind: str, values: sa.ColumnElement[Any], base: sa.CTE) -> Part:
    """The same of every member of an array. Products with equal arrays are counted together before they are spread."""
    group = (
        sa.select(values.label("members"), base.c.mask, sa.func.count().label("n"))
        .group_by(values, base.c.mask)
        .subquery()
    )
    each = sa.func.unnest(group.c.members).table_valued("value").render_derived(name="each")
    number = sa.cast(sa.func.sum(group.c.n), sa.BigInteger)
    return (
        sa.select(sa.literal(kind), sa.cast(each.c.value, sa.Text), group.c.mask, number, _NO_PRICE, _NO_PRICE)
        .select_from(group)
        .join(each, sa.true())
        .group_by(each.c.value, group.c.mask)
    )


class _Counts:
    """Adds up rows of (kind, value, mask, number, lowest, highest price)."""

    def __init__(self, rows: Sequence[Any], bits: Mapping[str, int]) -> None:
        self.rows = rows
        self.bits = bits

    def of(self, kind: str, own: str) -> Counter[str]:
        """Products by value, narrowed by every filter but `own`; values that are left none count 0."""
        counts: Counter[str] = Counter()
        for row_kind, value, mask, number, _, _ in self.rows:
            if row_kind == kind:
                counts[value] += number if mask in (0, self.bits.get(own, 0)) else 0
        return counts

    def facets(self, filters: Filters, known: Sequence[AttributeRow]) -> Facets:
        in_stock, by_date = self.of("whole", "in_stock"), self.of("whole", "by")
        ready = {days: sum(n for lead, n in by_date.items() if 0 <= int(lead) <= days) for days in READY_DAYS}
        prices = [row for row in self.rows if row[0] == "whole" and row[2] in (0, self.bits.get("price", 0))]
        return Facets(
            total=sum(self.of("whole", "").values()),
            facets=self._properties(filters, known),
            sellers=self._numbered("seller"),
            in_stock=sum(n for lead, n in in_stock.items() if int(lead) >= 0),
            ready=ready,
            sections=self._numbered("section"),
            price_low=min((row[4] for row in prices), default=None),
            price_high=max((row[5] for row in prices), default=None),
            without={name: sum(self.of("whole", name).values()) for name in self.bits},
        )

    def _numbered(self, kind: str) -> tuple[tuple[int, int], ...]:
        return tuple(sorted(((int(v), n) for v, n in self.of(kind, kind).items()), key=lambda p: (-p[1], p[0])))

    def _properties(self, filters: Filters, known: Sequence[AttributeRow]) -> tuple[Facet, ...]:
        values: dict[str, dict[str, int]] = {BRAND: dict(self.of("brand", BRAND))}
        values[BRAND].pop("", None)
        for key in {row.key for row in known if row.is_facet} - {BRAND}:
            start = f"{key}:"
            found = self.of("value", key)
            values[key] = {v.removeprefix(start): n for v, n in found.items() if v.startswith(start)}
        rows = {row.key: row for row in reversed(known) if row.is_facet}
        shown = []
        for key in [BRAND, *dict.fromkeys(row.key for row in known if row.is_facet and row.key != BRAND)]:
            chosen = filters.attributes.get(key, ())
            counts = values.get(key, {}) | {v: 0 for v in chosen if v not in values.get(key, {})}
            if len(counts) > 1 or chosen:
                shown.append(_facet(key, rows.get(key), counts, chosen))
        asked = [facet for facet in shown[MAX_FACETS:] if facet.key in filters.attributes]
        return (*shown[: MAX_FACETS - len(asked)], *asked)


def _facet(key: str, row: AttributeRow | None, counts: Mapping[str, int], chosen: Sequence[str]) -> Facet:
    ordered = sorted(counts.items(), key=lambda item: _value_order(item[0]))
    shown = [FacetValue(v, n, v in chosen) for v, n in ordered]
    kept = (*shown[:MAX_VALUES], *(value for value in shown[MAX_VALUES:] if value.selected))
    if row is None:
        return Facet(key, "Бренд", "Brand", "", kept)
    return Facet(key, row.name_ru, row.name_en, row.unit, kept, row.kind)


def _value_order(text: str) -> tuple[int, Decimal, str]:
    """Numbers by size, then words by alphabet."""
    try:
        return (0, Decimal(text), text)
    except ArithmeticError:
        return (1, Decimal(0), text)
