"""Facts that the domain of money publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.core.events import Event


@dataclass(frozen=True, slots=True)
class PaymentPaid(Event):
    """Money has come; entity_id is the payment's."""

    entity: ClassVar[str] = "payment"
    amount: int = 0


@dataclass(frozen=True, slots=True)
class RefundOwed(Event):
    """Money has to go back; entity_id is the refund's."""

    entity: ClassVar[str] = "refund"
    amount: int = 0


@dataclass(frozen=True, slots=True)
class RefundApproved(Event):
    """A refund may be sent; entity_id is the refund's. Whoever sends money back by itself listens to this."""

    entity: ClassVar[str] = "refund"
    amount: int = 0
