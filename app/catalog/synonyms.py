"""Groups of words that mean the same, kept by the operator. A query of one of them finds all of them.

Rows of `synonym` with one `expansion` are a group: the expansion is its head, the terms are its other members.
"""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.catalog import dictionary, words
from app.catalog.models import Synonym
from app.core import audit, jobs
from app.core.cache import Cache
from app.core.db import changed, session, unit_of_work
from app.core.errors import Invalid, NotFound
from app.core.permissions import Actor

CACHE_NAME = "synonyms"
MOST_TERMS = 30
LONGEST = 100
PHRASE_WORDS = 4

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A head and the words that mean the same."""

    head: str
    terms: tuple[str, ...]


def groups(text: str = "") -> list[Group]:
    """All groups by head, or those with a member that holds `text`."""
    rows = session.execute(
        sa.select(Synonym.expansion, sa.func.array_agg(sa.distinct(Synonym.term)))
        .group_by(Synonym.expansion)
        .order_by(Synonym.expansion)
    )
    found = [Group(head, tuple(terms)) for head, terms in rows]
    asked = words.normal(text)
    return [g for g in found if not asked or any(asked in member for member in (g.head, *g.terms))]


@unit_of_work
def save(actor: Actor, head: str, terms: Sequence[str]) -> Group:
    """Write a group: its terms replace those it had. Found from the next search on.

    Raises:
        Invalid: an empty or too long word, none at all, or too many.
    """
    head = words.normal(head)
    wanted = sorted({t for t in (words.normal(term) for term in terms) if t and t != head})
    if not words.tokens(head) or len(head) > LONGEST:
        raise Invalid.one("/head", "required" if not words.tokens(head) else "too_long", maximum=LONGEST)
    if not wanted:
        raise Invalid.one("/terms", "required")
    if len(wanted) > MOST_TERMS or any(len(t) > LONGEST for t in wanted):
        raise Invalid.one("/terms", "too_long", maximum=MOST_TERMS)
    session.execute(sa.delete(Synonym).where(Synonym.expansion == head, Synonym.term.not_in(wanted)))
    rows = [{"term": term, "expansion": head} for term in wanted]
    session.execute(insert(Synonym).values(rows).on_conflict_do_nothing())
    _wrote(actor, "synonyms.saved", head, wanted)
    return Group(head, tuple(wanted))


@unit_of_work
def remove(actor: Actor, head: str) -> None:
    """Take a group away.

    Raises:
        NotFound.
    """
    gone = session.scalars(sa.delete(Synonym).where(Synonym.expansion == head).returning(Synonym.term)).all()
    if not gone:
        raise NotFound()
    _wrote(actor, "synonyms.removed", head, [])


def _wrote(actor: Actor, action: str, head: str, terms: Sequence[str]) -> None:
    dictionary.learn_synonyms()
    audit.record(actor, action, "synonym", 0, after={"head": head, "terms": list(terms)})
    changed(CACHE_NAME)
    changed("listing")  # kept result lists were found without it


_PHRASES = sa.text(
    f"""
    SELECT m.expansion, (
        SELECT json_agg({dictionary.stem_sql("w.word")} ORDER BY w.place)
        FROM regexp_split_to_table(trim({dictionary.normal_sql("m.phrase")}), ' ') WITH ORDINALITY AS w(word, place)
    ) FROM (SELECT expansion, term AS phrase FROM synonym UNION SELECT expansion, expansion FROM synonym) m
    ORDER BY m.expansion, m.phrase
    """
)


def phrases(cache: Cache | None = None) -> dict[Phrase, tuple[Phrase, ...]]:
    """Stems of every member -> stems of the other members of its groups; kept in the cache until somebody edits."""
    return _read(cache.get_or_make(CACHE_NAME, "phrases", _text) if cache else _text())


def _text() -> str:
    return json.dumps([list(row) for row in session.execute(_PHRASES)], ensure_ascii=False)


@functools.lru_cache(maxsize=2)
def _read(text: str) -> dict[Phrase, tuple[Phrase, ...]]:
    members: dict[str, list[Phrase]] = {}
    for head, stems in json.loads(text):
        members.setdefault(head, []).append(tuple(stems))
    found: dict[Phrase, dict[Phrase, None]] = {}
    for group in members.values():
        for one in group:
            found.setdefault(one, {}).update(dict.fromkeys(other for other in group if other != one))
    return {phrase: tuple(others) for phrase, others in found.items()}


@unit_of_work
def order_rebuild(actor: Actor) -> uuid.UUID:
    """Let a worker rewrite the whole index and dictionary; the id of the job."""
    return jobs.enqueue("search.rebuild", {}, user_id=actor.user_id)
