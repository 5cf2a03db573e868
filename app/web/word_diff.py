"""Two texts word by word: what stays, what goes and what comes."""

from __future__ import annotations

import difflib
import re

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
MOST = 4000
"""Words up to which texts are compared; longer ones are shown as replaced whole."""


def word_diff(old: str, new: str) -> list[tuple[str, str]]:
    """(`same` | `del` | `ins`, text) pieces in their order."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if len(before) + len(after) > MOST:
        return [pair for pair in (("del", old), ("ins", new)) if pair[1]]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    found: list[tuple[str, str]] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            found.append(("same", "".join(before[a:b])))
            continue
        found += [piece for piece in (("del", "".join(before[a:b])), ("ins", "".join(after[c:d]))) if piece[1]]
    return found
