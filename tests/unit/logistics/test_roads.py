from __future__ import annotations

import heapq
import random
from itertools import pairwise

import numpy as np
import pytest

from app.logistics.routing.matrix import matrix
from app.logistics.routing.roads import (
    CAP_METRES,
    CAP_SECONDS,
    DEFAULT_SPEED_FACTOR,
    Edge,
    FarFromRoads,
    RoadGraph,
    VehicleLimits,
    decode_polyline,
    load,
    straight_metres,
)


def some_points(count: int, seed: int = 3) -> list[tuple[float, float]]:
    dice = random.Random(seed)
    return [(dice.uniform(55.801, 55.827), dice.uniform(37.586, 37.630)) for _ in range(count)]


def junction(graph: RoadGraph, index: int) -> tuple[float, float]:
    lat, lon = graph.nodes[index]
    return (float(lat), float(lon))


def by_hand(graph: RoadGraph, source: int, target: int) -> tuple[float, float]:
    """Dijkstra in plain Python over the edges: seconds and metres."""
    ways: dict[int, list[tuple[int, float, float]]] = {}
    for edge in graph.edges:
        seconds = edge.length_m / (edge.speed_kmh / 3.6) * DEFAULT_SPEED_FACTOR
        ways.setdefault(edge.tail, []).append((edge.head, seconds, edge.length_m))
        if not edge.oneway:
            ways.setdefault(edge.head, []).append((edge.tail, seconds, edge.length_m))
    queue, done = [(0.0, 0.0, source)], set()
    while queue:
        seconds, metres, node = heapq.heappop(queue)
        if node == target:
            return seconds, metres
        if node in done:
            continue
        done.add(node)
        for head, more, length in ways.get(node, []):
            heapq.heappush(queue, (seconds + more, metres + length, head))
    raise AssertionError("no way")


def test_matrix_equals_dijkstra_by_hand() -> None:
    graph = load()
    nodes = random.Random(5).sample(graph.main.tolist(), 8)
    answer = graph.matrix([junction(graph, node) for node in nodes])
    for i, a in enumerate(nodes):
        for j, b in enumerate(nodes):
            if i != j:
                seconds, metres = by_hand(graph, a, b)
                # The drawn end of a street is up to a metre from its junction.
                assert answer.seconds[i, j] == pytest.approx(seconds, abs=2)
                assert answer.metres[i, j] == pytest.approx(metres, abs=4)


def test_two_hundred_points_are_all_reachable_and_never_zero_apart() -> None:
    answer = matrix(some_points(200))
    assert answer.quality == "road"
    assert answer.unreachable == ()
    apart = ~np.eye(200, dtype=bool)
    assert (answer.seconds[apart] > 0).all()
    assert (answer.metres[apart] > 0).all()
    assert (np.diag(answer.seconds) == 0).all()
    assert answer.seconds.max() < CAP_SECONDS


def test_oneway_street_is_not_driven_against() -> None:
    nodes = [(55.80, 37.60), (55.80, 37.61), (55.81, 37.61)]

    def street(tail: int, head: int) -> Edge:
        return Edge(tail, head, 1000, 36, "service", True, 0, 0, True, "", (nodes[tail], nodes[head]))

    ring = RoadGraph(nodes, [street(0, 1), street(1, 2), street(2, 0)], speed_factor=1.0)
    assert ring.matrix(nodes).metres.tolist() == [[0, 1000, 2000], [2000, 0, 1000], [1000, 2000, 0]]


LONG = [(55.80, 37.60), (55.80, 37.64), (55.81, 37.62)]


def long_street(*, oneway: bool) -> RoadGraph:
    """2.5 km without a junction, and a way round."""
    street = Edge(0, 1, 2500, 36, "service", oneway, 0, 0, True, "", (LONG[0], LONG[1]))
    back = Edge(1, 2, 2000, 36, "service", oneway, 0, 0, True, "", (LONG[1], LONG[2]))
    last = Edge(2, 0, 2000, 36, "service", oneway, 0, 0, True, "", (LONG[2], LONG[0]))
    return RoadGraph(LONG, [street, back, last], speed_factor=1.0)


def test_a_house_in_the_middle_of_a_street_is_reached_there() -> None:
    near, middle = (55.8001, 37.61), (55.8001, 37.62)
    both = long_street(oneway=False).matrix([near, middle, LONG[1]])
    assert both.metres[0, 1] == pytest.approx(625 + 2 * 11, abs=5), "not by the ends of the street"
    assert both.metres[1, 0] == both.metres[0, 1]
    assert both.metres[1, 2] == pytest.approx(1250 + 11, abs=5)
    one = long_street(oneway=True).matrix([near, middle])
    assert one.metres[0, 1] == both.metres[0, 1]
    assert one.metres[1, 0] == pytest.approx(1250 + 4000 + 625 + 22, abs=8), "round the block"
    assert one.seconds[1, 0] > one.seconds[0, 1]


def test_the_drawn_way_begins_and_ends_beside_the_points() -> None:
    near, middle = (55.8001, 37.61), (55.8001, 37.62)
    graph = long_street(oneway=True)
    there, back = graph.path(near, middle), graph.path(middle, near)
    assert [p for line in there for p in line] == pytest.approx([*near, 55.80, 37.61, 55.80, 37.62, *middle])
    assert [p for p in back if p in LONG] == [LONG[1], LONG[2], LONG[0]]


def test_a_point_in_the_region_far_from_every_road_is_cut_off_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    corners = [(55.70, 37.50), (55.70, 37.60), (55.80, 37.50)]
    streets = [
        Edge(a, b, 9000, 60, "primary", False, 0, 0, True, "", (corners[a], corners[b])) for a, b in ((0, 1), (0, 2))
    ]
    graph = RoadGraph(corners, streets)
    monkeypatch.setattr("app.logistics.routing.matrix.load", lambda *_: graph)
    wild = (55.78, 37.58)
    answer = matrix([corners[0], corners[1], wild], region="test")
    assert list(answer.off_roads) == [2]
    assert answer.off_roads[2] > 2_000
    assert answer.seconds[0, 2] == answer.seconds[2, 1] == CAP_SECONDS
    assert answer.seconds[2, 2] == 0
    assert 0 < answer.seconds[0, 1] < CAP_SECONDS


def test_unreachable_pair_is_capped_and_named() -> None:
    answer = matrix(some_points(3))
    assert answer.unreachable == ()
    nodes = [(55.80, 37.60), (55.80, 37.61)]
    dead_end = RoadGraph(nodes, [Edge(0, 1, 600, 36, "service", True, 0, 0, True, "", (nodes[0], nodes[1]))])
    answer = dead_end.matrix(nodes)
    assert answer.unreachable == ((1, 0),)
    assert answer.seconds[1, 0] == CAP_SECONDS
    assert answer.metres[1, 0] == CAP_METRES
    assert 0 < answer.seconds[0, 1] < CAP_SECONDS


def test_point_far_from_roads_is_refused_by_name_and_estimated_by_the_chain() -> None:
    lost = (62.03, 129.73)
    near = some_points(2)
    with pytest.raises(FarFromRoads) as refusal:
        load().matrix([*near, lost])
    assert refusal.value.points == (lost,)
    answer = matrix([*near, lost])
    assert answer.quality == "estimate"
    assert answer.estimated.tolist() == [[False, False, True], [False, False, True], [True, True, True]]
    assert answer.metres[0, 2] > straight_metres(near[0], lost)


def test_snap_over_300_m_is_flagged() -> None:
    graph = load()
    edge_of_town = (float(graph.nodes[:, 0].max()) + 0.008, float(graph.nodes[graph.nodes[:, 0].argmax(), 1]))
    assert graph.matrix([edge_of_town, junction(graph, int(graph.main[0]))]).far == (0,)


def test_coordinate_that_is_no_place_is_refused() -> None:
    with pytest.raises(ValueError, match="not a place"):
        matrix([(float("nan"), 37.6)])


def test_slower_hours_take_longer_on_the_same_roads() -> None:
    points = some_points(4)
    night, rush = matrix(points, speed_factor=1.2), matrix(points, speed_factor=1.6)
    assert (rush.metres == night.metres).all()
    assert rush.seconds.sum() > night.seconds.sum()


def test_cached_answer_is_the_same_and_cannot_be_spoilt() -> None:
    points = some_points(5)
    answer = matrix(points)
    assert matrix(points) is answer
    with pytest.raises(ValueError, match="read-only"):
        answer.seconds[0, 1] = 0


def test_path_follows_streets_between_the_points() -> None:
    graph = load()
    drawn = {point for edge in graph.edges for point in edge.geometry}
    junctions = {junction(graph, i) for i in range(len(graph.nodes))}
    points = some_points(6)
    for a, b in pairwise(points):
        path = graph.path(a, b)
        assert path[0] == a
        assert path[-1] == b
        assert all(point in drawn or point in junctions for point in path[2:-2]), "but for where it meets the road"
        length = sum(straight_metres(p, q) for p, q in pairwise(path))
        assert length == pytest.approx(int(graph.matrix([a, b]).metres[0, 1]), rel=0.03)


def test_road_signs_close_a_road_to_heavy_trucks() -> None:
    edge = Edge(0, 1, 100, 36, "service", False, 7_500, 3_500, True, "", ((55.8, 37.6), (55.8, 37.61)))
    assert edge.admits(VehicleLimits(7_500, 3_500))
    assert not edge.admits(VehicleLimits(7_501))
    assert not edge.admits(VehicleLimits(0, 3_501))


def test_polyline_of_the_published_example() -> None:
    assert decode_polyline("_p~iF~ps|U_ulLnnqC_mqNvxq`@") == [(38.5, -120.2), (40.7, -120.95), (43.252, -126.453)]


def test_base_layer_holds_every_street_with_class_and_name() -> None:
    layer = load().base_geojson()
    assert len(layer["features"]) == len(load().edges)
    assert {"class", "name"} <= set(layer["features"][0]["properties"])
    lon, lat = layer["features"][0]["geometry"]["coordinates"][0]
    assert 37 < lon < 38
    assert 55 < lat < 56
