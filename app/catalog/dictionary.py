"""The words of the catalogue: what is known, what is near, and the search vectors they are written into.

`search_word` holds every word of names, brands, sections and synonyms with its stem. A query is corrected word by
word against it, so that a typing mistake costs one look into some thousand words and never a scan of products.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app.catalog import facts, words
from app.core.db import session, unit_of_work

BATCH = 5000
EDITED_LENGTH = 7
"""Trigrams of shorter words share too little with a mistaken one, so every word one mistake away is looked up."""


def normal_sql(text: str) -> str:
    """The SQL of `words.normal`, with everything but letters, digits and | as one space and the decimal point as p.

    PostgreSQL's own parser would take 3.5x25 apart, 3p5x25 it keeps.
    """
    plain = f"lower(translate({text}, 'ёЁ²³', 'еЕ23'))"
    sizes = rf"regexp_replace({plain}, '(\d)\s*[xх×*]\s*(?=\d)', '\1x', 'g')"
    points = rf"regexp_replace({sizes}, '(\d)[.,](?=\d)', '\1p', 'g')"
    parted = rf"regexp_replace({points}, '(\d)(?![xp]\d)([a-zа-я])', '\1 \2', 'g')"
    return f"regexp_replace({parted}, '[^[:alnum:]|]+', ' ', 'g')"


def stem_sql(word: str) -> str:
    """The stem of a word by its letters; a word with digits is its own stem."""
    return (
        f"CASE WHEN {word} ~ '[0-9]' THEN {word} WHEN {word} ~ '[а-я]' "
        f"THEN coalesce((ts_lexize('russian_stem', {word}))[1], {word}) "
        f"ELSE coalesce((ts_lexize('english_stem', {word}))[1], {word}) END"
    )


_PLACES = f"""
place AS MATERIALIZED (
    SELECT c.id, {normal_sql("c.name_ru || ' ' || c.synonyms::text")} AS ru, {normal_sql("c.name_en")} AS en
    FROM category c
)"""
_PARTS = normal_sql(
    "concat_ws('|', translate(p.name_ru, '|', ' '), translate(p.brand, '|', ' '), translate(p.article, '|', ' '),"
    " translate(p.name_en, '|', ' '))"
)
_REINDEX = sa.text(
    f"""
WITH {_PLACES}, whole AS MATERIALIZED (
    SELECT p.id, p.category_id, string_to_array({_PARTS}, '|') AS part FROM product p WHERE p.id = ANY(:ids)
), cut AS (
    SELECT *, split_part(part[1], ' ', 1) AS noun, substr(part[1], strpos(part[1] || ' ', ' ')) AS rest FROM whole
)
UPDATE product p SET
    name_key = lower(translate(p.name_ru || ' ' || p.name_en || ' ' || p.article, 'ёЁ', 'еЕ')),
    search =
        setweight(to_tsvector('russian', cut.noun), 'A') ||
        setweight(to_tsvector('russian', concat_ws(' ', cut.rest, cut.part[2])), 'B') ||
        setweight(to_tsvector('simple', cut.noun), 'A') ||
        setweight(to_tsvector('simple', concat_ws(' ', cut.rest, cut.part[2], cut.part[3])), 'B') ||
        setweight(to_tsvector('english', cut.part[4]), 'B') ||
        setweight(to_tsvector('russian', place.ru), 'C') ||
        setweight(to_tsvector('english', place.en), 'D')
FROM cut JOIN place ON place.id = cut.category_id
WHERE cut.id = p.id
"""
)
_IS_WORD = "word ~ '^[[:alpha:]]' AND length(word) BETWEEN 2 AND 30"
_WORDS_OF = f"""
    SELECT DISTINCT p.id, w.word FROM product p JOIN place ON place.id = p.category_id
    CROSS JOIN LATERAL regexp_split_to_table(
        {normal_sql("concat_ws(' ', p.name_ru, p.brand, p.name_en)")} || ' ' || place.ru || ' ' || place.en, '[ |]+'
    ) AS w(word)
    WHERE p.status = 'active' AND {{only}}
"""
_ADD = sa.text(
    f"""
WITH {_PLACES}, new AS (SELECT DISTINCT word FROM ({_WORDS_OF.format(only="p.id = ANY(:ids)")}) t)
INSERT INTO search_word (word, stem, products)
SELECT word, {stem_sql("word")}, 1 FROM new WHERE {_IS_WORD} ORDER BY word
ON CONFLICT (word) DO NOTHING
"""
)
_ADD_SYNONYMS = sa.text(
    f"""
INSERT INTO search_word (word, stem, products)
SELECT DISTINCT word, {stem_sql("word")}, 0 FROM synonym s
CROSS JOIN LATERAL regexp_split_to_table({normal_sql("s.term || ' ' || s.expansion")}, ' ') AS w(word)
WHERE {_IS_WORD} ORDER BY word
ON CONFLICT (word) DO NOTHING
"""
)
_COUNT = sa.text(
    f"""
WITH {_PLACES}, fresh AS MATERIALIZED (
    SELECT word, count(*) AS products FROM ({_WORDS_OF.format(only="true")}) t WHERE {_IS_WORD} GROUP BY word
), gone AS (
    DELETE FROM search_word s WHERE NOT EXISTS (SELECT FROM fresh WHERE fresh.word = s.word)
)
INSERT INTO search_word (word, stem, products)
SELECT word, {stem_sql("word")}, products FROM fresh ORDER BY word
ON CONFLICT (word) DO UPDATE SET products = excluded.products, stem = excluded.stem
"""
)
_LOOK = sa.text(
    f"""
WITH form AS (
    SELECT word, {stem_sql("word")} AS stem,
        CASE WHEN word ~ '[а-я]' THEN ts_lexize('russian_stem', word) ELSE ts_lexize('english_stem', word) END = '{{}}'
            AS is_stop
    FROM unnest(CAST(:forms AS text[])) AS t(word)
)
SELECT form.word, form.stem, coalesce(form.is_stop, false),
    coalesce((SELECT max(w.products) + 1 FROM search_word w WHERE w.word = form.word OR w.stem = form.stem), 0),
    coalesce((SELECT sum(w.products) FROM search_word w
        WHERE w.word ~>=~ form.word AND w.word ~<~ (form.word || chr(1114111))), 0)
FROM form
UNION ALL
SELECT '', exact.id::text, false, 0, 0 FROM (
    SELECT product_id AS id FROM offer WHERE upper(sku) = upper(:raw) AND status = 'active'
    UNION SELECT coalesce(merged_into_id, id) FROM product WHERE upper(article) = upper(:raw) AND article <> ''
    UNION SELECT coalesce(p.merged_into_id, p.id) FROM product_unit u JOIN product p ON p.id = u.product_id
        WHERE u.barcode = :raw AND u.barcode <> ''
) exact
"""
)
_NEAR = sa.text(
    """
SELECT word, stem, products FROM search_word WHERE word = ANY(:edits)
UNION
SELECT w.word, w.stem, w.products FROM unnest(CAST(:forms AS text[])) AS f(form)
CROSS JOIN LATERAL (
    SELECT s.word, s.stem, s.products FROM search_word s WHERE s.word % f.form
    ORDER BY similarity(s.word, f.form) DESC, s.products DESC LIMIT 30
) w
"""
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the dictionary says of a form: its stem, the products it is in (0: unknown), products of longer words."""

    stem: str
    is_stop: bool
    weight: int
    begins: int


def look(raw: str, forms: Iterable[str]) -> tuple[list[int], dict[str, Known]]:
    """Products with exactly this SKU, article or barcode, and what is known of every form. One query."""
    exact, known = [], {}
    for word, stem, is_stop, weight, begins in session.execute(_LOOK, {"raw": raw, "forms": sorted(set(forms))}):
        if word == "":
            exact.append(int(stem))
        else:
            known[word] = Known(stem, is_stop, weight, int(begins))
    return sorted(exact), known


def near(forms: Iterable[str]) -> dict[str, list[tuple[float, str, str, int]]]:
    """For each form the words it may be a mistake of, nearest first: (distance, word, stem, products). One query."""
    wanted = [form for form in dict.fromkeys(forms) if words.is_word(form) and len(form) >= 3]
    if not wanted:
        return {}
    edits = sorted({e for form in wanted if len(form) <= EDITED_LENGTH for e in words.edits(form)})
    rows = list(session.execute(_NEAR, {"edits": edits, "forms": wanted}))
    facts = {row.word: (row.stem, row.products) for row in rows if words.is_word(row.word)}
    choices = [(word, products) for word, (_, products) in facts.items()]
    return {
        form: [(far, word, *facts[word]) for far, word in itertools.islice(words.nearest(form, choices), 5)]
        for form in wanted
    }


@unit_of_work
def write(ids: Sequence[int]) -> None:
    """Rewrite what these products are found by, and learn their words."""
    if ids:
        session.execute(_REINDEX, {"ids": sorted(ids)})
        session.execute(_ADD, {"ids": sorted(ids)})
        facts.refresh(ids)


@unit_of_work
def learn_synonyms() -> None:
    """Let words of synonyms be known and be corrected to."""
    session.execute(_ADD_SYNONYMS)


@unit_of_work
def recount() -> None:
    """Write the dictionary anew with the number of products of each word; words of no product go."""
    session.execute(sa.text("SET LOCAL statement_timeout = '15min'"))
    session.execute(_COUNT)
    session.execute(_ADD_SYNONYMS)


def rebuild(category_id: int | None = None, show: Callable[[int, int], object] = lambda done, total: None) -> int:
    """Rewrite the whole index, or that of one category, in batches of its own transactions; how many products.

    Safe to stop and to repeat: each batch is whole by itself.
    """
    only = "" if category_id is None else " WHERE category_id = :category"
    ids = list(session.scalars(sa.text(f"SELECT id FROM product{only} ORDER BY id"), {"category": category_id}))
    for start in range(0, len(ids), BATCH):
        write(ids[start : start + BATCH])
        show(min(start + BATCH, len(ids)), len(ids))
    if category_id is None:
        recount()
    return len(ids)
