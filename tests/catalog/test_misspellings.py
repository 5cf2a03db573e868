"""300 mistyped queries against the demo market: the right product is among the first three, numbers come first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from app.catalog import listing, search
from app.catalog.listing import Filters
from app.core.db import session
from app.demo import loader
from bench import misspell

pytestmark = pytest.mark.slow
ENOUGH = 0.95
TYPED = 300


@pytest.fixture
def market(committed_db: Flask) -> Iterator[None]:
    loader.load_market()
    yield
    session.rollback()


def first(text: str, number: int) -> list[int]:
    match = search.match(text)
    if match is None:
        return []
    return [i.id for i in listing.page(Filters(match=match), [], "relevance", None, number)[0]]


def test_mistyped_queries_find_the_right_product(market: None) -> None:
    names = dict(
        session.execute(sa.text("SELECT id, name_ru FROM product JOIN product_listing ON product_id = id")).all()
    )
    asked = misspell.queries(names, TYPED)
    wrong = [query for query in asked if query.product not in first(query.typed, 3)]
    assert len(wrong) <= TYPED * (1 - ENOUGH), wrong
    sheets = {key for key, name in names.items() if name.startswith("Гипсокартон")}
    for typed in ("ГКЛ", "гипсокартон", "КНАУФ-лист", "urk", "сухая штукатурка"):
        assert set(first(typed, 3)) & sheets, typed
    numbers = session.execute(
        sa.text(
            "(SELECT product_id, sku FROM offer WHERE status = 'active' ORDER BY id LIMIT 40) UNION ALL"
            " (SELECT product_id, barcode FROM product_unit WHERE barcode <> '' AND product_id IN"
            " (SELECT product_id FROM product_listing) ORDER BY product_id LIMIT 40)"
        )
    ).all()
    assert [text for product, text in numbers if first(text, 1) != [product]] == []
