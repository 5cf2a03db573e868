"""What lists show of offers, kept in `product_listing`: written with every change of an offer or its stock."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from app.catalog.facts import FACTS_SQL
from app.catalog.queries import TAXONOMY
from app.core.db import changed, session, unit_of_work

COLUMNS = (
    "category_id", "brand", "facets", "truck_kg", "price_from", "unit_price", "offers_count", "available",
    "lead_time_days", "seller_ids", "seller_prices", "stocked_ids", "rating", "search",
)  # fmt: skip
SEEN = tuple(name for name in COLUMNS if name != "available")
"""What kept lists must show at once; the number in stock may be a minute old, whether there is any may not."""

_SUMMED = """stock AS (
    SELECT s.offer_id, sum(greatest(s.on_hand - s.allocated - s.reserved - s.safety, 0)) AS free
    FROM stock_level s
    JOIN warehouse w ON w.id = s.warehouse_id AND w.is_active
    JOIN offer o ON o.id = s.offer_id
    JOIN wanted ON wanted.id = o.product_id
    GROUP BY s.offer_id
), by_seller AS (
    SELECT o.product_id, o.seller_id, s.rating, min(o.price::numeric * u.denominator / u.numerator) AS price,
        count(*) AS offers, sum(coalesce(st.free, 0)) AS free, min(o.lead_time_days) AS lead,
        min(o.lead_time_days) FILTER (WHERE st.free > 0) AS ready
    FROM offer o
    JOIN wanted ON wanted.id = o.product_id
    JOIN seller s ON s.id = o.seller_id AND s.is_active
    JOIN product_unit u ON u.product_id = o.product_id AND u.code = o.unit
    LEFT JOIN stock st ON st.offer_id = o.id
    WHERE o.status = 'active'
    GROUP BY o.product_id, o.seller_id, s.rating
), summed AS (
    SELECT product_id, min(price) AS lowest, sum(offers) AS offers, sum(free) AS free,
        coalesce(min(ready), min(lead)) AS lead,
        array_agg(seller_id ORDER BY seller_id) AS sellers,
        array_agg(round(price)::bigint ORDER BY seller_id) AS prices,
        coalesce(array_agg(seller_id ORDER BY seller_id) FILTER (WHERE free > 0), '{}') AS stocked,
        coalesce(max(rating) FILTER (WHERE free > 0), max(rating)) AS rating
    FROM by_seller GROUP BY product_id
)"""
"""What the offers of each product of `wanted` come to."""

# Prices per base unit: price of the unit of sale / its factor; per content unit: x factor of the content unit.
_REFRESH = f"""
WITH wanted AS (
    {FACTS_SQL} AND ({{only}})
), {_SUMMED}
INSERT INTO product_listing AS l (product_id, category_id, brand, facets, truck_kg, price_from, unit_price,
    offers_count, available, lead_time_days, seller_ids, seller_prices, stocked_ids, rating, search)
SELECT w.id, w.category_id, w.brand, w.facets, w.truck_kg, round(s.lowest),
    round(s.lowest * c.numerator / c.denominator), s.offers, s.free, s.lead, s.sellers, s.prices, s.stocked, s.rating,
    w.search
FROM summed s
JOIN wanted w ON w.id = s.product_id
LEFT JOIN product_unit c ON c.product_id = s.product_id AND c.is_content
ORDER BY s.product_id
ON CONFLICT (product_id) DO UPDATE SET {", ".join(f"{c} = excluded.{c}" for c in COLUMNS)}
WHERE ({", ".join(f"l.{c}" for c in COLUMNS)}) IS DISTINCT FROM ({", ".join(f"excluded.{c}" for c in COLUMNS)})
RETURNING WITH (OLD AS was, NEW AS now)
    ({", ".join(f"was.{c}" for c in SEEN)}) IS DISTINCT FROM ({", ".join(f"now.{c}" for c in SEEN)}) AS differs,
    was.category_id IS DISTINCT FROM now.category_id AS is_counted_anew
"""
_GONE = """
DELETE FROM product_listing l WHERE ({only}) AND NOT EXISTS (
    SELECT 1 FROM offer o JOIN seller s ON s.id = o.seller_id AND s.is_active
    JOIN product p ON p.id = o.product_id AND p.status = 'active'
    WHERE o.product_id = l.product_id AND o.status = 'active')
RETURNING l.product_id
"""
_SOME = sa.text(_REFRESH.replace("{only}", "p.id = ANY(:ids)"))
_SOME_GONE = sa.text(_GONE.replace("{only}", "l.product_id = ANY(:ids)"))
_ALL = sa.text(_REFRESH.replace("{only}", "true"))
_ALL_GONE = sa.text(_GONE.replace("{only}", "true"))


# Two sellers of one product may change at once. Each must see what the other has committed before it sums, so the
# products are locked by a statement of its own: the next one takes a newer snapshot.
_LOCK = sa.text("SELECT id FROM product WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")
_LOCK_OF_OFFERS = sa.text(
    "SELECT id FROM product WHERE id IN (SELECT product_id FROM offer WHERE id = ANY(:offers))"
    " ORDER BY id FOR NO KEY UPDATE"
)
_STOCK_COLUMNS = {"available": "free", "lead_time_days": "lead", "stocked_ids": "stocked", "rating": "rating"}
"""What a change of stock can change, and what it comes from."""
_STOCK = sa.text(f"""
WITH wanted AS (
    SELECT unnest(CAST(:ids AS bigint[])) AS id
), {_SUMMED}
UPDATE product_listing l SET {", ".join(f"{c} = s.{of}" for c, of in _STOCK_COLUMNS.items())}
FROM summed s WHERE s.product_id = l.product_id
    AND ({", ".join(f"l.{c}" for c in _STOCK_COLUMNS)}) IS DISTINCT FROM
        ({", ".join(f"s.{of}" for of in _STOCK_COLUMNS.values())})
RETURNING WITH (OLD AS was, NEW AS now)
    (was.lead_time_days, was.stocked_ids, was.rating) IS DISTINCT FROM
    (now.lead_time_days, now.stocked_ids, now.rating)
""")


@unit_of_work
def refresh(product_ids: Sequence[int]) -> None:
    """Recalculate the rows of these products, in id order. When one looks different, kept lists are forgotten."""
    ids = sorted(set(product_ids))
    if not ids:
        return
    session.execute(_LOCK, {"ids": ids})
    rows = session.execute(_SOME, {"ids": ids}).all()
    gone = session.execute(_SOME_GONE, {"ids": ids}).all()
    if gone or any(row.differs for row in rows):
        changed("listing")
    if gone or any(row.is_counted_anew for row in rows):
        changed(TAXONOMY)


@unit_of_work
def refresh_stock(offer_ids: Sequence[int]) -> None:
    """Recalculate what depends on the stock of these offers: a fraction of the work of `refresh`."""
    products = [row.id for row in session.execute(_LOCK_OF_OFFERS, {"offers": sorted(set(offer_ids))})]
    if any(row[0] for row in session.execute(_STOCK, {"ids": products})):
        changed("listing")


@unit_of_work
def rebuild() -> None:
    """Recalculate every row: after a bulk load, or when `make doctor` finds a difference."""
    session.execute(sa.text("SET LOCAL statement_timeout = '15min'"))
    session.execute(_ALL)
    session.execute(_ALL_GONE)
    changed("listing")
    changed(TAXONOMY)
