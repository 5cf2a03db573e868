"""Many offers at once: what is looked at is what is written, once, whole, and only to the own ones."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.models import ProductListing
from app.core.db import session
from app.core.errors import Invalid, NotFound
from app.core.models import AuditEntry, Job, OutboxEvent
from app.offers import bulk, desk
from app.offers.bulk import Change
from app.offers.models import Offer, OfferStep, PriceChange
from app.offers.table import TableFilter
from app.registry import wire
from tests.factories import catalog as make
from workers.worker import run_in_context

percents = st.decimals(-95, 1000, places=2, allow_nan=False)


@given(st.integers(1, 10**9), percents, st.sampled_from(bulk.ROUNDINGS))
def test_a_percentage_is_exact_but_for_one_rounding(price: int, percent: Decimal, rounding: int) -> None:
    found = bulk.new_price(price, Change("percent", percent, rounding))
    exact = Fraction(price) * (100 + Fraction(percent)) / 100
    assert found % rounding == 0
    assert abs(found - exact) <= Fraction(rounding, 2)


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=6), percents)
def test_what_was_dearer_never_becomes_cheaper(prices: list[int], percent: Decimal) -> None:
    change = Change("percent", percent, 100)
    found = [bulk.new_price(price, change) for price in sorted(prices)]
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (Change("percent", Decimal("-96")), "out_of_range"),
        (Change("percent", Decimal("1001")), "out_of_range"),
        (Change("percent", Decimal(0)), "nothing_to_change"),
        (Change("add", Decimal("0.5")), "not_a_number"),
        (Change("price", Decimal(0)), "too_small"),
        (Change("lead_time", Decimal(366)), "out_of_range"),
        (Change("add", Decimal(1), 7), "unknown_option"),
    ],
)
def test_a_change_that_cannot_be_meant_is_refused(change: Change, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        bulk.check(change)
    assert refused.value.errors[0].code == code


@pytest.fixture
def shop(db_session: Any) -> Any:
    wire()
    market = make.market(sellers=2)
    place = make.category()
    cheap = make.offer(market, make.product(place), sku="A", price=10_000)
    dear = make.offer(market, make.product(place), sku="B", price=20_050)
    session.add(OfferStep(offer_id=dear.id, from_quantity=Decimal(10), price=18_000))
    blocked = make.offer(market, make.product(place), sku="C", price=10_000, status="blocked")
    foreign = make.offer(market, make.product(place), 1, sku="A", price=10_000)
    make.ready()
    session.commit()
    return market, cheap, dear, blocked, foreign


def prices(*offers: Offer) -> list[int]:
    session.expire_all()
    return [session.get_one(Offer, offer.id).price for offer in offers]


def test_what_was_looked_at_is_what_is_written(shop: Any) -> None:
    market, cheap, dear, blocked, foreign = shop
    seller = market.sellers[0]
    change = Change("percent", Decimal(10), 100)
    looked = bulk.preview(seller.seller_id, TableFilter(), change)
    assert (looked.total, looked.changed, looked.refused, looked.jumps) == (3, 2, {"blocked": 1}, 0)
    assert prices(cheap, dear) == [10_000, 20_050]
    written = bulk.apply(seller.seller_id, seller.user, TableFilter(), change)
    assert written == {"changed": 2, "refused": {"blocked": 1}}
    assert prices(cheap, dear, blocked, foreign) == [11_000, 22_100, 10_000, 10_000]
    assert {one.offer.sku: one.price for one in looked.examples} == {"A": 11_000, "B": 22_100}
    assert [step.price for step in desk.offer(seller.seller_id, dear.public_id).ladder] == [19_800]
    changes = session.execute(sa.select(PriceChange.old_price, PriceChange.new_price).order_by(PriceChange.id)).all()
    assert [tuple(row) for row in changes] == [(10_000, 11_000), (20_050, 22_100)]
    assert session.get_one(ProductListing, cheap.product_id).price_from == 11_000
    assert session.scalar(sa.select(sa.func.count()).where(OutboxEvent.name == "PriceChanged")) == 2
    assert session.scalar(sa.select(AuditEntry.after).where(AuditEntry.action == "offers.changed"))["changed"] == 2


def test_large_jumps_are_counted_and_shown_first(shop: Any) -> None:
    market, *_ = shop
    looked = bulk.preview(market.sellers[0].seller_id, TableFilter(), Change("price", Decimal(19_000)))
    assert (looked.jumps, looked.examples[0].offer.sku, looked.examples[0].jumps) == (1, "A", True)


def test_a_price_below_its_own_ladder_stays(shop: Any) -> None:
    market, cheap, dear, *_ = shop
    seller = market.sellers[0]
    written = bulk.apply(seller.seller_id, seller.user, TableFilter(), Change("price", Decimal(18_000)))
    assert written["refused"] == {"blocked": 1, "ladder_order": 1}
    assert prices(cheap, dear) == [18_000, 20_050]


def test_only_the_chosen_are_hidden_and_other_sellers_rows_cannot_be_chosen(shop: Any) -> None:
    market, cheap, dear, _blocked, foreign = shop
    seller = market.sellers[0]
    chosen = TableFilter(ids=(cheap.public_id, foreign.public_id))
    assert bulk.apply(seller.seller_id, seller.user, chosen, Change("hide")) == {"changed": 1, "refused": {}}
    session.expire_all()
    assert [session.get_one(Offer, o.id).status for o in (cheap, dear, foreign)] == ["hidden", "active", "active"]
    assert bulk.apply(seller.seller_id, seller.user, chosen, Change("hide")) == {"changed": 0, "refused": {"same": 1}}


def test_a_worker_does_it_once_however_often_it_is_told(app: Any, shop: Any) -> None:
    market, cheap, *_ = shop
    seller = market.sellers[0]
    key = bulk.request(seller, TableFilter(price_max=10_000, view="active"), Change("percent", Decimal(50)))
    job_id = session.scalar(sa.select(Job.id).where(Job.public_id == key))
    for _ in range(2):
        run_in_context(job_id, app)
    assert prices(cheap) == [15_000]
    view = bulk.job(seller.seller_id, key)
    assert (view.state, view.result) == ("done", {"changed": 1, "refused": {}})
    with pytest.raises(NotFound):
        bulk.job(market.sellers[1].seller_id, key)
