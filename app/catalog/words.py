"""What people type, put into the forms it may have meant. Pure."""

from __future__ import annotations

import re

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
_SIZE = re.compile(r"(?<=\d)\s*[xх×*]\s*(?=\d)")
_DECIMAL = re.compile(r"(?<=\d),(?=\d)")
MAX_LENGTH = 200


def normal(text: str) -> str:
    """Lower case, ё as е, sizes as 60x27, decimals with a point, single spaces. The SQL of `search` does the same."""
    text = text[:MAX_LENGTH].lower().replace("ё", "е").replace("\x00", "")
    text = _SIZE.sub("x", text)
    return re.sub(r"\s+", " ", _DECIMAL.sub(".", text)).strip()


def variants(text: str) -> list[str]:
    """The query as typed, then as typed on the other keyboard layout, then transliterated; without repeats."""
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
