"""The schedule: fires timers that are due and queues the regular jobs, each once per period whoever asks."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from app.core import clock, jobs, timers
from app.core.db import unit_of_work
from app.logistics import eta_samples
from app.offers.imports import feeds
from app.payments import payouts
from workers.process import make_app, repeat

POLL_SECONDS = 1.0

DAILY = ("housekeeping.daily",)
"""Job kinds queued once a day; the dedupe key is the day, so two schedules queue one."""


@unit_of_work
def queue_daily() -> None:
    """Queue today's regular jobs, and those of the week and of these five minutes, unless they are queued already."""
    for kind in DAILY:
        jobs.enqueue(kind, {}, queue="slow", dedupe_key=f"{kind}:{clock.today()}", delay=timedelta(seconds=30))
    payouts.queue_weekly()
    eta_samples.queue()


def tick() -> bool:
    """One look at the clock. True when something was due."""
    queue_daily()
    return timers.fire_due() + feeds.queue_due() > 0


def main(app: Flask) -> None:
    """Run until told to stop."""
    repeat(app, tick, POLL_SECONDS)


if __name__ == "__main__":
    main(make_app())
