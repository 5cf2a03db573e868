"""A plan of the rest of a day takes over the day under way: routes and stops that go on keep their identity.

Phones hold taps that name stops, proofs and attempts point at them, so the rows of the published plan move into the new
one; the plan that is put aside keeps copies of them as they were. Locks go routes, stops, as those of a courier's tap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import lock_rows, session
from app.core.errors import Conflict
from app.logistics.live_day import CURRENT, OVER
from app.logistics.models import Delivery, Route, RoutePlan, Stop

Key = tuple[int, str, int]
"""(delivery id, kind, lot)."""

_ROUTE_FIGURES = (
    "distance_m", "duration_s", "cost", "load_kg", "load_l", "ends_at", "break_from", "break_to", "geometry",
)  # fmt: skip
_BEFORE_START = ("courier_id", "starts_at")
_STOP_PLAN = tuple(
    name for name in ("lots", "planned_arrival", "planned_departure", "locked") if name in Stop.__table__.columns
)


def carry_over(new: RoutePlan, old: RoutePlan) -> None:
    """Move what goes on from the published plan `old` into the draft `new`. The caller holds the lock of the day.

    Raises:
        Conflict: `plan_outdated` with `numbers`: since the draft was made, a truck loaded, reached or finished what the
            draft gives to another or leaves out.
    """
    routes = lock_rows(Route, session.scalars(sa.select(Route.id).where(Route.plan_id == old.id)).all())
    stops = lock_rows(Stop, session.scalars(sa.select(Stop.id).where(Stop.route_id.in_([r.id for r in routes]))).all())
    drafts = lock_rows(Route, session.scalars(sa.select(Route.id).where(Route.plan_id == new.id)).all())
    planned = lock_rows(
        Stop, session.scalars(sa.select(Stop.id).where(Stop.route_id.in_([r.id for r in drafts]))).all()
    )
    day = _Day(new.created_at, routes, stops, drafts, planned)
    day.check()
    day.move(new.id, old.id)


@dataclass(slots=True)
class _Target:
    """A route of the new plan: its living row (None: the truck had none), its draft row, and its stops in order."""

    draft: Route
    living: Route | None
    stops: list[tuple[Stop, Stop | None]] = field(default_factory=list)
    """(the row that lives on, the draft row whose plan it takes or None)."""


class _Day:
    def __init__(
        self, made: datetime, routes: list[Route], stops: list[Stop], drafts: list[Route], planned: list[Stop]
    ) -> None:
        self.made = made
        self.routes, self.stops, self.drafts, self.planned = routes, stops, drafts, planned
        self.vehicle_of = {route.id: route.vehicle_id for route in routes}
        self.living = {route.vehicle_id: route for route in routes}
        self.wanted = {draft.vehicle_id: {_key(s): s for s in planned if s.route_id == draft.id} for draft in drafts}
        self.there = {(self.vehicle_of[s.route_id], _key(s)): s for s in stops}
        self.ahead = {_key(s): s for s in stops if s.state == "planned"}

    def check(self) -> None:
        """What is touched stays on its truck."""
        lost = [
            s for s in self.stops
            if s.state in CURRENT | {"done"} and _key(s) not in self.wanted.get(self.vehicle_of[s.route_id], {})
        ]  # fmt: skip
        loaded = {
            (s.delivery_id, s.lot): self.vehicle_of[s.route_id] for s in self.stops
            if s.kind == "pickup" and s.state in CURRENT | {"done"}
        }  # fmt: skip
        for draft in self.drafts:
            lost += [
                s for s in self.planned
                if s.route_id == draft.id and loaded.get((s.delivery_id, s.lot), draft.vehicle_id) != draft.vehicle_id
            ]  # fmt: skip
        driving = [r for r in self.routes if r.state == "started" and r.vehicle_id not in self.wanted]
        if lost or driving:
            numbers = session.scalars(
                sa.select(Delivery.number)
                .where(Delivery.id.in_({s.delivery_id for s in lost}))
                .order_by(Delivery.number)
            ).all()
            raise Conflict("plan_outdated", numbers=list(numbers))

    def move(self, new_id: int, old_id: int) -> None:
        before = {stop.id: _values(stop) for stop in self.stops}
        sequence = {stop.id: stop.sequence for stop in self.stops}
        targets = [self._target(draft) for draft in self.drafts]
        kept = {row.id for target in targets for row, _ in target.stops}
        for stop in [*self.stops, *self.planned]:
            stop.sequence = -stop.sequence - 1  # out of the way of the new numbers
        session.flush()
        for stop in self.planned:
            if stop.id not in kept:
                session.delete(stop)
        session.flush()
        for target in targets:
            home = target.living or target.draft
            for number, (row, plan) in enumerate(target.stops, start=1):
                _settle(row, plan, home, number)
        session.flush()
        copies = self._swap(targets, new_id, old_id)
        for stop in self.stops:
            where = copies.get(before[stop.id]["route_id"], before[stop.id]["route_id"])
            if stop.id in kept:
                session.add(Stop(**{**before[stop.id], "route_id": where}))
            else:
                stop.route_id, stop.sequence = where, sequence[stop.id]
        session.flush()
        for target in targets:
            _state_of_route(target)

    def _target(self, draft: Route) -> _Target:
        """Touched stops first, as they happened; then the draft's order of what is open."""
        target = _Target(draft, self.living.get(draft.vehicle_id))
        mine = self.wanted[draft.vehicle_id]
        touched = [
            s
            for (vehicle, key), s in self.there.items()
            if vehicle == draft.vehicle_id and s.state != "planned" and not (key in mine and self._tried_again(s, mine))
        ]
        touched.sort(key=lambda s: (s.state in CURRENT, _happened(s), s.sequence))
        target.stops = [(s, None) for s in touched]
        placed = {_key(s) for s in touched}
        for key, plan in sorted(mine.items(), key=lambda pair: pair[1].sequence):
            if key in placed or plan.state != "planned":
                continue
            row = self.there.get((draft.vehicle_id, key)) or self.ahead.get(key)
            target.stops.append((row, plan) if row is not None else (plan, None))
        return target

    def _tried_again(self, stop: Stop, mine: dict[Key, Stop]) -> bool:
        """The draft knew that loading failed and sends the truck again: pickup and drop are open once more."""
        pickup_key = (stop.delivery_id, "pickup", stop.lot)
        plan, there = mine.get(pickup_key), self.there.get((self.vehicle_of[stop.route_id], pickup_key))
        if plan is None or plan.state != "planned" or there is None or there.state != "failed":
            return False
        return there.completed_at is not None and there.completed_at < self.made

    def _swap(self, targets: list[_Target], new_id: int, old_id: int) -> dict[int, int]:
        """Living routes go to the new plan, copies of them to the old one; returns route id -> id of its copy."""
        copies: dict[int, int] = {}
        for target in targets:
            if target.living is None:
                continue
            values = _values(target.living)
            names = _ROUTE_FIGURES + (_BEFORE_START if target.living.state == "planned" else ())
            figures = {name: getattr(target.draft, name) for name in names}
            session.delete(target.draft)
            session.flush()
            target.living.plan_id = new_id
            for name, value in figures.items():
                setattr(target.living, name, value)
            session.flush()
            copy = Route(**{**values, "plan_id": old_id})
            session.add(copy)
            session.flush()
            copies[target.living.id] = copy.id
        return copies


def _key(stop: Stop) -> Key:
    return (stop.delivery_id, stop.kind, stop.lot)


def _happened(stop: Stop) -> datetime:
    return stop.completed_at or stop.arrived_at or stop.planned_arrival


def _settle(row: Stop, plan: Stop | None, home: Route, number: int) -> None:
    if plan is not None:
        for name in _STOP_PLAN:
            setattr(row, name, getattr(plan, name))
        row.eta = None
        if row.route_id != home.id or row.state != "planned":
            row.version += 1  # a tap by what the driver saw before is told of the change
        row.state, row.arrived_at, row.unloading_at, row.completed_at = "planned", None, None, None
    row.route_id, row.sequence = home.id, number


def _values(row: Route | Stop) -> dict[str, Any]:
    columns = type(row).__table__.columns
    return {c.name: getattr(row, c.name) for c in columns if c.name not in ("id", "public_id")}


def _state_of_route(target: _Target) -> None:
    """A truck with work again is under way again; one that has nothing left is done."""
    route = target.living
    if route is None:
        return
    still = any(row.state not in OVER for row, _ in target.stops)
    if route.state == "finished" and still:
        route.state, route.finished_at = "started", None
    elif route.state == "started" and not still:
        route.state, route.finished_at = "finished", clock.now()
