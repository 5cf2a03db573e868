"""Returnable pallets that came back: the seller counts them, the deposit for them goes back to the buyer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from app.core.db import session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid
from app.core.permissions import Actor
from app.orders import refunds
from app.orders.models import FulfilmentLine, OrderLine
from app.orders.pallet_models import PalletReturn
from app.orders.transitions import locked_order, note
from app.payments.refunds import was_kept

REASON = "pallets_returned"


@dataclass(frozen=True, slots=True)
class PalletLine:
    """A line of an order that was handed over on returnable pallets: how many went out, how many came back."""

    line_id: int
    public_id: uuid.UUID
    name_ru: str
    name_en: str
    deposit: int
    """Kopeks for one."""
    out: int
    back: int

    @property
    def left(self) -> int:
        """Pallets that are with the buyer."""
        return self.out - self.back


def of_order(order_id: int) -> list[PalletLine]:
    """The pallets of an order that the buyer has or had, line by line."""
    out = (
        sa.select(sa.func.coalesce(sa.func.sum(FulfilmentLine.pallets), 0))
        .where(FulfilmentLine.order_line_id == OrderLine.id, FulfilmentLine.delivered.is_not(None))
        .scalar_subquery()
    )
    back = (
        sa.select(sa.func.coalesce(sa.func.sum(PalletReturn.pallets), 0))
        .where(PalletReturn.order_line_id == OrderLine.id, was_kept(PalletReturn.refund_id))
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(
            OrderLine.id, OrderLine.public_id, OrderLine.name_ru, OrderLine.name_en, OrderLine.pallet_deposit, out, back
        )
        .where(OrderLine.order_id == order_id, OrderLine.pallet_deposit > 0)
        .order_by(OrderLine.position)
    )
    return [line for line in (PalletLine(*row) for row in rows) if line.out]


@unit_of_work
def came_back(actor: Actor, number: str, counts: Mapping[uuid.UUID, Decimal], before: int | None = None) -> int:
    """The seller (own orders) or the operator has counted pallets that came back; they may come in several goes.

    Args:
        counts: order line -> pallets, whole.
        before: how many had come back when the form was shown: sent twice, it counts once. None: not asked.

    Returns:
        The deposit that goes back to the buyer, kopeks.

    Raises:
        NotFound: absent, or another seller's.
        Invalid: an unknown line, more than are with the buyer, none at all.
        Conflict: `refund_too_early` before the order is completed and paid, `pallets_counted` when others were counted
            meanwhile.
    """
    group, order, _trips = locked_order(refunds.order_for(actor, number))
    refunds.check_time(order)
    known = {line.public_id: line for line in of_order(order.id)}
    if before is not None and before != sum(line.back for line in known.values()):
        raise Conflict("pallets_counted")
    errors = []
    for key, many in counts.items():
        if key not in known:
            errors.append(FieldError(f"/lines/{key}", "unknown_order_line"))
        elif not many.is_finite() or many % 1 or not 0 <= many <= known[key].left:
            errors.append(FieldError(f"/lines/{key}", "counted_range", {"maximum": str(known[key].left)}))
    if not errors and not any(counts.values()):
        errors.append(FieldError("/lines", "pallets_none"))
    if errors:
        raise Invalid(errors)
    came = {known[key]: int(many) for key, many in counts.items() if many}
    deposit = sum(line.deposit * many for line, many in came.items())
    refund = refunds.give(actor, group, order, {}, REASON, deposit=deposit)
    session.add_all(
        PalletReturn(refund_id=refund.id, order_line_id=line.line_id, pallets=many, user_id=actor.user)
        for line, many in came.items()
    )
    note(actor, order, "order.pallets_returned", details={"pallets": sum(came.values()), "deposit": deposit})
    session.flush()
    return deposit
