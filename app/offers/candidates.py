"""Products that may satisfy materials of whole categories: one query, whatever the number of lines."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa

from app.core.db import session

_CANDIDATES = sa.text(
    """
    SELECT p.id, p.public_id, c.slug AS category, p.base_unit, p.mass_kg, p.volume_m3, l.price_from, l.available,
        (SELECT jsonb_object_agg(u.code, jsonb_build_array(u.numerator, u.denominator))
         FROM product_unit u WHERE u.product_id = p.id) AS units,
        (SELECT coalesce(jsonb_object_agg(a.key, v.text), '{}'::jsonb)
         FROM product_value v JOIN attribute a ON a.id = v.attribute_id
         WHERE v.product_id = p.id AND a.key = ANY(:keys)) AS values
    FROM product p
    JOIN category c ON c.id = p.category_id
    JOIN product_listing l ON l.product_id = p.id
    WHERE c.slug = ANY(:categories) AND p.status = 'active'
    ORDER BY p.id
    """
)


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
            row.available, {code: Fraction(*pair) for code, pair in row.units.items()}, row.values,
        )
        for row in rows
    ]  # fmt: skip
