"""Places of the demo market: nodes of the road graph with the nearest street as address."""

from __future__ import annotations

import csv
import gzip
import io
import random
from dataclasses import dataclass
from pathlib import Path

ROADS = Path(__file__).resolve().parent.parent / "logistics" / "routing" / "data"


@dataclass(frozen=True, slots=True)
class Place:
    """A point beside a street."""

    address: str
    lat: float
    lon: float


def places() -> list[Place]:
    """Named places in the largest connected part of the road graph, in a fixed order."""
    nodes = {
        row["id"]: (float(row["lat"]), float(row["lon"]))
        for row in _rows("moscow_ne_nodes.csv.gz")
        if row["scc"] == "1"
    }
    rng = random.Random("tutuu:places")
    found: dict[str, Place] = {}
    for edge in _rows("moscow_ne_edges.csv.gz"):
        if edge["name"] and edge["from"] in nodes and edge["from"] not in found:
            lat, lon = nodes[edge["from"]]
            house = rng.randint(1, 60)
            found[edge["from"]] = Place(f"Москва, {edge['name']}, {house}", lat, lon)
    listed = list(found.values())
    rng.shuffle(listed)
    return listed


def _rows(name: str) -> csv.DictReader[str]:
    with gzip.open(ROADS / name, "rt", encoding="utf-8") as file:
        return csv.DictReader(io.StringIO(file.read()))
