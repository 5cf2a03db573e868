"""Bundles: dimensions of the whole become dimensions of its parts, and faults are named beside the right field."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest

from app.core.errors import Invalid
from app.estimates.assemblies import (
    Assembly,
    Bundle,
    Input,
    MaterialLine,
    assemblies,
    bundles,
    calculate,
    expand,
    packs,
    pool,
)
from app.estimates.formula import Value

ROOM = {"length": "5", "width": "4", "height": "2,7", "openings": "5"}
HOUSE = {"length": "10", "width": "8", "height": "3", "openings": "18"}
PARTITION = {"length": "5", "height": "2,7", "openings": "1,6"}
YARD = {"fence_length": "80", "paving_area": "50", "drain_length": "50"}
WORKS: dict[str, Assembly | Bundle] = {**assemblies(), **bundles()}


def _parts(key: str, raw: dict[str, str]) -> dict[str, dict[str, Value]]:
    return {assembly.id: values for assembly, values in expand(key, raw)}


def _lines(key: str, raw: dict[str, str]) -> list[MaterialLine]:
    return [line for assembly, inputs in expand(key, raw) for line in calculate(assembly, inputs)]


def _faults(key: str, raw: dict[str, str]) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        _lines(key, raw)
    return [(e.pointer, e.code) for e in refused.value.errors]


@pytest.mark.parametrize(
    ("key", "raw", "part", "expected"),
    [
        ("room_renovation", ROOM, "priming", {"area": "83.6"}),  # walls 43.6, floor 20, ceiling 20
        ("room_renovation", ROOM, "wallpaper", {"per": "18", "height": "2.7"}),
        ("room_renovation", ROOM, "painting_walls", {"area": "20"}),
        ("room_renovation", ROOM, "laminate", {"length": "5", "width": "4"}),
        ("bathroom_full", ROOM | {"height": "2.6"}, "tile_wall", {"area": "41.8"}),
        ("bathroom_full", ROOM | {"height": "2.6"}, "waterproofing_bath", {"floor": "20", "per": "18"}),
        ("partition_with_finish", PARTITION, "painting_walls", {"area": "23.8"}),  # both faces
        ("house_box_aac", HOUSE, "strip_foundation", {"length": "36"}),
        ("house_box_aac", HOUSE, "facade_etics", {"area": "90", "per": "36"}),
        ("house_box_aac", HOUSE, "roof_metal_tile", {"proj": "99", "ridge": "11", "eave": "22", "slope": "30"}),
        ("yard", YARD, "fence_corrugated", {"length": "80"}),
        ("yard", YARD, "paving", {"area": "50", "per": "30"}),
        ("yard", YARD, "drainage", {"length": "50"}),
    ],
)
def test_a_part_gets_the_dimensions_of_the_whole(
    key: str, raw: dict[str, str], part: str, expected: dict[str, str]
) -> None:
    values = _parts(key, raw)[part]
    assert {name: values[name] for name in expected} == {name: Fraction(v) for name, v in expected.items()}


@pytest.mark.parametrize("key", list(bundles()))
def test_every_mapping_names_inputs_that_exist(key: str) -> None:
    for part, mapping in bundles()[key].mapping.items():
        assert set(mapping) <= {i.key for i in assemblies()[part].inputs}, part


def test_both_faces_of_a_partition_are_puttied() -> None:
    values = _parts("partition_with_finish", PARTITION)["putty"]
    area = 2 * (Fraction(values["length"]) + Fraction(values["width"])) * Fraction(values["height"])
    assert area - Fraction(values["openings"]) == Fraction("23.8")


def test_verges_of_a_house_run_along_the_slope() -> None:
    gable = Fraction(_parts("house_box_aac", HOUSE)["roof_metal_tile"]["gable"])
    assert abs(gable - Fraction(18 / math.cos(math.radians(30)))) < Fraction(1, 10**9)


@pytest.mark.parametrize("area", ["1", "17,5", "40", "5000"])
def test_a_kerb_is_never_shorter_than_a_circle_around_the_paving(area: str) -> None:
    values = _parts("yard", {"paving_area": area})["paving"]
    assert float(Fraction(values["per"])) >= 2 * math.sqrt(math.pi * float(Fraction(values["area"])))


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("siding", {"area": "40", "openings": "40"}),
        ("siding", {"area": "40", "openings": "40.01"}),
        ("room_renovation", {"openings": "49"}),
        ("room_renovation", {"openings": "200"}),
        ("bathroom_full", {"openings": "50"}),
        ("partition_with_finish", {"openings": "13.5"}),
        ("house_box_aac", {"openings": "300"}),
    ],
)
def test_openings_larger_than_the_surface_are_refused_beside_openings(key: str, raw: dict[str, str]) -> None:
    assert _faults(key, raw) == [("/inputs/openings", "openings_exceed_area")]


def test_a_part_beyond_its_bounds_is_named() -> None:
    assert _faults("house_box_aac", {"length": "60", "width": "60"}) == [("/inputs", "part_too_large")]


def test_a_strip_longer_than_the_roll_is_refused() -> None:
    assert _faults("wallpaper", {"height": "12", "rl": "5"}) == [("/inputs", "dimensions_contradict")]


def _extreme(item: Input, rng: random.Random) -> str:
    if item.options:
        return rng.choice(item.options)
    low, high = item.minimum or Fraction(0), item.maximum or Fraction(0)
    return rng.choice([f"{float(low):.6f}", f"{float(high):.6f}", item.default])


@pytest.mark.parametrize("key", list(WORKS))
def test_bounds_in_any_combination_are_counted_or_refused(key: str) -> None:
    rng = random.Random(key)
    for _ in range(15):
        try:
            lines = _lines(key, {i.key: _extreme(i, rng) for i in WORKS[key].inputs})
        except Invalid:
            continue
        for line in pool(lines):
            first = line.parts[0]
            assert line.gross >= line.base >= 0
            assert packs(line.gross, first.sold_content) <= sum(packs(p.gross, first.sold_content) for p in line.parts)
