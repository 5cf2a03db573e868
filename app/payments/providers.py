"""Card providers behind one interface. The market sees no card: the buyer types it on the provider's own page.

`status` and `refund` go over the network: only jobs call them, outside every transaction and lock.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.errors import Conflict, DomainError, NotFound

SAID = ("paid", "declined", "abandoned", "open", "unknown")


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit to the provider's page; `reference` is our name for it there. Kopeks."""

    reference: uuid.UUID
    amount: int
    number: str
    return_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider says of a visit: one of `SAID`. `event_id` is empty in an answer to a question."""

    reference: uuid.UUID
    said: str
    amount: int
    currency: str = "RUB"
    provider_ref: str = ""
    event_id: str = ""


class ProviderSilent(Exception):
    """The provider does not answer, answers late, or answers nonsense: ask again later."""


class WebhookRefused(DomainError):
    """`webhook_signature`, `webhook_old` or `webhook_malformed`: nothing of it is believed."""

    status = 400


class Provider(Protocol):
    """What a provider of card payments does."""

    name: str

    def start(self, visit: Visit) -> str:
        """The signed address of the page to send the buyer to. Without network."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> Told:
        """What a webhook says, when it comes from the provider and is fresh.

        Raises:
            WebhookRefused.
        """

    def status(self, reference: uuid.UUID) -> Told:
        """Ask what became of a visit.

        Raises:
            ProviderSilent.
        """

    def refund(self, reference: uuid.UUID, amount: int, key: str) -> None:
        """Give kopeks back to the card; the same key gives them back once.

        Raises:
            ProviderSilent.
        """


_present: Provider | None = None


def use(provider: Provider | None) -> None:
    """Name the provider of this process; None: cards are not taken. Called by create_app."""
    global _present
    _present = provider


def are_cards_taken() -> bool:
    """Whether a purchase can be paid by card."""
    return _present is not None


def present() -> Provider:
    """The provider.

    Raises:
        Conflict: `cards_not_taken`.
    """
    if _present is None:
        raise Conflict("cards_not_taken")
    return _present


def named(name: str) -> Provider:
    """The provider that calls itself so.

    Raises:
        NotFound: another one is used.
    """
    if _present is None or _present.name != name:
        raise NotFound()
    return _present
