"""Prices asked of sellers: rounds, comparison, and the order at exactly the offered price."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.accounts.models import OrganisationMember
from app.core import clock
from app.core.db import db, session, unit_of_work
from app.core.errors import Conflict, DomainError, Invalid, NotFound
from app.core.permissions import Actor
from app.offers import listing
from app.offers.models import Offer, StockLevel
from app.orders import quote_queries, quotes
from app.orders.company_models import PriceRequest, PriceRequestLine, PriceRequestRound
from app.orders.models import OrderGroup, OrderLine
from app.orders.quotes import Acceptance, Ask, Price, Terms, Wish
from app.orders.service import Placed
from tests.factories import orders as make
from tests.orders import steps
from tests.orders.test_company import company, firm_of
from tests.orders.test_races import all_at_once

HOW = Acceptance(steps.CONTACT, "invoice")


def wish(offer: Offer, base: int) -> Wish:
    return Wish(offer.product_id, Fraction(base))


def requested(buyer: Actor, market: make.Market, *wishes: Wish, organisation: Any = None) -> list[PriceRequest]:
    """One request for each seller of the market, in their order."""
    sellers = [actor.seller_id for actor in market.sellers]
    batch = quotes.ask(buyer, Ask(wishes, sellers, make.site(), organisation=organisation))
    statement = sa.select(PriceRequest).where(PriceRequest.batch_id == batch).order_by(PriceRequest.seller_id)
    return list(session.scalars(statement))


def lines_of(row: PriceRequest) -> list[PriceRequestLine]:
    return list(
        session.scalars(
            sa.select(PriceRequestLine).where(PriceRequestLine.request_id == row.id).order_by(PriceRequestLine.position)
        )
    )


def terms(row: PriceRequest, *prices: Price, included: bool = False, days: int = 3) -> Terms:
    named = {line.public_id: price for line, price in zip(lines_of(row), prices, strict=True)}
    return Terms(named, included, clock.now() + timedelta(days=days))


def same_product(market: make.Market, first: Offer, seller: int, price: int) -> Offer:
    """The product of an offer, sold by another seller too."""
    made = make.offer(market, seller, price=price)
    made.product_id = first.product_id
    session.flush()
    return made


@pytest.mark.usefixtures("db_session")
def test_a_haggle_ends_in_one_order_at_exactly_the_offered_prices(count_queries: Any) -> None:
    market = make.market(sellers=2)
    bags, boards = make.offer(market, price=50_000), make.offer(market, price=90_000)
    same_product(market, bags, 1, 52_000)
    products = (bags.product_id, boards.product_id)
    buyer = make.person()
    cheap, dear = requested(buyer, market, wish(bags, 10), wish(boards, 4))
    assert (len(lines_of(cheap)), len(lines_of(dear))) == (2, 1)
    one, two = market.sellers
    with pytest.raises(NotFound):  # every seller sees only what he was asked
        quotes.offer(two, cheap.public_id, terms(cheap, Price(1), Price(1)))
    with pytest.raises(Invalid) as wrong:
        quotes.offer(one, cheap.public_id, terms(cheap, Price(0), Price(40_000, Decimal(5)), days=90))
    assert {e.code for e in wrong.value.errors} == {"price_range", "counted_range", "offer_end_range"}
    quotes.offer(one, cheap.public_id, terms(cheap, Price(45_000), Price(80_000, Decimal(3))))
    with pytest.raises(Conflict, match="quote_state"):  # it binds him
        quotes.offer(one, cheap.public_id, terms(cheap, Price(49_000), Price(None)))
    quotes.counter(buyer, cheap.public_id, {lines_of(cheap)[0].public_id: 40_000}, "и заберём сегодня")
    with pytest.raises(Invalid) as wrong:
        quotes.offer(one, cheap.public_id, terms(cheap, Price(46_000), Price(None)))
    assert [e.code for e in wrong.value.errors] == ["price_raised"]
    quotes.offer(one, cheap.public_id, terms(cheap, Price(42_000), Price(80_000, Decimal(3)), included=True))
    quotes.offer(two, dear.public_id, terms(dear, Price(51_000)))
    with count_queries() as seen:
        views = quote_queries.batch(buyer, cheap.batch_id)
    assert len(seen) <= 5 + 4 * len(views), "\n".join(seen)
    sums = {view.row.seller_id: view.sums for view in views}
    mine = sums[one.seller_id]
    assert mine is not None
    assert (mine.goods, mine.delivery, mine.lacking) == (660_000, 0, 1)
    assert quote_queries.best_prices(views) == dict(zip(products, (42_000, 80_000), strict=True))
    session.execute(sa.update(Offer).values(price=199_000))  # the market goes up; the promise stays
    session.commit()
    placed = quotes.accept(buyer, cheap.public_id, HOW)
    assert quotes.accept(buyer, cheap.public_id, HOW) == replace(placed, replayed=True)
    group = session.get_one(OrderGroup, placed.id)
    assert (group.goods, group.delivery, group.total) == (660_000, 0, 660_000)
    rule = f"quote:{cheap.public_id}"
    sold = session.execute(sa.select(OrderLine.price, OrderLine.quantity, OrderLine.price_rule).order_by(OrderLine.id))
    assert [tuple(row) for row in sold] == [(42_000, 10, rule), (80_000, 3, rule)]
    kinds = session.scalars(
        sa.select(PriceRequestRound.kind)
        .where(PriceRequestRound.request_id == cheap.id)
        .order_by(PriceRequestRound.number)
    )
    assert list(kinds) == ["requested", "offered", "countered", "offered", "accepted"]
    quotes.decline(buyer, dear.public_id)
    listing.rebuild()  # prices and products were changed behind its back
    steps.check_everything_sums()


@pytest.mark.usefixtures("db_session")
def test_what_is_over_is_over_and_a_list_goes_only_to_those_who_sell_it() -> None:
    market = make.market(sellers=2)
    offer = make.offer(market, stock=5)
    buyer = make.person()
    session.commit()
    with pytest.raises(Invalid) as wrong:
        requested(buyer, market, wish(offer, 1))
    assert [e.code for e in wrong.value.errors] == ["seller_offers_none"]
    market.sellers.pop()
    late, gone = (requested(buyer, market, wish(offer, 5))[0] for _each in range(2))
    seller = market.sellers[0]
    with pytest.raises(NotFound):
        quotes.withdraw(make.person(), late.public_id)
    quotes.offer(seller, late.public_id, terms(late, Price(40_000)))
    quotes.offer(seller, gone.public_id, terms(gone, Price(40_000)))
    quotes.expire(late.id)
    assert late.status == "offered"
    late.valid_until = clock.now()
    session.commit()
    with pytest.raises(Conflict, match="quote_over"):
        quotes.accept(buyer, late.public_id, HOW)
    quotes.expire(late.id)
    assert session.get_one(PriceRequest, late.id, populate_existing=True).status == "expired"
    steps.bought(buyer, (offer, 3))
    with pytest.raises(Conflict, match="stock_changed"):
        quotes.accept(buyer, gone.public_id, HOW)


@unit_of_work
def _offered(orders: int, limit: int | None = None) -> tuple[make.Market, Actor, list[PriceRequest]]:
    market = make.market()
    goods = [make.offer(market, price=100_000, stock=9) for _each in range(orders)]  # no stock row in common to wait at
    _owner, buyer = company()
    session.execute(
        sa.update(OrganisationMember).where(OrganisationMember.user_id == buyer.user).values(monthly_limit=limit)
    )
    rows = [requested(buyer, market, wish(offer, 1), organisation=firm_of(buyer))[0] for offer in goods]
    for row in rows:
        quotes.offer(market.sellers[0], row.public_id, terms(row, Price(90_000), included=True))
    return market, buyer, rows


def test_an_acceptance_against_a_counter_offer_and_twice_has_one_winner(committed_db: Flask) -> None:
    _market, buyer, rows = _offered(3)
    named = [(row.public_id, lines_of(row)[0].public_id) for row in rows]
    db.session.remove()
    key = named[0][0]
    twice = all_at_once(committed_db, [lambda: quotes.accept(buyer, key, HOW)] * 4, 4)
    assert len({p.number for p in twice}) == 1
    for other, line in named[1:]:
        works = [
            lambda other=other: quotes.accept(buyer, other, HOW),  # type: ignore[misc]
            lambda other=other, line=line: quotes.counter(buyer, other, {line: 80_000}),  # type: ignore[misc]
        ]
        assert sum(isinstance(o, Conflict) for o in all_at_once(committed_db, works, 2)) == 1
    accepted = session.scalars(sa.select(PriceRequest.status).where(PriceRequest.status == "accepted")).all()
    assert session.scalar(sa.select(sa.func.count()).select_from(OrderGroup)) == len(accepted)
    assert session.scalar(sa.select(sa.func.sum(StockLevel.allocated))) == len(accepted)
    steps.check_everything_sums()


def test_a_months_limit_holds_against_acceptances_at_the_same_moment(committed_db: Flask) -> None:
    _market, buyer, rows = _offered(4, limit=200_000)
    keys = [row.public_id for row in rows]
    db.session.remove()
    works = [lambda key=key: quotes.accept(buyer, key, HOW) for key in keys]  # type: ignore[misc]
    outcomes = all_at_once(committed_db, works, 4)
    assert sum(isinstance(o, Placed) for o in outcomes) == 2
    assert {o.code for o in outcomes if isinstance(o, DomainError)} == {"above_limit"}
    steps.check_everything_sums()
