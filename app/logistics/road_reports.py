"""What drivers reported for a dispatcher to look at: defects of trucks, taps that no longer fitted, no right PIN."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.logistics.courier_models import VehicleCheck
from app.logistics.models import Courier, Delivery, DeliveryEvent, Vehicle

SHOWN_FOR = timedelta(days=14)
MOST = 100
KINDS = ("tap_conflict", "handed_over_unconfirmed")


@dataclass(frozen=True, slots=True)
class Defect:
    """A truck that was not in order."""

    vehicle: str
    plate: str
    driver: str
    phone: str
    odometer_km: int
    defects: list[dict[str, str]]
    note: str
    may_drive: bool
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class RoadEvent:
    """A tap that needs a look. `details` as the history of the delivery keeps them."""

    delivery: uuid.UUID
    number: str
    delivery_state: str
    kind: str
    happened_at: datetime
    details: dict[str, Any]

    @property
    def photos(self) -> list[str]:
        """Ids of pictures, the signature among them."""
        signature = self.details.get("signature")
        return [*self.details.get("photos", []), *([signature] if signature else [])]


def defects(carrier_id: int) -> list[Defect]:
    """Checks of the carrier's trucks that found something, newest first."""
    rows = session.execute(
        sa.select(
            Vehicle.name, Vehicle.plate, Courier.name, Courier.phone, VehicleCheck.odometer_km, VehicleCheck.defects,
            VehicleCheck.note, VehicleCheck.may_drive, VehicleCheck.checked_at,
        )
        .join(Vehicle, Vehicle.id == VehicleCheck.vehicle_id)
        .join(Courier, Courier.id == VehicleCheck.courier_id)
        .where(
            Vehicle.carrier_id == carrier_id,
            VehicleCheck.checked_at > clock.now() - SHOWN_FOR,
            sa.or_(sa.not_(VehicleCheck.may_drive), VehicleCheck.defects != sa.text("'[]'::jsonb")),
        )
        .order_by(VehicleCheck.checked_at.desc())
        .limit(MOST)
    )  # fmt: skip
    return [Defect(*row) for row in rows]


def events(carrier_id: int) -> list[RoadEvent]:
    """Taps on the carrier's deliveries that no longer fitted the plan or lacked the right PIN, newest first."""
    rows = session.execute(
        sa.select(
            Delivery.public_id, Delivery.number, Delivery.state, DeliveryEvent.kind, DeliveryEvent.happened_at,
            DeliveryEvent.details,
        )
        .join(Delivery, Delivery.id == DeliveryEvent.delivery_id)
        .where(
            Delivery.carrier_id == carrier_id,
            Delivery.day > clock.today() - SHOWN_FOR,
            DeliveryEvent.kind.in_(KINDS),
        )
        .order_by(DeliveryEvent.happened_at.desc())
        .limit(MOST)
    )  # fmt: skip
    return [RoadEvent(*row) for row in rows]
