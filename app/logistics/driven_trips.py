"""What a carrier has driven to doors in a period: what its invoices are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core.db import session
from app.logistics.models import Delivery, DeliveryAttempt, Stop


@dataclass(frozen=True, slots=True)
class DrivenTrip:
    """A trip to a door. price: kopeks as it was sold."""

    attempt_id: int
    outcome: str
    reason: str
    happened_at: datetime
    delivery_id: int
    fulfilment_id: int
    seller_id: int
    number: str
    price: int
    window_from: datetime
    unloading_minutes: int
    address: str
    arrived_at: datetime | None
    completed_at: datetime | None


def driven(carrier_id: int, start: datetime, end: datetime) -> list[DrivenTrip]:
    """Trips of a carrier whose end at the door lies in [start, end), oldest first: one query."""
    columns: list[Any] = [
            DeliveryAttempt.id, DeliveryAttempt.outcome, DeliveryAttempt.reason, DeliveryAttempt.happened_at,
            Delivery.id, Delivery.fulfilment_id, Delivery.seller_id, Delivery.number, Delivery.price,
            Delivery.window_from, Delivery.unloading_minutes,
            sa.func.coalesce(Delivery.site["address"].astext, ""), Stop.arrived_at, Stop.completed_at,
    ]  # fmt: skip
    rows = session.execute(
        sa.select(*columns)
        .join(Delivery, Delivery.id == DeliveryAttempt.delivery_id)
        .join(Stop, Stop.id == DeliveryAttempt.stop_id)
        .where(Delivery.carrier_id == carrier_id)
        .where(DeliveryAttempt.happened_at >= start, DeliveryAttempt.happened_at < end)
        .order_by(DeliveryAttempt.happened_at, DeliveryAttempt.id)
    )
    return [DrivenTrip(*row) for row in rows]
