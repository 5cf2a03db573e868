"""Whatever people and trucks do in whatever order: every step is legal or refused, and everything sums after it."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.db import session
from app.core.errors import Conflict, Invalid
from app.offers.models import StockLevel
from app.orders import fulfilments, paying, rules, service
from app.orders.models import Fulfilment, Order, OrderEvent, OrderLine
from app.payments.models import SellerTransfer
from tests.factories import orders as make
from tests.orders import steps

pytestmark = pytest.mark.usefixtures("db_session")
STEPS = 14


class Story:
    """One purchase of two sellers, one of whom has to split a line over two warehouses."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.market = make.market(sellers=2, warehouses=2)
        one, two = self.market.warehouses[:2]
        wants = (
            (make.offer(self.market, 0, stock={one: 6, two: 5}, pallet=(2, 350_00)), 9),
            (make.offer(self.market, 0), 3),
            (make.offer(self.market, 1, price=31_200, pallet=(3, 1)), 4),
        )
        self.buyer = make.person()
        group = steps.bought(self.buyer, *wants, payment=self.dice.choice(["invoice", "cash"]))
        self.group = group.id
        session.commit()

    def step(self) -> str:
        """Try one thing; what is refused changes nothing."""
        order = self.dice.choice(list(session.scalars(sa.select(Order).where(Order.group_id == self.group))))
        seller = next(s for s in self.market.sellers if s.seller_id == order.seller_id)
        lines = list(session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id)))
        trip = self.dice.choice(list(session.scalars(sa.select(Fulfilment).where(Fulfilment.order_id == order.id))))
        counts = {line.public_id: Decimal(self.dice.randint(0, int(line.quantity))) for line in lines}
        mine = {p: c for p, c in counts.items() if self.dice.random() < 0.4}
        outcome = self.dice.choice(["delivered", "partially_delivered", "failed"])
        at_door = [{"line": str(ln.position), "delivered_base": str(counts[ln.public_id])} for ln in lines]
        cash = self.dice.choice([None, order.total])
        acts: list[Callable[[], Any]] = [
            lambda: service.accept(seller, order.number, mine),
            lambda: service.accept(seller, order.number),
            lambda: fulfilments.start_picking(seller, trip.public_id),
            lambda: fulfilments.ready(seller, trip.public_id),
            lambda: fulfilments.ready(seller, trip.public_id, mine),
            lambda: fulfilments.handed_over(trip.id),
            lambda: fulfilments.on_the_way(trip.id),
            lambda: self.at_door(trip, outcome, at_door, cash),
            lambda: fulfilments.receive_back(seller, trip.public_id),
        ]
        rare: list[Callable[[], Any]] = [
            lambda: service.reject(seller, order.number, "нет"),
            lambda: service.cancel(self.buyer, order.number),
            lambda: service.expire(order.id),
            lambda: paying.overdue(self.group),
        ]
        act = self.dice.choice(acts) if self.dice.random() < 0.85 else self.dice.choice(rare)
        try:
            act()
        except (Conflict, Invalid) as refusal:
            return refusal.code
        return "done"

    def at_door(self, trip: Fulfilment, outcome: str, lines: list[dict[str, str]], cash: int | None) -> None:
        """A truck comes only with what it has loaded."""
        if trip.status not in ("handed_over", "in_transit"):
            raise Conflict("not_loaded")
        fulfilments.complete(trip.id, outcome, "refused", lines, cash)


@pytest.mark.parametrize("seed", range(16))
def test_every_history_sums_at_every_step(seed: int) -> None:
    story = Story(seed)
    for _each in range(STEPS):
        story.step()
        session.expire_all()
        steps.check_everything_sums()
    check_transitions_are_declared()
    assert session.scalar(sa.select(sa.func.min(StockLevel.on_hand - StockLevel.allocated))) >= 0
    fees = session.scalar(sa.select(sa.func.coalesce(sa.func.sum(SellerTransfer.amount), 0)))
    assert fees is not None
    assert fees >= 0


def check_transitions_are_declared() -> None:
    for event in session.scalars(sa.select(OrderEvent).where(OrderEvent.from_state != "")):
        kind, _dot, new = event.kind.partition(".")
        machine = {"order": rules.ORDER, "fulfilment": rules.FULFILMENT, "payment": rules.PAYMENT}[kind]
        assert machine.allows(event.from_state, new), (event.from_state, new)
