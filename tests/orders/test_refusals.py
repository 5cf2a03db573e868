"""What ordering refuses: a guard that falls away lets one of these through."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import current_app

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound
from app.offers.models import Offer, Warehouse
from app.orders import (
    approvals,
    carts,
    case_queries,
    checkout,
    choice_views,
    evidence,
    fulfilments,
    money_queries,
    moving,
    promotions,
    queries,
    quick,
    quote_queries,
    quotes,
    refunds,
    rules,
    seller_figures,
    seller_queries,
    service,
)
from app.orders.approvals import Asked
from app.orders.choices import MOST_PARTS, Choice, Part
from app.orders.models import Cart, Fulfilment, Order, OrderGroup
from app.orders.promotions import PromotionData
from app.orders.quotes import Ask, Price
from app.orders.return_models import Claim, ReturnRequest
from app.orders.service import Placed
from tests.factories import orders as make
from tests.factories.images import from_a_phone, quarters
from tests.orders import steps
from tests.orders.test_company import company, firm_of, pressed, seated
from tests.orders.test_pickup_and_parts import chosen, counter
from tests.orders.test_promotions import promoted
from tests.orders.test_quotes import HOW, lines_of, requested, terms, wish

pytestmark = pytest.mark.usefixtures("db_session")


def code_of(error: pytest.ExceptionInfo[Any]) -> str:
    """The code of a refusal; of wrong fields that of the first."""
    found = error.value
    return found.errors[0].code if isinstance(found, Invalid) else found.code


def placed(buyer: Any, quote: checkout.Quote) -> tuple[OrderGroup, Order, Fulfilment]:
    group = session.get_one(OrderGroup, service.place(buyer, quote.public_id, steps.CONTACT, "invoice").id)
    order = steps.orders_of(group)[0]
    return group, order, steps.trips_of(order)[0]


def test_choices_that_name_what_is_not_there() -> None:
    market, who = make.market(), make.person()
    quote = steps.quoted(who, (make.offer(market), 4))
    far = clock.today() + timedelta(days=400)
    wrong = {
        "another carrier": Choice(option=steps.any_id()),
        "a day far away": Choice(day=far),
        "yesterday": Choice(day=clock.today() - timedelta(days=1)),
    }
    for words, choice in wrong.items():
        with pytest.raises(Invalid):
            pytest.fail(f"{words} was taken: {chosen(who, quote, choice)}")
    with pytest.raises(Invalid) as stranger:
        checkout.make_quote(who, make.site(), None, "", "invoice", {steps.any_id(): Choice()})
    assert code_of(stranger) == "unknown_option"


def test_the_counter_gives_everything_at_once_on_its_days() -> None:
    market, who = make.market(), make.person()
    quote = steps.quoted(who, (make.offer(market), 4))
    counter(market)
    session.commit()
    line = choice_views.groups(quote)[0].trip.pieces[0].line.public_id
    for choice, code in (
        (Choice("pickup", parts=(Part({line: Decimal(2)}), Part({line: Decimal(2)}))), "pickup_in_one_go"),
        (Choice("pickup", receiver="и" * 121), "too_long"),
        (Choice("pickup", day=clock.today() + timedelta(days=400)), "unknown_option"),
    ):
        with pytest.raises(Invalid) as refused:
            chosen(who, quote, choice)
        assert code_of(refused) == code


def test_deliveries_in_parts_are_two_to_six_of_known_lines() -> None:
    market, who = make.market(), make.person()
    quote = steps.quoted(who, (make.offer(market), 40))
    line = choice_views.groups(quote)[0].trip.pieces[0].line.public_id
    many = tuple(Part({line: Decimal(40) / 8}) for _ in range(8))
    assert len(many) > MOST_PARTS
    for parts, code in (
        ((Part({line: Decimal(40)}),), "out_of_range"),
        (many, "out_of_range"),
        ((Part({line: Decimal(20)}), Part({line: Decimal(20), steps.any_id(): Decimal(1)})), "unknown_order_line"),
    ):
        with pytest.raises(Invalid) as refused:
            chosen(who, quote, Choice(parts=parts))
        assert code_of(refused) == code


def test_moving_a_delivery() -> None:
    market, who = make.market(), make.person()
    _group, order, trip = placed(who, steps.quoted(who, (make.offer(market), 4)))
    day = trip.day + timedelta(days=2)
    with pytest.raises(Invalid) as away:
        moving.move(who, trip.public_id, clock.today() + timedelta(days=400), "9-14")
    assert code_of(away) == "unknown_option"
    with pytest.raises(NotFound):
        moving.move(make.person(), trip.public_id, day, "9-14")
    with pytest.raises(NotFound):  # nothing of it is fetched
        moving.new_code(who, trip.public_id)
    service.accept(market.sellers[0], order.number)
    fulfilments.start_picking(market.sellers[0], trip.public_id)
    with pytest.raises(Conflict) as late:
        moving.move(who, trip.public_id, day, "9-14")
    assert code_of(late) == "too_late_to_move"


def test_moving_what_is_fetched_or_called_off() -> None:
    market, who = make.market(), make.person()
    quote = steps.quoted(who, (make.offer(market), 4))
    counter(market)
    session.commit()
    _group, order, trip = placed(who, chosen(who, quote, Choice("pickup")))
    with pytest.raises(Invalid) as away:
        moving.move(who, trip.public_id, clock.today() + timedelta(days=400))
    assert code_of(away) == "unknown_option"
    service.cancel(who, order.number, "не нужно")
    with pytest.raises(Conflict) as over:
        moving.move(who, trip.public_id, trip.day + timedelta(days=1))
    assert code_of(over) == "order_state"
    with pytest.raises(Conflict):
        moving.new_code(who, trip.public_id)


def test_the_counter_hands_over_once_to_whoever_has_the_code() -> None:
    market, who = make.market(sellers=2), make.person()
    quote = steps.quoted(who, (make.offer(market), 4))
    counter(market)
    session.commit()
    _group, order, trip = placed(who, chosen(who, quote, Choice("pickup")))
    seller = market.sellers[0]
    service.accept(seller, order.number)
    fulfilments.start_picking(seller, trip.public_id)
    fulfilments.ready(seller, trip.public_id)
    code = steps.trips_of(order)[0].pickup_code
    with pytest.raises(Invalid) as empty:
        fulfilments.collect(seller, trip.public_id, "  ")
    assert code_of(empty) == "pickup_code_needed"
    with pytest.raises(NotFound):
        fulfilments.collect(market.sellers[1], trip.public_id, code)
    fulfilments.collect(seller, trip.public_id, code)
    with time_machine.travel(trip.window_to + timedelta(days=1), tick=False), pytest.raises(Conflict) as taken:
        fulfilments.not_collected(seller, trip.public_id)
    assert code_of(taken) == "fulfilment_state"
    with pytest.raises(Conflict):
        moving.new_code(who, trip.public_id)


def test_what_a_carrier_brings_is_not_fetched() -> None:
    market, who = make.market(), make.person()
    _group, order, trip = placed(who, steps.quoted(who, (make.offer(market), 4)))
    service.accept(market.sellers[0], order.number)
    with pytest.raises(Conflict) as carried:
        fulfilments.collect(market.sellers[0], trip.public_id, "123456")
    assert code_of(carried) == "not_a_pickup"


def test_a_full_cart_and_quantities_that_are_none() -> None:
    market, who = make.market(), make.person()
    offer, other = make.offer(market), make.offer(market)
    for quantity in (Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("1e9")):
        with pytest.raises(Invalid):
            carts.add(who, "", offer.public_id, quantity)
    line = carts.add(who, "", offer.public_id, Decimal(1)).line
    assert line is not None
    for quantity in (Decimal(-1), Decimal("NaN"), Decimal("1e9")):
        with pytest.raises(Invalid):
            carts.change(who, "", line, quantity)
        with pytest.raises(Invalid):
            carts.add_many(who, "", [(other.id, quantity)])
    with pytest.raises(NotFound):
        carts.add_many(who, "", [(10**12, Decimal(1))])
    with pytest.raises(Invalid) as part:
        carts.add(who, "", offer.public_id, Decimal("1.5"))
    assert code_of(part) == "quantity_step"
    with pytest.raises(Invalid) as partly:
        carts.change(who, "", line, Decimal("1.5"))
    assert code_of(partly) == "quantity_step"
    session.commit()
    most, rules.MOST_LINES = rules.MOST_LINES, 1
    try:
        with pytest.raises(Invalid) as full:
            carts.add(who, "", other.public_id, Decimal(1))
        assert code_of(full) == "cart_full"
    finally:
        rules.MOST_LINES = most


def test_quotes_belong_to_whoever_asked_and_hold_what_they_say() -> None:
    market, who = make.market(), make.person()
    offer = make.offer(market, stock=5)
    quote = steps.quoted(who, (offer, 5))
    with pytest.raises(NotFound):
        checkout.prolong(make.person(), quote.public_id)
    with pytest.raises(Invalid):
        checkout.make_quote(who, make.site(), clock.today() + timedelta(days=400), "", "invoice")
    with pytest.raises(Invalid):
        checkout.make_quote(who, make.site(), None, "", "barter")
    place = session.scalars(sa.select(Warehouse)).first()
    assert place is not None
    place.is_active = False
    session.commit()
    with pytest.raises(Conflict) as gone:
        checkout.make_quote(who, make.site(), None, "", "invoice")
    assert code_of(gone) == "stock_changed"


def test_approvals_too_late_too_long_and_not_yet_answered() -> None:
    owner, member = company(per_order=1)
    market = make.market()
    asked = pressed(member, steps.quoted(member, (make.offer(market), 4)))
    assert isinstance(asked, Asked)
    found = approvals.request(owner, asked.public_id)
    with pytest.raises(Conflict) as waits:
        approvals.to_cart(member, asked.public_id)
    assert code_of(waits) == "approval_state"
    with pytest.raises(Invalid) as long:
        approvals.decline(owner, asked.public_id, "и" * (approvals.REASON_LENGTH + 1))
    assert code_of(long) == "too_long"
    too_late = found.row.expires_at + timedelta(seconds=1)
    with time_machine.travel(too_late, tick=False), pytest.raises(Conflict) as late:
        approvals.approve(owner, asked.public_id, found.terms)
    assert code_of(late) == "approval_state"
    assert firm_of(member) == firm_of(owner)
    assert session.scalars(sa.select(Cart.status).where(Cart.user_id == member.user)).all() == ["waiting"]


def test_a_quick_order_that_is_too_much_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("", " \n ; \n", "Артикул;Количество"):
        with pytest.raises(Invalid) as nothing:
            quick.of_text(text)
        assert code_of(nothing) == "required"
    for content in (b"", b"  \n "):
        with pytest.raises(Invalid) as empty:
            quick.of_file(content)
        assert code_of(empty) == "file_empty"
    with pytest.raises(Invalid) as long:
        quick.of_text("A-1 1\n" * (quick.MOST_LINES + 1))
    assert code_of(long) == "too_many_lines"
    monkeypatch.setattr(quick, "MOST_BYTES", 10)
    with pytest.raises(Invalid) as heavy:
        quick.of_text("A-100000000 1")
    assert code_of(heavy) == "file_too_large"
    with pytest.raises(Invalid) as large:
        quick.of_file(b"A-100000000 1")
    assert code_of(large) == "file_too_large"


def test_prices_asked_for_what_cannot_be() -> None:
    market, buyer = make.market(), make.person()
    bags, boards = make.offer(market), make.offer(market)
    session.commit()
    seller = market.sellers[0]
    far = clock.today() + timedelta(days=500)
    for ask, code in (
        (Ask([], [seller.seller_id], make.site()), "required"),
        (Ask([wish(bags, 1)], [], make.site()), "required"),
        (Ask([wish(bags, 1), wish(bags, 2)], [seller.seller_id], make.site()), "line_twice"),
        (Ask([wish(bags, 1)], [seller.seller_id], make.site(), wanted_on=far), "day_out_of_range"),
        (Ask([wish(bags, 1)], [seller.seller_id], make.site(), comment="и" * 5000), "too_long"),
    ):
        with pytest.raises(Invalid) as refused:
            quotes.ask(buyer, ask)
        assert code_of(refused) == code
    [row] = requested(buyer, market, wish(bags, 10), wish(boards, 4))
    session.commit()
    first, second = (line.public_id for line in lines_of(row))
    quotes.offer(seller, row.public_id, terms(row, Price(40_000), Price(None)))
    for wished, code in (
        ({}, "required"),
        ({steps.any_id(): 100}, "unknown_order_line"),
        ({second: 100}, "unknown_order_line"),  # it was not offered
        ({first: 0}, "price_range"),
    ):
        with pytest.raises(Invalid) as wrong:
            quotes.counter(buyer, row.public_id, wished)
        assert code_of(wrong) == code
    with pytest.raises(Invalid) as talk:
        quotes.counter(buyer, row.public_id, {first: 39_000}, "и" * 5000)
    assert code_of(talk) == "too_long"
    with pytest.raises(NotFound):
        quotes.counter(make.person(), row.public_id, {first: 39_000})
    lines_of(row)[0].unit = "roll"  # it was asked for by another unit than it is sold by now
    session.commit()
    with pytest.raises(Conflict) as other_unit:
        quotes.accept(buyer, row.public_id, HOW)
    assert code_of(other_unit) == "quote_over"


def test_promotions_that_are_over_and_codes_without_goods() -> None:
    operator = make.person()
    public_id = promoted(operator)
    promotions.stop(operator, public_id)
    session.commit()
    with pytest.raises(Conflict) as over:
        promotions.edit(operator, public_id, PromotionData("Осень", "Autumn", percent=Decimal(5)))
    assert code_of(over) == "promotion_stopped"
    with pytest.raises(Conflict) as empty:
        promotions.use_code(make.person(), "", "ОСЕНЬ")
    assert code_of(empty) == "cart_empty"


def test_counters_and_lists_are_of_one_seller_and_one_buyer() -> None:
    market, who, other = make.market(sellers=2), make.person(), make.person()
    one, two = (seller.seller_id for seller in market.sellers)
    group = steps.bought(who, (make.offer(market), 2))
    order = steps.orders_of(group)[0]
    session.add(ReturnRequest(order_id=order.id, user_id=who.user, reason="leftover"))
    line = refunds.lines_of(order.id)[0]
    session.add(
        Claim(
            order_id=order.id, order_line_id=line.id, user_id=who.user, kind="short", quantity=1, wish="other", note="-"
        )
    )  # fmt: skip
    session.commit()
    assert case_queries.waiting_for_seller(one) == case_queries.Waiting(1, 1)
    assert case_queries.waiting_for_seller(two) == case_queries.Waiting(0, 0)
    assert seller_figures.to_do(one) == seller_figures.ToDo(1, 0, 0, 1)
    assert seller_figures.to_do(two) == seller_figures.ToDo(0, 0, 0, 0)
    assert (seller_queries.count_new(one), seller_queries.count_new(two)) == (1, 0)
    mine, theirs = seller_queries.inbox(one), seller_queries.inbox(two)
    assert (mine.counts["new"], len(mine.rows)) == (1, 1)
    assert (theirs.counts["new"], len(theirs.rows)) == (0, 0)
    assert [row.row.number for row in queries.groups_of(who.user)] == [group.number]
    assert queries.groups_of(other.user) == []
    assert money_queries.order_id_of_buyer(who.user, order.number) == order.id
    with pytest.raises(NotFound):
        money_queries.order_id_of_buyer(other.user, order.number)
    with pytest.raises(NotFound):
        money_queries.order_money(two, order.number)
    assert quote_queries.of_seller(two) == []
    [asked] = requested(who, make.Market(market.carrier_id, market.category_id, market.sellers[:1], market.warehouses),
                        wish(session.get_one(Offer, line.offer_id), 1))  # fmt: skip
    assert [view.row.public_id for view in quote_queries.of_seller(one)] == [asked.public_id]
    assert quote_queries.of_seller(two) == []
    with pytest.raises(NotFound):
        quote_queries.sellers_view(two, asked.public_id)
    with pytest.raises(NotFound):
        quote_queries.buyers_view(other, asked.public_id)


def test_what_one_member_spends_is_not_on_anothers_limit() -> None:
    owner, first = company(per_month=2_000_000)
    second = seated(owner, "member", None, 2_000_000)
    market = make.market()
    offer = make.offer(market, price=150_000)
    assert isinstance(pressed(first, steps.quoted(first, (offer, 12))), Placed)  # 18,000 of the goods alone
    assert isinstance(pressed(second, steps.quoted(second, (offer, 12))), Placed)
    assert isinstance(pressed(first, steps.quoted(first, (offer, 12))), Asked)


def test_a_trip_is_found_by_its_own_seller_and_loose_pictures_are_counted_for_each_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market, who = make.market(sellers=2), make.person()
    _group, order, trip = placed(who, steps.quoted(who, (make.offer(market), 1)))
    one, two = (seller.seller_id for seller in market.sellers)
    assert seller_queries.order_of_trip(one, trip.public_id) == order.number
    with pytest.raises(NotFound):
        seller_queries.order_of_trip(two, trip.public_id)
    monkeypatch.setattr(evidence, "MOST_LOOSE", 1)
    storage = current_app.extensions["storage"]
    picture = evidence.Upload("a.jpg", from_a_phone(quarters()))
    evidence.receive(who, storage, picture)
    with pytest.raises(Conflict) as many:
        evidence.receive(who, storage, picture)
    assert code_of(many) == "too_many_pictures"
    evidence.receive(make.person(), storage, picture)
