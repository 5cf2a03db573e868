"""Which warehouse serves what: never more than there is, parts sum, nearest whole one first."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.orders.allocation import Wish, allocate, metres_between

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Slow machines are no failure."""

PLACES = {1: 500.0, 2: 1000.0, 3: 3000.0}
stocks = st.dictionaries(st.sampled_from(list(PLACES)), st.integers(0, 50).map(Decimal), max_size=3)
wishes = st.lists(st.tuples(st.integers(1, 60), stocks), min_size=1, max_size=6)


def made(*lines: tuple[int, dict[int, int]]) -> list[Wish]:
    return [Wish(i, Decimal(q), {w: Decimal(a) for w, a in there.items()}) for i, (q, there) in enumerate(lines)]


@CALM
@given(wishes)
def test_parts_sum_and_never_exceed_what_is_there(lines: list[tuple[int, dict[int, Decimal]]]) -> None:
    asked = [Wish(i, Decimal(q), there) for i, (q, there) in enumerate(lines)]
    plan = allocate(asked, PLACES)
    for wish in asked:
        parts = [p for p in plan.pieces if p.line == wish.line]
        assert sum((p.quantity for p in parts), plan.missing.get(wish.line, Decimal(0))) == wish.quantity
        assert len({p.warehouse for p in parts}) == len(parts)
        assert all(0 < p.quantity <= wish.available[p.warehouse] for p in parts)
        if any(there >= wish.quantity for there in wish.available.values()):
            assert len(parts) == 1
        if wish.line in plan.missing:
            assert sum(wish.available.values()) < wish.quantity


@CALM
@given(wishes)
def test_one_warehouse_with_everything_is_enough(lines: list[tuple[int, dict[int, Decimal]]]) -> None:
    asked = [Wish(i, Decimal(q), there) for i, (q, there) in enumerate(lines)]
    whole = [w for w in PLACES if all(wish.available.get(w, 0) >= wish.quantity for wish in asked)]
    plan = allocate(asked, PLACES)
    if whole:
        assert plan.warehouses == (min(whole, key=lambda w: PLACES[w]),)


def test_the_nearest_that_has_everything_wins() -> None:
    plan = allocate(made((5, {1: 4, 2: 9, 3: 9}), (2, {1: 9, 2: 9, 3: 9})), PLACES)
    assert (plan.warehouses, plan.reason) == ((2,), "nearest")


def test_fewest_warehouses_when_none_has_everything() -> None:
    plan = allocate(made((5, {1: 9}), (5, {3: 9}), (5, {2: 9, 3: 9})), PLACES)
    assert (set(plan.warehouses), plan.reason) == ({1, 3}, "fewest")


def test_a_line_is_split_only_when_it_must_be() -> None:
    plan = allocate(made((10, {1: 4, 2: 7})), PLACES)
    assert plan.reason == "split"
    assert sorted((p.warehouse, int(p.quantity)) for p in plan.pieces) == [(1, 3), (2, 7)]


def test_what_nobody_has_is_missing() -> None:
    plan = allocate(made((10, {1: 4})), PLACES)
    assert plan.missing == {0: Decimal(6)}


def test_a_degree_of_latitude_is_111_km() -> None:
    assert 111_000 < metres_between((55, 37), (56, 37)) < 111_400
