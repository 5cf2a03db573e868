"""The taxonomy as typed rows, and the constraints that assemblies put on products of a leaf."""

from __future__ import annotations

import csv
import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A property of a leaf; `values` may be empty (free text)."""

    key: str
    ru: str
    en: str
    kind: str
    unit: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SaleUnit:
    """How a leaf is sold: `content` of `content_unit` in one unit; mass, volume and price range (kopeks) per unit."""

    unit: str
    content: Fraction
    content_unit: str
    weight_kg: Fraction
    volume_m3: Fraction
    price_low: int
    price_high: int

    def resized(self, content: Fraction) -> SaleUnit:
        """The same goods in a pack of another size."""
        k = content / self.content
        return SaleUnit(
            self.unit, content, self.content_unit, self.weight_kg * k, self.volume_m3 * k,
            round(self.price_low * k), round(self.price_high * k),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leaf:
    """A category that products stand in."""

    id: str
    ru: str
    en: str
    noun_ru: str
    noun_en: str
    drawing: str
    attributes: tuple[Attribute, ...]
    sale_units: tuple[SaleUnit, ...]
    brands: tuple[str, ...]
    synonyms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A branch of the tree."""

    id: str
    ru: str
    en: str
    children: tuple[Node | Leaf, ...]


def exact(value: Any) -> Fraction:
    """A YAML number as the decimal it was written as."""
    return Fraction(str(value))


@functools.cache
def tree() -> tuple[Node, ...]:
    """The 18 top categories with everything below."""
    with (DATA / "taxonomy.yaml").open(encoding="utf-8") as file:
        raw = yaml.load(file, Loader=yaml.CSafeLoader)
    with (DATA / "nouns.csv").open(encoding="utf-8") as file:
        nouns = {row["leaf"]: row for row in csv.DictReader(file)}
    return tuple(
        Node(top["id"], top["ru"], top["en"],
             tuple(Node(mid["id"], mid["ru"], mid["en"],
                        tuple(_leaf(leaf, nouns[leaf["id"]]) for leaf in mid["leaves"]))
                   for mid in top["children"]))
        for top in raw["categories"]
    )  # fmt: skip


def _leaf(raw: dict[str, Any], noun: dict[str, str]) -> Leaf:
    return Leaf(
        raw["id"], raw["ru"], raw["en"], noun["ru"], noun["en"], noun["drawing"],
        tuple(_attribute(a) for a in raw["attributes"]),
        tuple(_sale_unit(u) for u in raw["sale_units"]),
        tuple(raw.get("brands") or ("Без марки",)),
        tuple(raw.get("synonyms_ru") or ()),
    )  # fmt: skip


def _attribute(raw: dict[str, Any]) -> Attribute:
    values = tuple(_text(v) for v in raw.get("values") or ())
    return Attribute(raw["key"], raw["ru"], raw["en"], raw["type"], raw.get("unit") or "", values)


def _text(value: Any) -> str:
    return ("да" if value else "нет") if isinstance(value, bool) else str(value)


def _sale_unit(raw: dict[str, Any]) -> SaleUnit:
    low, high = (round(exact(p) * 100) for p in raw["price_rub"])
    return SaleUnit(raw["unit"], exact(raw["content"]), raw["content_unit"], exact(raw["weight_kg"]),
                    exact(raw["volume_m3"]), low, high)  # fmt: skip


def leaves() -> Iterator[Leaf]:
    """All leaves in the order of the tree."""
    for top in tree():
        for mid in top.children:
            assert isinstance(mid, Node)
            for leaf in mid.children:
                assert isinstance(leaf, Leaf)
                yield leaf


@dataclass(frozen=True, slots=True)
class Wanted:
    """A product that some assembly needs: values of attributes, and the pack its norm counts in."""

    spec: tuple[tuple[str, str], ...]
    unit: str
    content: Fraction | None
    content_unit: str


def wanted(lines: list[dict[str, Any]], options: dict[str, tuple[str, ...]]) -> set[Wanted]:
    """What the lines of one assembly need, for every option of its inputs.

    Args:
        lines: material lines with `spec` and `sold` of one leaf.
        options: input key -> its options, for spec values that name an input.
    """
    found = set()
    for line in lines:
        spec = line.get("spec") or {}
        choices = [[(key, v) for v in options.get(str(value), (_text(value),))] for key, value in spec.items()]
        content = line["sold"]["content"]
        pack = exact(content) if isinstance(content, int | float) else None
        for combination in itertools.product(*choices):
            found.add(Wanted(tuple(combination), line["sold"]["unit"], pack, line["sold"]["content_unit"]))
    return found
