"""`flask demo` loads a market that is alive, right and the same every time; and never over anything that is there."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from app import create_app
from app.core import clock, timers
from app.core.db import db
from app.core.errors import DomainError
from app.demo import loader
from app.demo.history import member
from app.logistics import tracking
from app.orders import approvals
from tests.conftest import _settings, copy_database
from tools.doctor import broken

pytestmark = pytest.mark.slow

BUYER, COURIER, CARRIER, SELLER = 1, 4, 14, 1
SAME_EVERY_TIME = {
    "product": "public_id, slug, category_id, brand, name_ru, name_en, article, base_unit, mass_kg, volume_m3",
    "product_unit": "product_id, code, numerator, denominator, is_sold, is_content, barcode",
    "offer": "public_id, seller_id, product_id, sku, unit, price, vat_code, lead_time_days",
    "offer_step": "offer_id, from_quantity, price",
    "user_account": "public_id, email, name, phone, is_admin",
    "organisation": "public_id, kind, name, inn, kpp, ogrn, address, status",
    "warehouse": "public_id, seller_id, name, address, lat, lon",
}


def _application(servers: dict[str, str], name: str) -> Flask:
    unique = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    return create_app(_settings(copy_database(servers, unique), servers["redis"]))


@pytest.fixture(scope="module")
def loaded(servers: dict[str, str], demo_template: str) -> Iterator[Flask]:
    """An application on a database that the command itself filled; nothing in this module changes it."""
    name = f"demo_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    app = create_app(_settings(copy_database(servers, name, demo_template), servers["redis"]))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def market(loaded: Flask) -> Iterator[Flask]:
    """The loaded market; what a test begins is rolled back."""
    yield loaded
    db.session.rollback()


def _rows(statement: str, **values: object) -> list[tuple[object, ...]]:
    return [tuple(row) for row in db.session.execute(sa.text(statement), values)]


def _counts(statement: str, **values: object) -> dict[object, int]:
    return {row[0]: int(str(row[1])) for row in _rows(statement, **values)}


def _checksums() -> dict[str, object]:
    """Table -> how many rows, and a digest of all of them."""
    return {
        table: _rows(f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM"
                     f" (SELECT {columns} FROM {table}) t")[0]
        for table, columns in SAME_EVERY_TIME.items()
    }  # fmt: skip


def test_every_invariant_holds_after_loading(market: Flask) -> None:
    assert broken(db.session.connection()) == {}


def test_the_catalogue_has_the_size_that_is_promised(market: Flask) -> None:
    tables = ("product", "offer", "seller", "warehouse", "carrier")
    products, offers, sellers, warehouses, carriers = (
        int(str(_rows(f"SELECT count(*) FROM {t}")[0][0])) for t in tables
    )
    assert 8_500 <= products <= 10_000
    assert 23_000 <= offers <= 28_000
    assert (sellers, warehouses, carriers) == (12, 20, 2)


def test_orders_are_in_all_states(market: Flask) -> None:
    orders = _counts("SELECT status, count(*) FROM seller_order GROUP BY status")
    assert {"placed", "accepted", "rejected", "cancelled", "completed"} <= orders.keys()
    trips = _counts("SELECT status, count(*) FROM fulfilment GROUP BY status")
    assert {"planned", "picking", "ready", "in_transit", "delivered", "failed", "cancelled"} <= trips.keys()


def test_orders_are_spread_over_weeks_and_several_buyers(market: Flask) -> None:
    (oldest, buyers), = _rows("SELECT now() - min(created_at) > interval '26 days', count(DISTINCT user_id)"
                              " FROM order_group")  # fmt: skip
    assert oldest is True
    assert int(str(buyers)) >= 4


def test_no_purchase_says_it_was_made_in_the_future(market: Flask) -> None:
    for table in ("order_group", "order_event", "delivery_event", "stock_movement", "seller_transfer", "payment"):
        assert _rows(f"SELECT count(*) FROM {table} WHERE created_at > now()") == [(0,)], table


def test_goods_were_received_before_they_were_sold(market: Flask) -> None:
    assert _rows(
        "SELECT count(*) FROM stock_movement sold JOIN stock_movement received USING (offer_id, warehouse_id)"
        " WHERE received.kind = 'received' AND sold.kind <> 'received' AND sold.created_at < received.created_at"
    ) == [(0,)]


def test_the_demo_seller_has_open_orders_in_several_states_and_a_deadline(market: Flask) -> None:
    trips = _counts(
        "SELECT f.status, count(*) FROM fulfilment f JOIN seller_order o ON o.id = f.order_id"
        " WHERE o.seller_id = :s AND f.status IN ('planned', 'picking', 'ready') GROUP BY f.status",
        s=SELLER,
    )
    assert trips.keys() == {"planned", "picking", "ready"}
    waiting = _rows("SELECT accept_by > now(), t.fired_at IS NULL FROM seller_order o LEFT JOIN timer t"
                    " ON t.entity = 'order' AND t.entity_id = o.id AND t.transition = 'expire'"
                    " WHERE o.seller_id = :s AND o.status = 'placed'", s=SELLER)  # fmt: skip
    assert waiting
    assert set(waiting) == {(True, True)}


def test_a_purchase_prices_and_a_change_wait_for_the_demo_buyer(market: Flask) -> None:
    assert _rows("SELECT a.status, u.email, a.limit_was < a.total, m.user_id FROM approval_request a"
                 " JOIN user_account u ON u.id = a.user_id JOIN organisation_member m"
                 " ON m.organisation_id = a.organisation_id AND m.role = 'owner'") == [
        ("waiting", "buyer2@demo.example", True, BUYER)
    ]  # fmt: skip
    [(firm,)] = _rows("SELECT organisation_id FROM approval_request")
    decider = member(BUYER, int(str(firm)), "buyer", "owner")
    [waiting] = approvals.requests_of(decider)
    assert not approvals.request(decider, waiting.public_id).is_changed, "it is what the member was promised"
    assert _counts("SELECT status, count(DISTINCT batch_id) FROM price_request WHERE user_id = :u GROUP BY 1",
                   u=BUYER) == {"offered": 1, "requested": 1}  # fmt: skip
    proposed = _rows(
        "SELECT g.user_id, o.seller_id, o.status FROM order_proposal p JOIN seller_order o ON o.id = p.order_id"
        " JOIN order_group g ON g.id = o.group_id WHERE p.status = 'offered'"
    )
    assert proposed == [(BUYER, SELLER, "placed")]


def test_no_timer_is_due_so_the_schedule_undoes_nothing_at_the_first_start(market: Flask) -> None:
    assert timers.fire_due() == 0


def test_the_courier_has_a_route_today_with_done_and_open_stops(market: Flask) -> None:
    states = _counts(
        "SELECT CASE WHEN s.completed_at IS NULL THEN 'open' ELSE 'done' END, count(*) FROM stop s"
        " JOIN route r ON r.id = s.route_id JOIN courier c ON c.id = r.courier_id"
        " JOIN route_plan p ON p.id = r.plan_id"
        " WHERE c.user_id = :u AND p.day = :d AND p.status = 'published' GROUP BY 1",
        u=COURIER, d=clock.today(),
    )  # fmt: skip
    assert states.get("done", 0) >= 2
    assert states.get("open", 0) >= 2


def test_the_carrier_has_deliveries_of_today_and_of_tomorrow(market: Flask) -> None:
    found = _counts("SELECT day - :d, count(*) FROM delivery WHERE carrier_id = :c AND day >= :d"
                    " AND state <> 'cancelled' GROUP BY 1", c=CARRIER, d=clock.today())  # fmt: skip
    assert found.get(0, 0) >= 3
    assert found.get(1, 0) >= 3


def test_the_buyer_can_follow_a_truck_by_its_link_without_login(market: Flask) -> None:
    tokens = _rows("SELECT tracking_token FROM delivery WHERE buyer_id = :b AND state = 'in_transit'", b=BUYER)
    assert tokens
    view = tracking.by_token(str(tokens[0][0]))
    assert view.is_live
    assert market.test_client().get(f"/t/{tokens[0][0]}").status_code == 200


def test_completed_and_failed_deliveries_have_their_attempt(market: Flask) -> None:
    outcomes = _counts("SELECT a.outcome, count(*) FROM delivery_attempt a GROUP BY a.outcome")
    assert outcomes["delivered"] >= 10
    assert outcomes["failed"] >= 1


def test_the_buyer_has_priced_estimates(market: Flask) -> None:
    found = _rows("SELECT state, goods > 0, priced_at IS NOT NULL FROM estimate WHERE user_id = :b", b=BUYER)
    assert len(found) == 3
    assert set(found) == {("priced", True, True)}


def test_the_operator_finds_an_organisation_to_approve_and_one_dead_job(market: Flask) -> None:
    assert _rows("SELECT count(*) FROM organisation WHERE status = 'submitted'") == [(1,)]
    assert _rows("SELECT count(*) FROM job WHERE state = 'dead'") == [(1,)]


def test_the_queue_is_empty_and_nobody_gets_mail(market: Flask) -> None:
    assert _rows("SELECT kind, state FROM job WHERE state IN ('queued', 'running') OR kind = 'mail.send'") == []


def test_a_second_load_is_refused_and_changes_nothing(market: Flask) -> None:
    before = _checksums()
    answer = market.test_cli_runner().invoke(args=["demo"])
    assert answer.exit_code != 0
    assert "empty" in answer.output
    with pytest.raises(DomainError) as refused:
        loader.load_market()
    assert refused.value.code == "demo_needs_empty"
    assert market.test_cli_runner().invoke(args=["demo", "--if-empty"]).exit_code == 0
    assert _checksums() == before


def test_the_market_is_the_same_every_time(loaded: Flask, servers: dict[str, str]) -> None:
    first = _checksums()
    db.session.rollback()
    again = _application(servers, "demo_again")
    with again.app_context():
        loader.load_market()
        second = _checksums()
        db.session.remove()
        db.engine.dispose()
    assert second == first


def test_production_is_refused_before_anything_is_written(servers: dict[str, str]) -> None:
    app = _application(servers, "demo_never")
    settings = dataclasses.replace(app.extensions["settings"], environment="production")
    assert settings.is_production
    app.extensions["settings"] = settings
    with app.app_context():
        answer = app.test_cli_runner().invoke(args=["demo"])
        assert answer.exit_code != 0
        assert "refused in production" in answer.output
        assert loader.is_empty()
        db.session.remove()
        db.engine.dispose()


def test_a_return_and_claims_are_open(market: Flask) -> None:
    assert _counts("SELECT status, count(*) FROM return_request GROUP BY status") == {"requested": 1}
    assert _counts("SELECT status, count(*) FROM claim GROUP BY status") == {"opened": 1, "escalated": 1}
    assert _counts("SELECT 'terms', count(*) FROM return_terms")["terms"] > 3
