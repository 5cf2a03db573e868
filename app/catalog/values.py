"""Values that an attribute has: the most frequent ones, to be suggested where one is typed."""

from __future__ import annotations

import sqlalchemy as sa

from app.core.db import session

MOST = 30

_FREQUENT = sa.text(
    """
SELECT key, text FROM (
    SELECT a.key, v.text, count(*) AS products,
        row_number() OVER (PARTITION BY a.id ORDER BY count(*) DESC, v.text) AS place
    FROM attribute a JOIN category c ON c.id = a.category_id AND c.slug = :slug
    JOIN product_value v ON v.attribute_id = a.id
    WHERE a.kind IN ('enum', 'text') GROUP BY a.id, v.text
) t WHERE place <= :most ORDER BY key, place
"""
)


def frequent(category_slug: str) -> dict[str, list[str]]:
    """Key of an enum or text attribute -> its values, most frequent first."""
    found: dict[str, list[str]] = {}
    for key, text in session.execute(_FREQUENT, {"slug": category_slug, "most": MOST}):
        found.setdefault(key, []).append(text)
    return found
