"""Returnable pallets: the deposit in every sum, fewer of them with fewer goods, several returns of them."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.db import db, session, unit_of_work
from app.core.errors import Invalid
from app.logistics.models import Delivery
from app.offers import service as offers
from app.orders import fulfilments, pallet_returns, pallets, proposals, rules, service
from app.orders.models import Fulfilment, FulfilmentLine, Order, OrderGroup, OrderLine
from app.payments.models import Payment, PaymentSplit, Refund, SellerTransfer
from tests.core.pdf_text import pages_of
from tests.factories import orders as make
from tests.orders import steps
from tests.orders.test_races import all_at_once
from tests.payments import stories

FACTORS = [Fraction(1), Fraction(1, 3), Fraction(25, 8), Fraction(7, 11)]


@settings(deadline=None, database=None, derandomize=True)
@given(
    factor=st.sampled_from(FACTORS), on_one=st.integers(1, 50), whole=st.integers(1, 400), off=st.integers(0, 400),
    cuts=st.lists(st.integers(0, 400), max_size=3),
)  # fmt: skip
def test_pallets_of_rounded_parts_are_those_of_the_units_and_never_grow(
    factor: Fraction, on_one: int, whole: int, off: int, cuts: list[int]
) -> None:
    line = OrderLine(
        pallet_units=Decimal(on_one), pallet_deposit=1, factor_numerator=factor.numerator,
        factor_denominator=factor.denominator, quantity=Decimal(whole),
        quantity_base=rules.to_base(Decimal(whole), factor),
    )  # fmt: skip
    first = min(off, whole)
    parts = [rules.to_base(Decimal(first), factor)]
    parts.append(line.quantity_base - parts[0])  # the last part takes what rounding left
    for units, base in zip((first, whole - first), parts, strict=True):
        expected = -(-units // on_one)
        assert pallets.count(Decimal(units), Decimal(on_one)) == expected == pallets.needed(line, base)
    piece = FulfilmentLine(quantity=parts[0], pallets=pallets.needed(line, parts[0]))
    piece.order_line_id = line.id = 1
    for cut in cuts:
        before = piece.pallets
        base = rules.to_base(Decimal(cut), factor)
        assert pallets.recount([line], [piece], lambda _piece, now=base: now) == piece.pallets
        assert piece.pallets == min(before, -(-cut // on_one))


def money_of(group: OrderGroup) -> tuple[int, int, int]:
    """What the purchase, its payment and its only split say is to be paid."""
    session.flush()
    payment = session.scalars(sa.select(Payment).where(Payment.group_id == group.id)).one()
    split = session.scalars(sa.select(PaymentSplit).where(PaymentSplit.payment_id == payment.id)).one()
    return group.total, payment.amount, split.amount


def cash_due(trip: Fulfilment) -> int:
    """What the driver is to take."""
    return session.scalars(sa.select(Delivery.cash_due).where(Delivery.fulfilment_id == trip.id)).one()


def ledger_of(order: Order) -> dict[str, int]:
    """Kind -> kopeks."""
    rows = session.execute(
        sa.select(SellerTransfer.kind, sa.func.sum(SellerTransfer.amount))
        .where(SellerTransfer.order_id == order.id)
        .group_by(SellerTransfer.kind)
    )
    return {kind: int(amount) for kind, amount in rows}


@pytest.mark.usefixtures("db_session")
def test_less_of_the_goods_is_fewer_pallets_until_they_are_with_the_buyer(db_session: Any) -> None:
    market = make.market()
    seller, buyer = market.sellers[0], make.person()
    offer = make.offer(market, price=100_00, pallet=(10, 350_01))
    quote = steps.quoted(buyer, (offer, 45), payment="cash")
    offers.edit_offer(seller, offer.public_id, {"pallet_units": Decimal(1), "pallet_deposit": 9})  # it was promised
    placed = service.place(buyer, quote.public_id, steps.CONTACT, "cash")
    group = session.get_one(OrderGroup, placed.id)
    order, trip = steps.orders_of(group)[0], steps.trips_of(steps.orders_of(group)[0])[0]
    assert (order.deposit, order.vat) == (5 * 350_01, rules.line_money(100_00, Decimal(45), Decimal(22)).vat)
    assert money_of(group) == (order.goods + order.delivery + 5 * 350_01,) * 3
    assert cash_due(trip) == group.total

    line = session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id)).one()
    proposals.propose(seller, order.number, [proposals.Wish(line.public_id, Decimal(40))])
    told = proposals.open_of([order.id])[order.id]
    was = order.total
    assert proposals.accept(buyer, order.number) == told.less == 5 * 100_00 + 350_01
    assert (order.deposit, order.total) == (4 * 350_01, was - told.less)
    fulfilments.start_picking(seller, trip.public_id)
    fulfilments.ready(seller, trip.public_id, {line.public_id: Decimal(30)})
    assert order.deposit == 3 * 350_01
    assert money_of(group) == (30 * 100_00 + order.delivery + 3 * 350_01,) * 3
    assert cash_due(trip) == group.total
    fulfilments.handed_over(trip.id)
    fulfilments.complete(trip.id, "partially_delivered", "", [{"line": "1", "delivered_base": "11"}], group.total)
    assert (order.deposit, ledger_of(order)["deposit"]) == (2 * 350_01, 2 * 350_01)
    assert ledger_of(order)["commission"] == -66_00  # six percent of the goods alone
    steps.check_everything_sums()


def test_pages_and_calls_from_the_offer_to_the_last_pallet(app: Flask, db_session: Any) -> None:
    market = make.market()
    seller, buyer = market.sellers[0], make.person()
    offer = make.offer(market, price=100_00)
    desk, home = make.signed_browser(app, seller), make.signed_browser(app, buyer)
    form = {"sku": offer.sku, "price": "100", "lead_time_days": "0", "active": "1"}
    half = desk.post(f"/seller/offers/{offer.public_id}", data=form | {"pallet_units": "10"})
    assert half.status_code == 422
    assert 'value="10"' in half.text
    whole = form | {"pallet_units": "10", "pallet_deposit": "350,50"}
    assert desk.post(f"/seller/offers/{offer.public_id}", data=whole).status_code == 303
    assert 'value="350,50"' in desk.get(f"/seller/offers/{offer.public_id}").text

    home.post("/cart/lines", data={"offer_id": str(offer.public_id), "quantity": "25"})
    assert "3 × 350,50" in plain(home.get("/cart").text)
    api = make.signed_api(app, buyer)
    quote = api.post("/checkout/quote", {"address": make.SITE, "payment_method": "invoice"}).json
    assert quote["totals"]["deposit"]["amount"] == quote["groups"][0]["deposit"]["amount"] == 3 * 350_50
    contact = {"name": "Покупатель", "phone": "+79161234567"}
    sent = {"quote": quote["id"], "contact": contact, "payment_method": "invoice"}
    made = api.post("/checkout", sent, headers={"Idempotency-Key": "deposit"}).json
    assert made["totals"]["total"] == quote["totals"]["total"]
    order = session.scalars(sa.select(Order)).one()
    number = made["number"]
    assert "3 × 350,50" in plain(home.get(f"/orders/{number}").text)
    bill = plain(" ".join(pages_of(home.get(f"/orders/{number}/invoice.pdf").data)))
    assert "Залог за возвратные поддоны" in bill
    assert "1 051,50" in bill
    assert "1 051,50" in plain(home.get(f"/orders/{number}/invoice").text)

    stories.handed_over(seller, order)
    line = session.scalars(sa.select(OrderLine)).one()
    url, field = f"/seller/orders/{order.number}/pallets", f"q-{line.public_id}"
    desk.post(url, data={field: "1"})
    assert not session.scalars(sa.select(Refund)).all()  # not paid yet
    stories.paid_by_bank(order.group_id)
    session.commit()
    assert desk.post(url, data={field: "4", "before": "0"}).status_code == 422
    assert desk.post(url, data={field: "2", "before": "0"}).status_code == 303
    desk.post(url, data={field: "1", "before": "0"})  # pressed twice: counted once
    assert session.scalars(sa.select(Refund.deposit)).all() == [2 * 350_50]
    shop = make.signed_api(app, seller)
    body = {"lines": [{"line": str(line.public_id), "pallets": 1}]}
    answer = shop.post(f"/orders/{order.number}/pallets", body, headers={"Idempotency-Key": "back"}).json
    assert [(one["out"], one["back"]) for one in answer["items"]] == [(3, 3)]
    with pytest.raises(Invalid):
        pallet_returns.came_back(seller, order.number, {line.public_id: Decimal(1)})
    sums = ledger_of(order)
    assert (sums["deposit"], sums["deposit_returned"]) == (3 * 350_50, -3 * 350_50)
    assert sums["commission"] == -150_00
    page = plain(desk.get(f"/seller/money/orders/{order.number}").text)
    assert "−1 051,50" in page
    assert "350,50" in plain(desk.get(f"/seller/orders/{order.number}").text)
    steps.check_everything_sums()


def test_the_last_pallet_counted_by_five_at_once_is_paid_for_once(committed_db: Flask) -> None:
    @unit_of_work
    def ready() -> tuple[Any, str, Any]:
        market = make.market()
        order = stories.sold(market, (make.offer(market, price=100_00, pallet=(10, 350_01)), 15))
        pallet_line = pallet_returns.of_order(order.id)[0]
        pallet_returns.came_back(market.sellers[0], order.number, {pallet_line.public_id: Decimal(1)})
        return market.sellers[0], order.number, pallet_line.public_id

    seller, number, line = ready()
    db.session.remove()
    told = all_at_once(
        committed_db, [lambda: pallet_returns.came_back(seller, number, {line: Decimal(1)}) for _each in range(5)], 5
    )
    assert [one for one in told if not isinstance(one, Invalid)] == [350_01]
    assert session.scalars(sa.select(sa.func.sum(Refund.deposit))).one() == 2 * 350_01
    steps.check_everything_sums()


def plain(text: str) -> str:
    """Without breaks that pages put into numbers."""
    return re.sub(r"[\u00a0\u202f ]+", " ", text)
