"""Arrivals told and arrivals made are compared every five minutes."""

from __future__ import annotations

from app.core.jobs import RunningJob
from app.logistics import eta_samples


def sample(job: RunningJob) -> None:
    """Note what is told of the doors ahead, then compare with the arrivals known by now. Safe to repeat."""
    taken = eta_samples.take()
    compared = eta_samples.settle()
    job.complete(lambda: {"taken": taken, "compared": compared})
