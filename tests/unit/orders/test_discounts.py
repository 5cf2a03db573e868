"""Discounts of a cart: they sum to the kopek, leave a price, and are the best of those that exclude one another."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import money
from app.orders import discounts
from app.orders.discounts import Terms
from app.payments.rules import kept_fee

GOODS = st.dictionaries(st.integers(1, 6), st.integers(1, 5_000_00), min_size=1, max_size=6)


@st.composite
def promotion(draw: st.DrawFn, number: int = 1) -> Terms:
    is_percent = draw(st.booleans())
    return Terms(
        id=number, version=1, name_ru=f"А{number}", name_en=f"P{number}", code="",
        percent=Decimal(draw(st.integers(1, 9900))) / 100 if is_percent else None,
        amount=None if is_percent else draw(st.integers(1, 9_000_00)),
        minimum=draw(st.sampled_from([0, 1, 100_00, 2_000_00])),
        cap=draw(st.one_of(st.none(), st.integers(1, 500_00))) if is_percent else None,
        is_stackable=draw(st.booleans()), operator_share=Decimal(draw(st.integers(0, 10_000))) / 100,
        offers=frozenset(draw(st.sets(st.integers(1, 6), min_size=1))),
    )  # fmt: skip


@st.composite
def promotions(draw: st.DrawFn) -> list[Terms]:
    return [draw(promotion(number)) for number in range(1, draw(st.integers(1, 5)) + 1)]


@settings(max_examples=400, deadline=None)
@given(goods=GOODS, terms=promotions())
def test_whatever_is_promoted_sums_to_the_kopek_and_leaves_a_price(goods: dict[int, int], terms: list[Terms]) -> None:
    chosen = discounts.choose(terms, goods)
    by_id = {one.id: one for one in terms}
    off = discounts.off_by_offer(chosen)
    assert sum(off.values()) == sum(one.amount for one in chosen)
    assert all(goods[offer] - taken >= 1 for offer, taken in off.items())
    for one in chosen:
        said = by_id[one.promotion_id]
        assert one.parts.keys() <= said.offers & goods.keys()
        assert all(0 <= part.operator <= part.amount and part.amount > 0 for part in one.parts.values())
        assert sum(part.operator for part in one.parts.values()) == money.percent_of(one.amount, said.operator_share)
        assert said.cap is None or one.amount <= said.cap
        assert said.amount is None or one.amount <= said.amount
        assert not said.missing(goods)


@settings(max_examples=300, deadline=None)
@given(goods=GOODS, terms=promotions())
def test_of_those_that_exclude_one_another_the_best_set_wins_and_the_rest_follow_in_order(
    goods: dict[int, int], terms: list[Terms]
) -> None:
    chosen = discounts.choose(terms, goods)
    fit = [one for one in terms if one.offers & goods.keys() and not one.missing(goods)]
    alone = [one for one in fit if not one.is_stackable]
    allowed = [
        some
        for size in range(len(alone) + 1)
        for some in itertools.combinations(alone, size)
        if not any(a.offers & b.offers & goods.keys() for a, b in itertools.combinations(some, 2))
    ]
    best = max(sum(sum(one.off(goods).values()) for one in some) for some in allowed)
    stacked = {one.id for one in fit if one.is_stackable}
    assert sum(one.amount for one in chosen if one.promotion_id not in stacked) == best
    order = [one.promotion_id for one in chosen if one.promotion_id in stacked]
    assert order == sorted(order)  # as declared
    left = dict(goods)
    for one in chosen:  # each on what the ones before it left
        said = next(t for t in terms if t.id == one.promotion_id)
        assert {offer: part.amount for offer, part in one.parts.items()} == said.off(left)
        left = {offer: left[offer] - (one.parts[offer].amount if offer in one.parts else 0) for offer in left}


@settings(max_examples=300, deadline=None)
@given(
    price=st.integers(1, 900_00), units=st.integers(1, 60), share=st.integers(1, 100), vat=st.sampled_from([0, 10, 22]),
    steps=st.lists(st.integers(1, 9), max_size=9),
)  # fmt: skip
def test_parts_of_a_discounted_line_sum_to_it(price: int, units: int, share: int, vat: int, steps: list[int]) -> None:
    quantity, whole = Decimal(units), price * units
    discount = (whole - 1) * share // 100
    seen, so_far = 0, 0
    for reached in [*itertools.accumulate(steps), units]:
        part = discounts.worth_of(price, quantity, discount, Fraction(min(reached, units)), Decimal(vat))
        assert part.net + part.vat == part.gross >= seen
        so_far, seen = so_far + part.gross - seen, part.gross
    assert so_far == whole - discount == discounts.sold_for(price, quantity, discount)


def test_the_example_of_the_page_on_promotions_is_true() -> None:
    goods = {1: 2333_31, 2: 21, 3: 545_00}
    plain: dict[str, Any] = {"version": 1, "name_ru": "", "name_en": "", "code": "", "minimum": 0, "cap": None}
    ten = Terms(id=1, percent=Decimal(10), amount=None, is_stackable=True, operator_share=Decimal(40),
                offers=frozenset(goods), **plain)  # fmt: skip
    own = Terms(id=2, percent=None, amount=1000_01, is_stackable=False, operator_share=Decimal(0),
                offers=frozenset({1, 2}), **plain)  # fmt: skip
    first, then = discounts.choose([ten, own], goods)
    assert {offer: part.amount for offer, part in first.parts.items()} == {1: 999_92, 2: 9}
    assert {offer: (part.amount, part.operator) for offer, part in then.parts.items()} == {
        1: (133_34, 53_34), 2: (1, 0), 3: (54_50, 21_80),
    }  # fmt: skip
    part = discounts.worth_of(333_33, Decimal(7), 999_92 + 133_34, Fraction(3), Decimal(22)).gross
    assert (part, kept_fee(53_34, 1200_05, part)) == (514_31, 22_86)
