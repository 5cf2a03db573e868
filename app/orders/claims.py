"""Claims: a line came damaged, short or wrong. The two sides agree, or the operator decides."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import sqlalchemy as sa

from app.core import audit, clock
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid
from app.core.permissions import Actor
from app.orders import cases, evidence, refunds, return_rules
from app.orders.cases import Locked
from app.orders.handed import HandedLine, handed_lines
from app.orders.models import Order
from app.orders.return_models import Claim
from app.orders.transitions import SYSTEM, locked_order, note


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wrong with how many units of sale of a line, and what the buyer wants; `amount` in kopeks for money."""

    line: uuid.UUID
    kind: str
    quantity: Decimal
    wish: str
    note: str
    amount: int = 0
    photos: Sequence[uuid.UUID] = field(default=())


@unit_of_work
def open_claim(actor: Actor, number: str, wanted: Wanted) -> uuid.UUID:
    """Open a claim on a line that was handed over.

    Raises:
        NotFound: absent, or another person's.
        Invalid: an unknown line or kind, more than came, more money than is left of the line, no photographs, too late.
        Conflict: `claim_open` while there is one on the line, `claim_decided` after the operator's word on it.
    """
    _group, order = cases.order_of(actor, number)
    line = next((one for one in handed_lines([order.id]) if one.public_id == wanted.line), None)
    if line is None:
        raise Invalid.one("/line", "unknown_order_line")
    text, base = _checked(order, line, wanted)
    _check_alone(line, wanted.kind)
    row = Claim(
        order_id=order.id, order_line_id=line.id, user_id=actor.user, kind=wanted.kind, quantity=base,
        wish=wanted.wish, wanted=wanted.amount if wanted.wish == "money" else 0, note=text,
    )  # fmt: skip
    session.add(row)
    session.flush()
    evidence.attach(actor, wanted.photos, claim_id=row.id)
    cases.wait_until(row, clock.now() + return_rules.CLAIM_ANSWER)
    facts = {"case": str(row.public_id), "line": line.position, "kind": row.kind, "wanted": row.wanted}
    note(actor, order, "claim.opened", "", "opened", reason=f"claim:{row.kind}", details=facts)
    audit.record(actor, "claim.opened", "claim", row.id, after=facts)
    cases.tell_seller(row, order)
    return row.public_id


def _checked(order: Order, line: HandedLine, wanted: Wanted) -> tuple[str, Decimal]:
    """The buyer's words and the base units it is about."""
    errors = [
        FieldError(pointer, "unknown_option")
        for pointer, value, known in (
            ("/kind", wanted.kind, return_rules.CLAIM_KINDS), ("/wish", wanted.wish, return_rules.WISHES),
        )
        if value not in known
    ]  # fmt: skip
    text = cases.text_of(wanted.note, "/note", errors)
    evidence.check(wanted.photos, needed=wanted.kind in return_rules.WITH_PHOTOGRAPHS, errors=errors)
    if clock.now() > line.at + timedelta(days=return_rules.FAULT_DAYS):
        errors.append(FieldError("/line", "claim_too_late", {"days": return_rules.FAULT_DAYS}))
    most = line.units(line.base)
    if not wanted.quantity.is_finite() or not 0 < wanted.quantity <= most:
        errors.append(FieldError("/quantity", "counted_range", {"maximum": f"{most.normalize():f}"}))
    if wanted.wish == "money":
        _check_sum("/amount", wanted.amount, left_of(order, line.id), errors)
    if errors:
        raise Invalid(errors)
    return text, line.to_base(wanted.quantity, line.base)


def left_of(order: Order, line_id: int) -> int:
    """Kopeks of a line that no refund speaks of yet."""
    return max(0, refunds.left_of(order, refunds.lines_of(order.id)).lines[line_id])


def _check_sum(pointer: str, amount: int, most: int, errors: list[FieldError], *, least: int = 1) -> None:
    if not least <= amount <= most:
        errors.append(FieldError(pointer, "claim_sum", {"maximum": f"{Decimal(most) / 100:.2f}"}))


def _check_alone(line: HandedLine, kind: str) -> None:
    rows = session.execute(sa.select(Claim.status, Claim.kind).where(Claim.order_line_id == line.id)).all()
    if any(row.status in return_rules.CLAIM_OPEN for row in rows):
        raise Conflict("claim_open")
    if any(row.status == "settled" and row.kind == kind for row in rows):
        raise Conflict("claim_decided")


def _locked(claim_id: int) -> tuple[Locked, Claim]:
    group, order, _trips = locked_order(session.get_one(Claim, claim_id).order_id)
    row: Claim = lock_rows(Claim, [claim_id])[0]
    return (group, order), row


def _buyers(actor: Actor, public_id: uuid.UUID) -> tuple[Locked, Claim]:
    return _locked(cases.find(Claim, public_id, cases.is_buyers(actor)))


def _sellers(actor: Actor, public_id: uuid.UUID) -> tuple[Locked, Claim]:
    return _locked(cases.find(Claim, public_id, cases.is_sellers(actor)))


@unit_of_work
def agree(actor: Actor, public_id: uuid.UUID, answer: str = "") -> None:
    """The seller does what the buyer wants: the money, or what `answer` promises instead of it.

    Raises:
        NotFound. Invalid: no words where no money is wanted. Conflict: `claim_state`.
    """
    locked, row = _sellers(actor, public_id)
    return_rules.CLAIM.check(row.status, "agreed")
    if row.status != "opened":  # an offer is the buyer's to take
        raise Conflict("claim_state", state=row.status, wanted="agreed")
    row.answer = cases.checked_text(answer, "/answer", required=row.wish != "money")
    _close(actor, locked, row, "agreed", row.wanted, row.answer)


@unit_of_work
def offer(actor: Actor, public_id: uuid.UUID, amount: int, answer: str) -> None:
    """The seller offers a sum: less than was wanted, or money instead of something else.

    Raises:
        NotFound. Invalid: no words, no sum, or not less than was wanted. Conflict: `claim_state`.
    """
    (_group, order), row = _sellers(actor, public_id)
    return_rules.CLAIM.check(row.status, "offered")
    errors: list[FieldError] = []
    text = cases.text_of(answer, "/answer", errors)
    left = left_of(order, row.order_line_id)
    _check_sum("/amount", amount, min(left, row.wanted - 1) if row.wish == "money" else left, errors)
    if errors:
        raise Invalid(errors)
    row.offered, row.answer = amount, text
    cases.move(actor, order, row, "offered", wait=return_rules.CLAIM_REPLY, reason=text, details={"amount": amount})
    cases.tell_other(actor, row, order)


@unit_of_work
def refuse(actor: Actor, public_id: uuid.UUID, answer: str) -> None:
    """The seller gives nothing and says why.

    Raises:
        NotFound. Invalid: no words. Conflict: `claim_state`.
    """
    (_group, order), row = _sellers(actor, public_id)
    row.answer = cases.checked_text(answer, "/answer")
    cases.move(actor, order, row, "refused", wait=return_rules.CLAIM_REPLY, reason=row.answer)
    cases.tell_other(actor, row, order)


@unit_of_work
def accept(actor: Actor, public_id: uuid.UUID) -> None:
    """The buyer takes the seller's offer.

    Raises:
        NotFound. Conflict: `claim_state`: there is no offer.
    """
    locked, row = _buyers(actor, public_id)
    if row.status != "offered" or row.offered is None:
        raise Conflict("claim_state", state=row.status, wanted="agreed")
    _close(actor, locked, row, "agreed", row.offered, "")


@unit_of_work
def escalate(actor: Actor, public_id: uuid.UUID) -> None:
    """The buyer puts an offer or a refusal before the operator.

    Raises:
        NotFound. Conflict: `claim_state`: the seller still has time to answer.
    """
    (_group, order), row = _buyers(actor, public_id)
    if row.status == "opened":
        raise Conflict("claim_state", state=row.status, wanted="escalated")
    cases.move(actor, order, row, "escalated")
    cases.tell_other(actor, row, order)


@unit_of_work
def withdraw(actor: Actor, public_id: uuid.UUID) -> None:
    """The buyer takes the claim back.

    Raises:
        NotFound. Conflict: `claim_state`.
    """
    (_group, order), row = _buyers(actor, public_id)
    cases.move(actor, order, row, "withdrawn")
    cases.tell_other(actor, row, order)


@unit_of_work
def settle(actor: Actor, public_id: uuid.UUID, in_favour: str, amount: int, decision: str) -> None:
    """The operator decides: who is right, what goes back, and why.

    Raises:
        NotFound. Invalid: nobody named, no words, more than is left of the line. Conflict: `claim_state`.
    """
    locked, row = _locked(cases.find(Claim, public_id))
    return_rules.CLAIM.check(row.status, "settled")
    errors: list[FieldError] = []
    if in_favour not in return_rules.RIGHT[1:]:
        errors.append(FieldError("/in_favour", "unknown_option"))
    text = cases.text_of(decision, "/decision", errors)
    most = 0 if in_favour == "seller" else left_of(locked[1], row.order_line_id)
    _check_sum("/amount", amount, most, errors, least=0)
    if errors:
        raise Invalid(errors)
    row.in_favour, row.decision, row.decided_by_id = in_favour, text, actor.user
    _close(actor, locked, row, "settled", amount, text)


def _close(actor: Actor, locked: Locked, row: Claim, new: str, amount: int, reason: str) -> None:
    order = locked[1]
    row.settled = amount
    cases.move(actor, order, row, new, reason=reason, details={"amount": amount, "in_favour": row.in_favour})
    if amount:
        _pay(actor, locked, row)
    cases.tell_other(actor, row, order)


def _pay(actor: Actor, locked: Locked, row: Claim) -> None:
    """Write the refund of what was agreed; before the order is completed and paid, try again every day."""
    group, order = locked
    amount = min(row.settled or 0, left_of(order, row.order_line_id))
    if not amount:
        cases.wait_until(row, None)
        return
    try:
        given = refunds.give(actor, group, order, {row.order_line_id: amount}, "claim")
    except Conflict:
        cases.wait_until(row, clock.now() + return_rules.WAIT_FOR_MONEY)
        return
    row.refund_id = given.id
    cases.wait_until(row, None)


@unit_of_work
def due(claim_id: int) -> None:
    """Nobody answered in time, or money waits to be given back. Called by the timer; what went on stays as it is."""
    try:
        locked, row = _locked(claim_id)
    except sa.exc.NoResultFound:
        return
    if not cases.is_due(row):
        return
    if row.status in ("agreed", "settled"):
        _pay(SYSTEM, locked, row)
        return
    why = "claim_no_answer" if row.status == "opened" else "claim_no_reply"
    cases.move(SYSTEM, locked[1], row, "escalated", reason=why)
    cases.tell_other(SYSTEM, row, locked[1])
