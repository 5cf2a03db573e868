"""What rows of a carrier's fleet share: they are found by carrier and outward id, locked, versioned and audited."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from app.core import audit
from app.core.db import session, sqlstate
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.core.permissions import Actor
from app.logistics.fleet_models import Absence, Depot
from app.logistics.models import Courier, Shift, Tariff, Vehicle

Row = TypeVar("Row", Vehicle, Courier, Shift, Tariff, Depot, Absence)
Fleet = Vehicle | Courier | Shift | Tariff | Depot | Absence
UNIQUE_VIOLATION, EXCLUSION_VIOLATION = "23505", "23P01"
_TAKEN = {"shift": "shift_overlaps", "absence": "absence_overlaps", "tariff": "tariff_overlaps"}


def own(table: type[Row], actor: Actor, public_id: uuid.UUID) -> Row:
    """A row of the actor's carrier, locked.

    Raises:
        NotFound: absent, or another carrier's.
    """
    row = session.scalars(
        sa.select(table)
        .where(table.public_id == public_id, table.carrier_id == actor.carrier_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def insert(actor: Actor, row: Fleet, entity: str, pointer: str) -> uuid.UUID:
    """Add a row; a taken name or busy hours are told in words."""
    with told(entity, pointer):
        session.add(row)
    audit.record(actor, f"{entity}.added", entity, row.id)
    return row.public_id


def update(
    actor: Actor,
    row: Vehicle | Courier | Tariff | Depot,
    values: dict[str, Any],
    version: int | None,
    entity: str,
    pointer: str,
) -> None:
    """Change a locked row that the caller has checked.

    Raises:
        Stale: somebody changed it meanwhile.
        Invalid, Conflict: what `told` tells.
    """
    if version is not None and version != row.version:
        raise Stale(version=row.version)
    before = {name: str(getattr(row, name)) for name in values}
    with told(entity, pointer):
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
    after = {name: str(value) for name, value in values.items() if before[name] != str(value)}
    audit.record(actor, f"{entity}.changed", entity, row.id, before={n: before[n] for n in after}, after=after)


def remove(actor: Actor, row: Vehicle | Courier | Shift | Absence | Depot, entity: str, *, used: bool | None) -> None:
    """Delete a row, or take it out of work when routes remember it."""
    if used and isinstance(row, Vehicle | Courier):
        row.is_active = False
        row.version += 1
    else:
        session.delete(row)
    audit.record(actor, f"{entity}.removed", entity, row.id)


@contextmanager
def told(entity: str, pointer: str) -> Iterator[None]:
    """Write what is done inside at once, so that a taken plate or a busy driver is told in words.

    A savepoint keeps the caller's transaction usable.

    Raises:
        Conflict: `shift_overlaps`, `absence_overlaps`, `tariff_overlaps`.
        Invalid: `<entity>_known` at the pointer.
    """
    try:
        with session.begin_nested():
            yield
            session.flush()
    except exc.IntegrityError as error:
        if sqlstate(error) == EXCLUSION_VIOLATION:
            raise Conflict(_TAKEN.get(entity, "shift_overlaps")) from error
        if sqlstate(error) == UNIQUE_VIOLATION:
            raise Invalid.one(pointer, f"{entity}_known") from error
        raise
