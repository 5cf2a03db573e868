"""`plan(problem, seconds)`: VROOM builds, PyVRP polishes, the independent checker accepts. Runs in workers only."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.logistics.routing.build import DEEPER, build_orders
from app.logistics.routing.check import Violation, violations
from app.logistics.routing.insert import fits_one_truck, place_units
from app.logistics.routing.polish import polish_orders
from app.logistics.routing.problem import Order, Plan, Problem, RoutePlan, Shipment, Unassigned
from app.logistics.routing.reasons import why_impossible, why_left, why_parted
from app.logistics.routing.schedule import drive_trimmed, fits, order_of

log = logging.getLogger(__name__)

TELL_EVERY_S = 0.5
DEEPER_UP_TO = 400
DEEPER_FROM_S, DEEPER_S = 0.5, 8.0
"""Up to how many shipments a second, deeper building is tried; the least and the most seconds it is given."""
INSERT_S = 1.0
"""How long goods left over may be tried in every route of a new candidate."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a planning run stands: stage "build" or "polish", seconds gone, the best plan so far (None before any)."""

    stage: str
    elapsed_s: float
    cost_kop: int | None
    carried: int
    shipments: int


OnProgress = Callable[[Progress], bool]


class PlanRefused(RuntimeError):
    """The checker found the finished plan invalid: a defect of the planner, never shown as a plan."""

    def __init__(self, found: list[Violation]) -> None:
        super().__init__(f"{len(found)} violations, first: {found[0]}")
        self.violations = tuple(found)


def plan(
    problem: Problem,
    seconds: float,
    start_plan: Plan | None = None,
    on_progress: OnProgress | None = None,
    *,
    seed: int = 1,
    iterations: int | None = None,
) -> Plan:
    """The cheapest valid plan found in about `seconds`; every shipment is on a route or unassigned with a reason.

    Args:
        start_plan: an earlier plan of the same day; used as the start when it is better than a new one.
        on_progress: called about twice a second and at each better plan; returning False stops with the best plan.
        iterations: at most so many polishing steps, so that a run repeats exactly whatever the speed of the machine.

    Raises:
        PlanRefused: the result breaks a rule.
    """
    run = Run(problem, seconds, on_progress, seed, iterations)
    run.say("build")
    if run.open:
        if start_plan is not None:
            run.offer(run.orders_of(start_plan))
        run.build()
        run.polish()
    return run.result()


class Run:
    """One planning run: the clock, the shipments worth solving and the best plan so far."""

    def __init__(
        self,
        problem: Problem,
        seconds: float,
        on_progress: OnProgress | None = None,
        seed: int = 1,
        iterations: int | None = None,
    ) -> None:
        self.problem = problem
        self.began = time.monotonic()
        self.ends = self.began + seconds
        self.tell = on_progress or (lambda _progress: True)
        self.seed = seed
        self.left_iterations = iterations
        self.accepts: Callable[[Plan], bool] = lambda _candidate: True
        """A further condition on a new best plan."""
        self.impossible = _impossible(problem)
        hopeless = {reason.shipment_id for reason in self.impossible}
        self.open: list[Shipment] = [s for s in problem.shipments if s.id not in hopeless]
        self.best: Plan | None = None
        self.told_at = 0.0
        self.cancelled = False

    def result(self) -> Plan:
        """The best plan, once more before the checker.

        Raises:
            PlanRefused: it breaks a rule.
        """
        final = self.best or self.timed({})
        if found := violations(self.problem, final):
            raise PlanRefused(found)
        self.told_at = 0.0
        self.say("polish", final.cost_kop, self._carried(final))
        return final

    def build(self) -> None:
        """VROOM without breaks first: a day below the driving limit keeps its 45 minutes. Then once more, deeper."""
        for with_breaks in (False, True):
            orders = self._built(with_breaks, self.time_left() / 2)
            if orders is None:
                return
            self.offer(orders)
            if self.best is not None and not self._breaks_may_help(self.best):
                break
        seconds = min(0.8 * self.time_left(), DEEPER_S)
        if len(self.open) <= DEEPER_UP_TO and seconds >= DEEPER_FROM_S and not self.stopped():
            deeper = self._built(with_breaks, seconds, DEEPER)
            if deeper is not None:
                self.offer(deeper)

    def stopped(self) -> bool:
        """Whether the caller wants no more; asked between steps that cannot be interrupted."""
        self.told_at = 0.0
        if self.best is not None:
            self.say("build", self.best.cost_kop, self._carried(self.best))
        return self.cancelled or self.left_iterations == 0

    def _built(self, with_breaks: bool, seconds: float, level: int | None = None) -> dict[str, Order] | None:
        try:
            orders = build_orders(self.problem, self.open, seconds, with_breaks, level)
            if self._grouped():
                pinned = self.problem.pinned(self._trucks_of_groups(orders))
                kept = [pinned.shipment_by_id[s.id] for s in self.open]
                orders = build_orders(pinned, kept, seconds, with_breaks, level)
        except Exception as error:  # noqa: BLE001  # its binding raises plain Exception subclasses; the day must still be planned
            log.warning("vroom_failed: %r; PyVRP plans alone", error)
            return None
        return orders

    def _breaks_may_help(self, best: Plan) -> bool:
        """Goods are left and somebody drives so long that only a break would let him take more."""
        trucks = self.problem.truck_by_id
        near = any(
            10 * (route.driving_s + trucks[route.truck_id].driven_s) > 6 * trucks[route.truck_id].max_driving_s
            for route in best.routes
        )
        return near and self._carried(best) < len(self.open)

    def _grouped(self) -> bool:
        return any(self.problem.groups.get(s.together or "") for s in self.open)

    def _trucks_of_groups(self, orders: Mapping[str, Order]) -> dict[str, str]:
        """Shipment id -> truck for what must go together: the truck that takes most of it now, of those that can."""
        truck_of = {stop[1]: truck_id for truck_id, order in orders.items() for stop in order}
        chosen: dict[str, str] = {}
        for members in self._open_groups():
            able = [truck.id for truck in fits_one_truck(self.problem, members)]
            votes = Counter(truck_of[s.id] for s in members if truck_of.get(s.id) in able)
            if able:
                chosen |= dict.fromkeys((s.id for s in members), votes.most_common(1)[0][0] if votes else able[0])
        return chosen

    def _open_groups(self) -> list[tuple[Shipment, ...]]:
        known = {s.id for s in self.open}
        return [members for members in self.problem.groups.values() if all(s.id in known for s in members)]

    def polish(self, pins: Mapping[str, str] | None = None, until: float | None = None) -> Plan | None:
        """Improve the best plan until `until` (monotonic; None: the end of the run); pins hold shipments on trucks.

        Returns what came out, whether or not it became the best plan.
        """
        if self.time_left() <= 0 or self.cancelled:
            return None
        until = self.ends if until is None else min(until, self.ends)
        start = {} if self.best is None else {route.truck_id: order_of(route) for route in self.best.routes}
        cost, carried = (None, 0) if self.best is None else (self.best.cost_kop, self._carried(self.best))
        state: list[int | None] = [cost, carried]

        def on_better(new_cost: int, now_carried: int) -> None:
            state[0], state[1] = new_cost, now_carried

        def go_on() -> bool:
            self.say("polish", state[0], state[1] or 0)
            return self._may_step() and time.monotonic() < until

        held = dict(pins or {}) | self._pins_of_groups(start)
        problem = self.problem.pinned(held) if held else self.problem
        kept = [problem.shipment_by_id[s.id] for s in self._worth_polishing(held)]
        return self.offer(polish_orders(problem, kept, start, go_on, self.seed, on_better))

    def _pins_of_groups(self, orders: Mapping[str, Order]) -> dict[str, str]:
        """PyVRP knows no groups: each stays on the truck that has it."""
        truck_of = {stop[1]: truck_id for truck_id, order in orders.items() for stop in order}
        return {s.id: truck_of[s.id] for members in self._open_groups() for s in members if s.id in truck_of}

    def _worth_polishing(self, held: Mapping[str, str]) -> list[Shipment]:
        grouped = {s.id for members in self.problem.groups.values() for s in members}
        return [s for s in self.open if s.id not in grouped or s.id in held]

    def _may_step(self) -> bool:
        if self.left_iterations is not None:
            self.left_iterations -= 1
            if self.left_iterations < 0:
                return False
        return not self.cancelled and self.time_left() > 0

    def offer(self, orders: Mapping[str, Order]) -> Plan | None:
        """Keep these orders if they make a valid plan that carries more, or as much for less. Returns that plan."""
        candidate = self.timed(orders)
        if found := violations(self.problem, candidate):
            log.error("plan_refused: %s", found[:3])
            return None
        if (self.best is None or self.rank(candidate) < self.rank(self.best)) and self.accepts(candidate):
            self.best = candidate
            self.say("polish", candidate.cost_kop, self._carried(candidate))
        return candidate

    def rank(self, candidate: Plan) -> tuple[int, int, int]:
        """What is on board and not delivered counts most, then what is left, then kopeks."""
        aboard = sum(self.problem.shipment_by_id[u.shipment_id].on_board is not None for u in candidate.unassigned)
        return (aboard, len(candidate.unassigned), candidate.cost_kop)

    def _carried(self, candidate: Plan) -> int:
        return len(self.problem.shipments) - len(candidate.unassigned)

    def timed(self, orders: Mapping[str, Order]) -> Plan:
        """Timed routes of these orders, goods left over put in where they fit, reasons for the rest."""
        routes: dict[str, RoutePlan] = {}
        for truck in self.problem.trucks:
            order = tuple(
                stop for stop in orders.get(truck.id, ()) if fits(truck, self.problem.shipment_by_id[stop[1]])
            )
            route = drive_trimmed(self.problem, truck, order)
            if route is not None:
                routes[truck.id] = route
        self._whole_groups_only(routes)
        carried = {stop.shipment_id for route in routes.values() for stop in route.stops}
        units = [members for members in self._open_groups() if members[0].id not in carried]
        grouped = {s.id for members in self._open_groups() for s in members}
        units += [(s,) for s in self.open if s.id not in carried and s.id not in grouped]
        left = place_units(self.problem, routes, units, min(INSERT_S, max(0.2, self.time_left())))
        unassigned = [*self.impossible]
        for unit in left:
            if len(unit) == 1:
                unassigned.append(why_left(self.problem, unit[0], routes))
            else:
                unassigned += why_parted(self.problem, unit, bool(fits_one_truck(self.problem, unit)), {})
        in_order = tuple(routes[truck.id] for truck in self.problem.trucks if truck.id in routes)
        return Plan(in_order, tuple(unassigned), sum(route.cost_kop for route in in_order))

    def _whole_groups_only(self, routes: dict[str, RoutePlan]) -> None:
        """Take groups that are on two trucks, or only in part on one, off their routes."""
        trucks_of: dict[str, set[str]] = {}
        for route in routes.values():
            for stop in route.stops:
                trucks_of.setdefault(stop.shipment_id, set()).add(route.truck_id)
        off = {
            s.id
            for members in self.problem.groups.values()
            if len({frozenset(trucks_of.get(s.id, ())) for s in members}) > 1
            for s in members
        }
        for truck_id in {truck_id for shipment_id in off for truck_id in trucks_of.get(shipment_id, ())}:
            rest = tuple(stop for stop in order_of(routes[truck_id]) if stop[1] not in off)
            shorter = drive_trimmed(self.problem, self.problem.truck_by_id[truck_id], rest)
            if shorter is None:
                del routes[truck_id]
            else:
                routes[truck_id] = shorter

    def orders_of(self, start_plan: Plan) -> dict[str, Order]:
        """The orders of an earlier plan, without what this problem no longer holds."""
        known = {shipment.id for shipment in self.open}
        return {
            route.truck_id: tuple(stop for stop in order_of(route) if stop[1] in known)
            for route in start_plan.routes
            if route.truck_id in self.problem.truck_by_id
        }

    def time_left(self) -> float:
        """Seconds until the run should end."""
        return self.ends - time.monotonic()

    def say(self, stage: str, cost_kop: int | None = None, carried: int = 0) -> None:
        """Tell the caller where it stands, at most twice a second; False from him ends the run."""
        now = time.monotonic()
        if now - self.told_at < TELL_EVERY_S:
            return
        self.told_at = now
        if not self.tell(Progress(stage, now - self.began, cost_kop, carried, len(self.problem.shipments))):
            self.cancelled = True


def _impossible(problem: Problem) -> list[Unassigned]:
    """What no truck could carry, and what must go together with such goods."""
    alone = {s.id: reason for s in problem.shipments if (reason := why_impossible(problem, s)) is not None}
    found = dict(alone)
    for members in problem.groups.values():
        if any(s.id in alone for s in members):
            found |= {reason.shipment_id: reason for reason in why_parted(problem, members, False, alone)}
    return [found[s.id] for s in problem.shipments if s.id in found]
