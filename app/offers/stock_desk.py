"""Stock as a seller looks at it and sets it right: levels, why they are so, adjustments with a reason, safety stock."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.core import audit
from app.core.db import session, unit_of_work
from app.core.errors import Invalid
from app.core.permissions import Actor
from app.offers import desk, queries, stock
from app.offers.desk import DeskOffer
from app.offers.levels import StockLine, ensure, refresh_lists
from app.offers.models import StockLevel, Warehouse
from app.offers.rules import exact_decimal, in_base_units
from app.offers.stock import Cause

REASONS = {
    "received": ("received", 1),
    "found": ("adjusted", 1),
    "lost": ("adjusted", -1),
    "damaged": ("scrapped", -1),
    "taken": ("adjusted", -1),
}
"""Reason of an adjustment -> kind of the movement and whether it adds or takes away."""
MOST_NOTE = 200


@dataclass(frozen=True, slots=True)
class PlaceLevel:
    """Stock of an offer in a warehouse, in base units: free = on_hand - promised - held - safety, not below zero."""

    warehouse_id: int
    warehouse: uuid.UUID
    name: str
    is_open: bool
    on_hand: Decimal
    promised: Decimal
    held: Decimal
    """Held for checkouts that go on now."""
    safety: Decimal

    @property
    def free(self) -> Decimal:
        return max(self.on_hand - self.promised - self.held - self.safety, Decimal(0)) if self.is_open else Decimal(0)


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of stock and what lay and was promised after it, in base units; `entity` is what it was made for."""

    id: int
    at: datetime
    kind: str
    warehouse: str
    on_hand_delta: Decimal
    allocated_delta: Decimal
    on_hand_after: Decimal
    promised_after: Decimal
    reason: str
    entity: str
    entity_id: int | None
    who: str


def levels(offer_id: int, seller_id: int) -> list[PlaceLevel]:
    """Every warehouse of the seller, also those where nothing of the offer ever lay."""
    zero = sa.literal(Decimal(0))
    rows = session.execute(
        sa.select(
            Warehouse.id, Warehouse.public_id, Warehouse.name, Warehouse.is_active,
            sa.func.coalesce(StockLevel.on_hand, zero), sa.func.coalesce(StockLevel.allocated, zero),
            sa.func.coalesce(StockLevel.reserved, zero), sa.func.coalesce(StockLevel.safety, zero),
        )
        .outerjoin(StockLevel, sa.and_(StockLevel.warehouse_id == Warehouse.id, StockLevel.offer_id == offer_id))
        .where(Warehouse.seller_id == seller_id)
        .order_by(Warehouse.id)
    )  # fmt: skip
    return [PlaceLevel(*row) for row in rows]


_MOVEMENTS = sa.text(
    """
    SELECT * FROM (
        SELECT m.id, m.created_at, m.kind, w.name, m.on_hand_delta, m.allocated_delta,
            sum(m.on_hand_delta) OVER so_far, sum(m.allocated_delta) OVER so_far, m.reason, m.entity,
            m.entity_id, coalesce(u.name, '')
        FROM stock_movement m
        JOIN warehouse w ON w.id = m.warehouse_id
        LEFT JOIN user_account u ON u.id = m.user_id
        WHERE m.offer_id = :offer AND (CAST(:warehouse AS bigint) IS NULL OR m.warehouse_id = :warehouse)
        WINDOW so_far AS (PARTITION BY m.warehouse_id ORDER BY m.id)
    ) AS moved (id, at, kind, warehouse, on_hand_delta, allocated_delta, on_hand_after, promised_after, reason, entity,
        entity_id, who)
    WHERE CAST(:before AS bigint) IS NULL OR id < :before
    ORDER BY id DESC LIMIT :limit
    """
)


def movements(
    offer_id: int, warehouse_id: int | None = None, before: int | None = None, limit: int = 50
) -> list[Movement]:
    """Why stock is what it is, newest first. The caller has checked whose offer it is."""
    given = {"offer": offer_id, "warehouse": warehouse_id, "before": before, "limit": limit}
    return [Movement(*row) for row in session.execute(_MOVEMENTS, given)]


@unit_of_work
def adjust(
    actor: Actor, offer_id: uuid.UUID, warehouse: uuid.UUID, quantity: Decimal, reason: str, note: str = ""
) -> None:
    """Add to or take from what lies in an own warehouse, in units of sale.

    Raises:
        NotFound: the offer or the warehouse is absent or another seller's.
        Invalid: an unknown reason, nothing or less, or not a whole number of millionths of the base unit.
        Conflict: `below_allocated` when orders are promised more than would be left.
    """
    offer = desk.offer(actor.seller_id, offer_id)
    place = queries.warehouse_of(actor.seller_id, warehouse)
    if reason not in REASONS:
        raise Invalid.one("/reason", "unknown_option")
    if quantity <= 0:
        raise Invalid.one("/quantity", "quantity_positive")
    kind, sign = REASONS[reason]
    line = StockLine(offer.id, place.id, _base(offer, quantity, "/quantity"))
    told = f"{reason}: {note}"[:MOST_NOTE] if note else reason
    stock.change(line, kind, sign, Cause("seller_adjustment", None, actor, told))
    after = {"warehouse": place.id, "kind": kind, "quantity": str(sign * line.quantity), "reason": told}
    audit.record(actor, "stock.adjusted", "offer", offer.id, after=after)


def _base(offer: DeskOffer, quantity: Decimal, pointer: str) -> Decimal:
    base = exact_decimal(in_base_units(quantity, offer.factor))
    if base is None:
        raise Invalid.one(pointer, "not_exact")
    return base


@unit_of_work
def set_safety(actor: Actor, offer_id: uuid.UUID, warehouse: uuid.UUID, quantity: Decimal) -> None:
    """Keep so many units of sale from being sold.

    Raises:
        NotFound: the offer or the warehouse is absent or another seller's.
        Invalid: negative, too much, or not a whole number of millionths of the base unit.
    """
    offer = desk.offer(actor.seller_id, offer_id)
    place = queries.warehouse_of(actor.seller_id, warehouse)
    if quantity < 0:
        raise Invalid.one("/safety", "too_small", minimum=0)
    base = _base(offer, quantity, "/safety")
    if base >= Decimal(10) ** 12:
        raise Invalid.one("/safety", "too_large", maximum=10**12)
    line = StockLine(offer.id, place.id, base)
    ensure([line])
    before = session.scalar(
        sa.select(StockLevel.safety)
        .where(StockLevel.offer_id == offer.id, StockLevel.warehouse_id == place.id)
        .with_for_update()
    )
    session.execute(
        sa.update(StockLevel)
        .where(StockLevel.offer_id == offer.id, StockLevel.warehouse_id == place.id)
        .values(safety=base, updated_at=sa.func.now())
    )
    told: dict[str, Any] = {"warehouse": place.id, "safety": str(base)}
    audit.record(actor, "stock.safety_set", "offer", offer.id, before={"safety": str(before)}, after=told)
    refresh_lists([line])
