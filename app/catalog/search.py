"""How a query is understood and which products answer it. docs/search.md tells the whole story.

Each word of a query is read in one of these ways, the first that the dictionary knows: as typed; on the other keyboard
layout; in the letters of the other alphabet; as the beginning of a word; as a mistake of a near word. The readings
make full-text queries of PostgreSQL; the first that finds something on sale is the answer.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from app.catalog import dictionary, synonyms, words
from app.catalog.dictionary import Known
from app.catalog.synonyms import Phrase
from app.catalog.words import Chunk
from app.core.cache import Cache
from app.core.db import session

WRONG_LAYOUT = 0.4
OTHER_LETTERS = 0.3
"""What a reading through layout or alphabet adds to the distance of a correction."""
TRIED = 12


@dataclass(frozen=True, slots=True)
class Match:
    """How a query is answered: SQL over `product_listing l` with what it binds, and how the query was understood.

    `meant` is the query as it was read when that is not as typed; `dropped` are words that were left out because
    nothing on sale has all of them.
    """

    condition: str
    score: str
    bound: Mapping[str, Any]
    meant: str | None = None
    dropped: tuple[str, ...] = ()
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a query as it was read: its part of the full-text query, its stem, and how people write it."""

    query: str
    stem: str
    shown: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """The words that a chunk may be, and how sure that is: known, begun, corrected, unknown."""

    parts: tuple[Word, ...]
    kind: str = "known"


def match(text: str, cache: Cache | None = None, *, typing: bool = False) -> Match | None:
    """The best way to answer a query, found with at most three short queries; None when nothing is like it.

    Args:
        cache: keeps the synonyms.
        typing: the last word is still being typed, so it may be the beginning of a longer one.
    """
    raw = text.strip()[: words.MAX_LENGTH].replace("\x00", "")
    found = words.chunks(raw)
    if not found:
        return None
    exact, known = dictionary.look(raw, [*(form for chunk in found for form in chunk.forms), *_joined(found)])
    if exact:
        return Match("l.product_id = ANY(:exact)", "1.0", {"exact": exact}, is_exact=True)
    others = synonyms.phrases(cache)
    readings = _Reader(known, others).read(found, typing)
    chosen = _first_found(_tries(readings), others)
    if chosen is None:
        return None
    parts, dropped = chosen
    query = _whole(parts, others)
    shown = " ".join(part.shown for part in parts)
    meant = shown if shown != " ".join(t for chunk in found for t in chunk.typed) else None
    score, weighted = _score(query, len(parts))
    return Match(_FOUND.format(name="query"), score, {"query": query} | weighted, meant, dropped)


_FOUND = "l.search @@ CAST(:{name} AS tsquery)"
_WEIGHTS = "{0.1, 0.2, 0.7, 1.0}"
"""Of D (section in English), C (section and its synonyms), B (rest of the name, brand, article), A (its first word)."""
_PLACES = {"begins": "A", "holds": "B", "section": "CD"}
_LEXEME = re.compile(r"('[^']*')(?::(\*))?")


def _score(query: str, number: int) -> tuple[str, dict[str, str]]:
    """How well the text fits: SQL and what it binds.

    Several words: by their places and nearness. One word alone may find a tenth of the catalogue, and there is no
    nearness of one word: a name that begins with it counts 1, one that holds it 0.7, a section that holds it half more.
    """
    if number > 1:
        return f"ts_rank_cd('{_WEIGHTS}', l.search, CAST(:query AS tsquery))::numeric", {}
    begins, holds, section = (_FOUND.format(name=name) for name in _PLACES)
    return (
        f"(CASE WHEN {begins} THEN 1.0 WHEN {holds} THEN 0.7 ELSE 0.2 END + CASE WHEN {section} THEN 0.5 ELSE 0 END)",
        {name: _LEXEME.sub(rf"\1:\2{weights}", query) for name, weights in _PLACES.items()},
    )


def _joined(found: Sequence[Chunk]) -> list[str]:
    """`м 500` may be written `м500` in a name."""
    pairs = itertools.pairwise(found)
    return [a.typed[-1] + b.typed[0] for a, b in pairs if _joins(a, b)]


def _joins(a: Chunk, b: Chunk) -> bool:
    return bool(a.typed and b.typed) and a.typed[-1].isalpha() and len(a.typed[-1]) <= 3 and b.typed[0].isdecimal()


class _Reader:
    """Reads chunks by what the dictionary and the synonyms know."""

    def __init__(self, known: Mapping[str, Known], others: Mapping[Phrase, Sequence[Phrase]]) -> None:
        self.known = known
        self.in_synonyms = {stem for phrase in others for stem in phrase}
        self.near: dict[str, list[tuple[float, str, str, int]]] = {}

    def read(self, found: Sequence[Chunk], typing: bool) -> list[list[Reading]]:
        """For each chunk its readings, the likeliest first."""
        first = [self._known(chunk) for chunk in found]
        unsure = [chunk for chunk, reading in zip(found, first, strict=True) if reading is None]
        if unsure:
            forms = {f for chunk in unsure for f in chunk.forms if not self._is_known(f)}
            self.near = dictionary.near(sorted(forms))
        readings = [
            [reading] if reading is not None else self._guessed(chunk)
            for chunk, reading in zip(found, first, strict=True)
        ]
        self._join(found, readings)
        if typing and readings:
            readings[-1] = [self._open_ended(reading) for reading in readings[-1]]
        certain = [r for r in readings if not self._is_stop(r[0])]
        return certain or readings

    def _is_stop(self, reading: Reading) -> bool:
        return all(part.shown in self.known and self.known[part.shown].is_stop for part in reading.parts)

    def _is_known(self, form: str) -> bool:
        if form[0].isdecimal():
            return True
        facts = self.known[form]
        return facts.weight > 0 or facts.is_stop or facts.stem in self.in_synonyms

    def _known(self, chunk: Chunk) -> Reading | None:
        """A reading all of whose words are known, on the present layout before the other."""
        for own, other in ((chunk.typed, chunk.letters), (chunk.layout, chunk.layout_letters)):
            options = [[f for f in pair if self._is_known(f)] for pair in _pairs(own, other)]
            if options and all(options):
                return Reading(tuple(self._word(*either) for either in options))
            for forms in (own, other):
                if forms and all(self._is_known(f) for f in forms):
                    return Reading(tuple(self._word(f) for f in forms))
        return None

    def _word(self, form: str, *also: str) -> Word:
        """A word in one spelling or in two: `кнауф` and `knauf` may both stand in names."""
        facts = self.known.get(form)
        spelled = [_lexemes(f, self.known[f].stem if f in self.known else f) for f in (form, *also)]
        query = f"({' | '.join(spelled)})" if also else spelled[0]
        return Word(query, facts.stem if facts else form, form, form[0].isdecimal())

    def _guessed(self, chunk: Chunk) -> list[Reading]:
        """Beginnings and corrections of a chunk that holds an unknown word; itself when there are none."""
        begun = self._begun(chunk)
        corrected = self._corrected(chunk)
        if begun and corrected:
            far, fixed, weight = corrected
            reading, products, as_typed = begun
            likelier = far <= 1 and (weight > products or not as_typed or len(chunk.typed[0]) < 4)
            return [fixed, reading] if likelier else [reading, fixed]
        if begun or corrected:
            return [begun[0] if begun else corrected[1]]  # type: ignore[index]  # one of them is there
        return [Reading(tuple(self._word(f) for f in chunk.typed or chunk.layout), "unknown")]

    def _begun(self, chunk: Chunk) -> tuple[Reading, int, bool] | None:
        """The last word as the beginning of known ones: the reading, its products, whether it is as typed."""
        for forms in (chunk.typed, chunk.layout, chunk.letters):
            *head, last = forms or ("",)
            facts = self.known.get(last)
            if facts and facts.begins and len(last) >= 3 and all(self._is_known(f) for f in head):
                word = Word(f"{_quoted(last)}:*", last, last)
                parts = (*(self._word(f) for f in head), word)
                return Reading(parts, "begun"), facts.begins, forms is chunk.typed
        return None

    def _corrected(self, chunk: Chunk) -> tuple[float, Reading, int] | None:
        """The nearest known words: how far, the reading, the products of the rarest of them."""
        best: tuple[float, Reading, int] | None = None
        for own, other, extra in (
            (chunk.typed, chunk.letters, 0.0), (chunk.layout, chunk.layout_letters, WRONG_LAYOUT),
        ):  # fmt: skip
            pairs: list[tuple[str, ...]] = [*_pairs(own, other)] or [(f,) for f in own]
            found = [self._nearest(pair) for pair in pairs]
            sure = [one for one in found if one is not None]
            if sure and len(sure) == len(found):
                far = extra + sum(one[0] for one in sure)
                if best is None or far < best[0]:
                    reading = Reading(tuple(one[1] for one in sure), "corrected")
                    best = far, reading, min(one[2] for one in sure)
        return best

    def _nearest(self, pair: Sequence[str]) -> tuple[float, Word, int] | None:
        """The known word that a form, or the same in other letters, is or is nearest to."""
        options: list[tuple[float, Word, int]] = []
        for form, extra in zip(pair, (0.0, OTHER_LETTERS), strict=False):
            if self._is_known(form):
                facts = self.known.get(form)
                options.append((extra, self._word(form), facts.weight if facts else 1))
            elif self.near.get(form):
                away, word, stem, products = self.near[form][0]
                options.append((extra + away, Word(_lexemes(word, stem), stem, word), products))
        return min(options, key=lambda option: option[0], default=None)

    def _join(self, found: Sequence[Chunk], readings: list[list[Reading]]) -> None:
        for i, (a, b) in enumerate(itertools.pairwise(found)):
            if not _joins(a, b) or len(readings[i]) == 0:
                continue
            whole = a.typed[-1] + b.typed[0]
            if self.known[whole].weight:
                first = replace(readings[i + 1][0].parts[0], query=f"({_quoted(b.typed[0])} | {_quoted(whole)})")
                readings[i + 1] = [replace(readings[i + 1][0], parts=(first, *readings[i + 1][0].parts[1:]))]
                word = Word(f"({_quoted(a.typed[-1])} | {_quoted(whole)})", a.typed[-1], a.typed[-1])
                readings[i] = [Reading((*(self._word(f) for f in a.typed[:-1]), word))]

    def _open_ended(self, reading: Reading) -> Reading:
        *head, last = reading.parts
        if len(last.shown) < 2:
            return reading
        return replace(reading, parts=(*head, replace(last, query=f"({last.query} | {_quoted(last.shown)}:*)")))


def _quoted(form: str) -> str:
    """A lexeme of a tsquery. Forms hold letters, digits and the point of a decimal, which the index writes as p."""
    return "'" + form.replace(".", "p") + "'"


def _lexemes(form: str, stem: str) -> str:
    if form[0].isdecimal():
        return f"({_quoted(form)} | {_quoted(form + 'x')}:*)" if "x" in form else _quoted(form)
    parted = _parted(form)
    options = dict.fromkeys((_quoted(stem), _quoted(form), *parted))
    return f"({' | '.join(options)})" if len(options) > 1 else _quoted(form)


def _parted(form: str) -> tuple[str, ...]:
    """`cm11` may stand as `cm 11` in a name."""
    letters = form.rstrip("0123456789")
    return (f"({_quoted(letters)} <-> {_quoted(form[len(letters) :])})",) if 0 < len(letters) < len(form) else ()


def _pairs(own: Sequence[str], other: Sequence[str]) -> list[tuple[str, str]]:
    """Words with their spelling in other letters, where these are as many."""
    return list(zip(own, other, strict=True)) if len(own) == len(other) else []


Parts = tuple[Word, ...]


def _tries(readings: Sequence[Sequence[Reading]]) -> list[tuple[Parts, tuple[str, ...]]]:
    """Sets of words to look for, the fullest first: all; one word read the other way; all but one; each alone."""
    best = [options[0] for options in readings]

    def joined(chosen: Sequence[Reading]) -> Parts:
        return tuple(part for reading in chosen for part in reading.parts)

    def without(gone: set[int]) -> tuple[Parts, tuple[str, ...]]:
        return (
            joined([r for i, r in enumerate(best) if i not in gone]),
            tuple(part.shown for i in sorted(gone) for part in best[i].parts),
        )

    found = [without(set())]
    for i, options in enumerate(readings):
        found += [(joined([*best[:i], other, *best[i + 1 :]]), ()) for other in options[1:]]
    if len(best) > 1:
        rank = {"unknown": 0, "begun": 2, "corrected": 2, "known": 3}
        order = sorted(range(len(best)), key=lambda i: (1 if best[i].parts[0].is_number else rank[best[i].kind], -i))
        unknown = {i for i in order if best[i].kind == "unknown"}
        if 1 < len(unknown) < len(best):
            found.append(without(unknown))
        found += [without({i}) for i in order]
        if len(best) > 2:
            found += [without(set(range(len(best))) - {i}) for i in sorted(order, key=lambda i: (-order.index(i), i))]
    return found[:TRIED]


def _whole(parts: Parts, others: Mapping[Phrase, Sequence[Phrase]]) -> str:
    """The tsquery of words that must all be there, each or several together replaceable by their synonyms."""
    found, i = [], 0
    while i < len(parts):
        for length in range(min(synonyms.PHRASE_WORDS, len(parts) - i), 0, -1):
            same = others.get(tuple(part.stem for part in parts[i : i + length]))
            if same or length == 1:
                own = " & ".join(part.query for part in parts[i : i + length])
                alike = [f"({' <-> '.join(map(_quoted, phrase))})" for phrase in same or ()]
                found.append("(" + " | ".join([f"({own})", *alike]) + ")")
                i += length
                break
    return " & ".join(found)


def _first_found(
    tries: Sequence[tuple[Parts, tuple[str, ...]]], others: Mapping[Phrase, Sequence[Phrase]]
) -> tuple[Parts, tuple[str, ...]] | None:
    """The first set of words that some product on sale has. One query that stops at the first."""
    checks = ", ".join(f"(SELECT {i} WHERE is_listing_found(CAST(:q{i} AS tsquery)))" for i in range(len(tries)))
    asked = {f"q{i}": _whole(parts, others) for i, (parts, _) in enumerate(tries)}
    place = session.scalar(sa.text(f"SELECT coalesce({checks}, -1)"), asked)
    return tries[place] if place is not None and place >= 0 else None
