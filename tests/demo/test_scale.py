"""`flask demo --scale N` makes N products with three offers each, and every invariant holds."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.db import session
from app.demo import loader, scale
from tools.doctor import broken

pytestmark = pytest.mark.slow


def test_a_scaled_market_is_whole(committed_db: Flask) -> None:
    assert loader.is_empty()
    assert scale.grow(10_500) == 10_500
    assert session.scalar(sa.text("SELECT count(*) FROM product_listing")) == 10_500
    offers = session.scalar(
        sa.text("SELECT count(*) FROM offer WHERE product_id > (SELECT min(id) + 9100 FROM product)")
    )
    products = session.scalar(sa.text("SELECT count(*) FROM product WHERE id > (SELECT min(id) + 9100 FROM product)"))
    assert offers == products * scale.OFFERS
    assert broken(session.connection()) == {}
