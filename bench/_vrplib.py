"""Reads VRPLIB texts and re-costs routes by itself, so that a benchmark need not take a solver's word for anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import hypot
from pathlib import Path

ROUNDING: dict[str, Callable[[float], int]] = {
    "round": round,
    "dimacs": lambda value: int(10 * value),
    "exact": lambda value: round(1000 * value),
}
FAR = 10**15

Row = list[float]


@dataclass(frozen=True)
class Tour:
    """A vehicle's way: its number in the file and the locations between leaving and returning, from 0; a depot among
    them is a reload.
    """

    vehicle: int
    visits: tuple[int, ...]


@dataclass
class Instance:
    """The figures of a file in the scaled unit of its convention. Lists run by location or by vehicle, from 0."""

    name: str
    kind: str
    places: int
    depots: int
    vehicles: int
    distance: list[list[int]]
    demand: list[int]
    service: list[int]
    window: list[tuple[int, int]]
    release: list[int]
    capacity: list[int]
    home: list[int]
    fixed: list[int]
    per_unit: list[int]
    longest_duty: list[int]
    may_reload: list[bool]
    delivery_of: dict[int, int] = field(default_factory=dict)
    """Pickup location -> its delivery location."""

    @property
    def n(self) -> int:
        return self.places - self.depots


def header_of(path: Path) -> dict[str, str]:
    """The `KEY: value` lines of a file. Raises OSError, UnicodeDecodeError."""
    return _split(path)[0]


def _split(path: Path) -> tuple[dict[str, str], dict[str, list[Row]]]:
    header: dict[str, str] = {}
    sections: dict[str, list[Row]] = {}
    rows: list[Row] | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if not text or text == "EOF":
            continue
        if text.rstrip(": ").endswith("_SECTION"):
            rows = sections.setdefault(text.rstrip(": "), [])
        elif ":" in text:
            key, _, value = text.partition(":")
            header[key.strip()] = value.strip().strip('"')
            rows = None
        elif rows is not None:
            rows.append([float(word) for word in text.split()])
        else:
            raise ValueError(f"{path.name}: {text[:40]!r} stands outside a section")
    return header, sections


def read(path: Path, rounding: str) -> Instance:
    """The instance of a file.

    Raises:
        OSError, ValueError: it cannot be read; the message says why.
    """
    header, sections = _split(path)
    known = {
        "NODE_COORD_SECTION", "DEMAND_SECTION", "TIME_WINDOW_SECTION", "SERVICE_TIME_SECTION", "RELEASE_TIME_SECTION",
        "CAPACITY_SECTION", "VEHICLES_DEPOT_SECTION", "VEHICLES_FIXED_COST_SECTION", "DEPOT_SECTION",
        "VEHICLES_UNIT_DISTANCE_COST_SECTION", "VEHICLES_RELOAD_DEPOT_SECTION", "PICKUP_AND_DELIVERY_SECTION",
    }  # fmt: skip
    if strange := set(sections) - known:
        raise ValueError(f"{path.name}: sections not understood: {', '.join(sorted(strange))}")
    if header.get("EDGE_WEIGHT_TYPE") != "EUC_2D" or "DIMENSION" not in header:
        raise ValueError(f"{path.name}: DIMENSION and EDGE_WEIGHT_TYPE: EUC_2D are needed")
    scale, places = ROUNDING[rounding], int(header["DIMENSION"])
    depots = sum(row[0] > 0 for row in sections["DEPOT_SECTION"]) if "DEPOT_SECTION" in sections else 1
    vehicles = int(header.get("VEHICLES", places - depots))
    points = [(row[1], row[2]) for row in _exactly(sections, "NODE_COORD_SECTION", places)]

    def by_place(section: str, key: str, default: float = 0) -> list[int]:
        if section in sections:
            return [scale(row[1]) for row in _exactly(sections, section, places)]
        value = float(header.get(key, default))
        return [0 if place < depots else scale(value) for place in range(places)]

    def by_vehicle(section: str, key: str, default: float, number: Callable[[float], int]) -> list[int]:
        if section in sections:
            return [number(row[1]) for row in _exactly(sections, section, vehicles)]
        return [number(float(header[key])) if key in header else int(default)] * vehicles

    found = Instance(
        name=path.stem, kind=header.get("TYPE", ""), places=places, depots=depots, vehicles=vehicles,
        distance=[[scale(hypot(a[0] - b[0], a[1] - b[1])) for b in points] for a in points],
        demand=by_place("DEMAND_SECTION", ""),
        service=by_place("SERVICE_TIME_SECTION", "SERVICE_TIME"),
        window=[(scale(r[1]), scale(r[2])) for r in _exactly(sections, "TIME_WINDOW_SECTION", places)]
        if "TIME_WINDOW_SECTION" in sections else [(0, FAR)] * places,
        release=by_place("RELEASE_TIME_SECTION", ""),
        capacity=by_vehicle("CAPACITY_SECTION", "CAPACITY", FAR, scale),
        home=[one - 1 for one in by_vehicle("VEHICLES_DEPOT_SECTION", "", 1, int)],
        fixed=by_vehicle("VEHICLES_FIXED_COST_SECTION", "VEHICLES_FIXED_COST", 0, scale),
        per_unit=by_vehicle("VEHICLES_UNIT_DISTANCE_COST_SECTION", "VEHICLES_UNIT_DISTANCE_COST", 1, int),
        longest_duty=by_vehicle("", "VEHICLES_MAX_DURATION", FAR, scale),
        may_reload=[True] * vehicles if "VEHICLES_RELOAD_DEPOT_SECTION" in sections else [False] * vehicles,
    )  # fmt: skip
    if "PICKUP_AND_DELIVERY_SECTION" in sections:
        for row in _exactly(sections, "PICKUP_AND_DELIVERY_SECTION", places):
            place = int(row[0]) - 1
            found.demand[place], found.service[place] = scale(row[1]), scale(row[4])
            found.window[place] = (scale(row[2]), scale(row[3]))
            if row[6] > 0:
                found.delivery_of[place] = int(row[6]) - 1
    return found


def _exactly(sections: dict[str, list[Row]], name: str, count: int) -> list[Row]:
    rows = sections.get(name, [])
    if len(rows) != count:
        raise ValueError(f"{name} has {len(rows)} rows, {count} are needed")
    return rows


def cost_of(instance: Instance, tours: Sequence[Tour]) -> int:
    """Distance times its price plus fixed costs."""
    return sum(
        instance.fixed[tour.vehicle]
        + instance.per_unit[tour.vehicle] * sum(instance.distance[a][b] for a, b in pairwise(_chain(instance, tour)))
        for tour in tours
    )


def faults(instance: Instance, tours: Sequence[Tour]) -> list[str]:
    """Every rule that the tours break, in words; an empty list means they are feasible."""
    found = [f"vehicle {v} drives {n} tours" for v, n in Counter(t.vehicle for t in tours).items() if n > 1]
    seen = Counter(place for tour in tours for place in tour.visits if place >= instance.depots)
    found += [f"{p} is visited {seen[p]} times" for p in range(instance.depots, instance.places) if seen[p] != 1]
    for tour in tours:
        found += [f"vehicle {tour.vehicle}: {fault}" for fault in _tour_faults(instance, tour)]
    return found


def _chain(instance: Instance, tour: Tour) -> list[int]:
    return [instance.home[tour.vehicle], *tour.visits, instance.home[tour.vehicle]]


def _tour_faults(instance: Instance, tour: Tour) -> list[str]:
    found = _load_faults(instance, tour)
    home = instance.home[tour.vehicle]
    trips: list[tuple[list[int], int]] = []
    trip: list[int] = []
    for place in [*tour.visits, home]:
        if place < instance.depots:
            trips.append((trip, place))
            trip = []
        else:
            trip.append(place)
    if len(trips) > 1 and not instance.may_reload[tour.vehicle]:
        found.append("returns to a depot on the way")
    now, here = instance.window[home][0], home
    for trip, back in trips:
        now = max([now, *(instance.release[place] for place in trip)])  # a trip leaves when all its goods are there
        for place in trip:
            early, late = instance.window[place]
            now = max(now + instance.distance[here][place], early)
            if now > late:
                found.append(f"comes to {place} at {now}, closed since {late}")
            now += instance.service[place]
            here = place
        now, here = now + instance.distance[here][back], back
    if now > instance.window[home][1]:
        found.append(f"is back at {now}, the depot closed at {instance.window[home][1]}")
    if instance.longest_duty[tour.vehicle] < FAR and (duty := _shortest_duty(instance, tour)) is not None:
        limit = instance.longest_duty[tour.vehicle]
        if duty > limit:
            found.append(f"is on duty for {duty}, at most {limit}")
    return found


def _shortest_duty(instance: Instance, tour: Tour) -> int | None:
    """The least time between leaving and return; None when the way is late anyway."""
    chain = _chain(instance, tour)
    now = instance.window[chain[0]][0]
    for before, place in pairwise(chain):
        now = max(now + instance.service[before] + instance.distance[before][place], instance.window[place][0])
        if now > instance.window[place][1]:
            return None
    latest = now
    for place, after in reversed(list(pairwise(chain))):
        latest = min(latest - instance.distance[place][after] - instance.service[place], instance.window[place][1])
    return now - latest


def _load_faults(instance: Instance, tour: Tour) -> list[str]:
    found = []
    room = instance.capacity[tour.vehicle]
    if instance.delivery_of:
        board, load = set(), 0
        pickup_of = {delivery: pickup for pickup, delivery in instance.delivery_of.items()}
        for place in tour.visits:
            load += instance.demand[place]
            if place in instance.delivery_of:
                board.add(place)
            elif pickup_of.get(place) in board:
                board.discard(pickup_of[place])
            else:
                found.append(f"delivers at {place} what it has not picked up")
            if load > room:
                found.append(f"carries {load} after {place}, at most {room}")
        return [*found, *(f"keeps what it picked up at {place}" for place in sorted(board))]
    load = 0
    for place in [*tour.visits, 0]:
        if place < instance.depots:
            if load > room:
                found.append(f"carries {load}, at most {room}")
            load = 0
        else:
            load += instance.demand[place]
    return found
