"""Which carriers pick up at a warehouse and whom its seller prefers: asked by checkout, chosen by the seller."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.core import audit
from app.core.db import changed, session, unit_of_work
from app.core.errors import FieldError, Invalid
from app.core.permissions import Actor
from app.logistics.models import Carrier, CarrierWarehouse
from app.offers import queries as offers


@dataclass(frozen=True, slots=True)
class ServingRow:
    """A carrier of the market as one warehouse sees it."""

    public_id: uuid.UUID
    name: str
    phone: str
    serves: bool
    is_preferred: bool


def carriers_of(warehouse_id: int) -> list[ServingRow]:
    """Every working carrier, those that pick up here first."""
    here = sa.and_(CarrierWarehouse.carrier_id == Carrier.id, CarrierWarehouse.warehouse_id == warehouse_id)
    serves = CarrierWarehouse.carrier_id.is_not(None)
    rows = session.execute(
        sa.select(Carrier.id, Carrier.name, Carrier.phone, serves, CarrierWarehouse.is_preferred)
        .outerjoin(CarrierWarehouse, here)
        .where(Carrier.is_active)
        .order_by(serves.desc(), Carrier.name, Carrier.id)
    ).all()
    keys = accounts.outward_ids(row.id for row in rows)
    return [ServingRow(keys[own], name, phone, here, bool(first)) for own, name, phone, here, first in rows]


@unit_of_work
def choose(
    actor: Actor, warehouse: uuid.UUID, served: Collection[uuid.UUID], preferred: Collection[uuid.UUID] = ()
) -> None:
    """Let these carriers, and no others, pick up at a warehouse of the seller; what is sold already stays as it is.

    Args:
        preferred: checkout offers them before cheaper ones.

    Raises:
        NotFound: the warehouse is absent, or another seller's.
        Invalid: an unknown carrier, or a preferred one that does not serve.
    """
    place = offers.warehouse_of(actor.seller_id, warehouse)
    ids = session.scalars(sa.select(Carrier.id).where(Carrier.is_active)).all()
    known = {key: own for own, key in accounts.outward_ids(ids).items()}
    errors = [] if set(served) <= set(known) else [FieldError("/carriers", "unknown_option")]
    if not set(preferred) <= set(served):
        errors.append(FieldError("/preferred", "preferred_must_serve"))
    if errors:
        raise Invalid(errors)
    session.execute(
        sa.delete(CarrierWarehouse).where(
            CarrierWarehouse.warehouse_id == place.id, CarrierWarehouse.carrier_id.in_(known.values())
        )
    )
    session.add_all(
        CarrierWarehouse(carrier_id=known[key], warehouse_id=place.id, is_preferred=key in preferred)
        for key in sorted(set(served))
    )
    session.flush()
    changed("rates")
    names = {"carriers": sorted(map(str, served)), "preferred": sorted(map(str, preferred))}
    audit.record(actor, "warehouse.carriers_chosen", "warehouse", place.id, after=names)
