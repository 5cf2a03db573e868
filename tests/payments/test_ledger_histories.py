"""Whatever happens to purchases, refunds, corrections and payouts in whatever order, every kopek is explained."""

from __future__ import annotations

import contextlib
import itertools
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.core.db import session
from app.core.errors import Conflict, Invalid
from app.orders import fulfilments, pallet_returns, promotions, refunds, service
from app.orders.models import Order
from app.payments import balances, commission, ledger, payouts, rules
from app.payments import refunds as money
from app.payments.models import Correction, PayoutRun, Refund, SellerPayout, SellerTransfer
from tests.factories import orders as make
from tests.orders import steps
from tests.payments import stories

pytestmark = pytest.mark.usefixtures("db_session")
PICK = st.integers(0, 10_000)
_runs = itertools.count(1)


class Money(RuleBasedStateMachine):
    """Two sellers, one with confirmed bank details; two people of the operator."""

    def __init__(self) -> None:
        super().__init__()
        self.market = make.market(sellers=2, warehouses=2)
        one, two = self.market.warehouses[:2]
        self.offers = [
            make.offer(self.market, 0, price=33_333, stock={one: 40, two: 30}, pallet=(3, 500_01)),
            make.offer(self.market, 0, price=7, pallet=("2.5", 3)),
            make.offer(self.market, 1, price=19_999_99),
        ]
        stories.with_bank(self.market.sellers[0])
        self.first, self.second = stories.operator(), stories.operator()
        made = commission.RuleData(percent=Decimal("7.77"), fixed=13, floor=5, cap=50_000, valid_from=None)
        commission.add(self.first, made)
        self.buyer = make.person()
        self.promote()
        self.sell((3, 7), 1)
        self.refund(0, 30, 0, named=False)  # every history has one
        self.pallets_back(0, (1, 1))
        session.commit()

    def promote(self) -> None:
        """Discounts that exclude one another and that add up, borne by one, the other and both, some used up soon."""
        day, one = promotions.PromotionData, self.market.sellers[0].seller_id
        shared = {"percent": Decimal("3.33"), "operator_share": Decimal("33.33"), "is_stackable": True}
        for given in (
            day("Общая", "Shared", **shared, limit_total=4),
            day("Сумма", "Sum", amount=777, operator_share=Decimal(100), is_stackable=True, priority=5),
            day("Большая", "Large", percent=Decimal(17), cap=99_99, minimum=500_00, limit_per_buyer=3),
            day("Первая", "First", percent=Decimal("66.6"), first_order=True, operator_share=Decimal(50)),
        ):
            promotions.make(self.first, given)
        promotions.make(self.market.sellers[0], day("Своя", "Own", percent=Decimal(5)), one)

    def tried(self, act: Any) -> None:
        """What is refused changes nothing."""
        with contextlib.suppress(Conflict, Invalid):
            act()
        session.expire_all()

    def chosen(self, model: Any, pick: int, *conditions: Any) -> Any:
        found = session.scalars(sa.select(model).where(*conditions).order_by(model.id)).all()
        return found[pick % len(found)] if found else None

    def seller(self, seller_id: int) -> Any:
        return next(s for s in self.market.sellers if s.seller_id == seller_id)

    @rule(
        counts=st.tuples(st.integers(1, 40), st.integers(1, 9), st.integers(1, 3)),
        how=st.sampled_from(["cash", "invoice"]),
    )
    def place(self, counts: tuple[int, int, int], how: str) -> None:
        wants = tuple(zip(self.offers, counts, strict=True))
        self.tried(lambda: steps.bought(self.buyer, *wants, payment=how))

    @rule(pick=PICK, given=st.integers(0, 40))
    def accept(self, pick: int, given: int) -> None:
        order = self.chosen(Order, pick, Order.status == "placed")
        if order is not None:
            lines = {one.public_id: min(Decimal(given), one.quantity) for one in refunds.lines_of(order.id)[:1]}
            self.tried(lambda: service.accept(self.seller(order.seller_id), order.number, lines))

    @rule(counts=st.tuples(st.integers(1, 20), st.integers(1, 9)), short=st.integers(0, 3))
    def sell(self, counts: tuple[int, int], short: int) -> None:
        """A purchase that goes all the way, perhaps with less handed over than was ordered."""
        try:
            group = steps.bought(self.buyer, *zip(self.offers, counts, strict=False))
        except (Conflict, Invalid):
            return  # sold out
        for order in steps.orders_of(group):
            door = [
                {"line": str(one.position), "delivered_base": str(max(0, one.quantity_base - short))}
                for one in refunds.lines_of(order.id)
            ]
            stories.handed_over(self.seller(order.seller_id), order, "partially_delivered", door)
        stories.paid_by_bank(group.id)

    @rule(pick=PICK)
    def buyer_pays(self, pick: int) -> None:
        order = self.chosen(Order, pick, Order.payment_status == "awaiting")
        if order is not None:
            stories.paid_by_bank(order.group_id)

    @rule(pick=PICK, counts=st.integers(0, 40), outcome=st.sampled_from(["delivered", "partially_delivered", "failed"]))
    def hand_over(self, pick: int, counts: int, outcome: str) -> None:
        order = self.chosen(Order, pick, Order.status == "accepted")
        if order is None:
            return
        seller = self.seller(order.seller_id)
        trip = next(t for t in steps.trips_of(order) if t.status == "planned")
        fulfilments.start_picking(seller, trip.public_id)
        fulfilments.ready(seller, trip.public_id)
        fulfilments.handed_over(trip.id)
        door = [{"line": str(one.position), "delivered_base": str(counts)} for one in refunds.lines_of(order.id)]
        fulfilments.complete(trip.id, outcome, "refused", door, None)

    @rule(pick=PICK, share=st.integers(1, 100), delivery=st.integers(0, 900_00), named=st.booleans())
    def ask_refund(self, pick: int, share: int, delivery: int, named: bool) -> None:
        """A part of what is left, or all of it: of one line, or of the goods."""
        self.refund(pick, share, delivery, named=named)

    def refund(self, pick: int, share: int, delivery: int, *, named: bool) -> None:
        order = self.chosen(Order, pick, Order.status == "completed")
        if order is None:
            return
        lines = refunds.lines_of(order.id)
        left = money.left_of(order.id, order.goods, order.delivery, {one.id: one.gross for one in lines})
        line = lines[pick % len(lines)]
        parts = {line.public_id: left.lines[line.id] * share // 100} if named else {}
        wanted = refunds.Wanted("брак", 0 if named else left.goods * share // 100, min(delivery, left.delivery), parts)
        self.tried(lambda: refunds.request(self.first, order.number, wanted))

    @rule(pick=PICK, counts=st.tuples(st.integers(0, 4), st.integers(0, 4)))
    def pallets_back(self, pick: int, counts: tuple[int, int]) -> None:
        """More than are with the buyer is refused."""
        order = self.chosen(Order, pick, Order.status == "completed")
        if order is not None:
            lines = [one.public_id for one in pallet_returns.of_order(order.id)]
            self.tried(
                lambda: pallet_returns.came_back(
                    self.first, order.number, dict(zip(lines, map(Decimal, counts), strict=False))
                )
            )

    @rule(pick=PICK, yes=st.booleans())
    def decide_refund(self, pick: int, yes: bool) -> None:
        row = self.chosen(Refund, pick, Refund.status == "requested")
        if row is not None:
            self.tried(lambda: refunds.approve(self.second, row.public_id) if yes
                       else refunds.decline(self.second, row.public_id, "нет"))  # fmt: skip

    @rule(pick=PICK)
    def pay_refund(self, pick: int) -> None:
        row = self.chosen(Refund, pick, Refund.status == "approved")
        if row is not None:
            refunds.name_payee(self.buyer, row.public_id, stories.PAYEE)
            refunds.mark_paid(self.second, row.public_id, "п/п 7")

    @rule(amount=st.integers(-500_00, 500_00), yes=st.booleans())
    def correct(self, amount: int, yes: bool) -> None:
        wanted = ledger.Wanted(self.market.sellers[0].seller_id, amount, "округление")
        self.tried(lambda: ledger.ask_correction(self.first, wanted))
        row = self.chosen(Correction, 0, Correction.status == "requested")
        if row is not None:
            ledger.decide_correction(self.second, row.public_id, "approve" if yes else "decline")

    @rule()
    def pay_out(self) -> None:
        run = PayoutRun(job_key=f"run {next(_runs)}")
        session.add(run)
        session.flush()
        for seller in self.market.sellers:
            payouts.pay_seller(run.id, seller.seller_id)

    @precondition(lambda self: session.scalar(sa.select(sa.func.count()).where(SellerPayout.status == "prepared")))
    @rule(pick=PICK, yes=st.booleans())
    def bank_answers(self, pick: int, yes: bool) -> None:
        row = self.chosen(SellerPayout, pick, SellerPayout.status == "prepared")
        if yes:
            payouts.mark_paid(self.first, row.public_id)
        else:
            payouts.mark_failed(self.first, row.public_id, "счёт закрыт")

    @invariant()
    def everything_sums(self) -> None:
        steps.check_everything_sums()
        for seller in self.market.sellers:
            rows = session.scalar(
                sa.select(sa.func.coalesce(sa.func.sum(SellerTransfer.amount), 0)).where(
                    SellerTransfer.seller_id == seller.seller_id
                )
            )
            assert balances.balance(seller.seller_id).total == rows


def test_every_history_of_money_is_explained_to_the_kopek(db_session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "HOLD_DAYS", 0)

    class Undone(Money):
        """One history after another in the same transaction: each is taken back."""

        def __init__(self) -> None:
            self.mark = db_session.get_bind().begin_nested()
            super().__init__()

        def teardown(self) -> None:
            db_session.remove()
            self.mark.rollback()

    calm = settings(
        phases=[Phase.generate],
        max_examples=3,
        stateful_step_count=30,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Undone, settings=calm)
