"""`plan(problem, seconds)`: VROOM builds, PyVRP polishes, the independent checker accepts. Runs in workers only."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.logistics.routing.build import build_orders
from app.logistics.routing.check import Violation, violations
from app.logistics.routing.polish import polish_orders
from app.logistics.routing.problem import DROP, PICKUP, Plan, Problem, RoutePlan, Shipment, Unassigned
from app.logistics.routing.reasons import why_impossible, why_left
from app.logistics.routing.schedule import Order, drive, drive_trimmed, order_of

log = logging.getLogger(__name__)

TELL_EVERY_S = 0.5


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
    return _Run(problem, seconds, on_progress, seed, iterations).result(start_plan)


class _Run:
    """One planning run: the clock, the shipments worth solving and the best plan so far."""

    def __init__(
        self, problem: Problem, seconds: float, on_progress: OnProgress | None, seed: int, iterations: int | None
    ) -> None:
        self.problem = problem
        self.ends = time.monotonic() + seconds
        self.began = time.monotonic()
        self.tell = on_progress or (lambda _progress: True)
        self.seed = seed
        self.left_iterations = iterations
        self.impossible = [r for s in problem.shipments if (r := why_impossible(problem, s)) is not None]
        hopeless = {reason.shipment_id for reason in self.impossible}
        self.open: list[Shipment] = [s for s in problem.shipments if s.id not in hopeless]
        self.best: Plan | None = None
        self.told_at = 0.0
        self.cancelled = False

    def result(self, start_plan: Plan | None) -> Plan:
        self._say("build")
        if self.open:
            if start_plan is not None:
                self._offer(self._orders_of(start_plan))
            self._build()
            self._polish()
        final = self.best or self._plan({})
        if found := violations(self.problem, final):
            raise PlanRefused(found)
        self.told_at = 0.0
        self._say("polish", final.cost_kop, self._carried(final))
        return final

    def _build(self) -> None:
        """VROOM without breaks first: a day below the driving limit keeps its 45 minutes."""
        for with_breaks in (False, True):
            try:
                orders = build_orders(self.problem, self.open, self._time_left() / 2, with_breaks)
            except Exception as error:  # noqa: BLE001  # its binding raises plain Exception subclasses; the day must still be planned
                log.warning("vroom_failed: %r; PyVRP plans alone", error)
                return
            self._offer(orders)
            if self.best is not None and not self._breaks_may_help(self.best):
                return

    def _breaks_may_help(self, best: Plan) -> bool:
        """Goods are left and somebody drives so long that only a break would let him take more."""
        near = any(
            10 * route.driving_s > 6 * self.problem.truck_by_id[route.truck_id].max_driving_s for route in best.routes
        )
        return near and self._carried(best) < len(self.open)

    def _polish(self) -> None:
        if self._time_left() <= 0 or self.cancelled:
            return
        start = {} if self.best is None else {route.truck_id: order_of(route) for route in self.best.routes}
        cost, carried = (None, 0) if self.best is None else (self.best.cost_kop, self._carried(self.best))
        state: list[int | None] = [cost, carried]

        def on_better(new_cost: int, now_carried: int) -> None:
            state[0], state[1] = new_cost, now_carried

        def go_on() -> bool:
            self._say("polish", state[0], state[1] or 0)
            return self._may_step()

        self._offer(polish_orders(self.problem, self.open, start, go_on, self.seed, on_better))

    def _may_step(self) -> bool:
        if self.left_iterations is not None:
            self.left_iterations -= 1
            if self.left_iterations < 0:
                return False
        return not self.cancelled and self._time_left() > 0

    def _offer(self, orders: Mapping[str, Order]) -> None:
        """Keep these orders if they make a valid plan that carries more, or as much for less."""
        candidate = self._plan(orders)
        if self.best is not None and self._rank(candidate) >= self._rank(self.best):
            return
        if found := violations(self.problem, candidate):
            log.error("plan_refused: %s", found[:3])
            return
        self.best = candidate

    @staticmethod
    def _rank(candidate: Plan) -> tuple[int, int]:
        return (len(candidate.unassigned), candidate.cost_kop)

    def _carried(self, candidate: Plan) -> int:
        return len(self.problem.shipments) - len(candidate.unassigned)

    def _plan(self, orders: Mapping[str, Order]) -> Plan:
        """Timed routes of these orders, goods left over on idle trucks where they fit, reasons for the rest."""
        routes: dict[str, RoutePlan] = {}
        for truck in self.problem.trucks:
            route = drive_trimmed(self.problem, truck, orders.get(truck.id, ()))
            if route is not None:
                routes[truck.id] = route
        carried = {stop.shipment_id for route in routes.values() for stop in route.stops}
        left = [s for s in self.open if s.id not in carried]
        unassigned: list[Unassigned] = list(self.impossible)
        for shipment in left:
            alone = self._on_idle_truck(routes, shipment)
            if alone is not None:
                routes[alone.truck_id] = alone
            else:
                unassigned.append(why_left(self.problem, shipment))
        in_order = tuple(routes[truck.id] for truck in self.problem.trucks if truck.id in routes)
        return Plan(in_order, tuple(unassigned), sum(route.cost_kop for route in in_order))

    def _on_idle_truck(self, routes: Mapping[str, RoutePlan], shipment: Shipment) -> RoutePlan | None:
        trip: Order = ((PICKUP, shipment.id), (DROP, shipment.id))
        idle = [truck for truck in self.problem.trucks if truck.id not in routes]
        trips = [route for truck in idle if (route := drive(self.problem, truck, trip)) is not None]
        return min(trips, key=lambda route: route.cost_kop, default=None)

    def _orders_of(self, start_plan: Plan) -> dict[str, Order]:
        """The orders of an earlier plan, without what this problem no longer holds."""
        known = {shipment.id for shipment in self.open}
        return {
            route.truck_id: tuple(stop for stop in order_of(route) if stop[1] in known)
            for route in start_plan.routes
            if route.truck_id in self.problem.truck_by_id
        }

    def _time_left(self) -> float:
        return self.ends - time.monotonic()

    def _say(self, stage: str, cost_kop: int | None = None, carried: int = 0) -> None:
        now = time.monotonic()
        if now - self.told_at < TELL_EVERY_S:
            return
        self.told_at = now
        if not self.tell(Progress(stage, now - self.began, cost_kop, carried, len(self.problem.shipments))):
            self.cancelled = True
