"""What happens to a purchase because money came, or did not come in time. Timers and facts of payments call these.

Each is safe to call twice or late: a purchase that moved on stays as it is.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from app.accounts import queries as accounts
from app.core import clock, mail, timers
from app.core.db import lock_rows, session, unit_of_work
from app.orders import rules, service
from app.orders.models import Order, OrderGroup
from app.orders.totals import sum_group
from app.orders.transitions import SYSTEM, locked_group, note, trips_of
from app.payments import cards
from app.payments import queries as payment_queries
from app.payments import rules as money_rules
from app.payments import service as payments
from app.payments.queries import PaymentRow

OPEN = ("placed", "accepted")
WAIT_FOR_PROVIDER = timedelta(minutes=1)


@unit_of_work
def payment_paid(payment_id: int) -> None:
    """The money of a purchase is there: its orders are paid."""
    group_id = payment_queries.group_of(payment_id)
    if group_id is None:
        return
    group = locked_group(group_id)
    payment = payment_queries.payment_of(group_id)
    if payment is None or payment.status not in ("paid", "partially_refunded", "refunded"):
        return
    for order in _orders(group_id, ("none", "awaiting", "overdue", "authorised")):
        if order.total:
            note(SYSTEM, order, "payment.paid", order.payment_status, "paid", details={"amount": order.total})
            order.payment_status = "paid"
    for transition in ("payment_reminder", "payment_overdue", "payment_cancel", "payment_deadline"):
        timers.clear("order_group", group_id, transition)
    sum_group(group)


@unit_of_work
def remind(group_id: int) -> None:
    """The invoice is to be paid by tomorrow and is not: the buyer is told, once."""
    group = locked_group(group_id)
    payment = payment_queries.payment_of(group_id)
    if payment is None or payment.status != "awaiting" or not payment.left:
        return
    _tell(group, "payment_reminder", payment)


@unit_of_work
def overdue(group_id: int) -> None:
    """The invoice was not paid in time; after the days of grace what nobody picks is called off."""
    group = locked_group(group_id)
    if not payments.mark_overdue(group_id):
        return
    for order in _orders(group_id, ("awaiting",)):
        order.payment_status = "overdue"
        note(SYSTEM, order, "payment.overdue", "awaiting", "overdue")
    due = payments.due_on(group_id)
    if due is not None:
        timers.set_timer("order_group", group_id, "payment_cancel", money_rules.cancel_at(due))
    sum_group(group)


@unit_of_work
def cancel_unpaid(group_id: int) -> None:
    """The days of grace are over: orders of an unpaid invoice that nobody picks are called off and the buyer is told.

    When a part of the money has come, nothing is called off: the operator sees the payment and decides.
    """
    group = locked_group(group_id)
    payment = payment_queries.payment_of(group_id)
    if payment is not None and payment.status == "overdue" and not payment.received:
        call_off_unpaid(group, payment)


@unit_of_work
def card_deadline(group_id: int) -> None:
    """The time to pay by card is over: what is unpaid is called off, unless the provider's word is still to come."""
    group = locked_group(group_id)
    payment = payment_queries.payment_of(group_id)
    if payment is None or payment.status != "awaiting":
        return
    if cards.waits_for_provider(group_id):
        timers.set_timer("order_group", group_id, "payment_deadline", clock.now() + WAIT_FOR_PROVIDER)
        return
    call_off_unpaid(group, payment)


def call_off_unpaid(group: OrderGroup, payment: PaymentRow) -> list[str]:
    """Call off what is not being picked, free its stock, tell the buyer. The caller holds the lock of the purchase.

    Returns:
        Numbers of the orders.
    """
    gone = []
    for order in _orders(group.id, ("awaiting", "overdue", "authorised")):
        trips = trips_of(order.id)
        if order.status in OPEN and all(t.status in rules.CANCELLABLE or t.status == "cancelled" for t in trips):
            service.call_off(SYSTEM, group, order, trips, "cancelled", "not_paid")
            gone.append(order.number)
    if gone:
        _tell(group, "order_not_paid", payment, orders=", ".join(gone))
    return gone


def _orders(group_id: int, states: tuple[str, ...]) -> list[Order]:
    """Orders of a purchase by the state of their money, locked."""
    wanted = sa.select(Order.id).where(Order.group_id == group_id, Order.payment_status.in_(states))
    found: list[Order] = lock_rows(Order, session.scalars(wanted))
    return found


def _tell(group: OrderGroup, template: str, payment: PaymentRow, **more: object) -> None:
    person = accounts.profile(group.user_id)
    if person.email:
        mail.queue(
            person.email, template, person.locale, name=group.contact_name, number=group.number, sum=payment.left,
            due=f"{payment.due_on:%d.%m.%Y}" if payment.due_on else "", **more,
        )  # fmt: skip
