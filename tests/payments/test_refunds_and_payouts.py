"""Giving back and paying out: four eyes, races, and every kopek of one order."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core import jobs, money
from app.core.db import db, session, unit_of_work
from app.core.errors import Conflict, DomainError, Forbidden, Invalid
from app.orders import money_queries, refunds
from app.orders.models import Order, OrderGroup
from app.orders.refunds import Wanted
from app.payments import balances, bank_file, money_desk, payouts, rules, statements
from app.payments.models import PayoutRun, Refund, SellerPayout, SellerTransfer
from tests.factories import orders as make
from tests.orders import steps
from tests.orders.test_races import all_at_once
from tests.payments import stories
from tests.payments.test_statements import OURS
from tests.unit.payments.test_statement_file import document, statement


@pytest.fixture
def no_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "HOLD_DAYS", 0)


def test_a_line_given_back_in_pieces_gives_back_exactly_its_fee(db_session: Any, no_hold: None) -> None:
    market = make.market()
    buyer, seller, boss = make.person(), market.sellers[0], stories.operator()
    order = stories.sold(
        market, (make.offer(market, price=33_333), 7), (make.offer(market, price=10_001), 1), buyer=buyer
    )
    first, second = refunds.lines_of(order.id)
    assert balances.balance(seller.seller_id).available == 233_331 + 10_001 - 14_000 - 600
    for amount in (77_777, 77_777, 77_777):
        refunds.request(seller, order.number, Wanted("брак", lines={first.public_id: amount}))
    with pytest.raises(Invalid) as wrong:
        refunds.request(seller, order.number, Wanted("брак", lines={first.public_id: 1}))
    assert [e.code for e in wrong.value.errors] == ["refund_most"]
    found = money_queries.order_money(seller.seller_id, order.number)
    assert (found.sum_of("sale"), found.sum_of("refund"), found.sum_of("commission")) == (243_332, -233_331, -600)
    assert found.earned == second.gross - 600 == balances.balance(seller.seller_id).total

    row = session.scalars(sa.select(Refund).order_by(Refund.id)).first()
    assert row is not None
    with pytest.raises(Conflict) as early:
        refunds.mark_paid(boss, row.public_id)
    assert early.value.code == "refund_needs_payee"
    refunds.name_payee(buyer, row.public_id, stories.PAYEE)
    refunds.mark_paid(boss, row.public_id, "п/п 1")
    session.expire_all()
    fresh = session.get_one(Order, order.id)
    assert (fresh.payment_status, session.get_one(OrderGroup, order.group_id).payment_status) == (
        "partially_refunded",
    ) * 2
    steps.check_everything_sums()


def test_a_large_refund_needs_another_person(db_session: Any) -> None:
    market = make.market()
    seller, one, two = market.sellers[0], stories.operator(), stories.operator()
    order = stories.sold(market, (make.offer(market, price=90_000_00), 1))
    small = refunds.request(one, order.number, Wanted("брак", goods=rules.REFUND_LIMIT))
    large = refunds.request(one, order.number, Wanted("брак", goods=1))  # one kopek beyond what one person may give
    states = dict(session.execute(sa.select(Refund.public_id, Refund.status)).tuples().all())
    assert states == {small: "approved", large: "requested"}
    with pytest.raises(Forbidden) as refused:
        refunds.approve(one, large)
    assert refused.value.code == "same_person"
    refunds.approve(two, large)
    with pytest.raises(Conflict):
        refunds.decline(two, large, "поздно")
    kept = 90_000_00 - rules.REFUND_LIMIT - 1
    assert balances.balance(seller.seller_id).total == kept - money.percent_of(kept, 6)
    steps.check_everything_sums()


@unit_of_work
def _scene() -> tuple[make.Market, int, str]:
    market = make.market()
    stories.with_bank(market.sellers[0])
    order = stories.sold(market, (make.offer(market, price=80_000_00), 1))
    return market, order.id, order.number


def test_two_at_once_never_give_back_more_than_was_paid_nor_agree_twice(committed_db: Flask) -> None:
    market, _order_id, number = _scene()
    seller, boss = market.sellers[0], unit_of_work(stories.operator)()
    db.session.remove()
    wanted = Wanted("брак", goods=50_000_00)
    results = all_at_once(
        committed_db,
        [lambda: refunds.request(seller, number, wanted), lambda: refunds.request(boss, number, wanted)],
        2,
    )
    refused = [r for r in results if isinstance(r, DomainError)]
    assert len(refused) == 1
    steps.check_everything_sums()
    large = refunds.request(seller, number, Wanted("ещё", goods=10_000_00))
    people = [unit_of_work(stories.operator)() for _each in range(4)]
    db.session.remove()
    agreed = all_at_once(committed_db, [lambda who=who: refunds.approve(who, large) for who in people], 4)
    assert sorted(getattr(r, "code", "ok") for r in agreed) == ["ok", *["refund_state"] * 3]
    rows = session.scalars(sa.select(SellerTransfer.amount).where(SellerTransfer.kind == "refund")).all()
    assert sorted(rows) == [-50_000_00, -10_000_00]
    steps.check_everything_sums()


def claimed_run() -> jobs.RunningJob:
    job = payouts.start(unit_of_work(stories.operator)())
    row_id = session.scalar(sa.text("SELECT id FROM job WHERE public_id = :p"), {"p": job})
    claimed = jobs.claim(int(row_id or 0))
    assert claimed is not None
    return claimed


def test_runs_killed_repeated_and_doubled_pay_everybody_once(
    committed_db: Flask, no_hold: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    market, _order_id, _number = _scene()
    _scene()
    other, _id, _n = _scene()
    unit_of_work(lambda: session.execute(sa.text("UPDATE organisation SET bank = '{}' WHERE id = :o"),
                                         {"o": other.sellers[0].seller_id}))()  # fmt: skip
    first, second = claimed_run(), claimed_run()
    real = payouts.pay_seller
    calls: list[int] = []

    def dies_after_one(run_id: int, seller_id: int) -> Any:
        if calls:
            raise KeyboardInterrupt
        calls.append(seller_id)
        return real(run_id, seller_id)

    monkeypatch.setattr(payouts, "pay_seller", dies_after_one)
    with pytest.raises(KeyboardInterrupt):
        payouts.run(first)
    monkeypatch.setattr(payouts, "pay_seller", real)
    assert session.scalar(sa.select(sa.func.count()).select_from(SellerPayout)) == 1
    db.session.remove()
    all_at_once(committed_db, [lambda: payouts.run(first), lambda: payouts.run(second)], 2)
    paid = session.execute(sa.select(SellerPayout.seller_id, SellerPayout.amount)).all()
    assert len(paid) == len({p.seller_id for p in paid}) == 2
    assert {p.amount for p in paid} == {80_000_00 * 94 // 100}
    skipped = [one for row in session.scalars(sa.select(PayoutRun.skipped)) for one in row]
    assert {(s["seller_id"], s["why"]) for s in skipped} == {(other.sellers[0].seller_id, "bank_missing")}
    assert balances.balance(market.sellers[0].seller_id).total == 0
    steps.check_everything_sums()

    boss = unit_of_work(stories.operator)()
    row = session.scalars(sa.select(SellerPayout).where(SellerPayout.seller_id == market.sellers[0].seller_id)).one()
    payouts.mark_failed(boss, row.public_id, "счёт закрыт")
    with pytest.raises(Conflict):
        payouts.mark_paid(boss, row.public_id)
    assert balances.balance(market.sellers[0].seller_id).available == 80_000_00 * 94 // 100
    steps.check_everything_sums()
    run = session.scalars(sa.select(PayoutRun.public_id).order_by(PayoutRun.id)).first()
    assert isinstance(run, uuid.UUID)
    assert all(p.status != "failed" for p in money_desk.run_payouts(run))
    the_bank_says_what_went(boss)


def the_bank_says_what_went(boss: Any) -> None:
    """The bank's statement marks a payout paid: by number, sum and account, once it has taken the money."""
    row = session.scalars(sa.select(SellerPayout).where(SellerPayout.status == "prepared")).one()

    def read(amount: int = row.amount, **more: str) -> int:
        fields = {
            "ПлательщикСчет": OURS, "ПолучательСчет": row.requisites["account"], "Номер": str(row.id),
            "Сумма": f"{amount // 100}.{amount % 100:02d}", "ДатаПоступило": "", "ДатаСписано": "24.11.2026",
        }  # fmt: skip
        file = statement(document("Выплата", **fields | more), account=OURS)
        return statements.read(boss, "out.txt", file.encode("cp1251")).paid_out

    wrong = [read(ДатаСписано=""), read(row.amount - 1), read(ПолучательСчет="4" * 20)]
    assert [*wrong, read(), read()] == [0, 0, 0, 1, 0]
    session.refresh(row)
    assert (row.status, row.note) == ("paid", f"№ {row.id}, 24.11.2026")
    steps.check_everything_sums()


def test_the_file_for_the_bank_is_the_form_that_bank_clients_read() -> None:
    payee = {"name": "ООО «Кирпич»\r\nПолучательСчет=1", "inn": "7700000016", "kpp": "", "bik": "044525225",
             "account": "40702810738000000007", "correspondent_account": "30101810400000000225",
             "bank_name": "ПАО Банк"}  # fmt: skip
    order = bank_file.PaymentOrder(7, 1_234_05, payee, "Выручка")
    text = bank_file.write([order], rules.OPERATOR, date(2026, 3, 2), datetime(2026, 3, 2, 9, 5)).decode("cp1251")
    lines = text.split("\r\n")
    assert lines[0] == "1CClientBankExchange"
    assert lines[-2:] == ["КонецФайла", ""]
    assert lines.count("СекцияДокумент=Платежное поручение") == lines.count("КонецДокумента") == 1
    assert "Сумма=1234.05" in lines
    assert [line for line in lines if line.startswith("ПолучательСчет=")] == ["ПолучательСчет=40702810738000000007"]
