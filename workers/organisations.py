"""What an operator's word on a company does in the domains above accounts."""

from __future__ import annotations

from app.core.jobs import RunningJob
from app.logistics import service as logistics
from app.offers import sellers


def approved(job: RunningJob) -> None:
    """Open the selling or carrying side of an approved company."""
    given = job.payload

    def effect() -> None:
        if given["kind"] == "seller":
            sellers.open_seller(given["entity_id"], given["name"])
        elif given["kind"] == "carrier":
            logistics.open_carrier(given["entity_id"], given["name"])

    job.complete(effect)


def suspended(job: RunningJob) -> None:
    """Hide a suspended seller's offers, offer no more deliveries of a suspended carrier."""

    def effect() -> None:
        if job.payload["kind"] == "seller":
            sellers.close_seller(job.payload["entity_id"])
        elif job.payload["kind"] == "carrier":
            logistics.close_carrier(job.payload["entity_id"])

    job.complete(effect)
