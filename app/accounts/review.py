"""The way of a company: draft, submitted, in review, approved or returned, suspended. Every transition is here."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from app.accounts import agreements, documents, organisations
from app.accounts.bank import BankDetails
from app.accounts.company_models import OrganisationDocument
from app.accounts.events import (
    OrganisationApproved,
    OrganisationEvent,
    OrganisationReturned,
    OrganisationSubmitted,
    OrganisationSuspended,
    OrganisationTaken,
)
from app.accounts.models import Organisation
from app.accounts.queries import OrganisationRow
from app.core import audit, events
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.permissions import Actor

SECTIONS = ("data", "bank", "documents", "agreement")
TRANSITIONS: dict[str, tuple[tuple[str, ...], str, type[OrganisationEvent]]] = {
    "submit": (("draft", "returned"), "submitted", OrganisationSubmitted),
    "take": (("submitted",), "in_review", OrganisationTaken),
    "put_back": (("in_review",), "submitted", OrganisationSubmitted),
    "approve": (("submitted", "in_review", "returned", "suspended"), "approved", OrganisationApproved),
    "return": (("submitted", "in_review"), "returned", OrganisationReturned),
    "suspend": (("approved",), "suspended", OrganisationSuspended),
}
"""Transition -> states it starts from, the state it ends in, what is published. Nothing else is possible."""


@dataclass(frozen=True, slots=True)
class Step:
    """A section of the way in. `missing`: codes of what is not there; `note`: what the operator wrote beside it."""

    key: str
    missing: tuple[str, ...] = ()
    note: str = ""

    @property
    def is_done(self) -> bool:
        return not self.missing


def steps(row: OrganisationRow) -> list[Step]:
    """What a company must bring, and what is not there yet; empty for a buyer, who brings nothing."""
    if row.kind == "buyer":
        return []
    there = {one.kind for one in documents.of(row.id) if one.counts}
    found = {
        "data": [f"missing_{name}" for name in ("ogrn", "address") if not getattr(row, name)],
        "bank": [] if BankDetails.of(row.bank).is_complete else ["missing_bank"],
        "documents": [f"missing_{kind}" for kind in documents.required(row.inn) if kind not in there],
    }
    if agreements.current(row.kind) is not None:
        found["agreement"] = ["missing_agreement"] if agreements.is_waiting(row.id, row.kind) else []
    notes = row.section_notes if row.status == "returned" else {}
    return [Step(key, tuple(missing), str(notes.get(key, ""))) for key, missing in found.items()]


@unit_of_work
def submit(actor: Actor, public_id: uuid.UUID) -> None:
    """Send a company to the operator.

    Raises:
        NotFound, Forbidden: only the owner. Conflict: `decision_not_possible` from the present state.
        Invalid: `onboarding_incomplete` with everything that is missing, section by section.
    """
    row = organisations.owned(actor, public_id)
    _check_possible(row, "submit")
    missing = [FieldError(f"/{step.key}", code) for step in steps(OrganisationRow.of(row)) for code in step.missing]
    if missing:
        raise Invalid(missing, "onboarding_incomplete")
    _move(actor, row, "submit")


@unit_of_work
def take(actor: Actor, public_id: uuid.UUID) -> None:
    """An operator begins to look at a company, which is not edited meanwhile; safe to repeat by the same operator.

    Raises:
        NotFound. Conflict: `decision_not_possible`, another operator has it or it does not wait.
    """
    row = _locked(public_id)
    if row.status != "in_review" or row.reviewer_id != actor.user:
        _move(actor, row, "take")


@unit_of_work
def decide(
    actor: Actor, public_id: uuid.UUID, decision: str, note: str = "", notes: Mapping[str, str] | None = None
) -> None:
    """The operator's word on a company: approve, return (with notes), suspend (with the reason) or put back.

    Args:
        notes: section -> what is wrong there; shown beside the section when the company is returned.

    Raises:
        NotFound. Conflict: `decision_not_possible` from the present state, `documents_undecided`.
        Invalid: a return needs a note.
    """
    if decision not in ("approve", "return", "suspend", "put_back"):
        raise Invalid.one("/decision", "unknown_option")
    row = _locked(public_id)
    _check_possible(row, decision)
    beside = {key: text.strip()[:1000] for key, text in (notes or {}).items() if key in SECTIONS and text.strip()}
    if decision == "return" and not note.strip() and not beside:
        raise Invalid.one("/note", "required")
    if decision == "approve" and row.status != "suspended" and _undecided(row.id):
        raise Conflict("documents_undecided")
    if decision != "put_back":
        row.review_note = note.strip()[:1000]
        row.section_notes = beside if decision == "return" else {}
    _move(actor, row, decision)


def _undecided(organisation_id: int) -> bool:
    waiting = sa.select(OrganisationDocument.id).where(
        OrganisationDocument.organisation_id == organisation_id, OrganisationDocument.state == "pending"
    )
    return session.scalar(sa.select(waiting.exists())) or False


def _locked(public_id: uuid.UUID) -> Organisation:
    row = session.scalars(
        sa.select(Organisation)
        .where(Organisation.public_id == public_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _check_possible(row: Organisation, transition: str) -> None:
    if row.status not in TRANSITIONS[transition][0]:
        raise Conflict("decision_not_possible", status=row.status)


def _move(actor: Actor, row: Organisation, transition: str) -> None:
    """Make a declared transition of a locked company: state, event, audit.

    Raises:
        Conflict: `decision_not_possible`.
    """
    _check_possible(row, transition)
    _from, target, happened = TRANSITIONS[transition]
    before = row.status
    row.status, row.reviewer_id = target, actor.user if target == "in_review" else None
    note = row.review_note if target in ("returned", "suspended") else ""
    events.record(happened(row.id, row.kind, row.name, target, note))
    audit.record(
        actor, f"organisation.{target}", "organisation", row.id, before={"status": before},
        after={"status": target} | ({"note": note} if note else {}),
    )  # fmt: skip
