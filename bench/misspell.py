"""Queries as people mistype them, made from the names of a catalogue; the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from app.catalog import words

NEIGHBOURS = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю", "qwertyuiop", "asdfghjkl", "zxcvbnm")
SOUNDS = {"о": "а", "а": "о", "е": "и", "и": "е", "б": "п", "д": "т", "г": "к", "з": "с", "с": "з", "ж": "ш", "в": "ф",
          "c": "k", "k": "c", "i": "y", "y": "i", "s": "z"}  # fmt: skip
TO_EN = str.maketrans("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,.")
TO_RU = str.maketrans("qwertyuiopasdfghjklzxcvbnm", "йцукенгшщзфывапролдячсмить")
KINDS = ("lost", "doubled", "swapped", "neighbour", "sound", "added", "layout", "letters", "two words")
ENOUGH = 3
"""A query is made of so many words that at most this many products have all of them."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What was meant, what was typed, how it went wrong, and the product that was looked for."""

    meant: str
    typed: str
    kind: str
    product: int


def queries(names: Mapping[int, str], number: int, seed: int = 1) -> list[Typed]:
    """Mistyped queries for random products that some words of their name tell from nearly all others."""
    dice = random.Random(seed)
    tokens = {key: tuple(dict.fromkeys(words.tokens(name))) for key, name in names.items()}
    having: dict[str, set[int]] = {}
    for key, found in tokens.items():
        for token in found:
            having.setdefault(token, set()).add(key)
    keys = sorted(tokens)
    made: list[Typed] = []
    while len(made) < number:
        key = dice.choice(keys)
        chosen = _telling(tokens[key], having, dice)
        kind = KINDS[len(made) % len(KINDS)]
        typed = _mistyped(chosen, kind, dice) if chosen else None
        if typed is not None and typed != chosen:
            made.append(Typed(" ".join(chosen), " ".join(typed), kind, key))
    return made


def _telling(own: tuple[str, ...], having: Mapping[str, set[int]], dice: random.Random) -> list[str]:
    """The noun and as many other words, in the order of the name, as tell the product; empty when none do."""
    rest = [w for w in own[1:] if len(w) > 1]
    dice.shuffle(rest)
    chosen = [own[0]]
    while rest:
        if len(set.intersection(*(having[w] for w in chosen))) <= ENOUGH:
            break
        chosen.append(rest.pop())
    whole = set.intersection(*(having[w] for w in chosen))
    return sorted(chosen, key=own.index) if len(whole) <= ENOUGH else []


def _mistyped(chosen: list[str], kind: str, dice: random.Random) -> list[str] | None:
    if kind == "layout":
        return [w.translate(TO_EN if "а" <= w[0] <= "я" else TO_RU) if w.isalpha() else w for w in chosen]
    long = [i for i, w in enumerate(chosen) if w.isalpha() and len(w) >= 4]
    if not long:
        return None
    found = list(chosen)
    for i in dice.sample(long, min(len(long), 2 if kind == "two words" else 1)):
        word = chosen[i]
        if kind == "letters":
            found[i] = words.latin(word) if "а" <= word[0] <= "я" else words.cyrillic(word)
        else:
            found[i] = _one_mistake(word, dice.choice(KINDS[:6]) if kind == "two words" else kind, dice)
    return found


def _one_mistake(word: str, kind: str, dice: random.Random) -> str:
    i = dice.randrange(1, len(word))
    if kind == "lost":
        return word[:i] + word[i + 1 :]
    if kind == "doubled":
        return word[:i] + word[i] + word[i:]
    if kind == "swapped":
        i = min(i, len(word) - 2)
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    if kind == "sound":
        places = [j for j, letter in enumerate(word) if letter in SOUNDS]
        if places:
            i = dice.choice(places)
            return word[:i] + SOUNDS[word[i]] + word[i + 1 :]
    row = next((row for row in NEIGHBOURS if word[i] in row), NEIGHBOURS[0])
    place = row.find(word[i])
    near = row[place + 1] if place + 1 < len(row) else row[place - 1]
    return word[:i] + near + word[i + (kind != "added") :]
