"""A draft changed by hand: one command a change, steps that can be undone, an edit number that nobody overwrites."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.core import audit, clock
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound, Stale
from app.core.ids import uuid7
from app.core.permissions import Actor
from app.logistics import plan_rows, plans, rules
from app.logistics.models import Courier, Delivery, Route, RoutePlan, Stop, Vehicle
from app.logistics.plan_edit_models import PlanSheet, PlanStep
from app.logistics.plan_ops import OPS, Edit, Known, change
from app.logistics.plan_shape import PICKUP, Call, Sheet, difference, patched

if TYPE_CHECKING:  # brings the road graph: loaded when a plan is changed, not when the program starts
    from app.logistics.plan_problem import Day
    from app.logistics.plan_times import Fault, Timed
    from app.logistics.routing.problem import Problem
    from app.logistics.routing.roads import Matrix

MOST_EDITS = 50


@unit_of_work
def apply(actor: Actor, public_id: uuid.UUID, edits: Sequence[Edit], expected: int | None = None) -> int:
    """Make changes to a draft, all or none; each becomes a step. Returns the edit number after them.

    Args:
        expected: the edit number the dispatcher has seen; None does not ask.

    Raises:
        NotFound: the plan, a stop, delivery, truck or driver is absent or another carrier's.
        Stale: somebody changed the plan meanwhile; `version` is the present number, `changes` says who did what.
        Conflict: `plan_not_draft`; `plan_under_way`: it goes on with what trucks have begun; `delivery_state`; or what
            `plan_ops.change` refuses.
        Invalid: an unknown operation or too many of them, or what `plan_ops.change` refuses.
    """
    if not 1 <= len(edits) <= MOST_EDITS:
        raise Invalid.one("/operations", "out_of_range", minimum=1, maximum=MOST_EDITS)
    if any(edit.op not in OPS for edit in edits):
        raise Invalid.one("/operations", "unknown_option")
    work = _Work(actor, *_draft(actor, public_id, expected))
    wanted = _Named(actor.carrier_id, work.plan, edits)
    work.read(wanted.deliveries.values())
    for edit in edits:
        work.take(edit, wanted)
    return work.close()


@unit_of_work
def undo(actor: Actor, public_id: uuid.UUID, expected: int | None = None) -> int:
    """Take the last step in force back. Returns the edit number.

    Raises:
        NotFound, Stale, Conflict: as `apply`; `nothing_to_undo`.
    """
    return _again(actor, public_id, expected, back=True)


@unit_of_work
def redo(actor: Actor, public_id: uuid.UUID, expected: int | None = None) -> int:
    """Take the step that was undone last again. Returns the edit number.

    Raises:
        NotFound, Stale, Conflict: as `apply`; `nothing_to_redo`.
    """
    return _again(actor, public_id, expected, back=False)


def _again(actor: Actor, public_id: uuid.UUID, expected: int | None, *, back: bool) -> int:
    work = _Work(actor, *_draft(actor, public_id, expected))
    number = work.row.applied if back else work.row.applied + 1
    step = session.scalars(
        sa.select(PlanStep).where(PlanStep.plan_id == work.plan.id, PlanStep.number == number)
    ).one_or_none()
    if step is None:
        raise Conflict("nothing_to_undo" if back else "nothing_to_redo")
    after = patched(work.sheet, step.before if back else step.after)
    work.read(after.deliveries())
    work.sheet = after
    work.row.applied += -1 if back else 1
    work.row.edit += 1
    step.undone, step.edit, step.at = back, work.row.edit, clock.now()
    step.user_id, step.who = actor.user, actor.name
    return work.close()


@unit_of_work
def keep_as_new(actor: Actor, public_id: uuid.UUID) -> uuid.UUID:
    """The plan as it is now as the day's next version, a draft; this one stays as it is. Deliveries that have left the
    warehouse or are called off are not taken along.

    Raises:
        NotFound: absent, or another carrier's.
    """
    old = _own(actor, public_id)
    version = plans.take_version(actor.carrier_id, old.day)
    kept = session.get(PlanSheet, old.id)
    new = RoutePlan(
        carrier_id=old.carrier_id, day=old.day, version=version, solver=old.solver, quality=old.quality,
        unassigned=[], created_by_id=actor.user, created_at=old.created_at if old.status == "draft" else clock.now(),
    )  # fmt: skip
    session.add(new)
    session.flush()
    row = PlanSheet(plan_id=new.id, roads=kept.roads if kept else None, edit=1)
    session.add(row)
    work = _Work(actor, new, row)
    sheet = plan_rows.read(old)
    work.read(sheet.deliveries())
    work.sheet = _fresh(without(sheet, work.lost()))
    work.close()
    audit.record(actor, "route_plan.copied", "route_plan", new.id, after={"from": old.version, "version": version})
    return new.public_id


def _fresh(sheet: Sheet) -> Sheet:
    """The same with new ids: two plans never share a stop."""
    lines = {
        vehicle_id: replace(
            line, route=str(uuid7()), calls=tuple(replace(call, uid=str(uuid7())) for call in line.calls)
        )
        for vehicle_id, line in sheet.lines.items()
    }
    return replace(sheet, lines=lines)


def without(sheet: Sheet, deliveries: set[int]) -> Sheet:
    """The sheet without some deliveries."""
    for vehicle_id, line in list(sheet.lines.items()):
        calls = tuple(call for call in line.calls if call.delivery_id not in deliveries)
        sheet = sheet.with_line(vehicle_id, replace(line, calls=calls))
    return replace(sheet, left=tuple(item for item in sheet.left if item.delivery_id not in deliveries))


def refuse_broken(plan: RoutePlan) -> None:
    """Check a plan that was changed by hand once more, by what is true now. One that no hand touched was checked by
    the job that made it.

    Raises:
        Conflict: `plan_has_violations` with the list.
    """
    row = session.get(PlanSheet, plan.id)
    if row is None or not row.edit:
        return
    work = _Work(None, plan, row)
    work.read(work.sheet.deliveries())
    work.sheet = without(work.sheet, work.lost())
    faults = work.evaluate().faults
    if faults:
        raise Conflict("plan_has_violations", count=len(faults), violations=[work.named(fault) for fault in faults])


def _own(actor: Actor, public_id: uuid.UUID) -> RoutePlan:
    plan = session.scalars(
        sa.select(RoutePlan).where(RoutePlan.public_id == public_id, RoutePlan.carrier_id == actor.carrier_id)
    ).one_or_none()
    if plan is None:
        raise NotFound()
    return plan


def _draft(actor: Actor, public_id: uuid.UUID, expected: int | None) -> tuple[RoutePlan, PlanSheet]:
    """The draft, locked, with its sheet: whoever changes it at the same time waits here."""
    [plan] = lock_rows(RoutePlan, [_own(actor, public_id).id])
    if plan.status != "draft":
        raise Conflict("plan_not_draft", status=plan.status)
    under_way = (
        sa.select(Stop.id)
        .join(Route, Route.id == Stop.route_id)
        .join(Delivery, Delivery.id == Stop.delivery_id)
        .where(Route.plan_id == plan.id, sa.or_(Stop.state != "planned", Delivery.state.in_(rules.ON_THE_WAY)))
    )
    if plan.kind == "rest" or session.scalar(under_way.limit(1)) is not None:
        raise Conflict("plan_under_way")
    row = session.get(PlanSheet, plan.id, populate_existing=True)
    if row is None:
        row = PlanSheet(plan_id=plan.id, edit=0, applied=0)
        session.add(row)
    if expected is not None and expected != row.edit:
        raise Stale(version=row.edit, changes=[done.as_json() for done in steps(plan.id, after=expected)])
    return plan, row


@dataclass(frozen=True, slots=True)
class Done:
    """A step as it is told: who, when, what. edit: the number it led to; undone: it is not in force."""

    number: int
    kind: str
    details: dict[str, Any]
    who: str
    at: Any
    edit: int
    undone: bool

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "details": self.details, "who": self.who, "at": self.at.isoformat(),
                "undone": self.undone}  # fmt: skip


def steps(plan_id: int, after: int = -1, most: int = 20) -> list[Done]:
    """The newest steps of a plan, newest first; `after`: only those taken, undone or redone after that edit number."""
    columns = [getattr(PlanStep, name) for name in Done.__dataclass_fields__]
    rows = session.execute(
        sa.select(*columns)
        .where(PlanStep.plan_id == plan_id, PlanStep.edit > after)
        .order_by(PlanStep.edit.desc())
        .limit(most)
    )
    return [Done(*row) for row in rows]


class _Named:
    """The public ids that edits name, looked up at once; a foreign one is absent."""

    def __init__(self, carrier_id: int, plan: RoutePlan, edits: Sequence[Edit]) -> None:
        self.vehicles = self._ids(Vehicle, carrier_id, {edit.vehicle for edit in edits})
        self.couriers = self._ids(Courier, carrier_id, {edit.courier for edit in edits})
        wanted = {edit.delivery for edit in edits} - {None}
        rows = session.execute(
            sa.select(Delivery.public_id, Delivery.id, Delivery.day, Delivery.state).where(
                Delivery.carrier_id == carrier_id, Delivery.public_id.in_(wanted)
            )
        ).all() if wanted else []  # fmt: skip
        if len(rows) != len(wanted):
            raise NotFound()
        for row in rows:
            if row.day != plan.day or row.state not in rules.PLANNABLE:
                raise Conflict("delivery_state", state=row.state)
        self.deliveries: dict[uuid.UUID, int] = {row.public_id: row.id for row in rows}

    @staticmethod
    def _ids(table: type[Vehicle | Courier], carrier_id: int, wanted: set[uuid.UUID | None]) -> dict[uuid.UUID, int]:
        ids = wanted - {None}
        if not ids:
            return {}
        statement = sa.select(table.public_id, table.id).where(
            table.carrier_id == carrier_id, table.public_id.in_(ids), table.is_active
        )
        found = {row.public_id: row.id for row in session.execute(statement)}
        if len(found) != len(ids):
            raise NotFound()
        return found


class _Work:
    """A plan in the middle of a change: what was, what is, and what it takes to time it."""

    def __init__(self, actor: Actor | None, plan: RoutePlan, row: PlanSheet) -> None:
        self.actor, self.plan, self.row = actor, plan, row
        self.was = self.sheet = plan_rows.read(plan)
        self.day: Day
        self.roads: Matrix | None = None
        self._problems: dict[object, Problem] = {}

    def read(self, more: Any) -> None:
        """Read what the day has, once; `more`: deliveries beyond those of the plan."""
        from app.logistics import plan_problem, plan_roads

        ids = self.sheet.deliveries() | set(more)
        since = self.plan.created_at or clock.now()
        self.day = plan_problem.read_day(self.plan.carrier_id, self.plan.day, since, ids)
        if self.row.roads is not None:
            self.roads = plan_roads.unpack(self.row.roads)

    def lost(self) -> set[int]:
        """Deliveries of the day that may not be planned any more."""
        known = self.day.deliveries
        return {one for one in self.sheet.deliveries() | known.keys()
                if one not in known or known[one].state not in rules.PLANNABLE}  # fmt: skip

    def problem(self, sheet: Sheet) -> Problem:
        """The problem of a sheet; the same lots and drivers make the same one."""
        from app.logistics import plan_problem

        key = (
            tuple(sorted(sheet.lots().items())),
            tuple(sorted((v, line.courier_id or 0) for v, line in sheet.lines.items())),
        )
        if key not in self._problems:
            self._problems[key] = plan_problem.problem(self.day, sheet, self.roads)
        return self._problems[key]

    def score(self, sheet: Sheet, vehicle_id: int) -> tuple[int, int]:
        from app.logistics import plan_times

        return plan_times.score(self.problem(sheet), sheet, vehicle_id)

    def evaluate(self) -> Timed:
        from app.logistics import plan_times

        return plan_times.evaluate(self.problem(self.sheet), self.sheet)

    def same_place(self, one: Call, two: Call) -> bool:
        here, there = (self.day.deliveries[call.delivery_id].pickup for call in (one, two))
        return one.kind == PICKUP and (here["lat"], here["lon"]) == (there["lat"], there["lon"])

    def take(self, edit: Edit, named: _Named) -> None:
        """One edit, and the step that undoes it; an edit that changes nothing leaves none."""
        known = Known(
            vehicle_id=named.vehicles[edit.vehicle] if edit.vehicle else None,
            delivery_id=named.deliveries[edit.delivery] if edit.delivery else None,
            courier_id=named.couriers[edit.courier] if edit.courier else None,
            usual_courier=dict(self.day.usual),
            score=self.score,
            same_place=self.same_place,
        )
        after = change(self.sheet, edit, known)
        before, values = difference(self.sheet, after)
        if not values:
            return
        details = self._told(edit, known, after)
        self.sheet = after
        self.row.edit += 1
        self.row.applied += 1
        tail = sa.delete(PlanStep).where(PlanStep.plan_id == self.plan.id, PlanStep.number >= self.row.applied)
        session.execute(tail)
        assert self.actor is not None
        session.add(
            PlanStep(
                plan_id=self.plan.id, number=self.row.applied, kind=edit.op, details=details, before=before,
                after=values, edit=self.row.edit, user_id=self.actor.user, who=self.actor.name, at=clock.now(),
            )
        )  # fmt: skip

    def _told(self, edit: Edit, known: Known, after: Sheet) -> dict[str, Any]:
        """What people read of a step: the order's number, the lot, the trucks, the driver, by name."""
        found = self.sheet.where(str(edit.stop)) if edit.stop else None
        other = self.sheet.where(str(edit.other)) if edit.other else None
        delivery_id = found[1].delivery_id if found else known.delivery_id
        source = found[0] if found else None
        target = known.vehicle_id
        if edit.op == "move" and found is not None:
            target = after.truck_of(found[1].load)
        rows = self.day.deliveries
        facts: dict[str, Any] = {
            "number": rows[delivery_id].number if delivery_id and delivery_id in rows else None,
            "lot": found[1].lot if found and found[1].lots > 1 else edit.lot,
            "kind": found[1].kind if found else None,
            "from": self._truck(source),
            "to": self._truck(target),
            "other": rows[other[1].delivery_id].number if other else None,
            "driver": self._driver(known.courier_id),
        }
        return {name: value for name, value in facts.items() if value is not None}

    def named(self, fault: Fault) -> dict[str, Any]:
        """A fault for whoever was refused: names instead of our ids."""
        row = self.day.deliveries.get(fault.delivery_id or 0)
        return {
            "code": fault.code, "truck": self._truck(fault.vehicle_id), "number": row.number if row else None,
            "kind": fault.kind, "figures": dict(fault.figures),
        }  # fmt: skip

    def _truck(self, vehicle_id: int | None) -> str | None:
        known = None if vehicle_id is None else self.day.vehicles.get(vehicle_id)
        return known.name if known is not None else None

    def _driver(self, courier_id: int | None) -> str | None:
        known = None if courier_id is None else self.day.drivers.get(courier_id)
        return known.name if known is not None else None

    def close(self) -> int:
        """Time what has come of it and write it down."""
        found = self.evaluate()
        problem = self.problem(self.sheet)
        plan_rows.write(self.plan, self.was, self.sheet, plan_rows.Driven(self.day.day, problem, found))
        self._keep_roads(problem)
        self.row.faults = [fault.as_json() for fault in found.faults]
        session.flush()
        if self.actor is not None:
            audit.record(self.actor, "route_plan.changed", "route_plan", self.plan.id, after={"edit": self.row.edit})
        return self.row.edit

    def _keep_roads(self, problem: Problem) -> None:
        from app.logistics import plan_roads

        if problem.matrix is not self.roads:
            self.row.roads = plan_roads.pack(problem.matrix)
