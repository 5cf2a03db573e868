"""Commands on refunds: who may ask, agree and pay, with the purchase locked, its history and the seller's ledger.

Automatic refunds (less accepted, less found, less handed over, cancelled) are written by
`payments.service.change_parts` and come into the same list; the seller earned nothing of them, so they touch no ledger
and cannot be declined.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from app.core import audit, money
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from app.core.permissions import Actor
from app.orders import promoting
from app.orders.models import Order, OrderGroup, OrderLine
from app.orders.totals import sum_group
from app.orders.transitions import SYSTEM, locked_order, note
from app.payments import ledger, refunds
from app.payments.refunds import Given, Left, Payee

REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to give back, in kopeks: of the goods (or of named lines, by their public id) and of the delivery."""

    reason: str
    goods: int = 0
    delivery: int = 0
    lines: Mapping[uuid.UUID, int] = field(default_factory=dict)


@unit_of_work
def request(actor: Actor, number: str, wanted: Wanted) -> uuid.UUID:
    """The seller (own orders) or the operator gives money back of goods that were handed over.

    A small refund is approved at once; a large one waits for a second person of the operator. Named lines are charged
    with what is named; goods without lines are shared among the lines in proportion to what is left of each.

    Raises:
        NotFound: absent, or another seller's.
        Invalid: no reason, no amount, more than is left of the goods, the delivery or a line.
        Conflict: `refund_too_early` before the order is completed and paid, `refund_exceeds_paid`.
    """
    group, order, _trips = locked_order(order_for(actor, number))
    check_time(order)
    lines = lines_of(order.id)
    parts = _parts(wanted, lines, left_of(order, lines))
    return give(actor, group, order, parts, wanted.reason.strip(), delivery=wanted.delivery).public_id


def check_time(order: Order) -> None:
    """Whether money of an order can be given back by hand yet.

    Raises:
        Conflict: `refund_too_early` before the order is completed and paid. NotFound: nothing was to be paid.
    """
    payment, _split = refunds.locked_split(order.id)
    if order.status != "completed" or payment.status not in ("paid", "partially_refunded", "refunded"):
        raise Conflict("refund_too_early", state=order.status)


def left_of(order: Order, lines: Sequence[OrderLine]) -> Left:
    """What of an order no refund speaks of yet."""
    return refunds.left_of(order.id, order.goods, order.delivery, {line.id: line.gross for line in lines})


def give(
    actor: Actor, group: OrderGroup, order: Order, parts: Mapping[int, int], reason: str, *, delivery: int = 0,
    deposit: int = 0,
) -> Given:  # fmt: skip
    """Write a refund of lines (order line -> kopeks, at most `left_of`), delivery, and deposit for pallets.

    The caller holds the purchase.

    A small one is approved at once; a large one waits for a second person.

    Raises:
        Conflict: `refund_too_early`, `refund_exceeds_paid`.
    """
    check_time(order)
    _payment, split = refunds.locked_split(order.id)
    refund = refunds.open_refund(split, parts, delivery, reason, actor.user_id, deposit=deposit)
    _told(actor, order, refund, "requested")
    if refund.status == "approved":
        _approved(actor, order, refund)
    sum_group(group)
    return refund


def order_for(actor: Actor, number: str) -> int:
    """The inner id of an order that the actor may give money back of: of the seller's own, for the operator of any.

    Raises:
        NotFound: absent, or another seller's.
    """
    statement = sa.select(Order.id).where(Order.number == number)
    if not actor.is_admin:
        statement = statement.where(Order.seller_id == actor.seller_id)
    found = session.scalar(statement)
    if found is None:
        raise NotFound()
    return found


def lines_of(order_id: int) -> Sequence[OrderLine]:
    """Lines of an order, fresh."""
    return session.scalars(
        sa.select(OrderLine)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.position)
        .execution_options(populate_existing=True)
    ).all()


def _parts(wanted: Wanted, lines: Sequence[OrderLine], left: Left) -> dict[int, int]:
    """Order line -> kopeks, checked against what is left."""
    errors = []
    if not wanted.reason.strip():
        errors.append(FieldError("/reason", "required"))
    elif len(wanted.reason) > REASON_LENGTH:
        errors.append(FieldError("/reason", "too_long", {"maximum": REASON_LENGTH}))
    known = {line.public_id: line.id for line in lines}
    for key, amount in wanted.lines.items():
        if key not in known:
            errors.append(FieldError(f"/lines/{key}", "unknown_order_line"))
        elif not 0 <= amount <= left.lines[known[key]]:
            errors.append(FieldError(f"/lines/{key}", "refund_most", _most(left.lines[known[key]])))
    named = sum(wanted.lines.values())
    if wanted.lines and wanted.goods not in (0, named):
        errors.append(FieldError("/goods", "refund_goods_sum"))
    goods = named if wanted.lines else wanted.goods
    if not 0 <= goods <= left.goods:
        errors.append(FieldError("/goods", "refund_most", _most(left.goods)))
    if not 0 <= wanted.delivery <= left.delivery:
        errors.append(FieldError("/delivery", "refund_most", _most(left.delivery)))
    if not errors and not goods + wanted.delivery:
        errors.append(FieldError("/goods", "refund_nothing"))
    if errors:
        raise Invalid(errors)
    if wanted.lines:
        return {known[key]: amount for key, amount in wanted.lines.items()}
    return dict(zip(left.lines, money.split(goods, list(left.lines.values())), strict=True)) if goods else {}


def _most(kopeks: int) -> dict[str, str]:
    return {"maximum": f"{money.as_decimal(kopeks):f}"}


@unit_of_work
def approve(actor: Actor, refund: uuid.UUID) -> None:
    """The second person agrees. The seller's ledger is charged now, so that no payout takes the money meanwhile.

    Raises:
        NotFound. Conflict: `refund_state`. Forbidden: `same_person`, who asked may not agree.
    """
    refund_id, order_id = refunds.order_of(refund)
    _group, order, _trips = locked_order(order_id)
    row = refunds.locked(refund_id)
    if row.status == "requested" and row.requested_by_id == actor.user:
        raise Forbidden("same_person")
    _approved(actor, order, refunds.move(refund_id, "approved", by=actor.user))


def _approved(actor: Actor, order: Order, refund: Given) -> None:
    if refund.kind == "refund":
        lines = lines_of(order.id)
        gross = {line.id: line.gross for line in lines}
        ledger.give_back(order.seller_id, order.id, refund, gross, promoting.borne_by_operator(lines))
    _told(actor, order, refund, "approved")


@unit_of_work
def decline(actor: Actor, refund: uuid.UUID, why: str) -> None:
    """The operator refuses a refund that was asked for.

    Raises:
        NotFound. Invalid: no reason. Conflict: `refund_state`, `refund_is_due` for goods that were not handed over.
    """
    if not why.strip():
        raise Invalid.one("/note", "required")
    if len(why) > REASON_LENGTH:
        raise Invalid.one("/note", "too_long", maximum=REASON_LENGTH)
    refund_id, order_id = refunds.order_of(refund)
    _group, order, _trips = locked_order(order_id)
    row = refunds.locked(refund_id)
    if row.kind == "shortage":
        raise Conflict("refund_is_due")
    _told(actor, order, refunds.move(refund_id, "declined", note=why.strip()), "declined")


@unit_of_work
def name_payee(actor: Actor, refund: uuid.UUID, payee: Payee) -> None:
    """The buyer says which account the money shall go to (invoice and cash).

    Raises:
        NotFound: absent, or of another person's purchase. Invalid: name, BIK, account. Conflict: `refund_state`,
        `refund_goes_to_card`.
    """
    refund_id, order_id = refunds.order_of(refund)
    group, order, _trips = locked_order(order_id)
    if group.user_id != actor.user:
        raise NotFound()
    if group.payment_method == "card":
        raise Conflict("refund_goes_to_card")
    known = refunds.checked_payee(payee)
    refunds.name_payee(refund_id, known)
    audit.record(actor, "refund.payee_named", "refund", refund_id, after={"account": f"•••• {known.account[-4:]}"})
    note(actor, order, "refund.payee_named")


@unit_of_work
def mark_paid(actor: Actor, refund: uuid.UUID, reference: str = "") -> None:
    """The operator has sent the money by bank.

    Raises:
        NotFound. Conflict: `refund_state`, `refund_needs_payee`, `refund_goes_to_card`.
    """
    refund_id, order_id = refunds.order_of(refund)
    group, order, _trips = locked_order(order_id)
    row = refunds.locked(refund_id)
    if group.payment_method == "card":
        raise Conflict("refund_goes_to_card")
    if row.status == "approved" and not row.payee:
        raise Conflict("refund_needs_payee")
    _pay(actor, group, order, row, reference)


@unit_of_work
def sent_back(refund_id: int, reference: str) -> None:
    """A card provider has sent the money back. Told twice: nothing changes.

    Raises:
        NotFound. Conflict: `refund_state`: nobody has agreed to it.
    """
    _known, order_id = refunds.order_of(refund_id)
    group, order, _trips = locked_order(order_id)
    row = refunds.locked(refund_id)
    if row.status != "paid":
        _pay(SYSTEM, group, order, row, reference)


def _pay(actor: Actor, group: OrderGroup, order: Order, refund: Given, reference: str) -> None:
    order.payment_status = refunds.settle(order.id, refund.id, reference.strip()[:100])
    _told(actor, order, refund, "paid")
    sum_group(group)


def _told(actor: Actor, order: Order, refund: Given, state: str) -> None:
    """A line of the order's history and of the audit log."""
    facts = {"refund": refund.id, "amount": refund.amount, "reason": refund.reason}
    note(actor, order, f"refund.{state}", reason=refund.note or refund.reason, details=facts)
    audit.record(actor, f"refund.{state}", "refund", refund.id, after=facts)
