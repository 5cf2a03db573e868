"""Names of units of sale and of measure, in the language of the reader."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import ngettext

from app.i18n import present_language

COUNTED: dict[str, Callable[[int], str]] = {
    "bag": lambda n: ngettext("bag", "bags", n),
    "bucket": lambda n: ngettext("bucket", "buckets", n),
    "can": lambda n: ngettext("canister", "canisters", n),
    "sheet": lambda n: ngettext("sheet", "sheets", n),
    "roll": lambda n: ngettext("roll", "rolls", n),
    "pack": lambda n: ngettext("pack", "packs", n),
    "pallet": lambda n: ngettext("pallet", "pallets", n),
    "coil": lambda n: ngettext("coil", "coils", n),
    "set": lambda n: ngettext("set", "sets", n),
    "box": lambda n: ngettext("box", "boxes", n),
    "tube": lambda n: ngettext("tube", "tubes", n),
}
"""Units that are counted in words: number to the right form."""

MEASURES: dict[str, Callable[[], str]] = {
    "pcs": lambda: _("pcs"),
    "m": lambda: _("m"),
    "m2": lambda: _("m²"),
    "m3": lambda: _("m³"),
    "t": lambda: _("t"),
    "kg": lambda: _("kg"),
    "g": lambda: _("g"),
    "l": lambda: _("l"),
    "ml": lambda: _("ml"),
    "mm": lambda: _("mm"),
    "cm": lambda: _("cm"),
    "mm2": lambda: _("mm²"),
    "km": lambda: _("km"),
    "kg/m2": lambda: _("kg/m²"),
    "kg/m3": lambda: _("kg/m³"),
    "g/m2": lambda: _("g/m²"),
    "l/m2": lambda: _("l/m²"),
    "m2/l": lambda: _("m²/l"),
    "kg/m2/mm": lambda: _("kg/m² per mm"),
    "W": lambda: _("W"),
    "deg": lambda: _("°"),
    "bricks": lambda: _("bricks"),
    "min": lambda: _("min"),
    "h": lambda: _("h"),
    "%": lambda: "%",
}
"""Units that are written as a symbol after any number."""


def unit_label(code: str, count: int = 1) -> str:
    """Name of a unit after the number `count`; an unknown code is shown as it is."""
    return _label(present_language(), code, count)


@lru_cache(maxsize=4096)
def _label(language: str, code: str, count: int) -> str:
    """`language` is the present one: lists name hundreds of units, and each name is looked up once."""
    if code in COUNTED:
        return COUNTED[code](count)
    return MEASURES[code]() if code in MEASURES else code
