"""One question for road times: `matrix(points, vehicle)`. Roads where we have them, a flagged estimate elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from app.logistics.road import DETOUR
from app.logistics.routing.remote import Remote, RemoteDown
from app.logistics.routing.roads import (
    CAP_METRES,
    CAP_SECONDS,
    DEFAULT_REGION,
    DEFAULT_SPEED_FACTOR,
    EARTH_RADIUS_M,
    MAX_SNAP_M,
    NO_LIMITS,
    Floats,
    Matrix,
    Point,
    VehicleLimits,
    load,
    never_zero,
)

# The median free-flow speed over a dense street grid; divided by the speed factor.
ESTIMATE_SPEED_MPS = 45 / 3.6


_remote: Remote | None = None


def use_remote(remote: Remote | None) -> None:
    """Ask this server from now on, in this process; None: the embedded graph only."""
    global _remote
    _remote = remote


def matrix(
    points: Sequence[Point],
    vehicle: VehicleLimits | None = None,
    region: str = DEFAULT_REGION,
    speed_factor: float = DEFAULT_SPEED_FACTOR,
) -> Matrix:
    """Seconds and metres between all points, as (lat, lon).

    A configured server is asked first. Without one, or when it is down, a pair with both ends within 2 km of the
    region's roads follows the roads; a point in the box of the region but farther from any road is cut off and named in
    `off_roads`; any other pair is the straight line times a detour factor and is marked in `estimated`. `provider` says
    who answered. Answers are kept: those of the graph in the process, those of a server in the shared cache.

    Raises:
        ValueError: a coordinate is not a finite number of degrees.
    """
    clean = tuple((float(lat), float(lon)) for lat, lon in points)
    for lat, lon in clean:
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            raise ValueError(f"not a place on Earth: {lat}, {lon}")
    limits = vehicle or NO_LIMITS
    if _remote is not None and clean:
        try:
            return _read_only(_remote.matrix(clean, limits, speed_factor))
        except RemoteDown:
            return replace(_cached(clean, limits, region, speed_factor), instead_of=_remote.kind)
    return _cached(clean, limits, region, speed_factor)


@lru_cache(maxsize=64)
def _cached(points: tuple[Point, ...], limits: VehicleLimits, region: str, speed_factor: float) -> Matrix:
    graph = load(region, limits, speed_factor)
    away = graph.metres_to_road(points)
    inside = [i for i, metres in enumerate(away) if metres <= MAX_SNAP_M]
    off = {i: round(metres) for i, metres in enumerate(away) if metres > MAX_SNAP_M and graph.in_region(points[i])}
    if len(inside) == len(points) and points:
        return _read_only(graph.matrix(points))
    whole = _estimate(points, speed_factor)
    lost: tuple[tuple[int, int], ...] = ()
    far: tuple[int, ...] = ()
    if inside:
        part = graph.matrix([points[i] for i in inside])
        cells = np.ix_(inside, inside)
        whole.seconds[cells], whole.metres[cells], whole.estimated[cells] = part.seconds, part.metres, False
        lost = tuple((inside[i], inside[j]) for i, j in part.unreachable)
        far = tuple(inside[i] for i in part.far)
    for index in off:
        for cells_of, cap in ((whole.seconds, CAP_SECONDS), (whole.metres, CAP_METRES)):
            cells_of[index, :] = cells_of[:, index] = cap
            cells_of[index, index] = 0
    provider = "graph" if inside else "straight"
    return _read_only(Matrix(points, whole.seconds, whole.metres, whole.estimated, far, lost, off, provider))


def _read_only(answer: Matrix) -> Matrix:
    """A cached answer is shared by callers, so nobody may write into it."""
    for cells in (answer.seconds, answer.metres, answer.estimated):
        cells.flags.writeable = False
    return answer


def _estimate(points: Sequence[Point], speed_factor: float) -> Matrix:
    metres = _haversine(points) * DETOUR
    whole = never_zero(points, np.rint(metres / ESTIMATE_SPEED_MPS * speed_factor), np.rint(metres))
    return Matrix(tuple(points), *whole, np.ones(metres.shape, dtype=np.bool_))


def _haversine(points: Sequence[Point]) -> Floats:
    radians = np.radians(np.array(points, dtype=np.float64).reshape(-1, 2))
    lat, lon = radians[:, 0], radians[:, 1]
    h = (
        np.sin((lat[:, None] - lat[None, :]) / 2) ** 2
        + np.cos(lat)[:, None] * np.cos(lat)[None, :] * np.sin((lon[:, None] - lon[None, :]) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(h)), dtype=np.float64)
