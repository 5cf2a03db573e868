"""Full-text search in PostgreSQL: what a product is found by, and how a query is tried.

A query is tried in this order, each only when the one before finds nothing: exact SKU, article or barcode; words in the
forms of `words.variants`, in the order given; then similar names (trigrams), for typing mistakes.
Ranking: exact numbers first; then ts_rank_cd with the name and brand over the category's synonyms, doubled when some
seller has the product in stock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.catalog import words
from app.catalog.models import Product
from app.core.db import session, unit_of_work

_NORMAL = (
    r"regexp_replace(regexp_replace(lower(translate({0}, 'ёЁ', 'еЕ')), '(\d)\s*[xх×*]\s*(?=\d)', '\1x', 'g'),"
    r" '(\d),(?=\d)', '\1.', 'g')"
)
REINDEX_SQL = rf"""
UPDATE product p SET
    name_key = {_NORMAL.format("p.name_ru || ' ' || p.name_en || ' ' || p.article")},
    search =
        setweight(to_tsvector('russian', {_NORMAL.format("p.name_ru || ' ' || p.brand")}), 'A') ||
        setweight(to_tsvector('simple', {_NORMAL.format("p.name_ru || ' ' || p.brand || ' ' || p.article")}), 'A') ||
        setweight(to_tsvector('english', {_NORMAL.format("p.name_en")}), 'B') ||
        setweight(to_tsvector('russian', {_NORMAL.format("c.name_ru || ' ' || c.synonyms::text")}), 'C') ||
        setweight(to_tsvector('english', {_NORMAL.format("c.name_en")}), 'D')
FROM category c
WHERE c.id = p.category_id AND (:all OR p.id = ANY(:ids))
"""
_EXACT = sa.text(
    """
    SELECT product_id FROM offer WHERE upper(sku) = upper(:raw) AND status = 'active'
    UNION SELECT id FROM product WHERE upper(article) = upper(:raw) AND article <> ''
    UNION SELECT product_id FROM product_unit WHERE barcode = :raw AND barcode <> ''
    """
)
_ANY_MATCH = sa.text(
    """
    SELECT v.place FROM unnest(CAST(:variants AS text[])) WITH ORDINALITY AS v(text, place)
    WHERE EXISTS (
        SELECT 1 FROM product p JOIN product_listing l ON l.product_id = p.id
        WHERE p.search @@ (plainto_tsquery('russian', v.text) || plainto_tsquery('simple', v.text)
            || plainto_tsquery('english', v.text)))
    ORDER BY v.place LIMIT 1
    """
)
_CLOSEST = sa.text(
    """
    SELECT v.text, max(word_similarity(v.text, p.name_key)) AS likeness
    FROM unnest(CAST(:variants AS text[])) AS v(text)
    JOIN product p ON v.text <% p.name_key
    JOIN product_listing l ON l.product_id = p.id
    GROUP BY v.text ORDER BY likeness DESC LIMIT 1
    """
)
SIMILAR_ENOUGH = 0.4


@dataclass(frozen=True, slots=True)
class Match:
    """How a query is answered: a condition on Product, a score, and the form that was meant when not as typed."""

    condition: sa.ColumnElement[bool]
    score: sa.ColumnElement[Any]
    meant: str | None = None


def reindex(ids: Sequence[int] | None = None) -> None:
    """Rewrite what products are found by, in the present transaction; all of them without ids."""
    session.execute(sa.text(REINDEX_SQL), {"all": ids is None, "ids": list(ids or ())})


@unit_of_work
def rebuild() -> None:
    """Rewrite the whole index: after a bulk load or a change of synonyms."""
    reindex()


def match(text: str) -> Match | None:
    """The best way to answer a query, found with at most three short queries; None when nothing is like it."""
    raw = text.strip()[: words.MAX_LENGTH]
    forms = words.variants(raw)
    if not forms:
        return None
    exact = list(session.scalars(_EXACT, {"raw": raw}))
    if exact:
        return Match(Product.id.in_(exact), sa.literal(1))
    place = session.scalar(_ANY_MATCH, {"variants": forms})
    if place is not None:
        return _by_words(forms[place - 1], forms[0])
    session.execute(sa.text(f"SET LOCAL pg_trgm.word_similarity_threshold = {SIMILAR_ENOUGH}"))
    closest = session.execute(_CLOSEST, {"variants": forms}).first()
    if closest is None:
        return None
    likeness = sa.func.word_similarity(closest.text, Product.name_key)
    return Match(sa.literal(closest.text).op("<%")(Product.name_key), likeness, closest.text)


def _by_words(form: str, typed: str) -> Match:
    query = sa.func.plainto_tsquery("russian", form).op("||")(sa.func.plainto_tsquery("simple", form))
    query = query.op("||")(sa.func.plainto_tsquery("english", form))
    score = sa.func.ts_rank_cd(Product.search, query)
    return Match(Product.search.op("@@")(query), score, None if form == typed else form)
