"""The named invariants of tools/invariants.sql hold after a working day and notice what is wrong."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.db import session
from app.core.permissions import ANONYMOUS
from app.offers import service, stock
from app.offers.levels import StockLine
from app.offers.stock import Cause
from tests.factories import catalog as make

FILE = Path(__file__).resolve().parents[2] / "tools" / "invariants.sql"


def broken() -> set[str]:
    found = set()
    for part in FILE.read_text(encoding="utf-8").split("-- name: ")[1:]:
        name, _, sql = part.partition("\n")
        if session.execute(sa.text(sql.strip().rstrip(";").replace(":", r"\:"))).first() is not None:
            found.add(name.strip())
    return found


@pytest.fixture
def offer(db_session: Any) -> Any:
    market = make.market()
    row = make.offer(market, make.product(make.category()), price=50_000)
    make.ready()
    place, cause = market.warehouses[0], Cause("order", 1, ANONYMOUS)
    stock.take([StockLine(row.id, place, Decimal(3))], cause)
    stock.ship([StockLine(row.id, place, Decimal(2))], cause)
    stock.release([StockLine(row.id, place, Decimal(1))], cause)
    stock.count(row.id, place, Decimal(40), cause)
    service.edit_offer(market.sellers[0], row.public_id, {"price": 49_000})
    return row


def test_they_hold_after_a_working_day(offer: Any) -> None:
    assert broken() == set()


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        ("UPDATE stock_level SET on_hand = on_hand + 1", "stock_levels_are_sums_of_movements"),
        ("UPDATE offer SET price = price + 1", "the_last_price_change_is_the_price"),
        ("UPDATE product_listing SET available = available + 1", "product_lists_show_what_offers_say"),
        ("UPDATE product_listing SET brand = 'X'", "product_lists_show_what_cards_say"),
        ("UPDATE product_listing SET facets = '{a:b}'", "product_lists_show_what_cards_say"),
        ("UPDATE product_listing SET seller_prices[1] = 1", "product_lists_show_the_price_of_each_seller"),
        ("UPDATE stock_level SET reserved = 1", "reserved_is_the_sum_of_live_reservations"),
        ("INSERT INTO offer_step SELECT id, 5, price FROM offer", "ladders_only_get_cheaper"),
        ("UPDATE product_unit SET numerator = 2", "every_product_has_its_base_unit"),
        ("UPDATE category SET depth = 2", "paths_of_categories_lead_from_the_root"),
    ],
)
def test_each_notices_its_damage(offer: Any, damage: str, name: str) -> None:
    session.execute(sa.text(damage))
    assert name in broken()
