"""Stock as a seller states it: rows of SKU, warehouse, quantity and unit, each answered for itself."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from app.core import audit
from app.core.db import unit_of_work
from app.core.errors import Conflict, Invalid
from app.core.permissions import Actor
from app.offers import desk, queries, stock
from app.offers.levels import StockLine
from app.offers.rules import exact_decimal, in_base_units
from app.offers.stock import Cause

MAX_ROWS = 1000


@dataclass(frozen=True, slots=True)
class StatedStock:
    """So many `unit` (None: the offer's unit of sale) of a SKU lie in a warehouse."""

    sku: str
    warehouse: uuid.UUID
    on_hand: Decimal
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a row: `code` is None when it is in force; `promised` in base units when it was too low."""

    code: str | None
    on_hand_base: Decimal | None = None
    promised: Decimal | None = None


@unit_of_work
def set_stock(actor: Actor, rows: Sequence[StatedStock], reason: str = "") -> list[RowResult]:
    """Set what lies in the warehouses, up to MAX_ROWS at once; a wrong row does not stop the others.

    Codes: `unknown_sku`, `unknown_warehouse`, `unit_not_of_product`, `too_small`, `not_exact`, `repeated_row`,
    `below_allocated`.
    """
    skus = [row.sku for row in rows]
    offers = desk.by_sku(actor.seller_id, skus)
    factors = desk.unit_factors(actor.seller_id, skus)
    places = {place.public_id: place.id for place in queries.warehouses_of(actor.seller_id)}
    results: dict[int, RowResult] = {}
    lines: dict[tuple[int, int], tuple[int, StockLine]] = {}
    for index, row in enumerate(rows):
        read = _line(row, offers, places, factors)
        if isinstance(read, RowResult):
            results[index] = read
        elif (read.offer_id, read.warehouse_id) in lines:
            results[index] = RowResult("repeated_row")
        else:
            lines[read.offer_id, read.warehouse_id] = (index, read)
    counted = stock.count_many([line for _, line in lines.values()], Cause("seller_count", None, actor, reason))
    for (index, _), count in zip(lines.values(), counted, strict=True):
        refused = "below_allocated" if count.refused else None
        on_hand, promised = (None, count.promised) if refused else (count.line.quantity, None)
        results[index] = RowResult(refused, on_hand, promised)
    changed = sum(1 for count in counted if count.difference and not count.refused)
    if changed:
        audit.record(actor, "stock.counted", "seller", actor.seller_id, after={"levels": changed})
    return [results[index] for index in range(len(rows))]


@unit_of_work
def recount(
    actor: Actor, offer_id: uuid.UUID, warehouse: uuid.UUID, on_hand: Decimal, was: Decimal | None, reason: str = ""
) -> None:
    """Set what lies of an own offer in an own warehouse, in units of sale, seen as `was` when it was decided.

    Raises:
        NotFound: the offer or the warehouse is absent or another seller's.
        Conflict: `stock_moved` when it is no longer what was seen (the context holds `present` and `wanted`, in units
            of sale), or `below_allocated`.
        Invalid: negative, or not a whole number of millionths of the base unit.
    """
    offer = desk.offer(actor.seller_id, offer_id)
    place = queries.warehouse_of(actor.seller_id, warehouse)
    base = exact_decimal(in_base_units(on_hand, offer.factor))
    if on_hand < 0 or base is None:
        raise Invalid.one("/on_hand", "not_exact" if base is None else "too_small", minimum=0)
    level = offer.levels.get(place.id)
    present = offer.in_units(level.on_hand) if level else Decimal(0)
    if was is not None and Fraction(present) != Fraction(was):
        raise Conflict("stock_moved", present=present, wanted=on_hand)
    stock.count(offer.id, place.id, base, Cause("seller_count", None, actor, reason))
    audit.record(actor, "stock.counted", "offer", offer.id, after={"warehouse": place.id, "on_hand": str(base)})


def _line(
    row: StatedStock,
    offers: dict[str, desk.DeskOffer],
    places: dict[uuid.UUID, int],
    factors: dict[tuple[str, str], Fraction],
) -> StockLine | RowResult:
    offer = offers.get(row.sku)
    if offer is None:
        return RowResult("unknown_sku")
    place = places.get(row.warehouse)
    if place is None:
        return RowResult("unknown_warehouse")
    factor = factors.get((row.sku, row.unit or offer.unit))
    if factor is None:
        return RowResult("unit_not_of_product")
    if row.on_hand < 0:
        return RowResult("too_small")
    base = exact_decimal(in_base_units(row.on_hand, factor))
    return RowResult("not_exact") if base is None else StockLine(offer.id, place, base)
