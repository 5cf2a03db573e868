"""Stock: on_hand and allocated change only here, only together with a movement, and never below what is promised.

Every command locks its levels first, in (offer, warehouse) order, so that buyers cannot deadlock and nothing is decided
on what was read before the lock. What lists show is reckoned last: products are locked after levels, never before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from app.core.db import session, unit_of_work
from app.core.errors import Conflict, DomainError
from app.core.permissions import Actor
from app.offers import levels, reservations
from app.offers.levels import StockLine, in_order, refresh_lists
from app.offers.models import StockMovement


@dataclass(frozen=True, slots=True)
class Cause:
    """What a movement is made for, e.g. ("fulfilment", 17), and who made it."""

    entity: str
    entity_id: int | None
    actor: Actor
    reason: str = ""


@unit_of_work
def take(lines: Sequence[StockLine], cause: Cause) -> None:
    """Promise stock to an order: allocated grows, if it is there and no cart holds it.

    Raises:
        Conflict: `stock_changed`, with all lines that are short: items = [{offer_id, warehouse_id, available}].
    """
    wanted = in_order(lines)
    if short := levels.short(wanted):
        reservations.let_go_expired(list(short))
        short = levels.short(wanted)
    if short:
        items = [{"offer_id": line.offer_id, "warehouse_id": line.warehouse_id, "available": max(free, Decimal(0))}
                 for line, free in short.items()]  # fmt: skip
        raise Conflict("stock_changed", items=items)
    _move(wanted, "allocated", on_hand=0, allocated=1, cause=cause)


@unit_of_work
def release(lines: Sequence[StockLine], cause: Cause) -> None:
    """Give promised stock back (an order was cancelled, rejected or accepted in part)."""
    _change(lines, "released", on_hand=0, allocated=-1, cause=cause)


@unit_of_work
def ship(lines: Sequence[StockLine], cause: Cause) -> None:
    """Promised stock left the warehouse: on_hand and allocated go down together."""
    _change(lines, "shipped", on_hand=-1, allocated=-1, cause=cause)


@unit_of_work
def receive(lines: Sequence[StockLine], cause: Cause) -> None:
    """Goods came in."""
    levels.ensure(in_order(lines))
    _change(lines, "received", on_hand=1, allocated=0, cause=cause)


@unit_of_work
def take_back(lines: Sequence[StockLine], cause: Cause) -> None:
    """Goods came back from a buyer."""
    levels.ensure(in_order(lines))
    _change(lines, "returned", on_hand=1, allocated=0, cause=cause)


@unit_of_work
def change(line: StockLine, kind: str, sign: int, cause: Cause) -> None:
    """Add `sign` x the quantity to on_hand, with a movement of this kind. Holds of carts give way.

    Raises:
        Conflict: `below_allocated` when orders are promised more than would be left.
    """
    levels.ensure([line])
    there = levels.lock([line])[line.key]
    left = there.on_hand + sign * line.quantity
    if left < there.allocated:
        raise Conflict("below_allocated", allocated=format(there.allocated.normalize(), "f"))
    reservations.make_room({line.key: left})
    _move([line], kind, on_hand=sign, allocated=0, cause=cause)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a count came to: the difference written, or the promised quantity that it fell below."""

    line: StockLine
    difference: Decimal
    promised: Decimal
    refused: bool


@unit_of_work
def count(offer_id: int, warehouse_id: int, on_hand: Decimal, cause: Cause) -> Decimal:
    """Set on_hand to what was counted; the movement holds the difference. Returns the difference.

    Raises:
        Conflict: `below_allocated` when orders are promised more than was counted.
    """
    [counted] = count_many([StockLine(offer_id, warehouse_id, on_hand)], cause)
    if counted.refused:
        raise Conflict("below_allocated", allocated=format(counted.promised.normalize(), "f"))
    return counted.difference


@unit_of_work
def count_many(lines: Sequence[StockLine], cause: Cause, *, relist: bool = True) -> list[Counted]:
    """Set on_hand of many levels in a handful of statements; what would fall below promises is left and reported.

    What carts hold is no promise: holds give way.

    Each (offer, warehouse) may be named once; the order of the answer is the order of `lines`. With `relist` false the
    caller refreshes the listing of the products itself, once for all it changes.
    """
    if not lines:
        return []
    levels.ensure(lines)
    there = levels.lock(lines)
    found = []
    for line in lines:
        level = there[line.key]
        found.append(Counted(line, line.quantity - level.on_hand, level.allocated, line.quantity < level.allocated))
    written = [c for c in found if c.difference and not c.refused]
    reservations.make_room(
        {c.line.key: c.line.quantity for c in written if c.line.quantity < c.promised + there[c.line.key].reserved}
    )
    _write_counts(written, cause)
    if relist and written:
        refresh_lists([c.line for c in written])
    return found


_SET_ON_HAND = sa.text(
    """
    UPDATE stock_level s SET on_hand = v.on_hand, updated_at = now()
    FROM unnest(CAST(:offers AS bigint[]), CAST(:places AS bigint[]), CAST(:counts AS numeric[]))
        AS v(offer_id, warehouse_id, on_hand)
    WHERE s.offer_id = v.offer_id AND s.warehouse_id = v.warehouse_id
    """
)


def _write_counts(counted: Sequence[Counted], cause: Cause) -> None:
    if not counted:
        return
    lines = [c.line for c in counted]
    session.execute(
        _SET_ON_HAND,
        {
            "offers": [line.offer_id for line in lines],
            "places": [line.warehouse_id for line in lines],
            "counts": [line.quantity for line in lines],
        },
    )
    rows = [_movement(c.line, "adjusted", c.difference, Decimal(0), cause) for c in counted]
    session.execute(sa.insert(StockMovement), rows)


def _change(lines: Sequence[StockLine], kind: str, *, on_hand: int, allocated: int, cause: Cause) -> None:
    """Move what must be there: it was promised before, or its row was made just now."""
    wanted = in_order(lines)
    there = levels.lock(wanted)
    for line in wanted:
        if line.key not in there:
            raise DomainError("no_stock_level", offer_id=line.offer_id, warehouse_id=line.warehouse_id)
    _move(wanted, kind, on_hand=on_hand, allocated=allocated, cause=cause)


def _move(lines: Sequence[StockLine], kind: str, *, on_hand: int, allocated: int, cause: Cause) -> None:
    """Counters and their movements together, then what lists show. The caller has locked the levels."""
    if not lines:
        return
    levels.add(lines, on_hand=on_hand, allocated=allocated)
    rows = [_movement(line, kind, on_hand * line.quantity, allocated * line.quantity, cause) for line in lines]
    session.execute(sa.insert(StockMovement), rows)
    refresh_lists(lines)


def _movement(line: StockLine, kind: str, on_hand: Decimal, allocated: Decimal, cause: Cause) -> dict[str, object]:
    return {
        "offer_id": line.offer_id,
        "warehouse_id": line.warehouse_id,
        "kind": kind,
        "on_hand_delta": on_hand,
        "allocated_delta": allocated,
        "reason": cause.reason,
        "entity": cause.entity,
        "entity_id": cause.entity_id,
        "user_id": cause.actor.user_id,
    }
