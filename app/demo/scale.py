"""A large market for measuring: products of the demo market in more and more series, three offers each.

Written by the database itself, so that a million products take minutes. No orders, no people beyond the demo's.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from app.catalog import dictionary
from app.core.db import session, unit_of_work
from app.demo import loader
from app.offers import listing

OFFERS = 3

_BASE = """
CREATE TEMP TABLE base ON COMMIT DROP AS
SELECT p.id, row_number() OVER (ORDER BY p.id) AS place, p.brand, l.price_from,
    row_number() OVER (PARTITION BY p.category_id ORDER BY p.id) - 1 AS in_leaf,
    count(*) OVER (PARTITION BY p.category_id) AS leaf_size,
    array_agg(p.brand) OVER (PARTITION BY p.category_id ORDER BY p.id
        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS brands
FROM product p JOIN product_listing l ON l.product_id = p.id WHERE p.id <= :last
"""
"""The products that are copied, with the brands of their leaf. `last` keeps copies of copies out."""

_SERIES = """
CREATE TEMP TABLE copy ON COMMIT DROP AS
SELECT base.id AS base_id, :first + place AS id, base.brand, price_from,
    brands[1 + (in_leaf + :series * 7) % leaf_size] AS new_brand
FROM base WHERE place <= :number
"""
_PRODUCTS = """
INSERT INTO product (id, slug, category_id, brand, name_ru, name_en, article, base_unit, mass_kg, volume_m3, length_mm)
OVERRIDING SYSTEM VALUE
SELECT c.id, p.slug || '-s' || :series, p.category_id, c.new_brand,
    CASE WHEN p.brand = '' THEN p.name_ru ELSE replace(p.name_ru, p.brand, c.new_brand) END || ', серия ' || :series,
    p.name_en || ', series ' || :series, p.article || '-' || :series, p.base_unit, p.mass_kg, p.volume_m3, p.length_mm
FROM copy c JOIN product p ON p.id = c.base_id ORDER BY c.id
"""
_VALUES = """
INSERT INTO product_value (product_id, attribute_id, text, number)
SELECT c.id, v.attribute_id, v.text, v.number FROM copy c JOIN product_value v ON v.product_id = c.base_id
"""
_UNITS = """
INSERT INTO product_unit (product_id, code, numerator, denominator, step, minimum, is_sold, is_content, position)
SELECT c.id, u.code, u.numerator, u.denominator, u.step, u.minimum, u.is_sold, u.is_content, u.position
FROM copy c JOIN product_unit u ON u.product_id = c.base_id
"""
_OFFERS = f"""
INSERT INTO offer (seller_id, product_id, sku, unit, price, lead_time_days)
SELECT s.id, c.id, 'S' || s.id || '-' || c.id, p.base_unit,
    greatest(10, round(c.price_from * (0.9 + (c.id * 31 + s.id * 17) % 25 / 100.0))), (c.id + s.id * 3) % 5 % 4
FROM copy c JOIN product p ON p.id = c.id
CROSS JOIN generate_series(0, {OFFERS - 1}) AS k(k)
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS sellers FROM seller) s
    ON s.place = (c.id + k.k * 5) % s.sellers
"""
_LEVELS = """
INSERT INTO stock_level (offer_id, warehouse_id, on_hand)
SELECT o.id, w.id, CASE WHEN o.id % 9 = 0 THEN 0 ELSE 5 + o.id * 13 % 900 END
FROM copy c JOIN offer o ON o.product_id = c.id
JOIN (SELECT seller_id, min(id) AS id FROM warehouse GROUP BY seller_id) w ON w.seller_id = o.seller_id
"""
_MOVEMENTS = """
INSERT INTO stock_movement (offer_id, warehouse_id, kind, on_hand_delta, reason)
SELECT s.offer_id, s.warehouse_id, 'received', s.on_hand, 'opening stock'
FROM copy c JOIN offer o ON o.product_id = c.id JOIN stock_level s ON s.offer_id = o.id WHERE s.on_hand > 0
"""


def grow(products: int, show: Callable[[int, int], object] = lambda done, total: None) -> int:
    """Load the demo market into an empty database and copy its products until there are so many; how many there are."""
    loader.load_market()
    base = session.scalar(sa.text("SELECT count(*) FROM product_listing")) or 0
    last = session.scalar(sa.text("SELECT max(id) FROM product")) or 0
    made, series = base, 0
    while made < products:
        series += 1
        number = min(base, products - made)
        _copy(series, last, last + made, number)
        made += number
        show(made, products)
    _finish()
    return made


@unit_of_work
def _copy(series: int, last: int, first: int, number: int) -> None:
    session.execute(sa.text("SET LOCAL statement_timeout = 0"))
    session.execute(sa.text(_BASE), {"last": last})
    session.execute(sa.text(_SERIES), {"series": series, "first": first, "number": number})
    session.execute(sa.text("ANALYZE copy"))
    session.execute(sa.text(_PRODUCTS), {"series": str(series)})
    for statement in (_VALUES, _UNITS, _OFFERS, _LEVELS, _MOVEMENTS):
        session.execute(sa.text(statement))
    for table in ("base", "copy"):
        session.execute(sa.text(f"DROP TABLE {table}"))


@unit_of_work
def _finish() -> None:
    """Search words first, then the rows of lists that copy them."""
    session.execute(sa.text("SET LOCAL statement_timeout = 0"))
    session.execute(sa.text("SELECT setval(pg_get_serial_sequence('product', 'id'), (SELECT max(id) FROM product))"))
    session.execute(sa.text("ANALYZE"))
    dictionary.rebuild()
    listing.rebuild()
    session.execute(sa.text("ANALYZE product_listing, search_word"))
