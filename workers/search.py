"""Rewrites what products are found by: of a section whose words changed, or of all."""

from __future__ import annotations

from app.catalog import dictionary
from app.core.jobs import RunningJob


def rebuild(job: RunningJob) -> None:
    """Safe to run twice and to be killed: batches are whole, and the next attempt writes them again."""
    done = dictionary.rebuild(job.payload.get("category"), job.progress)
    job.complete(lambda: {"products": done})
