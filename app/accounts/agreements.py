"""Agreements with those who trade: versions with a day from which they hold, and who accepted which.

The text of a version is `templates/agreements/<kind>_<version>.<locale>.html`; a version is never edited.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.accounts import organisations
from app.accounts.company_models import AgreementAcceptance
from app.accounts.events import AgreementAccepted
from app.accounts.models import Organisation, User
from app.core import audit, clock, events
from app.core.db import session, unit_of_work
from app.core.errors import Conflict
from app.core.permissions import Actor


@dataclass(frozen=True, slots=True)
class Agreement:
    """A version. `accept_by`: the last day on which a company that has not accepted it may go on trading; None asks
    without a date.
    """

    kind: str
    version: str
    effective: date
    accept_by: date | None = None


AGREEMENTS: list[Agreement] = [Agreement("seller", "2026_11", date(2026, 11, 1))]


def current(kind: str) -> Agreement | None:
    """The version that holds today; None for kinds of companies that sign nothing."""
    held = [one for one in AGREEMENTS if one.kind == kind and one.effective <= clock.today()]
    return max(held, key=lambda one: one.effective, default=None)


@dataclass(frozen=True, slots=True)
class Accepted:
    """Who agreed and when."""

    version: str
    person: str
    ip: str
    at: datetime


def acceptance(organisation_id: int, kind: str) -> Accepted | None:
    """The acceptance of the version that holds today."""
    agreement = current(kind)
    row = session.execute(
        sa.select(AgreementAcceptance.version, User.name, AgreementAcceptance.ip, AgreementAcceptance.created_at)
        .join(User, User.id == AgreementAcceptance.user_id)
        .where(
            AgreementAcceptance.organisation_id == organisation_id,
            AgreementAcceptance.version == (agreement.version if agreement else ""),
        )
    ).one_or_none()
    return None if row is None else Accepted(*row)


def is_waiting(organisation_id: int, kind: str) -> bool:
    """Whether the version that holds today still has to be accepted."""
    return current(kind) is not None and acceptance(organisation_id, kind) is None


def is_overdue(organisation_id: int, kind: str) -> bool:
    """Whether a version had to be accepted by a day that is over."""
    agreement = current(kind)
    if agreement is None or agreement.accept_by is None or clock.today() <= agreement.accept_by:
        return False
    return acceptance(organisation_id, kind) is None


@unit_of_work
def accept(actor: Actor, public_id: uuid.UUID, version: str) -> None:
    """The owner agrees to the version that holds today; safe to repeat.

    Raises:
        NotFound, Forbidden: only the owner. Conflict: `agreement_outdated`, another version holds by now.
    """
    row: Organisation = organisations.owned(actor, public_id)
    agreement = current(row.kind)
    if agreement is None or agreement.version != version:
        raise Conflict("agreement_outdated")
    made = session.scalar(
        insert(AgreementAcceptance)
        .values(organisation_id=row.id, version=version, user_id=actor.user, ip=actor.ip)
        .on_conflict_do_nothing()
        .returning(AgreementAcceptance.id)
    )
    if made is not None:
        audit.record(actor, "agreement.accepted", "organisation", row.id, after={"version": version})
        events.record(AgreementAccepted(row.id, version))
