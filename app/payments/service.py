"""Commands of money. Every amount is in kopeks; callers hold the locks of the orders they speak of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from app.core import clock, events
from app.core.db import lock_rows, session, unit_of_work
from app.payments import queries, rules
from app.payments.events import PaymentPaid, RefundApproved, RefundOwed
from app.payments.models import (
    CommissionLine,
    Invoice,
    Payment,
    PaymentSplit,
    Refund,
)

UNPAID = ("awaiting", "overdue", "authorised")
"""States in which money is waited for."""


@dataclass(frozen=True, slots=True)
class FeeLine:
    """An order line to freeze the fee of."""

    order_line_id: int
    seller_id: int
    category_path: tuple[int, ...]
    gross: int


@unit_of_work
def open_payment(
    group_id: int,
    method: str,
    parts: Mapping[int, int],
    *,
    number: str,
    payer: Mapping[str, Any],
) -> int:
    """Start the one payment of a purchase, with a part for each order; an invoice gets its row and due day.

    Args:
        parts: order id -> kopeks; they sum to the payment.
        number: of the purchase, which is also the invoice's.
        payer: name, and inn, kpp, address of a company.

    Returns:
        The payment's id.
    """
    due = rules.due_day(clock.today()) if method == "invoice" else None
    payment = Payment(group_id=group_id, method=method, amount=sum(parts.values()), due_on=due)
    session.add(payment)
    session.flush()
    session.add_all(
        PaymentSplit(payment_id=payment.id, order_id=order, amount=amount) for order, amount in sorted(parts.items())
    )
    if due is not None:
        requisites = {"payer": dict(payer)}
        session.add(Invoice(number=number, payment_id=payment.id, requisites=requisites, due_on=due))
    return payment.id


@unit_of_work
def freeze_fees(lines: Sequence[FeeLine]) -> None:
    """Write the fee of each order line as the list of rules says today; never changed after."""
    day = clock.today()
    known = queries.commission_rules(day)
    for line in lines:
        fee = rules.fee_for(known, line.seller_id, line.category_path, line.gross, day)
        session.add(
            CommissionLine(
                order_line_id=line.order_line_id,
                rule_id=fee.rule_id,
                percent=fee.percent,
                base=line.gross,
                amount=fee.amount,
                vat=fee.vat,
            )
        )


@unit_of_work
def change_parts(group_id: int, parts: Mapping[int, int], reason: str, user_id: int | None) -> dict[int, int]:
    """Set what each order of a purchase is to be paid now that goods were taken off.

    What is not paid yet is asked less for, or not at all (voided); what is paid becomes refunds to make.

    Args:
        parts: order id -> kopeks to pay in the end, for the orders that change.

    Returns:
        order id -> kopeks owed back to the buyer.
    """
    payment = _locked(group_id)
    if payment is None:
        return {}
    splits = {s.order_id: s for s in _splits(payment.id)}
    if payment.status in ("paid", "partially_refunded"):
        owed = {
            order: _owe_back(splits[order], splits[order].amount - splits[order].refunded - amount, reason, user_id)
            for order, amount in sorted(parts.items())
        }
        return {order: amount for order, amount in owed.items() if amount}
    if payment.status in UNPAID:
        _ask(payment, splits, parts)
        session.flush()
    return {}


def _ask(payment: Payment, splits: Mapping[int, PaymentSplit], parts: Mapping[int, int]) -> None:
    """Ask for what is left; a payment of nothing is voided and keeps the amounts it asked last."""
    total = sum(parts.get(order, split.amount) for order, split in splits.items())
    if not total:
        payment.status = "voided"
        return
    payment.amount = total
    for order, amount in parts.items():
        splits[order].amount = amount
    _settle(payment)


def receive(payment: Payment, amount: int) -> bool:
    """Money has come for a payment whose row is locked. It is kept whatever it is; enough of it makes the payment paid.

    A payment that is paid or void keeps its state: what came on top is to be given back.

    Returns:
        Whether this made it paid.
    """
    payment.received += amount
    return _settle(payment)


def _settle(payment: Payment) -> bool:
    if payment.status not in UNPAID or payment.received < payment.amount:
        return False
    payment.status = "paid"
    payment.paid_at = clock.now()
    events.record(PaymentPaid(payment.id, payment.amount))
    return True


def locked_payments(payment_ids: Iterable[int]) -> dict[int, Payment]:
    """Payments by id, locked in id order."""
    return {row.id: row for row in lock_rows(Payment, payment_ids)}


def locked_payment_of(group_id: int) -> Payment | None:
    """The payment of a purchase, locked."""
    return _locked(group_id)


def _owe_back(split: PaymentSplit, amount: int, reason: str, user_id: int | None) -> int:
    """A refund to make against a part, next to those that are waiting already."""
    waiting = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(Refund.amount), 0)).where(
            Refund.split_id == split.id, Refund.status.in_(("requested", "approved"))
        )
    )
    rest = amount - int(waiting or 0)
    if rest <= 0:
        return 0
    small = not rules.needs_second(rest, 0)
    refund = Refund(
        split_id=split.id,
        amount=rest,
        reason=reason,
        requested_by_id=user_id,
        status="approved" if small else "requested",
        decided_at=clock.now() if small else None,
    )
    session.add(refund)
    session.flush()
    events.record(RefundOwed(refund.id, rest))
    if small:
        events.record(RefundApproved(refund.id, rest))
    return rest


@unit_of_work
def settle_cash(group_id: int) -> bool:
    """The money of a purchase was counted at the doors: the cash payment is paid. False when it is not cash or closed.

    The amounts counted, and any difference, stand in the order's history.
    """
    payment = _locked(group_id)
    if payment is None or payment.method != "cash" or payment.status != "awaiting":
        return False
    return receive(payment, payment.amount)


@unit_of_work
def mark_overdue(group_id: int) -> bool:
    """The due day of an invoice has passed. False when it is paid or void already."""
    payment = _locked(group_id)
    if payment is None or payment.status != "awaiting":
        return False
    payment.status = "overdue"
    return True


def due_on(group_id: int) -> date | None:
    """The last day to pay the invoice of a purchase."""
    return session.scalar(sa.select(Payment.due_on).where(Payment.group_id == group_id))


def _locked(group_id: int) -> Payment | None:
    found = session.scalar(sa.select(Payment.id).where(Payment.group_id == group_id))
    rows: list[Payment] = lock_rows(Payment, [found] if found is not None else [])
    return rows[0] if rows else None


def _splits(payment_id: int) -> list[PaymentSplit]:
    ids = session.scalars(sa.select(PaymentSplit.id).where(PaymentSplit.payment_id == payment_id))
    return lock_rows(PaymentSplit, ids)
