"""XLSX: refused before it is opened when it would unpack to too much, then rows of the first sheet that holds any."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from app.offers.imports.table import MAX_COLUMNS, BadFile, Cell, Grid, Row

MAX_ENTRIES = 200
MAX_UNPACKED = 100 * 1024 * 1024
MAX_RATIO = 100
SMALL_ENTRY = 1024 * 1024
"""The ratio of a part smaller than this is nobody's business: a sheet of equal cells packs very well."""
MAX_MERGED = 20_000
CHUNK = 64 * 1024
HEAD_ROWS = 30
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')


def check_archive(content: bytes) -> zipfile.ZipFile:
    """Refuse an archive by the sums of its directory, then by unpacking it piece by piece past no declared size.

    Raises:
        BadFile: `zip_bomb`, `file_broken`, `xml_refused`.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise BadFile("file_broken") from error
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    greedy = any(
        entry.file_size > SMALL_ENTRY and entry.file_size > MAX_RATIO * max(entry.compress_size, 1) for entry in entries
    )
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED or greedy:
        raise BadFile("zip_bomb")
    try:
        _unpack_all(archive)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise BadFile("file_broken") from error
    return archive


def _unpack_all(archive: zipfile.ZipFile) -> None:
    """The reader stops at the declared size and then compares the checksum: a directory that lies is found out.

    No workbook declares entities or a document type: one that does is an attack.
    """
    for entry in archive.infolist():
        with archive.open(entry) as part:
            before = b""
            while piece := part.read(CHUNK):
                if b"<!DOCTYPE" in (text := before + piece) or b"<!ENTITY" in text:
                    raise BadFile("xml_refused")
                before = piece[-16:]


def open_xlsx(content: bytes, recognised: Callable[[Sequence[str]], int]) -> Grid:
    """The first visible sheet whose beginning holds known headings, else the first with two columns.

    Raises:
        BadFile: `zip_bomb`, `file_broken`, `not_a_price_list`, `file_empty`, `too_many_columns`.
    """
    archive = check_archive(content)
    if "[Content_Types].xml" not in archive.namelist():
        raise BadFile("not_a_price_list")
    book = _opened(content)
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    scored = [(_score(sheet, recognised), -place, sheet) for place, sheet in enumerate(sheets)]
    best = max(scored, key=lambda one: one[:2], default=None)
    if best is None or best[0] == (0, 0):
        raise BadFile("file_empty")
    sheet = best[2]
    covered = _covered(archive, sheet)
    title, expected = str(sheet.title), int(sheet.max_row or 0)
    book.close()

    def rows() -> Iterator[Row]:
        again = _opened(content)
        try:
            yield from _rows(again[title], covered)
        finally:
            again.close()

    return Grid("xlsx", rows, {"sheet": title}, expected)


def _opened(content: bytes) -> Any:
    import openpyxl  # 10 MB: only where a workbook is read

    try:
        return openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # whatever a library stumbles over in a strange file, the file is at fault
        raise BadFile("file_broken") from error


def _score(sheet: Any, recognised: Callable[[Sequence[str]], int]) -> tuple[int, int]:
    """(headings known, columns) of the beginning of a sheet."""
    known, width = 0, 0
    for row in _rows(sheet, {}, last=HEAD_ROWS):
        filled = [str(cell) for cell in row.cells if cell != ""]
        known = max(known, recognised(filled))
        width = max(width, len(filled))
    return known, width


def _rows(sheet: Any, covered: dict[int, dict[int, str]], last: int | None = None) -> Iterator[Row]:
    if not hasattr(sheet, "reset_dimensions"):
        raise BadFile("not_a_price_list")  # a sheet of charts only
    sheet.reset_dimensions()  # the size a file states of itself may be a lie
    try:
        for number, values in enumerate(sheet.iter_rows(values_only=True, max_row=last), start=1):
            if len(values) > MAX_COLUMNS and any(value is not None for value in values[MAX_COLUMNS:]):
                raise BadFile("too_many_columns", maximum=MAX_COLUMNS)
            cells, marks = _read(values[:MAX_COLUMNS])
            yield Row(number, cells, marks | covered.get(number, {}))
    except BadFile:
        raise
    except Exception as error:  # see _opened
        raise BadFile("file_broken") from error


def _read(values: Sequence[Any]) -> tuple[list[Cell], dict[int, str]]:
    cells: list[Cell] = []
    marks: dict[int, str] = {}
    for place, value in enumerate(values):
        if value is None:
            cells.append("")
        elif isinstance(value, bool):
            cells.append("1" if value else "0")
        elif isinstance(value, int | float):
            cells.append(value if value == value and abs(value) < 1e300 else "")
        elif isinstance(value, datetime | date | time | timedelta):
            cells.append(str(value))
            marks[place] = "cell_is_date"
        else:
            text = str(value).replace("\0", "").strip()
            if text.startswith("#") and text.rstrip("!?") in _ERRORS:
                marks[place] = "cell_error"
            cells.append(text)
    return cells, marks


_ERRORS = frozenset({"#N/A", "#REF", "#VALUE", "#DIV/0", "#NAME", "#NUM", "#NULL"})


def _covered(archive: zipfile.ZipFile, sheet: Any) -> dict[int, dict[int, str]]:
    """Row -> columns that lie under a cell merged over several rows: only its first row has the value."""
    from openpyxl.utils.cell import range_boundaries

    found: dict[int, dict[int, str]] = {}
    for reference in _merged(archive, str(getattr(sheet, "_worksheet_path", "")).lstrip("/")):
        left, top, right, bottom = range_boundaries(reference)
        if bottom - top > MAX_MERGED:
            raise BadFile("merged_column")
        for number in range(top + 1, bottom + 1):
            found.setdefault(number, {}).update(
                {column - 1: "merged_cells" for column in range(left, min(right, MAX_COLUMNS) + 1)}
            )
    return found


def _merged(archive: zipfile.ZipFile, path: str) -> list[str]:
    """References of merged areas: the reader of rows does not tell them, so the part is looked through."""
    if path not in archive.namelist():
        return []
    found: list[str] = []
    left = b""
    with archive.open(path) as part:
        while piece := part.read(CHUNK):
            text = left + piece
            cut = max(text.rfind(b">"), 0)
            found += [reference.decode() for reference in _MERGED.findall(text[: cut + 1])]
            left = text[cut + 1 :]
            if len(found) > MAX_MERGED:
                raise BadFile("merged_column")
    return found
