"""What people type is put into the forms it may have meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog import words


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Щётка", "щетка"),
        ("профиль 60х27", "профиль 60x27"),
        ("профиль 60*27", "профиль 60x27"),
        ("профиль 60 × 27", "профиль 60x27"),
        ("саморез 3,5х25", "саморез 3.5x25"),
        ("блок 600x300x200", "блок 600x300x200"),
        ("  клей   25  кг ", "клей 25 кг"),
    ],
)
def test_spellings_come_to_one_form(typed: str, meant: str) -> None:
    assert words.normal(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wtvtyn", "цемент"),
        ("rbhgbx", "кирпич"),
        ("лтфга", "knauf"),
        ("shpaklevka", "шпаклевка"),
        ("кнауф", "knauf"),
        ("церезит", "cerezit"),
    ],
)
def test_the_other_layout_and_other_letters_are_tried(typed: str, meant: str) -> None:
    assert meant in words.variants(typed)


def test_what_was_typed_is_tried_first() -> None:
    assert words.variants("Цемент")[0] == "цемент"


def test_nothing_makes_no_variants() -> None:
    assert words.variants("   ") == []


@given(st.text(max_size=300))
def test_any_text_is_survived_and_bounded(text: str) -> None:
    found = words.variants(text)
    assert len(found) == len(set(found)) <= 3
    assert all("\x00" not in form for form in found)
    once = words.normal(text)
    assert words.normal(once) == once
