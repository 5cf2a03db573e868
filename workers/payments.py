"""Jobs of money."""

from __future__ import annotations

from app.core.jobs import RunningJob
from app.payments import payouts


def pay_out(job: RunningJob) -> None:
    """Make the payouts of a run."""
    payouts.run(job)
