"""The tariffs of a carrier: versions by dates, changed, ended, tried out."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from app.core import audit, clock
from app.core.db import changed, session, unit_of_work
from app.core.errors import Conflict, NotFound, Stale
from app.core.permissions import Actor
from app.logistics import tariffs as tariffs_of
from app.logistics.fleet_facts import TariffFacts, check_tariff
from app.logistics.fleet_rows import insert, own, update
from app.logistics.models import Tariff


@dataclass(frozen=True, slots=True)
class TariffRow:
    """A tariff as lists and forms show it."""

    id: int
    public_id: uuid.UUID
    name: str
    base: int
    included_km: int
    per_km: int
    per_tonne: int
    per_m3: int
    long_from_mm: int
    long_piece: int
    per_floor_tonne: int
    hands_tonne: int
    crane: int
    tail_lift: int
    minimum: int
    extra_pickup: int
    max_mass_kg: int
    max_km: int
    zones: list[dict[str, Any]]
    distance_steps: list[dict[str, int]]
    mass_steps: list[dict[str, int]]
    free_minutes: int
    waiting_step: int
    per_waiting_step: int
    valid_from: date
    valid_to: date | None
    version: int


_TARIFF = [getattr(Tariff, name) for name in TariffRow.__dataclass_fields__]


def tariffs(carrier_id: int) -> list[TariffRow]:
    """The tariffs of a carrier, newest first."""
    rows = session.execute(
        sa.select(*_TARIFF).where(Tariff.carrier_id == carrier_id).order_by(Tariff.valid_from.desc(), Tariff.id.desc())
    )
    return [TariffRow(*row) for row in rows]


@unit_of_work
def add_tariff(actor: Actor, facts: TariffFacts) -> uuid.UUID:
    """Add a tariff.

    Raises:
        Invalid: figures that cannot be.
        Conflict: `tariff_overlaps`: a tariff of this name is valid on some of these days.
    """
    check_tariff(facts)
    changed("rates")
    return insert(actor, Tariff(carrier_id=actor.carrier_id, **_values(facts)), "tariff", "/name")


@unit_of_work
def change_tariff(actor: Actor, public_id: uuid.UUID, facts: TariffFacts, version: int | None) -> None:
    """Change a tariff; placed orders keep the price they were given.

    Raises:
        NotFound, Stale, Invalid.
        Conflict: `tariff_overlaps`.
    """
    check_tariff(facts)
    changed("rates")
    update(actor, own(Tariff, actor, public_id), _values(facts), version, "tariff", "/name")


@unit_of_work
def next_tariff(actor: Actor, public_id: uuid.UUID, facts: TariffFacts, version: int | None) -> uuid.UUID:
    """The next version of a tariff from `facts.valid_from` on: the present one ends the day before.

    Raises:
        NotFound, Stale, Invalid.
        Conflict: `version_not_later`: it would begin before the present one, or after its last day; `tariff_overlaps`.
    """
    check_tariff(facts)
    row = own(Tariff, actor, public_id)
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    ends = facts.valid_from - timedelta(days=1)
    if ends < row.valid_from or (row.valid_to is not None and ends > row.valid_to):
        raise Conflict("version_not_later", since=row.valid_from.isoformat())
    row.valid_to = ends
    row.version += 1
    session.flush()
    changed("rates")
    values = _values(facts) | {"name": row.name}
    audit.record(actor, "tariff.ended", "tariff", row.id, after={"valid_to": ends.isoformat()})
    return insert(actor, Tariff(carrier_id=actor.carrier_id, **values), "tariff", "/valid_from")


@unit_of_work
def remove_tariff(actor: Actor, public_id: uuid.UUID) -> None:
    """End a tariff today, or on its first day when that is still to come; it stays for the orders priced by it.

    Raises:
        NotFound.
    """
    row = own(Tariff, actor, public_id)
    row.valid_to = max(row.valid_from, min(clock.today(), row.valid_to or clock.today()))
    row.version += 1
    changed("rates")
    audit.record(actor, "tariff.ended", "tariff", row.id)


def _values(facts: TariffFacts) -> dict[str, Any]:
    """The columns; area zones in their order, steps by their bounds."""
    values = {name: getattr(facts, name) for name in TariffFacts.__dataclass_fields__}
    return values | {name: [dict(one) for one in values[name]] for name in ("zones", "distance_steps", "mass_steps")}


@dataclass(frozen=True, slots=True)
class Load:
    """What a calculator is asked about. Metres, kilograms, litres, millimetres, minutes of unloading."""

    distance_m: int = 10_000
    mass_kg: int = 1000
    volume_l: int = 0
    longest_mm: int = 0
    floor: int = 1
    lift: bool = False
    unloading: str = "self"
    waiting_minutes: int = 0
    point: tuple[float, float] | None = None


def try_out(carrier_id: int, public_id: uuid.UUID, load: Load) -> tariffs_of.Quote:
    """What a load would cost by a tariff of the carrier, line by line.

    Raises:
        NotFound: absent, or another carrier's.
    """
    row = next((one for one in tariffs(carrier_id) if one.public_id == public_id), None)
    if row is None:
        raise NotFound()
    return tariffs_of.quote(
        row, load.distance_m, load.mass_kg, Fraction(load.volume_l, 1000), load.longest_mm, floor=load.floor,
        lift=load.lift, unloading=load.unloading, waiting_minutes=load.waiting_minutes, point=load.point,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a tariff says of waiting: free minutes, then kopeks for each begun step of minutes."""

    free_minutes: int
    waiting_step: int
    per_waiting_step: int


def waiting_of(tariff_ids: Iterable[int]) -> dict[int, Waiting]:
    """Tariff -> what waiting costs by it; those that ask nothing for it are left out."""
    rows = session.execute(
        sa.select(Tariff.id, Tariff.free_minutes, Tariff.waiting_step, Tariff.per_waiting_step).where(
            Tariff.id.in_(sorted(set(tariff_ids))), Tariff.per_waiting_step > 0
        )
    )
    return {row.id: Waiting(*row[1:]) for row in rows}
