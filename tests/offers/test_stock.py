"""Nothing is sold twice, and every level is the sum of its movements."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.catalog.models import ProductListing
from app.core.db import db, session, unit_of_work
from app.core.errors import Conflict, DomainError
from app.core.permissions import ANONYMOUS
from app.offers import stock
from app.offers.levels import StockLine
from app.offers.models import Offer, StockLevel, StockMovement
from app.offers.queries import stock_drift
from app.offers.stock import Cause
from tests.factories import orders as make

CAUSE = Cause("order", 1, ANONYMOUS)


def level(offer: Offer, place: int) -> tuple[Decimal, Decimal]:
    row = session.execute(
        sa.select(StockLevel.on_hand, StockLevel.allocated).where(
            StockLevel.offer_id == offer.id, StockLevel.warehouse_id == place
        )
    ).one()
    return row.on_hand, row.allocated


def line(offer: Offer, place: int, quantity: int | str) -> StockLine:
    return StockLine(offer.id, place, Decimal(quantity))


@pytest.mark.usefixtures("db_session")
def test_taking_promises_and_shipping_takes_away() -> None:
    market = make.market()
    [place] = market.warehouses
    offer = make.offer(market, stock=50)
    stock.take([line(offer, place, 20)], CAUSE)
    assert level(offer, place) == (50, 20)
    stock.release([line(offer, place, 5)], CAUSE)
    stock.ship([line(offer, place, 15)], CAUSE)
    assert level(offer, place) == (35, 0)
    stock.receive([line(offer, place, 3)], CAUSE)
    stock.take_back([line(offer, place, 2)], CAUSE)
    assert level(offer, place) == (40, 0)
    kinds = session.scalars(sa.select(StockMovement.kind).where(StockMovement.offer_id == offer.id)).all()
    assert sorted(kinds) == ["allocated", "received", "received", "released", "returned", "shipped"]
    assert stock_drift() == []


@pytest.mark.usefixtures("db_session")
def test_a_refusal_names_every_short_line_and_takes_nothing() -> None:
    market = make.market()
    [place] = market.warehouses
    plenty, short, gone = (make.offer(market, stock=n) for n in (10, 3, 0))
    session.commit()
    with pytest.raises(Conflict) as refused:
        stock.take([line(gone, place, 1), line(plenty, place, 10), line(short, place, 4)], CAUSE)
    assert refused.value.code == "stock_changed"
    found = {item["offer_id"]: item["available"] for item in refused.value.context["items"]}
    assert found == {short.id: 3, gone.id: 0}
    assert level(plenty, place) == (10, 0)
    assert session.scalar(sa.select(sa.func.count()).where(StockMovement.kind == "allocated")) == 0


@pytest.mark.usefixtures("db_session")
def test_the_same_offer_twice_in_one_purchase_is_one_line() -> None:
    market = make.market()
    [place] = market.warehouses
    offer = make.offer(market, stock=10)
    session.commit()
    with pytest.raises(Conflict):
        stock.take([line(offer, place, 6), line(offer, place, 6)], CAUSE)
    stock.take([line(offer, place, 5), line(offer, place, 5)], CAUSE)
    assert level(offer, place) == (10, 10)


@pytest.mark.usefixtures("db_session")
def test_a_count_below_what_is_promised_is_refused_with_the_promised() -> None:
    market = make.market()
    [place] = market.warehouses
    offer = make.offer(market, stock=10)
    stock.take([line(offer, place, 6)], CAUSE)
    with pytest.raises(Conflict) as refused:
        stock.count(offer.id, place, Decimal(5), CAUSE)
    assert (refused.value.code, refused.value.context["allocated"]) == ("below_allocated", "6")
    with pytest.raises(Conflict) as refused:
        stock.change(line(offer, place, 5), "adjusted", -1, CAUSE)
    assert (refused.value.code, refused.value.context["allocated"]) == ("below_allocated", "6")
    assert level(offer, place) == (10, 6)
    assert stock.count(offer.id, place, Decimal("6.5"), CAUSE) == Decimal("-3.5")
    assert level(offer, place) == (Decimal("6.5"), 6)
    assert stock.count(offer.id, place, Decimal("6.5"), CAUSE) == 0
    assert stock_drift() == []


@pytest.mark.usefixtures("db_session")
def test_stock_never_kept_there_cannot_be_released() -> None:
    market = make.market(warehouses=2)
    offer = make.offer(market, stock={market.warehouses[0]: 5})
    with pytest.raises(DomainError, match="no_stock_level"):
        stock.release([line(offer, market.warehouses[1], 1)], CAUSE)


@pytest.mark.usefixtures("db_session")
def test_drift_shows_a_level_written_past_the_ledger() -> None:
    market = make.market()
    [place] = market.warehouses
    offer = make.offer(market, stock=10)
    session.execute(sa.update(StockLevel).where(StockLevel.offer_id == offer.id).values(on_hand=11))
    [drift] = stock_drift()
    assert (drift.offer_id, drift.warehouse_id, drift.on_hand, drift.moved_on_hand) == (offer.id, place, 11, 10)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["take", "release", "ship", "receive", "take_back", "count"]),
        st.integers(0, 1),
        st.integers(0, 1),
        st.decimals(0, 30, places=3),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
def test_whatever_happens_levels_are_sums_of_movements_and_never_oversold(db_session: object, actions: list) -> None:
    market = make.market(warehouses=2)
    offers = [make.offer(market, stock=20), make.offer(market, stock=0)]
    session.commit()
    for name, which, where, quantity in actions:
        offer, place = offers[which], market.warehouses[where]
        with contextlib.suppress(DomainError, sa.exc.IntegrityError):
            if name == "count":
                stock.count(offer.id, place, quantity, CAUSE)
            else:
                getattr(stock, name)([StockLine(offer.id, place, quantity)], CAUSE)
    assert stock_drift() == []
    bad = sa.select(StockLevel).where(StockLevel.allocated + StockLevel.reserved > StockLevel.on_hand)
    assert session.scalars(bad).all() == []
    for offer in offers:
        free = session.scalar(
            sa.select(sa.func.sum(StockLevel.on_hand - StockLevel.allocated)).where(StockLevel.offer_id == offer.id)
        )
        shown = session.scalar(sa.select(ProductListing.available).where(ProductListing.product_id == offer.product_id))
        assert shown is None or shown == (free or 0)


def together(app: Flask, work: Sequence[Callable[[], None]], threads: int = 16) -> tuple[int, int, list[Exception]]:
    """Run all at once behind a barrier of `threads`; how many passed, how many were refused, what broke."""
    waiting, lock = list(work), threading.Lock()
    barrier = threading.Barrier(threads)
    done: list[str] = []
    broken: list[Exception] = []

    def run() -> None:
        with app.app_context():
            barrier.wait()
            while True:
                with lock:
                    if not waiting:
                        break
                    mine = waiting.pop()
                try:
                    mine()
                    done.append("ok")
                except Conflict:
                    done.append("refused")
                except Exception as error:  # noqa: BLE001  # whatever breaks is the finding
                    broken.append(error)
            db.session.remove()

    pool = [threading.Thread(target=run) for _ in range(threads)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    return done.count("ok"), done.count("refused"), broken


@unit_of_work
def read_then_write(offer_id: int, place: int) -> None:
    """How not to do it: decide on a number that was read before."""
    free = session.scalar(
        sa.select(StockLevel.on_hand - StockLevel.allocated).where(
            StockLevel.offer_id == offer_id, StockLevel.warehouse_id == place
        )
    )
    if free < 1:
        raise Conflict("stock_changed", items=[])
    threading.Event().wait(0.002)
    session.execute(
        sa.insert(StockMovement).values(offer_id=offer_id, warehouse_id=place, kind="allocated", allocated_delta=1)
    )


def a_shelf(units: int) -> tuple[int, int]:
    def build() -> tuple[int, int]:
        market = make.market()
        return make.offer(market, stock=units).id, market.warehouses[0]

    found: tuple[int, int] = make.committed(build)
    return found


def sold(offer_id: int) -> int:
    session.rollback()
    return int(
        session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(StockMovement.allocated_delta), 0)).where(
                StockMovement.offer_id == offer_id
            )
        )
    )


def test_two_hundred_buyers_of_fifty_units_get_exactly_fifty(committed_db: Flask) -> None:
    offer_id, place = a_shelf(50)
    work = [lambda: stock.take([StockLine(offer_id, place, Decimal(1))], CAUSE)] * 200
    assert together(committed_db, work) == (50, 150, [])
    assert sold(offer_id) == 50
    assert stock_drift() == []
    assert session.scalar(sa.select(StockLevel.allocated).where(StockLevel.offer_id == offer_id)) == 50


def test_the_same_race_oversells_when_one_reads_first_and_writes_later(committed_db: Flask) -> None:
    offer_id, place = a_shelf(50)
    together(committed_db, [lambda: read_then_write(offer_id, place)] * 200)
    assert sold(offer_id) > 50


def test_mixed_carts_in_any_order_never_deadlock_and_lists_stay_true(committed_db: Flask) -> None:
    def build() -> tuple[list[tuple[int, int]], list[int]]:
        market = make.market(sellers=2)
        places = market.warehouses
        mine = [make.offer(market, 0, stock=500) for _ in range(4)]
        twins = []
        for offer in mine:  # the second seller sells the same products: two sellers change one row of the list
            twin = Offer(seller_id=market.sellers[1].seller_id, product_id=offer.product_id, sku=f"T{offer.id}",
                         unit=offer.unit, price=offer.price)  # fmt: skip
            session.add(twin)
            session.flush()
            session.add(StockLevel(offer_id=twin.id, warehouse_id=places[1], on_hand=500))
            session.add(StockMovement(offer_id=twin.id, warehouse_id=places[1], kind="received", on_hand_delta=500))
            twins.append(twin)
        pairs = [(o.id, places[0]) for o in mine] + [(o.id, places[1]) for o in twins]
        return pairs, [o.product_id for o in mine]

    pairs, products = make.committed(build)
    chance = random.Random(7)

    def cart() -> Callable[[], None]:
        chosen = chance.sample(pairs, 3)
        return lambda: stock.take([StockLine(o, w, Decimal(1)) for o, w in chosen], CAUSE)

    ok, refused, broken = together(committed_db, [cart() for _ in range(120)], threads=12)
    assert (ok, refused, broken) == (120, 0, [])
    session.rollback()
    free = dict(
        session.execute(
            sa.select(Offer.product_id, sa.func.sum(StockLevel.on_hand - StockLevel.allocated))
            .join(StockLevel, StockLevel.offer_id == Offer.id)
            .group_by(Offer.product_id)
        ).all()
    )
    shown = dict(session.execute(sa.select(ProductListing.product_id, ProductListing.available)).all())
    assert {p: shown[p] for p in products if p in shown} == {p: free[p] for p in products if p in shown}
    assert shown
    assert stock_drift() == []
