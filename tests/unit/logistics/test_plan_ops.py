"""Whatever is done to a sheet: loading before unloading on one truck, lots 1..n, nothing lost, differences put back."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import DomainError
from app.core.ids import uuid7
from app.logistics.plan_ops import OPS, Edit, Known, change
from app.logistics.plan_shape import (
    DROP,
    PICKUP,
    Call,
    Left,
    Line,
    Sheet,
    as_json,
    difference,
    from_json,
    left_as_json,
    left_from_json,
    patched,
)

TRUCKS = (1, 2, 3)
DELIVERIES = (10, 11, 12, 13)
NEW = 14


def line(number: int, *deliveries: int) -> Line:
    ups = tuple(Call(str(uuid7()), PICKUP, one) for one in deliveries)
    downs = tuple(Call(str(uuid7()), DROP, one) for one in deliveries)
    return Line(str(uuid7()), number, ups + downs)


def first() -> Sheet:
    return Sheet({1: line(1, 10, 11), 2: line(2, 12)}, (Left(13, reason="too_heavy", context={"mass_kg": 9}),))


def score(sheet: Sheet, vehicle_id: int) -> tuple[int, int]:
    """A made-up cost that depends on the order."""
    return 0, sum(n * call.delivery_id for n, call in enumerate(sheet.lines[vehicle_id].calls))


def uid_of(sheet: Sheet, number: int) -> UUID | None:
    calls = [call for vehicle_id in sorted(sheet.lines) for call in sheet.lines[vehicle_id].calls]
    return UUID(calls[number % len(calls)].uid) if calls else None


def do(sheet: Sheet, op: str, a: int, b: int, vehicle: int | None, last: bool) -> Sheet:
    """One edit drawn by numbers; a refused one leaves the sheet."""
    known = Known(
        vehicle_id=vehicle,
        delivery_id=(*DELIVERIES, NEW)[a % 5] if op in ("assign", "split") else None,
        courier_id=b % 3 + 1,
        usual_courier={one: one for one in TRUCKS},
        score=score,
        same_place=lambda one, two: one.kind == PICKUP,
    )
    edit = Edit(op, stop=uid_of(sheet, a), other=uid_of(sheet, b), before=None if last else uid_of(sheet, b), last=last)
    try:
        return change(sheet, edit, known)
    except DomainError:
        return sheet


def check(sheet: Sheet) -> None:
    loads: Counter[Any] = Counter()
    uids = [call.uid for one in sheet.lines.values() for call in one.calls]
    assert len(uids) == len(set(uids))
    for one in sheet.lines.values():
        assert one.calls, "a truck without stops is no line"
        for load in {call.load for call in one.calls}:
            assert [call.kind for call in one.calls if call.load == load] == [PICKUP, DROP]
            loads[load] += 1
    loads.update(item.load for item in sheet.left)
    assert set(loads.values()) == {1}, "a lot is in one place"
    for delivery in sheet.deliveries():
        lots = [load[1] for load in sorted(loads) if load[0] == delivery]
        assert lots == list(range(1, len(lots) + 1))
        assert {n for load, n in sheet.lots().items() if load[0] == delivery} == {len(lots)}
    assert set(DELIVERIES) <= sheet.deliveries(), "nothing is lost"
    drivers = [one.courier_id for one in sheet.lines.values() if one.courier_id is not None]
    assert len(drivers) == len(set(drivers)), "nobody drives two trucks"


EDITS = st.lists(
    st.tuples(
        st.sampled_from(OPS), st.integers(0, 30), st.integers(0, 30), st.sampled_from((None, *TRUCKS)), st.booleans()
    ),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(EDITS)
def test_any_sequence_keeps_the_rules_and_can_be_taken_back(edits: list[Any]) -> None:
    start = sheet = first()
    steps = []
    for op, a, b, vehicle, last in edits:
        after = do(sheet, op, a, b, vehicle, last)
        check(after)
        before, values = difference(sheet, after)
        assert as_json(patched(sheet, values)) == as_json(after)
        steps.append(before)
        sheet = after
    assert from_json(as_json(sheet)) == sheet
    assert left_from_json(left_as_json(sheet.left)) == sheet.left
    for before in reversed(steps):
        sheet = patched(sheet, before)
    assert as_json(sheet) == as_json(start)


def test_a_locked_lot_is_never_moved_by_others() -> None:
    """Edits of other stops may come between, but the locked ones stay on their truck in their order."""
    sheet = first()
    sheet = do(sheet, "lock", 0, 0, None, True)
    locked = [call.uid for call in sheet.lines[1].calls if call.locked]
    assert len(locked) == 2
    for op in ("move", "swap", "split", "join", "unassign"):
        for vehicle in (None, 2, 3):
            after = do(sheet, op, 0, 3, vehicle, True)
            assert [call.uid for call in after.lines[1].calls if call.uid in locked] == locked, op
