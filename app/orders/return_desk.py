"""Goods that come back, as the seller sees it: answering, counting, paying back or not; and what time decides.

Stock and money move together, when a return is refunded: until then the goods are the buyer's and stand aside.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from app.core import clock
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.permissions import Actor
from app.offers import queries as offers
from app.offers import stock
from app.offers.levels import StockLine
from app.orders import cases, refunds, return_rules
from app.orders.cases import Locked
from app.orders.handed import HandedLine, handed_lines
from app.orders.models import Order
from app.orders.return_models import ReturnLine, ReturnRequest
from app.orders.returns import locked_case, set_off
from app.orders.transitions import SYSTEM, note


@dataclass(frozen=True, slots=True)
class Count:
    """Units of sale of a line that came, and how many of them can be sold again."""

    received: Decimal
    fit: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """What a line comes to: base units paid back, kopeks of them, kopeks after the fee."""

    line: HandedLine
    row: ReturnLine
    paid: Decimal
    worth: int
    back: int


def _at_desk(actor: Actor, public_id: uuid.UUID) -> tuple[Locked, ReturnRequest]:
    """A return of the actor's seller, or any for the operator, locked.

    Raises:
        NotFound: absent, or another seller's.
    """
    return locked_case(cases.find(ReturnRequest, public_id, cases.is_sellers(actor)))


def lines_of(return_id: int) -> list[ReturnLine]:
    """Lines of a return, fresh."""
    statement = sa.select(ReturnLine).where(ReturnLine.return_id == return_id).order_by(ReturnLine.order_line_id)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


@unit_of_work
def approve(actor: Actor, public_id: uuid.UUID, answer: str = "") -> None:
    """The goods may come; `answer` says where to bring them or when they are fetched.

    Raises:
        NotFound. Invalid: the text is too long. Conflict: `return_state`.
    """
    text = cases.checked_text(answer, "/answer", required=False)
    (_group, order), row = _at_desk(actor, public_id)
    row.answer = text
    cases.move(actor, order, row, "approved", wait=return_rules.RETURN_SEND, reason=text)
    cases.tell_other(actor, row, order)


@unit_of_work
def reject(actor: Actor, public_id: uuid.UUID, answer: str) -> None:
    """Refuse: at once, or after the goods were counted. The buyer may open a claim then.

    Raises:
        NotFound. Invalid: no reason. Conflict: `return_state`.
    """
    text = cases.checked_text(answer, "/answer")
    (_group, order), row = _at_desk(actor, public_id)
    row.answer = text
    cases.move(actor, order, row, "rejected", reason=text)
    cases.tell_other(actor, row, order)


@unit_of_work
def fetched(actor: Actor, public_id: uuid.UUID) -> None:
    """The seller has taken the goods from the site.

    Raises:
        NotFound. Conflict: `return_state`.
    """
    (_group, order), row = _at_desk(actor, public_id)
    set_off(actor, order, row)


@unit_of_work
def receive(
    actor: Actor, public_id: uuid.UUID, counts: Mapping[uuid.UUID, Count], warehouse: uuid.UUID | None = None,
    count_note: str = "",
) -> None:  # fmt: skip
    """The goods stand in a warehouse and are counted; a line that is not named came whole and fit for sale.

    Args:
        warehouse: of the seller; without it the one that the first line left from.

    Raises:
        NotFound. Invalid: an unknown line or warehouse, more than was sent, less without a reason.
        Conflict: `return_state`.
    """
    (_group, order), row = _at_desk(actor, public_id)
    return_rules.RETURN.check(row.status, "received")
    handed = {line.id: line for line in handed_lines([order.id])}
    rows = lines_of(row.id)
    errors: list[FieldError] = []
    for one in rows:
        one.received = one.fit = one.quantity
    _count(rows, handed, counts, errors)
    differs = any((one.received, one.fit) != (one.quantity, one.quantity) for one in rows)
    row.count_note = cases.text_of(count_note, "/count_note", errors, required=differs)
    row.warehouse_id = _warehouse(order, warehouse, handed[rows[0].order_line_id], errors)
    if errors:
        raise Invalid(errors)
    row.received_at = clock.now()
    details = {"counted": {str(handed[one.order_line_id].position): f"{one.received:f}" for one in rows}}
    cases.move(
        actor, order, row, "received", wait=return_rules.RETURN_SETTLE, reason=row.count_note, details=details
    )  # fmt: skip
    cases.tell_other(actor, row, order)


def _count(
    rows: Sequence[ReturnLine], handed: Mapping[int, HandedLine], counts: Mapping[uuid.UUID, Count],
    errors: list[FieldError],
) -> None:  # fmt: skip
    by_key = {handed[one.order_line_id].public_id: one for one in rows}
    for key, count in counts.items():
        one = by_key.get(key)
        if one is None:
            errors.append(FieldError(f"/lines/{key}", "unknown_order_line"))
            continue
        line = handed[one.order_line_id]
        most = line.units(one.quantity)
        if not count.received.is_finite() or not 0 <= count.received <= most:
            errors.append(FieldError(f"/lines/{key}", "counted_range", {"maximum": f"{most.normalize():f}"}))
        elif not count.fit.is_finite() or not 0 <= count.fit <= count.received:
            most = count.received.normalize()
            errors.append(FieldError(f"/lines/{key}", "counted_range", {"maximum": f"{most:f}"}))
        else:
            one.received = min(line.to_base(count.received, one.quantity), one.quantity)
            one.fit = one.received if count.fit == count.received else min(
                line.to_base(count.fit, one.quantity), one.received
            )  # fmt: skip


def _warehouse(order: Order, wanted: uuid.UUID | None, line: HandedLine, errors: list[FieldError]) -> int:
    if wanted is None:
        return line.warehouse_id
    try:
        return offers.warehouse_of(order.seller_id, wanted).id
    except NotFound:
        errors.append(FieldError("/warehouse", "unknown_option"))
        return line.warehouse_id


def parts_of(row: ReturnRequest, order: Order) -> list[Part]:
    """What a counted return comes to, line by line. Nothing above what no other refund speaks of yet."""
    handed = {line.id: line for line in handed_lines([order.id])}
    left = refunds.left_of(order, refunds.lines_of(order.id)).lines
    found = []
    for one in lines_of(row.id):
        line = handed[one.order_line_id]
        paid = (one.fit if row.reason == "leftover" else one.received) or Decimal(0)
        found.append((line, one, paid, max(0, min(line.worth(paid), left[line.id]))))
    back = return_rules.less_fee([worth for *_rest, worth in found], row.fee_percent)
    return [Part(*each, back=amount) for each, amount in zip(found, back, strict=True)]


@unit_of_work
def refund(actor: Actor, public_id: uuid.UUID) -> None:
    """Pay the counted goods back, less the fee of the terms; they are the seller's again and stand in his stock.

    Raises:
        NotFound. Conflict: `return_state`, `return_came_empty` when there is nothing to pay for, `refund_too_early`.
    """
    locked, row = _at_desk(actor, public_id)
    _refund(actor, locked, row)


def _refund(actor: Actor, locked: Locked, row: ReturnRequest) -> None:
    group, order = locked
    return_rules.RETURN.check(row.status, "refunded")
    refunds.check_time(order)
    parts = parts_of(row, order)
    if not any(part.paid for part in parts):
        raise Conflict("return_came_empty")
    back = {part.line.id: part.back for part in parts if part.back}
    given = refunds.give(actor, group, order, back, "return") if back else None
    for part in parts:
        part.row.paid = part.paid
    row.goods = sum(part.worth for part in parts)
    row.fee = row.goods - sum(back.values())
    details = {"amount": sum(back.values()), "fee": row.fee}
    cases.move(actor, order, row, "refunded", details=details)
    row.refund_id = given.id if given else None
    session.flush()
    _to_stock(actor, row, parts)
    cases.tell_other(actor, row, order)


def _to_stock(actor: Actor, row: ReturnRequest, parts: Sequence[Part]) -> None:
    """What was paid back is the seller's; what of it is not fit for sale is scrapped in the same breath."""
    assert row.warehouse_id is not None  # it was counted there
    cause = stock.Cause("return", row.id, actor, f"return_{row.reason}")
    came = [StockLine(part.line.offer_id, row.warehouse_id, part.paid) for part in parts if part.paid]
    stock.take_back(came, cause)
    for part in parts:
        unfit = part.paid - min(part.paid, part.row.fit or Decimal(0))
        if unfit:
            stock.change(StockLine(part.line.offer_id, row.warehouse_id, unfit), "scrapped", -1, cause)


@unit_of_work
def due(return_id: int) -> None:
    """Somebody did not do his part in time. Called by the timer; a return that went on stays as it is."""
    try:
        locked, row = locked_case(return_id)
    except (NotFound, sa.exc.NoResultFound):
        return
    if not cases.is_due(row):
        return
    order = locked[1]
    if row.status == "requested":
        cases.move(SYSTEM, order, row, "approved", wait=return_rules.RETURN_SEND, reason="return_no_answer")
        cases.tell_other(SYSTEM, row, order)
    elif row.status == "approved":
        cases.move(SYSTEM, order, row, "cancelled", reason="return_not_sent")
        cases.tell_other(SYSTEM, row, order)
    elif row.status == "in_transit":
        row.escalated_at = clock.now()
        cases.wait_until(row, None)
        note(SYSTEM, order, "return.escalated", reason="return_not_counted", details={"case": str(row.public_id)})
    elif row.status == "received":
        _settle(locked, row)


def _settle(locked: Locked, row: ReturnRequest) -> None:
    """Silence after the count pays it back; while that cannot be, it waits."""
    try:
        _refund(SYSTEM, locked, row)
    except Conflict as refusal:
        if refusal.code == "return_came_empty":
            cases.move(SYSTEM, locked[1], row, "rejected", reason="return_came_empty")
            cases.tell_other(SYSTEM, row, locked[1])
        else:
            cases.wait_until(row, clock.now() + return_rules.WAIT_FOR_MONEY)
