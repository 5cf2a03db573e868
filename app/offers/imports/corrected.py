"""The rows to be mended as a file of the same kind, with the row number and what is wrong in columns of their own."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from app.offers.imports.columns import is_added
from app.offers.imports.table import Cell

RISKY = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is a formula to a spreadsheet."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Corrected:
    """A file to be sent to a person."""

    content: bytes
    extension: str
    content_type: str


def safe_text(cell: Cell) -> str:
    """A cell that no spreadsheet will calculate."""
    text = str(cell)
    return f"'{text}" if text.startswith(RISKY) else text


_Lines = Iterable[tuple[int, Sequence[Cell], str]]
"""(row number, cells, what is wrong)."""


def write(about: dict[str, Any], headers: Sequence[Cell], added: tuple[str, str], rows: _Lines) -> Corrected:
    """Rows of (number, cells, sentence) in the format, letters and delimiter of the file they came in."""
    kept = [place for place, heading in enumerate(headers) if not is_added(heading)]
    names = [headers[place] for place in kept]
    lines = (
        (number, [cells[place] if place < len(cells) else "" for place in kept], text) for number, cells, text in rows
    )
    writer = {"xlsx": _xlsx, "yml": _yml}.get(str(about.get("format")), _csv)
    return writer(about, names, added, lines)


def _csv(about: dict[str, Any], names: Sequence[Cell], added: tuple[str, str], lines: _Lines) -> Corrected:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=about.get("delimiter", ";"), lineterminator="\r\n")
    writer.writerow([*(safe_text(name) for name in names), *added])
    for number, cells, sentence in lines:
        writer.writerow([*(safe_text(cell) for cell in cells), number, sentence])
    return Corrected(_encoded(text.getvalue(), str(about.get("encoding", "utf-8"))), "csv", "text/csv")


def _encoded(text: str, encoding: str) -> bytes:
    """In the letters of the file that came; in UTF-8 when they cannot say it. Old encodings have no sign of roubles."""
    if encoding == "utf-8":
        return text.encode("utf-8-sig")
    try:
        return text.replace("₽", "руб.").encode(encoding)
    except UnicodeEncodeError:
        return text.encode("utf-8-sig")


def _xlsx(about: dict[str, Any], names: Sequence[Cell], added: tuple[str, str], lines: _Lines) -> Corrected:
    from openpyxl import Workbook  # 10 MB: only where a workbook is written

    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\']", " ", str(about.get("sheet", "")))[:31] or "Sheet")
    sheet.append([_typed(sheet, cell) for cell in [*names, *added]])
    for number, cells, sentence in lines:
        sheet.append([_typed(sheet, cell) for cell in [*cells, number, sentence]])
    out = io.BytesIO()
    book.save(out)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return Corrected(out.getvalue(), "xlsx", kind)


def _typed(sheet: Any, value: Cell) -> Any:
    """Text is typed as text, so that nothing that looks like a formula becomes one."""
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, int | float):
        return value
    cell = WriteOnlyCell(sheet, value=_UNPRINTABLE.sub("", value))
    cell.data_type = "s"
    return cell


def _yml(_about: dict[str, Any], names: Sequence[Cell], added: tuple[str, str], lines: _Lines) -> Corrected:
    out = ['<?xml version="1.0" encoding="UTF-8"?>', "<yml_catalog><shop><offers>"]
    for number, cells, sentence in lines:
        fields = {str(name): _UNPRINTABLE.sub("", str(cell)) for name, cell in zip(names, cells, strict=True)}
        attributes = f"id={quoteattr(fields.pop('id', ''))}"
        if fields.get("available"):
            attributes += f" available={quoteattr(fields.pop('available'))}"
        out.append(f"<offer {attributes}>")
        out += [_element(name, text) for name, text in fields.items() if text and name != "available"]
        out += [f"<param name={quoteattr(added[0])}>{number}</param>", f"<param name={quoteattr(added[1])}>"
                f"{escape(sentence)}</param>", "</offer>"]  # fmt: skip
    out.append("</offers></shop></yml_catalog>")
    return Corrected("\n".join(out).encode(), "yml", "application/xml")


def _element(name: str, text: str) -> str:
    if name.startswith("param: "):
        return f"<param name={quoteattr(name.removeprefix('param: '))}>{escape(text)}</param>"
    tag = "categoryId" if name == "category" else name
    return f"<{tag}>{escape(text)}</{tag}>"
