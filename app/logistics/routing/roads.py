"""The road graph shipped with the product: fastest times, metres, street geometry and the base layer of the map.

Data: (c) OpenStreetMap contributors, ODbL 1.0 (see data/README.md). Turn restrictions are not kept.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

DEFAULT_REGION = "moscow_ne"
# Free-flow speeds of the graph are optimistic for a loaded truck in a city; 1.2 at night to 1.6 in the rush hour.
DEFAULT_SPEED_FACTOR = 1.4
SNAP_SPEED_MPS = 10 / 3.6
FAR_SNAP_M = 300
MAX_SNAP_M = 2_000
# Never give a solver infinity: a leg this long fits no shift, so a plan that uses it is refused by the checker.
CAP_SECONDS = 1_000_000
CAP_METRES = 10_000_000
EARTH_RADIUS_M = 6_371_000.0

Point = tuple[float, float]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class FarFromRoads(ValueError):
    """Points more than MAX_SNAP_M from any road of the graph; `points` names them."""

    def __init__(self, points: Sequence[Point]) -> None:
        super().__init__(f"far from any road: {list(points)}")
        self.points = tuple(points)


@dataclass(frozen=True, eq=False)
class Matrix:
    """Fastest driving times between points.

    seconds, metres: int64 [n][n], metres along the fastest path; zero only on the diagonal and between equal points.
    estimated: bool [n][n], True where the pair is a straight line times a detour factor, not roads.
    far: indexes of points 300 m to 2 km from the nearest road.
    unreachable: pairs (from, to) with no way; their cells hold CAP_SECONDS and CAP_METRES.
    off_roads: index of a point in the region but over 2 km from any road of it -> metres to the nearest; its cells are
        capped too.
    provider: who answered: "graph", "osrm", "valhalla" or "straight".
    """

    points: tuple[Point, ...]
    seconds: Ints
    metres: Ints
    estimated: npt.NDArray[np.bool_]
    far: tuple[int, ...] = ()
    unreachable: tuple[tuple[int, int], ...] = ()
    off_roads: Mapping[int, int] = field(default_factory=dict)
    provider: str = "graph"

    @property
    def quality(self) -> str:
        """Either "road", when every pair follows roads, or "estimate"."""
        return "estimate" if bool(self.estimated.any()) else "road"


@dataclass(frozen=True, slots=True)
class VehicleLimits:
    """What a road sign compares with: gross mass in kg and height in mm."""

    gross_mass_kg: int = 0
    height_mm: int = 0


NO_LIMITS = VehicleLimits()


@dataclass(frozen=True, slots=True)
class Edge:
    """A piece of road as drawn; geometry runs from `tail` to `head`."""

    tail: int
    head: int
    length_m: float
    speed_kmh: float
    road_class: str
    oneway: bool
    max_mass_kg: int
    max_height_mm: int
    trucks: bool
    name: str
    geometry: tuple[Point, ...]

    def admits(self, limits: VehicleLimits) -> bool:
        """Whether signs let a vehicle of these limits in (an unsigned road lets everybody in)."""
        return (
            self.trucks
            and not (self.max_mass_kg and limits.gross_mass_kg > self.max_mass_kg)
            and not (self.max_height_mm and limits.height_mm > self.max_height_mm)
        )


def decode_polyline(text: str) -> list[Point]:
    """Points of an encoded polyline of precision 5 (Google's published algorithm)."""
    points: list[Point] = []
    lat = lon = position = 0
    while position < len(text):
        deltas = []
        for _ in range(2):
            shift = value = 0
            while True:
                chunk = ord(text[position]) - 63
                position += 1
                value |= (chunk & 31) << shift
                shift += 5
                if chunk < 32:
                    break
            deltas.append(~(value >> 1) if value & 1 else value >> 1)
        lat, lon = lat + deltas[0], lon + deltas[1]
        points.append((lat / 1e5, lon / 1e5))
    return points


def straight_metres(a: Point, b: Point) -> float:
    """Great-circle metres between two points (haversine)."""
    lat_a, lon_a, lat_b, lon_b = np.radians((a[0], a[1], b[0], b[1]))
    h = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    return float(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(h)))


class RoadGraph:
    """A directed graph of junctions; arcs weigh fastest seconds at free flow times the speed factor.

    Only the largest strongly connected part is entered, so any two snapped points reach each other.
    """

    def __init__(
        self, nodes: Sequence[Point], edges: Sequence[Edge], speed_factor: float = DEFAULT_SPEED_FACTOR
    ) -> None:
        self.nodes = np.array(nodes, dtype=np.float64).reshape(-1, 2)
        self.edges = tuple(edges)
        self.speed_factor = speed_factor
        self._arcs = self._cheapest_arcs()
        keys = sorted(self._arcs)
        tails, heads = [k[0] for k in keys], [k[1] for k in keys]
        size = len(nodes)
        self.graph = csr_matrix(([self._arcs[k][0] for k in keys], (tails, heads)), shape=(size, size))
        self._keys = np.array(tails, dtype=np.int64) * size + np.array(heads, dtype=np.int64)
        self._lengths = np.array([self.edges[self._arcs[k][1]].length_m for k in keys], dtype=np.float64)
        _, label = connected_components(self.graph, directed=True, connection="strong")
        self.main = np.flatnonzero(label == np.bincount(label).argmax())
        self._scale = np.array([1.0, np.cos(np.radians(self.nodes[:, 0].mean()))]) * np.radians(EARTH_RADIUS_M)
        self._tree = cKDTree(self.nodes[self.main] * self._scale)

    def _cheapest_arcs(self) -> dict[tuple[int, int], tuple[float, int]]:
        arcs: dict[tuple[int, int], tuple[float, int]] = {}
        for number, edge in enumerate(self.edges):
            seconds = max(edge.length_m, 0.1) / (edge.speed_kmh / 3.6) * self.speed_factor
            directions = [(edge.tail, edge.head)] if edge.oneway else [(edge.tail, edge.head), (edge.head, edge.tail)]
            for arc in directions:
                if arc[0] != arc[1] and seconds < arcs.get(arc, (np.inf, 0))[0]:
                    arcs[arc] = (seconds, number)
        return arcs

    def snap(self, points: Sequence[Point]) -> tuple[Ints, Floats]:
        """The nearest enterable junction of each point and the metres to it.

        Raises:
            FarFromRoads: a point is more than 2 km away; all such points are named.
        """
        metres, found = self._tree.query(np.array(points, dtype=np.float64).reshape(-1, 2) * self._scale)
        lost = [points[i] for i in np.flatnonzero(metres > MAX_SNAP_M).tolist()]
        if lost:
            raise FarFromRoads(lost)
        return self.main[found], metres

    def covers(self, point: Point) -> bool:
        """Whether a road of the graph lies within 2 km of the point."""
        metres, _ = self._tree.query(np.array(point) * self._scale)
        return bool(metres <= MAX_SNAP_M)

    def matrix(self, points: Sequence[Point]) -> Matrix:
        """Fastest times and the metres along them between all points; the way to and from the road is at 10 km/h.

        Raises:
            FarFromRoads: see `snap`.
        """
        nodes, legs = self.snap(points)
        sources, back = np.unique(nodes, return_inverse=True)
        seconds, before = dijkstra(self.graph, indices=sources, return_predecessors=True)
        metres = self._metres_along(before)
        seconds, metres = seconds[back][:, nodes], metres[back][:, nodes]
        access = legs[:, None] + legs[None, :]
        self._short_hops(points, nodes, access)
        lost = ~np.isfinite(seconds)
        seconds = np.where(lost, CAP_SECONDS, np.rint(seconds + access / SNAP_SPEED_MPS))
        metres = np.where(lost, CAP_METRES, np.rint(metres + access))
        pairs = tuple((int(i), int(j)) for i, j in zip(*np.nonzero(lost), strict=True))
        return Matrix(
            tuple(points), *never_zero(points, seconds, metres), np.zeros(lost.shape, dtype=np.bool_),
            tuple(int(i) for i in np.flatnonzero(legs > FAR_SNAP_M)), pairs,
        )  # fmt: skip

    @staticmethod
    def _short_hops(points: Sequence[Point], nodes: Ints, access: Floats) -> None:
        """Two points at the same junction: straight to each other, not to the junction and back."""
        groups: dict[int, list[int]] = {}
        for index, node in enumerate(nodes.tolist()):
            groups.setdefault(node, []).append(index)
        for group in groups.values():
            for i in group:
                for j in group:
                    access[i, j] = min(access[i, j], straight_metres(points[i], points[j]))

    def _metres_along(self, before: npt.NDArray[np.int32]) -> Floats:
        """Metres of every shortest-path tree by pointer doubling: log2(depth) passes instead of a walk per target."""
        size = self.graph.shape[0]
        own = np.arange(size, dtype=np.int64)
        parent = np.where(before < 0, own[None, :], before).astype(np.int64)
        has_parent = before >= 0
        slot = np.searchsorted(self._keys, parent * size + own[None, :])
        metres = np.where(has_parent, self._lengths[np.minimum(slot, len(self._lengths) - 1)], 0.0)
        while True:
            grand = np.take_along_axis(parent, parent, axis=1)
            if np.array_equal(grand, parent):
                return metres
            metres = metres + np.take_along_axis(metres, parent, axis=1)
            parent = grand

    def path(self, a: Point, b: Point) -> list[Point]:
        """The streets of the fastest way from a to b as (lat, lon) points; a and b themselves are the ends.

        Raises:
            FarFromRoads: see `snap`.
        """
        nodes, _ = self.snap([a, b])
        source, target = int(nodes[0]), int(nodes[1])
        _, before = dijkstra(self.graph, indices=source, return_predecessors=True)
        chain = [target]
        while chain[-1] != source and before[chain[-1]] >= 0:
            chain.append(int(before[chain[-1]]))
        chain.reverse()
        line: list[Point] = [a, self._node(chain[0])]
        for tail, head in pairwise(chain):
            edge = self.edges[self._arcs[tail, head][1]]
            line.extend(edge.geometry if edge.tail == tail else edge.geometry[::-1])
        line.extend((self._node(chain[-1]), b))
        return [point for i, point in enumerate(line) if i == 0 or point != line[i - 1]]

    def _node(self, index: int) -> Point:
        return (float(self.nodes[index, 0]), float(self.nodes[index, 1]))

    def base_geojson(self) -> dict[str, Any]:
        """The street network as a GeoJSON FeatureCollection (lon, lat) with `class` and `name`, thinned to 4 m."""
        return {
            "type": "FeatureCollection",
            "attribution": "© OpenStreetMap contributors, ODbL 1.0",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"class": edge.road_class, "name": edge.name},
                    "geometry": {"type": "LineString", "coordinates": [[q[1], q[0]] for q in _thinned(edge.geometry)]},
                }
                for edge in self.edges
            ],
        }


def never_zero(points: Sequence[Point], seconds: Floats, metres: Floats) -> tuple[Ints, Ints]:
    """Whole numbers where different points are at least 1 s and 1 m apart and equal points exactly 0."""
    places = np.array(points, dtype=np.float64).reshape(-1, 2)
    same = (places[:, None, :] == places[None, :, :]).all(axis=2)
    return (
        np.where(same, 0, np.maximum(seconds, 1)).astype(np.int64),
        np.where(same, 0, np.maximum(metres, 1)).astype(np.int64),
    )


def _thinned(line: tuple[Point, ...]) -> list[Point]:
    kept = [line[0]]
    for point in line[1:-1]:
        if straight_metres(kept[-1], point) >= 4:
            kept.append(point)
    return [*kept, line[-1]]


def _rows(region: str, part: str) -> list[dict[str, str]]:
    raw = (files("app.logistics.routing") / "data" / f"{region}_{part}.csv.gz").read_bytes()
    return list(csv.DictReader(io.StringIO(gzip.decompress(raw).decode("utf-8"))))


def _edge(row: dict[str, str], nodes: Sequence[Point]) -> Edge:
    tail, head = int(row["from"]), int(row["to"])
    return Edge(
        tail=tail,
        head=head,
        length_m=float(row["length_m"]),
        speed_kmh=float(row["speed_kmh"]),
        road_class=row["class"],
        oneway=row["oneway"] == "1",
        max_mass_kg=int(float(row["maxweight_t"] or 0) * 1000),
        max_height_mm=int(float(row["maxheight_m"] or 0) * 1000),
        trucks=row["hgv"] != "no",
        name=row["name"],
        geometry=tuple(decode_polyline(row["geom"])) if row["geom"] else (nodes[tail], nodes[head]),
    )


@lru_cache(maxsize=6)
def load(
    region: str = DEFAULT_REGION,
    limits: VehicleLimits = NO_LIMITS,
    speed_factor: float = DEFAULT_SPEED_FACTOR,
) -> RoadGraph:
    """The road graph of a region for vehicles of these limits, kept in the process (at most six).

    speed_factor multiplies free-flow times by the hour of the day: about 1.2 at night, 1.4 in the day, 1.6 in the rush.

    Raises:
        FileNotFoundError: no graph of that region is shipped.
    """
    nodes = [(float(row["lat"]), float(row["lon"])) for row in _rows(region, "nodes")]
    edges = [_edge(row, nodes) for row in _rows(region, "edges")]
    return RoadGraph(nodes, [edge for edge in edges if edge.admits(limits)], speed_factor)
