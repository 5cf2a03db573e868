"""Facts that accounts publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.core.events import Event


@dataclass(frozen=True, slots=True)
class OrganisationEvent(Event):
    """A company came into a state; entity_id is the organisation's. `note`: the operator's words to the company."""

    entity: ClassVar[str] = "organisation"
    kind: str = ""
    name: str = ""
    status: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class OrganisationSubmitted(OrganisationEvent):
    """A company waits for the operator."""


@dataclass(frozen=True, slots=True)
class OrganisationTaken(OrganisationEvent):
    """The operator looks at a company."""


@dataclass(frozen=True, slots=True)
class OrganisationReturned(OrganisationEvent):
    """The operator gave a company back with notes."""


@dataclass(frozen=True, slots=True)
class OrganisationApproved(OrganisationEvent):
    """The operator let a company trade."""


@dataclass(frozen=True, slots=True)
class OrganisationSuspended(OrganisationEvent):
    """The operator stopped a company."""


@dataclass(frozen=True, slots=True)
class AgreementAccepted(Event):
    """A company accepted a version of its agreement."""

    entity: ClassVar[str] = "organisation"
    version: str = ""


@dataclass(frozen=True, slots=True)
class BankChangeAsked(Event):
    """Other bank details were entered for a company that trades; `account` is masked."""

    entity: ClassVar[str] = "organisation"
    name: str = ""
    account: str = ""
