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

from app.logistics.routing.snapping import Snapper

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
_STRIDE = 1 << 32

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
    provider: who answered: "graph", "osrm", "valhalla" or "straight"; instead_of: the server that should have.
    """

    points: tuple[Point, ...]
    seconds: Ints
    metres: Ints
    estimated: npt.NDArray[np.bool_]
    far: tuple[int, ...] = ()
    unreachable: tuple[tuple[int, int], ...] = ()
    off_roads: Mapping[int, int] = field(default_factory=dict)
    provider: str = "graph"
    instead_of: str = ""

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


@dataclass(frozen=True, slots=True)
class Snapped:
    """Where points meet the roads: the piece, the metres from its tail, and the metres from the point to it."""

    edges: Ints
    offsets: Floats
    legs: Floats


class RoadGraph:
    """A directed graph of junctions; arcs weigh fastest seconds at free flow times the speed factor.

    Points are put on the nearest piece of road, at any place of it, and leave or enter it in the directions it is
    driven. Only pieces of the largest strongly connected part are entered, so any two snapped points reach each other.
    """

    def __init__(
        self, nodes: Sequence[Point], edges: Sequence[Edge], speed_factor: float = DEFAULT_SPEED_FACTOR
    ) -> None:
        self.nodes = np.array(nodes, dtype=np.float64).reshape(-1, 2)
        self.edges = tuple(edges)
        self.speed_factor = speed_factor
        self._arcs = self._cheapest_arcs()
        keys = sorted(self._arcs)
        self._size = len(nodes)
        self._tails = np.array([k[0] for k in keys], dtype=np.int64)
        self._heads = np.array([k[1] for k in keys], dtype=np.int64)
        self._seconds = np.array([self._arcs[k][0] for k in keys], dtype=np.float64)
        self._lengths = np.array([self.edges[self._arcs[k][1]].length_m for k in keys], dtype=np.float64)
        self.graph = csr_matrix((self._seconds, (self._tails, self._heads)), shape=(self._size, self._size))
        _, label = connected_components(self.graph, directed=True, connection="strong")
        self.main = np.flatnonzero(label == np.bincount(label).argmax())
        self._scale = np.array([1.0, np.cos(np.radians(self.nodes[:, 0].mean()))]) * np.radians(EARTH_RADIUS_M)
        inside = set(self.main.tolist())
        open_edges = [n for n, e in enumerate(self.edges) if e.tail in inside and e.head in inside]
        open_edges = open_edges or list(range(len(self.edges)))
        self._snapper = Snapper(open_edges, [np.array(self.edges[n].geometry) * self._scale for n in open_edges])
        self._tail = np.array([e.tail for e in self.edges], dtype=np.int64)
        self._head = np.array([e.head for e in self.edges], dtype=np.int64)
        self._length = np.array([max(e.length_m, 0.1) for e in self.edges], dtype=np.float64)
        self._pace = np.array([3.6 / e.speed_kmh * speed_factor for e in self.edges], dtype=np.float64)
        self._both_ways = np.array([not e.oneway for e in self.edges], dtype=np.bool_)
        self._low, self._high = self.nodes.min(axis=0), self.nodes.max(axis=0)

    def _cheapest_arcs(self) -> dict[tuple[int, int], tuple[float, int]]:
        arcs: dict[tuple[int, int], tuple[float, int]] = {}
        for number, edge in enumerate(self.edges):
            seconds = max(edge.length_m, 0.1) / (edge.speed_kmh / 3.6) * self.speed_factor
            directions = [(edge.tail, edge.head)] if edge.oneway else [(edge.tail, edge.head), (edge.head, edge.tail)]
            for arc in directions:
                if arc[0] != arc[1] and seconds < arcs.get(arc, (np.inf, 0))[0]:
                    arcs[arc] = (seconds, number)
        return arcs

    def snap(self, points: Sequence[Point]) -> Snapped:
        """The nearest place on a road that may be entered, for each point.

        Raises:
            FarFromRoads: a point is more than 2 km away; all such points are named.
        """
        edges, shares, legs = self._snapper.nearest(np.array(points, dtype=np.float64).reshape(-1, 2) * self._scale)
        lost = [points[i] for i in np.flatnonzero(legs > MAX_SNAP_M).tolist()]
        if lost:
            raise FarFromRoads(lost)
        return Snapped(edges, shares * self._length[edges], legs)

    def metres_to_road(self, points: Sequence[Point]) -> list[float]:
        """How far the nearest road is from each point."""
        if not points:
            return []
        _, _, legs = self._snapper.nearest(np.array(points, dtype=np.float64) * self._scale)
        return [float(leg) for leg in legs]

    def covers(self, point: Point) -> bool:
        """Whether a road of the graph lies within 2 km of the point."""
        return self.metres_to_road([point])[0] <= MAX_SNAP_M

    def in_region(self, point: Point) -> bool:
        """Whether the point lies in the box of the graph: there a road should be near."""
        return bool((self._low <= np.array(point)).all() and (np.array(point) <= self._high).all())

    def matrix(self, points: Sequence[Point]) -> Matrix:
        """Fastest times and the metres along them between all points; the way to and from the road is at 10 km/h.

        Raises:
            FarFromRoads: see `snap`.
        """
        at = self.snap(points)
        seconds, metres, _ = self._between(at, np.arange(len(points)))
        access = at.legs[:, None] + at.legs[None, :]
        lost = ~np.isfinite(seconds)
        seconds, metres = seconds + access / SNAP_SPEED_MPS, metres + access
        self._short_hops(points, at, access, seconds, metres)
        seconds = np.where(lost, CAP_SECONDS, np.rint(seconds))
        metres = np.where(lost, CAP_METRES, np.rint(metres))
        pairs = tuple((int(i), int(j)) for i, j in zip(*np.nonzero(lost), strict=True))
        return Matrix(
            tuple(points), *never_zero(points, seconds, metres), np.zeros(lost.shape, dtype=np.bool_),
            tuple(int(i) for i in np.flatnonzero(at.legs > FAR_SNAP_M)), pairs,
        )  # fmt: skip

    def _with_starts(self, at: Snapped, sources: Ints) -> tuple[csr_matrix, Ints, Floats]:
        """The graph with a node for each source, from which its piece of road is left; keys and metres of all arcs."""
        edges, offsets = at.edges[sources], at.offsets[sources]
        own = self._size + np.arange(len(sources))
        back = self._both_ways[edges]
        tails = np.concatenate((self._tails, own, own[back]))
        heads = np.concatenate((self._heads, self._head[edges], self._tail[edges][back]))
        lengths = np.concatenate((self._lengths, self._length[edges] - offsets, offsets[back]))
        pace = self._pace[edges]
        seconds = np.concatenate((self._seconds, (self._length[edges] - offsets) * pace, (offsets * pace)[back]))
        # A stored zero is no arc to scipy, and two arcs between the same nodes would be added up (a ring road).
        seconds = np.maximum(seconds, 1e-9)
        key = tails * _STRIDE + heads
        order = np.lexsort((seconds, key))
        order = order[np.concatenate(([True], key[order][1:] != key[order][:-1]))]
        size = self._size + len(sources)
        graph = csr_matrix((seconds[order], (tails[order], heads[order])), shape=(size, size))
        return graph, key[order], lengths[order]

    def _between(self, at: Snapped, sources: Ints) -> tuple[Floats, Floats, npt.NDArray[np.int32]]:
        """Seconds and metres from the sources to all snapped points along the roads, and the trees of predecessors."""
        graph, keys, lengths = self._with_starts(at, sources)
        reached, before = dijkstra(graph, indices=self._size + np.arange(len(sources)), return_predecessors=True)
        walked = self._metres_along(before, keys, lengths)
        tail, head, length = self._tail[at.edges], self._head[at.edges], self._length[at.edges]
        pace = self._pace[at.edges]
        by_tail = reached[:, tail] + at.offsets * pace
        by_head = np.where(self._both_ways[at.edges], reached[:, head] + (length - at.offsets) * pace, np.inf)
        back = by_head < by_tail
        seconds = np.where(back, by_head, by_tail)
        metres = np.where(back, walked[:, head] + length - at.offsets, walked[:, tail] + at.offsets)
        along = at.offsets[None, :] - at.offsets[sources][:, None]
        same = at.edges[sources][:, None] == at.edges[None, :]
        direct = np.where(same & ((along >= 0) | self._both_ways[at.edges]), np.abs(along) * pace, np.inf)
        return np.minimum(seconds, direct), np.where(direct <= seconds, np.abs(along), metres), before

    def _short_hops(
        self, points: Sequence[Point], at: Snapped, access: Floats, seconds: Floats, metres: Floats
    ) -> None:
        """Two points beside the same piece: straight to each other when that is shorter than to the road and back."""
        places = np.array(points, dtype=np.float64).reshape(-1, 2) * self._scale
        straight = np.hypot(*np.moveaxis(places[:, None, :] - places[None, :, :], 2, 0))
        beside = at.edges[:, None] == at.edges[None, :]
        hop = beside & (straight < access) & (straight < metres)
        seconds[hop] = np.minimum(seconds, straight / SNAP_SPEED_MPS)[hop]
        metres[hop] = straight[hop]

    @staticmethod
    def _metres_along(before: npt.NDArray[np.int32], keys: Ints, lengths: Floats) -> Floats:
        """Metres of every shortest-path tree by pointer doubling: log2(depth) passes instead of a walk per target."""
        own = np.arange(before.shape[1], dtype=np.int64)
        parent = np.where(before < 0, own[None, :], before).astype(np.int64)
        slot = np.searchsorted(keys, parent * _STRIDE + own[None, :])
        metres = np.where(before >= 0, lengths[np.minimum(slot, len(lengths) - 1)], 0.0)
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
        at = self.snap([a, b])
        seconds, metres, before = self._between(at, np.array([0]))
        first, last = self.edges[at.edges[0]], self.edges[at.edges[1]]
        ends = at.offsets / self._length[at.edges]
        along = abs(at.offsets[1] - at.offsets[0])
        if at.edges[0] == at.edges[1] and np.isclose(metres[0, 1], along) and (ends[0] <= ends[1] or not first.oneway):
            return _without_repeats([a, *_part(first, ends[0], ends[1]), b])
        entry, chain = self._chain(at, before[0])
        if not chain or not np.isfinite(seconds[0, 1]):
            return [a, b]
        line: list[Point] = [a, *_part(first, ends[0], 1.0 if self._leaves_by_head(first, at, chain[0]) else 0.0)]
        for tail, head in pairwise(chain):
            edge = self.edges[self._arcs[tail, head][1]]
            line.extend(edge.geometry if edge.tail == tail else edge.geometry[::-1])
        line.extend(_part(last, 0.0 if entry == "tail" else 1.0, ends[1]))
        return _without_repeats([*line, b])

    def _leaves_by_head(self, edge: Edge, at: Snapped, node: int) -> bool:
        if edge.tail == edge.head:
            return edge.oneway or at.offsets[0] * 2 >= self._length[at.edges[0]]
        return edge.head == node

    def _chain(self, at: Snapped, before: npt.NDArray[np.int32]) -> tuple[str, list[int]]:
        """By which end the last piece is entered, and the junctions from the first to that one."""
        graph, _, _ = self._with_starts(at, np.array([0]))
        reached = dijkstra(graph, indices=[self._size])[0]
        edge, pace = at.edges[1], self._pace[at.edges[1]]
        by_tail = reached[self._tail[edge]] + at.offsets[1] * pace
        by_head = reached[self._head[edge]] + (self._length[edge] - at.offsets[1]) * pace
        entry = "head" if self._both_ways[edge] and by_head < by_tail else "tail"
        chain = [int(self._head[edge] if entry == "head" else self._tail[edge])]
        while before[chain[-1]] >= 0 and before[chain[-1]] != self._size:
            chain.append(int(before[chain[-1]]))
        return entry, (chain[::-1] if before[chain[-1]] == self._size else [])

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


def _part(edge: Edge, start: float, end: float) -> list[Point]:
    """The points of a piece of road from one share of its length to another, backwards when start > end."""
    line = np.array(edge.geometry, dtype=np.float64)
    steps = np.hypot(line[1:, 0] - line[:-1, 0], (line[1:, 1] - line[:-1, 1]) * np.cos(np.radians(line[0, 0])))
    at = np.concatenate(([0.0], np.cumsum(steps))) / max(float(steps.sum()), 1e-12)

    def place(share: float) -> Point:
        return (float(np.interp(share, at, line[:, 0])), float(np.interp(share, at, line[:, 1])))

    low, high = min(start, end), max(start, end)
    inner = [edge.geometry[i] for i in range(len(at)) if low < at[i] < high]
    points = [place(low), *inner, place(high)]
    return points if start <= end else points[::-1]


def _without_repeats(line: list[Point]) -> list[Point]:
    return [point for i, point in enumerate(line) if i == 0 or point != line[i - 1]]


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
