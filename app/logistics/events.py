"""Facts of carrying that other domains listen to. `entity_id` is the delivery's id unless said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from app.core.events import Event


@dataclass(frozen=True, slots=True)
class DeliveryReady(Event):
    """The goods wait at the warehouse; the delivery may be planned."""

    entity: ClassVar[str] = "delivery"
    fulfilment_id: int


@dataclass(frozen=True, slots=True)
class DeliveryHandedOver(Event):
    """The courier has loaded the goods. `lines`: [{line, delivered, delivered_base, reason}] as counted, empty: all."""

    entity: ClassVar[str] = "delivery"
    fulfilment_id: int
    user_id: int | None
    happened_at: str
    lines: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DeliveryOnTheWay(Event):
    """The truck has left the warehouse."""

    entity: ClassVar[str] = "delivery"
    fulfilment_id: int
    user_id: int | None
    happened_at: str


@dataclass(frozen=True, slots=True)
class DeliveryCompleted(Event):
    """The truck has been at the door. outcome: delivered, partially_delivered or failed.

    lines: [{line, delivered (unit of sale), delivered_base, reason}]; cash_counted: kopeks or None.
    """

    entity: ClassVar[str] = "delivery"
    fulfilment_id: int
    user_id: int | None
    outcome: str
    reason: str
    lines: list[dict[str, Any]]
    cash_counted: int | None
    happened_at: str


@dataclass(frozen=True, slots=True)
class RoutesPublished(Event):
    """Couriers see their routes of a day. `entity_id` is the plan's id."""

    entity: ClassVar[str] = "route_plan"
    carrier_id: int
    day: str
    version: int
    fulfilment_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class VehicleForbidden(Event):
    """A driver found a defect with which the truck must not drive. `entity_id` is the vehicle's id."""

    entity: ClassVar[str] = "vehicle"
    courier_id: int
    check_id: int
    day: str
