"""Stock: on_hand and allocated change only here, only together with a movement, and never below what is promised.

Taking is one conditional UPDATE per line, in (offer, warehouse) order, so that buyers cannot deadlock and nothing is
read first and written later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.core.db import session, unit_of_work
from app.core.errors import Conflict, DomainError
from app.core.permissions import Actor
from app.offers import reservations
from app.offers.levels import StockLine, in_order, refresh_lists
from app.offers.models import StockLevel, StockMovement


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
    short = [line for line in in_order(lines) if not _allocate(line)]
    if short:
        reservations.let_go_expired(short)
        short = [line for line in short if not _allocate(line)]
    if short:
        raise Conflict("stock_changed", items=[_shortage(line) for line in short])
    for line in in_order(lines):
        _move(line, "allocated", Decimal(0), line.quantity, cause)
    refresh_lists(lines)


def _allocate(line: StockLine) -> bool:
    free = StockLevel.on_hand - StockLevel.allocated - StockLevel.reserved
    taken = session.execute(
        sa.update(StockLevel)
        .where(
            StockLevel.offer_id == line.offer_id,
            StockLevel.warehouse_id == line.warehouse_id,
            free >= line.quantity,
        )
        .values(allocated=StockLevel.allocated + line.quantity, updated_at=sa.func.now())
        .returning(StockLevel.offer_id)
    ).one_or_none()
    return taken is not None


def _shortage(line: StockLine) -> dict[str, object]:
    free = session.scalar(
        sa.select(StockLevel.on_hand - StockLevel.allocated - StockLevel.reserved).where(
            StockLevel.offer_id == line.offer_id, StockLevel.warehouse_id == line.warehouse_id
        )
    )
    return {
        "offer_id": line.offer_id,
        "warehouse_id": line.warehouse_id,
        "available": max(free or Decimal(0), Decimal(0)),
    }


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
    ensure_levels(lines)
    _change(lines, "received", on_hand=1, allocated=0, cause=cause)


@unit_of_work
def take_back(lines: Sequence[StockLine], cause: Cause) -> None:
    """Goods came back from a buyer."""
    ensure_levels(lines)
    _change(lines, "returned", on_hand=1, allocated=0, cause=cause)


@unit_of_work
def change(line: StockLine, kind: str, sign: int, cause: Cause) -> None:
    """Add `sign` x the quantity to on_hand, with a movement of this kind. Holds of carts give way.

    Raises:
        Conflict: `below_allocated` when orders are promised more than would be left.
    """
    ensure_levels([line])
    if sign < 0:
        [level] = session.execute(_LOCK_LEVELS, {"offers": [line.offer_id], "places": [line.warehouse_id]})
        reservations.make_room({(line.offer_id, line.warehouse_id): level.on_hand - line.quantity})
    promised = StockLevel.allocated + StockLevel.reserved
    here = sa.and_(StockLevel.offer_id == line.offer_id, StockLevel.warehouse_id == line.warehouse_id)
    changed = session.execute(
        sa.update(StockLevel)
        .where(here, StockLevel.on_hand + sign * line.quantity >= promised)
        .values(on_hand=StockLevel.on_hand + sign * line.quantity, updated_at=sa.func.now())
        .returning(StockLevel.offer_id)
    ).one_or_none()
    if changed is None:
        kept = session.scalar(sa.select(promised).where(here)) or Decimal(0)
        raise Conflict("below_allocated", allocated=format(kept.normalize(), "f"))
    _move(line, kind, sign * line.quantity, Decimal(0), cause)
    refresh_lists([line])


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
    keys = {"offers": [line.offer_id for line in lines], "places": [line.warehouse_id for line in lines]}
    session.execute(_ENSURE_LEVELS, keys)
    levels = session.execute(_LOCK_LEVELS, keys)
    known = {(row.offer_id, row.warehouse_id): row for row in levels}
    found = []
    for line in lines:
        row = known[line.offer_id, line.warehouse_id]
        found.append(Counted(line, line.quantity - row.on_hand, row.promised, line.quantity < row.promised))
    written = [c for c in found if c.difference and not c.refused]
    if crowded := {_key(c): c.line.quantity for c in written if c.line.quantity < c.promised + known[_key(c)].reserved}:
        reservations.make_room(crowded)
    _write_counts(written, cause)
    if relist and written:
        refresh_lists([c.line for c in written])
    return found


_NAMED = "unnest(CAST(:offers AS bigint[]), CAST(:places AS bigint[])) AS v(offer_id, warehouse_id)"
_ENSURE_LEVELS = sa.text(
    f"INSERT INTO stock_level (offer_id, warehouse_id) SELECT offer_id, warehouse_id FROM {_NAMED}"
    " ORDER BY offer_id, warehouse_id ON CONFLICT DO NOTHING"
)
_LOCK_LEVELS = sa.text(
    "SELECT s.offer_id, s.warehouse_id, s.on_hand, s.allocated AS promised, s.reserved"
    f" FROM stock_level s JOIN {_NAMED} ON v.offer_id = s.offer_id AND v.warehouse_id = s.warehouse_id"
    " ORDER BY s.offer_id, s.warehouse_id FOR UPDATE OF s"
)
_SET_ON_HAND = sa.text(
    """
    UPDATE stock_level s SET on_hand = v.on_hand, updated_at = now()
    FROM unnest(CAST(:offers AS bigint[]), CAST(:places AS bigint[]), CAST(:counts AS numeric[]))
        AS v(offer_id, warehouse_id, on_hand)
    WHERE s.offer_id = v.offer_id AND s.warehouse_id = v.warehouse_id
    """
)


def _key(counted: Counted) -> tuple[int, int]:
    return counted.line.offer_id, counted.line.warehouse_id


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
    for line in in_order(lines):
        changed = session.execute(
            sa.update(StockLevel)
            .where(StockLevel.offer_id == line.offer_id, StockLevel.warehouse_id == line.warehouse_id)
            .values(
                on_hand=StockLevel.on_hand + on_hand * line.quantity,
                allocated=StockLevel.allocated + allocated * line.quantity,
                updated_at=sa.func.now(),
            )
            .returning(StockLevel.offer_id)
        ).one_or_none()
        if changed is None:
            raise DomainError("no_stock_level", offer_id=line.offer_id, warehouse_id=line.warehouse_id)
        _move(line, kind, on_hand * line.quantity, allocated * line.quantity, cause)
    refresh_lists(lines)


def _move(line: StockLine, kind: str, on_hand: Decimal, allocated: Decimal, cause: Cause) -> None:
    session.execute(sa.insert(StockMovement).values(**_movement(line, kind, on_hand, allocated, cause)))


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


def ensure_levels(lines: Sequence[StockLine]) -> None:
    """Make rows for what never lay in its warehouse before."""
    for line in in_order(lines):
        session.execute(
            insert(StockLevel).values(offer_id=line.offer_id, warehouse_id=line.warehouse_id).on_conflict_do_nothing()
        )
