"""What commands on stock share: a line, the order in which levels are locked, the lists that show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from app.core.db import session
from app.offers import listing
from app.offers.models import Offer


@dataclass(frozen=True, slots=True, order=True)
class StockLine:
    """So many base units of an offer in a warehouse."""

    offer_id: int
    warehouse_id: int
    quantity: Decimal


def in_order(lines: Iterable[StockLine]) -> list[StockLine]:
    """One line per (offer, warehouse), sorted: the lock order. Lines of nothing are left out.

    Raises:
        ValueError: a negative quantity.
    """
    total: dict[tuple[int, int], Decimal] = {}
    for line in lines:
        if line.quantity < 0:
            raise ValueError("a stock line cannot be negative")
        key = (line.offer_id, line.warehouse_id)
        total[key] = total.get(key, Decimal(0)) + line.quantity
    return [StockLine(offer, warehouse, q) for (offer, warehouse), q in sorted(total.items()) if q]


def refresh_lists(lines: Sequence[StockLine]) -> None:
    """What lists show of these offers is reckoned anew."""
    offers = {line.offer_id for line in lines}
    products = session.scalars(sa.select(Offer.product_id).where(Offer.id.in_(offers)).distinct())
    listing.refresh(list(products))
