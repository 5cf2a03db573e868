"""Payments by card: visits to the provider's page, what it tells of them, and what goes back because it came too late.

A visit is open until the provider says otherwise. Its word comes by webhook or as the answer to a question of ours,
once, twice, late or out of turn; the money of a visit is counted once.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from app.core import audit, clock, jobs
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict
from app.core.permissions import Actor
from app.payments import providers, rules, service
from app.payments.bank_models import CardAttempt
from app.payments.models import Payment, PaymentSplit, ProviderEvent, Refund
from app.payments.providers import Told, Visit

log = structlog.get_logger(__name__)

FIRST_QUESTION = timedelta(seconds=20)
NEXT_QUESTION = timedelta(seconds=30)
ASK_AFTER_END = timedelta(hours=1)
"""A visit of which the provider knows nothing for this long after its end is given up."""
LEAST_TIME = timedelta(minutes=1)
"""With less time than this nobody is sent to the provider any more."""


@unit_of_work
def open_visit(group_id: int) -> uuid.UUID:
    """Begin a visit to the provider's page for what is still to be paid. The caller holds the lock of the purchase.

    Raises:
        Conflict: `cards_not_taken`, `payment_state`, `payment_too_late`.
    """
    provider = providers.present()
    payment = service.locked_payment_of(group_id)
    if payment is None or payment.method != "card" or payment.status != "awaiting":
        raise Conflict("payment_state", state=payment.status if payment else "none")
    end = payment.created_at + timedelta(minutes=rules.CARD_MINUTES)
    if clock.now() + LEAST_TIME > end:
        raise Conflict("payment_too_late")
    left = payment.amount - payment.received
    row = CardAttempt(payment_id=payment.id, provider=provider.name, amount=left, expires_at=end)
    session.add(row)
    session.flush()
    ask_later(row.public_id, FIRST_QUESTION)
    return row.public_id


def ask_later(reference: uuid.UUID, delay: timedelta) -> None:
    """Let a worker ask the provider about a visit."""
    jobs.enqueue("cards.ask", {"reference": str(reference)}, delay=delay)


def open_visit_of(group_id: int, reference: uuid.UUID, number: str, return_url: str) -> Visit | None:
    """A visit of a purchase that may still be made; None when it is over or another purchase's."""
    row = session.execute(
        sa.select(CardAttempt.amount, CardAttempt.expires_at)
        .join(Payment, Payment.id == CardAttempt.payment_id)
        .where(Payment.group_id == group_id, CardAttempt.public_id == reference, CardAttempt.state == "open")
    ).one_or_none()
    return None if row is None else Visit(reference, row.amount, number, return_url, row.expires_at)


def is_open(reference: uuid.UUID) -> bool:
    """Whether the provider's word on a visit is still to come."""
    return session.scalar(sa.select(CardAttempt.state).where(CardAttempt.public_id == reference)) == "open"


def waits_for_provider(group_id: int) -> bool:
    """Whether a visit of this purchase is open."""
    statement = (
        sa.select(CardAttempt.id)
        .join(Payment, Payment.id == CardAttempt.payment_id)
        .where(Payment.group_id == group_id, CardAttempt.state == "open")
        .limit(1)
    )
    return session.scalar(statement) is not None


def last_state(payment_id: int) -> str:
    """How the newest visit for a payment stands; empty when there was none."""
    statement = sa.select(CardAttempt.state).where(CardAttempt.payment_id == payment_id)
    return session.scalar(statement.order_by(CardAttempt.id.desc()).limit(1)) or ""


@unit_of_work
def hear(provider: str, told: Told) -> bool:
    """Take in a verified webhook. False when this event was heard before, or is of no visit of ours."""
    payload = asdict(told) | {"reference": str(told.reference)}
    made = session.scalar(
        insert(ProviderEvent)
        .values(provider=provider, event_id=told.event_id, payload=payload)
        .on_conflict_do_nothing()
        .returning(ProviderEvent.id)
    )
    return made is not None and take_word(provider, told)


@unit_of_work
def take_word(provider: str, told: Told) -> bool:
    """Let a visit follow what the provider says. False when nothing changed.

    Paid is the last word, also after `declined`; every other word counts only while the visit is open.
    """
    found = session.execute(
        sa.select(CardAttempt.id, CardAttempt.payment_id).where(
            CardAttempt.public_id == told.reference, CardAttempt.provider == provider
        )
    ).one_or_none()
    if found is None:
        return False
    payment = service.locked_payments([found.payment_id])[found.payment_id]
    visit: CardAttempt = lock_rows(CardAttempt, [found.id])[0]
    if visit.state in ("paid", "suspicious"):
        return False
    if told.said == "paid":
        return _paid(visit, payment, told)
    if visit.state != "open" or not _ends(visit, told):
        return False
    visit.state = "declined" if told.said == "declined" else "abandoned"
    session.flush()
    return True


def _ends(visit: CardAttempt, told: Told) -> bool:
    """Whether these words end an open visit; the provider forgets visits that nobody made."""
    if told.said == "unknown":
        return visit.expires_at < clock.now()
    return told.said in ("declined", "abandoned")


def _paid(visit: CardAttempt, payment: Payment, told: Told) -> bool:
    if (told.amount, told.currency) != (visit.amount, "RUB"):
        _suspect(visit, told)
        return True
    visit.state = "paid"
    visit.provider_ref = told.provider_ref or None
    before = 0 if payment.status == "voided" else payment.amount
    service.receive(payment, visit.amount)
    extra = min(visit.amount, payment.received - before)
    session.flush()
    if extra > 0:  # paid twice, after the purchase was called off, or after it became cheaper
        give_back(visit, extra)
    return True


def _suspect(visit: CardAttempt, told: Told) -> None:
    """Another sum or currency than was asked: nothing is paid, the operator is told."""
    visit.state = "suspicious"
    visit.told = f"{told.amount} {told.currency}"[:100]
    log.error("card_amount_differs", visit=str(visit.public_id), asked=visit.amount, told=visit.told)
    after = {"asked": visit.amount, "told": visit.told, "provider": visit.provider}
    audit.record(Actor(), "card.amount_differs", "card_attempt", visit.id, after=after)
    session.flush()


def give_back(visit: CardAttempt, amount: int) -> None:
    """Let a worker return money of a visit to its card, once."""
    payload = {"reference": str(visit.public_id), "amount": amount}
    jobs.enqueue("cards.give_back", payload, dedupe_key=f"card-back:{visit.public_id}", max_attempts=30)


@unit_of_work
def send_refund(refund_id: int) -> None:
    """Let a worker return an agreed refund to the card that paid, if one did."""
    row = session.execute(
        sa.select(Refund.amount, PaymentSplit.payment_id)
        .join(PaymentSplit, PaymentSplit.id == Refund.split_id)
        .join(Payment, Payment.id == PaymentSplit.payment_id)
        .where(Refund.id == refund_id, Refund.status == "approved", Payment.method == "card")
    ).one_or_none()
    if row is None:
        return
    visits: list[CardAttempt] = lock_rows(
        CardAttempt,
        session.scalars(
            sa.select(CardAttempt.id).where(CardAttempt.payment_id == row.payment_id, CardAttempt.state == "paid")
        ),
    )
    visit = next((one for one in visits if one.amount - one.returned >= row.amount), None)
    if visit is None:  # the operator sees it among the refunds that wait
        log.error("refund_without_a_card", refund=refund_id)
        return
    payload = {"reference": str(visit.public_id), "amount": row.amount, "refund": refund_id}
    jobs.enqueue("cards.give_back", payload, dedupe_key=f"card-refund:{refund_id}", max_attempts=30)


@unit_of_work
def gave_back(reference: uuid.UUID, amount: int, *, of_refund: bool) -> None:
    """The provider has returned so much of a visit; what is no refund came beyond what was asked."""
    found = session.execute(
        sa.select(CardAttempt.id, CardAttempt.payment_id).where(CardAttempt.public_id == reference)
    ).one_or_none()
    if found is not None and not of_refund:  # a refund is counted when it is settled
        service.locked_payments([found.payment_id])[found.payment_id].returned += amount
    for visit in lock_rows(CardAttempt, [found.id] if found is not None else []):
        visit.returned += amount
        audit.record(Actor(), "card.given_back", "card_attempt", visit.id, after={"amount": amount})


@unit_of_work
def ask_again(reference: uuid.UUID) -> None:
    """The provider has not decided, or is silent: ask later, and in the end give the visit up."""
    found = session.scalar(sa.select(CardAttempt.id).where(CardAttempt.public_id == reference))
    for visit in lock_rows(CardAttempt, [found] if found is not None else []):
        if visit.state == "open" and visit.expires_at + ASK_AFTER_END < clock.now():
            visit.state = "abandoned"
        elif visit.state == "open":
            ask_later(reference, NEXT_QUESTION)
