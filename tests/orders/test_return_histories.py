"""Whatever happens to returns, claims and refunds of an order in whatever order, goods and kopeks are explained."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Invalid
from app.offers import return_terms
from app.offers.return_terms import Terms
from app.orders import claims, refunds, return_desk, return_rules, returns
from app.orders.models import OrderLine
from app.orders.return_desk import Count
from app.orders.return_models import Claim, ReturnLine, ReturnRequest
from app.payments import balances
from app.payments.models import PaymentSplit, Refund, SellerTransfer
from tests.factories import orders as make
from tests.orders import steps
from tests.payments import stories

pytestmark = pytest.mark.usefixtures("db_session")
PICK, PART = st.integers(0, 10_000), st.integers(0, 12)


class Cases(RuleBasedStateMachine):
    """A seller with an awkward fee, two lines of awkward prices, one of them from two warehouses."""

    def __init__(self) -> None:
        super().__init__()
        market = make.market(warehouses=2)
        self.seller, self.buyer = market.sellers[0], make.person()
        self.first, self.second = stories.operator(), stories.operator()
        return_terms.change(self.seller, Terms(True, 14, False, Decimal("7.77"), "buyer"))
        one, two = market.warehouses
        offers = [make.offer(market, price=33_333, stock={one: 9, two: 9}), make.offer(market, price=7)]
        self.order = stories.sold(market, (offers[0], 12), (offers[1], 11), buyer=self.buyer)
        session.commit()

    def tried(self, act: Any) -> None:
        """What is refused changes nothing."""
        with contextlib.suppress(Conflict, Invalid), session.begin_nested():
            act()
        session.expire_all()

    def line(self, pick: int) -> OrderLine:
        lines = refunds.lines_of(self.order.id)
        return lines[pick % len(lines)]

    def chosen(self, model: Any, pick: int, *states: str) -> Any:
        found = session.scalars(sa.select(model).where(model.status.in_(states)).order_by(model.id)).all()
        return found[pick % len(found)].public_id if found else None

    @rule(pick=PICK, units=PART)
    def ask(self, pick: int, units: int) -> None:
        wanted = returns.Wanted("leftover", {self.line(pick).public_id: Decimal(units)})
        self.tried(lambda: returns.request(self.buyer, self.order.number, wanted))

    @rule(pick=PICK, what=st.sampled_from(["approve", "reject", "cancel"]))
    def answer(self, pick: int, what: str) -> None:
        key = self.chosen(ReturnRequest, pick, "requested", "approved")
        if key:
            acts = {
                "approve": lambda: return_desk.approve(self.seller, key),
                "reject": lambda: return_desk.reject(self.seller, key, "нет"),
                "cancel": lambda: returns.cancel(self.buyer, key),
            }
            self.tried(acts[what])

    @rule(pick=PICK, came=PART, fit=PART)
    def count(self, pick: int, came: int, fit: int) -> None:
        key = self.chosen(ReturnRequest, pick, "approved")
        if key:
            line = session.execute(
                sa.select(OrderLine.public_id)
                .join(ReturnLine, ReturnLine.order_line_id == OrderLine.id)
                .join(ReturnRequest, ReturnRequest.id == ReturnLine.return_id)
                .where(ReturnRequest.public_id == key)
            ).scalar_one()
            counts = {line: Count(Decimal(came), Decimal(min(came, fit)))}
            self.tried(lambda: return_desk.receive(self.seller, key, counts, count_note="так"))

    @rule(pick=PICK)
    def pay_back(self, pick: int) -> None:
        key = self.chosen(ReturnRequest, pick, "received")
        if key:
            self.tried(lambda: return_desk.refund(self.seller, key))

    @rule(pick=PICK, share=st.integers(1, 130))
    def claim(self, pick: int, share: int) -> None:
        line = self.line(pick)
        wanted = claims.Wanted(line.public_id, "short", Decimal(1), "money", "мало", line.gross * share // 100)
        self.tried(lambda: claims.open_claim(self.buyer, self.order.number, wanted))

    @rule(pick=PICK, share=st.integers(0, 130), what=st.sampled_from(["agree", "offer", "refuse", "accept", "settle"]))
    def talk(self, pick: int, share: int, what: str) -> None:
        key = self.chosen(Claim, pick, *return_rules.CLAIM_OPEN)
        if not key:
            return
        amount = session.scalars(sa.select(Claim.wanted).where(Claim.public_id == key)).one() * share // 100
        acts = {
            "agree": lambda: claims.agree(self.seller, key),
            "offer": lambda: claims.offer(self.seller, key, amount, "столько"),
            "refuse": lambda: claims.refuse(self.seller, key, "нет"),
            "accept": lambda: claims.accept(self.buyer, key),
            "settle": lambda: claims.settle(self.first, key, "both", amount, "так"),
        }
        self.tried(acts[what])
        if what == "refuse":
            self.tried(lambda: claims.escalate(self.buyer, key))

    @rule(pick=PICK, share=st.integers(1, 100))
    def refund_by_hand(self, pick: int, share: int) -> None:
        line = self.line(pick)
        left = refunds.left_of(self.order, refunds.lines_of(self.order.id)).lines[line.id]
        wanted = refunds.Wanted("брак", lines={line.public_id: left * share // 100})
        self.tried(lambda: refunds.request(self.first, self.order.number, wanted))

    @rule(pick=PICK)
    def money_leaves(self, pick: int) -> None:
        rows = session.scalars(sa.select(Refund).where(Refund.status == "approved").order_by(Refund.id)).all()
        if rows:
            row = rows[pick % len(rows)].public_id
            self.tried(lambda: refunds.name_payee(self.buyer, row, stories.PAYEE))
            self.tried(lambda: refunds.mark_paid(self.second, row, "п/п 7"))

    @rule(hours=st.sampled_from([30, 24 * 4, 24 * 20]))
    def time_passes(self, hours: int) -> None:
        """What has waited is older by so much; timers of what is due by then fire."""
        for model, due in ((ReturnRequest, return_desk.due), (Claim, claims.due)):
            for row in session.scalars(sa.select(model).where(model.due_at.is_not(None))).all():
                row.due_at -= timedelta(hours=hours)
                session.execute(
                    sa.text("UPDATE timer SET due_at = :due WHERE entity = :e AND entity_id = :i"),
                    {"due": row.due_at, "e": "return" if model is ReturnRequest else "claim", "i": row.id},
                )
                session.flush()
                if row.due_at <= clock.now():
                    due(row.id)
        session.expire_all()

    @invariant()
    def everything_sums(self) -> None:
        steps.check_everything_sums()
        asked = session.scalar(sa.select(sa.func.coalesce(sa.func.sum(Refund.amount), 0)))
        assert asked <= session.scalar(sa.select(sa.func.sum(PaymentSplit.amount)))
        rows = session.scalar(sa.select(sa.func.coalesce(sa.func.sum(SellerTransfer.amount), 0)))
        assert balances.balance(self.seller.seller_id).total == rows


def test_every_history_of_returns_and_claims_is_explained(db_session: Any) -> None:
    class Undone(Cases):
        """One history after another in the same transaction: each is taken back."""

        def __init__(self) -> None:
            self.mark = db_session.get_bind().begin_nested()
            super().__init__()

        def teardown(self) -> None:
            db_session.remove()
            self.mark.rollback()

    calm = settings(
        phases=[Phase.generate], max_examples=6, stateful_step_count=40, deadline=None, database=None,
        derandomize=True, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Undone, settings=calm)
