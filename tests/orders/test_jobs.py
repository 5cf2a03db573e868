"""What other domains tell reaches orders through jobs, once however often it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core import events
from app.core.db import session
from app.core.models import Job
from app.logistics.events import DeliveryCompleted, DeliveryHandedOver, DeliveryOnTheWay
from app.logistics.models import Delivery
from app.orders import fulfilments, service
from app.orders.models import Order
from app.payments.models import CommissionLine, CommissionRule, Payment
from tests.factories import orders as make
from tests.orders import steps
from tests.orders.test_life import Case, level
from workers import worker


def run_jobs(app: Flask) -> int:
    """Do everything that is queued, mails included."""
    done = 0
    while True:
        due = session.scalars(sa.select(Job.id).where(Job.state == "queued").order_by(Job.id)).all()
        if not due:
            return done
        for job in due:
            session.execute(sa.update(Job).where(Job.id == job).values(run_at=sa.func.now() - timedelta(seconds=1)))
            session.commit()
            worker.run_in_context(job, app)
            done += 1


@pytest.fixture
def sent(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Subjects and texts of mails that would leave."""
    texts: list[str] = []

    class Post:
        def send(self, message: Any) -> None:
            texts.append(f"{message['Subject']}\n{message.get_content()}")

    monkeypatch.setitem(app.extensions, "mail", Post())
    return texts


@pytest.mark.usefixtures("db_session")
def test_the_road_of_a_delivery_moves_the_order_and_mails_the_buyer(app: Flask, sent: list[str]) -> None:
    case = Case(payment="cash")
    service.accept(case.seller, case.order.number)
    fulfilments.start_picking(case.seller, case.trip.public_id)
    fulfilments.ready(case.seller, case.trip.public_id)
    delivery = session.scalars(sa.select(Delivery.id)).one()
    at = datetime.now(UTC).isoformat()
    due = case.refreshed().total
    events.record(DeliveryHandedOver(delivery, case.trip.id, None, at))
    events.record(DeliveryOnTheWay(delivery, case.trip.id, None, at))
    line = {"line": "1", "delivered": "10", "delivered_base": "10", "reason": ""}
    for _twice in range(2):
        events.record(DeliveryCompleted(delivery, case.trip.id, None, "delivered", "", [line], due, at))
    session.commit()
    run_jobs(app)
    assert not session.scalars(sa.select(Job.error).where(Job.state != "done")).all()
    order = session.get_one(Order, case.order.id, populate_existing=True)
    assert (order.status, order.payment_status) == ("completed", "paid")
    assert session.scalars(sa.select(Payment.status)).one() == "paid"
    assert level() == (90, 0)
    subjects = {text.splitlines()[0] for text in sent}
    assert {f"Заказ {case.group.number} оформлен", f"Заказ {case.order.number} доставлен"} <= subjects
    assert any("принял" in text for text in sent)


@pytest.mark.usefixtures("db_session")
def test_a_rejected_order_is_told_with_its_reason(app: Flask, sent: list[str]) -> None:
    case = Case()
    service.reject(case.seller, case.order.number, "нет машины")
    run_jobs(app)
    assert any("не приедет" in text and "нет машины" in text for text in sent)


@pytest.mark.usefixtures("db_session")
def test_a_rule_of_a_category_sets_the_fee() -> None:
    market = make.market()
    rule = CommissionRule(position=1, category_id=market.category_id, percent=9, valid_from=datetime(2026, 1, 1).date())
    session.add(rule)
    session.flush()
    steps.bought(make.person(), (make.offer(market), 10))
    assert session.scalars(sa.select(CommissionLine.amount)).one() == 545_000 * 9 // 100
