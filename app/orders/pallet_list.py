"""What stands on which pallet of a trip: proposed to the warehouse, with mass and volume of each place for the driver.

A EUR pallet (EN 13698-1, 800 x 1200 x 144 mm) carries 1,500 kg when the load lies evenly and 1,000 kg however it lies
(UIC leaflet 435-2). Goods of several kinds never lie evenly, and tail-lifts of small trucks lift about a tonne, so a
place takes 1,000 kg here. 1.7 m3 is its 0.96 m2 filled to 1.77 m: with the pallet 1.92 m, which passes a van's door.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.catalog import queries as catalog
from app.core.db import session
from app.orders.models import OrderLine
from app.orders.queries import PieceRow, TripRow

MOST_KG = Fraction(1000)
MOST_M3 = Fraction(17, 10)
LONG_MM = 1300
"""What is longer than this hangs over a pallet of 1.2 m."""
MASS_PLACES, VOLUME_PLACES = 4, 6


@dataclass(frozen=True, slots=True)
class Goods:
    """A line's part on a trip: `count` units of sale, mass and volume of one; `on_pallet`: units on a whole pallet."""

    key: int
    count: Fraction
    kg: Fraction
    m3: Fraction
    length_mm: int = 0
    on_pallet: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """One place in the truck: `pallet` whole and of one kind, `place` a packed pallet, `bundle` of long goods.

    `goods`: (key, pieces). Mass and volume of all places of a trip sum to the trip's.
    """

    kind: str
    goods: tuple[tuple[int, Fraction], ...]
    mass_kg: Decimal
    volume_m3: Decimal


@dataclass(slots=True)
class _Filling:
    """A place while it is being filled."""

    kind: str
    goods: list[tuple[int, Fraction]] = field(default_factory=list)
    kg: Fraction = Fraction(0)
    m3: Fraction = Fraction(0)

    def room_for(self, one: Goods, left: Fraction) -> Fraction:
        """How many of the pieces that are left go in: all of them, or whole ones."""
        if self.kg > MOST_KG or self.m3 > MOST_M3:
            return Fraction(0)  # one piece that is too large stands alone
        limits = [(MOST_KG - self.kg) / one.kg] if one.kg else []
        limits += [(MOST_M3 - self.m3) / one.m3] if one.m3 else []
        room = min(limits, default=left)
        return left if room >= left else Fraction(math.floor(room))

    def put(self, one: Goods, count: Fraction) -> None:
        self.goods.append((one.key, count))
        self.kg += one.kg * count
        self.m3 += one.m3 * count


def pack(goods: Sequence[Goods], mass_kg: Decimal, volume_m3: Decimal) -> list[Place]:
    """Whole pallets by the product's own factor; the rest first-fit, the largest pieces first; long goods apart.

    A piece above the limits has a place to itself. What rounding leaves of the trip's sums is in the last place.
    """
    found: list[_Filling] = []
    rest: list[Goods] = []
    for one in goods:
        whole = one.count // one.on_pallet if one.on_pallet else 0
        for _number in range(whole):
            pallet = _Filling("pallet")
            pallet.put(one, one.on_pallet or one.count)
            found.append(pallet)
        left = one.count - whole * (one.on_pallet or 0)
        if left:
            rest.append(Goods(one.key, left, one.kg, one.m3, one.length_mm))
    rest.sort(key=lambda one: (-max(one.kg / MOST_KG, one.m3 / MOST_M3), one.key))
    mixed: list[_Filling] = []
    bundles: list[_Filling] = []
    for one in rest:
        if one.length_mm > LONG_MM:
            bundles += _fill([], one, "bundle")
        else:
            mixed += _fill(mixed, one, "place")
    return _measured([*found, *mixed, *bundles], mass_kg, volume_m3)


def _fill(known: Sequence[_Filling], one: Goods, kind: str) -> list[_Filling]:
    """Put the pieces into the known places, first to last, then into new ones, which are the answer."""
    left, new = one.count, list[_Filling]()
    for place in known:
        taken = place.room_for(one, left)
        if taken:
            place.put(one, taken)
            left -= taken
    while left:
        place = _Filling(kind)
        taken = place.room_for(one, left) or min(left, Fraction(1))
        place.put(one, taken)
        new.append(place)
        left -= taken
    return new


def _measured(filled: Sequence[_Filling], mass_kg: Decimal, volume_m3: Decimal) -> list[Place]:
    masses = _parts(mass_kg, [one.kg for one in filled], MASS_PLACES)
    volumes = _parts(volume_m3, [one.m3 for one in filled], VOLUME_PLACES)
    return [
        Place(one.kind, tuple(one.goods), mass, volume)
        for one, mass, volume in zip(filled, masses, volumes, strict=True)
    ]


def _parts(total: Decimal, weights: Sequence[Fraction], places: int) -> list[Decimal]:
    """The total shared by weight, each part rounded down; the last one takes what is left."""
    if not weights:
        return []
    weighed = sum(weights)
    exact = [Fraction(total) * weight / weighed if weighed else Fraction(0) for weight in weights[:-1]]
    parts = [Decimal(math.floor(one * 10**places)).scaleb(-places) for one in exact]
    return [*parts, total - sum(parts, Decimal(0))]


def places_of(trips: Sequence[TripRow]) -> dict[int, list[Place]]:
    """Trip -> its places, from what each trip carries now and the catalogue's pallets. Two queries.

    Keys of goods are ids of order lines, pieces are units of sale.
    """
    lines = {piece.line.id: piece.line for trip in trips for piece in trip.pieces}
    sizes = session.execute(
        sa.select(OrderLine.id, OrderLine.volume_m3, OrderLine.length_mm).where(OrderLine.id.in_(lines))
    )
    size = {row.id: row for row in sizes}
    whole = catalog.on_pallet([line.product_id for line in lines.values()])
    found: dict[int, list[Place]] = {}
    for trip in trips:
        goods = [_goods(piece, size[piece.line.id], whole) for piece in trip.pieces if piece.quantity]
        found[trip.id] = pack(goods, trip.mass_kg, trip.volume_m3)
    return found


def _goods(piece: PieceRow, size: Any, whole: Mapping[int, Fraction]) -> Goods:
    line = piece.line
    ordered = Fraction(line.quantity)
    on_pallet = whole[line.product_id] / line.factor if line.product_id in whole else None
    return Goods(
        line.id, Fraction(piece.quantity), Fraction(line.mass_kg) / ordered, Fraction(size.volume_m3) / ordered,
        size.length_mm, on_pallet,
    )  # fmt: skip
