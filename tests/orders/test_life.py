"""What sellers, buyers, couriers and clocks do to an order: every sum, stock level and state follows."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa
import time_machine

from app.core import clock, timers
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.models import OutboxEvent
from app.logistics.models import Delivery
from app.offers.models import StockLevel
from app.orders import fulfilments, paying, queries, seller_queries, service
from app.orders.models import Order, OrderEvent, OrderGroup, OrderLine
from app.payments.models import Payment, Refund, SellerTransfer
from tests.factories import orders as make
from tests.orders import steps

pytestmark = pytest.mark.usefixtures("db_session")


class Case:
    """One order of 10 bags for one seller."""

    def __init__(self, payment: str = "invoice", stock: int = 100) -> None:
        self.market = make.market()
        self.seller = self.market.sellers[0]
        self.buyer = make.person()
        self.group = steps.bought(self.buyer, (make.offer(self.market, stock=stock), 10), payment=payment)
        [self.order] = steps.orders_of(self.group)
        [self.trip] = steps.trips_of(self.order)
        self.line = session.scalars(sa.select(OrderLine)).one()

    def refreshed(self) -> Order:
        session.expire_all()
        return session.get_one(Order, self.order.id)

    def on_the_road(self) -> None:
        service.accept(self.seller, self.order.number)
        fulfilments.start_picking(self.seller, self.trip.public_id)
        fulfilments.ready(self.seller, self.trip.public_id)
        fulfilments.handed_over(self.trip.id)
        fulfilments.on_the_way(self.trip.id)

    def at_door(self, delivered: int, cash: int | None = None) -> None:
        outcome = "delivered" if delivered == 10 else "failed" if not delivered else "partially_delivered"
        lines = [{"line": "1", "delivered": str(delivered), "delivered_base": str(delivered)}]
        fulfilments.complete(self.trip.id, outcome, "" if delivered else "no_access", lines, cash)


def level() -> tuple[int, int]:
    row = session.execute(sa.select(StockLevel.on_hand, StockLevel.allocated)).one()
    return int(row.on_hand), int(row.allocated)


def test_accepting_all_changes_no_sum() -> None:
    case = Case()
    assert service.accept(case.seller, case.order.number) == 0
    assert case.refreshed().status == "accepted"
    assert timers_left() == 2  # only the invoice's
    steps.check_everything_sums()


def timers_left() -> int:
    return session.scalar(sa.text("SELECT count(*) FROM timer WHERE fired_at IS NULL")) or 0


def test_accepting_less_gives_stock_back_and_asks_less() -> None:
    case = Case()
    less = service.accept(case.seller, case.order.number, {case.line.public_id: Decimal(7)})
    assert less == 3 * 54_500
    assert level() == (100, 7)
    order = case.refreshed()
    assert order.goods == 7 * 54_500
    assert session.scalars(sa.select(Payment.amount)).one() == order.total
    event = session.scalars(sa.select(OrderEvent).where(OrderEvent.kind == "order.recounted")).one()
    assert event.details["less"] == 3 * 54_500
    steps.check_everything_sums()


def test_accepting_less_of_cash_tells_the_courier_the_new_sum() -> None:
    case = Case(payment="cash")
    service.accept(case.seller, case.order.number, {case.line.public_id: Decimal(4)})
    assert session.scalars(sa.select(Delivery.cash_due)).one() == case.refreshed().total


@pytest.mark.parametrize(("units", "code"), [("0", "accept_nothing"), ("11", "counted_range"), ("-1", "counted_range")])
def test_accepting_nothing_or_too_much_is_refused(units: str, code: str) -> None:
    case = Case()
    with pytest.raises(Invalid) as refused:
        service.accept(case.seller, case.order.number, {case.line.public_id: Decimal(units)})
    assert refused.value.errors[0].code == code
    assert case.refreshed().status == "placed"


def test_rejecting_gives_everything_back() -> None:
    case = Case()
    service.reject(case.seller, case.order.number, "нет машины")
    order = case.refreshed()
    assert (order.status, order.total, order.payment_status, order.fulfilment_status) == (
        "rejected", 0, "voided", "cancelled",
    )  # fmt: skip
    assert level() == (100, 0)
    assert session.scalars(sa.select(Delivery.state)).one() == "cancelled"
    assert session.get_one(OrderGroup, case.group.id).payment_status == "voided"
    steps.check_everything_sums()


def test_rejecting_needs_a_reason() -> None:
    case = Case()
    with pytest.raises(Invalid):
        service.reject(case.seller, case.order.number, "  ")


def test_one_of_two_orders_rejected_leaves_the_other_to_pay() -> None:
    market = make.market(sellers=2)
    group = steps.bought(make.person(), (make.offer(market, 0), 2), (make.offer(market, 1), 3))
    first, second = steps.orders_of(group)
    service.reject(market.sellers[0], first.number, "нет")
    group = session.get_one(OrderGroup, group.id, populate_existing=True)
    assert group.total == second.total == session.scalars(sa.select(Payment.amount)).one()
    assert group.payment_status == "awaiting"
    steps.check_everything_sums()


def test_a_buyer_cancels_until_picking_begins() -> None:
    case = Case()
    service.accept(case.seller, case.order.number)
    fulfilments.start_picking(case.seller, case.trip.public_id)
    with pytest.raises(Conflict, match="too_late_to_cancel"):
        service.cancel(case.buyer, case.order.number)
    other = Case.__new__(Case)
    other.group = steps.bought(case.buyer, (make.offer(case.market), 1))
    [order] = steps.orders_of(other.group)
    service.cancel(case.buyer, order.number, "передумал")
    assert session.get_one(Order, order.id).status == "cancelled"
    steps.check_everything_sums()


def test_an_unanswered_order_expires_by_its_timer_and_frees_the_stock() -> None:
    case = Case()
    session.execute(sa.text("UPDATE timer SET due_at = now() - interval '1 second' WHERE transition = 'expire'"))
    session.commit()
    assert timers.fire_due() == 1
    assert case.refreshed().status == "expired"
    assert level() == (100, 0)
    assert timers.fire_due() == 0
    steps.check_everything_sums()


def test_an_accepted_order_does_not_expire() -> None:
    case = Case()
    service.accept(case.seller, case.order.number)
    service.expire(case.order.id)
    assert case.refreshed().status == "accepted"


def test_accepting_after_the_deadline_is_refused() -> None:
    case = Case()
    with time_machine.travel(case.order.accept_by), pytest.raises(Conflict, match="accept_deadline_passed"):
        service.accept(case.seller, case.order.number)


def test_another_sellers_order_is_absent() -> None:
    case = Case()
    stranger = make.member("seller")
    for attempt in (
        lambda: service.accept(stranger, case.order.number),
        lambda: service.reject(stranger, case.order.number, "x"),
        lambda: fulfilments.start_picking(stranger, case.trip.public_id),
        lambda: fulfilments.ready(stranger, case.trip.public_id),
        lambda: seller_queries.seller_order(stranger.seller_id, case.order.number),
        lambda: service.cancel(make.person(), case.order.number),
        lambda: queries.group_view(make.person().user, case.group.number),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_a_shortage_found_while_picking_is_taken_off() -> None:
    case = Case()
    service.accept(case.seller, case.order.number)
    fulfilments.start_picking(case.seller, case.trip.public_id)
    less = fulfilments.ready(case.seller, case.trip.public_id, {case.line.public_id: Decimal(8)})
    assert less == 2 * 54_500
    assert level() == (100, 8)
    delivery = session.scalars(sa.select(Delivery)).one()
    assert (delivery.state, delivery.cargo[0]["quantity"], delivery.mass_kg) == ("ready", "8", 200)
    steps.check_everything_sums()


def test_picking_before_accepting_is_refused() -> None:
    case = Case()
    with pytest.raises(Conflict, match="order_state"):
        fulfilments.start_picking(case.seller, case.trip.public_id)


def test_delivered_whole_completes_the_order_and_earns() -> None:
    case = Case()
    case.on_the_road()
    case.at_door(10)
    order = case.refreshed()
    assert (order.status, order.fulfilment_status) == ("completed", "delivered")
    assert level() == (90, 0)
    earned = dict(session.execute(sa.select(SellerTransfer.kind, SellerTransfer.amount)).all())
    assert earned == {"sale": 545_000, "commission": -32_700}
    assert order.payment_status == "awaiting"  # an invoice is paid by the bank, not by the door
    assert "OrderCompleted" in session.scalars(sa.select(OutboxEvent.name)).all()
    steps.check_everything_sums()


def test_a_delivery_told_twice_changes_nothing() -> None:
    case = Case()
    case.on_the_road()
    case.at_door(10)
    case.at_door(10)
    fulfilments.handed_over(case.trip.id)
    assert level() == (90, 0)
    assert session.scalar(sa.select(sa.func.count()).select_from(SellerTransfer)) == 2


def test_a_delivery_told_before_its_journey_walks_every_step() -> None:
    case = Case()
    service.accept(case.seller, case.order.number)
    fulfilments.start_picking(case.seller, case.trip.public_id)
    fulfilments.ready(case.seller, case.trip.public_id)
    case.at_door(10)
    kinds = session.scalars(
        sa.select(OrderEvent.kind).where(OrderEvent.kind.like("fulfilment.%")).order_by(OrderEvent.id)
    ).all()
    assert [k.partition(".")[2] for k in kinds] == ["picking", "ready", "handed_over", "in_transit", "delivered"]


def test_cash_is_paid_at_the_door_with_the_amount_counted() -> None:
    case = Case(payment="cash")
    case.on_the_road()
    case.at_door(10, cash=case.order.total)
    assert case.refreshed().payment_status == "paid"
    payment = session.scalars(sa.select(Payment)).one()
    assert (payment.status, payment.amount) == ("paid", case.group.total)
    event = session.scalars(sa.select(OrderEvent).where(OrderEvent.kind == "fulfilment.delivered")).one()
    assert event.details["cash_counted"] == case.group.total


def test_a_part_handed_over_is_paid_in_part_and_the_rest_comes_back() -> None:
    case = Case(payment="cash")
    case.on_the_road()
    case.at_door(6, cash=6 * 54_500 + case.order.delivery)
    order = case.refreshed()
    assert (order.status, order.goods, order.payment_status) == ("completed", 6 * 54_500, "paid")
    assert level() == (94, 4)
    steps.check_everything_sums()
    fulfilments.receive_back(case.seller, case.trip.public_id)
    assert level() == (94, 0)
    steps.check_everything_sums()


def test_nothing_handed_over_costs_nothing_and_ends_when_it_is_back() -> None:
    case = Case(payment="cash")
    case.on_the_road()
    case.at_door(0)
    order = case.refreshed()
    assert (order.status, order.total, order.payment_status) == ("accepted", 0, "voided")
    assert level() == (100, 10)
    fulfilments.receive_back(case.seller, case.trip.public_id)
    assert (case.refreshed().status, level()) == ("cancelled", (100, 0))
    steps.check_everything_sums()


def test_an_invoice_not_paid_in_time_is_overdue() -> None:
    case = Case()
    paying.overdue(case.group.id)
    assert case.refreshed().payment_status == "overdue"
    assert session.get_one(OrderGroup, case.group.id).payment_status == "overdue"
    paying.overdue(case.group.id)


def test_what_was_paid_and_not_delivered_is_owed_back() -> None:
    case = Case()
    session.execute(sa.update(Payment).values(status="paid", paid_at=clock.now()))
    session.execute(sa.update(Order).values(payment_status="paid"))
    session.expire_all()
    service.accept(case.seller, case.order.number, {case.line.public_id: Decimal(7)})
    assert session.scalars(sa.select(Refund.amount)).all() == [3 * 54_500]
    fulfilments.start_picking(case.seller, case.trip.public_id)
    fulfilments.ready(case.seller, case.trip.public_id, {case.line.public_id: Decimal(6)})
    assert sorted(session.scalars(sa.select(Refund.amount)).all()) == [54_500, 3 * 54_500]
    steps.check_everything_sums()


def test_a_buyer_takes_some_off_before_and_after_the_answer() -> None:
    case = Case()
    assert service.cancel(case.buyer, case.order.number, "хватит", {case.line.public_id: Decimal(3)}) == 3 * 54_500
    assert level() == (100, 7)
    steps.check_everything_sums()
    with pytest.raises(Invalid):  # the seller cannot agree to more than is still wanted
        service.accept(case.seller, case.order.number, {case.line.public_id: Decimal(8)})
    assert service.accept(case.seller, case.order.number) == 0
    assert level() == (100, 7)
    assert service.cancel(case.buyer, case.order.number, "", {case.line.public_id: Decimal(2)}) == 2 * 54_500
    order = case.refreshed()
    assert (order.status, order.goods, level()) == ("accepted", 5 * 54_500, (100, 5))
    assert session.scalars(sa.select(Payment.amount)).one() == order.total
    steps.check_everything_sums()


def test_taking_everything_off_cancels_the_order() -> None:
    case = Case()
    service.cancel(case.buyer, case.order.number, "", {case.line.public_id: Decimal(4)})
    service.cancel(case.buyer, case.order.number, "", {case.line.public_id: None})
    assert (case.refreshed().status, level()) == ("cancelled", (100, 0))
    steps.check_everything_sums()


@pytest.mark.parametrize("units", ["0", "-1", "11", "NaN"])
def test_no_more_is_taken_off_than_there_is(units: str) -> None:
    case = Case()
    with pytest.raises(Invalid):
        service.cancel(case.buyer, case.order.number, "", {case.line.public_id: Decimal(units)})
    with pytest.raises(Invalid):
        service.cancel(case.buyer, case.order.number, "", {steps.any_id(): None})
    with pytest.raises(Invalid):
        service.cancel(case.buyer, case.order.number, "", {})
    assert level() == (100, 10)


def test_what_was_paid_for_a_line_taken_off_is_owed_back() -> None:
    market = make.market()
    buyer = make.person()
    first, second = make.offer(market, price=10_000, stock=50), make.offer(market, price=20_000, stock=50)
    [order] = steps.orders_of(steps.bought(buyer, (first, 2), (second, 3)))
    session.execute(sa.update(Payment).values(status="paid"))
    lines = session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.id)).all()
    assert service.cancel(buyer, order.number, "", {lines[0].public_id: None}) == 20_000
    assert session.scalars(sa.select(Refund.amount)).one() == 20_000
    steps.check_everything_sums()


def test_a_line_on_two_trips_is_taken_off_step_by_step() -> None:
    market, buyer = make.market(warehouses=2), make.person()
    one, two = market.warehouses
    [order] = steps.orders_of(steps.bought(buyer, (make.offer(market, stock={one: 6, two: 5}), 9)))
    line = session.scalars(sa.select(OrderLine.public_id).where(OrderLine.order_id == order.id)).one()
    states = []
    for _again in range(3):
        service.cancel(buyer, order.number, "", {line: Decimal(2)})
        states.append(sorted(trip.status for trip in steps.trips_of(order)))
        steps.check_everything_sums()
    assert states[-1] == ["cancelled", "planned"]
    assert session.scalar(sa.select(sa.func.sum(StockLevel.allocated))) == 3
    service.cancel(buyer, order.number, "", {line: Decimal(1)})  # a trip that is called off already stays so
    steps.check_everything_sums()
