"""The planning job: a carrier's day, or the rest of it, solved, checked and stored as one version of the plan.

The solvers are imported inside `plan` only; a worker that never plans never loads them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from app.core import clock
from app.core.jobs import RunningJob
from app.logistics import plans
from workers.routing_day import STEPS, Day, read_day, to_store
from workers.routing_rest import read_rest, rest_to_store, with_late_goods


def plan(job: RunningJob) -> None:
    """Make one version of the plan of a day. Running twice or dying half-way leaves exactly one plan.

    A job that is asked to stop keeps the best plan found so far; its result says `cancelled`.
    """
    from app.logistics.routing import check

    payload = job.payload
    seconds = float(payload["seconds"])
    job.progress(2, STEPS, "roads")
    day = _read(payload)
    cancelled = False

    def tell(progress: Any) -> bool:
        nonlocal cancelled
        share = min(1.0, progress.elapsed_s / seconds)
        cost = "" if progress.cost_kop is None else f" cost={progress.cost_kop}"
        words = f"{progress.stage}{cost} carried={progress.carried} of={progress.shipments}"
        go_on = job.progress(5 + round(85 * share), STEPS, words)
        cancelled = cancelled or not go_on
        return go_on

    day, found = _solved(day, seconds, tell)
    broken = check.violations(day.problem, found)
    if broken:
        raise RuntimeError(f"the checker refuses the plan: {broken[:3]}")
    job.progress(95, STEPS, "streets")
    new = to_store(day, found) if day.rest is None else rest_to_store(day, found)
    stopped = {"cancelled": True} if cancelled else {}
    job.complete(lambda: plans.store(new, job.public_id, job.user_id) | stopped)


def _read(payload: dict[str, Any]) -> Day:
    day = date.fromisoformat(payload["day"])
    if payload.get("parent") is None:
        return read_day(payload["carrier_id"], day, payload["deliveries"], payload["vehicles"])
    now = datetime.fromisoformat(payload["now"]) if payload.get("now") else clock.now()
    return read_rest(payload["carrier_id"], day, payload["parent"], now, payload["deliveries"], payload["broken"])


def _solved(day: Day, seconds: float, tell: Any) -> tuple[Day, Any]:
    """The day and its plan; of the rest of a day, goods on board that would stay there are brought late instead."""
    from app.logistics.routing import rest, solve

    if day.rest is None:
        return day, solve.plan(day.problem, seconds, on_progress=tell)
    found = rest.replan(day.problem, seconds, day.rest.orders, on_progress=tell)
    late = with_late_goods(day, found)
    if late is not None:
        day = late
        found = rest.replan(day.problem, min(seconds, 5.0), day.rest.orders if day.rest else {}, on_progress=tell)
    return day, found
