"""Assemblies: what a wall, a screed or a roof is made of. Facts are in data/assemblies.yaml, each with its source."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from app.core.errors import FieldError, Invalid
from app.core.units import NotANumber, parse_decimal
from app.estimates.formula import FormulaError, Value, evaluate, holds, with_numbers

DATA = Path(__file__).parent / "data"
UNCONFIRMED = "s_own"
"""Source of figures that nobody has confirmed yet; they are shown as such."""


@dataclass(frozen=True, slots=True)
class Input:
    """A dimension or choice. Either bounds or options."""

    key: str
    ru: str
    en: str
    unit: str
    default: str
    minimum: Fraction | None
    maximum: Fraction | None
    options: tuple[str, ...]

    def name(self, locale: str) -> str:
        return self.en if locale == "en" else self.ru


@dataclass(frozen=True, slots=True)
class Derived:
    """A value worked out of the inputs: by a formula, or looked up by an option."""

    key: str
    formula: str
    lookup_by: str
    table: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure comes from."""

    id: str
    title: str
    ref: str

    @property
    def is_unconfirmed(self) -> bool:
        return self.id == UNCONFIRMED


@dataclass(frozen=True, slots=True)
class Line:
    """A material of an assembly."""

    id: str
    ru: str
    en: str
    category: str
    formula: str
    unit: str
    waste_pct: Fraction
    sold_unit: str
    sold_content: str
    sold_content_unit: str
    consumption: str
    spec: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]
    include_if: str
    note: str


@dataclass(frozen=True, slots=True)
class Assembly:
    """A piece of work with its inputs and materials."""

    id: str
    ru: str
    en: str
    group: str
    work_unit: str
    inputs: tuple[Input, ...]
    derived: tuple[Derived, ...]
    lines: tuple[Line, ...]
    example: Mapping[str, Any]
    note: str

    def name(self, locale: str) -> str:
        return self.en if locale == "en" else self.ru


@dataclass(frozen=True, slots=True)
class Bundle:
    """Several assemblies from one set of dimensions: `mapping` is assembly -> input -> formula."""

    id: str
    ru: str
    en: str
    inputs: tuple[Input, ...]
    mapping: Mapping[str, Mapping[str, str]]

    def name(self, locale: str) -> str:
        return self.en if locale == "en" else self.ru


@dataclass(frozen=True, slots=True)
class MaterialLine:
    """So much of a material: `base` by the norm, `gross` with waste, both exact, in `unit`."""

    assembly: str
    line: str
    ru: str
    en: str
    category: str
    base: Fraction
    gross: Fraction
    unit: str
    waste_pct: Fraction
    formula: str
    numbers: str
    consumption: str
    spec: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]
    sold_unit: str
    sold_content: Fraction
    note: str


def _exact(value: Any) -> Fraction:
    return Fraction(str(value))


def _text(value: Any) -> str:
    return ("1" if value else "0") if isinstance(value, bool) else str(value)


@functools.cache
def _raw() -> dict[str, Any]:
    with (DATA / "assemblies.yaml").open(encoding="utf-8") as file:
        found: dict[str, Any] = yaml.load(file, Loader=yaml.CSafeLoader)
    return found


@functools.cache
def assemblies() -> dict[str, Assembly]:
    """All assemblies by id, in the order of the data."""
    return {raw["id"]: _assembly(raw) for raw in _raw()["assemblies"]}


@functools.cache
def sources() -> dict[str, Source]:
    """All sources by id."""
    return {key: Source(key, raw["title"], raw.get("ref") or "") for key, raw in _raw()["sources"].items()}


@functools.cache
def bundles() -> dict[str, Bundle]:
    """All bundles by id."""
    with (DATA / "bundles.yaml").open(encoding="utf-8") as file:
        raw = yaml.load(file, Loader=yaml.CSafeLoader)
    return {
        key: Bundle(
            key, b["ru"], b["en"], tuple(_input(i) for i in b["inputs"]),
            {name: {k: str(f) for k, f in given.items()} for name, given in b["uses"].items()},
        )
        for key, b in raw.items()
    }  # fmt: skip


def _assembly(raw: dict[str, Any]) -> Assembly:
    return Assembly(
        raw["id"], raw["name"]["ru"], raw["name"]["en"], raw["group"], raw["work_unit"],
        tuple(_input(i) for i in raw["inputs"]),
        tuple(
            Derived(d["key"], str(d.get("formula", "")), d.get("lookup_by", ""),
                    {_text(k): _exact(v) for k, v in d.get("table", {}).items()})
            for d in raw["derived"]
        ),
        tuple(_line(line) for line in raw["lines"]), raw["example"], raw.get("note") or "",
    )  # fmt: skip


def _input(raw: dict[str, Any]) -> Input:
    return Input(
        raw["key"], raw["ru"], raw["en"], raw["unit"], _text(raw["default"]),
        _exact(raw["min"]) if "min" in raw else None, _exact(raw["max"]) if "max" in raw else None,
        tuple(_text(o) for o in raw.get("options", ())),
    )  # fmt: skip


def _line(raw: dict[str, Any]) -> Line:
    sold = raw["sold"]
    return Line(
        raw["id"], raw["ru"], raw["en"], raw["category"], str(raw["formula"]), raw["unit"], _exact(raw["waste_pct"]),
        sold["unit"], str(sold["content"]), sold["content_unit"], str(raw["consumption"]),
        tuple((k, _text(v)) for k, v in (raw.get("spec") or {}).items()), tuple(raw["source"]),
        str(raw.get("include_if", "")), raw.get("note") or "",
    )  # fmt: skip


def parse_inputs(given: Iterable[Input], raw: Mapping[str, str]) -> dict[str, Value]:
    """Typed inputs as exact values; an input that is left out takes its default.

    Raises:
        Invalid: a FieldError for every wrong field (required, not_a_number, too_many_digits, too_small, too_large,
            unknown_option, unknown_input).
    """
    known = {i.key: i for i in given}
    errors = [FieldError(f"/inputs/{key}", "unknown_input") for key in raw if key not in known]
    values: dict[str, Value] = {}
    for key, item in known.items():
        try:
            values[key] = _parse(item, raw.get(key, item.default))
        except NotANumber as error:
            errors.append(FieldError(f"/inputs/{key}", error.code))
        except Invalid as error:
            errors.extend(error.errors)
    if errors:
        raise Invalid(errors)
    return values


def _parse(item: Input, text: str) -> Value:
    pointer = f"/inputs/{item.key}"
    if item.options:
        return _option(item, text, pointer)
    value = Fraction(parse_decimal(text))
    if item.minimum is not None and value < item.minimum:
        raise Invalid.one(pointer, "too_small", minimum=_plain(item.minimum))
    if item.maximum is not None and value > item.maximum:
        raise Invalid.one(pointer, "too_large", maximum=_plain(item.maximum))
    return value


def _option(item: Input, text: str, pointer: str) -> Value:
    wanted = text.strip()
    for option in item.options:
        try:
            number = Fraction(option)
        except ValueError:
            if option == wanted:
                return option
            continue
        try:
            if Fraction(parse_decimal(wanted)) == number:
                return number
        except NotANumber:
            continue
    raise Invalid.one(pointer, "unknown_option")


def _plain(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"


def derive(assembly: Assembly, inputs: Mapping[str, Value]) -> dict[str, Value]:
    """Inputs and derived values together.

    Raises:
        Invalid: `openings_exceed_area` when the openings leave nothing of the surface, `dimensions_contradict`.
    """
    names: dict[str, Value] = dict(inputs)
    for item in assembly.derived:
        if item.lookup_by:
            names[item.key] = item.table[_lookup_key(names[item.lookup_by])]
            continue
        value = _evaluated(item.formula, names)
        if "openings" in item.formula and value <= 0:
            raise Invalid.one("/inputs/openings", "openings_exceed_area")
        names[item.key] = value
    return names


def _evaluated(formula: str, names: Mapping[str, Value]) -> Fraction:
    try:
        return evaluate(formula, names)
    except FormulaError as error:  # e.g. a strip of wallpaper longer than the roll: divided by no strips at all
        raise Invalid.one("/inputs", "dimensions_contradict") from error


def _lookup_key(value: Value) -> str:
    return value if isinstance(value, str) else _plain(value)


def calculate(assembly: Assembly, inputs: Mapping[str, Value]) -> list[MaterialLine]:
    """Material lines of an assembly: base = formula, gross = base x (1 + waste/100), both exact.

    Raises:
        Invalid: the dimensions contradict each other.
    """
    names = derive(assembly, inputs)
    found = []
    for line in assembly.lines:
        if line.include_if and not holds(line.include_if, names):
            continue
        base = _evaluated(line.formula, names)
        if base < 0:
            raise Invalid.one("/inputs", "dimensions_contradict")
        found.append(_material(assembly, line, names, base))
    return found


def _material(assembly: Assembly, line: Line, names: Mapping[str, Value], base: Fraction) -> MaterialLine:
    spec = tuple((key, _lookup_key(names[value]) if value in names else value) for key, value in line.spec)
    return MaterialLine(
        assembly.id, line.id, line.ru, line.en, line.category, base, base * (1 + line.waste_pct / 100), line.unit,
        line.waste_pct, line.formula, with_numbers(line.formula, names), line.consumption, spec, line.sources,
        line.sold_unit, evaluate(line.sold_content, names), line.note,
    )  # fmt: skip


def packs(gross: Fraction, content: Fraction) -> int:
    """How many whole packs hold the gross quantity."""
    return math.ceil(gross / content)


def expand(key: str, raw: Mapping[str, str]) -> list[tuple[Assembly, dict[str, Value]]]:
    """An assembly with its inputs, or the assemblies of a bundle with inputs worked out of the bundle's.

    Raises:
        Invalid: unknown id or wrong inputs.
    """
    if key in assemblies():
        assembly = assemblies()[key]
        return [(assembly, parse_inputs(assembly.inputs, raw))]
    if key not in bundles():
        raise Invalid.one("/assembly", "unknown_assembly")
    bundle = bundles()[key]
    given = parse_inputs(bundle.inputs, raw)
    found = []
    for name, mapping in bundle.mapping.items():
        assembly = assemblies()[name]
        values: dict[str, Value] = {
            i.key: evaluate(mapping[i.key], given) if i.key in mapping else _parse(i, i.default)
            for i in assembly.inputs
        }
        found.append((assembly, _within(assembly, values, mapping)))
    return found


def _within(assembly: Assembly, values: dict[str, Value], mapping: Mapping[str, str]) -> dict[str, Value]:
    """A bundle's part must lie within the bounds of its assembly too."""
    for item in assembly.inputs:
        value = values[item.key]
        if isinstance(value, str) or item.options:
            continue
        if item.minimum is not None and value < item.minimum:
            if "openings" in mapping.get(item.key, ""):
                raise Invalid.one("/inputs/openings", "openings_exceed_area")
            raise Invalid.one("/inputs", "part_too_small", part=assembly.ru, part_en=assembly.en,
                              minimum=_plain(item.minimum))  # fmt: skip
        if item.maximum is not None and value > item.maximum:
            raise Invalid.one("/inputs", "part_too_large", part=assembly.ru, part_en=assembly.en,
                              maximum=_plain(item.maximum))  # fmt: skip
    return values


@dataclass(frozen=True, slots=True)
class Pooled:
    """Equal materials of all parts of an estimate together, before packs are counted."""

    category: str
    spec: tuple[tuple[str, str], ...]
    unit: str
    base: Fraction
    gross: Fraction
    parts: tuple[MaterialLine, ...]

    @property
    def key(self) -> str:
        """Names the material inside an estimate."""
        return "|".join([self.category, self.unit, *(f"{k}={v}" for k, v in self.spec)])


def pool(lines: Iterable[MaterialLine]) -> list[Pooled]:
    """Merge lines of the same category, constraints and unit, in order of first appearance."""
    groups: dict[tuple[str, tuple[tuple[str, str], ...], str], list[MaterialLine]] = {}
    for line in lines:
        groups.setdefault((line.category, line.spec, line.unit), []).append(line)
    return [
        Pooled(category, spec, unit, sum((p.base for p in parts), Fraction(0)),
               sum((p.gross for p in parts), Fraction(0)), tuple(parts))
        for (category, spec, unit), parts in groups.items()
    ]  # fmt: skip
