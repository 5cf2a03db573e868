"""The road matrix of a plan's places, kept with the plan: changes by hand are timed by what the plan was made of."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from app.logistics.routing.matrix import matrix
from app.logistics.routing.roads import Matrix, Point


def pack(roads: Matrix) -> bytes:
    """The matrix compressed: points, seconds, metres, which pairs are estimates. 60 places take some 20 kB."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        points=np.array(roads.points, dtype=np.float64).reshape(-1, 2),
        seconds=roads.seconds.astype(np.uint32),
        metres=roads.metres.astype(np.uint32),
        estimated=roads.estimated,
    )
    return file.getvalue()


def unpack(packed: bytes) -> Matrix:
    """The matrix that `pack` has written."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as file:
        points = tuple((float(lat), float(lon)) for lat, lon in file["points"])
        return Matrix(points, file["seconds"].astype(np.int64), file["metres"].astype(np.int64), file["estimated"])


def covering(known: Matrix | None, points: Sequence[Point]) -> Matrix:
    """The known matrix when it has every point; else one with the others added, known pairs as they were."""
    have = () if known is None else known.points
    missing = sorted(set(points) - set(have))
    if known is not None and not missing:
        return known
    whole = matrix([*have, *missing])
    if known is None:
        return whole
    old = len(have)
    seconds, metres, estimated = whole.seconds.copy(), whole.metres.copy(), whole.estimated.copy()
    seconds[:old, :old], metres[:old, :old], estimated[:old, :old] = known.seconds, known.metres, known.estimated
    return Matrix(whole.points, seconds, metres, estimated)
