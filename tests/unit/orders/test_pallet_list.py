"""Places of a trip: nothing is lost, nothing is too heavy, the sums are the trip's."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.orders.pallet_list import LONG_MM, MOST_KG, MOST_M3, Goods, Place, pack

CALM = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
"""Slow machines are no failure."""


def made(key: int, count: int, kg: str, m3: str, length: int = 0, on_pallet: int | None = None) -> Goods:
    return Goods(key, Fraction(count), Fraction(kg), Fraction(m3), length, Fraction(on_pallet) if on_pallet else None)


lines = st.lists(
    st.builds(
        Goods,
        key=st.integers(1, 9),
        count=st.decimals("0.001", 300, places=3).map(Fraction) | st.integers(1, 300).map(Fraction),
        kg=st.decimals(0, 1800, places=4).map(Fraction) | st.decimals(0, 60, places=4).map(Fraction),
        m3=st.decimals(0, "2.5", places=6).map(Fraction) | st.decimals(0, "0.1", places=6).map(Fraction),
        length_mm=st.sampled_from([0, 600, LONG_MM, LONG_MM + 1, 6000]),
        on_pallet=st.none() | st.integers(1, 80).map(Fraction),
    ),
    max_size=6,
    unique_by=lambda one: one.key,
)


@CALM
@given(lines, st.decimals(0, 100_000, places=4), st.decimals(0, 1000, places=6))
def test_every_piece_has_one_place_and_the_sums_are_exact(goods: list[Goods], mass: Decimal, volume: Decimal) -> None:
    known = {one.key: one for one in goods}
    places = pack(goods, mass, volume)
    stands: Counter[int] = Counter()
    for place in places:
        for key, count in place.goods:
            assert count > 0
            stands[key] += count
    assert stands == {one.key: one.count for one in goods}
    assert places == [] or sum(place.mass_kg for place in places) == mass
    assert places == [] or sum(place.volume_m3 for place in places) == volume
    assert all(place.mass_kg >= 0 and place.volume_m3 >= 0 for place in places)
    for place in places:
        kinds = {key for key, _count in place.goods}
        pieces = sum(count for _key, count in place.goods)
        if place.kind == "pallet":
            [(key, count)] = place.goods
            assert count == known[key].on_pallet
        else:
            kg = sum(known[key].kg * count for key, count in place.goods)
            m3 = sum(known[key].m3 * count for key, count in place.goods)
            assert pieces <= 1 or (kg <= MOST_KG and m3 <= MOST_M3)
            assert {known[key].length_mm > LONG_MM for key in kinds} == {place.kind == "bundle"}
            assert place.kind == "place" or len(kinds) == 1


def of(places: list[Place]) -> list[tuple[str, dict[int, int]]]:
    return [(place.kind, {key: int(count) for key, count in place.goods}) for place in places]


def test_a_load_as_a_warehouse_would_build_it() -> None:
    goods = [
        made(1, 100, "25", "0.02", on_pallet=40),  # 2 pallets and 20 bags
        made(2, 30, "20", "0.03"),  # 600 kg, 0.9 m3: beside 20 bags of the first it is 1.3 m3 and 1,100 kg
        made(3, 12, "9", "0.008", length=3000),
        made(4, 1, "1250", "0.5"),
    ]
    places = pack(goods, Decimal("4458"), Decimal("3.496"))
    assert of(places) == [
        ("pallet", {1: 40}), ("pallet", {1: 40}), ("place", {4: 1}), ("place", {1: 20, 2: 25}), ("place", {2: 5}),
        ("bundle", {3: 12}),
    ]  # fmt: skip
    assert [place.mass_kg for place in places] == [1000, 1000, 1250, 1000, 100, 108]
    third = pack([made(1, 3, "0.3333", "0.001", on_pallet=1)], Decimal("1.0000"), Decimal("0.003000"))
    assert [place.mass_kg for place in third] == [Decimal("0.3333"), Decimal("0.3333"), Decimal("0.3334")]


def test_a_million_small_pieces_are_counted_and_not_walked() -> None:
    places = pack([made(1, 1_000_000, "0.02", "0.00001")], Decimal(20_000), Decimal(10))
    assert [int(place.goods[0][1]) for place in places] == [50_000] * 20
