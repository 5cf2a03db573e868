"""Paper: A4 pages with headings, facts, tables that wrap and break over pages, totals, numbered footers.

Words come from the caller, already in the reader's language. The same content and moment give the same bytes.
fpdf brings decoders of pictures with it, so it is loaded with the first document and not with the program.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF

FONTS = Path(__file__).resolve().parents[2] / "static" / "fonts"
FAMILY = "golos"
MARGIN = 15.0
"""Millimetres on each side."""
LINE = 5.0
GREY = (110, 110, 110)
HAIR = (190, 190, 190)
HEAD = (240, 240, 240)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, its share of the width, and whether numbers stand to the right."""

    heading: str
    share: float = 1.0
    right: bool = False


@cache
def _sheet() -> type[FPDF]:
    from fpdf import FPDF

    class Sheet(FPDF):
        """fpdf calls `footer` at the end of each page."""

        footer_text = ""

        def footer(self) -> None:
            self.set_y(-12)
            self.set_font(FAMILY, size=8)
            self.set_text_color(*GREY)
            self.cell(self.epw - 30, 5, self.footer_text)
            self.cell(30, 5, f"{self.page_no()} / {{nb}}", align="R")
            self.set_text_color(0)

    return Sheet


def as_jpeg(picture: bytes, most: int) -> tuple[io.BytesIO, int, int]:
    """A picture as small as paper needs it (`most` pixels on the longer side, on white) with its width and height.

    Only for pictures that a worker of ours has made; what people upload is decoded in a child process.
    """
    from PIL import Image  # decoders: only where a picture is drawn

    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    white.thumbnail((most, most))
    file = io.BytesIO()
    white.save(file, "JPEG", quality=82)
    file.seek(0)
    return file, white.width, white.height


class Document:
    """A document from top to bottom; each call adds below what is there.

    Args:
        title: of the file, shown by readers in their window.
        footer: words at the foot of each page, next to the number of the page.
        at: the moment the file says it was made.
        landscape: wide pages.
    """

    def __init__(self, title: str, *, footer: str = "", at: datetime | None = None, landscape: bool = False) -> None:
        self._pdf = _sheet()(orientation="L" if landscape else "P", format="A4")
        self._pdf.footer_text = footer  # type: ignore[attr-defined]  # of our own sheet
        self._pdf.set_title(title)
        if at is not None:
            self._pdf.set_creation_date(at)
        self._pdf.set_margins(MARGIN, MARGIN, MARGIN)
        self._pdf.set_auto_page_break(True, margin=18)
        self._pdf.add_font(FAMILY, "", FONTS / "golos-regular.ttf")
        self._pdf.add_font(FAMILY, "B", FONTS / "golos-bold.ttf")
        self._pdf.set_font(FAMILY, size=10)
        self._pdf.set_draw_color(*HAIR)
        self._pdf.add_page()

    @property
    def paper(self) -> FPDF:
        """The page itself, for what this layer has no word for (pictures, codes, stamps)."""
        return self._pdf

    def heading(self, text: str, size: float = 15) -> None:
        """A bold line, wrapped."""
        self._write(text, size, bold=True)
        self.space(2)

    def text(self, text: str, size: float = 10, *, bold: bool = False, grey: bool = False, right: bool = False) -> None:
        """A paragraph, wrapped; line breaks are kept."""
        if grey:
            self._pdf.set_text_color(*GREY)
        self._write(text, size, bold=bold, right=right)
        self._pdf.set_text_color(0)

    def space(self, millimetres: float = 3) -> None:
        """Nothing, that high."""
        self._pdf.ln(millimetres)

    def facts(self, rows: Sequence[tuple[str, str]], label_width: float = 45) -> None:
        """Pairs of a grey label and its value; the value wraps beside the label."""
        pdf = self._pdf
        pdf.set_font(FAMILY, size=9.5)
        for label, value in rows:
            lines = max(self._lines(label, label_width), self._lines(value, pdf.epw - label_width))
            self.keep_together(lines * LINE)
            top = pdf.get_y()
            pdf.set_text_color(*GREY)
            pdf.multi_cell(label_width, LINE, label, align="L", new_x="RIGHT", new_y="TOP")
            pdf.set_text_color(0)
            pdf.set_xy(pdf.l_margin + label_width, top)
            pdf.multi_cell(pdf.epw - label_width, LINE, value, align="L", new_x="LMARGIN", new_y="NEXT")
            pdf.set_y(top + lines * LINE)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], size: float = 8.5) -> None:
        """A table; cells wrap, a row is never torn, the headings stand again on each page."""
        from fpdf.fonts import FontFace

        pdf = self._pdf
        pdf.set_font(FAMILY, size=size)
        with pdf.table(
            col_widths=tuple(c.share for c in columns),
            text_align=tuple("RIGHT" if c.right else "LEFT" for c in columns),
            borders_layout="HORIZONTAL_LINES",
            headings_style=FontFace(emphasis="BOLD", fill_color=HEAD),
            line_height=size * 0.5,
            padding=1.2,
            v_align="TOP",
        ) as table:
            for cells in ([c.heading for c in columns], *rows):
                row = table.row()
                for cell in cells:
                    row.cell(cell)
        self.space()

    def totals(self, rows: Sequence[tuple[str, str]], *, strong: int = 1) -> None:
        """Sums at the right edge, kept on one page; the last `strong` rows are bold."""
        pdf = self._pdf
        self.keep_together(len(rows) * (LINE + 1))
        for index, (label, value) in enumerate(rows):
            pdf.set_font(FAMILY, "B" if index >= len(rows) - strong else "", 10)
            pdf.cell(pdf.epw - 40, LINE + 1, label, align="R")
            pdf.cell(40, LINE + 1, value, align="R", new_x="LMARGIN", new_y="NEXT")
        pdf.set_font(FAMILY, size=10)

    def keep_together(self, millimetres: float) -> None:
        """Begin a new page when there is less room than this on the present one."""
        if self._pdf.will_page_break(millimetres):
            self._pdf.add_page()

    def signature(self, who: str, name: str = "") -> None:
        """A line to sign on."""
        self.keep_together(14)
        self.space(8)
        pdf = self._pdf
        pdf.set_font(FAMILY, size=10)
        pdf.cell(60, LINE, who)
        pdf.cell(60, LINE, "", border="B")
        pdf.cell(0, LINE, f"  {name}", new_x="LMARGIN", new_y="NEXT")

    def output(self) -> bytes:
        """The file."""
        return bytes(self._pdf.output())

    def _write(self, text: str, size: float, *, bold: bool = False, right: bool = False) -> None:
        pdf = self._pdf
        pdf.set_font(FAMILY, "B" if bold else "", size)
        pdf.multi_cell(0, size * 0.5, text, align="R" if right else "L", new_x="LMARGIN", new_y="NEXT")
        pdf.set_font(FAMILY, size=10)

    def _lines(self, text: str, width: float) -> int:
        height = self._pdf.multi_cell(width, LINE, text, align="L", dry_run=True, output="HEIGHT")
        return max(1, round(float(height) / LINE))  # type: ignore[arg-type]  # HEIGHT alone gives a float
