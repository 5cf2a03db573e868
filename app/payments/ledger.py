"""The ledger of sellers: what writes its rows. A row is never changed; what was wrong gets another row.

Callers hold the lock of the purchase (orders) or of the seller (payouts); a row's reference is written once.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app.core import audit, clock
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import FieldError, Forbidden, Invalid, NotFound
from app.core.permissions import Actor
from app.offers.models import Seller
from app.payments import queries, rules
from app.payments.models import Correction, Refund, RefundLine, SellerTransfer
from app.payments.refunds import Given
from app.payments.rules import NOTHING_BORNE, Borne

CORRECTION_MOST = 10_000_000_00


@dataclass(frozen=True, slots=True)
class Earned:
    """Kopeks of an order up to now: goods handed over, the fee on them, the operator's part of their discounts, the
    deposit for pallets that are with the buyer; and `delivery` of this trip, when the seller carries it.
    """

    goods: int
    fee: int
    delivery: int
    promotion: int
    deposit: int


def earn(seller_id: int, order_id: int, reference: str, now: Earned) -> None:
    """Bring an order's earnings up to date: rows for what is more now than the ledger says."""
    before = _earned(order_id)
    _write(
        seller_id,
        order_id,
        reference,
        {
            "sale": now.goods - before.get("sale", 0),
            "promotion": now.promotion - before.get("promotion", 0),
            "commission": -now.fee - before.get("commission", 0),
            "delivery": now.delivery,
            "deposit": now.deposit - before.get("deposit", 0),
        },
    )


def _earned(order_id: int) -> dict[str, int]:
    rows = session.execute(
        sa.select(SellerTransfer.kind, sa.func.sum(SellerTransfer.amount))
        .where(SellerTransfer.order_id == order_id, SellerTransfer.reference.startswith("trip:"))
        .group_by(SellerTransfer.kind)
    )
    return {kind: int(amount) for kind, amount in rows}


def _write(seller_id: int, order_id: int | None, reference: str, parts: Mapping[str, int], reason: str = "") -> None:
    for kind, amount in parts.items():
        if amount:
            session.add(
                SellerTransfer(
                    seller_id=seller_id, order_id=order_id, kind=kind, amount=amount, reference=reference, reason=reason
                )
            )
    session.flush()


def give_back(
    seller_id: int, order_id: int, refund: Given, gross: Mapping[int, int], borne: Mapping[int, Borne]
) -> None:
    """Take an approved refund off the seller: goods, the operator's part of their discount, the fee on both, and the
    delivery the seller had earned.

    Args:
        gross: order line -> kopeks handed over, for every line of the order.
        borne: order line -> the operator's part of its discount.
    """
    mine = _lines_of([refund.id])
    before = _given_before(refund, gross)
    fees = queries.fees_of(gross)
    fee = promotion = 0
    for line, amount in mine.items():
        net = gross[line] - before.get(line, 0)
        had, has = (borne.get(line, NOTHING_BORNE).kept(sum_) for sum_ in (net, net - amount))
        promotion += had - has
        if line in fees:
            fee += fees[line].kept(net + had) - fees[line].kept(net - amount + has)
    own = refund.delivery if _earned(order_id).get("delivery") else 0
    parts = {"refund": -refund.goods, "promotion": -promotion, "commission": fee, "delivery": -own}
    parts["deposit_returned"] = -refund.deposit
    _write(seller_id, order_id, f"refund:{refund.id}", parts, refund.reason)


def _given_before(refund: Given, lines: Mapping[int, int]) -> dict[int, int]:
    """Order line -> kopeks of refunds that the ledger has already."""
    rows = session.execute(
        sa.select(RefundLine.order_line_id, sa.func.sum(RefundLine.amount))
        .join(Refund, Refund.id == RefundLine.refund_id)
        .where(
            RefundLine.order_line_id.in_(list(lines)), Refund.id != refund.id, Refund.status.in_(("approved", "paid"))
        )
        .group_by(RefundLine.order_line_id)
    )
    return {line: int(amount) for line, amount in rows}


def _lines_of(refunds: Sequence[int]) -> dict[int, int]:
    rows = session.execute(
        sa.select(RefundLine.order_line_id, RefundLine.amount).where(RefundLine.refund_id.in_(refunds))
    )
    return dict(rows.tuples().all())


@dataclass(frozen=True, slots=True)
class Wanted:
    """A correction to write: kopeks, negative takes away."""

    seller_id: int
    amount: int
    reason: str


@unit_of_work
def ask_correction(actor: Actor, wanted: Wanted) -> uuid.UUID:
    """The operator asks for a row by hand; nothing moves until another person agrees.

    Raises:
        Invalid: unknown seller, no amount, no reason.
    """
    errors = []
    if session.get(Seller, wanted.seller_id) is None:
        errors.append(FieldError("/seller", "unknown_option"))
    if not 0 < abs(wanted.amount) <= CORRECTION_MOST:
        errors.append(FieldError("/amount", "correction_amount", {"maximum": CORRECTION_MOST // 100}))
    if not wanted.reason.strip():
        errors.append(FieldError("/reason", "required"))
    elif len(wanted.reason) > 500:
        errors.append(FieldError("/reason", "too_long", {"maximum": 500}))
    if errors:
        raise Invalid(errors)
    row = Correction(
        seller_id=wanted.seller_id,
        amount=wanted.amount,
        reason=wanted.reason.strip(),
        status="requested",
        requested_by_id=actor.user,
    )
    session.add(row)
    session.flush()
    facts = {"seller": row.seller_id, "amount": row.amount, "reason": row.reason}
    audit.record(actor, "correction.requested", "ledger_correction", row.id, after=facts)
    return row.public_id


@unit_of_work
def decide_correction(actor: Actor, correction: uuid.UUID, decision: str) -> None:
    """Approve (another person than who asked) or decline.

    Raises:
        NotFound. Invalid: unknown decision. Forbidden: `same_person`. Conflict: `correction_state`.
    """
    new = {"approve": "approved", "decline": "declined"}.get(decision)
    if new is None:
        raise Invalid.one("/decision", "unknown_option")
    found = session.scalar(sa.select(Correction.id).where(Correction.public_id == correction))
    if found is None:
        raise NotFound()
    row: Correction = lock_rows(Correction, [found])[0]
    rules.CORRECTION.check(row.status, new)
    if new == "approved" and row.requested_by_id == actor.user:
        raise Forbidden("same_person")
    row.status, row.decided_by_id, row.decided_at = new, actor.user, clock.now()
    if new == "approved":
        _write(row.seller_id, None, f"correction:{row.id}", {"correction": row.amount}, row.reason)
    audit.record(actor, f"correction.{new}", "ledger_correction", row.id, after={"amount": row.amount})
    session.flush()


def write_payout(seller_id: int, payout_id: int, amount: int) -> None:
    """What was paid out leaves the balance."""
    _write(seller_id, None, f"payout:{payout_id}", {"payout": -amount})


def reverse_payout(seller_id: int, payout_id: int, amount: int, reason: str) -> None:
    """The bank sent it back: the next run may pay it again."""
    _write(seller_id, None, f"payout:{payout_id}", {"payout_failed": amount}, reason)
