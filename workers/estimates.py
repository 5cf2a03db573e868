"""Prices an estimate: reads, chooses, writes the result together with `done`."""

from __future__ import annotations

from app.core.db import session
from app.core.jobs import RunningJob
from app.estimates import queries, service
from app.estimates.pricing import price as find_prices
from app.estimates.service import Item, materials

SHOW_EVERY = 5


def price(job: RunningJob) -> None:
    """Safe to run twice: the lines are written by key, not added. A job that a later one replaced writes nothing."""
    estimate_id = job.payload["estimate"]
    task = queries.task(estimate_id)
    if task is None:
        job.complete()
        return
    lines = materials([Item(i["assembly"], i["inputs"]) for i in task.items], task.choices)
    job.progress(0, len(lines))

    def show(done: int, total: int) -> None:
        if done % SHOW_EVERY == 0:
            job.progress(done, total)

    found = find_prices(lines, task.choices, show)
    session.rollback()  # the reads are over; the effect is a transaction of its own
    job.complete(lambda: service.write_prices(estimate_id, job.public_id, found))
