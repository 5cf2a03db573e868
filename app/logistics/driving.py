"""Who may drive what: categories of a licence by the gross mass of the truck, skills by its equipment. Pure.

Categories: article 25 of the federal law on road safety (196-FZ): B up to 3.5 t, C1 above 3.5 t up to 7.5 t, C above
3.5 t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from app.core.errors import Conflict

CATEGORIES = ("B", "BE", "C1", "C1E", "C", "CE")
SKILLS = ("crane_operator", "forklift", "hazmat", "slinger", "tail_lift")
LIGHT_KG, MEDIUM_KG = 3500, 7500


class Driven(Protocol):
    """What of a truck decides who may drive it."""

    @property
    def gross_mass_kg(self) -> int: ...
    @property
    def has_crane(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Driver:
    """What of a person decides what may be driven."""

    licences: Mapping[str, date | None]
    skills: frozenset[str] = frozenset()

    @classmethod
    def of(cls, row: Any) -> Driver:
        """From a row of the table `courier`."""
        return cls(held(row.licences, row.licence), frozenset(row.skills))


@dataclass(frozen=True, slots=True)
class Category:
    """The category that covers a truck; `name` empty: the driver has none. `until`: its last day, None: no end."""

    needed: str
    name: str = ""
    until: date | None = None

    def is_over(self, day: date) -> bool:
        return self.until is not None and self.until < day


def held(licences: Mapping[str, Any], text: str) -> dict[str, date | None]:
    """Category -> last day. Rows from before dates were kept have only words, without end."""
    if licences:
        return {name: date.fromisoformat(day) if isinstance(day, str) else day for name, day in licences.items()}
    words = text.upper().replace("С", "C").replace("В", "B").replace("Е", "E").replace(",", " ").split()
    return {word: None for word in words if word in CATEGORIES}


def needed(gross_mass_kg: int) -> tuple[str, ...]:
    """The categories any of which covers a truck, the smallest first."""
    if gross_mass_kg <= LIGHT_KG:
        return ("B", "BE")
    return ("C1", "C1E", "C", "CE") if gross_mass_kg <= MEDIUM_KG else ("C", "CE")


def category_for(gross_mass_kg: int, licences: Mapping[str, date | None]) -> Category:
    """The category of a licence that covers a truck and is valid longest."""
    names = needed(gross_mass_kg)
    asked = "B" if gross_mass_kg <= LIGHT_KG else "C"
    own = [(licences[name] or date.max, name) for name in names if name in licences]
    if not own:
        return Category(asked)
    until, name = max(own)
    return Category(asked, name, None if until == date.max else until)


def check(driver: Driver, truck: Driven, day: date) -> None:
    """Refuse a driver who may not drive a truck on a day.

    Raises:
        Conflict: `licence_not_enough` with the category and mass, `licence_over` with the last day,
            `no_crane_operator`.
    """
    found = category_for(truck.gross_mass_kg, driver.licences)
    if not found.name:
        raise Conflict("licence_not_enough", category=found.needed, gross_mass_kg=truck.gross_mass_kg)
    if found.is_over(day):
        raise Conflict("licence_over", category=found.name, until=found.until.isoformat() if found.until else "")
    if truck.has_crane and "crane_operator" not in driver.skills:
        raise Conflict("no_crane_operator")


def fuel_per_km(ml_per_km: int, price: int) -> int:
    """Kopeks of fuel a kilometre, rounded up: millilitres a kilometre times kopeks a litre."""
    return -(-ml_per_km * price // 1000)
