"""Facts that accounts publish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.core.events import Event


@dataclass(frozen=True, slots=True)
class OrganisationApproved(Event):
    """The operator let a company trade; entity_id is the organisation's."""

    entity: ClassVar[str] = "organisation"
    kind: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class OrganisationSuspended(Event):
    """The operator stopped a company."""

    entity: ClassVar[str] = "organisation"
    kind: str = ""
