"""Whatever the facts say in English, a Russian reader reads in Russian."""

from __future__ import annotations

import re

import pytest

from app.estimates import russian
from app.estimates.assemblies import assemblies, sources

LINES = [line for assembly in assemblies().values() for line in assembly.lines]
NAMES = {"masterok", "web", "Knauf", "Shinglas", "CWICR", "DDC", "XPS", "Rotband", "andrew", "OBOI", "RU", "UNIS"}
"""Names of things and of places where figures are kept."""


def english(text: str) -> list[str]:
    """Words of two Latin letters or more that are no names."""
    return [word for word in re.findall(r"[A-Za-z]{2,}", text) if word not in NAMES]


@pytest.mark.parametrize("text", sorted({line.consumption for line in LINES}))
def test_norms(text: str) -> None:
    assert english(russian.norm(text)) == []


@pytest.mark.parametrize("text", sorted({line.note for line in LINES if line.note}))
def test_notes(text: str) -> None:
    assert english(russian.note(text)) == []


@pytest.mark.parametrize("key", list(sources()))
def test_titles_of_sources_are_russian(key: str) -> None:
    assert re.search("[а-я]{3}", russian.source(key, sources()[key].title))


def test_units_and_commas_are_written() -> None:
    assert russian.norm("0.3 kg/m2") == "0,3 кг/м²"
    assert russian.norm("2.0 m2/m2") == "2,0 м²/м²"
    assert russian.numbers("min(2.7 ÷ 3, 1)") == "min(2,7 ÷ 3; 1)"
