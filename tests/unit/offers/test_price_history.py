"""The price at the end of each day."""

from __future__ import annotations

from datetime import date, timedelta

from app.core import clock
from app.offers.price_history import _filled

MONDAY = date(2026, 11, 16)


def test_a_day_keeps_the_last_price_and_quiet_days_keep_the_one_before() -> None:
    changes = [
        (clock.at(MONDAY - timedelta(days=30), 0), 100),
        (clock.at(MONDAY + timedelta(days=1), 9 * 60), 120),
        (clock.at(MONDAY + timedelta(days=1), 18 * 60), 90),
        (clock.at(MONDAY + timedelta(days=3), 0), 95),
    ]
    assert [price for _day, price in _filled(changes, MONDAY, 5)] == [100, 90, 90, 95, 95]


def test_days_before_the_first_price_are_left_out() -> None:
    found = _filled([(clock.at(MONDAY + timedelta(days=2), 60), 70)], MONDAY, 4)
    assert found == [(MONDAY + timedelta(days=2), 70), (MONDAY + timedelta(days=3), 70)]
