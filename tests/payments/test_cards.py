"""Cards: whatever the provider says, twice, late, out of turn or falsely, the money of a purchase is counted once."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict
from app.core.models import AuditEntry, Job
from app.core.permissions import Actor
from app.offers.models import StockLevel
from app.orders import card, fulfilments, paying, service
from app.orders.models import OrderGroup, OrderLine
from app.payments import cards, providers
from app.payments.bank_models import CardAttempt
from app.payments.models import Payment, Refund
from app.payments.providers import Told
from app.payments.test_provider import TestProvider, signature
from tests.client import ApiClient
from tests.factories import orders as make
from tests.orders import steps
from tests.payments.test_statements import mails, state
from tools.test_bank import Bank
from tools.test_bank import make_app as make_bank
from workers import worker

SECRET = "shared-with-the-bank-0123456789abcdef"


@pytest.fixture(autouse=True)
def taken() -> Iterator[None]:
    providers.use(TestProvider("http://127.0.0.1:1", SECRET, seconds=0.3))
    yield
    providers.use(None)


class Bought:
    """A purchase of 10 bags to be paid by card."""

    def __init__(self) -> None:
        self.market = make.market()
        self.buyer: Actor = make.person()
        self.group: OrderGroup = steps.bought(self.buyer, (make.offer(self.market), 10), payment="card")

    def visit(self) -> uuid.UUID:
        return card.begin(self.buyer, self.group.number)

    def order(self) -> Any:
        return steps.orders_of(self.group)[0]


@pytest.fixture
def bought(db_session: object) -> Bought:
    return Bought()


def webhook(
    app: Flask, visit: uuid.UUID, said: str, amount: int, *, event: str = "", secret: str = SECRET, age: int = 0
) -> TestResponse:
    told = {"reference": str(visit), "status": said, "amount": amount, "currency": "RUB", "id": f"b{visit}"}
    body = json.dumps(told | {"event": event or uuid.uuid4().hex}).encode()
    timestamp = str(int(clock.now().timestamp()) - age)
    headers = {"X-Timestamp": timestamp, "X-Signature": signature(secret, timestamp, body)}
    client = app.test_client(use_cookies=False)
    return client.post("/api/v1/payments/webhooks/test", data=body, headers=headers, content_type="application/json")


def run_jobs(app: Flask, *kinds: str) -> None:
    """Every job of these kinds that nobody did yet, due or not."""
    for job in session.scalars(sa.select(Job.id).where(Job.kind.in_(kinds), Job.state == "queued")).all():
        session.execute(sa.update(Job).where(Job.id == job).values(run_at=sa.func.now()))
        session.commit()
        worker.run_in_context(job, app)


def visits() -> list[str]:
    return list(session.scalars(sa.select(CardAttempt.state).order_by(CardAttempt.id)))


def test_a_webhook_pays_once_and_nothing_forged_is_believed(app: Flask, bought: Bought) -> None:
    browser = make.signed_browser(app, bought.buyer)
    number, total = bought.group.number, bought.group.total
    assert "Оплатить картой" in browser.get(f"/orders/{number}").text
    gone = browser.post(f"/orders/{number}/pay")
    page = browser.get(gone.location)
    assert "http://127.0.0.1:1/pay?" in page.text
    visit = session.scalars(sa.select(CardAttempt.public_id)).one()
    session.commit()
    service.accept(bought.market.sellers[0], bought.order().number)
    trip = steps.trips_of(bought.order())[0].public_id
    with pytest.raises(Conflict, match="not_paid_yet"):
        fulfilments.start_picking(bought.market.sellers[0], trip)
    for answer, code in [
        (webhook(app, visit, "paid", total, secret="x" * 40), "webhook_signature"),
        (webhook(app, visit, "paid", total, age=301), "webhook_old"),
        (webhook(app, visit, "paid", total, age=-301), "webhook_old"),
        (webhook(app, visit, "won", total), "webhook_malformed"),
    ]:
        assert (answer.status_code, answer.json["code"]) == (400, code)
    assert ApiClient(app).post("/payments/webhooks/other").status_code == 404
    assert visits() == ["open"]
    assert "Ждём ответа банка" in browser.get(f"/orders/{number}").text
    assert webhook(app, visit, "paid", total, event="e1").json == {"changed": True}
    assert webhook(app, visit, "paid", total, event="e1").json == {"changed": False}
    assert webhook(app, visit, "paid", total, event="e2").json == {"changed": False}
    assert webhook(app, visit, "declined", total, event="e3").json == {"changed": False}
    run_jobs(app, "orders.payment_paid")
    assert (visits(), state(bought.group)) == (["paid"], ("paid", "paid"))
    assert session.scalars(sa.select(Payment.received)).one() == total
    fulfilments.start_picking(bought.market.sellers[0], trip)
    paying.card_deadline(bought.group.id)
    assert (state(bought.group), mails()) == (("paid", "paid"), [])
    with pytest.raises(Conflict, match="payment_state"):
        bought.visit()
    steps.check_everything_sums()


def test_a_refusal_lets_the_buyer_try_again_and_paying_twice_gives_one_back(app: Flask, bought: Bought) -> None:
    total = bought.group.total
    first = bought.visit()
    webhook(app, first, "declined", total)
    browser = make.signed_browser(app, bought.buyer)
    assert "Банк отказал" in browser.get(f"/orders/{bought.group.number}").text
    second = bought.visit()
    webhook(app, second, "paid", total)
    webhook(app, first, "paid", total)  # out of turn: the refusal was not its last word
    assert visits() == ["paid", "paid"]
    backs = session.scalars(sa.select(Job.payload).where(Job.kind == "cards.give_back")).all()
    assert backs == [{"reference": str(first), "amount": total}]
    run_jobs(app, "orders.payment_paid")
    assert state(bought.group) == ("paid", "paid")
    steps.check_everything_sums()


def test_another_sum_than_was_asked_pays_nothing_and_is_told(app: Flask, bought: Bought) -> None:
    visit = bought.visit()
    assert webhook(app, visit, "paid", bought.group.total - 100).json == {"changed": True}
    assert webhook(app, visit, "paid", bought.group.total).json == {"changed": False}
    assert (visits(), state(bought.group)) == (["suspicious"], ("awaiting", "awaiting"))
    assert (
        session.scalars(sa.select(AuditEntry.after).where(AuditEntry.action == "card.amount_differs")).one()["told"]
        == f"{bought.group.total - 100} RUB"
    )
    page = make.signed_browser(app, bought.buyer).get(f"/orders/{bought.group.number}").text
    assert "Оператор разбирается" in page
    assert f"/orders/{bought.group.number}/pay" not in page


@pytest.fixture
def bank() -> Iterator[Bank]:
    """The bank of tests with real HTTP; its webhooks go nowhere."""
    found = Bank(SECRET, "http://127.0.0.1:1")
    server = make_server("127.0.0.1", 0, make_bank(found), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    providers.use(TestProvider(f"http://127.0.0.1:{server.port}", SECRET, seconds=2))
    yield found
    server.shutdown()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def at_the_bank(bought: Bought, visit: uuid.UUID, **chosen: str) -> None:
    """What a person does on the bank's page."""
    made = card.visit(bought.buyer, bought.group.number, visit, "http://market.test/orders/R1")
    assert made is not None
    url = providers.present().start(made)
    with urllib.request.urlopen(url) as page:
        assert "Тестовый банк" in page.read().decode()
    address, _, query = url.partition("?")
    form = urllib.parse.urlencode({"visit": query, "do": "paid", "webhook": "lost", **chosen}).encode()
    with pytest.raises(urllib.error.HTTPError) as gone:
        urllib.request.build_opener(NoRedirect).open(address, form)
    assert (gone.value.code, gone.value.headers["Location"][:32]) == (303, "http://market.test/orders/R1?bac")


def test_a_lost_webhook_is_asked_for(app: Flask, bought: Bought, bank: Bank) -> None:
    visit = bought.visit()
    run_jobs(app, "cards.ask")  # the bank knows nothing yet: asked again later
    assert visits() == ["open"]
    at_the_bank(bought, visit)
    run_jobs(app, "cards.ask")
    run_jobs(app, "orders.payment_paid", "cards.ask")
    assert (visits(), state(bought.group)) == (["paid"], ("paid", "paid"))
    assert not session.scalars(sa.select(Job.id).where(Job.kind == "cards.ask", Job.state == "queued")).all()


def test_a_slow_bank_is_waited_for_and_not_forever(app: Flask, bought: Bought, bank: Bank) -> None:
    """What comes too late is asked for again, and nothing counts twice."""
    at_the_bank(bought, bought.visit())
    told, pages = providers.present(), make_bank(bank)

    def late(environ: Any, start: Any) -> Any:
        time.sleep(0.8)
        return pages(environ, start)

    server = make_server("127.0.0.1", 0, late, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    providers.use(TestProvider(f"http://127.0.0.1:{server.port}", SECRET, seconds=0.3))
    run_jobs(app, "cards.ask")
    assert (visits(), state(bought.group)) == (["open"], ("awaiting", "awaiting"))
    providers.use(TestProvider(f"http://127.0.0.1:{server.port}", SECRET, seconds=5))
    run_jobs(app, "cards.ask")
    assert visits() == ["paid"]
    run_jobs(app, "orders.payment_paid", "cards.ask")
    providers.use(told)
    assert state(bought.group) == ("paid", "paid")
    assert session.scalars(sa.select(Payment.received)).one() == bought.group.total
    server.shutdown()


def test_a_lying_bank_is_caught_by_the_question_too(app: Flask, bought: Bought, bank: Bank) -> None:
    at_the_bank(bought, bought.visit(), lie="1")
    run_jobs(app, "cards.ask")
    assert (visits(), state(bought.group)) == (["suspicious"], ("awaiting", "awaiting"))


def test_a_silent_bank_keeps_the_order_waiting_then_it_is_called_off_and_late_money_goes_back(
    app: Flask, bought: Bought, bank: Bank
) -> None:
    told, total = providers.present(), bought.group.total
    visit = bought.visit()
    at_the_bank(bought, visit, do="abandoned")
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes calls and never answers
        providers.use(TestProvider(f"http://127.0.0.1:{deaf.getsockname()[1]}", SECRET, seconds=0.3))
        run_jobs(app, "cards.ask")
    assert visits() == ["open"]
    assert session.scalars(sa.select(Job.state).where(Job.kind == "cards.ask").order_by(Job.id)).all() == [
        "done", "queued",
    ]  # fmt: skip
    with time_machine.travel(clock.now() + timedelta(minutes=31), tick=False):
        paying.card_deadline(bought.group.id)
        assert state(bought.group) == ("awaiting", "awaiting")  # the bank's word is still to come
    providers.use(told)
    run_jobs(app, "cards.ask")
    assert visits() == ["abandoned"]
    paying.card_deadline(bought.group.id)
    assert (state(bought.group), mails()) == (("voided", "voided"), ["order_not_paid"])
    assert session.scalars(sa.select(StockLevel.allocated)).all() == [0]
    bank.payments[str(visit)].status = "paid"
    webhook(app, visit, "paid", total)
    run_jobs(app, "cards.give_back")
    run_jobs(app, "cards.give_back")
    assert list(bank.payments[str(visit)].refunds.values()) == [total]
    row = session.execute(sa.select(CardAttempt.state, CardAttempt.returned)).one()
    assert tuple(row) == ("paid", total)
    assert session.scalars(sa.select(Payment.status)).one() == "voided"
    steps.check_everything_sums()


def test_the_api_begins_a_visit(app: Flask, bought: Bought) -> None:
    api = make.signed_api(app, bought.buyer)
    session.commit()
    path = f"/order-groups/{bought.group.number}/payments"
    assert api.post(path).status_code == 422
    made = api.post(path, headers={"Idempotency-Key": "a"})
    again = api.post(path, headers={"Idempotency-Key": "a"})
    assert made.status_code == 201, made.text
    assert made.json["id"] == again.json["id"]
    assert made.json["amount"]["amount"] == bought.group.total
    assert made.json["redirect_url"].startswith("http://127.0.0.1:1/pay?")
    late = time_machine.travel(clock.now() + timedelta(minutes=30))
    with late, pytest.raises(Conflict, match="payment_too_late"):
        bought.visit()


def test_the_same_word_at_once_counts_once(committed_db: Flask) -> None:
    providers.use(TestProvider("http://127.0.0.1:1", SECRET))
    bought: Bought = make.committed(Bought)
    visit = bought.visit()
    gate, heard = Barrier(8), []

    def run(number: int) -> None:
        with committed_db.app_context():
            gate.wait()
            told = Told(visit, "paid", bought.group.total, event_id=f"e{number % 2}")
            heard.append(cards.hear("test", told))
            session.remove()

    threads = [Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    session.rollback()
    assert sorted(heard) == [False] * 7 + [True]
    assert session.scalars(sa.select(Payment.received)).one() == bought.group.total
    steps.check_everything_sums()


def test_what_is_taken_off_a_paid_order_goes_back_to_the_card_once(app: Flask, bought: Bought, bank: Bank) -> None:
    visit = bought.visit()
    at_the_bank(bought, visit)
    run_jobs(app, "cards.ask")
    run_jobs(app, "orders.payment_paid")
    line = session.scalars(sa.select(OrderLine.public_id)).one()
    less = service.cancel(bought.buyer, bought.order().number, "", {line: Decimal(3)})
    run_jobs(app, "cards.refund_agreed")
    run_jobs(app, "cards.refund_agreed")
    run_jobs(app, "cards.give_back")
    assert session.execute(sa.select(Refund.amount, Refund.status)).one() == (less, "paid")
    assert session.scalars(sa.select(CardAttempt.returned)).one() == less
    assert sum(bank.payments[str(visit)].refunds.values()) == less
    assert state(bought.group) == ("partially_refunded", "partially_refunded")
    service.cancel(bought.buyer, bought.order().number)
    run_jobs(app, "cards.refund_agreed")
    run_jobs(app, "cards.give_back")
    amount, returned = session.execute(sa.select(CardAttempt.amount, CardAttempt.returned)).one()
    assert sum(bank.payments[str(visit)].refunds.values()) == amount == returned
    steps.check_everything_sums()


def test_a_refund_that_nobody_agreed_to_is_not_sent(app: Flask, bought: Bought) -> None:
    webhook(app, bought.visit(), "paid", bought.group.total)
    run_jobs(app, "orders.payment_paid")
    line = session.scalars(sa.select(OrderLine.public_id)).one()
    service.cancel(bought.buyer, bought.order().number, "", {line: Decimal(3)})
    refund = session.scalars(sa.select(Refund.id)).one()
    sent = sa.select(sa.func.count()).select_from(Job).where(Job.kind == "cards.give_back")
    session.execute(sa.update(Refund).values(status="requested"))
    cards.send_refund(refund)
    assert session.scalar(sent) == 0
    session.execute(sa.update(Refund).values(status="approved"))
    cards.send_refund(refund)
    cards.send_refund(refund)
    assert session.scalar(sent) == 1
