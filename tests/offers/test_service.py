"""A seller's commands: what is refused, what is written with them, and nobody else's things."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts.models import Organisation
from app.catalog.models import ProductListing
from app.core.db import session
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.core.models import AuditEntry, OutboxEvent
from app.offers import counts, desk, listing, queries, selling, service, stock, table
from app.offers.counts import StatedStock
from app.offers.levels import StockLine
from app.offers.models import Offer, PriceChange, Seller, Warehouse
from app.offers.rules import Step
from app.offers.stock import Cause
from tests.factories import catalog as make
from tests.factories.orders import member

pytestmark = pytest.mark.usefixtures("db_session")
PLACE = {"name": "Север", "address": "Складская ул., 1", "lat": 55.8, "lon": 37.7}


def a_product(**fields: Any) -> Any:
    thing = make.product(make.category(), **fields)
    session.commit()
    return thing


def codes(refused: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {error.pointer: error.code for error in refused.value.errors}


def shown(product_id: int) -> tuple[int, int, Decimal] | None:
    row = session.execute(
        sa.select(ProductListing.price_from, ProductListing.offers_count, ProductListing.available).where(
            ProductListing.product_id == product_id
        )
    ).one_or_none()
    return tuple(row) if row else None


def test_an_offer_is_on_the_list_at_once_with_its_price_noted() -> None:
    market = make.market()
    seller, thing = market.sellers[0], a_product()
    new = service.NewOffer(thing.public_id, "GL-25", "bag", 54_500, (Step(Decimal(10), 52_000),))
    made = service.add_offer(seller, new)
    assert shown(thing.id) == (54_500, 1, 0)
    offer = desk.offer(seller.seller_id, made)
    assert (offer.sku, offer.ladder) == ("GL-25", (Step(Decimal(10), 52_000),))
    changes = session.execute(sa.select(PriceChange.old_price, PriceChange.new_price)).all()
    assert [tuple(c) for c in changes] == [(None, 54_500)]


def test_everything_wrong_with_an_offer_is_said_at_once() -> None:
    market = make.market()
    seller, thing = market.sellers[0], a_product()
    service.add_offer(seller, service.NewOffer(thing.public_id, "GL-25", "bag", 54_500))
    wrong = service.NewOffer(thing.public_id, "GL-25", "pallet", 0, (Step(Decimal(10), 5),), "x", 400)
    with pytest.raises(Invalid) as refused:
        service.add_offer(seller, wrong)
    assert codes(refused) == {
        "/sku": "sku_taken", "/unit": "unit_not_of_product", "/price": "too_small", "/ladder": "ladder_order",
        "/vat": "unknown_option", "/lead_time_days": "too_large",
    }  # fmt: skip
    with pytest.raises(Invalid) as refused:
        service.add_offer(seller, service.NewOffer(uuid.uuid4(), "A", "bag", 1))
    assert codes(refused) == {"/product": "unknown_product"}


def test_a_new_price_leaves_a_trace_and_an_event_the_same_price_none() -> None:
    market = make.market()
    seller = market.sellers[0]
    offer = make.offer(market, a_product(), price=50_000)
    session.commit()
    assert service.edit_offer(seller, offer.public_id, {"price": 48_000}, version=1) == 2
    assert service.edit_offer(seller, offer.public_id, {"price": 48_000}) == 3
    changes = session.execute(sa.select(PriceChange.old_price, PriceChange.new_price)).all()
    assert [tuple(c) for c in changes] == [(50_000, 48_000)]
    assert session.scalars(sa.select(OutboxEvent.name)).all() == ["PriceChanged"]
    assert shown(offer.product_id) == (48_000, 1, 100)
    assert session.scalars(sa.select(AuditEntry.action)).all() == ["offer.edited", "offer.edited"]


def test_a_stale_version_is_refused_with_the_present_price() -> None:
    market = make.market()
    offer = make.offer(market, a_product(), price=50_000)
    session.commit()
    service.edit_offer(market.sellers[0], offer.public_id, {"price": 48_000}, version=1)
    with pytest.raises(Stale) as refused:
        service.edit_offer(market.sellers[0], offer.public_id, {"price": 47_000}, version=1)
    assert refused.value.context == {"version": 2, "price": 48_000}


def test_a_price_below_the_ladder_is_refused() -> None:
    market = make.market()
    seller, thing = market.sellers[0], a_product()
    made = service.add_offer(seller, service.NewOffer(thing.public_id, "A", "bag", 500, (Step(Decimal(10), 400),)))
    with pytest.raises(Invalid) as refused:
        service.edit_offer(seller, made, {"price": 300, "ladder": (Step(Decimal(10), 400),)})
    assert codes(refused) == {"/ladder": "ladder_order"}


def test_hidden_means_gone_from_lists_and_shown_means_back() -> None:
    market = make.market()
    offer = make.offer(market, a_product())
    session.commit()
    service.withdraw_offer(market.sellers[0], offer.public_id)
    assert shown(offer.product_id) is None
    with pytest.raises(NotFound):
        queries.offer_by_public_id(offer.public_id)
    service.edit_offer(market.sellers[0], offer.public_id, {"active": True})
    assert shown(offer.product_id) is not None


def test_anothers_offer_and_warehouse_are_as_absent() -> None:
    market = make.market(sellers=2)
    offer = make.offer(market, a_product(), 0)
    session.commit()
    mine, other = market.sellers
    foreign = session.get_one(Warehouse, market.warehouses[0]).public_id
    for act in (
        lambda who: service.edit_offer(who, offer.public_id, {"price": 1}),
        lambda who: service.withdraw_offer(who, offer.public_id),
        lambda who: desk.offer(who.seller_id, offer.public_id),
        lambda who: service.edit_warehouse(who, foreign, {"name": "x"}),
        lambda who: counts.recount(who, offer.public_id, foreign, Decimal(1), None),
    ):
        with pytest.raises(NotFound):
            act(other)
    assert table.page(other.seller_id, table.TableFilter())[0] == []
    [result] = counts.set_stock(other, [StatedStock(offer.sku, foreign, Decimal(5))])
    assert result.code == "unknown_sku"
    assert desk.offer(mine.seller_id, offer.public_id).price == 50_000


def test_stock_rows_are_answered_one_by_one() -> None:
    market = make.market(warehouses=1)
    seller = market.sellers[0]
    place = session.get_one(Warehouse, market.warehouses[0]).public_id
    sheet = make.offer(market, a_product(unit="sheet", content=("m2", 1, 3)), stock=10)
    glue = make.offer(market, a_product(), stock=10)
    listing.refresh([sheet.product_id, glue.product_id])
    session.commit()
    stock.take([StockLine(glue.id, market.warehouses[0], Decimal(6))], Cause("order", 1, seller))
    rows = [
        StatedStock(sheet.sku, place, Decimal(36), "m2"),
        StatedStock(glue.sku, place, Decimal(5)),
        StatedStock("NO-SUCH", place, Decimal(5)),
        StatedStock(glue.sku, uuid.uuid4(), Decimal(5)),
        StatedStock(glue.sku, place, Decimal(5), "pallet"),
        StatedStock(sheet.sku, place, Decimal(1)),
        StatedStock(glue.sku, place, Decimal(-1)),
        StatedStock(sheet.sku, place, Decimal(1), "m2"),
    ]
    found = counts.set_stock(seller, rows)
    assert [r.code for r in found] == [
        None, "below_allocated", "unknown_sku", "unknown_warehouse", "unit_not_of_product", "repeated_row", "too_small",
        "not_exact",
    ]  # fmt: skip
    assert (found[0].on_hand_base, found[1].promised) == (12, 6)
    assert shown(sheet.product_id) == (50_000, 1, 12)
    assert queries.stock_drift() == []
    again = counts.set_stock(seller, rows[:1])
    assert again[0].code is None
    assert len(desk.history(sheet.id)) == 2


def test_a_count_of_something_that_moved_meanwhile_shows_both_values() -> None:
    market = make.market()
    seller = market.sellers[0]
    place = session.get_one(Warehouse, market.warehouses[0]).public_id
    offer = make.offer(market, a_product(), stock=700)
    session.commit()
    counts.recount(seller, offer.public_id, place, Decimal(760), Decimal(700))
    with pytest.raises(Conflict) as refused:
        counts.recount(seller, offer.public_id, place, Decimal(720), Decimal(700))
    assert (refused.value.code, refused.value.context) == ("stock_moved", {"present": 760, "wanted": 720})
    counts.recount(seller, offer.public_id, place, Decimal(720), Decimal(760))
    assert desk.offer(seller.seller_id, offer.public_id).free == 720


def test_a_closed_warehouse_takes_its_stock_off_sale() -> None:
    market = make.market()
    place = session.get_one(Warehouse, market.warehouses[0])
    offer = make.offer(market, a_product(), stock=9)
    make.ready()
    service.edit_warehouse(market.sellers[0], place.public_id, {"active": False}, version=1)
    assert shown(offer.product_id) == (50_000, 1, 0)
    assert queries.offers_of_product(offer.product_id)[0].available == 0


def test_warehouses_are_checked_whole() -> None:
    seller = make.market().sellers[0]
    session.commit()
    with pytest.raises(Invalid) as refused:
        service.add_warehouse(seller, {"name": "", "lat": 91, "lon": 37, "opens_at": 700, "closes_at": 600})
    assert codes(refused) == {
        "/name": "required", "/address": "required", "/lat": "too_large", "/closes_at": "hours_order",
    }  # fmt: skip
    service.add_warehouse(seller, PLACE)
    with pytest.raises(Invalid) as refused:
        service.add_warehouse(seller, PLACE)
    assert codes(refused) == {"/name": "name_taken"}
    with pytest.raises(Stale):
        service.edit_warehouse(seller, queries.warehouses_of(seller.seller_id)[0].public_id, {"name": "x"}, version=9)


def test_opening_and_closing_a_seller_shows_and_hides_the_offers() -> None:
    market = make.market()
    seller = market.sellers[0].seller_id
    offer = make.offer(market, a_product())
    make.ready()
    session.get_one(Organisation, seller).status = "suspended"
    session.commit()
    selling.settle(seller)
    assert shown(offer.product_id) is None
    session.get_one(Organisation, seller).status = "approved"
    session.commit()
    selling.open_seller(seller, "Продавец Демо")
    selling.open_seller(seller, "Продавец Демо")
    assert shown(offer.product_id) == (50_000, 1, 100)
    fresh = member("seller").seller_id
    session.commit()
    selling.open_seller(fresh, "База")
    assert session.get_one(Seller, fresh).is_active


def test_reading_offers_takes_one_query_however_many(count_queries: Any) -> None:
    market = make.market()
    ids = [make.offer(market, a_product()).id for _ in range(5)]
    session.commit()
    with count_queries() as seen:
        found = queries.offer_rows(ids)
    assert len(seen) == 1
    assert set(found) == set(ids)
    assert all(isinstance(row.stock, dict) for row in found.values())
    assert session.get(Offer, ids[0]) is not None
