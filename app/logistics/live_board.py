"""The live board: every truck of a day's published plan, where it is, when it comes, and what needs the dispatcher."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.logistics import plan_views, rules, tracking, trouble
from app.logistics.models import Courier, Delivery, DeliveryAttempt, Route, RoutePlan, Stop
from app.logistics.plan_views import PlanHead, RouteView, StopView
from app.logistics.tracking import Place
from app.logistics.trouble import Trouble

OLD = timedelta(seconds=60)
"""An older position is shown as old."""
SILENT = timedelta(minutes=5)
"""A truck on its route that sends nothing for so long has no signal."""
SLOW_START = timedelta(minutes=10)
ALERTS = ("broken", "pin_locked", "failed", "refused", "late", "no_signal", "not_started")
"""What needs the dispatcher, the worst first."""
STATES = ("", "alert", "planned", "started", "finished")
OVER = ("done", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that needs the dispatcher. reason: why a stop failed."""

    code: str
    stop: StopView | None = None
    by: timedelta = timedelta(0)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Coming:
    """A stop ahead: when the truck will be there by what is known now, and how long after the window that is."""

    stop: StopView
    at: datetime
    late_by: timedelta


@dataclass(frozen=True, slots=True)
class TruckNow:
    """A truck of the board. age: of its last position."""

    route: RouteView
    phone: str
    position: Place | None
    age: timedelta | None
    done: int
    coming: tuple[Coming, ...]
    alerts: tuple[Alert, ...]

    @property
    def is_old(self) -> bool:
        """Whether the last position says little about now."""
        return self.age is not None and self.age > OLD

    @property
    def next(self) -> Coming | None:
        return self.coming[0] if self.coming else None

    @property
    def late(self) -> tuple[Coming, ...]:
        """Stops ahead that will be late."""
        return tuple(one for one in self.coming if one.late_by)

    @property
    def is_broken(self) -> bool:
        return any(alert.code == "broken" for alert in self.alerts)


@dataclass(frozen=True, slots=True)
class Board:
    """The board of a day; head None: nothing is published. counts: trucks by filter."""

    day: date
    head: PlanHead | None
    trucks: tuple[TruckNow, ...]
    counts: Mapping[str, int]

    @property
    def is_over(self) -> bool:
        """Every truck is back: nothing more will change."""
        return bool(self.counts[""]) and self.counts["finished"] == self.counts[""]


def board(carrier_id: int, day: date, state: str = "") -> Board:
    """The trucks of a carrier's published plan, those with alerts first; `state` is one of STATES."""
    found = session.scalar(
        sa.select(RoutePlan.public_id).where(
            RoutePlan.carrier_id == carrier_id, RoutePlan.day == day, RoutePlan.status == "published"
        )
    )
    if found is None:
        return Board(day, None, (), dict.fromkeys(STATES, 0))
    view, now = plan_views.plan(carrier_id, found), clock.now()
    facts = _Facts(carrier_id, day, found)
    trucks = sorted((facts.truck(route, now) for route in view.routes), key=_rank)
    counts = {code: sum(_is(truck, code) for truck in trucks) for code in STATES}
    return Board(day, view.head, tuple(truck for truck in trucks if _is(truck, state)), counts)


def _is(truck: TruckNow, state: str) -> bool:
    return not state or (bool(truck.alerts) if state == "alert" else truck.route.state == state)


def _rank(truck: TruckNow) -> tuple[int, int, str]:
    worst = min((ALERTS.index(alert.code) for alert in truck.alerts), default=len(ALERTS))
    return worst, ("started", "planned", "finished").index(truck.route.state), truck.route.vehicle_name


class _Facts:
    """What the plan itself does not say, read once for all trucks."""

    def __init__(self, carrier_id: int, day: date, plan: uuid.UUID) -> None:
        of_plan = sa.select(Route.id).join(RoutePlan, RoutePlan.id == Route.plan_id).where(RoutePlan.public_id == plan)
        self.positions = tracking.courier_positions(carrier_id)
        self.broken: dict[int, Trouble] = trouble.open_troubles(carrier_id, day)
        phones = sa.select(Courier.id, Courier.phone).where(Courier.carrier_id == carrier_id)
        self.phones = {row.id: row.phone for row in session.execute(phones)}
        self.locked = set(
            session.scalars(
                sa.select(Stop.delivery_id)
                .join(Delivery, Delivery.id == Stop.delivery_id)
                .where(
                    Stop.route_id.in_(of_plan), Delivery.pin_failures >= rules.PIN_TRIES,
                    Delivery.state.in_(rules.ON_THE_WAY),
                )
            )
        )  # fmt: skip
        self.attempts: dict[uuid.UUID, Any] = {
            row.public_id: row
            for row in session.execute(
                sa.select(Stop.public_id, DeliveryAttempt.reason, DeliveryAttempt.lines)
                .join(Stop, Stop.id == DeliveryAttempt.stop_id)
                .where(Stop.route_id.in_(of_plan))
                .order_by(DeliveryAttempt.id)
            )
        }

    def truck(self, route: RouteView, now: datetime) -> TruckNow:
        """A truck with what is known of it at this moment."""
        position = self.positions.get(route.courier_id) if route.courier_id is not None else None
        age = position.age(now) if position is not None else None
        coming = tuple(_coming(route, now))
        return TruckNow(
            route=route,
            phone=self.phones.get(route.courier_id, "") if route.courier_id is not None else "",
            position=position,
            age=age,
            done=sum(stop.state in OVER for stop in route.stops),
            coming=coming,
            alerts=tuple(sorted(self._alerts(route, coming, age, now), key=lambda a: ALERTS.index(a.code))),
        )

    def _alerts(
        self, route: RouteView, coming: Iterable[Coming], age: timedelta | None, now: datetime
    ) -> Iterable[Alert]:
        if route.vehicle_id in self.broken:
            yield Alert("broken", reason=self.broken[route.vehicle_id].note)
        for stop in route.stops:
            attempt = self.attempts.get(stop.public_id)
            if stop.kind == "drop" and stop.state not in OVER and stop.delivery_id in self.locked:
                yield Alert("pin_locked", stop)
            elif attempt is not None and _refused(attempt):
                yield Alert("refused", stop)
            elif stop.state == "failed":
                yield Alert("failed", stop, reason=attempt.reason if attempt is not None else "")
        for one in coming:
            if one.late_by:
                yield Alert("late", one.stop, one.late_by)
        if route.state == "started" and (age is None or age > SILENT):
            yield Alert("no_signal", by=age or timedelta(0))
        if route.state == "planned" and now > route.starts_at + SLOW_START:
            yield Alert("not_started", by=now - route.starts_at)


def _refused(attempt: Any) -> bool:
    return attempt.reason == "refused" or any(line.get("reason") == "refused" for line in attempt.lines)


def _coming(route: RouteView, now: datetime) -> Iterable[Coming]:
    """The stops ahead. A truck that should have been at its next one already is behind by at least that much."""
    if route.state == "finished":
        return
    ahead = [stop for stop in route.stops if stop.state not in OVER]
    behind = max(timedelta(0), now - route.starts_at) if route.state == "planned" else timedelta(0)
    if ahead and route.state == "started" and ahead[0].arrived_at is None:
        behind = max(timedelta(0), now - ahead[0].expected)
    for stop in ahead:
        at = stop.arrived_at or stop.expected + behind
        late = at - stop.window_to if stop.kind == "drop" else timedelta(0)
        yield Coming(stop, at, max(timedelta(0), late))
