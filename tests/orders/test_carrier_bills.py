"""Invoices of carriers: what a trip costs, who pays, numbers without gaps, a period once, sums that hold."""

from __future__ import annotations

import csv
import io
import re
import threading
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.models import Organisation
from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.logistics import pay
from app.logistics.models import Delivery, DeliveryAttempt, Stop
from app.logistics.pay import Terms
from app.logistics.tariff_book import Waiting
from app.orders import carrier_bills
from app.orders.carrier_bill_models import CarrierInvoice, CarrierInvoiceCounter, CarrierInvoiceLine
from app.orders.carrier_bills import Door, priced, waited
from app.orders.models import Fulfilment
from tests.client import ApiClient
from tests.core.pdf_text import pages_of
from tests.factories import logistics as make
from tests.logistics.test_carrying_papers import driven

NOON = clock.at(date(2026, 11, 20), 720)
QUOTED = [
    {"code": "base", "amount": 150_000, "context": {}},
    {"code": "distance", "amount": 30_000, "context": {"km": 6}},
]


def door(**fields: Any) -> Door:
    values: dict[str, Any] = {
        "outcome": "delivered", "reason": "", "quoted": QUOTED, "arrived_at": NOON,
        "completed_at": NOON + timedelta(minutes=20), "window_from": NOON - timedelta(hours=1), "unloading_minutes": 20,
    }  # fmt: skip
    return Door(**values | fields)


def total(found: Door, terms: Terms) -> int:
    return sum(part["amount"] for part in priced(found, terms))


def test_a_trip_costs_its_quote_and_waiting_beyond_what_is_free() -> None:
    terms = Terms(free_waiting_minutes=30, waiting_per_hour=120_000)
    assert total(door(), terms) == 180_000
    late = door(completed_at=NOON + timedelta(minutes=20 + 30 + 45, seconds=1))
    assert waited(late) == 76
    assert priced(late, terms)[-1] == {"code": "waiting", "amount": 92_000, "context": {"minutes": 46}}
    early = door(arrived_at=NOON - timedelta(hours=5), completed_at=NOON - timedelta(minutes=40))
    assert waited(early) == 0  # before the buyer's window opens nobody is waited for
    assert total(late, Terms()) == 180_000


def test_a_tariff_that_prices_waiting_goes_before_the_terms() -> None:
    late = door(completed_at=NOON + timedelta(minutes=20 + 76), waiting=Waiting(60, 15, 40_000))
    terms = Terms(free_waiting_minutes=30, waiting_per_hour=120_000)
    assert priced(late, terms)[-1]["amount"] == 80_000, "two begun quarters of an hour beyond the free hour"
    assert total(door(completed_at=NOON + timedelta(minutes=80), waiting=Waiting(60, 15, 40_000)), terms) == 180_000


@pytest.mark.parametrize(
    ("reason", "asked"), [("nobody_there", 90_000), ("refused", 90_000), ("too_late", 0), ("damaged", 0)]
)
def test_a_failed_trip_costs_a_share_when_the_receiver_failed_it(reason: str, asked: int) -> None:
    assert total(door(outcome="failed", reason=reason), Terms(failed_percent=50)) == asked


@given(
    st.lists(st.integers(1, 10**7), min_size=1, max_size=6), st.integers(0, 600), st.integers(0, 300),
    st.integers(0, 10**6), st.sampled_from(["delivered", "partially_delivered", "failed"]),
)  # fmt: skip
def test_longer_waiting_never_costs_less(amounts: list[int], minutes: int, more: int, rate: int, outcome: str) -> None:
    quoted = [{"code": "base", "amount": amount, "context": {}} for amount in amounts]
    terms = Terms(waiting_per_hour=rate)
    stood = [
        door(quoted=quoted, outcome=outcome, reason="refused", completed_at=NOON + timedelta(minutes=m))
        for m in (minutes, minutes + more)
    ]
    assert sum(amounts) <= total(stood[0], terms) <= total(stood[1], terms)


def was(w: make.World, day: date) -> None:
    """Let the trips of the world's carrier have been on a day."""
    mine = sa.select(Stop.id).where(Stop.route_id.in_(sa.select(Stop.route_id)))
    session.execute(
        sa.update(DeliveryAttempt).where(DeliveryAttempt.stop_id.in_(mine)).values(happened_at=clock.at(day, 720))
    )
    session.commit()
    assert w.carrier.id


@pytest.mark.usefixtures("db_session")
class TestInvoices:
    def test_an_invoice_holds_what_was_driven_and_sums(self, client: FlaskClient) -> None:
        w = make.world()
        driven(w, count=3)
        day = clock.today() - timedelta(days=3)
        was(w, day)
        owner = make.user("Owner")
        make.member(w.carrier, owner, "owner")
        session.commit()
        pay.set_terms(make.actor(owner, w.carrier, role="owner"), Terms("general", failed_percent=40))
        made = carrier_bills.issue(w.dispatcher, None, day, day)
        found = carrier_bills.invoice(made, carrier_id=w.carrier.id)
        assert [line.kind for line in found.lines] == ["delivery", "delivery", "failed"]
        assert [line.gross for line in found.lines] == [250_000, 250_000, 100_000]
        assert found.head.gross == sum(line.gross for line in found.lines) == 600_000
        for line in found.lines:
            assert line.gross == sum(part["amount"] for part in line.parts)
        assert found.head.vat_percent == 22
        assert found.head.vat == 108_197  # 600000 * 22 / 122
        make.browse(client, w.dispatcher_user)
        paper = client.get(f"/carrier/invoices/{made}/file.pdf")
        text = re.sub(r"\s+", " ", " ".join(pages_of(paper.data)))
        for fact in (
            "Счёт перевозчика № 1",
            w.carrier.name,
            "Тутуу Маркет",
            "Стройка, 1",
            "Рейс без передачи",
            "6 000,00",
            "1 081,97",
        ):
            assert fact in text, fact
        assert client.get(f"/carrier/invoices/{made}/file.pdf").data == paper.data
        table = client.get(f"/carrier/invoices/{made}/file.csv").data.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(table), delimiter=";"))[1:]
        assert sum(int(row[-1].replace(",", "")) for row in rows) == 600_000
        assert client.get(f"/carrier/invoices/{made}").status_code == 200
        assert client.get("/carrier/invoices").status_code == 200
        with pytest.raises(NotFound):
            carrier_bills.invoice(made, carrier_id=make.world().carrier.id)

    def test_waiting_is_billed_by_the_tariff_of_the_trip(self) -> None:
        w = make.world()
        driven(w, count=1)
        tariff = make.tariff(w.carrier.id, free_minutes=10, waiting_step=15, per_waiting_step=10_000)
        session.execute(sa.update(Fulfilment).values(tariff_id=tariff.id))
        day = clock.today() - timedelta(days=3)
        was(w, day)
        [before] = carrier_bills.trips(w.carrier.id, day, day)
        noon = clock.at(day, 720)
        session.execute(sa.update(Delivery).values(window_from=noon - timedelta(hours=2)))
        minutes = sa.select(Delivery.unloading_minutes).scalar_subquery()
        ends = noon + sa.func.make_interval(0, 0, 0, 0, 0, minutes + 45)
        session.execute(sa.update(Stop).where(Stop.kind == "drop").values(arrived_at=noon, completed_at=ends))
        session.commit()
        [after] = carrier_bills.trips(w.carrier.id, day, day)
        assert after.gross - before.gross == 3 * 10_000
        assert after.parts[-1]["code"] == "waiting"

    def test_a_period_is_invoiced_once_and_days_overlap_never(self) -> None:
        w = make.world()
        driven(w)
        day = clock.today() - timedelta(days=3)
        was(w, day)
        made = carrier_bills.issue(w.dispatcher, None, day, day + timedelta(days=1))
        assert carrier_bills.issue(w.dispatcher, None, day, day + timedelta(days=1)) == made
        assert session.scalar(sa.select(CarrierInvoiceCounter.last)) == 1
        with pytest.raises(Conflict, match="period_billed"):
            carrier_bills.issue(w.dispatcher, None, day + timedelta(days=1), day + timedelta(days=2))
        with pytest.raises(Conflict, match="nothing_to_bill"):
            carrier_bills.issue(w.dispatcher, None, day - timedelta(days=9), day - timedelta(days=8))
        with pytest.raises(Conflict, match="period_not_over"):
            carrier_bills.issue(w.dispatcher, None, day + timedelta(days=2), clock.today())
        with pytest.raises(Invalid):
            carrier_bills.issue(w.dispatcher, None, day, day - timedelta(days=1))
        assert session.scalar(sa.select(sa.func.count()).select_from(CarrierInvoice)) == 1
        assert session.scalar(sa.select(CarrierInvoiceCounter.last)) == 1
        assert carrier_bills.customers(w.carrier.id, day, day) == []

    def test_the_seller_pays_what_it_promised_to_pay_and_own_trips_are_nobodys(
        self, api: ApiClient, client: FlaskClient
    ) -> None:
        w = make.world()
        made = driven(w)
        first = session.scalars(sa.select(Fulfilment).order_by(Fulfilment.id)).first()
        assert first is not None
        first.price_lines = [*QUOTED, {"code": "included", "amount": -180_000, "context": {}}]
        day = clock.today() - timedelta(days=3)
        was(w, day)
        owed = {one.seller: (one.trips, one.gross) for one in carrier_bills.customers(w.carrier.id, day, day)}
        assert owed == {None: (1, 250_000), w.seller.public_id: (1, 180_000)}
        key = carrier_bills.issue(w.dispatcher, w.seller.public_id, day, day)
        assert carrier_bills.invoice(key, seller_id=w.seller.id).head.gross == 180_000
        assert [one.public_id for one in carrier_bills.issued(seller_id=w.seller.id)] == [key]
        owner = make.user("Owner")
        make.member(w.seller, owner, "owner")
        session.commit()
        me = make.call_as(api, owner)
        assert me.get("/seller/carrier-invoices").json["items"][0]["gross"]["amount"] == 180_000
        assert me.get(f"/seller/carrier-invoices/{key}/file.pdf").mimetype == "application/pdf"
        make.browse(client, owner)
        link = f"/seller/money/carrier-invoices/{key}/file.pdf"
        page = client.get("/seller/money").text
        assert link in page
        assert "1 800" in page.replace("\u00a0", " ")
        assert client.get(link).mimetype == "application/pdf"
        with pytest.raises(NotFound):
            carrier_bills.issue(w.dispatcher, w.carrier.public_id, day, day)
        session.get_one(Organisation, w.carrier.id).inn = w.seller.inn
        session.commit()
        assert carrier_bills.customers(w.carrier.id, day, day) == []
        assert made

    def test_invoices_are_never_changed(self) -> None:
        w = make.world()
        driven(w)
        day = clock.today() - timedelta(days=1)
        was(w, day)
        carrier_bills.issue(w.dispatcher, None, day, day)
        for table in ("carrier_invoice", "carrier_invoice_line"):
            with pytest.raises(sa.exc.DBAPIError, match="never changed"), session.begin_nested():
                session.execute(sa.text(f"UPDATE {table} SET gross = 0"))

    def test_the_api_writes_and_shows(self, api: ApiClient) -> None:
        w = make.world()
        driven(w)
        day = clock.today() - timedelta(days=2)
        was(w, day)
        me = make.call_as(api, w.dispatcher_user)
        period = f"first={day}&last={day}"
        assert me.get(f"/carrier/customers?{period}").json["items"][0]["gross"]["amount"] == 500_000
        made = me.post("/carrier/invoices", {"first": str(day), "last": str(day)})
        assert made.status_code == 201
        assert sum(line["gross"]["amount"] for line in made.json["lines"]) == made.json["gross"]["amount"]
        again = me.post("/carrier/invoices", {"first": str(day), "last": str(day)})
        assert again.json["id"] == made.json["id"]
        assert me.get("/carrier/invoices").json["items"][0]["number"] == 1
        assert me.get(f"/carrier/invoices/{made.json['id']}/file.pdf").mimetype == "application/pdf"
        assert (
            make.call_as(api, make.world().dispatcher_user).get(f"/carrier/invoices/{made.json['id']}").status_code
            == 404
        )


def test_invoices_written_at_once_have_numbers_without_gaps(committed_db: Flask) -> None:
    worlds = [make.world() for _ in range(2)]
    today = clock.today()
    w = worlds[0]
    driven(w, count=5)
    attempts = list(session.scalars(sa.select(DeliveryAttempt).order_by(DeliveryAttempt.id)))
    days = [today - timedelta(days=n) for n in range(2, 7)]
    for attempt, day in zip(attempts, days, strict=True):
        attempt.happened_at = clock.at(day, 720)
        attempt.reason = attempt.reason and "refused"
    session.commit()
    made: list[Any] = []
    wrong: list[Exception] = []

    def write(day: date) -> None:
        with committed_db.app_context():
            try:
                made.append(carrier_bills.issue(w.dispatcher, None, day, day))
            except Conflict as refusal:
                wrong.append(refusal)

    wanted = [*days, *days, today - timedelta(days=30), today - timedelta(days=31)]
    threads = [threading.Thread(target=write, args=(day,)) for day in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {str(refusal.code) for refusal in wrong} == {"nothing_to_bill"}
    assert len(made) == 10
    assert len(set(made)) == 5
    assert sorted(session.scalars(sa.select(CarrierInvoice.number))) == [1, 2, 3, 4, 5]
    assert session.scalar(sa.select(sa.func.count()).select_from(CarrierInvoiceLine)) == 5
