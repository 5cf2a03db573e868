"""Returns and claims: the seller's terms, counts, money and stock, what silence decides, and races."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from app.core import clock, jobs, timers
from app.core.db import db, session, unit_of_work
from app.core.errors import Conflict, DomainError, Invalid, NotFound
from app.core.permissions import Actor
from app.offers import return_terms
from app.offers.models import Offer, StockLevel, StockMovement
from app.offers.return_terms import Terms
from app.orders import case_queries, claims, evidence, refunds, return_desk, return_rules, returns
from app.orders.models import Order
from app.orders.return_desk import Count
from app.orders.return_models import Claim, EvidencePhoto, ReturnRequest
from app.payments import balances
from app.payments.models import Refund
from tests.factories import orders as make
from tests.factories.images import from_a_phone, quarters
from tests.orders import steps
from tests.orders.test_races import all_at_once
from tests.payments import stories
from workers import evidence as worker

TAKES = Terms(True, 20, True, Decimal(10), "buyer")


class Sold:
    """An order handed over and paid, under terms that take leftovers back for a fee of 10 %."""

    def __init__(self, terms: Terms | None = TAKES, *, price: int = 33_333, units: int = 7, stock: int = 100) -> None:
        self.market = make.market(warehouses=2)
        self.buyer, self.seller, self.boss = make.person(), self.market.sellers[0], stories.operator()
        if terms is not None:
            return_terms.change(self.seller, terms)
        self.offer: Offer = make.offer(self.market, price=price, stock=stock)
        self.order: Order = stories.sold(self.market, (self.offer, units), buyer=self.buyer)
        self.line = refunds.lines_of(self.order.id)[0]

    def ask(self, units: Any, reason: str = "leftover", **more: Any) -> uuid.UUID:
        wanted = returns.Wanted(reason, {self.line.public_id: Decimal(units)}, **more)
        return returns.request(self.buyer, self.order.number, wanted)

    def counted(self, units: Any, received: Any = None, fit: Any = None) -> uuid.UUID:
        """A return that has come."""
        key = self.ask(units)
        return_desk.approve(self.seller, key)
        count = Count(Decimal(units if received is None else received), Decimal(units if fit is None else fit))
        return_desk.receive(self.seller, key, {self.line.public_id: count}, count_note="так пришло")
        return key

    def claim(self, amount: int, kind: str = "short", **more: Any) -> uuid.UUID:
        wanted = claims.Wanted(self.line.public_id, kind, Decimal(1), "money", "Не хватает", amount, **more)
        return claims.open_claim(self.buyer, self.order.number, wanted)

    def on_hand(self) -> Decimal:
        return session.scalar(
            sa.select(sa.func.sum(StockLevel.on_hand)).where(StockLevel.offer_id == self.offer.id)
        ) or Decimal(0)  # fmt: skip


@pytest.fixture
def sold(db_session: Any) -> Sold:
    return Sold()


def row(key: uuid.UUID, model: Any = ReturnRequest) -> Any:
    session.expire_all()
    return session.scalars(sa.select(model).where(model.public_id == key)).one()


def codes(act: Any) -> list[str]:
    with pytest.raises(Invalid) as refused:
        act()
    return [one.code for one in refused.value.errors]


def test_leftovers_go_back_counted_to_the_kopek_less_the_fee(sold: Sold) -> None:
    before = sold.on_hand()
    assert codes(lambda: sold.ask("2.5")) == ["return_whole_packs"]
    assert codes(lambda: sold.ask(8)) == ["counted_range"]
    key = sold.ask(3)
    assert codes(lambda: sold.ask(5)) == ["counted_range"]  # 7 came, 3 are going back
    with pytest.raises(NotFound):
        return_desk.approve(make.member("seller"), key)
    with pytest.raises(NotFound):
        returns.send(make.person(), key)
    return_desk.approve(sold.seller, key, "Склад 1 до 18")
    returns.send(sold.buyer, key)
    with pytest.raises(Conflict) as late:
        returns.cancel(sold.buyer, key)
    assert late.value.code == "return_state"
    found = {sold.line.public_id: Count(Decimal(3), Decimal(2))}
    assert codes(lambda: return_desk.receive(sold.seller, key, found)) == ["required"]  # why one is not fit
    return_desk.receive(sold.seller, key, found, count_note="Один мешок надорван")
    view = case_queries.return_view(case_queries.buyers(sold.buyer), key)
    assert (view.goods, view.fee, view.back) == (66_666, 6_667, 59_999)  # leftovers: only what can be sold again
    assert sold.on_hand() == before  # until it is paid back it is the buyer's
    return_desk.refund(sold.seller, key)
    done = row(key)
    refund = session.get_one(Refund, done.refund_id)
    assert (done.status, done.goods, done.fee, refund.amount, refund.status) == (
        "refunded", 66_666, 6_667, 59_999, "approved",
    )  # fmt: skip
    assert sold.on_hand() == before + 2
    kept = sold.line.gross - 59_999
    assert balances.balance(sold.seller.seller_id).total == kept - refunds.money.percent_of(kept, 6)
    # parts of a line come to the line, however they are cut: 4 + the one that was not fit, in two more returns
    for units in (4, 1):
        return_desk.refund(sold.seller, sold.counted(units))
    total = session.scalar(sa.select(sa.func.sum(ReturnRequest.goods)))
    assert total == sold.line.gross == 233_331
    assert codes(lambda: sold.ask(1)) == ["return_nothing_left"]
    steps.check_everything_sums()


def test_terms_hold_as_they_were_when_the_order_was_placed(db_session: Any) -> None:
    silent = Sold(None)
    assert codes(lambda: silent.ask(1)) == ["return_no_leftovers"]
    session.execute(sa.text("UPDATE seller_order SET created_at = created_at - interval '1 hour'"))
    return_terms.change(silent.seller, TAKES)
    assert codes(lambda: silent.ask(1)) == ["return_no_leftovers"]  # it was placed before
    strict = Sold(Terms(True, 5, True, Decimal(0), "seller"))
    with time_machine.travel(clock.now() + timedelta(days=6)):
        assert codes(lambda: strict.ask(1)) == ["return_too_late"]
    section = Sold(None)
    slug = session.scalar(sa.text("SELECT slug FROM category WHERE id = :i"), {"i": section.market.category_id})
    return_terms.change(section.seller, TAKES, [slug])
    assert codes(lambda: section.ask(1)) == ["return_section"]
    wrong = Terms(True, 0, True, Decimal(51), "nobody")
    assert codes(lambda: return_terms.change(section.seller, wrong, ["no-such"])) == [
        "return_days_range", "return_fee_range", "unknown_option", "unknown_option",
    ]  # fmt: skip


def test_damaged_goods_need_a_photograph_cost_no_fee_and_are_scrapped(sold: Sold, app: Flask) -> None:
    assert codes(lambda: sold.ask(2, "damaged")) == ["photos_required"]
    photo = sent_photo(app, sold.buyer)
    stolen = sent_photo(app, make.person())
    assert codes(lambda: sold.ask(2, "damaged", photos=(stolen,))) == ["unknown_picture"]
    before = sold.on_hand()
    key = sold.ask(2, "damaged", photos=(photo,))
    return_desk.approve(sold.seller, key)
    return_desk.receive(sold.seller, key, {sold.line.public_id: Count(Decimal(2), Decimal(0))}, count_note="Бой")
    return_desk.refund(sold.seller, key)
    assert (row(key).goods, row(key).fee, sold.on_hand()) == (66_666, 0, before)
    moved = session.execute(
        sa.select(StockMovement.kind, StockMovement.on_hand_delta).where(StockMovement.entity == "return")
    )
    assert sorted((kind, int(delta)) for kind, delta in moved) == [("returned", 2), ("scrapped", -2)]
    steps.check_everything_sums()


def sent_photo(app: Flask, who: Actor) -> uuid.UUID:
    return evidence.receive(who, app.extensions["storage"], evidence.Upload("a.jpg", from_a_phone(quarters())))


@contextmanager
def fired(moment: datetime) -> Iterator[None]:
    """What is due at a moment is done, and it is that moment."""
    with time_machine.travel(moment + timedelta(seconds=1), tick=False):
        due = session.execute(
            sa.text("SELECT id, entity, entity_id, transition FROM timer WHERE fired_at IS NULL AND due_at <= :now"
                    " AND entity IN ('return', 'claim')"), {"now": clock.now()}
        ).all()  # fmt: skip
        for one in due:
            timers._fire(*one)
        session.expire_all()
        yield


def pass_time(case: Any) -> None:
    """The time of a case runs out."""
    with fired(case.due_at):
        pass


def test_silence_decides_every_step_of_a_return(sold: Sold) -> None:
    key = sold.ask(2)
    with fired(row(key).due_at - timedelta(seconds=2)):
        assert row(key).status == "requested"  # a second too early
    pass_time(row(key))
    assert row(key).status == "approved"
    pass_time(row(key))
    assert (row(key).status, row(key).due_at) == ("cancelled", None)
    lost = sold.ask(2)
    return_desk.approve(sold.seller, lost)
    returns.send(sold.buyer, lost)
    pass_time(row(lost))
    assert (row(lost).status, row(lost).due_at) == ("in_transit", None)
    assert case_queries.return_counts(case_queries.EVERYBODY)["stuck"] == 1
    return_desk.receive(sold.boss, lost, {})  # the operator counts in the seller's place
    pass_time(row(lost))
    assert (row(lost).status, row(lost).goods) == ("refunded", 66_666)
    empty = sold.counted(1, 0, 0)
    pass_time(row(empty))
    assert row(empty).status == "rejected"
    # money that has not come cannot go back: the return waits, and is paid when it can be
    session.execute(sa.text("UPDATE payment SET status = 'awaiting'"))
    session.expire_all()
    unpaid = sold.counted(1)
    pass_time(row(unpaid))
    assert row(unpaid).status == "received"
    assert row(unpaid).due_at > clock.now() + timedelta(days=3)
    session.execute(sa.text("UPDATE payment SET status = 'paid'"))
    session.expire_all()
    pass_time(row(unpaid))
    assert row(unpaid).status == "refunded"
    steps.check_everything_sums()


def test_a_claim_is_answered_agreed_or_decided(sold: Sold) -> None:
    with pytest.raises(Invalid):
        sold.claim(sold.line.gross + 1)
    key = sold.claim(30_000)
    with pytest.raises(Conflict) as double:
        sold.claim(1)
    assert double.value.code == "claim_open"
    with pytest.raises(Conflict):
        claims.escalate(sold.buyer, key)  # the seller still has time
    assert codes(lambda: claims.offer(sold.seller, key, 30_000, "Столько же")) == ["claim_sum"]
    claims.offer(sold.seller, key, 10_000, "За доставку одного мешка")
    with pytest.raises(Conflict):
        claims.agree(sold.seller, key)  # his offer is the buyer's to take
    claims.accept(sold.buyer, key)
    agreed = row(key, Claim)
    assert (agreed.status, agreed.settled, session.get_one(Refund, agreed.refund_id).amount) == (
        "agreed",
        10_000,
        10_000,
    )
    second = sold.claim(20_000)
    pass_time(row(second, Claim))  # the seller is silent
    assert row(second, Claim).status == "escalated"
    assert codes(lambda: claims.settle(sold.boss, second, "seller", 1, "Нет")) == ["claim_sum"]
    claims.settle(sold.boss, second, "both", 15_000, "Не хватило, но приняли без замечаний")
    settled = row(second, Claim)
    assert (settled.status, settled.in_favour, session.get_one(Refund, settled.refund_id).amount) == (
        "settled", "both", 15_000,
    )  # fmt: skip
    with pytest.raises(Conflict) as decided:
        sold.claim(1)
    assert decided.value.code == "claim_decided"
    with time_machine.travel(clock.now() + timedelta(days=return_rules.FAULT_DAYS + 1)):
        assert "claim_too_late" in codes(lambda: sold.claim(1))
    steps.check_everything_sums()


def test_a_refused_claim_whose_buyer_is_silent_comes_before_the_operator(sold: Sold) -> None:
    key = sold.claim(500)
    claims.refuse(sold.seller, key, "Принято без замечаний")
    pass_time(row(key, Claim))
    assert row(key, Claim).status == "escalated"
    claims.withdraw(sold.buyer, key)
    with pytest.raises(Conflict):
        claims.settle(sold.boss, key, "buyer", 500, "Поздно")
    # agreed before the money is there: it goes back when it can
    session.execute(sa.text("UPDATE payment SET status = 'awaiting'"))
    session.expire_all()
    early = sold.claim(700)
    claims.agree(sold.seller, early)
    assert (row(early, Claim).status, row(early, Claim).refund_id) == ("agreed", None)
    session.execute(sa.text("UPDATE payment SET status = 'paid'"))
    session.expire_all()
    pass_time(row(early, Claim))
    assert session.get_one(Refund, row(early, Claim).refund_id).amount == 700
    steps.check_everything_sums()


def test_presses_at_once_pay_once(committed_db: Flask) -> None:
    sold = unit_of_work(Sold)()
    back, claim = unit_of_work(lambda: sold.counted(3))(), unit_of_work(lambda: sold.claim(200_000))()
    seller, boss, buyer, number = sold.seller, sold.boss, sold.buyer, sold.order.number
    line = sold.line.public_id
    db.session.remove()
    paid = all_at_once(
        committed_db,
        [lambda who=who: return_desk.refund(who, back) for who in (seller, boss, seller)]
        + [lambda: claims.agree(seller, claim)],
        4,
    )
    assert [getattr(r, "code", "ok") for r in paid[:3]].count("ok") == 1
    assert sum(session.scalars(sa.select(Refund.amount))) <= 233_331
    wanted = returns.Wanted("leftover", {line: Decimal(3)})
    asked = all_at_once(committed_db, [lambda: returns.request(buyer, number, wanted) for _each in range(4)], 4)
    assert sum(isinstance(r, DomainError) for r in asked) == 3  # 7 came, 3 are back: only one more 3
    steps.check_everything_sums()


def test_photographs_are_for_the_parties_only(sold: Sold, app: Flask) -> None:
    photo = sent_photo(app, sold.buyer)
    key = sold.ask(1, "wrong", photos=(photo,))
    run_jobs(app)
    stored = session.scalars(sa.select(EvidencePhoto)).one()
    assert stored.state == "ready", stored.error
    clean = app.extensions["storage"].get(stored.stored)
    assert b"Exif" not in clean
    assert clean[8:12] == b"WEBP"
    for who in (sold.buyer, sold.seller, sold.boss):
        assert evidence.file_for(who, photo) == stored.stored
    for stranger in (make.person(), make.member("seller"), make.member("carrier", "dispatcher")):
        with pytest.raises(NotFound):
            evidence.file_for(stranger, photo)
    assert case_queries.return_view(case_queries.sellers(sold.seller), key).photos[0].state == "ready"


def run_jobs(app: Flask) -> None:
    for job_id in session.scalars(
        sa.text("SELECT id FROM job WHERE kind = 'evidence.make' AND state = 'queued'")
    ).all():
        claimed = jobs.claim(job_id)
        assert claimed is not None
        worker.make(claimed)
