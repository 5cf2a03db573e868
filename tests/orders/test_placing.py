"""A cart becomes one purchase, once, with everything that belongs to it."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.models import AuditEntry, Job, OutboxEvent, Timer
from app.logistics.models import Delivery
from app.offers import stock
from app.offers.models import Offer, StockLevel, StockMovement
from app.orders import carts, service
from app.orders.models import Cart, OrderGroup, OrderLine
from app.orders.placing import Contact
from app.payments.models import CommissionLine, Invoice, Payment, PaymentSplit
from tests.factories import orders as make
from tests.orders import steps

pytestmark = pytest.mark.usefixtures("db_session")


def test_two_sellers_make_one_purchase_with_two_orders_that_sum() -> None:
    market = make.market(sellers=2)
    glue, block = make.offer(market, 0), make.offer(market, 1, price=31_200, mass="19")
    buyer = make.person()
    group = steps.bought(buyer, (glue, 24), (block, 48))
    orders = steps.orders_of(group)
    assert [o.number for o in orders] == [f"{group.number}-1", f"{group.number}-2"]
    assert [o.goods for o in orders] == [24 * 54_500, 48 * 31_200]
    assert all(o.delivery > 0 for o in orders)
    assert group.total == sum(o.total for o in orders)
    payment = session.scalars(sa.select(Payment).where(Payment.group_id == group.id)).one()
    splits = session.scalars(sa.select(PaymentSplit.amount).where(PaymentSplit.payment_id == payment.id)).all()
    assert payment.amount == group.total == sum(splits)
    steps.check_everything_sums()


def test_everything_that_belongs_to_a_purchase_is_written() -> None:
    market = make.market()
    glue = make.offer(market)
    group = steps.bought(make.person(), (glue, 10))
    [order] = steps.orders_of(group)
    [trip] = steps.trips_of(order)
    line = session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id)).one()
    assert (line.sku, line.quantity, line.gross, line.net + line.vat) == (glue.sku, 10, 545_000, 545_000)
    assert (
        session.scalars(sa.select(CommissionLine.amount).where(CommissionLine.order_line_id == line.id)).one() == 32_700
    )
    assert session.scalars(sa.select(Delivery.number).where(Delivery.fulfilment_id == trip.id)).one() == order.number
    assert session.scalars(sa.select(Invoice.number)).all() == [group.number]
    timers = session.execute(sa.select(Timer.entity, Timer.transition)).all()
    assert {tuple(t) for t in timers} == {
        ("order", "expire"), ("order_group", "payment_reminder"), ("order_group", "payment_overdue"),
    }  # fmt: skip
    assert "OrderPlaced" in session.scalars(sa.select(OutboxEvent.name)).all()
    assert session.scalars(sa.select(AuditEntry.action)).all() == ["order.placed"]
    assert session.scalars(sa.select(Job.payload["template"].astext).where(Job.kind == "mail.send")).all() == [
        "order_placed"
    ]
    assert session.scalars(sa.select(Cart.status)).all() == ["ordered"]
    level = session.scalars(sa.select(StockLevel)).one()
    assert (level.on_hand, level.allocated) == (100, 10)
    assert session.scalars(sa.select(StockMovement.kind).order_by(StockMovement.id)).all() == ["received", "allocated"]


def test_placed_again_answers_the_same_purchase() -> None:
    market = make.market()
    buyer = make.person()
    quote = steps.quoted(buyer, (make.offer(market), 3))
    first = service.place(buyer, quote.public_id, steps.CONTACT, "invoice")
    second = service.place(buyer, quote.public_id, steps.CONTACT, "invoice")
    assert (second.number, second.replayed) == (first.number, True)
    assert session.scalar(sa.select(sa.func.count()).select_from(OrderGroup)) == 1


def test_a_price_that_rose_is_shown_as_a_difference_and_nothing_is_written() -> None:
    market = make.market()
    glue = make.offer(market)
    buyer = make.person()
    quote = steps.quoted(buyer, (glue, 3))
    session.execute(sa.update(Offer).where(Offer.id == glue.id).values(price=60_000))
    with pytest.raises(Conflict) as refused:
        service.place(buyer, quote.public_id, steps.CONTACT, "invoice")
    assert refused.value.code == "price_changed"
    [difference] = refused.value.context["differences"]
    assert (difference["was"], difference["now"]) == (54_500, 60_000)
    assert session.scalar(sa.select(sa.func.count()).select_from(OrderGroup)) == 0


def test_stock_that_went_is_shown_as_a_difference() -> None:
    market = make.market()
    glue = make.offer(market, stock=10)
    second = make.person()
    late = steps.quoted(second, (glue, 8))
    [place] = market.warehouses
    stock.count(glue.id, place, Decimal(5), stock.Cause("seller_count", None, market.sellers[0]))
    with pytest.raises(Conflict) as refused:
        service.place(second, late.public_id, steps.CONTACT, "invoice")
    assert refused.value.code == "stock_changed"
    [difference] = refused.value.context["differences"]
    assert (difference["was"], difference["now"]) == ("8", "5")
    steps.check_everything_sums()


def test_a_cart_changed_after_the_quote_is_not_ordered_unseen() -> None:
    market = make.market()
    buyer = make.person()
    quote = steps.quoted(buyer, (make.offer(market), 3))
    carts.add(buyer, "", make.offer(market).public_id, Decimal(1))
    with pytest.raises(Conflict, match="quote_outdated"):
        service.place(buyer, quote.public_id, steps.CONTACT, "invoice")


def test_another_persons_quote_is_absent() -> None:
    market = make.market()
    quote = steps.quoted(make.person(), (make.offer(market), 3))
    with pytest.raises(NotFound):
        service.place(make.person(), quote.public_id, steps.CONTACT, "invoice")


@pytest.mark.parametrize("phone", ["", "12", "+7 914 222-33-1", "not a phone"])
def test_a_phone_that_is_none_is_refused(phone: str) -> None:
    market = make.market()
    buyer = make.person()
    quote = steps.quoted(buyer, (make.offer(market), 3))
    with pytest.raises(Invalid) as refused:
        service.place(buyer, quote.public_id, Contact("Имя", phone), "invoice")
    assert [e.pointer for e in refused.value.errors] == ["/contact/phone"]


def test_cash_is_refused_above_the_limit() -> None:
    market = make.market()
    with pytest.raises(Invalid) as refused:
        steps.quoted(make.person(), (make.offer(market, price=9_000_000), 2), payment="cash")
    assert refused.value.errors[0].code == "too_much_for_cash"


def test_an_order_is_a_snapshot() -> None:
    market = make.market()
    glue = make.offer(market)
    group = steps.bought(make.person(), (glue, 3))
    session.execute(sa.update(Offer).where(Offer.id == glue.id).values(price=1, sku="other"))
    line = session.scalars(sa.select(OrderLine)).one()
    assert (line.price, line.gross) == (54_500, 163_500)
    assert group.goods == 163_500


def test_a_line_that_no_warehouse_has_whole_is_split_and_sums() -> None:
    market = make.market(warehouses=2)
    one, two = market.warehouses
    glue = make.offer(market, stock={one: 6, two: 5})
    group = steps.bought(make.person(), (glue, 9))
    [order] = steps.orders_of(group)
    assert len(steps.trips_of(order)) == 2
    assert session.scalar(sa.select(sa.func.sum(StockLevel.allocated))) == 9
    steps.check_everything_sums()


def test_a_company_pays_with_its_requisites_and_a_foreign_one_cannot() -> None:
    market = make.market()
    member = make.member("buyer")
    company = member.memberships[0].organisation_public_id
    quote = steps.quoted(member, (make.offer(market), 3))
    foreign = make.member("buyer").memberships[0].organisation_public_id
    with pytest.raises(Invalid):
        service.place(member, quote.public_id, steps.CONTACT, "invoice", organisation=foreign)
    service.place(member, quote.public_id, steps.CONTACT, "invoice", organisation=company)
    payer = session.scalars(sa.select(Invoice.requisites)).one()["payer"]
    assert payer["inn"].startswith("77")
    group = session.scalars(sa.select(OrderGroup)).one()
    assert group.organisation_id == member.memberships[0].organisation_id
