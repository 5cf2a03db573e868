"""Which warehouse serves which line: a plan that a person can read.

For each seller: the nearest warehouse that has everything; else as few warehouses as possible; a line is split over
several only when no single warehouse has all of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

EARTH_M = 6_371_000.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A line of one seller: so many units of sale; `available` per warehouse in whole steps of the same unit."""

    line: int
    quantity: Decimal
    available: Mapping[int, Decimal]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line from one warehouse."""

    line: int
    warehouse: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """The plan of one seller. `reason`: all_here, nearest, fewest, split; missing: line -> quantity nobody has."""

    pieces: tuple[Piece, ...]
    reason: str
    missing: Mapping[int, Decimal] = field(default_factory=dict)

    @property
    def warehouses(self) -> tuple[int, ...]:
        """In order of first use."""
        return tuple(dict.fromkeys(p.warehouse for p in self.pieces))


def metres_between(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance of two (lat, lon) points, in metres (haversine formula)."""
    lat1, lon1, lat2, lon2 = map(math.radians, (*a, *b))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(half))


def allocate(wishes: Sequence[Wish], distance: Mapping[int, float]) -> Allocation:
    """The plan of one seller's lines.

    Args:
        distance: metres from each warehouse to the site; nearer is better, ties go to the lower id.
    """
    order = sorted(distance, key=lambda w: (distance[w], w))
    whole = [w for w in order if all(_has(wish, w) >= wish.quantity for wish in wishes)]
    if whole:
        pieces = tuple(Piece(wish.line, whole[0], wish.quantity) for wish in wishes)
        return Allocation(pieces, "nearest" if len(order) > 1 else "all_here")
    return _spread(list(wishes), order)


def _spread(wishes: list[Wish], order: list[int]) -> Allocation:
    """Greedy cover: the warehouse that serves most lines whole comes first, nearer ones before farther."""
    left = {wish.line: wish for wish in wishes}
    pieces: list[Piece] = []
    used: list[int] = []
    while left:
        best = max(order, key=lambda w: (_served(left, w), w in used, -order.index(w)), default=None)
        if best is None or not _served(left, best):
            break
        for wish in [wish for wish in left.values() if _has(wish, best) >= wish.quantity]:
            pieces.append(Piece(wish.line, best, wish.quantity))
            del left[wish.line]
        used.append(best)
    missing: dict[int, Decimal] = {}
    was_split = False
    for wish in left.values():
        parts, lacking = _split(wish, [*used, *(w for w in order if w not in used)])
        pieces.extend(parts)
        was_split = was_split or len(parts) > 1
        used.extend(p.warehouse for p in parts if p.warehouse not in used)
        if lacking:
            missing[wish.line] = lacking
    return Allocation(tuple(pieces), "split" if was_split else "fewest", missing)


def _split(wish: Wish, order: Sequence[int]) -> tuple[list[Piece], Decimal]:
    """Parts of a line that no single warehouse has; the fullest first, so that the parts are few."""
    rest = wish.quantity
    parts = []
    for warehouse in sorted(order, key=lambda w: (-_has(wish, w), order.index(w))):
        take = min(rest, _has(wish, warehouse))
        if take > 0:
            parts.append(Piece(wish.line, warehouse, take))
            rest -= take
    return parts, rest


def _served(left: Mapping[int, Wish], warehouse: int) -> int:
    return sum(_has(wish, warehouse) >= wish.quantity for wish in left.values())


def _has(wish: Wish, warehouse: int) -> Decimal:
    return wish.available.get(warehouse, Decimal(0))
