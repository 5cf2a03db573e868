"""How far it is by road between two points: what a price needs of the road graph."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import Invalid

DETOUR = 1.36
"""How much longer than a straight line a way by road is: the median over a dense street grid."""


@dataclass(frozen=True, slots=True)
class Road:
    """One way from a to b; `is_estimate` says it is a straight line with a factor."""

    distance_m: int
    duration_s: int
    is_estimate: bool


def road(start: tuple[float, float], end: tuple[float, float]) -> Road:
    """The fastest way, cached in the process. A point that no road reaches is very far, so no tariff reaches it.

    Raises:
        Invalid: `bad_coordinates`: not a place on Earth.
    """
    from app.logistics.routing.matrix import matrix  # scipy takes a second to load: only where a price is asked for
    from app.logistics.routing.roads import CAP_METRES

    try:
        found = matrix([start, end])
    except ValueError as error:
        raise Invalid.one("/lat", "bad_coordinates") from error
    metres = min(int(found.metres[0, 1]), CAP_METRES)
    return Road(metres, int(found.seconds[0, 1]), bool(found.estimated[0, 1]))


def roads(points: list[tuple[float, float]]) -> list[list[Road]]:
    """The fastest ways between all points, as `road` tells them.

    Raises:
        Invalid: `bad_coordinates`.
    """
    from app.logistics.routing.matrix import matrix
    from app.logistics.routing.roads import CAP_METRES

    try:
        found = matrix(points)
    except ValueError as error:
        raise Invalid.one("/lat", "bad_coordinates") from error
    every = range(len(points))
    return [
        [
            Road(min(int(found.metres[a, b]), CAP_METRES), int(found.seconds[a, b]), bool(found.estimated[a, b]))
            for b in every
        ]
        for a in every
    ]
