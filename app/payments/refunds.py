"""Refunds as rows of money: what is left, the rows, their states. `app/orders/refunds.py` decides who may."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from app.accounts.requisites import account_is_valid, bik_is_valid
from app.core import clock, events
from app.core.db import lock_rows, session
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.payments import rules
from app.payments.events import RefundApproved, RefundOwed
from app.payments.models import Payment, PaymentSplit, Refund, RefundLine

ALIVE = ("requested", "approved", "paid")


@dataclass(frozen=True, slots=True)
class Left:
    """What may still be given back of an order, in kopeks."""

    goods: int
    delivery: int
    lines: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Payee:
    """An account the buyer names."""

    name: str
    bik: str
    account: str


@dataclass(frozen=True, slots=True)
class Given:
    """A refund as it is now."""

    id: int
    public_id: uuid.UUID
    kind: str
    amount: int
    goods: int
    delivery: int
    deposit: int
    reason: str
    status: str
    note: str
    requested_by_id: int | None
    payee: dict[str, str]


def _given(row: Refund) -> Given:
    return Given(**{name: getattr(row, name) for name in Given.__dataclass_fields__})


def checked_payee(given: Payee) -> Payee:
    """The account without blanks.

    Raises:
        Invalid: with every wrong field.
    """
    name = " ".join(given.name.split())
    bik, account = "".join(given.bik.split()), "".join(given.account.split())
    errors = []
    if not 2 <= len(name) <= 160:
        wrong = "too_short" if len(name) < 2 else "too_long"
        errors.append(FieldError("/name", wrong, {"minimum": 2, "maximum": 160}))
    if not bik_is_valid(bik):
        errors.append(FieldError("/bik", "wrong_bik"))
    elif not account_is_valid(account, bik):
        errors.append(FieldError("/account", "wrong_account"))
    if errors:
        raise Invalid(errors)
    return Payee(name, bik, account)


def locked_split(order_id: int) -> tuple[Payment, PaymentSplit]:
    """The payment of an order's purchase and the order's part of it, locked.

    Raises:
        NotFound: nothing was to be paid.
    """
    found = session.execute(
        sa.select(PaymentSplit.id, PaymentSplit.payment_id).where(PaymentSplit.order_id == order_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    payment: Payment = lock_rows(Payment, [found.payment_id])[0]
    split: PaymentSplit = lock_rows(PaymentSplit, [found.id])[0]
    return payment, split


def left_of(order_id: int, goods: int, delivery: int, gross: Mapping[int, int]) -> Left:
    """What of an order no refund speaks of yet.

    Args:
        goods, delivery, gross: the order as it was handed over; `gross` by order line.
    """
    given = session.execute(
        sa.select(sa.func.coalesce(sa.func.sum(Refund.goods), 0), sa.func.coalesce(sa.func.sum(Refund.delivery), 0))
        .join(PaymentSplit, PaymentSplit.id == Refund.split_id)
        .where(PaymentSplit.order_id == order_id, Refund.kind == "refund", Refund.status.in_(ALIVE))
    ).one()
    lines = dict(
        session.execute(
            sa.select(RefundLine.order_line_id, sa.func.sum(RefundLine.amount))
            .join(Refund, Refund.id == RefundLine.refund_id)
            .where(RefundLine.order_line_id.in_(list(gross)), Refund.status.in_(ALIVE))
            .group_by(RefundLine.order_line_id)
        )
        .tuples()
        .all()
    )
    rest = {line: amount - int(lines.get(line, 0)) for line, amount in gross.items()}
    return Left(goods - int(given[0]), delivery - int(given[1]), rest)


def open_refund(
    split: PaymentSplit, parts: Mapping[int, int], delivery: int, reason: str, user_id: int | None, *, deposit: int = 0
) -> Given:  # fmt: skip
    """A refund of goods handed over (order line -> kopeks), delivery, and the deposit for pallets that came back.

    Raises:
        Conflict: `refund_exceeds_paid`: together with those that wait it would be more than was paid.
    """
    goods = sum(parts.values())
    waiting, alone = session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(Refund.amount).filter(Refund.status.in_(("requested", "approved"))), 0),
            sa.func.coalesce(
                sa.func.sum(Refund.amount).filter(
                    Refund.kind == "refund", Refund.approved_by_id.is_(None), Refund.status.in_(("approved", "paid"))
                ),
                0,
            ),
        ).where(Refund.split_id == split.id)
    ).one()
    left = split.amount - split.refunded - int(waiting)
    amount = goods + delivery + deposit
    if amount > left:
        raise Conflict("refund_exceeds_paid", left=left)
    refund = Refund(
        split_id=split.id,
        kind="refund",
        amount=amount,
        goods=goods,
        delivery=delivery,
        deposit=deposit,
        reason=reason,
        status="requested",
        requested_by_id=user_id,
    )
    session.add(refund)
    session.flush()
    session.add_all(
        RefundLine(refund_id=refund.id, order_line_id=line, amount=amount) for line, amount in parts.items() if amount
    )
    session.flush()
    events.record(RefundOwed(refund.id, refund.amount))
    if not rules.needs_second(refund.amount, int(alone)):
        return move(refund.id, "approved")
    return _given(refund)


def move(refund_id: int, new: str, *, by: int | None = None, note: str = "") -> Given:
    """Make a declared transition; `by` is the second person who agreed.

    Raises:
        Conflict: `refund_state`.
    """
    refund = _row(refund_id)
    rules.REFUND.check(refund.status, new)
    refund.status = new
    if new == "paid":
        refund.paid_at = clock.now()
    else:
        refund.decided_at, refund.approved_by_id, refund.note = clock.now(), by, note
    if new == "approved":
        events.record(RefundApproved(refund.id, refund.amount))
    session.flush()
    return _given(refund)


def settle(order_id: int, refund_id: int, reference: str) -> str:
    """The money has left: the refund is paid, its split and payment say how much came back.

    Returns:
        What the order's part of the payment is now.
    """
    payment, split = locked_split(order_id)
    move(refund_id, "paid")
    refund = _row(refund_id)
    refund.bank_reference = reference
    split.refunded += refund.amount
    payment.returned += refund.amount
    session.flush()
    total = session.scalar(sa.select(sa.func.sum(PaymentSplit.refunded)).where(PaymentSplit.payment_id == payment.id))
    payment.status = rules.paid_status(payment.amount, int(total or 0))
    session.flush()
    return rules.paid_status(split.amount, split.refunded)


def name_payee(refund_id: int, payee: Payee) -> None:
    """Keep where the buyer wants the money.

    Raises:
        Conflict: `refund_state`: it is paid or declined.
    """
    refund = _row(refund_id)
    if refund.status not in ("requested", "approved"):
        raise Conflict("refund_state", state=refund.status, wanted="approved")
    refund.payee = asdict(payee)
    session.flush()


def order_of(refund: uuid.UUID | int) -> tuple[int, int]:
    """(refund's id, order's id) of a refund by its outer or inner id.

    Raises:
        NotFound: there is none.
    """
    key = Refund.id == refund if isinstance(refund, int) else Refund.public_id == refund
    row = session.execute(
        sa.select(Refund.id, PaymentSplit.order_id).join(PaymentSplit, PaymentSplit.id == Refund.split_id).where(key)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row.id, row.order_id


def was_kept(refund_id: sa.orm.InstrumentedAttribute[int]) -> sa.ColumnElement[bool]:
    """Whether the refund of a row was not declined, inside a statement."""
    return sa.exists().where(Refund.id == refund_id, Refund.status.in_(ALIVE))


def locked(refund_id: int) -> Given:
    """A refund, locked; the caller holds the purchase."""
    return _given(_row(refund_id))


def _row(refund_id: int) -> Refund:
    found: Refund = lock_rows(Refund, [refund_id])[0]
    return found
