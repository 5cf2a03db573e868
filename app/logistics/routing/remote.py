"""Road times from an OSRM or Valhalla server: its table in chunks, a short patience, a pause after a failure."""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from app.logistics.routing.roads import (
    CAP_METRES,
    CAP_SECONDS,
    FAR_SNAP_M,
    MAX_SNAP_M,
    Floats,
    Matrix,
    Point,
    VehicleLimits,
    never_zero,
)

log = logging.getLogger(__name__)

CHUNK = 100
TIMEOUT_S = 3.0
PAUSE_S = 30.0
"""After a failure the server is not asked for so long; the embedded graph answers meanwhile."""
MOST_BYTES = 8 * 1024 * 1024
KEEP_S = 24 * 3600

Kind = Literal["osrm", "valhalla"]
Keep = Callable[[str, Callable[[], str]], str]
"""(what is asked, how to find it out) -> the answer, remembered or found out now."""
_Cells = tuple[Floats, Floats, Floats]
"""Seconds, metres (nan: no way) and metres from each source to the nearest road."""


class RemoteDown(RuntimeError):
    """The server does not answer in time, answers nonsense, or failed a moment ago."""


class Remote:
    """One server. `keep` shares answers between processes; without it every question is asked."""

    def __init__(self, kind: Kind, url: str, keep: Keep | None = None, patience_s: float = TIMEOUT_S) -> None:
        self.kind: Kind = kind
        self.url = url.rstrip("/")
        self.patience_s = patience_s
        self._keep = keep or (lambda _asked, find: find())
        self._closed_until = 0.0
        self._lock = threading.Lock()

    def matrix(self, points: Sequence[Point], limits: VehicleLimits, speed_factor: float) -> Matrix:
        """Seconds (times the factor of the hour) and metres between all points; a pair without a way is capped.

        Raises:
            RemoteDown: see there; the caller asks somebody else.
        """
        with self._lock:
            if time.monotonic() < self._closed_until:
                raise RemoteDown(f"{self.kind} failed less than {PAUSE_S:.0f} s ago")
        asked = json.dumps([self.kind, self.url, points, limits.gross_mass_kg, limits.height_mm])
        try:
            found = json.loads(self._keep(asked, lambda: json.dumps(self._ask(points, limits))))
            cells = np.array(found["cells"], dtype=np.float64).reshape(2, len(points), len(points))
            snaps = np.array(found["snaps"], dtype=np.float64)
        except (OSError, ValueError, KeyError, TypeError, IndexError, http.client.HTTPException) as error:
            with self._lock:
                self._closed_until = time.monotonic() + PAUSE_S
            log.warning("roads_server_failed: %s: %r", self.kind, error)
            raise RemoteDown(str(error)) from error
        return _as_matrix(points, cells[0] * speed_factor, cells[1], snaps, self.kind)

    def _ask(self, points: Sequence[Point], limits: VehicleLimits) -> dict[str, Any]:
        count = len(points)
        cells, snaps = np.full((2, count, count), np.nan), np.zeros(count)
        table = self._osrm if self.kind == "osrm" else self._valhalla
        for first in range(0, count, CHUNK):
            rows = range(first, min(first + CHUNK, count))
            for start in range(0, count, CHUNK):
                columns = range(start, min(start + CHUNK, count))
                seconds, metres, legs = table([points[i] for i in rows], [points[i] for i in columns], limits)
                block = np.ix_(rows, columns)
                cells[0][block], cells[1][block] = seconds, metres
                snaps[list(rows)] = legs
        return {"cells": np.where(np.isnan(cells), -1, np.rint(cells)).astype(int).tolist(), "snaps": snaps.tolist()}

    def _osrm(self, sources: Sequence[Point], targets: Sequence[Point], limits: VehicleLimits) -> _Cells:
        """OSRM knows its profile from its data; limits of the vehicle belong there."""
        pairs = ";".join(f"{lon:.6f},{lat:.6f}" for lat, lon in [*sources, *targets])
        first = ";".join(str(i) for i in range(len(sources)))
        second = ";".join(str(len(sources) + i) for i in range(len(targets)))
        said = self._get(
            f"/table/v1/driving/{pairs}?sources={first}&destinations={second}&annotations=duration,distance"
        )
        if said["code"] != "Ok":
            raise ValueError(f"OSRM: {said['code']}")
        legs = np.array([float(one.get("distance", 0)) for one in said["sources"]])
        shape = (len(sources), len(targets))
        return _grid(said["durations"], shape), _grid(said["distances"], shape), legs

    def _valhalla(self, sources: Sequence[Point], targets: Sequence[Point], limits: VehicleLimits) -> _Cells:
        truck: dict[str, float] = {}
        if limits.gross_mass_kg:
            truck["weight"] = limits.gross_mass_kg / 1000
        if limits.height_mm:
            truck["height"] = limits.height_mm / 1000
        question = {
            "sources": [{"lat": lat, "lon": lon} for lat, lon in sources],
            "targets": [{"lat": lat, "lon": lon} for lat, lon in targets],
            "costing": "truck", "costing_options": {"truck": truck}, "units": "kilometers",
        }  # fmt: skip
        said = self._get("/sources_to_targets", json.dumps(question).encode())
        rows = said["sources_to_targets"]
        shape = (len(sources), len(targets))
        seconds = _grid([[one["time"] for one in row] for row in rows], shape)
        metres = _grid([[one["distance"] for one in row] for row in rows], shape) * 1000
        return seconds, metres, np.zeros(len(sources))

    def _get(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if body else {})
        request = urllib.request.Request(f"{self.url}{path}", body, headers)
        with urllib.request.urlopen(request, timeout=self.patience_s) as answer:
            said: dict[str, Any] = json.loads(answer.read(MOST_BYTES))
            return said


def _grid(rows: Any, shape: tuple[int, int]) -> Floats:
    """Numbers of a table; null (no way) becomes nan. Raises ValueError: another shape, below zero."""
    found = np.array([[np.nan if cell is None else float(cell) for cell in row] for row in rows], dtype=np.float64)
    if found.shape != shape or bool((found < 0).any()):
        raise ValueError(f"a table of {found.shape}, {shape} was asked for")
    return found


def _as_matrix(points: Sequence[Point], seconds: Floats, metres: Floats, snaps: Floats, kind: Kind) -> Matrix:
    off = {int(i): int(snaps[i]) for i in np.flatnonzero(snaps > MAX_SNAP_M)}
    lost = (seconds < 0) | (metres < 0)
    np.fill_diagonal(lost, False)
    pairs = tuple((int(i), int(j)) for i, j in zip(*np.nonzero(lost), strict=True))
    for index in off:
        lost[index, :] = lost[:, index] = True
    np.fill_diagonal(lost, False)
    cells = never_zero(points, np.where(lost, CAP_SECONDS, np.rint(seconds)), np.where(lost, CAP_METRES, metres))
    far = tuple(int(i) for i in np.flatnonzero((snaps > FAR_SNAP_M) & (snaps <= MAX_SNAP_M)))
    return Matrix(tuple(points), *cells, np.zeros(lost.shape, dtype=np.bool_), far, pairs, off, kind)
