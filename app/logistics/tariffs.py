"""What a delivery costs, line by line. Pure: numbers in, kopeks out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

from app.core.money import round_half_up

Number = int | Decimal | Fraction


class Rates(Protocol):
    """The rates of a tariff, kopeks with VAT (columns of the table `tariff`)."""

    @property
    def base(self) -> int: ...
    @property
    def included_km(self) -> int: ...
    @property
    def per_km(self) -> int: ...
    @property
    def per_tonne(self) -> int: ...
    @property
    def per_m3(self) -> int: ...
    @property
    def long_from_mm(self) -> int: ...
    @property
    def long_piece(self) -> int: ...
    @property
    def per_floor_tonne(self) -> int: ...
    @property
    def hands_tonne(self) -> int: ...
    @property
    def crane(self) -> int: ...
    @property
    def tail_lift(self) -> int: ...
    @property
    def minimum(self) -> int: ...
    @property
    def max_mass_kg(self) -> int: ...


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One reason to pay: a code worded in app/texts/logistics.py, kopeks, and the figures it was made of."""

    code: str
    amount: int
    context: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "amount": self.amount, "context": self.context}


@dataclass(frozen=True, slots=True)
class Quote:
    """A price with its reasons; `total` is the sum of the lines."""

    lines: tuple[PriceLine, ...]
    total: int
    trips: int

    def as_json(self) -> list[dict[str, Any]]:
        return [line.as_json() for line in self.lines]


def quote(
    tariff: Rates,
    distance_m: int,
    mass_kg: Number,
    volume_m3: Number,
    longest_mm: int,
    floor: int = 1,
    lift: bool = False,
    unloading: str = "self",
) -> Quote:
    """Price a delivery.

    A mass over `max_mass_kg` goes in several trips. Base, kilometres, long piece and crane or tail-lift are paid for
    every trip, tonnes and cubic metres once; kilometres are begun ones beyond the included. Carrying by hand costs
    `hands_tonne` a tonne and `per_floor_tonne` a tonne for each floor up (or down to a basement) when there is no lift.
    Each line is rounded once, half up; a sum under the minimum of the trips is raised by a line of its own.

    Args:
        distance_m: along the road, one way.
        unloading: self, hands, crane or tail_lift.
    """
    mass, volume = Fraction(mass_kg), Fraction(volume_m3)
    tonnes = mass / 1000
    trips = max(1, math.ceil(mass / tariff.max_mass_kg))
    km = max(0, math.ceil(Fraction(distance_m, 1000)) - tariff.included_km)
    lines = [
        PriceLine("base", tariff.base * trips, {"trips": trips, "included_km": tariff.included_km}),
        PriceLine("distance", tariff.per_km * km * trips, {"km": km, "trips": trips}),
        PriceLine("mass", round_half_up(tonnes * tariff.per_tonne), {"kg": _figure(mass)}),
        PriceLine("volume", round_half_up(volume * tariff.per_m3), {"m3": _figure(volume)}),
    ]
    if longest_mm > tariff.long_from_mm:
        lines.append(PriceLine("long_piece", tariff.long_piece * trips, {"mm": longest_mm, "trips": trips}))
    lines += _unloading(tariff, unloading, tonnes, floor, lift, trips)
    missing = tariff.minimum * trips - sum(line.amount for line in lines)
    if missing > 0:
        lines.append(PriceLine("minimum", missing, {"trips": trips}))
    paid = tuple(line for line in lines if line.amount)
    return Quote(paid, sum(line.amount for line in paid), trips)


def _unloading(tariff: Rates, unloading: str, tonnes: Fraction, floor: int, lift: bool, trips: int) -> list[PriceLine]:
    if unloading == "crane":
        return [PriceLine("crane", tariff.crane * trips, {"trips": trips})]
    if unloading == "tail_lift":
        return [PriceLine("tail_lift", tariff.tail_lift * trips, {"trips": trips})]
    if unloading != "hands":
        return []
    kg = _figure(tonnes * 1000)
    lines = [PriceLine("hands", round_half_up(tonnes * tariff.hands_tonne), {"kg": kg})]
    climbs = 0 if lift else floor - 1 if floor >= 1 else -floor
    if climbs:
        amount = round_half_up(tonnes * tariff.per_floor_tonne * climbs)
        lines.append(PriceLine("floors", amount, {"floors": climbs, "kg": kg}))
    return lines


def _figure(value: Fraction) -> str:
    """A figure for people, at most three decimals."""
    text = format((Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.001")), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
