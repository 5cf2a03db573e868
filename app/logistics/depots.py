"""Yards of a carrier: where its trucks start and end their day."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.core.db import session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid
from app.core.permissions import Actor
from app.logistics.fleet_facts import is_place
from app.logistics.fleet_models import Depot
from app.logistics.fleet_rows import insert, own, remove, update
from app.logistics.models import Carrier, Vehicle


@dataclass(frozen=True, slots=True)
class DepotRow:
    """A yard. The main one is that of trucks without a yard of their own."""

    public_id: uuid.UUID
    name: str
    address: str
    lat: float
    lon: float
    is_main: bool
    version: int
    vehicles: int


@dataclass(frozen=True, slots=True)
class DepotFacts:
    """What a dispatcher says of a yard."""

    name: str
    lat: float
    lon: float
    address: str = ""
    is_main: bool = False


def depots(carrier_id: int) -> list[DepotRow]:
    """The yards of a carrier, the main one first, each with how many working trucks stand there."""
    here = sa.or_(Vehicle.depot_id == Depot.id, sa.and_(Vehicle.depot_id.is_(None), Depot.is_main))
    trucks = (
        sa.select(sa.func.count())
        .where(Vehicle.carrier_id == Depot.carrier_id, Vehicle.is_active, here)
        .scalar_subquery()
    )
    columns: list[Any] = [getattr(Depot, name) for name in DepotRow.__dataclass_fields__ if name != "vehicles"]
    rows = session.execute(
        sa.select(*columns, trucks)
        .where(Depot.carrier_id == carrier_id)
        .order_by(Depot.is_main.desc(), Depot.name, Depot.id)
    )
    return [DepotRow(*tuple(row)) for row in rows]


@unit_of_work
def add_depot(actor: Actor, facts: DepotFacts) -> uuid.UUID:
    """Add a yard; the first one is the main one.

    Raises:
        Invalid: no name, no place on Earth, or a name that is known.
    """
    _check(facts)
    first = session.scalar(sa.select(Depot.id).where(Depot.carrier_id == actor.carrier_id).limit(1)) is None
    if facts.is_main or first:
        _no_other_main(actor)
    row = Depot(
        carrier_id=actor.carrier_id, name=facts.name.strip(), address=facts.address.strip(), lat=facts.lat,
        lon=facts.lon, is_main=facts.is_main or first,
    )  # fmt: skip
    made = insert(actor, row, "depot", "/name")
    _follow(row)
    return made


@unit_of_work
def change_depot(actor: Actor, public_id: uuid.UUID, facts: DepotFacts, version: int | None) -> None:
    """Change a yard. The main one stays so until another is made the main one.

    Raises:
        NotFound, Stale, Invalid.
    """
    _check(facts)
    row = own(Depot, actor, public_id)
    is_main = facts.is_main or row.is_main
    if is_main and not row.is_main:
        _no_other_main(actor)
    values = {"name": facts.name.strip(), "address": facts.address.strip(), "lat": facts.lat, "lon": facts.lon}
    update(actor, row, values | {"is_main": is_main}, version, "depot", "/name")
    _follow(row)


@unit_of_work
def remove_depot(actor: Actor, public_id: uuid.UUID) -> None:
    """Close a yard without trucks.

    Raises:
        NotFound.
        Conflict: `depot_is_main`; `depot_has_trucks`.
    """
    row = own(Depot, actor, public_id)
    if row.is_main:
        raise Conflict("depot_is_main")
    if session.scalar(sa.select(sa.exists().where(Vehicle.depot_id == row.id))):
        raise Conflict("depot_has_trucks")
    remove(actor, row, "depot", used=False)


def _check(facts: DepotFacts) -> None:
    errors = [] if facts.name.strip() else [FieldError("/name", "required")]
    if not is_place(facts.lat, facts.lon):
        errors.append(FieldError("/lat", "bad_coordinates"))
    if errors:
        raise Invalid(errors)


def _no_other_main(actor: Actor) -> None:
    session.execute(sa.update(Depot).where(Depot.carrier_id == actor.carrier_id, Depot.is_main).values(is_main=False))


def _follow(row: Depot) -> None:
    """The carrier's own address is that of its main yard."""
    if row.is_main:
        values = {"depot_address": row.address, "depot_lat": row.lat, "depot_lon": row.lon}
        session.execute(sa.update(Carrier).where(Carrier.id == row.carrier_id).values(values))
