"""Facts that ordering publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.core.events import Event


@dataclass(frozen=True, slots=True)
class OrderPlaced(Event):
    """A purchase was placed; entity_id is the group's."""

    entity: ClassVar[str] = "order_group"
    number: str = ""


@dataclass(frozen=True, slots=True)
class OrderEventOfSeller(Event):
    """Something happened to the order of one seller; entity_id is the order's."""

    entity: ClassVar[str] = "order"
    number: str = ""


@dataclass(frozen=True, slots=True)
class OrderAccepted(OrderEventOfSeller):
    """The seller agreed, to all or to less."""


@dataclass(frozen=True, slots=True)
class OrderRejected(OrderEventOfSeller):
    """The seller refused."""


@dataclass(frozen=True, slots=True)
class OrderExpired(OrderEventOfSeller):
    """The seller did not answer in time."""


@dataclass(frozen=True, slots=True)
class OrderCancelled(OrderEventOfSeller):
    """The buyer took it back, or nothing of it could be delivered."""


@dataclass(frozen=True, slots=True)
class OrderCompleted(OrderEventOfSeller):
    """Everything that could be delivered is delivered."""


@dataclass(frozen=True, slots=True)
class FulfilmentReady(Event):
    """Goods stand packed at the gate; entity_id is the fulfilment's."""

    entity: ClassVar[str] = "fulfilment"
    number: str = ""
