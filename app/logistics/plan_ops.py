"""What a dispatcher may do to a plan by hand. Pure: a sheet in, a sheet out; refusals are codes.

Two rules hold on every sheet and cannot be broken: both stops of a lot are on one truck, and loading comes before
unloading. Everything else (windows, mass, equipment, shifts) may be broken on a draft and is shown by `plan_times`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import uuid7
from app.logistics.plan_shape import DROP, PICKUP, Call, Left, Line, Lot, Sheet

MOST_LOTS = 6
OPS = ("move", "swap", "lock", "unlock", "split", "join", "assign", "unassign", "courier")


@dataclass(frozen=True, slots=True)
class Edit:
    """One change asked for. Which fields an operation reads: see `change`."""

    op: str
    stop: UUID | None = None
    other: UUID | None = None
    delivery: UUID | None = None
    lot: int | None = None
    vehicle: UUID | None = None
    before: UUID | None = None
    last: bool = False
    courier: UUID | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the operation needs to know beside the sheet.

    score: how bad a truck's day of a sheet is (faults, kopeks): the less the better. same_place: whether two loadings
    are at one warehouse.
    """

    vehicle_id: int | None
    delivery_id: int | None
    courier_id: int | None
    usual_courier: dict[int, int]
    score: Callable[[Sheet, int], tuple[int, int]]
    same_place: Callable[[Call, Call], bool]


def change(sheet: Sheet, edit: Edit, known: Known) -> Sheet:
    """The sheet after one edit.

    move: `stop` before stop `before`, or `last`, of `vehicle` (its own when None). On another truck the other stop of
        the lot comes along to where it costs least; without a place both go where they cost least.
    swap: the lots of `stop` and `other` change places. lock, unlock: the lot of `stop`.
    split: the delivery of `stop`, or `delivery`, goes in one lot more; the new one onto `vehicle`, or is left.
    join: the delivery of `stop` goes in one lot again, where `stop` is.
    assign: lot `lot` of `delivery` onto `vehicle`; unassign: the lot of `stop` off its truck.
    courier: `vehicle` is driven by `courier`; when that one drives another truck of the plan, the two change over.

    Raises:
        NotFound: the stop or delivery is not in the plan.
        Conflict: `stop_locked`, `loading_first`, `same_lot`, `lot_carried`.
        Invalid: `required`, `lots_range`.
    """
    return _DO[edit.op](sheet, edit, known)


def _called(sheet: Sheet, uid: UUID | None, pointer: str, *, free: bool = True) -> tuple[int, Call]:
    if uid is None:
        raise Invalid.one(pointer, "required")
    found = sheet.where(str(uid))
    if found is None:
        raise NotFound()
    if free and found[1].locked:
        raise Conflict("stop_locked")
    return found


def _move(sheet: Sheet, edit: Edit, known: Known) -> Sheet:
    source, call = _called(sheet, edit.stop, "/stop")
    target = source if known.vehicle_id is None else known.vehicle_id
    if edit.before is None and not edit.last:
        return _put(_without(sheet, {call.load}), _pair(sheet, call.load), target, known)
    line = sheet.lines.get(target)
    calls = list(line.calls) if line is not None else []
    before = None
    if edit.before is not None and edit.before != edit.stop:
        before = next((c for c in calls if c.uid == str(edit.before)), None)
        if before is None:
            raise NotFound()
    if edit.before == edit.stop:
        return sheet
    if target == source:
        calls.remove(call)
        calls.insert(calls.index(before) if before else len(calls), call)
        _in_order(calls, call.load)
        assert line is not None
        return sheet.with_line(source, replace(line, calls=tuple(calls)))
    pair = _pair(sheet, call.load)
    at = calls.index(before) if before else len(calls)
    calls.insert(at, call)
    return _put(_without(sheet, {call.load}), pair, target, known, fixed=(call.kind, calls))


def _in_order(calls: Sequence[Call], load: Lot) -> None:
    kinds = [c.kind for c in calls if c.load == load]
    if kinds != [PICKUP, DROP]:
        raise Conflict("loading_first")


def _pair(sheet: Sheet, load: Lot) -> tuple[Call, Call]:
    vehicle_id = sheet.truck_of(load)
    assert vehicle_id is not None
    up, down = (c for c in sheet.lines[vehicle_id].calls if c.load == load)
    return up, down


def _without(sheet: Sheet, loads: set[Lot]) -> Sheet:
    """The sheet without these lots, wherever they are."""
    for vehicle_id, line in list(sheet.lines.items()):
        kept = tuple(c for c in line.calls if c.load not in loads)
        if len(kept) != len(line.calls):
            sheet = sheet.with_line(vehicle_id, replace(line, calls=kept))
    return replace(sheet, left=tuple(item for item in sheet.left if item.load not in loads))


def _put(
    sheet: Sheet, pair: tuple[Call, Call], vehicle_id: int, known: Known, fixed: tuple[str, list[Call]] | None = None
) -> Sheet:
    """Both stops of a lot onto a truck where its day becomes least bad; `fixed`: one of them stands already."""
    line = sheet.lines.get(vehicle_id) or Line(str(uuid7()), _free_driver(sheet, vehicle_id, known), ())
    tried = _both(line.calls, pair, known) if fixed is None else _one(pair, *fixed)
    sheets = [sheet.with_line(vehicle_id, replace(line, calls=tuple(calls))) for calls in tried]
    return sheets[0] if len(sheets) == 1 else min(sheets, key=lambda one: known.score(one, vehicle_id))


def _free_driver(sheet: Sheet, vehicle_id: int, known: Known) -> int | None:
    """The truck's driver of the day, unless another truck of the plan has him by now: then somebody must be named."""
    usual = known.usual_courier.get(vehicle_id)
    return None if usual in {line.courier_id for line in sheet.lines.values()} else usual


def _one(pair: tuple[Call, Call], kind: str, calls: list[Call]) -> list[list[Call]]:
    up, down = pair
    if kind == DROP:
        end = calls.index(down)
        return [[*calls[:at], up, *calls[at:]] for at in range(end + 1)]
    start = calls.index(up) + 1
    return [[*calls[:at], down, *calls[at:]] for at in range(start, len(calls) + 1)]


def _both(calls: Sequence[Call], pair: tuple[Call, Call], known: Known) -> list[list[Call]]:
    """Every place for unloading; loading first of all, where the same warehouse is visited anyway (the first time or
    the last), or just before.
    """
    up, down = pair
    found = []
    for end in range(len(calls) + 1):
        here = [at + 1 for at in range(end) if known.same_place(calls[at], up)]
        starts = {0, end, *here[:1], *here[-1:]}
        found += [[*calls[:at], up, *calls[at:end], down, *calls[end:]] for at in sorted(starts)]
    return found


def _swap(sheet: Sheet, edit: Edit, known: Known) -> Sheet:
    _, one = _called(sheet, edit.stop, "/stop")
    _, two = _called(sheet, edit.other, "/other")
    if one.load == two.load:
        raise Conflict("same_lot")
    into = {
        old.uid: new
        for old, new in zip(
            (*_pair(sheet, one.load), *_pair(sheet, two.load)),
            (*_pair(sheet, two.load), *_pair(sheet, one.load)),
            strict=True,
        )
    }
    for vehicle_id, line in list(sheet.lines.items()):
        sheet = sheet.with_line(vehicle_id, replace(line, calls=tuple(into.get(c.uid, c) for c in line.calls)))
    return sheet


def _lock(sheet: Sheet, edit: Edit, known: Known) -> Sheet:
    vehicle_id, call = _called(sheet, edit.stop, "/stop", free=False)
    line = sheet.lines[vehicle_id]
    calls = tuple(replace(c, locked=edit.op == "lock") if c.load == call.load else c for c in line.calls)
    return sheet.with_line(vehicle_id, replace(line, calls=calls))


def _split(sheet: Sheet, edit: Edit, known: Known) -> Sheet:
    delivery_id = known.delivery_id if edit.stop is None else _called(sheet, edit.stop, "/stop")[1].delivery_id
    loads = sheet.loads_of(delivery_id) if delivery_id is not None else []
    if not loads or delivery_id is None:
        raise NotFound()
    lots = len(loads) + 1
    if lots > MOST_LOTS:
        raise Invalid.one("/stop", "lots_range", maximum=MOST_LOTS)
    sheet = _in_lots(sheet, delivery_id, lots)
    new = Left(delivery_id, lots, lots)
    if known.vehicle_id is None:
        return replace(sheet, left=(*sheet.left, new))
    return _put(sheet, _new_pair(new), known.vehicle_id, known)


def _in_lots(sheet: Sheet, delivery_id: int, lots: int) -> Sheet:
    """The delivery counts so many lots from now on; refused while one of them is locked."""
    for vehicle_id, line in list(sheet.lines.items()):
        if any(c.locked and c.delivery_id == delivery_id for c in line.calls):
            raise Conflict("stop_locked")
        calls = tuple(replace(c, lots=lots) if c.delivery_id == delivery_id else c for c in line.calls)
        sheet = sheet.with_line(vehicle_id, replace(line, calls=calls))
    left = tuple(replace(i, lots=lots) if i.delivery_id == delivery_id else i for i in sheet.left)
    return replace(sheet, left=left)


def _new_pair(left: Left) -> tuple[Call, Call]:
    up = Call(str(uuid7()), PICKUP, left.delivery_id, left.lot, left.lots)
    return up, replace(up, uid=str(uuid7()), kind=DROP)


def _join(sheet: Sheet, edit: Edit, known: Known) -> Sheet:
    _, call = _called(sheet, edit.stop, "/stop")
    loads = sheet.loads_of(call.delivery_id)
    if len(loads) == 1:
        return sheet
    sheet = _in_lots(_without(sheet, set(loads) - {call.load}), call.delivery_id, 1)
    for vehicle_id, line in list(sheet.lines.items()):
        calls = tuple(replace(c, lot=1) if c.delivery_id == call.delivery_id else c for c in line.calls)
        sheet = sheet.with_line(vehicle_id, replace(line, calls=calls))
    return sheet


def _assign(sheet: Sheet, edit: Edit, known: Known) -> Sheet:
    if known.delivery_id is None or known.vehicle_id is None:
        raise Invalid.one("/delivery" if known.delivery_id is None else "/vehicle", "required")
    lots = sheet.lots()
    present = sheet.loads_of(known.delivery_id)
    waiting = {item.load: item for item in sheet.left if item.delivery_id == known.delivery_id}
    if present and not waiting:
        raise Conflict("lot_carried")
    wanted = (known.delivery_id, edit.lot or (min(waiting)[1] if waiting else 1))
    item = waiting.get(wanted)
    if item is None and (present or wanted[1] != 1):
        raise Conflict("lot_carried") if wanted in lots else NotFound()
    pair = _new_pair(item or Left(known.delivery_id))
    sheet = _without(sheet, {wanted})
    if edit.before is None and not edit.last:
        return _put(sheet, pair, known.vehicle_id, known)
    line = sheet.lines.get(known.vehicle_id)
    calls = list(line.calls) if line is not None else []
    before = next((c for c in calls if c.uid == str(edit.before)), None)
    if edit.before is not None and before is None:
        raise NotFound()
    calls.insert(calls.index(before) if before else len(calls), pair[1])
    return _put(sheet, pair, known.vehicle_id, known, fixed=(DROP, calls))


def _unassign(sheet: Sheet, edit: Edit, known: Known) -> Sheet:
    _, call = _called(sheet, edit.stop, "/stop")
    sheet = _without(sheet, {call.load})
    return replace(sheet, left=(*sheet.left, Left(call.delivery_id, call.lot, call.lots)))


def _courier(sheet: Sheet, edit: Edit, known: Known) -> Sheet:
    if known.vehicle_id is None or known.courier_id is None:
        raise Invalid.one("/vehicle" if known.vehicle_id is None else "/courier", "required")
    line = sheet.lines.get(known.vehicle_id)
    if line is None:
        raise NotFound()
    for vehicle_id, other in list(sheet.lines.items()):
        if other.courier_id == known.courier_id and vehicle_id != known.vehicle_id:
            sheet = sheet.with_line(vehicle_id, replace(other, courier_id=line.courier_id))
    return sheet.with_line(known.vehicle_id, replace(line, courier_id=known.courier_id))


_DO: dict[str, Callable[[Sheet, Edit, Known], Sheet]] = {
    "move": _move, "swap": _swap, "lock": _lock, "unlock": _lock, "split": _split, "join": _join, "assign": _assign,
    "unassign": _unassign, "courier": _courier,
}  # fmt: skip
