"""Lists of products: filters, facets whose counts follow the other filters, sorting, keyset pages.

Inside a facet its values add up (OR), between facets they narrow (AND), and a facet is never narrowed by itself.
Everything is read from `product_listing`, one row for each product on sale.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.catalog.queries import AttributeRow
from app.catalog.search import Match
from app.core import keyset
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

    def share(self, seller_id: int, truck_kg: Decimal, base_units: Fraction) -> int | None:
        """Kopeks that bringing so much adds, as a part of a tonne; None when this seller's goods are not brought.

        For one base unit it is what `_Conditions.delivered` adds in SQL; tests compare them.
        """
        rate = self.per_tonne.get(seller_id)
        return None if rate is None else round_half_up(rate * Fraction(truck_kg) * base_units / 1000)


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a list. `attributes`: key (or `brand`) -> chosen values; prices in kopeks per base unit.

    `product_ids`: only these.
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
    product_ids: Sequence[int] | None = None


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
    picture: str
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


_STOCKED = "l.available > 0"


@dataclass(slots=True)
class _Conditions:
    """SQL of filters over `product_listing l`, with the values they bind.

    Written as text: SQLAlchemy would take longer to build these statements than PostgreSQL takes to answer them.
    """

    filters: Filters
    known: Sequence[AttributeRow]
    bound: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        """The name of a bound value."""
        name = f"v{len(self.bound)}"
        self.bound[name] = value
        return f":{name}"

    def base(self) -> str:
        """Section and search: what the list is about, which no facet leaves out."""
        found = ["true"]
        if self.filters.match is not None:
            self.bound |= self.filters.match.bound
            found.append(self.filters.match.condition)
        if self.filters.product_ids is not None:
            found.append(f"l.product_id = ANY({self.bind(list(self.filters.product_ids))})")
        if self.filters.category_ids:
            found.append(f"l.category_id = ANY({self.bind(list(self.filters.category_ids))})")
        return " AND ".join(found)

    def gates(self) -> dict[str, str]:
        """The condition of every filter that is set, by its name."""
        asked = self.filters
        found = {key: self._value(key, values) for key, values in asked.attributes.items()}
        price = [
            f"l.price_from {sign} {self.bind(limit)}"
            for sign, limit in ((">=", asked.price_min), ("<=", asked.price_max))
            if limit is not None
        ]
        if price:
            found["price"] = " AND ".join(price)
        if asked.seller_ids:
            found["seller"] = f"l.seller_ids && CAST({self.bind(list(asked.seller_ids))} AS bigint[])"
        if asked.in_stock:
            found["in_stock"] = _STOCKED
        if asked.ready_days is not None:
            found["by"] = f"{_STOCKED} AND l.lead_time_days <= {self.bind(asked.ready_days)}"
        return found

    def _value(self, key: str, values: Sequence[str]) -> str:
        if key == BRAND:
            return f"l.brand = ANY({self.bind(list(values))})"
        if any(row.key == key and row.is_facet for row in self.known):
            return f"l.facets && CAST({self.bind([f'{key}:{value}' for value in values])} AS text[])"
        ids = self.bind([row.id for row in self.known if row.key == key])
        return (
            "EXISTS (SELECT FROM product_value v WHERE v.product_id = l.product_id "
            f"AND v.attribute_id = ANY(CAST({ids} AS bigint[])) AND v.text = ANY({self.bind(list(values))}))"
        )

    def delivered(self) -> str:
        """The lowest over sellers of price and delivery, kopeks for a base unit; NULL when nobody delivers."""
        to_site = self.filters.to_site
        if to_site is None:
            return "NULL::bigint"
        if "rates" not in self.bound:
            self.bound["rates"] = json.dumps(to_site.per_tonne)
        rate = "(CAST(:rates AS jsonb) ->> o.seller::text)::numeric"
        return (
            f"(SELECT min(round(o.price + {rate} * l.truck_kg / 1000))::bigint"
            " FROM unnest(l.seller_ids, l.seller_prices) AS o(seller, price))"
        )

    def standing(self) -> str:
        """2 in stock near the site, 1 in stock elsewhere, 0 to order."""
        to_site = self.filters.to_site
        if to_site is None or not to_site.near:
            return f"({_STOCKED})::int"
        near = self.bind(list(to_site.near))
        return f"(({_STOCKED})::int + (l.stocked_ids && CAST({near} AS bigint[]))::int)"

    def keys(self, sort: str) -> list[tuple[str, bool]]:
        """Expressions to sort by, and whether each goes down; the product's id ends every order."""
        last = ("l.product_id", False)
        match = self.filters.match
        if sort == "price":
            return [("l.price_from", False), last]
        if sort == "unit_price":
            return [("coalesce(l.unit_price, l.price_from)", False), last]
        if sort == "delivered":
            if self.filters.to_site is None:
                raise Invalid.one("/query/site", "required")
            return [(f"coalesce({self.delivered()}, {NOWHERE})", False), last]
        if sort == "newest":
            return [("l.product_id", True)]
        if sort != "relevance":
            raise Invalid.one("/query/sort", "unknown_option")
        if match is None:
            return [(self.standing(), True), ("l.offers_count", True), ("l.rating", True), last]
        quality = "(0.8 + 0.04 * coalesce(nullif(l.rating, 0), 4))"  # 0: nobody has rated the sellers yet
        score = f"{match.score} * (1 + 0.5 * {self.standing()}) * {quality}"
        return [(f"({score})::numeric(12, 6)", True), last]

    def after(self, keys: Sequence[tuple[str, bool]], values: Sequence[Decimal]) -> str:
        """Rows behind the last one shown: (a > x) or (a = x and b > y) ..., each in its own direction."""
        names = [self.bind(value) for value in values]
        found = []
        for i, (expression, down) in enumerate(keys):
            same = [f"{e} = {name}" for (e, _), name in zip(keys[:i], names[:i], strict=True)]
            found.append(" AND ".join([*same, f"{expression} {'<' if down else '>'} {names[i]}"]))
        return f"({' OR '.join(f'({one})' for one in found)})"


_PAGE = """
WITH top AS (
    SELECT l.product_id AS id, {keys} FROM product_listing l WHERE {where} ORDER BY {order} LIMIT :limit
)
SELECT p.id, p.public_id, p.slug, p.name_ru, p.name_en, p.category_id, p.brand, p.base_unit, l.price_from, l.unit_price,
    u.code, l.offers_count, l.available, l.lead_time_days, c.drawing, p.picture, {delivered}, u.numerator,
    u.denominator, {names}
FROM top
JOIN product p ON p.id = top.id
JOIN product_listing l ON l.product_id = top.id
JOIN category c ON c.id = p.category_id
LEFT JOIN product_unit u ON u.product_id = top.id AND u.is_content
ORDER BY {outer_order}
"""


def page(
    filters: Filters, known: Sequence[AttributeRow], sort: str, cursor: str | None, limit: int
) -> tuple[list[ListedProduct], str | None]:
    """One page of a list and the cursor of the next one.

    Raises:
        Invalid: unknown sort, `delivered` without a site, or a cursor that is not ours.
    """
    sql = _Conditions(filters, known)
    keys = sql.keys(sort)
    where = [sql.base(), *sql.gates().values()]
    if cursor:
        where.append(sql.after(keys, keyset.read_cursor(cursor, [Decimal] * len(keys))))
    names = [f"key_{i}" for i in range(len(keys))]
    ways = ["DESC" if down else "ASC" for _, down in keys]
    statement = _PAGE.format(
        keys=", ".join(f"{e} AS {name}" for (e, _), name in zip(keys, names, strict=True)),
        where=" AND ".join(f"({one})" for one in where),
        order=", ".join(f"{name} {way}" for name, way in zip(names, ways, strict=True)),
        delivered=sql.delivered(),
        names=", ".join(f"top.{name}" for name in names),
        outer_order=", ".join(f"top.{name} {way}" for name, way in zip(names, ways, strict=True)),
    )
    rows: Sequence[Any] = session.execute(sa.text(statement), sql.bound | {"limit": limit + 1}).all()
    shown = rows[:limit]
    following = keyset.write_cursor(shown[-1][19:]) if len(rows) > limit else None
    return [_listed(list(row)) for row in shown], following


def _listed(row: list[Any]) -> ListedProduct:
    top, bottom = row[17:19]
    facts = [*row[:17], Fraction(top, bottom) if top else None]
    return ListedProduct(*facts)


def facets(filters: Filters, known: Sequence[AttributeRow]) -> Facets:
    """Counts of every facet, read in one pass.

    Each product of the section or search gets a mask with a bit for every filter it fails. It counts for a facet when
    it fails nothing, or nothing but that facet's own filter.
    """
    sql = _Conditions(filters, known)
    base, gates = sql.base(), sql.gates()
    bits = {name: 1 << i for i, name in enumerate(gates)}
    fails = " + ".join(f"CASE WHEN {gate} THEN 0 ELSE {bits[name]} END" for name, gate in gates.items()) or "0"
    kinds = ["ready", "brand", "seller"]
    if any(row.is_facet for row in known):
        kinds.append("value")
    if filters.match is not None:
        kinds.append("section")
    statement = _COUNT.format(
        fails=fails, where=base, columns=", ".join(kinds), sets=", ".join(f"({kind}, mask)" for kind in kinds),
        parts=" UNION ALL ".join(_part(kind, kinds) for kind in kinds),
    )  # fmt: skip
    return _Counts(session.execute(sa.text(statement), sql.bound).all(), bits).facets(filters, known)


_COUNT = f"""
WITH grouped AS (
    SELECT {{columns}}, mask, GROUPING({{columns}}) AS kind, count(*) AS n, min(price) AS low, max(price) AS high FROM (
        SELECT *, CASE WHEN fails & (fails - 1) = 0 THEN fails ELSE -1 END AS mask FROM (
            SELECT l.brand, l.facets AS value, l.seller_ids AS seller, l.category_id AS section, l.price_from AS price,
                CASE WHEN {_STOCKED} THEN l.lead_time_days ELSE -1 END AS ready, {{fails}} AS fails
            FROM product_listing l WHERE {{where}}
        ) failing
    ) masked GROUP BY GROUPING SETS ({{sets}})
)
{{parts}}
"""
"""One pass over the rows of a list. Products with equal arrays are counted together before the arrays are spread.
`mask`: the bit of the only filter that a product fails, 0 when it fails none, -1 when several."""


def _part(kind: str, kinds: Sequence[str]) -> str:
    """(kind, value, mask, number, lowest, highest price) of one grouping; arrays are spread into their members."""
    own = (1 << len(kinds)) - 1 - (1 << (len(kinds) - 1 - kinds.index(kind)))
    if kind in ("seller", "value"):
        return (
            f"SELECT '{kind}', each.one::text, mask, sum(n)::bigint, min(low), max(high) FROM grouped "
            f"CROSS JOIN LATERAL unnest({kind}) AS each(one) WHERE kind = {own} GROUP BY each.one, mask"
        )
    return f"SELECT '{kind}', {kind}::text, mask, n, low, high FROM grouped WHERE kind = {own}"


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
        in_stock, by_date = self.of("ready", "in_stock"), self.of("ready", "by")
        ready = {days: sum(n for lead, n in by_date.items() if 0 <= int(lead) <= days) for days in READY_DAYS}
        prices = [row for row in self.rows if row[0] == "ready" and row[2] in (0, self.bits.get("price", 0))]
        return Facets(
            total=sum(self.of("ready", "").values()),
            facets=self._properties(filters, known),
            sellers=self._numbered("seller"),
            in_stock=sum(n for lead, n in in_stock.items() if int(lead) >= 0),
            ready=ready,
            sections=self._numbered("section"),
            price_low=min((row[4] for row in prices), default=None),
            price_high=max((row[5] for row in prices), default=None),
            without={name: sum(self.of("ready", name).values()) for name in self.bits},
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
