"""The planning problem of one day and its answer: plain frozen values, no solver objects.

Units: seconds (moments are seconds from local midnight), metres, kilograms, litres, millimetres, integer kopeks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from app.logistics.routing.roads import Matrix

MAX_DRIVING_S = 16_200
BREAK_S = 2_700
MAX_DAY_DRIVING_S = 32_400

Window = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the map, degrees WGS 84."""

    lat: float
    lon: float

    @property
    def point(self) -> tuple[float, float]:
        return (self.lat, self.lon)


@dataclass(frozen=True, slots=True)
class Shipment:
    """Goods from one warehouse to one site on one truck. Lots bigger than any truck are split by the caller.

    needs: equipment the truck must have, for example "crane" or "tail_lift".
    max_vehicle_mass_kg, max_vehicle_height_mm: what the site lets in; None when any truck may enter.
    on_board: the truck that has the goods already when the plan begins; they have a drop only, `pickup` is that truck's
        start.
    only_on: trucks that may take it (locked by a dispatcher); None: any that can.
    together: shipments with the same word are on one truck, all or none.
    """

    id: str
    pickup: Place
    dropoff: Place
    mass_kg: int
    volume_l: int
    longest_mm: int
    pickup_window: Window
    drop_window: Window
    pickup_service_s: int = 600
    drop_service_s: int = 900
    needs: frozenset[str] = frozenset()
    max_vehicle_mass_kg: int | None = None
    max_vehicle_height_mm: int | None = None
    on_board: str | None = None
    only_on: frozenset[str] | None = None
    together: str | None = None


@dataclass(frozen=True, slots=True)
class Truck:
    """A truck with its driver for the day.

    shift: the truck leaves `start` not before shift[0] and is at `end` not after shift[1].
    max_driving_s, break_s: after so much driving the driver rests so long (the law: 4 h 30 min, 45 min).
    break_window: when the break may START; None means any time of the shift.
    max_day_driving_s: at the wheel in one day (the law: 9 h).
    driven_s, driven_today_s: driven before this plan begins, since the last rest and since morning.
    """

    id: str
    start: Place
    end: Place
    payload_kg: int
    volume_l: int
    longest_mm: int
    gross_mass_kg: int
    shift: Window
    skills: frozenset[str] = frozenset()
    fixed_cost_kop: int = 0
    cost_per_km_kop: int = 0
    cost_per_hour_kop: int = 0
    max_driving_s: int = MAX_DRIVING_S
    break_s: int = BREAK_S
    break_window: Window | None = None
    height_mm: int = 0
    max_day_driving_s: int = MAX_DAY_DRIVING_S
    driven_s: int = 0
    driven_today_s: int = 0

    @property
    def break_start(self) -> Window:
        """When the break may start, seconds from midnight."""
        return self.break_window or self.shift


@dataclass(frozen=True)
class Problem:
    """Trucks, shipments and the road matrix that covers every place of both.

    Raises:
        ValueError: an id is used twice, or a place is missing from the matrix.
    """

    trucks: tuple[Truck, ...]
    shipments: tuple[Shipment, ...]
    matrix: Matrix

    def __post_init__(self) -> None:
        for name, ids in (("truck", [t.id for t in self.trucks]), ("shipment", [s.id for s in self.shipments])):
            if len(set(ids)) != len(ids):
                raise ValueError(f"a {name} id is used twice")
        missing = {p.point for p in places_of(self.trucks, self.shipments)} - set(self.matrix.points)
        if missing:
            raise ValueError(f"places without a matrix row: {sorted(missing)[:3]}")

    @cached_property
    def truck_by_id(self) -> Mapping[str, Truck]:
        return {truck.id: truck for truck in self.trucks}

    @cached_property
    def shipment_by_id(self) -> Mapping[str, Shipment]:
        return {shipment.id: shipment for shipment in self.shipments}

    @cached_property
    def aboard(self) -> Mapping[str, tuple[Shipment, ...]]:
        """What each truck has on board when the plan begins, by truck id."""
        found: dict[str, tuple[Shipment, ...]] = {}
        for shipment in self.shipments:
            if shipment.on_board is not None:
                found[shipment.on_board] = (*found.get(shipment.on_board, ()), shipment)
        return found

    @cached_property
    def groups(self) -> Mapping[str, tuple[Shipment, ...]]:
        """Shipments that go together, by their word; a word of one shipment binds nothing."""
        found: dict[str, tuple[Shipment, ...]] = {}
        for shipment in self.shipments:
            if shipment.together is not None:
                found[shipment.together] = (*found.get(shipment.together, ()), shipment)
        return {word: members for word, members in found.items() if len(members) > 1}

    def pinned(self, trucks: Mapping[str, str]) -> Problem:
        """The same problem with these shipments allowed on one truck only: shipment id -> truck id."""
        kept = tuple(replace(s, only_on=frozenset({trucks[s.id]})) if s.id in trucks else s for s in self.shipments)
        return Problem(self.trucks, kept, self.matrix)

    @cached_property
    def _rows(self) -> Mapping[tuple[float, float], int]:
        return {point: row for row, point in enumerate(self.matrix.points)}

    @cached_property
    def _seconds(self) -> list[list[int]]:
        rows: list[list[int]] = self.matrix.seconds.tolist()
        return rows

    @cached_property
    def _metres(self) -> list[list[int]]:
        rows: list[list[int]] = self.matrix.metres.tolist()
        return rows

    def row(self, place: Place) -> int:
        """The matrix row of a place."""
        return self._rows[place.point]

    def seconds(self, a: Place, b: Place) -> int:
        """Driving seconds from a to b."""
        return self._seconds[self._rows[a.point]][self._rows[b.point]]

    def metres(self, a: Place, b: Place) -> int:
        """Metres driven from a to b."""
        return self._metres[self._rows[a.point]][self._rows[b.point]]


def places_of(trucks: tuple[Truck, ...], shipments: tuple[Shipment, ...]) -> list[Place]:
    """Every distinct place of the day, in a stable order: what to ask the matrix for."""
    seen: dict[Place, None] = {}
    for truck in trucks:
        seen[truck.start] = seen[truck.end] = None
    for shipment in shipments:
        seen[shipment.pickup] = seen[shipment.dropoff] = None
    return list(seen)


PICKUP, DROP = "pickup", "drop"
Order = tuple[tuple[str, str], ...]
"""(kind, shipment id) in driving order."""


def trip_of(shipment: Shipment) -> Order:
    """The stops that carrying this shipment takes: only the drop when it is on board."""
    drop = (DROP, shipment.id)
    return (drop,) if shipment.on_board is not None else ((PICKUP, shipment.id), drop)


@dataclass(frozen=True, slots=True)
class StopPlan:
    """One pickup or drop: arrival, start of service (after waiting for the window) and departure."""

    kind: str
    shipment_id: str
    arrival_s: int
    start_s: int
    departure_s: int


@dataclass(frozen=True, slots=True)
class BreakPlan:
    """The driver's rest, taken where stop number `after_stop` (1 = first) ends; 0 means before leaving the yard."""

    after_stop: int
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """One truck's day: leaves `truck.start` at start_s, is at `truck.end` at end_s."""

    truck_id: str
    stops: tuple[StopPlan, ...]
    start_s: int
    end_s: int
    distance_m: int
    driving_s: int
    duration_s: int
    peak_mass_kg: int
    peak_volume_l: int
    longest_mm: int
    cost_kop: int
    rest: BreakPlan | None = None


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A shipment no route takes: a code of reasons.CODES and the numbers behind it."""

    shipment_id: str
    code: str
    context: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """Routes (only trucks that drive), shipments left with reasons, total cost in kopeks."""

    routes: tuple[RoutePlan, ...]
    unassigned: tuple[Unassigned, ...]
    cost_kop: int


def route_cost(truck: Truck, distance_m: int, duration_s: int) -> int:
    """Kopeks: fixed + per km + per hour of duty (waiting, service and rest included), rounded half up once per part."""
    return (
        truck.fixed_cost_kop
        + (distance_m * truck.cost_per_km_kop + 500) // 1000
        + (duration_s * truck.cost_per_hour_kop + 1800) // 3600
    )
