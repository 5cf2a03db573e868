"""Money by bank: invoices that wait, statements that pay them, and nothing that is lost or counted twice."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from app.core import clock, timers
from app.core.db import session
from app.core.errors import Conflict, Invalid
from app.core.models import Job
from app.core.permissions import Actor, Membership
from app.offers.models import StockLevel
from app.orders import fulfilments, paying, refunds, service
from app.orders.models import Order, OrderGroup
from app.payments import incoming, rules, statement_file, statements
from app.payments.bank_models import IncomingPayment
from app.payments.models import Payment, PaymentSplit, Refund
from tests.factories import orders as make
from tests.orders import steps
from tests.unit.payments.test_statement_file import document, statement

OURS = rules.OPERATOR["account"]


def roubles(kopeks: int) -> str:
    return f"{kopeks // 100}.{kopeks % 100:02d}"


def paid_by(group: OrderGroup, less: int = 0, number: str = "17", purpose: str = "") -> str:
    words = purpose or f"Оплата счета {group.number}"
    return document(words, Сумма=roubles(group.total - less), Номер=number, ПолучательСчет=OURS)


def file_of(*documents: str) -> bytes:
    return statement(*documents, account=OURS).encode("cp1251")


def told(kind: str) -> list[Job]:
    return list(session.scalars(sa.select(Job).where(Job.kind == kind)))


def mails() -> list[str]:
    return [job.payload["template"] for job in told("mail.send") if job.payload["template"] != "order_placed"]


def run_paid_events() -> None:
    """What the worker does with the events."""
    for job in told("orders.payment_paid"):
        paying.payment_paid(job.payload["entity_id"])


def state(group: OrderGroup) -> tuple[str, str]:
    session.expire_all()
    group = session.get_one(OrderGroup, group.id)
    [order] = steps.orders_of(group)
    return group.payment_status, order.payment_status


@pytest.fixture
def group(db_session: object) -> OrderGroup:
    market = make.market()
    return steps.bought(make.person(), (make.offer(market), 10))


def test_a_statement_pays_an_invoice_once_however_often_it_is_read(group: OrderGroup) -> None:
    actor = make.person(is_admin=True)
    outgoing = document("Аренда", ПлательщикСчет=OURS, ПолучательСчет="40702810000000000099", Номер="18")
    first = statements.read(actor, "a.txt", file_of(paid_by(group), outgoing))
    assert (first.documents, first.added, first.matched) == (1, 1, 1)
    again = statements.read(actor, "b.txt", file_of(paid_by(group)))
    assert (again.documents, again.added, again.matched) == (1, 0, 0)
    assert len(told("orders.payment_paid")) == 1
    run_paid_events()
    run_paid_events()
    assert state(group) == ("paid", "paid")
    payment = session.scalars(sa.select(Payment)).one()
    assert (payment.received, payment.status) == (group.total, "paid")
    steps.check_everything_sums()
    for handler in (paying.remind, paying.overdue, paying.cancel_unpaid):
        handler(group.id)
    assert (state(group), mails()) == (("paid", "paid"), [])


def test_what_does_not_fit_waits_for_the_operator_and_is_never_lost(group: OrderGroup) -> None:
    actor = make.person(is_admin=True)
    half = group.total // 2
    other = document("Возврат займа", Сумма="5.00", Номер="3", ПолучательСчет=OURS)
    read = statements.read(
        actor, "a.txt", file_of(paid_by(group, less=half), paid_by(group, less=-100, number="2"), other)
    )
    assert (read.added, read.matched) == (3, 0)
    less, more, unknown = session.scalars(sa.select(IncomingPayment).order_by(IncomingPayment.id)).all()
    assert [row.problem for row in (less, more, unknown)] == ["less", "more", "unknown"]
    with pytest.raises(Invalid):
        statements.attach(actor, unknown.public_id, "R999999")
    statements.not_ours(actor, unknown.public_id)
    with pytest.raises(Conflict):
        statements.attach(actor, unknown.public_id, group.number)
    assert statements.attach(actor, less.public_id, f"р {group.number[1:]}") is False
    payment = session.scalars(sa.select(Payment).execution_options(populate_existing=True)).one()
    assert (payment.status, payment.received) == ("awaiting", group.total - half)
    paying.overdue(group.id)
    paying.cancel_unpaid(group.id)
    [order] = steps.orders_of(group)
    assert order.status == "placed"  # a part has come: the operator decides
    # the rest to the kopek is found without a hand
    assert statements.read(actor, "c.txt", file_of(paid_by(group, less=group.total - half, number="9"))).matched == 1
    statements.attach(actor, more.public_id, group.number)
    run_paid_events()
    session.refresh(payment)
    assert (payment.status, payment.received) == ("paid", 2 * group.total + 100)
    assert state(group) == ("paid", "paid")
    steps.check_everything_sums()
    # a refund lowers what is kept and what is asked alike; what came beyond the invoice is given back once
    split = session.scalars(sa.select(PaymentSplit)).one()
    given = Refund(split_id=split.id, amount=700, reason="not_found", status="approved", payee={"name": "И"})
    session.add(given)
    session.flush()
    refunds.mark_paid(actor, given.public_id, "п/п 3")
    [row] = incoming.to_give_back()
    assert (row.received, row.kept, row.extra) == (2 * group.total + 100, 2 * group.total - 600, group.total + 100)
    assert statements.give_extra_back(actor, group.number, "п/п 4") == group.total + 100
    assert incoming.to_give_back() == []
    with pytest.raises(Conflict) as nothing:
        statements.give_extra_back(actor, group.number)
    assert nothing.value.code == "nothing_extra"
    session.refresh(payment)
    assert payment.received - payment.returned == group.total - 700
    steps.check_everything_sums()


def test_an_unpaid_invoice_is_reminded_of_then_overdue_then_called_off(group: OrderGroup) -> None:
    start = clock.now()
    seen = []
    for hours in range(0, 24 * 9, 6):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            for timer in session.execute(
                sa.text("SELECT id, entity_id, transition FROM timer WHERE entity = 'order_group' AND fired_at IS NULL"
                        " AND due_at <= :now ORDER BY due_at"), {"now": clock.now()}
            ).all():  # fmt: skip
                timers._fire(timer.id, "order_group", timer.entity_id, timer.transition)
                seen.append((timer.transition, clock.today() - clock.local(start).date()))
    assert [(name, days.days) for name, days in seen] == [
        ("payment_reminder", 2), ("payment_overdue", 4), ("payment_cancel", 7),
    ]  # fmt: skip
    assert mails() == ["payment_reminder", "order_not_paid"]
    [order] = steps.orders_of(group)
    assert (order.status, order.reason, order.payment_status) == ("cancelled", "not_paid", "voided")
    assert session.scalars(sa.select(StockLevel.allocated)).all() == [0]
    steps.check_everything_sums()
    # money that comes now is kept and waits for the operator
    actor = make.person(is_admin=True)
    amount = session.scalars(sa.select(Payment.amount)).one()
    late = document(f"Оплата {group.number}", Сумма=roubles(amount), ПолучательСчет=OURS)
    statements.read(actor, "late.txt", file_of(late))
    row = session.scalars(sa.select(IncomingPayment)).one()
    assert (row.state, row.problem) == ("waiting", "closed")


def test_what_is_being_picked_is_not_called_off(db_session: object) -> None:
    market = make.market()
    group = steps.bought(make.person(), (make.offer(market), 10))
    [order] = steps.orders_of(group)
    [trip] = steps.trips_of(order)
    service.accept(market.sellers[0], order.number)
    fulfilments.start_picking(market.sellers[0], trip.public_id)  # an invoice is paid after or before: sellers decide
    paying.overdue(group.id)
    paying.cancel_unpaid(group.id)
    assert session.get_one(Order, order.id, populate_existing=True).status == "accepted"


def test_an_order_that_gets_cheaper_than_what_came_is_paid(group: OrderGroup) -> None:
    actor = make.person(is_admin=True)
    [order] = steps.orders_of(group)
    statements.read(actor, "a.txt", file_of(paid_by(group, less=54_500)))
    statements.attach(actor, session.scalars(sa.select(IncomingPayment.public_id)).one(), group.number)
    [line] = session.execute(sa.text("SELECT public_id FROM order_line")).scalars()
    seat = Membership(order.seller_id, uuid.uuid4(), "", "seller", "owner")
    service.accept(Actor(user_id=actor.user_id, memberships=(seat,)), order.number, {line: Decimal(9)})
    run_paid_events()
    assert state(group) == ("paid", "paid")
    assert not session.scalars(sa.select(Refund.id)).all()
    steps.check_everything_sums()


def test_twins_of_a_file_at_once_pay_once(committed_db: Flask) -> None:
    market = make.committed(make.market)
    glue = make.committed(lambda: make.offer(market))
    buyer, actor = make.committed(make.person), make.committed(lambda: make.person(is_admin=True))
    group = steps.bought(buyer, (glue, 10))
    data = file_of(paid_by(group))
    gate, found = Barrier(6), []

    def run() -> None:
        with committed_db.app_context():
            gate.wait()
            found.append(statements.read(actor, "a.txt", data).added)
            session.remove()

    threads = [Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 0, 0, 0, 0, 1]
    session.rollback()
    assert session.scalars(sa.select(Payment.received)).one() == group.total
    assert len(told("orders.payment_paid")) == 1


def test_the_operators_page_reads_a_file_and_decides(app: Flask, group: OrderGroup) -> None:
    browser = make.signed_browser(app, make.person(is_admin=True))

    def send(data: bytes) -> TestResponse:
        return browser.post("/admin/statements", data={"file": (BytesIO(data), "bank.txt")})

    refused = send(file_of(paid_by(group).replace("Номер=17", "Номер=")))
    assert (refused.status_code, "строке 12" in refused.text) == (422, True)
    assert send(b"x" * (statement_file.MAX_BYTES + 1)).status_code == 422
    assert send(file_of(paid_by(group, less=1), document("?", ПолучательСчет=OURS, Номер="2"))).status_code == 303
    page = browser.get("/admin/statements").text
    assert [word for word in ("bank.txt", "меньше, чем надо", "счёт не назван") if word not in page] == []
    less, unknown = session.scalars(sa.select(IncomingPayment.public_id).order_by(IncomingPayment.id)).all()
    wrong = browser.post(f"/admin/statements/{less}/attach", data={"number": "R77"})
    assert (wrong.status_code, 'value="R77"' in wrong.text) == (422, True)
    browser.post(f"/admin/statements/{less}/attach", data={"number": group.number})
    browser.post(f"/admin/statements/{unknown}/not-ours")
    assert "Решать нечего" in browser.get("/admin/statements").text
