"""Takes a file for what it is, whatever its name says, and finds the row of headings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from app.offers.imports.columns import is_added, recognised
from app.offers.imports.csv_file import open_csv
from app.offers.imports.table import MAX_BYTES, BadFile, Cell, Grid, Row, within_limits
from app.offers.imports.xlsx_file import open_xlsx
from app.offers.imports.yml_file import open_yml

HEADINGS_WITHIN = 30
SAMPLES = 20
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_FOREIGN = (b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf")


@dataclass(frozen=True, slots=True)
class PriceList:
    """A file with its headings; `rows` gives what stands below them."""

    grid: Grid
    header_row: int
    headings: tuple[Cell, ...]
    samples: tuple[tuple[Cell, ...], ...]

    @property
    def is_correction(self) -> bool:
        """It is a file of errors that came back."""
        return any(is_added(heading) for heading in self.headings)

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Rows below the headings and below row `after`."""
        start = max(self.header_row, after)
        return (row for row in within_limits(self.grid.rows()) if row.number > start)


def open_file(content: bytes) -> PriceList:
    """Read as far as the headings.

    Raises:
        BadFile: it is empty, too large, no price list, broken or hostile; the code says which.
    """
    if not content.strip():
        raise BadFile("file_empty")
    if len(content) > MAX_BYTES:
        raise BadFile("file_too_large", maximum=MAX_BYTES // 1024 // 1024)
    grid = _opened(content)
    first = list(islice(within_limits(grid.rows()), HEADINGS_WITHIN + SAMPLES))
    if len(first) < 2:
        raise BadFile("file_empty")
    head = _headings_of(first[:HEADINGS_WITHIN])
    below = [row for row in first if row.number > head.number]
    if not below:
        raise BadFile("file_empty")
    return PriceList(grid, head.number, tuple(head.cells), tuple(tuple(row.cells) for row in below[:SAMPLES]))


def _opened(content: bytes) -> Grid:
    if content.startswith(_ZIP):
        return open_xlsx(content, recognised)
    if content.startswith(_OLE):
        raise BadFile("xls_old")
    if content.startswith(_FOREIGN):
        raise BadFile("not_a_price_list")
    beginning = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if beginning.startswith((b"<?xml", b"<yml_catalog", b"<!doctype yml")):
        return open_yml(content)
    if beginning.startswith((b"<!doctype html", b"<html")):
        raise BadFile("web_page")
    return open_csv(content, recognised)


def _headings_of(rows: list[Row]) -> Row:
    """The row that names most fields; the first with two filled cells when none names any."""
    best = max(rows, key=lambda row: (recognised(row.cells), -row.number))
    if recognised(best.cells):
        return best
    return next((row for row in rows if sum(cell != "" for cell in row.cells) > 1), rows[0])
