"""Where a company's money goes: details with control keys, and changes that wait for the operator."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.accounts import organisations
from app.accounts.company_models import BankChange
from app.accounts.events import BankChangeAsked
from app.accounts.models import Organisation
from app.accounts.requisites import account_is_valid, bik_is_valid, correspondent_is_valid
from app.core import audit, clock, events
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.permissions import Actor

SEE_IN_FULL = ("owner", "accountant")
TRADES = ("approved", "suspended")
DECISIONS = {"confirm": "confirmed", "refuse": "refused"}


@dataclass(frozen=True, slots=True)
class BankDetails:
    """An account of a company and its bank."""

    bik: str = ""
    account: str = ""
    correspondent_account: str = ""
    name: str = ""

    @classmethod
    def of(cls, kept: dict[str, Any]) -> BankDetails:
        """From the JSON of the row."""
        return cls(**{key: str(kept.get(key, "")) for key in cls.__dataclass_fields__})

    @property
    def is_complete(self) -> bool:
        return all(asdict(self).values())

    def masked(self) -> BankDetails:
        """For those who need not know: the bank, and the last four digits of the account."""
        account = f"•••• {self.account[-4:]}" if self.account else ""
        return BankDetails(self.bik, account, "••••" if self.correspondent_account else "", self.name)

    def seen_by(self, role: str) -> BankDetails:
        """What a member of this role sees."""
        return self if role in SEE_IN_FULL else self.masked()


def checked(given: BankDetails) -> BankDetails:
    """The details without spaces.

    Raises:
        Invalid: with every wrong field.
    """
    bik, account, correspondent = (
        "".join(text.split()) for text in (given.bik, given.account, given.correspondent_account)
    )
    found = BankDetails(bik, account, correspondent, " ".join(given.name.split()))
    errors = []
    if not bik_is_valid(found.bik):
        errors.append(FieldError("/bik", "wrong_bik"))
    elif not account_is_valid(found.account, found.bik):
        errors.append(FieldError("/account", "wrong_account"))
    if bik_is_valid(found.bik) and not correspondent_is_valid(found.correspondent_account, found.bik):
        errors.append(FieldError("/correspondent_account", "wrong_correspondent_account"))
    if not 2 <= len(found.name) <= 200:
        errors.append(FieldError("/name", "too_short" if len(found.name) < 2 else "too_long",
                                 {"minimum": 2, "maximum": 200}))  # fmt: skip
    if errors:
        raise Invalid(errors)
    return found


@unit_of_work
def save(actor: Actor, public_id: uuid.UUID, given: BankDetails) -> bool:
    """Enter the details. Those of a company that trades change only when the operator confirms; the present ones pay
    until then.

    Returns:
        Whether they hold now.

    Raises:
        NotFound, Forbidden: only the owner. Invalid. Conflict: `company_in_review`.
    """
    row = organisations.owned(actor, public_id)
    organisations.check_not_in_review(row)
    details = checked(given)
    before = BankDetails.of(row.bank)
    if row.status in TRADES and row.kind != "buyer":
        return _ask(actor, row, before, details)
    row.bank = asdict(details)
    _audited(actor, "bank.entered", row.id, before, details)
    return True


def _ask(actor: Actor, row: Organisation, before: BankDetails, details: BankDetails) -> bool:
    _end_waiting(row.id, "withdrawn", actor)
    if details == before:
        return True
    session.add(BankChange(organisation_id=row.id, before=asdict(before), after=asdict(details), user_id=actor.user))
    _audited(actor, "bank.change_asked", row.id, before, details)
    events.record(BankChangeAsked(row.id, row.name, details.masked().account))
    return False


def _end_waiting(organisation_id: int, state: str, actor: Actor) -> None:
    session.execute(
        sa.update(BankChange)
        .where(BankChange.organisation_id == organisation_id, BankChange.state == "pending")
        .values(state=state, decided_at=clock.now(), decided_by_id=actor.user_id)
    )


def _audited(actor: Actor, action: str, organisation_id: int, before: BankDetails, after: BankDetails) -> None:
    """The log is read by more people than may know accounts."""
    audit.record(
        actor, action, "organisation", organisation_id, before=asdict(before.masked()), after=asdict(after.masked())
    )


@unit_of_work
def withdraw(actor: Actor, public_id: uuid.UUID) -> None:
    """The owner takes a waiting change back; safe to repeat."""
    row = organisations.owned(actor, public_id)
    if waiting(row.id) is not None:
        _end_waiting(row.id, "withdrawn", actor)
        audit.record(actor, "bank.change_withdrawn", "organisation", row.id)


@unit_of_work
def decide(actor: Actor, change: uuid.UUID, decision: str, note: str = "") -> None:
    """The operator's word on a waiting change; only `confirm` makes it the account that is paid.

    Raises:
        NotFound. Invalid: unknown decision, or a refusal without a note. Conflict: `decided_already`.
    """
    if decision not in DECISIONS:
        raise Invalid.one("/decision", "unknown_option")
    if decision == "refuse" and not note.strip():
        raise Invalid.one("/note", "required")
    found = session.scalars(sa.select(BankChange.organisation_id).where(BankChange.public_id == change)).one_or_none()
    if found is None:
        raise NotFound()
    row = session.get_one(Organisation, found, with_for_update=True, populate_existing=True)
    asked = session.scalars(
        sa.select(BankChange).where(BankChange.public_id == change).execution_options(populate_existing=True)
    ).one()
    if asked.state != "pending":
        raise Conflict("decided_already")
    asked.state, asked.note = DECISIONS[decision], note.strip()[:1000]
    asked.decided_by_id, asked.decided_at = actor.user, clock.now()
    if decision == "confirm":
        row.bank = asked.after
    _audited(actor, f"bank.change_{asked.state}", row.id, BankDetails.of(asked.before), BankDetails.of(asked.after))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that nobody has decided."""

    public_id: uuid.UUID
    before: BankDetails
    after: BankDetails
    asked_at: datetime


def waiting(organisation_id: int) -> Waiting | None:
    """The change of this organisation that waits for the operator."""
    row = session.scalars(
        sa.select(BankChange).where(BankChange.organisation_id == organisation_id, BankChange.state == "pending")
    ).one_or_none()
    if row is None:
        return None
    return Waiting(row.public_id, BankDetails.of(row.before), BankDetails.of(row.after), row.created_at)
