"""Reads a QR code (ISO/IEC 18004, byte mode, level M, no damage) back from the black squares of a PDF page."""

from __future__ import annotations

import re
import zlib
from collections import Counter

from segno import consts

_MASKS = (
    lambda r, c: (r + c) % 2 == 0, lambda r, c: r % 2 == 0, lambda r, c: c % 3 == 0, lambda r, c: (r + c) % 3 == 0,
    lambda r, c: (r // 2 + c // 3) % 2 == 0, lambda r, c: r * c % 2 + r * c % 3 == 0,
    lambda r, c: (r * c % 2 + r * c % 3) % 2 == 0, lambda r, c: ((r + c) % 2 + r * c % 3) % 2 == 0,
)  # fmt: skip


def squares_of(pdf: bytes) -> list[list[int]]:
    """The modules of the one code in a file, without its light border."""
    streams = [zlib.decompress(s) for s in re.findall(rb"FlateDecode.*?stream\n(.*?)\nendstream", pdf, re.DOTALL)]
    content = next(s for s in streams if b" re f" in s and b"BT" in s)
    found = [tuple(map(float, m)) for m in re.findall(rb"([\d.-]+) ([\d.-]+) ([\d.-]+) ([\d.-]+) re f\n", content)]
    side = Counter(round(w, 2) for _x, _y, w, h in found if round(w, 2) == round(abs(h), 2)).most_common(1)[0][0]
    dark = [(x, y) for x, y, w, _h in found if round(w, 2) == side]
    left, top = min(x for x, _ in dark), max(y for _, y in dark)
    places = {(round((top - y) / side), round((x - left) / side)) for x, y in dark}
    size = max(c for _, c in places) + 1
    return [[int((r, c) in places) for c in range(size)] for r in range(size)]


def text_of(matrix: list[list[int]]) -> str:
    """The text of the code."""
    size = len(matrix)
    version = (size - 17) // 4
    mask = _MASKS[int("".join(str(matrix[8][c]) for c in (2, 3, 4)), 2) ^ 0b101]
    bits = "".join(str(matrix[r][c] ^ mask(r, c)) for r, c in _path(size, version))
    words = [int(bits[i : i + 8], 2) for i in range(0, len(bits) - 7, 8)]
    data = _joined(words, version)
    stream = "".join(f"{word:08b}" for word in data)
    assert stream[:4] == "0100", "byte mode"
    width = 8 if version < 10 else 16
    length = int(stream[4 : 4 + width], 2)
    body = stream[4 + width : 4 + width + 8 * length]
    return bytes(int(body[i : i + 8], 2) for i in range(0, len(body), 8)).decode("utf-8")


def _path(size: int, version: int) -> list[tuple[int, int]]:
    """Places of data bits, in the order they are written: two columns at a time, up and down, from the right."""
    taken = _function_patterns(size, version)
    found = []
    upward = True
    for right in range(size - 1, 0, -2):
        column = right - 1 if right <= 6 else right
        for row in range(size - 1, -1, -1) if upward else range(size):
            found += [(row, c) for c in (column, column - 1) if (row, c) not in taken]
        upward = not upward
    return found


def _function_patterns(size: int, version: int) -> set[tuple[int, int]]:
    taken = {(r, c) for r in range(9) for c in range(9)}
    taken |= {(r, c) for r in range(9) for c in range(size - 8, size)}
    taken |= {(r, c) for r in range(size - 8, size) for c in range(9)}
    taken |= {(6, c) for c in range(size)} | {(r, 6) for r in range(size)}
    if version >= 7:
        taken |= {(r, c) for r in range(6) for c in range(size - 11, size - 8)}
        taken |= {(r, c) for r in range(size - 11, size - 8) for c in range(6)}
    centres = consts.ALIGNMENT_POS[version - 2] if version > 1 else ()
    corners = {(6, 6), (6, size - 7), (size - 7, 6)}
    for row in centres:
        for column in centres:
            if (row, column) not in corners:
                taken |= {(r, c) for r in range(row - 2, row + 3) for c in range(column - 2, column + 3)}
    return taken


def _joined(words: list[int], version: int) -> list[int]:
    """Data words of all blocks in a row; the words of correction are left aside."""
    sizes = [one.num_data for one in consts.ECC[version][consts.ERROR_LEVEL_M] for _ in range(one.num_blocks)]
    blocks: list[list[int]] = [[] for _ in sizes]
    flow = iter(words)
    for index in range(max(sizes)):
        for block, limit in zip(blocks, sizes, strict=True):
            if index < limit:
                block.append(next(flow))
    return [word for block in blocks for word in block]
