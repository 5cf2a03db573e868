"""A price list as rows of cells, whatever file it came in, and the limits that every file is held to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import DomainError

Cell = str | int | float
"""An empty cell is the empty text; numbers come from spreadsheets only."""

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL = 5_000


class BadFile(DomainError):
    """The file as a whole cannot be taken; the code says why."""

    status = 422


@dataclass(frozen=True, slots=True)
class Row:
    """A row under the number a person sees in the file. `marks`: column -> code of what is wrong with its cell."""

    number: int
    cells: list[Cell]
    marks: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grid:
    """A file that can be read from the beginning as often as needed. `about` tells people what it was taken for."""

    format: str
    rows: Callable[[], Iterator[Row]]
    about: dict[str, Any]
    expected_rows: int
    """For showing progress only."""


def trimmed(cells: list[Cell]) -> list[Cell]:
    """The cells without empty ones at the end.

    Raises:
        BadFile: `too_many_columns`.
    """
    end = len(cells)
    while end and cells[end - 1] == "":
        end -= 1
    if end > MAX_COLUMNS:
        raise BadFile("too_many_columns", maximum=MAX_COLUMNS)
    return cells[:end]


def within_limits(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows that hold anything, as long as there are not too many.

    Raises:
        BadFile: `too_many_rows`, `too_many_columns`.
    """
    held = 0
    for row in rows:
        cells = trimmed(row.cells)
        if not cells:
            continue
        held += 1
        if held > MAX_ROWS:
            raise BadFile("too_many_rows", maximum=MAX_ROWS)
        yield Row(row.number, cells, row.marks)
