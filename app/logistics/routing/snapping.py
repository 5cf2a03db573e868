"""The nearest piece of road of a point: on the piece itself, not at a junction that may be far along it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SPACING_M = 30.0
"""Sample points along roads are at most so far apart; the nearest ones name the segments that are looked at exactly."""
NEAREST = 12


class Snapper:
    """Segments of road pieces on a flat map in metres, with a tree of samples along them."""

    def __init__(self, pieces: Sequence[int], lines: Sequence[Floats]) -> None:
        """pieces: the numbers of the road pieces; lines: their points, metres east and north, at least two each."""
        starts, ends, owner, before, whole = [], [], [], [], []
        for piece, line in zip(pieces, lines, strict=True):
            steps = np.hypot(*(line[1:] - line[:-1]).T)
            starts.append(line[:-1])
            ends.append(line[1:])
            owner.append(np.full(len(steps), piece))
            before.append(np.concatenate(([0.0], np.cumsum(steps)[:-1])))
            whole.append(np.full(len(steps), max(steps.sum(), 0.1)))
        self._start, self._end = np.concatenate(starts), np.concatenate(ends)
        self._owner: Ints = np.concatenate(owner).astype(np.int64)
        self._before, self._whole = np.concatenate(before), np.concatenate(whole)
        self._step = self._end - self._start
        self._length = np.hypot(*self._step.T)
        counts = np.ceil(self._length / SPACING_M).astype(np.int64) + 1
        self._segment = np.repeat(np.arange(len(counts)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        share = within / np.maximum(np.repeat(counts - 1, counts), 1)
        self._tree = cKDTree(self._start[self._segment] + share[:, None] * self._step[self._segment])

    def nearest(self, points: Floats) -> tuple[Ints, Floats, Floats]:
        """For points in metres east and north: the road piece, how far along it (0 to 1), and the metres to it."""
        count = min(NEAREST, len(self._segment))
        _, samples = self._tree.query(points, k=count)
        segments = self._segment[samples.reshape(len(points), count)]
        offset = points[:, None, :] - self._start[segments]
        step, length = self._step[segments], np.maximum(self._length[segments], 1e-9)
        along = np.clip((offset * step).sum(axis=2) / length**2, 0.0, 1.0)
        away = np.hypot(*np.moveaxis(offset - along[:, :, None] * step, 2, 0))
        best = away.argmin(axis=1)
        rows = np.arange(len(points))
        chosen = segments[rows, best]
        gone = self._before[chosen] + along[rows, best] * self._length[chosen]
        return self._owner[chosen], np.clip(gone / self._whole[chosen], 0.0, 1.0), away[rows, best]
