"""How changes of cards are worded: names of what changes, values as a person reads them, words that differ."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app.catalog import media_queries
from app.catalog import queries as catalog
from app.catalog.media_queries import DeskPicture
from app.catalog.queries import AttributeRow, CategoryNode
from app.offers import card_changes
from app.offers.card_changes import Item
from app.offers.change_queries import ChangeRow
from app.texts import cards as texts
from app.web.filters import language
from app.web.unit_texts import unit_label
from app.web.word_diff import word_diff


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a change says, in words. `pieces`: the text it was sent over beside the wanted one, by words."""

    name: str
    label: str
    state: str
    base: str
    now: str
    wanted: str
    pieces: tuple[tuple[str, str], ...]
    pictures: Mapping[str, Sequence[DeskPicture]] | None = None
    """Photographs: those of `base`, `now` and `wanted`, in order."""


class Words:
    """Names for the cards of one page: sections, attributes of the sections that are shown, photographs."""

    def __init__(
        self, category_ids: Iterable[int], slugs: Iterable[str] = (), images: Iterable[str] = ()
    ) -> None:  # fmt: skip
        ids_of_images = [uuid.UUID(one) for one in images]
        self.pictures = media_queries.pictures_by_id(ids_of_images) if ids_of_images else {}
        self.tree = catalog.tree(current_app.extensions["cache"])
        named = (catalog.node_by_slug(self.tree, slug) for slug in slugs)
        ids = {*category_ids, *(node.id for node in named if node)}
        self.attributes: dict[str, AttributeRow] = {row.key: row for row in catalog.attributes(sorted(ids))}

    def section(self, slug: str) -> str:
        """The name of a section."""
        node = catalog.node_by_slug(self.tree, slug)
        return node.name(language()) if node else slug

    def label(self, part: str, key: str) -> str:
        """What is changed."""
        if part == "attributes":
            row = self.attributes.get(key)
            if row is None:
                return key
            return f"{row.name(language())}, {unit_label(row.unit)}" if row.unit else row.name(language())
        return str(texts.LABELS.get(key or part, key or part))

    def value(self, part: str, key: str, value: Any) -> str:
        """A value as a person reads it."""
        if part == "units":
            return "; ".join(unit_text(unit) for unit in value or ())
        if part == "fields" and key == "category":
            return self.section(str(value or ""))
        if part == "fields" and key == "hidden":
            return str(_("yes") if value else _("no"))
        if isinstance(value, list):
            return ", ".join(map(str, value))
        return str(value or "")

    def line(self, item: Item) -> Line:
        """An item in words."""
        if item.part == "images":
            return self._pictures(item)
        base, now, wanted = (self.value(item.part, item.key, v) for v in (item.base, item.now, item.wanted))
        pieces = tuple(word_diff(now, wanted))
        return Line(item.name, self.label(item.part, item.key), item.state, base, now, wanted, pieces)

    def _pictures(self, item: Item) -> Line:
        ids = {"base": item.base, "now": item.now, "wanted": item.wanted}
        missing = {uuid.UUID(one) for said in ids.values() for one in said or ()} - self.pictures.keys()
        if missing:  # the card shows others by now
            self.pictures |= media_queries.pictures_by_id(sorted(missing))
        found = {
            which: [self.pictures[key] for one in said or () if (key := uuid.UUID(one)) in self.pictures]
            for which, said in ids.items()
        }
        return Line(item.name, self.label(item.part, item.key), item.state, "", "", "", (), found)

    def seen(self, row: ChangeRow) -> str:
        """Stands for exactly what a change says; sent back with the decision on it."""
        return card_changes.seen(row.payload, self.pictures)

    def facts(self, card: Mapping[str, Any]) -> list[tuple[str, str]]:
        """A proposed card as names and values."""
        said = [("fields", k, v) for k, v in card["fields"].items() if not k.startswith("name_") and v not in ("", "0")]
        said += [("attributes", k, v) for k, v in card["attributes"].items()]
        said.append(("units", "", card["units"]))
        return [(self.label(part, key), self.value(part, key, value)) for part, key, value in said]


def unit_text(unit: Mapping[str, Any]) -> str:
    """A unit in a line: how many base units, step and least quantity where they are not 1, barcode."""
    factor = str(unit["factor"]).removesuffix("/1")
    found = [f"{unit_label(unit['code'])} = {factor}"]
    if unit["step"] != "1" or unit["minimum"] != "1":
        found.append(str(_("step %(step)s, from %(minimum)s", step=unit["step"], minimum=unit["minimum"])))
    if not unit["sold"]:
        found.append(str(_("not sold in it")))
    if unit["content"]:
        found.append(str(_("prices are compared in it")))
    return ", ".join(found + ([str(unit["barcode"])] if unit["barcode"] else []))


def words_for(rows: Sequence[ChangeRow]) -> Words:
    """Names for a list of changes: one query, whatever their number."""
    places = {row.category_id for row in rows if row.category_id is not None}
    slugs = {str(fields.get("category", "")) for row in rows if (fields := _fields(row))}
    return Words(places, slugs - {""}, images_of(rows))


def images_of(rows: Sequence[ChangeRow]) -> set[str]:
    """Ids of the photographs that edits name, or that their cards showed when they were sent."""
    return {one for row in rows for said in (row.payload, row.base) for one in said.get("images") or ()}


def _fields(row: ChangeRow) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (row.card if row.is_new else row.payload).get("fields", {})
    return found


def leaves(nodes: Sequence[CategoryNode], above: str = "") -> list[tuple[str, str]]:
    """(slug, names from the root) of the sections that products stand in."""
    found = []
    for node in nodes:
        name = f"{above} / {node.name(language())}" if above else node.name(language())
        found += leaves(node.children, name) if node.children else [(node.slug, name)]
    return found


def guess(said: str, options: Sequence[tuple[str, str]]) -> str:
    """The leaf whose name is what the seller called the section; empty when none is."""
    wanted = said.rsplit("/", 1)[-1].strip().lower()
    return next((slug for slug, name in options if wanted and name.rsplit(" / ", 1)[-1].lower() == wanted), "")
