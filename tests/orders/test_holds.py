"""A checkout holds its goods for a while: others see less, a seller's count goes first, nothing stays held for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from app.core import clock
from app.core.db import session
from app.core.errors import Conflict
from app.core.permissions import ANONYMOUS, Actor
from app.offers import queries as offers
from app.offers import reservations, stock
from app.offers.levels import StockLine
from app.offers.models import Offer, Reservation, StockLevel
from app.orders import carts, checkout, queries, service
from tests.factories import orders as make
from tests.orders import steps

pytestmark = pytest.mark.usefixtures("db_session")
CAUSE = stock.Cause("seller_count", None, ANONYMOUS)


class Shelf:
    """Ten of something, and two who want it."""

    def __init__(self) -> None:
        self.market = make.market()
        self.offer: Offer = make.offer(self.market, stock=10)
        self.first, self.second = make.person(), make.person()

    def free(self) -> Decimal:
        return offers.offer_rows([self.offer.id])[self.offer.id].available

    def held(self) -> Decimal:
        return session.scalars(sa.select(StockLevel.reserved).where(StockLevel.offer_id == self.offer.id)).one()

    def place(self, who: Actor, quote: checkout.Quote) -> service.Placed:
        return service.place(who, quote.public_id, steps.CONTACT, "invoice")


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_what_is_held_is_not_there_for_others_but_for_its_buyer(shelf: Shelf) -> None:
    quote = steps.quoted(shelf.first, (shelf.offer, 7))
    assert quote.held_until == quote.expires_at
    assert shelf.free() == 3
    assert [line.problem for line in queries.cart_plan(shelf.first, "").lines] == [""]
    assert carts.add(shelf.second, "", shelf.offer.public_id, Decimal(11)).quantity == 10  # it may be free by then
    assert queries.cart_plan(shelf.second, "").is_contested
    steps.check_everything_sums()
    shelf.place(shelf.first, quote)
    assert (shelf.free(), shelf.held()) == (3, 0)
    steps.check_everything_sums()


def test_a_quote_is_given_for_what_others_hold_and_the_holder_wins(shelf: Shelf) -> None:
    carts.add(shelf.second, "", shelf.offer.public_id, Decimal(8))
    mine = steps.quoted(shelf.first, (shelf.offer, 7))
    theirs = checkout.make_quote(shelf.second, make.site(), None, "", "invoice")
    assert theirs.held_until is None
    with pytest.raises(Conflict) as refused:
        shelf.place(shelf.second, theirs)
    assert refused.value.code == "stock_changed"
    assert [(d["was"], d["now"]) for d in refused.value.context["differences"]] == [("8", "3")]
    shelf.place(shelf.first, mine)
    steps.check_everything_sums()


def test_asking_again_or_changing_the_cart_gives_back_what_was_held(shelf: Shelf) -> None:
    steps.quoted(shelf.first, (shelf.offer, 7))
    checkout.make_quote(shelf.first, make.site(), None, "", "invoice")
    assert shelf.held() == 7
    carts.add(shelf.first, "", shelf.offer.public_id, Decimal(1))
    assert shelf.held() == 0
    steps.check_everything_sums()


def test_a_hold_ends_by_its_timer_and_lives_longer_while_the_buyer_is_at_it(shelf: Shelf) -> None:
    start = datetime.now(UTC).replace(microsecond=0)
    with time_machine.travel(start, tick=False) as now:
        quote = steps.quoted(shelf.first, (shelf.offer, 7))
        now.shift(timedelta(minutes=10))
        longer = checkout.prolong(shelf.first, quote.public_id)
        assert longer.held_until == longer.expires_at == start + timedelta(minutes=25)
        now.shift(timedelta(minutes=10))
        checkout.let_go(longer.cart_id)
        assert shelf.held() == 7
        now.shift(timedelta(minutes=5))
        checkout.let_go(longer.cart_id)
        assert shelf.held() == 0
        with pytest.raises(Conflict):
            checkout.prolong(shelf.first, quote.public_id)


def test_nothing_is_held_longer_than_an_hour(shelf: Shelf) -> None:
    quote = steps.quoted(shelf.first, (shelf.offer, 1))
    made = session.scalar(sa.select(checkout.CheckoutQuote.created_at).where(
        checkout.CheckoutQuote.public_id == quote.public_id))  # fmt: skip
    assert made is not None
    with time_machine.travel(clock.now(), tick=False) as now:
        for _again in range(10):
            now.shift(timedelta(minutes=9))
            try:
                quote = checkout.prolong(shelf.first, quote.public_id)
            except Conflict:
                break
    assert quote.expires_at == made + checkout.LONGEST


def test_what_is_too_old_stands_in_nobodys_way_though_the_timer_is_late(shelf: Shelf) -> None:
    steps.quoted(shelf.first, (shelf.offer, 7))
    session.execute(sa.update(Reservation).values(expires_at=clock.now() - timedelta(seconds=1)))
    [place] = shelf.market.warehouses
    stock.take([StockLine(shelf.offer.id, place, Decimal(9))], stock.Cause("order", 1, ANONYMOUS))
    assert shelf.held() == 0


@pytest.mark.parametrize(("rival", "is_held"), [(0, True), (3, False)])
def test_what_is_too_old_gives_way_to_the_next_checkout_and_lists_show_it(
    shelf: Shelf, rival: int, is_held: bool
) -> None:
    steps.quoted(shelf.first, (shelf.offer, 4))
    if rival:
        steps.quoted(make.person(), (shelf.offer, rival))
    old = sa.update(Reservation).where(Reservation.quantity == 4)
    session.execute(old.values(expires_at=clock.now() - timedelta(minutes=1)))
    session.commit()
    quote = steps.quoted(shelf.second, (shelf.offer, 8))
    assert (quote.held_until is not None, shelf.held()) == (is_held, 8 if is_held else rival)
    steps.check_everything_sums()


def test_a_sellers_count_takes_the_youngest_holds_away_and_no_promise(shelf: Shelf) -> None:
    [place] = shelf.market.warehouses
    steps.bought(make.person(), (shelf.offer, 2))
    steps.quoted(shelf.first, (shelf.offer, 3))
    steps.quoted(shelf.second, (shelf.offer, 4))
    stock.count(shelf.offer.id, place, Decimal(6), CAUSE)
    assert shelf.held() == 3
    stock.change(StockLine(shelf.offer.id, place, Decimal(3)), "scrapped", -1, CAUSE)
    assert shelf.held() == 0
    steps.check_everything_sums()
    with pytest.raises(Conflict):
        stock.count(shelf.offer.id, place, Decimal(1), CAUSE)


def test_the_page_says_what_is_held_and_holds_it_longer_while_one_types(app: Any, shelf: Shelf) -> None:
    quote = steps.quoted(shelf.first, (shelf.offer, 7))
    session.commit()
    browser = make.signed_browser(app, shelf.first)
    page = browser.get(f"/checkout?quote={quote.public_id}").text
    assert "держим за вами" in page
    answer = browser.post(f"/checkout/quote/{quote.public_id}/prolong", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "держим за вами" in answer.text
    foreign = make.signed_browser(app, shelf.second)
    assert foreign.post(f"/checkout/quote/{quote.public_id}/prolong").status_code == 404
    assert session.scalar(sa.select(reservations.held_until(quote.cart_id)))
