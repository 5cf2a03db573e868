"""What a row of `product_listing` says of the product itself: section, brand, attributes, mass, search words."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

import sqlalchemy as sa

from app.catalog.queries import TAXONOMY
from app.core.db import changed, session

KG_PER_M3 = 250
"""A cubic metre of light goods is carried at the price of so many kilograms."""

FACTS_SQL = f"""
SELECT p.id, p.category_id, p.brand, greatest(p.mass_kg, p.volume_m3 * {KG_PER_M3}) AS truck_kg, coalesce((
    SELECT array_agg(a.key || ':' || v.text ORDER BY a.position, a.id)
    FROM product_value v JOIN attribute a ON a.id = v.attribute_id
    WHERE v.product_id = p.id AND a.is_facet), '{{}}'::text[]) AS facets, p.search
FROM product p WHERE p.status = 'active'
"""
"""Products that may be listed; `app.offers.listing` joins it with offers."""


def truck_kg(mass_kg: Decimal, volume_m3: Decimal) -> Decimal:
    """What a truck is paid for one base unit, as FACTS_SQL and the column of the listing have it."""
    return max(mass_kg, volume_m3 * KG_PER_M3).quantize(Decimal("0.0001"), ROUND_HALF_UP)


_UPDATE = sa.text(
    f"""
UPDATE product_listing l SET category_id = f.category_id, brand = f.brand, truck_kg = f.truck_kg, facets = f.facets,
    search = f.search
FROM ({FACTS_SQL} AND p.id = ANY(:ids)) f
WHERE f.id = l.product_id AND (l.category_id, l.brand, l.truck_kg, l.facets, l.search)
    IS DISTINCT FROM (f.category_id, f.brand, f.truck_kg, f.facets, f.search)
"""
)


def refresh(ids: Sequence[int]) -> None:
    """Write the rows of these products anew, in the present transaction. Offers are not looked at."""
    session.execute(_UPDATE, {"ids": sorted(ids)})
    changed("listing")
    changed(TAXONOMY)
