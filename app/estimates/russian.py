"""Facts of assemblies for Russian readers: norms, notes and sources are written in English in the data."""

from __future__ import annotations

import functools
import re
from typing import Any

import yaml

from app.estimates.assemblies import DATA

UNITS = {
    "m2": "м²",
    "m3": "м³",
    "m": "м",
    "kg": "кг",
    "g": "г",
    "t": "т",
    "l": "л",
    "pcs": "шт",
    "mm": "мм",
    "cm": "см",
}
_UNIT = re.compile(rf"\b({'|'.join(UNITS)})\b")


@functools.cache
def _texts() -> dict[str, dict[str, str]]:
    with (DATA / "russian.yaml").open(encoding="utf-8") as file:
        found: dict[str, Any] = yaml.load(file, Loader=yaml.CSafeLoader)
    return found


def norm(text: str) -> str:
    """A norm such as `34 pcs/m2`: looked up when it has words, else its units and decimal commas are written."""
    known = _texts()["norms"].get(text)
    if known is not None:
        return known
    written = _UNIT.sub(lambda found: UNITS[found[1]], text)
    return re.sub(r"(?<=\d)\.(?=\d)", ",", written).replace(" x ", " × ")


def numbers(text: str) -> str:
    """A formula with numbers in it: decimal commas, arguments parted by semicolons."""
    return text.replace(", ", "; ").replace(".", ",")


def note(text: str) -> str:
    """A remark on a line."""
    return _texts()["notes"].get(text, text)


def source(key: str, title: str) -> str:
    """The title of a source; those that are Russian already stay."""
    return _texts()["sources"].get(key, title)
