"""What lists show of offers, kept in `product_listing`: written with every change of an offer or its stock."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from app.core.db import session, unit_of_work

# Prices per base unit: price of the unit of sale / its factor; per content unit: x factor of the content unit.
_REFRESH = """
WITH wanted AS (
    SELECT p.id FROM product p WHERE p.status = 'active' AND ({only})
), stock AS (
    SELECT s.offer_id, sum(greatest(s.on_hand - s.allocated - s.reserved - s.safety, 0)) AS free
    FROM stock_level s
    JOIN warehouse w ON w.id = s.warehouse_id AND w.is_active
    JOIN offer o ON o.id = s.offer_id
    JOIN wanted ON wanted.id = o.product_id
    GROUP BY s.offer_id
), live AS (
    SELECT o.product_id, o.seller_id, o.lead_time_days, coalesce(st.free, 0) AS free,
        o.price::numeric * u.denominator / u.numerator AS base_price
    FROM offer o
    JOIN wanted ON wanted.id = o.product_id
    JOIN seller s ON s.id = o.seller_id AND s.is_active
    JOIN product_unit u ON u.product_id = o.product_id AND u.code = o.unit
    LEFT JOIN stock st ON st.offer_id = o.id
    WHERE o.status = 'active'
), summed AS (
    SELECT product_id, min(base_price) AS lowest, count(*) AS offers, sum(free) AS free,
        min(lead_time_days) AS lead, array_agg(DISTINCT seller_id) AS sellers
    FROM live GROUP BY product_id
)
INSERT INTO product_listing AS l
    (product_id, price_from, unit_price, offers_count, available, lead_time_days, seller_ids)
SELECT s.product_id, round(s.lowest), round(s.lowest * c.numerator / c.denominator), s.offers, s.free, s.lead, s.sellers
FROM summed s
LEFT JOIN product_unit c ON c.product_id = s.product_id AND c.is_content
ORDER BY s.product_id
ON CONFLICT (product_id) DO UPDATE SET price_from = excluded.price_from, unit_price = excluded.unit_price,
    offers_count = excluded.offers_count, available = excluded.available, lead_time_days = excluded.lead_time_days,
    seller_ids = excluded.seller_ids
WHERE (l.price_from, l.unit_price, l.offers_count, l.available, l.lead_time_days, l.seller_ids) IS DISTINCT FROM
    (excluded.price_from, excluded.unit_price, excluded.offers_count, excluded.available, excluded.lead_time_days,
     excluded.seller_ids)
"""
_GONE = """
DELETE FROM product_listing l WHERE ({only}) AND NOT EXISTS (
    SELECT 1 FROM offer o JOIN seller s ON s.id = o.seller_id AND s.is_active
    JOIN product p ON p.id = o.product_id AND p.status = 'active'
    WHERE o.product_id = l.product_id AND o.status = 'active')
"""
_SOME = sa.text(_REFRESH.format(only="p.id = ANY(:ids)"))
_SOME_GONE = sa.text(_GONE.format(only="l.product_id = ANY(:ids)"))
_ALL = sa.text(_REFRESH.format(only="true"))
_ALL_GONE = sa.text(_GONE.format(only="true"))


# Two sellers of one product may change at once. Each must see what the other has committed before it sums, so the
# products are locked by a statement of its own: the next one takes a newer snapshot.
_LOCK = sa.text("SELECT id FROM product WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")


@unit_of_work
def refresh(product_ids: Sequence[int]) -> None:
    """Recalculate the listing rows of these products, in id order."""
    ids = sorted(set(product_ids))
    if ids:
        session.execute(_LOCK, {"ids": ids})
        session.execute(_SOME, {"ids": ids})
        session.execute(_SOME_GONE, {"ids": ids})


@unit_of_work
def rebuild() -> None:
    """Recalculate every row: after a bulk load, or when `make doctor` finds a difference."""
    session.execute(_ALL)
    session.execute(_ALL_GONE)
