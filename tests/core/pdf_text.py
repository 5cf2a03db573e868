"""Reads the words of a PDF that fpdf2 wrote: page by page, through the maps of its fonts."""

from __future__ import annotations

import re
import zlib

_OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, pieces joined by blanks."""
    objects = {int(key): body.partition(b"\nstream\n") for key, body in _OBJECT.findall(pdf)}
    streams = {
        key: zlib.decompress(body.removesuffix(b"\nendstream")) if b"FlateDecode" in head else body
        for key, (head, mark, body) in objects.items()
        if mark
    }
    fonts = {
        name: _letters(streams[int(found[1])])
        for name, key in set(re.findall(rb"/(F\d+) (\d+) 0 R", pdf))
        if (found := re.search(rb"/ToUnicode (\d+) 0 R", objects[int(key)][0]))
    }
    contents = re.findall(rb"/Contents (\d+) 0 R", pdf)
    return [_words(streams[int(key)], fonts) for key in contents]


def _letters(cmap: bytes) -> dict[int, str]:
    pairs = re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>\n", cmap)
    return {int(code, 16): bytes.fromhex(letter.decode()).decode("utf-16-be") for code, letter in pairs}


def _words(content: bytes, fonts: dict[bytes, dict[int, str]]) -> str:
    found = []
    font: dict[int, str] = {}
    for name, shown in re.findall(rb"/(F\d+) [\d.]+ Tf|(\((?:\\.|[^\\)])*\)|\[.*?\] ?TJ)", content, re.DOTALL):
        if name:
            font = fonts[name]
        else:
            parts = re.findall(rb"\(((?:\\.|[^\\)])*)\)", shown, re.DOTALL)
            raw = re.sub(rb"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), b"".join(parts), flags=re.DOTALL)
            found.append("".join(font.get(int.from_bytes(raw[i : i + 2], "big"), "?") for i in range(0, len(raw), 2)))
    return " ".join(found)
