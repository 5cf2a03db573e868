"""Goods that go back, as the buyer sees it: asking, sending, calling off. The seller's part is in `return_desk`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from app.core import audit, clock
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import FieldError, Invalid
from app.core.permissions import Actor
from app.offers import return_terms
from app.offers.return_terms import Terms
from app.orders import cases, evidence, return_rules
from app.orders.cases import Locked
from app.orders.handed import HandedLine, handed_lines
from app.orders.models import Order
from app.orders.return_models import ReturnLine, ReturnRequest
from app.orders.transitions import locked_order, note


@dataclass(frozen=True, slots=True)
class Wanted:
    """What goes back: units of sale of lines (by their public ids), why, and how it looks."""

    reason: str
    lines: Mapping[uuid.UUID, Decimal]
    note: str = ""
    photos: Sequence[uuid.UUID] = field(default=())


@unit_of_work
def request(actor: Actor, number: str, wanted: Wanted) -> uuid.UUID:
    """Ask to send goods of an order back.

    Raises:
        NotFound: absent, or another person's. Invalid: no line, more than is left, no whole packs, what the seller's
        terms or the time do not allow, no photographs where they are needed.
    """
    _group, order = cases.order_of(actor, number)
    terms = return_terms.at_orders([order.id])[order.id]
    errors: list[FieldError] = []
    if wanted.reason not in return_rules.RETURN_REASONS:
        errors.append(FieldError("/reason", "unknown_option"))
    text = cases.text_of(wanted.note, "/note", errors, required=False)
    evidence.check(wanted.photos, needed=wanted.reason in return_rules.WITH_PHOTOGRAPHS, errors=errors)
    back = _checked_lines(order, wanted, terms, errors)
    if errors:
        raise Invalid(errors)
    leftover = wanted.reason == "leftover"
    row = ReturnRequest(
        order_id=order.id, user_id=actor.user, reason=wanted.reason, note=text,
        carried_by=terms.carried_by if leftover else "seller",
        fee_percent=terms.fee_percent if leftover else Decimal(0),
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add_all(ReturnLine(return_id=row.id, order_line_id=one.id, quantity=base) for one, base in back)
    evidence.attach(actor, wanted.photos, return_id=row.id)
    cases.wait_until(row, clock.now() + return_rules.RETURN_ANSWER)
    facts = {"case": str(row.public_id), "why": row.reason, "lines": {str(one.position): f"{b:f}" for one, b in back}}
    note(actor, order, "return.requested", "", "requested", reason=f"return:{row.reason}", details=facts)
    audit.record(actor, "return.requested", "return_request", row.id, after=facts)
    cases.tell_seller(row, order)
    return row.public_id


def _checked_lines(
    order: Order, wanted: Wanted, terms: Terms, errors: list[FieldError]
) -> list[tuple[HandedLine, Decimal]]:  # fmt: skip
    known = {line.public_id: line for line in handed_lines([order.id])}
    found = []
    for key, units in wanted.lines.items():
        pointer, line = f"/lines/{key}", known.get(key)
        if line is None:
            errors.append(FieldError(pointer, "unknown_order_line"))
            continue
        if units == 0:
            continue
        refusal = line.refusal(wanted.reason, terms, clock.now())
        most = line.units(max(line.left, Decimal(0)))
        if refusal:
            errors.append(FieldError(pointer, refusal, {"days": terms.days}))
        elif not units.is_finite() or not 0 < units <= most:
            errors.append(FieldError(pointer, "counted_range", {"maximum": f"{most.normalize():f}"}))
        elif wanted.reason == "leftover" and terms.whole_packs and units != units.to_integral_value():
            errors.append(FieldError(pointer, "return_whole_packs"))
        else:
            found.append((line, line.to_base(units, line.left)))
    if not errors and not found:
        errors.append(FieldError("/lines", "return_nothing"))
    return found


def locked_case(case_id: int) -> tuple[Locked, ReturnRequest]:
    """A return with its purchase and order, locked in that order."""
    order_id = session.get_one(ReturnRequest, case_id).order_id
    group, order, _trips = locked_order(order_id)
    row: ReturnRequest = lock_rows(ReturnRequest, [case_id])[0]
    return (group, order), row


def _own(actor: Actor, public_id: uuid.UUID) -> tuple[Locked, ReturnRequest]:
    return locked_case(cases.find(ReturnRequest, public_id, cases.is_buyers(actor)))


@unit_of_work
def send(actor: Actor, public_id: uuid.UUID) -> None:
    """The goods have left the site.

    Raises:
        NotFound: absent, or another person's. Conflict: `return_state`.
    """
    (_group, order), row = _own(actor, public_id)
    set_off(actor, order, row)


def set_off(actor: Actor, order: Order, row: ReturnRequest) -> None:
    """The locked goods are on their way; from now on the seller is to count them."""
    cases.move(actor, order, row, "in_transit", wait=return_rules.RETURN_ARRIVE)
    cases.tell_other(actor, row, order)


@unit_of_work
def cancel(actor: Actor, public_id: uuid.UUID) -> None:
    """The buyer keeps the goods.

    Raises:
        NotFound: absent, or another person's. Conflict: `return_state`: they are on their way.
    """
    (_group, order), row = _own(actor, public_id)
    cases.move(actor, order, row, "cancelled")
    cases.tell_other(actor, row, order)
