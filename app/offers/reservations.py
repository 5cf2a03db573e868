"""Stock held for a cart that is being checked out, counted in `stock_level.reserved` until bought, let go or too old.

A hold is a courtesy between buyers, never a promise: a seller who counts less than is held takes holds away, the
youngest first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.core.db import session, unit_of_work
from app.offers import levels
from app.offers.levels import StockLine, in_order, refresh_lists
from app.offers.models import Reservation, StockLevel, Warehouse

_HELD = sa.select(Reservation.offer_id, Reservation.warehouse_id, Reservation.quantity)
_LOCK_HELD = sa.text(
    "SELECT s.offer_id FROM stock_level s"
    " JOIN reservation r ON r.offer_id = s.offer_id AND r.warehouse_id = s.warehouse_id"
    " WHERE r.cart_id = :cart ORDER BY s.offer_id, s.warehouse_id FOR UPDATE OF s"
)


@unit_of_work
def hold(cart_id: int, lines: Sequence[StockLine], until: datetime) -> bool:
    """Hold all of these lines for a cart instead of what it holds, or nothing; False when others were faster."""
    wanted = in_order(lines)
    before = [StockLine(*row) for row in session.execute(_HELD.where(Reservation.cart_id == cart_id))]
    levels.lock(in_order([*wanted, *before]))
    given_back = _remove(Reservation.cart_id == cart_id)
    if levels.short(wanted):
        given_back += let_go_expired(wanted)
        if levels.short(wanted):
            refresh_lists(given_back)
            return False
    levels.add(wanted, reserved=1)
    session.execute(
        sa.insert(Reservation),
        [
            {"cart_id": cart_id, "offer_id": line.offer_id, "warehouse_id": line.warehouse_id,
             "quantity": line.quantity, "expires_at": until}
            for line in wanted
        ],
    )  # fmt: skip
    refresh_lists([*wanted, *given_back])
    return True


@unit_of_work
def let_go(cart_id: int, *, relist: bool = True) -> None:
    """Give back whatever a cart holds; nothing happens when it holds nothing.

    Args:
        relist: False when the caller takes the same goods at once, which shows them in lists anew.
    """
    if session.execute(_LOCK_HELD, {"cart": cart_id}).first() is not None:
        gone = _remove(Reservation.cart_id == cart_id)
        if relist:
            refresh_lists(gone)


@unit_of_work
def let_go_expired(lines: Sequence[StockLine]) -> list[StockLine]:
    """Give back what is too old among the holds on these levels, which the caller has locked and will show anew."""
    places = [line.key for line in lines]
    is_here = sa.tuple_(Reservation.offer_id, Reservation.warehouse_id).in_(places)
    return _remove(sa.and_(is_here, Reservation.expires_at <= sa.func.now()))


def _remove(condition: sa.ColumnElement[bool]) -> list[StockLine]:
    """Delete holds on locked levels and count them out; what they were."""
    gone = session.execute(
        sa.delete(Reservation)
        .where(condition)
        .returning(Reservation.offer_id, Reservation.warehouse_id, Reservation.quantity)
    ).all()
    lines = in_order(StockLine(*row) for row in gone)
    if lines:
        levels.add(lines, reserved=-1)
    return lines


@unit_of_work
def make_room(left: Mapping[tuple[int, int], Decimal]) -> None:
    """Take holds away, the youngest first, until orders and holds fit into what will lie there.

    Args:
        left: (offer, warehouse) -> base units that will be on hand. The caller has locked the levels, and shows their
            products in lists anew.
    """
    if not left:
        return
    crowded = session.execute(
        sa.select(StockLevel.offer_id, StockLevel.warehouse_id, StockLevel.allocated, StockLevel.reserved).where(
            sa.tuple_(StockLevel.offer_id, StockLevel.warehouse_id).in_(list(left)), StockLevel.reserved > 0
        )
    ).all()
    gone: list[int] = []
    for offer, place, allocated, reserved in crowded:
        excess = allocated + reserved - left[offer, place]
        if excess > 0:
            gone += _youngest(offer, place, excess)
    if gone:
        _remove(Reservation.id.in_(gone))


def _youngest(offer: int, place: int, excess: Decimal) -> list[int]:
    found = []
    rows = session.execute(
        sa.select(Reservation.id, Reservation.quantity)
        .where(Reservation.offer_id == offer, Reservation.warehouse_id == place)
        .order_by(Reservation.id.desc())
    )
    for row_id, quantity in rows:
        if excess <= 0:
            break
        found.append(row_id)
        excess -= quantity
    return found


@unit_of_work
def prolong(cart_id: int, until: datetime) -> None:
    """Hold longer what a cart holds."""
    session.execute(sa.update(Reservation).where(Reservation.cart_id == cart_id).values(expires_at=until))


def held_until(cart_id: Any) -> sa.ScalarSelect[datetime]:
    """The moment until which a cart (a column or value) holds something; NULL when it holds nothing."""
    return sa.select(sa.func.min(Reservation.expires_at)).where(Reservation.cart_id == cart_id).scalar_subquery()


def held_of(cart_id: Any, offer_id: Any) -> sa.ScalarSelect[Any]:
    """What a cart holds of an offer (columns) in warehouses that work, as [[warehouse, base units], ...]; or NULL."""
    pair = sa.func.json_build_array(Reservation.warehouse_id, Reservation.quantity.cast(sa.Text))
    return (
        sa.select(sa.func.json_agg(pair))
        .join(Warehouse, Warehouse.id == Reservation.warehouse_id)
        .where(Reservation.cart_id == cart_id, Reservation.offer_id == offer_id, Warehouse.is_active)
        .scalar_subquery()
    )


def held_by_anybody(offer_ids: Sequence[int]) -> dict[tuple[int, int], Decimal]:
    """(offer, warehouse) -> base units that all carts together hold in warehouses that work."""
    rows = session.execute(
        sa.select(Reservation.offer_id, Reservation.warehouse_id, sa.func.sum(Reservation.quantity))
        .join(Warehouse, Warehouse.id == Reservation.warehouse_id)
        .where(Reservation.offer_id.in_(offer_ids), Warehouse.is_active)
        .group_by(Reservation.offer_id, Reservation.warehouse_id)
    )
    return {(offer, place): quantity for offer, place, quantity in rows}
