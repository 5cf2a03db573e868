"""What an operator's word on a company does in the domains above accounts."""

from __future__ import annotations

from app.accounts import company_queries
from app.core import mail
from app.core.jobs import RunningJob
from app.logistics import service as logistics
from app.offers import selling


def approved(job: RunningJob) -> None:
    """Open the selling or carrying side of an approved company."""
    given = job.payload

    def effect() -> None:
        if given["kind"] == "seller":
            selling.open_seller(given["entity_id"], given["name"])
        elif given["kind"] == "carrier":
            logistics.open_carrier(given["entity_id"], given["name"])

    job.complete(effect)


def suspended(job: RunningJob) -> None:
    """Hide a suspended seller's offers, offer no more deliveries of a suspended carrier."""

    def effect() -> None:
        if job.payload["kind"] == "seller":
            selling.settle(job.payload["entity_id"])
        elif job.payload["kind"] == "carrier":
            logistics.close_carrier(job.payload["entity_id"])

    job.complete(effect)


def agreed(job: RunningJob) -> None:
    """A seller that was paused for an unsigned agreement sells again."""
    job.complete(lambda: selling.settle(job.payload["entity_id"]))


def tell_state(job: RunningJob) -> None:
    """Mail the owners what the operator decided, with the notes."""
    _tell_owners(job, "company_state", "name", "status", "note")


def tell_bank(job: RunningJob) -> None:
    """Mail the owners that somebody wants the company's money elsewhere."""
    _tell_owners(job, "company_bank", "name", "account")


def _tell_owners(job: RunningJob, template: str, *told: str) -> None:
    values = {f"company_{key}": job.payload[key] for key in told}

    def effect() -> None:
        for owner in company_queries.owners(job.payload["entity_id"]):
            mail.queue(owner.email, template, owner.locale, person=owner.name, **values)

    job.complete(effect)
