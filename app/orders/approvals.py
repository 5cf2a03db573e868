"""Purchases above a member's limit: they wait until an approver of the company places or declines them.

What waits is the cart, out of the buyer's hands, with the checkout's quote as the buyer saw it. Goods are held as
long as any checkout holds them; at the approval everything is quoted anew, and the approver confirms what he was shown.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.core import audit, clock, mail, timers
from app.core.db import changed, lock_rows, session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor
from app.logistics import queries as logistics
from app.offers import reservations
from app.orders import carts, checkout, limits, promoting, rules, service
from app.orders.carts import CartChange
from app.orders.checkout import Quote, Wanted
from app.orders.company_models import ApprovalRequest
from app.orders.models import Cart, OrderGroup
from app.orders.placing import Contact
from app.orders.plan import Plan, PlannedLine, make_plan
from app.orders.service import Placed
from app.orders.transitions import SYSTEM

KEEP = timedelta(days=7)
"""How long a request waits for an answer."""
REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """A purchase that waits for an approval."""

    public_id: uuid.UUID


@unit_of_work
def place(
    actor: Actor,
    quote_id: uuid.UUID,
    contact: Contact,
    payment_method: str,
    comment: str = "",
    organisation: uuid.UUID | None = None,
) -> Placed | Asked:
    """Place a purchase, or ask the company's approvers when it is above the person's limit. Raises as `service.place`.

    The cart is the replay key here too: asked again, however often and at once, it answers the same request.
    """
    quote = checkout.quote_of(actor, quote_id)
    [cart] = lock_rows(Cart, [quote.cart_id])
    asked = session.scalar(sa.select(ApprovalRequest.public_id).where(ApprovalRequest.cart_id == quote.cart_id))
    if asked is not None:
        return Asked(asked)
    try:
        return service.place_locked(actor, quote, cart, contact, payment_method, comment, organisation)
    except Conflict as refusal:
        if refusal.code != "above_limit" or organisation is None:
            raise
        return _ask(actor, quote, contact, payment_method, comment, organisation, refusal.context)


def _ask(
    actor: Actor,
    quote: Quote,
    contact: Contact,
    payment_method: str,
    comment: str,
    organisation: uuid.UUID,
    above: dict[str, Any],
) -> Asked:
    """Let the cart wait. Everything else about it was checked by `service.place` on the way to the limit."""
    company = limits.company(actor.user, organisation)
    row = ApprovalRequest(
        organisation_id=company.id, company=company.name, user_id=actor.user, cart_id=quote.cart_id,
        above=above["above"], limit_was=above["limit"], spent=above["spent"], total=above["total"],
        payload=quote.payload, contact_name=contact.name.strip(), contact_phone=contact.phone.strip(),
        payment_method=payment_method, comment=comment.strip(), expires_at=clock.now() + KEEP,
    )  # fmt: skip
    session.add(row)
    session.execute(sa.update(Cart).where(Cart.id == quote.cart_id).values(status="waiting"))
    changed(carts.kept_as(actor.user))
    session.flush()
    timers.set_timer("approval", row.id, "expire", row.expires_at)
    audit.record(actor, "approval.asked", "approval_request", row.id, after={"total": row.total, "above": row.above})
    for one in accounts.places(company.id):
        if one.role in limits.UNLIMITED:
            mail.queue(one.email, "approval_asked", one.locale, name=one.name, person=actor.name, company=company.name,
                       total=row.total, path=f"/approvals/{row.public_id}")  # fmt: skip
    return Asked(row.public_id)


def _move(actor: Actor, row: ApprovalRequest, new: str, reason: str = "") -> None:
    """Make a declared transition of a locked request and tell the buyer of it.

    Raises:
        Conflict: `approval_state`.
    """
    old = row.status
    rules.APPROVAL.check(old, new)
    row.status, row.reason = new, reason
    if new in ("approved", "declined"):
        row.decided_by_id, row.decided_at = actor.user, clock.now()
    timers.clear("approval", row.id, "expire")
    audit.record(actor, f"approval.{new}", "approval_request", row.id, before={"status": old}, after={"status": new})
    if new != "approved":
        lock_rows(Cart, [row.cart_id])[0].status = "merged"
        reservations.let_go(row.cart_id)
    if new != "withdrawn":
        buyer = accounts.acting_as(row.user_id)
        mail.queue(buyer.email, "approval_answered", buyer.locale, name=buyer.name, answer=new, reason=reason,
                   person=actor.name, total=row.total, path=f"/approvals/{row.public_id}")  # fmt: skip
    session.flush()


def _to_decide(actor: Actor, public_id: uuid.UUID) -> ApprovalRequest:
    """A request in a company where the actor decides, locked.

    Raises:
        NotFound: absent, or of a company where the actor does not decide. Conflict: `own_request`.
    """
    row = _locked(ApprovalRequest.public_id == public_id, ApprovalRequest.organisation_id.in_(limits.decides_in(actor)))
    if row.user_id == actor.user:
        raise Conflict("own_request")
    return row


def _locked(*conditions: sa.ColumnElement[bool]) -> ApprovalRequest:
    found = session.scalar(sa.select(ApprovalRequest.id).where(*conditions))
    if found is None:
        raise NotFound()
    row: ApprovalRequest = lock_rows(ApprovalRequest, [found])[0]
    return row


@unit_of_work
def approve(actor: Actor, public_id: uuid.UUID, terms: str) -> Placed:
    """Place the purchase in the buyer's name.

    Args:
        terms: of the prices, deliveries and day that the approver was shown (`Request.terms`).

    Raises:
        NotFound: not the actor's to decide. Invalid: the buyer has left the company.
        Conflict: `approval_state`, `own_request`, `price_changed` when the terms are others by now, `stock_changed`.
    """
    row = _to_decide(actor, public_id)
    if row.status == "approved" and row.order_group_id is not None:
        return Placed(row.order_group_id, session.get_one(OrderGroup, row.order_group_id).number, replayed=True)
    rules.APPROVAL.check(row.status, "approved")
    if row.expires_at <= clock.now():
        raise Conflict("approval_state", state="expired", wanted="approved")
    lock_rows(Cart, [row.cart_id])
    quote = checkout.promise(row.cart_id, checkout.wishes_of(row.cart_id), _wanted(row))
    if terms_of(quote.payload) != terms:
        raise Conflict("price_changed", differences=[])
    company = accounts.requisites(row.organisation_id)
    contact = Contact(row.contact_name, row.contact_phone)
    placed = service.place(
        accounts.acting_as(row.user_id), quote.public_id, contact, row.payment_method, row.comment, company.public_id,
        is_checked=True,
    )  # fmt: skip
    row.order_group_id = placed.id
    _move(actor, row, "approved")
    return placed


def _wanted(row: ApprovalRequest) -> Wanted:
    """What the buyer chose; a day that can no longer be is the earliest that can."""
    lead = max((line.offer.lead_time_days for line in _lines(row)), default=0)
    soonest, shown = logistics.earliest_day(lead), row.payload
    wanted = replace(checkout.wanted_of(shown, soonest), payment_method=row.payment_method,
                     company_id=row.organisation_id)  # fmt: skip
    times = {(trip.get("day"), trip.get("window")) for trip in shown["trips"]}
    if wanted.day is not None or len(times) > 1:
        return wanted
    return replace(wanted, day=max(date.fromisoformat(shown["day"]), soonest), window=shown["window"])


def _lines(row: ApprovalRequest) -> tuple[PlannedLine, ...]:
    return make_plan(checkout.wishes_of(row.cart_id), row.payload["site"], clock.today(), with_delivery=False).lines


def terms_of(payload: dict[str, Any]) -> str:
    """A short mark of everything in a quote that an approver agrees to: prices, quantities, deliveries, the day."""
    agreed = [
        sorted((line["offer_id"], line["quantity"], line["price"]) for line in payload["lines"]),
        sorted((t["warehouse_id"], t["delivery"], t.get("day"), t.get("window")) for t in payload["trips"]),
        payload["day"], payload["window"], payload["totals"]["total"],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(agreed).encode()).hexdigest()[:16]


@unit_of_work
def decline(actor: Actor, public_id: uuid.UUID, reason: str) -> None:
    """Refuse the purchase; the buyer reads why.

    Raises:
        NotFound: not the actor's to decide. Invalid: no reason. Conflict: `approval_state`, `own_request`.
    """
    text = reason.strip()
    if not text:
        raise Invalid.one("/reason", "required")
    if len(text) > REASON_LENGTH:
        raise Invalid.one("/reason", "too_long", maximum=REASON_LENGTH)
    _move(actor, _to_decide(actor, public_id), "declined", text)


@unit_of_work
def withdraw(actor: Actor, public_id: uuid.UUID) -> None:
    """The buyer takes the request back.

    Raises:
        NotFound: absent, or another person's. Conflict: `approval_state`.
    """
    _move(actor, _locked(ApprovalRequest.public_id == public_id, ApprovalRequest.user_id == actor.user), "withdrawn")


@unit_of_work
def expire(request_id: int) -> None:
    """Nobody answered in time. Called by the timer; a request that moved on stays as it is."""
    for row in lock_rows(ApprovalRequest, [request_id]):
        if row.status == "waiting" and row.expires_at <= clock.now():
            _move(SYSTEM, row, "expired")


@unit_of_work
def to_cart(actor: Actor, public_id: uuid.UUID) -> list[CartChange]:
    """Put what was not approved into the buyer's present cart, to be changed and asked for anew.

    Raises:
        NotFound: absent, or another person's. Conflict: `approval_state` while it waits or when it was placed.
    """
    row = _locked(ApprovalRequest.public_id == public_id, ApprovalRequest.user_id == actor.user)
    if row.status in ("waiting", "approved"):
        raise Conflict("approval_state", state=row.status, wanted="to_cart")
    wishes = [(wish.offer_id, wish.quantity) for wish in checkout.wishes_of(row.cart_id)]
    changes = carts.add_many(actor, "", wishes)[0]
    cart = carts.find_cart(actor, "")
    if cart is not None:
        promoting.carry_code(row.cart_id, cart)
    return changes


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request in a list. Kopeks."""

    id: int
    public_id: uuid.UUID
    status: str
    above: str
    limit_was: int
    spent: int
    total: int
    reason: str
    expires_at: datetime
    created_at: datetime
    company: str
    buyer: str
    decided_by: str | None
    number: str | None
    is_mine: bool
    may_decide: bool

    @property
    def is_open(self) -> bool:
        return self.status == "waiting"


@dataclass(frozen=True, slots=True)
class Request:
    """A request with what it would come to now. `plan` is empty and `problem` says why when it cannot be placed now."""

    row: RequestRow
    payload: dict[str, Any]
    payment_method: str
    contact: Contact
    comment: str
    lines: tuple[PlannedLine, ...]
    now: dict[str, Any] | None
    plan: Plan | None
    problem: Conflict | Invalid | None

    @property
    def terms(self) -> str:
        """What the approver confirms by pressing the button."""
        return terms_of(self.now) if self.now else ""

    @property
    def is_changed(self) -> bool:
        """It is not any more what the buyer asked for."""
        return self.now is not None and self.terms != terms_of(self.payload)

    def price_was(self, line: PlannedLine) -> int:
        """Kopeks per unit when the buyer asked."""
        return next((int(one["price"]) for one in self.payload["lines"] if one["line"] == line.id), line.price)


def _rows(actor: Actor, *conditions: sa.ColumnElement[bool], limit: int = 100) -> list[RequestRow]:
    row = ApprovalRequest
    decides = row.organisation_id.in_(limits.decides_in(actor))
    is_mine = row.user_id == actor.user
    found = session.execute(
        sa.select(
            row.id, row.public_id, row.status, row.above, row.limit_was, row.spent, row.total, row.reason,
            row.expires_at, row.created_at, row.company, row.user_id, row.decided_by_id, OrderGroup.number,
            is_mine.label("is_mine"), sa.and_(decides, ~is_mine).label("may_decide"),
        )
        .outerjoin(OrderGroup, OrderGroup.id == row.order_group_id)
        .where(sa.or_(is_mine, decides), *conditions)
        .order_by((row.status == "waiting").desc(), row.id.desc())
        .limit(limit)
    ).all()  # fmt: skip
    names = accounts.people(one for each in found for one in (each.user_id, each.decided_by_id))
    rows = []
    for each in found:
        values = dict(each._mapping)
        buyer, decider = names[values.pop("user_id")], names.get(values.pop("decided_by_id"))
        rows.append(RequestRow(**values, buyer=buyer, decided_by=decider))
    return rows


def requests_of(actor: Actor, limit: int = 100) -> list[RequestRow]:
    """Requests that the person made or may decide on, those that wait first, then the newest."""
    return _rows(actor, limit=limit)


def request(actor: Actor, public_id: uuid.UUID) -> Request:
    """One request that the person made or may decide on, compared with the present.

    Raises:
        NotFound: absent, or neither the person's nor of a company where the person decides.
    """
    row = next(iter(_rows(actor, ApprovalRequest.public_id == public_id)), None)
    if row is None:
        raise NotFound()
    kept = session.get_one(ApprovalRequest, row.id)
    now, plan, problem = None, None, None
    if row.is_open:
        try:
            found = checkout.draft(checkout.wishes_of(kept.cart_id), _wanted(kept))
            now, plan = found.payload, found.plan
        except (Conflict, Invalid) as refusal:
            problem = refusal
    contact = Contact(kept.contact_name, kept.contact_phone)
    lines = plan.lines if plan else _lines(kept)
    return Request(row, kept.payload, kept.payment_method, contact, kept.comment, lines, now, plan, problem)
