"""Facts that offers publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.core.events import Event


@dataclass(frozen=True, slots=True)
class PriceChanged(Event):
    """An offer's price changed; prices in kopeks."""

    entity: ClassVar[str] = "offer"
    product_id: int = 0
    old_price: int = 0
    new_price: int = 0


@dataclass(frozen=True, slots=True)
class SellerPaused(Event):
    """A seller's offers went from sale: suspended, holiday or agreement."""

    entity: ClassVar[str] = "seller"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SellerOpened(Event):
    """A seller's offers are on sale, for the first time or again."""

    entity: ClassVar[str] = "seller"


@dataclass(frozen=True, slots=True)
class StockRanOut(Event):
    """Nothing of an offer is available any more."""

    entity: ClassVar[str] = "offer"
    product_id: int = 0
