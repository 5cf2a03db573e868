"""States, windows, counts and times of carrying."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.errors import Conflict, Invalid
from app.logistics import rules

CARGO = [
    {"line": "1", "quantity": "96", "quantity_base": "96"},
    {"line": "2", "quantity": "3", "quantity_base": "100"},
]
DAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("kind", "actions"),
    [("pickup", ["arrive", "complete"]), ("drop", ["arrive", "unloading", "complete"]), ("drop", ["arrive", "fail"])],
)
def test_every_action_may_come_twice(kind: str, actions: list[str]) -> None:
    state = "planned"
    for action in actions:
        first = rules.step(kind, state, action)
        assert not first.repeated
        assert rules.step(kind, first.state, action) == rules.Step(first.state, repeated=True)
        state = first.state


def test_an_old_tap_after_the_end_changes_nothing() -> None:
    assert rules.step("drop", "done", "arrive").repeated
    assert rules.step("drop", "done", "unloading").repeated


@pytest.mark.parametrize(("state", "action"), [("failed", "complete"), ("done", "fail"), ("skipped", "arrive")])
def test_a_stop_that_is_over_does_not_come_back(state: str, action: str) -> None:
    with pytest.raises(Conflict, match="stop_state"):
        rules.step("drop", state, action)


def test_counts_are_turned_into_base_units() -> None:
    lines = rules.count_lines(CARGO, {"2": Decimal(2)}, "torn")
    assert [(line.delivered, line.delivered_base) for line in lines] == [
        (Decimal(96), Decimal("96.000000")),
        (Decimal(2), Decimal("66.666667")),
    ]
    assert rules.outcome_of(lines) == "partially_delivered"
    assert rules.outcome_of(rules.count_lines(CARGO, {})) == "delivered"


@pytest.mark.parametrize(
    ("counted", "reason", "code"),
    [
        ({"2": Decimal(4)}, "torn", "counted_out_of_range"),
        ({"2": Decimal(-1)}, "torn", "counted_out_of_range"),
        ({"9": Decimal(1)}, "", "unknown_line"),
        ({"2": Decimal(2)}, "", "reason_for_less"),
        ({"2": Decimal(2)}, "because", "unknown_option"),
        ({"1": Decimal(0), "2": Decimal(0)}, "refused", "nothing_delivered"),
    ],
)
def test_impossible_counts_are_refused(counted: dict[str, Decimal], reason: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.count_lines(CARGO, counted, reason)
    assert code in [error.code for error in refused.value.errors]


@given(st.integers(0, 10_000_000), st.integers(1, 50))
def test_lots_sum_to_the_whole(whole: int, lots: int) -> None:
    parts = [rules.share(whole, lots, lot) for lot in range(1, lots + 1)]
    assert sum(parts) == whole
    assert max(parts) - min(parts) <= 1


@given(st.integers(1, 100_000), st.integers(1, 100_000), st.integers(100, 20_000), st.integers(100, 90_000))
def test_every_lot_fits_the_truck(mass: int, volume: int, payload: int, room: int) -> None:
    lots = rules.lots_of(mass, volume, payload, room)
    assert rules.share(mass, lots, 1) <= payload
    assert rules.share(volume, lots, 1) <= room


def test_windows_of_today_close_in_time() -> None:
    def codes(hour: int) -> list[str]:
        return [w.code for w in rules.windows(DAY, clock.at(DAY, hour * 60))]

    assert codes(6) == ["9-14", "14-18", "9-18"]
    assert codes(10) == ["14-18"]
    assert codes(15) == []


@pytest.mark.parametrize(("hour", "lead", "days"), [(8, 0, 0), (13, 0, 1), (8, 2, 2), (23, 2, 3)])
def test_the_earliest_day_counts_from_tomorrow_after_noon(hour: int, lead: int, days: int) -> None:
    assert rules.earliest_day(lead, clock.at(DAY, hour * 60)) == DAY + timedelta(days=days)


def minute(value: int) -> datetime:
    return clock.at(DAY, value)


YARD = rules.Timing(minute(480), minute(500))
AHEAD = [
    rules.Timing(minute(520), minute(600), minute(540)),  # comes 20 minutes before the window, works an hour
    rules.Timing(minute(610), minute(640), minute(540)),
]


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [(500, [540, 610]), (510, [540, 610]), (520, [540, 610]), (550, [570, 640]), (400, [540, 610])],
)
def test_a_delay_melts_where_the_plan_waits_and_an_early_truck_waits_too(leaves: int, expected: list[int]) -> None:
    assert rules.etas(YARD, minute(leaves), AHEAD) == [minute(value) for value in expected]


@given(st.integers(0, 1400), st.integers(0, 30))
def test_leaving_later_never_means_coming_earlier(leaves: int, more: int) -> None:
    first, later = rules.etas(YARD, minute(leaves), AHEAD), rules.etas(YARD, minute(min(1439, leaves + more)), AHEAD)
    assert all(a <= b for a, b in zip(first, later, strict=True))
    assert later == sorted(later)


@pytest.mark.parametrize(
    ("site", "longest", "reason"),
    [
        ({}, 2000, None),
        ({}, 7000, "too_long"),
        ({"max_vehicle_kg": 3500}, 2000, "site_mass_limit"),
        ({"max_height_mm": 2500}, 2000, "site_height_limit"),
        ({"unloading": "crane"}, 2000, "no_crane"),
        ({"unloading": "tail_lift"}, 2000, None),
    ],
)
def test_a_truck_says_why_it_cannot(site: dict[str, object], longest: int, reason: str | None) -> None:
    truck = rules.Truck(5000, 20_000, 6000, 9000, 3000, has_crane=False, has_tail_lift=True)
    assert rules.refusal(truck, site, longest) == reason


def test_moments_are_market_time() -> None:
    window = rules.windows(DAY, datetime(2026, 11, 23, tzinfo=clock.MARKET_ZONE))[0]
    assert window.starts_at.isoformat() == "2026-11-24T09:00:00+03:00"
