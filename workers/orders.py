"""Jobs of ordering: facts of carrying move the trips, and buyers are told by mail."""

from __future__ import annotations

from app.accounts import queries as accounts
from app.core import mail
from app.core.jobs import RunningJob
from app.orders import fulfilments, paying, queries

_MAILS = {
    "order_accepted": "order_accepted",
    "order_rejected": "order_rejected",
    "order_expired": "order_rejected",
    "order_completed": "order_completed",
}


def delivery_handed_over(job: RunningJob) -> None:
    """The courier has loaded a trip."""
    facts = job.payload
    job.complete(lambda: fulfilments.handed_over(facts["fulfilment_id"], facts.get("user_id")))


def delivery_on_the_way(job: RunningJob) -> None:
    """A trip has left the warehouse."""
    facts = job.payload
    job.complete(lambda: fulfilments.on_the_way(facts["fulfilment_id"], facts.get("user_id")))


def delivery_completed(job: RunningJob) -> None:
    """A trip was at the door."""
    facts = job.payload
    job.complete(
        lambda: fulfilments.complete(
            facts["fulfilment_id"],
            facts["outcome"],
            facts.get("reason", ""),
            facts.get("lines", []),
            facts.get("cash_counted"),
            facts.get("user_id"),
        )
    )


def payment_paid(job: RunningJob) -> None:
    """The money of a purchase is there."""
    job.complete(lambda: paying.payment_paid(job.payload["entity_id"]))


def tell_buyer(job: RunningJob) -> None:
    """Mail the buyer of an order that was accepted, refused or completed."""
    template = _MAILS[job.kind.partition(".")[2]]

    def effect() -> None:
        facts = queries.mail_facts(job.payload["entity_id"])
        if facts is not None:
            person = accounts.profile(facts.user_id)
            mail.queue(
                person.email,
                template,
                person.locale,
                name=facts.contact_name,
                number=facts.number,
                group=facts.group_number,
                seller=facts.seller_name,
                reason=facts.reason,
                total=facts.total,
            )

    job.complete(effect)
