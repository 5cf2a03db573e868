"""Seeded planning problems of the market's shape in the shipped region."""

from __future__ import annotations

import random
from typing import Any

from app.logistics.routing.matrix import matrix
from app.logistics.routing.problem import Place, Problem, Shipment, Truck, places_of

HOUR = 3600
DAY = (8 * HOUR, 20 * HOUR)
YARD = Place(55.8120, 37.6050)
WAREHOUSE = Place(55.8075, 37.6160)
SITE = Place(55.8205, 37.5990)


def truck(truck_id: str = "t", **change: Any) -> Truck:
    """A ten-tonne truck with the whole day."""
    values: dict[str, Any] = {
        "id": truck_id, "start": YARD, "end": YARD, "payload_kg": 10_000, "volume_l": 36_000, "longest_mm": 8_000,
        "gross_mass_kg": 16_000, "shift": DAY, "fixed_cost_kop": 500_000, "cost_per_km_kop": 6_000,
        "cost_per_hour_kop": 110_000,
    }  # fmt: skip
    return Truck(**(values | change))


def shipment(shipment_id: str = "s", **change: Any) -> Shipment:
    """Two tonnes with the whole day."""
    values: dict[str, Any] = {
        "id": shipment_id, "pickup": WAREHOUSE, "dropoff": SITE, "mass_kg": 2_000, "volume_l": 3_000,
        "longest_mm": 3_000, "pickup_window": DAY, "drop_window": DAY,
    }  # fmt: skip
    return Shipment(**(values | change))


def problem(trucks: list[Truck], shipments: list[Shipment], speed_factor: float = 1.4) -> Problem:
    """A problem with its road matrix."""
    pairs = tuple(trucks), tuple(shipments)
    points = [place.point for place in places_of(*pairs)]
    return Problem(*pairs, matrix(points, speed_factor=speed_factor))


def market(shipments: int, warehouses: int, trucks: int, seed: int = 1) -> Problem:
    """Few warehouses shared by many shipments, wide windows, three classes of trucks, some cranes and closed sites."""
    dice = random.Random(seed)

    def somewhere() -> Place:
        return Place(round(dice.uniform(55.801, 55.827), 6), round(dice.uniform(37.586, 37.630), 6))

    yard, doors = somewhere(), [somewhere() for _ in range(warehouses)]
    classes = ((5_000, 20_000, 6_000, 9_000), (10_000, 36_000, 8_000, 16_000), (20_000, 60_000, 13_600, 32_000))
    fleet = []
    for number in range(trucks):
        payload, volume, longest, gross = classes[number % 3]
        fleet.append(truck(
            f"t{number}", start=yard, end=yard, payload_kg=payload, volume_l=volume, longest_mm=longest,
            gross_mass_kg=gross, skills=frozenset({"crane"} if number % 3 == 1 else ()),
        ))  # fmt: skip
    goods = []
    for number in range(shipments):
        opens, kg = dice.randint(8, 14), dice.choice((300, 600, 900, 1200, 1800, 2500, 3800, 4800))
        goods.append(shipment(
            f"s{number}", pickup=doors[number % warehouses], dropoff=somewhere(), mass_kg=kg,
            volume_l=min(19_000, int(kg * dice.uniform(0.8, 4))), longest_mm=dice.choice((2_500, 3_000, 6_000)),
            pickup_window=(8 * HOUR, 18 * HOUR),
            drop_window=(opens * HOUR, min(opens + dice.choice((3, 4, 6)), 19) * HOUR),
            pickup_service_s=600 + kg // 10, drop_service_s=600 + kg // 8,
            needs=frozenset({"crane"} if number % 11 == 0 else ()),
            max_vehicle_mass_kg=20_000 if number % 7 == 1 else None,
        ))  # fmt: skip
    return problem(fleet, goods)
