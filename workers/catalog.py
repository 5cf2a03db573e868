"""Changes of attributes that touch many products."""

from __future__ import annotations

from app.catalog import attributes
from app.core.jobs import RunningJob


def change_attribute(job: RunningJob) -> None:
    """Safe to run twice and to be killed: batches are whole, and the next attempt goes on with what is left."""
    done = attributes.run(job.payload, job.progress)
    job.complete(lambda: {"products": done})
