"""What commands on stock share: a line, the order in which levels are locked, counters, the lists that show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from app.core.db import session
from app.offers import listing


@dataclass(frozen=True, slots=True, order=True)
class StockLine:
    """So many base units of an offer in a warehouse."""

    offer_id: int
    warehouse_id: int
    quantity: Decimal

    @property
    def key(self) -> tuple[int, int]:
        """Where it lies: (offer, warehouse)."""
        return self.offer_id, self.warehouse_id


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


_NAMED = "unnest(CAST(:offers AS bigint[]), CAST(:places AS bigint[])) AS v(offer_id, warehouse_id)"
_ENSURE = sa.text(
    f"INSERT INTO stock_level (offer_id, warehouse_id) SELECT offer_id, warehouse_id FROM {_NAMED}"
    " ORDER BY offer_id, warehouse_id ON CONFLICT DO NOTHING"
)
_LOCK = sa.text(
    "SELECT s.offer_id, s.warehouse_id, s.on_hand, s.allocated, s.reserved"
    f" FROM stock_level s JOIN {_NAMED} ON v.offer_id = s.offer_id AND v.warehouse_id = s.warehouse_id"
    " ORDER BY s.offer_id, s.warehouse_id FOR UPDATE OF s"
)
_ADD = sa.text(
    """
    UPDATE stock_level s SET on_hand = s.on_hand + :on_hand * v.quantity,
        allocated = s.allocated + :allocated * v.quantity, reserved = s.reserved + :reserved * v.quantity,
        updated_at = now()
    FROM unnest(CAST(:offers AS bigint[]), CAST(:places AS bigint[]), CAST(:quantities AS numeric[]))
        AS v(offer_id, warehouse_id, quantity)
    WHERE s.offer_id = v.offer_id AND s.warehouse_id = v.warehouse_id
    """
)


@dataclass(frozen=True, slots=True)
class Level:
    """The counters of one offer in one warehouse, in base units."""

    on_hand: Decimal
    allocated: Decimal
    reserved: Decimal

    @property
    def free(self) -> Decimal:
        """What neither an order nor a cart has."""
        return self.on_hand - self.allocated - self.reserved


def ensure(lines: Sequence[StockLine]) -> None:
    """Make rows for what never lay in its warehouse before."""
    session.execute(_ENSURE, _keys(lines))


def lock(lines: Sequence[StockLine]) -> dict[tuple[int, int], Level]:
    """The counters of these lines by (offer, warehouse), locked in the one order there is; no row: not in it."""
    rows = session.execute(_LOCK, _keys(lines))
    return {(row.offer_id, row.warehouse_id): Level(row.on_hand, row.allocated, row.reserved) for row in rows}


def short(wanted: Sequence[StockLine]) -> dict[StockLine, Decimal]:
    """The lines of which there is too little, and what is free of them. All are locked afterwards."""
    there = lock(wanted)
    free = {line: there[line.key].free if line.key in there else Decimal(0) for line in wanted}
    return {line: base for line, base in free.items() if base < line.quantity}


def add(lines: Sequence[StockLine], *, on_hand: int = 0, allocated: int = 0, reserved: int = 0) -> None:
    """Add so many times the quantity of each line to the counters. A level may be named once."""
    signs = {"on_hand": on_hand, "allocated": allocated, "reserved": reserved}
    session.execute(_ADD, _keys(lines) | signs | {"quantities": [line.quantity for line in lines]})


def _keys(lines: Sequence[StockLine]) -> dict[str, list[int]]:
    return {"offers": [line.offer_id for line in lines], "places": [line.warehouse_id for line in lines]}


def refresh_lists(lines: Sequence[StockLine]) -> None:
    """What lists show of the stock of these offers is reckoned anew."""
    if lines:
        listing.refresh_stock([line.offer_id for line in lines])
