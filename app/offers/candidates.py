"""Products that may satisfy materials of whole categories: one query, whatever the number of lines."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa

from app.core.db import session

_CANDIDATES = sa.text(
    """
    WITH wanted AS MATERIALIZED (
        SELECT p.id, p.public_id, c.slug AS category, p.base_unit, p.mass_kg, p.volume_m3, l.price_from, l.available
        FROM product p
        JOIN category c ON c.id = p.category_id
        JOIN product_listing l ON l.product_id = p.id
        WHERE c.slug = ANY(:categories) AND p.status = 'active'
    ), unit AS (
        SELECT product_id, array_agg(code) AS codes, array_agg(numerator) AS tops, array_agg(denominator) AS bottoms
        FROM product_unit WHERE product_id IN (SELECT id FROM wanted) GROUP BY product_id
    ), value AS (
        SELECT v.product_id, array_agg(a.key) AS keys_of, array_agg(v.text) AS texts
        FROM product_value v JOIN attribute a ON a.id = v.attribute_id
        WHERE a.key = ANY(:keys) AND v.product_id IN (SELECT id FROM wanted) GROUP BY v.product_id
    )
    SELECT wanted.*, codes, tops, bottoms, keys_of, texts
    FROM wanted JOIN unit ON unit.product_id = id LEFT JOIN value ON value.product_id = id
    ORDER BY id
    """
)
"""Sets, not a lookup per product: the leaves of a large estimate hold thousands of products."""


@dataclass(frozen=True, slots=True)
class CandidateProduct:
    """A product on sale with what choosing needs. `units`: code -> base units in one of it; price per base unit."""

    id: int
    public_id: uuid.UUID
    category: str
    base_unit: str
    mass_kg: Decimal
    volume_m3: Decimal
    price_from: int
    available: Decimal
    units: dict[str, Fraction]
    values: dict[str, str]


def products_of(categories: Sequence[str], attribute_keys: Sequence[str]) -> list[CandidateProduct]:
    """All products on sale of these leaf categories, with the values of the named attributes."""
    rows = session.execute(_CANDIDATES, {"categories": list(categories), "keys": list(attribute_keys)})
    return [
        CandidateProduct(
            row.id, row.public_id, row.category, row.base_unit, row.mass_kg, row.volume_m3, row.price_from,
            row.available, dict(zip(row.codes, map(_factor, row.tops, row.bottoms), strict=True)),
            dict(zip(row.keys_of, row.texts, strict=True)) if row.keys_of else {},
        )
        for row in rows
    ]  # fmt: skip


_factor = functools.lru_cache(maxsize=4096)(Fraction)
"""Products share few factors; reducing a fraction each time would take longer than the query."""
