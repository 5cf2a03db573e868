"""What people type, cut into words and put into the forms it may have meant. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_RU = "йцукенгшщзхъфывапролджэячсмитьбю.ё"
_EN = "qwertyuiop[]asdfghjkl;'zxcvbnm,./`"
_TO_RU = str.maketrans(_EN, _RU)
_TO_EN = str.maketrans(_RU, _EN)
_LATIN = (
    ("shch", "щ"), ("sch", "щ"), ("yo", "ё"), ("zh", "ж"), ("kh", "х"), ("ts", "ц"), ("ch", "ч"), ("sh", "ш"),
    ("yu", "ю"), ("ya", "я"), ("ck", "к"), ("ph", "ф"), ("a", "а"), ("b", "б"), ("v", "в"), ("g", "г"), ("d", "д"),
    ("e", "е"), ("z", "з"), ("i", "и"), ("y", "й"), ("k", "к"), ("l", "л"), ("m", "м"), ("n", "н"), ("o", "о"),
    ("p", "п"), ("r", "р"), ("s", "с"), ("t", "т"), ("u", "у"), ("f", "ф"), ("h", "х"), ("c", "ц"), ("w", "в"),
    ("x", "кс"), ("q", "к"), ("j", "дж"),
)  # fmt: skip
_CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        ["a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f",
         "h", "c", "ch", "sh", "sch", "", "y", "", "e", "yu", "ya"],
        strict=True,
    )
)  # fmt: skip
_PLAIN = str.maketrans("ё²³\x00", "е23 ")
_SIZE = re.compile(r"(?<=\d)\s*[xх×*]\s*(?=\d)")
_DECIMAL = re.compile(r"(?<=\d),(?=\d)")
_STUCK = re.compile(r"(?<=\d)(?!x\d)(?=[a-zа-я])")
_TOKEN = re.compile(r"\d+(?:\.\d+)*(?:x\d+(?:\.\d+)*)*|[^\W\d_][^\W_]*")
_ALPHABETS = ("абвгдежзийклмнопрстуфхцчшщъыьэюя", "abcdefghijklmnopqrstuvwxyz")
_ALIKE = {
    frozenset(pair)
    for pair in ("оа", "еи", "еэ", "ия", "ыи", "бп", "дт", "гк", "вф", "жш", "зс", "шщ", "йи", "тц",
                 "ck", "sz", "iy", "vw", "ei", "ou", "cs", "gk", "bp", "dt", "fv", "xk", "ao", "eo", "цс")
}  # fmt: skip
"""Letters that are mistaken for each other by ear."""
MAX_LENGTH = 200
MAX_WORDS = 12


def normal(text: str) -> str:
    """Lower case, ё as е, sizes as 60x27, decimals with a point, 50кг as 50 кг, single spaces.

    The index is written from the same form (`dictionary.NORMAL`).
    """
    text = text[:MAX_LENGTH].lower().translate(_PLAIN)
    text = _DECIMAL.sub(".", _SIZE.sub("x", text))
    return re.sub(r"\s+", " ", _STUCK.sub(" ", text)).strip()


def tokens(text: str) -> tuple[str, ...]:
    """Words, numbers and sizes of a text; everything else only parts them."""
    return tuple(_TOKEN.findall(normal(text)))


@dataclass(frozen=True, slots=True)
class Chunk:
    """What stands between spaces: as typed, in the letters of the other alphabet, and both on the other layout."""

    typed: tuple[str, ...]
    letters: tuple[str, ...] = ()
    layout: tuple[str, ...] = ()
    layout_letters: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        """Every word of every reading."""
        return (*self.typed, *self.letters, *self.layout, *self.layout_letters)


def chunks(text: str) -> list[Chunk]:
    """The parts of a query with their readings; at most MAX_WORDS."""
    found = [_chunk(part) for part in normal(text).split(" ") if part]
    return [chunk for chunk in found if chunk.forms][:MAX_WORDS]


def _chunk(part: str) -> Chunk:
    own = tokens(part)
    if (own and not any(token[0].isalpha() for token in own)) or not re.search(r"[a-zа-я\[\];'`]", part):
        return Chunk(own)  # numbers and sizes are what they are
    if re.search(r"[а-я]", part):
        other = part.translate(_TO_EN)
        return Chunk(own, tokens(latin(part)), tokens(other), tokens(cyrillic(other)))
    other = part.translate(_TO_RU)
    return Chunk(own, tokens(cyrillic(part)), tokens(other), tokens(latin(other)))


def variants(text: str) -> list[str]:
    """The whole query as typed, on the other keyboard layout, and transliterated; without repeats."""
    base = normal(text)
    found = [base]
    if re.search(r"[a-z\[\];',.`]", base) and not re.search(r"[а-я]", base):
        found += [normal(text.lower().translate(_TO_RU)), normal(cyrillic(base))]
    if re.search(r"[а-я]", base):
        found += [normal(text.lower().translate(_TO_EN)), normal(latin(base))]
    return list(dict.fromkeys(v for v in found if v))


def cyrillic(text: str) -> str:
    """Latin letters as the Cyrillic ones they are usually written for (`shpaklevka` -> `шпаклевка`)."""
    for pair, letter in _LATIN:
        text = text.replace(pair, letter)
    return text


def latin(text: str) -> str:
    """Cyrillic letters as Latin ones (`кнауф` -> `knauf`)."""
    return "".join(_CYRILLIC.get(c, c) for c in text)


def is_word(token: str) -> bool:
    """Whether a token is made of letters alone; only such are corrected."""
    return token.isalpha()


def allowed_distance(word: str) -> float:
    """How many mistakes a word of this length may hold."""
    return 0 if len(word) < 3 else 1 if len(word) < 5 else 2 if len(word) < 9 else 3


def distance(typed: str, known: str, limit: float) -> float:
    """Mistakes between two words: letters added, lost, changed or swapped. Above `limit` any larger number.

    A letter that sounds alike counts 0.7, a doubled one 0.7, a wrong first letter 0.3 more.
    """
    if abs(len(typed) - len(known)) > limit:
        return limit + 1
    before_last: list[float] = []
    last = [float(j) for j in range(len(known) + 1)]
    for i, a in enumerate(typed, start=1):
        row = [float(i)]
        for j, b in enumerate(known, start=1):
            lost = 0.7 if i > 1 and a == typed[i - 2] else 1.0
            added = 0.7 if j > 1 and b == known[j - 2] else 1.0
            changed = 0.0 if a == b else 0.7 if frozenset((a, b)) in _ALIKE else 1.0
            best = min(last[j] + lost, row[j - 1] + added, last[j - 1] + changed)
            if i > 1 and j > 1 and a == known[j - 2] and b == typed[i - 2]:
                best = min(best, before_last[j - 2] + 1)
            row.append(best)
        if min(row) > limit:
            return limit + 1
        before_last, last = last, row
    return last[-1] + (0.3 if typed[0] != known[0] else 0)


def edits(word: str) -> Iterator[str]:
    """Every word one mistake away."""
    letters = _ALPHABETS[0] if re.search(r"[а-я]", word) else _ALPHABETS[1]
    for i in range(len(word) + 1):
        head, tail = word[:i], word[i:]
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in letters)
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        yield from (head + letter + tail for letter in letters)


def nearest(typed: str, known: Iterable[tuple[str, int]]) -> list[tuple[float, str]]:
    """Known words within the allowed distance, nearest first, the more frequent before the rarer.

    Args:
        known: (word, number of products).
    """
    limit = allowed_distance(typed)
    found = [(distance(typed, word, limit), -products, word) for word, products in known]
    return [(far, word) for far, _, word in sorted(found) if far <= limit + 0.3]
