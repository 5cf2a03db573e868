"""Money of returns: parts of a line come to the line, whatever the cut; a fee is rounded once."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.core import money
from app.orders import return_rules


@given(gross=st.integers(0, 10**9), parts=st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_parts_of_a_line_come_to_the_line(gross: int, parts: list[int]) -> None:
    handed, before, total = Decimal(sum(parts)), Decimal(0), 0
    for part in parts:
        piece = return_rules.worth(gross, handed, before, Decimal(part))
        assert piece >= 0
        total, before = total + piece, before + part
    assert total == gross


@given(parts=st.lists(st.integers(0, 10**8), min_size=1, max_size=8), percent=st.decimals(0, 50, places=2))
def test_a_fee_is_taken_off_the_whole_and_shared(parts: list[int], percent: Decimal) -> None:
    left = return_rules.less_fee(parts, percent)
    assert sum(left) == sum(parts) - money.percent_of(sum(parts), percent)
    assert all(0 <= less <= part for less, part in zip(left, parts, strict=True))
