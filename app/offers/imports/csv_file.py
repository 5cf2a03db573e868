"""CSV: which letters, which delimiter, then rows."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from app.offers.imports.table import BadFile, Grid, Row

SAMPLE_BYTES = 256 * 1024
SAMPLE_ROWS = 40
DELIMITERS = (";", ",", "\t", "|")
LONGEST_FIELD = 64 * 1024
MANY_LINES = 20
"""A cell of more lines than this is a quotation mark that nobody closed."""
_FREQUENT = frozenset("оеаинтсрвлкмдпуыяь")
_LETTERS = frozenset("абвгдежзийклмнопрстуфхцчшщъыьэюяё")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_OLD = ("cp1251", "cp866", "koi8-r", "mac-cyrillic")


def open_csv(content: bytes, recognised: Callable[[Sequence[str]], int]) -> Grid:
    """The file as a grid. `recognised` counts the headings it knows in a row; it settles which delimiter is meant.

    Raises:
        BadFile: `wrong_encoding`, `not_a_price_list`, `csv_broken`.
    """
    encoding = encoding_of(content)
    head = decoded_sample(content, encoding)
    skipped, delimiter = _delimiter_of(head, recognised)
    about = {"encoding": encoding.removesuffix("-sig"), "delimiter": delimiter}

    def rows() -> Iterator[Row]:
        text = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, errors="replace", newline="")
        yield from _rows(text, delimiter, skipped)

    return Grid("csv", rows, about, content.count(b"\n") + 1)


def encoding_of(content: bytes) -> str:
    """By the mark at the beginning, else UTF-8 when it is that, else the old Cyrillic encoding that reads as Russian.

    Raises:
        BadFile: `not_a_price_list` for binary content, `wrong_encoding` when it reads as nonsense.
    """
    for mark, name in _BOMS:
        if content.startswith(mark):
            return name
    sample = content[:SAMPLE_BYTES]
    if sample.count(b"\0") > 0:
        raise BadFile("not_a_price_list")
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return _old_encoding(sample)
    if _is_mojibake(text):
        raise BadFile("wrong_encoding")
    return "utf-8"


def _is_mojibake(text: str) -> bool:
    """UTF-8 that was taken for a single-byte encoding and saved again: every second letter is one of two capitals."""
    letters = [c for c in text[:20_000] if ord(c) > 127 and c.isalpha()]
    return any(sum(letter in pair for letter in letters) > 0.3 * len(letters) > 3 for pair in ("РС", "ÐÑ"))


def _old_encoding(sample: bytes) -> str:
    scored = []
    for name in ("utf-8", *_OLD):
        text = sample.decode(name, errors="replace")
        scored.append((_likeness(text), name))
    best, name = max(scored)
    if best < 0.25:
        raise BadFile("wrong_encoding")
    return name


def _likeness(text: str) -> float:
    """How much the letters beyond ASCII look like Russian, at most 1; capitals within words speak against it."""
    foreign = [c for c in text if ord(c) > 127 and c not in "\u00a0«»№–—²³×·°’“”"]
    if not foreign:
        return 0.0
    good = sum(1.0 if c in _FREQUENT else 0.6 if c in _LETTERS else -1.5 for c in map(str.lower, foreign))
    turned = sum(1 for a, b in pairwise(text) if a.islower() and b.isupper())
    return (good - 3 * turned) / len(foreign)


def decoded_sample(content: bytes, encoding: str) -> str:
    """The beginning of the text."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    return decoder.decode(content[:SAMPLE_BYTES])


def _delimiter_of(text: str, recognised: Callable[[Sequence[str]], int]) -> tuple[int, str]:
    """(lines to skip, delimiter): as Excel's `sep=` line says, else by headings known, then by even rows."""
    first, _, rest = text.partition("\n")
    named = first.strip().strip('"').lower()
    if named.startswith("sep=") and len(named) == 5:
        return 1, named[4]
    best = max(DELIMITERS, key=lambda d: _fit(text, d, recognised))
    if _fit(text, best, recognised)[1] < 2:
        raise BadFile("one_column" if rest.strip() else "file_empty")
    return 0, best


def _fit(text: str, delimiter: str, recognised: Callable[[Sequence[str]], int]) -> tuple[int, int]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) >= SAMPLE_ROWS:
                break
    except csv.Error:
        pass  # told with its row when the rows are read
    widths = sorted(len(row) for row in rows)
    known = max((recognised(row) for row in rows), default=0)
    return known, widths[len(widths) // 2] if widths else 0


def _rows(text: io.TextIOWrapper, delimiter: str, skipped: int) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(text, delimiter=delimiter)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if number <= skipped:
                continue
            marks = {i: "csv_quote" for i, cell in enumerate(cells) if cell.count("\n") > MANY_LINES}
            marks |= {i: "unreadable_letters" for i, cell in enumerate(cells) if "\ufffd" in cell or "\0" in cell}
            yield Row(number, [cell.replace("\0", "\ufffd").strip() for cell in cells], marks)
    except csv.Error as error:
        raise BadFile("csv_broken", row=number + 1) from error
