"""Jobs of card payments: the only places that speak with the provider, outside every transaction."""

from __future__ import annotations

import uuid

import structlog

from app.core.db import session
from app.core.jobs import RunningJob
from app.orders import refunds
from app.payments import cards, providers
from app.payments.providers import ProviderSilent, Told

log = structlog.get_logger(__name__)


def ask(job: RunningJob) -> None:
    """Ask what became of a visit; again later while the provider is silent or undecided."""
    reference = uuid.UUID(job.payload["reference"])
    still_open = cards.is_open(reference)
    session.rollback()  # no transaction stays open while the network is waited for
    told = _asked(reference) if still_open else None

    def effect() -> None:
        if told is not None:
            cards.take_word(providers.present().name, told)
        cards.ask_again(reference)

    job.complete(effect)


def _asked(reference: uuid.UUID) -> Told | None:
    try:
        return providers.present().status(reference)
    except ProviderSilent as error:
        log.warning("card_provider_silent", error=str(error))
        return None


def give_back(job: RunningJob) -> None:
    """Return money to a card. Tried again until the provider answers; its key makes it happen once."""
    reference, amount = uuid.UUID(job.payload["reference"]), int(job.payload["amount"])
    providers.present().refund(reference, amount, key=str(job.public_id))

    def effect() -> None:
        cards.gave_back(reference, amount, of_refund="refund" in job.payload)
        if "refund" in job.payload:
            refunds.sent_back(job.payload["refund"], f"card:{reference}")

    job.complete(effect)


def refund_agreed(job: RunningJob) -> None:
    """A refund may be sent: to the card, if one paid."""
    job.complete(lambda: cards.send_refund(job.payload["entity_id"]))
