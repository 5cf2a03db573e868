"""What a delivery costs, line by line. Pure: numbers in, kopeks out.

The way is paid in one of three manners: a flat price of the first area zone that holds the site; else the flat price of
the first distance step that reaches so far (behind the last one its price and `per_km` for each begun kilometre more);
else, without any steps, the base and `per_km` beyond the included kilometres. Goods are paid by the mass step that
holds the load (behind the last one its price and `per_tonne` for what is over), without steps by the tonne.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

from app.core.money import round_half_up

Number = int | Decimal | Fraction
EARTH_M = 6_371_000


class WaitingRates(Protocol):
    """What waiting costs: free minutes, then kopeks for each begun step of minutes."""

    @property
    def free_minutes(self) -> int: ...
    @property
    def waiting_step(self) -> int: ...
    @property
    def per_waiting_step(self) -> int: ...


class Rates(WaitingRates, Protocol):
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
    @property
    def zones(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def distance_steps(self) -> Sequence[Mapping[str, int]]: ...
    @property
    def mass_steps(self) -> Sequence[Mapping[str, int]]: ...


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
    waiting_minutes: int = 0,
    point: tuple[float, float] | None = None,
) -> Quote:
    """Price a delivery.

    A mass over `max_mass_kg` goes in several trips. The way, long piece and crane or tail-lift are paid for every
    trip, goods once (with mass steps each trip by its own step); kilometres are begun ones beyond the included.
    Carrying by hand costs `hands_tonne` a tonne and `per_floor_tonne` a tonne for each floor up (or down to a basement)
    when there is no lift.
    Each line is rounded once, half up; a sum under the minimum of the trips is raised by a line of its own.

    Args:
        distance_m: along the road, one way.
        unloading: self, hands, crane or tail_lift.
        waiting_minutes: how long the truck stood at the site beside the time of the way, over all trips.
        point: latitude and longitude of the site; None: in no zone.
    """
    mass, volume = Fraction(mass_kg), Fraction(volume_m3)
    tonnes = mass / 1000
    trips = max(1, math.ceil(mass / tariff.max_mass_kg))
    lines = [
        *_way(tariff, max(0, math.ceil(Fraction(distance_m, 1000))), trips, point),
        _goods(tariff, mass, trips),
        PriceLine("volume", round_half_up(volume * tariff.per_m3), {"m3": _figure(volume)}),
    ]
    if longest_mm > tariff.long_from_mm:
        lines.append(PriceLine("long_piece", tariff.long_piece * trips, {"mm": longest_mm, "trips": trips}))
    lines += _unloading(tariff, unloading, tonnes, floor, lift, trips)
    lines.append(waiting(tariff, waiting_minutes))
    missing = tariff.minimum * trips - sum(line.amount for line in lines)
    if missing > 0:
        lines.append(PriceLine("minimum", missing, {"trips": trips}))
    paid = tuple(line for line in lines if line.amount)
    return Quote(paid, sum(line.amount for line in paid), trips)


def waiting(tariff: WaitingRates, minutes: int) -> PriceLine:
    """What waiting costs: the free minutes first, once however many trips it takes, then every begun step."""
    steps = max(0, math.ceil(Fraction(minutes - tariff.free_minutes, tariff.waiting_step)))
    figures = {"minutes": minutes, "free": tariff.free_minutes, "steps": steps, "step": tariff.waiting_step}
    return PriceLine("waiting", tariff.per_waiting_step * steps, figures)


def zone_of(zones: Sequence[Mapping[str, Any]], point: tuple[float, float] | None) -> Mapping[str, Any] | None:
    """The first zone that holds a point; a border belongs to the zone whichever way rounding falls."""
    return next((zone for zone in zones if point is not None and _holds(zone, point)), None)


def _holds(zone: Mapping[str, Any], point: tuple[float, float]) -> bool:
    if not zone.get("polygon"):
        return metres_between((zone["lat"], zone["lon"]), point) <= int(zone["radius_m"])
    lat, lon = point
    inside = False
    corners = zone["polygon"]
    for (lat_a, lon_a), (lat_b, lon_b) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if (lat_a > lat) != (lat_b > lat) and lon < (lon_b - lon_a) * (lat - lat_a) / (lat_b - lat_a) + lon_a:
            inside = not inside
    return inside


def _way(tariff: Rates, km: int, trips: int, point: tuple[float, float] | None) -> list[PriceLine]:
    zone = zone_of(tariff.zones, point)
    if zone is not None:
        return [PriceLine("zone", zone["price"] * trips, {"zone": zone["name"], "trips": trips})]
    steps = tariff.distance_steps
    if not steps:
        paid = max(0, km - tariff.included_km)
        return [
            PriceLine("base", tariff.base * trips, {"trips": trips, "included_km": tariff.included_km}),
            PriceLine("distance", tariff.per_km * paid * trips, {"km": paid, "trips": trips}),
        ]
    step = next((one for one in steps if km <= one["up_to_km"]), steps[-1])
    beyond = max(0, km - step["up_to_km"])
    return [
        PriceLine("distance_step", step["price"] * trips, {"up_to_km": step["up_to_km"], "trips": trips}),
        PriceLine("distance", tariff.per_km * beyond * trips, {"km": beyond, "trips": trips}),
    ]


def _goods(tariff: Rates, mass: Fraction, trips: int) -> PriceLine:
    """Full trips pay the step of a full truck each, the last one that of what is left."""
    if not tariff.mass_steps:
        return PriceLine("mass", round_half_up(mass / 1000 * tariff.per_tonne), {"kg": _figure(mass)})
    full = _stepped(tariff, Fraction(tariff.max_mass_kg)) * (trips - 1)
    rest = mass - tariff.max_mass_kg * (trips - 1)
    last = next((one["up_to_kg"] for one in tariff.mass_steps if rest <= one["up_to_kg"]), 0)
    amount = round_half_up(full + _stepped(tariff, rest))
    return PriceLine("mass_step", amount, {"kg": _figure(mass), "up_to_kg": last, "trips": trips})


def _stepped(tariff: Rates, mass: Fraction) -> Fraction:
    steps = tariff.mass_steps
    step = next((one for one in steps if mass <= one["up_to_kg"]), steps[-1])
    return Fraction(step["price"]) + max(Fraction(0), mass - step["up_to_kg"]) / 1000 * tariff.per_tonne


def metres_between(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The straight line on a sphere (haversine), metres."""
    lat_a, lon_a, lat_b, lon_b = (math.radians(x) for x in (*a, *b))
    half = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(min(1.0, half)))


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
