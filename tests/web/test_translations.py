"""Every text that people read has a Russian one, with the same placeholders, in exactly one wording."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app.i18n import ROOT, area_files, merged

METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
KEYWORDS = {
    "_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2), "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2), "lazy_pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
OPTIONS = {"**.html": {"extensions": "jinja2.ext.do", "silent": "false"}, "**.txt": {"silent": "false"}}
FOLDERS = ("app", "workers", "templates")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sdf]|(?<!%)%[sdf]")
CYRILLIC = re.compile(r"[\u0400-\u04ff]")
RUSSIAN_FORMS = 3

Text = str | tuple[str, ...]


def texts_in_code() -> Iterator[tuple[str, Text, str | None]]:
    """(place, msgid or forms, context) of every text marked for translation."""
    for folder in FOLDERS:
        if (ROOT / folder).is_dir():
            found = extract_from_dir(ROOT / folder, METHODS, OPTIONS, KEYWORDS)
            for file, line, text, _comments, context in found:
                if text:
                    yield f"{folder}/{file}:{line}", text, context


@functools.cache
def russian() -> Catalog:
    return merged("ru")


def forms(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """The translation as a tuple: one form, or the plural forms."""
    return (string,) if isinstance(string, str) else tuple(string or ())


def placeholders(text: str) -> set[str]:
    return {found.group(0) for found in PLACEHOLDER.finditer(text)}


def test_every_text_is_translated() -> None:
    missing = []
    for place, text, context in texts_in_code():
        message = russian().get(text, context)
        if message is None or (isinstance(text, tuple) and len(forms(message.string)) != RUSSIAN_FORMS):
            missing.append(f"{place} {text!r}")
    assert not missing, "without Russian:\n" + "\n".join(missing)


def test_placeholders_are_the_same() -> None:
    wrong = []
    for place, text, context in texts_in_code():
        message = russian().get(text, context)
        if message is None:
            continue  # the test above tells
        source = placeholders(text if isinstance(text, str) else text[-1])
        wrong += [f"{place} {text!r} -> {form!r}" for form in forms(message.string) if placeholders(form) != source]
    assert not wrong, "other placeholders:\n" + "\n".join(wrong)


def test_areas_agree_on_a_text() -> None:
    seen: dict[tuple[Text, str | None], tuple[str, tuple[str, ...]]] = {}
    clashes = []
    for path in area_files("ru"):
        with path.open("rb") as file:
            for message in read_po(file, locale="ru"):
                if not message.id:
                    continue
                key = (tuple(message.id) if isinstance(message.id, list | tuple) else message.id, message.context)
                string = forms(message.string)
                first, known = seen.setdefault(key, (path.name, string))
                if known != string:
                    clashes.append(f"{message.id!r}: {known!r} in {first}, {string!r} in {path.name}")
    assert not clashes, "one text, two translations (use pgettext):\n" + "\n".join(clashes)


@pytest.mark.parametrize("path", area_files("ru"), ids=lambda path: path.name)
def test_an_area_file_is_whole(path: Path) -> None:
    with path.open("rb") as file:
        catalog = read_po(file, locale="ru", abort_invalid=True)
    assert catalog.num_plurals == RUSSIAN_FORMS
    assert not [message.id for message in catalog if message.id and message.fuzzy]
    assert not list(catalog.obsolete)


def test_templates_hold_no_russian() -> None:
    """Texts are English in `_()`: Cyrillic in a template would stay Russian on English pages."""
    bare = []
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix not in (".html", ".txt") or path.parent.name == "agreements":
            continue  # an agreement is one document in each language
        text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        bare += [
            f"{path.relative_to(ROOT)}:{n} {line.strip()}"
            for n, line in enumerate(text.splitlines(), 1)
            if CYRILLIC.search(line)
        ]
    assert not bare, "Cyrillic in templates:\n" + "\n".join(bare)
