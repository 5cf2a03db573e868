"""Two plans side by side: what each costs, and which delivery goes where in each."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from app.core.errors import NotFound
from app.logistics import plan_views
from app.logistics.plan_views import PlanView


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plan puts a lot: the truck, which of its drops it is, when the truck comes. late_s: after the window."""

    vehicle: str
    number: int
    arrival: datetime
    late_s: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A lot that the two plans treat differently; None: no truck takes it there."""

    delivery: uuid.UUID
    number: str
    lot: int
    a: Place | None
    b: Place | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of both plans; kind: money, metres, seconds or count. Less is better unless `more` says otherwise."""

    name: str
    kind: str
    a: int
    b: int
    more: bool = False

    @property
    def tone(self) -> str:
        """Whether b is the better one: ok, bad or nothing."""
        if self.a == self.b:
            return ""
        return "ok" if (self.b > self.a) is self.more else "bad"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two plans of one carrier."""

    a: PlanView
    b: PlanView
    figures: tuple[Figure, ...]
    moved: tuple[Moved, ...]
    same: int
    """How many lots are on the same truck with the same number in both."""


def compare(carrier_id: int, a: uuid.UUID, b: uuid.UUID) -> Comparison:
    """Compare two plans of this carrier.

    Raises:
        NotFound: one of them is absent or another carrier's.
    """
    one, two = plan_views.plan(carrier_id, a), plan_views.plan(carrier_id, b)
    here, there = _places(one), _places(two)
    numbers = {(s.delivery, s.lot): s.number for view in (one, two) for r in view.routes for s in r.drops}
    for view in (one, two):
        numbers |= {(left.delivery, int(left.context.get("lot", 1))): left.number for left in view.left}
    moved, same = [], 0
    for key in sorted(numbers, key=lambda k: (numbers[k], k[1])):
        was, is_now = here.get(key), there.get(key)
        if was is not None and is_now is not None and (was.vehicle, was.number) == (is_now.vehicle, is_now.number):
            same += 1
        elif was is not None or is_now is not None:
            moved.append(Moved(key[0], numbers[key], key[1], was, is_now))
    return Comparison(one, two, _figures(one, two), tuple(moved), same)


def version_before(carrier_id: int, plan: uuid.UUID) -> uuid.UUID:
    """The version of the same day before this one.

    Raises:
        NotFound: the plan is absent or another carrier's, or it is the first.
    """
    head = plan_views.plan(carrier_id, plan).head
    older = [one for one in plan_views.heads(carrier_id, head.day) if one.version < head.version]
    if not older:
        raise NotFound()
    return older[0].public_id


def _places(view: PlanView) -> dict[tuple[uuid.UUID, int], Place]:
    return {
        (drop.delivery, drop.lot): Place(
            route.vehicle_name, number, drop.planned_arrival,
            max(0, int((drop.planned_arrival - drop.window_to).total_seconds())),
        )
        for route in view.routes
        for number, drop in enumerate(route.drops, start=1)
    }  # fmt: skip


def _figures(a: PlanView, b: PlanView) -> tuple[Figure, ...]:
    def late(view: PlanView) -> int:
        return sum(place.late_s > 0 for place in _places(view).values())

    return (
        Figure("cost", "money", a.head.cost, b.head.cost),
        Figure("distance", "metres", a.head.distance_m, b.head.distance_m),
        Figure("duration", "seconds", a.head.duration_s, b.head.duration_s),
        Figure("trucks", "count", len(a.routes), len(b.routes)),
        Figure("deliveries", "count", a.deliveries, b.deliveries, more=True),
        Figure("left", "count", len(a.left), len(b.left)),
        Figure("late", "count", late(a), late(b)),
    )
