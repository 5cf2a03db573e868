"""Joins the web cuts of Golos Text into the two TrueType files that documents embed (PDF knows no woff2).

python tools/pdf_fonts.py            write static/fonts/golos-regular.ttf and golos-bold.ttf
"""

from __future__ import annotations

import io
from pathlib import Path

from fontTools.merge import Merger
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

FONTS = Path(__file__).resolve().parent.parent / "static" / "fonts"
CUTS = ("latin", "cyrillic", "rouble", "sakha")
WEIGHTS = {"regular": 400, "bold": 700}
NEEDED = {"cmap", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "name", "OS/2", "post"}
"""What remains: no kerning and no hints, so a letter is as wide as the layout thinks."""


def joined(weight: int) -> TTFont:
    """One font of one weight with the letters of all cuts."""
    parts = []
    for cut in CUTS:
        font = instancer.instantiateVariableFont(TTFont(FONTS / f"golos-{cut}.woff2"), {"wght": weight})
        for table in set(font.keys()) - NEEDED - {"GlyphOrder"}:
            del font[table]
        font.flavor = None
        part = io.BytesIO()
        font.save(part)
        part.seek(0)
        parts.append(part)
    return Merger().merge(parts)


if __name__ == "__main__":
    for style, weight in WEIGHTS.items():
        joined(weight).save(FONTS / f"golos-{style}.ttf")
