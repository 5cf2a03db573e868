"""Calls of a company's way in: what is missing, bank details, documents, the agreement, sending; a seller's holiday."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Literal

from flask import Response, current_app, request
from pydantic import Field

from app import access
from app.accounts import agreements, bank, documents, queries, review
from app.accounts.bank import BankDetails
from app.accounts.documents import Document
from app.accounts.queries import OrganisationRow
from app.api.kernel import Answer, Api, given_id
from app.api.schemas import Page, PageQuery, Schema, Utc, part_of
from app.core.permissions import Permission
from app.offers import selling
from app.texts.accounts import ERRORS
from app.web import limits
from app.web.downloads import attachment

api = Api("companies", tag="Companies")


class MissingOut(Schema):
    code: str
    message: str


class StepOut(Schema):
    key: Literal["data", "bank", "documents", "agreement"]
    done: bool
    missing: list[MissingOut]
    note: str


class OnboardingOut(Schema):
    """`agreement`: the version to accept, null when the kind of company signs nothing."""

    status: str
    review_note: str
    steps: list[StepOut]
    agreement: str | None
    agreement_accepted: bool


def _row(organisation: str) -> OrganisationRow:
    return queries.organisation(access.actor().user, given_id(organisation))


def _onboarding(row: OrganisationRow) -> OnboardingOut:
    agreement = agreements.current(row.kind)
    steps = [
        StepOut(key=step.key, done=step.is_done, note=step.note,
                missing=[MissingOut(code=code, message=str(ERRORS[code])) for code in step.missing])
        for step in review.steps(row)
    ]  # fmt: skip
    return OnboardingOut(
        status=row.status, review_note=row.review_note, steps=steps, agreement=agreement.version if agreement else None,
        agreement_accepted=agreement is not None and not agreements.is_waiting(row.id, row.kind),
    )  # fmt: skip


@api.get(
    "/organisations/{organisation}/onboarding", permission=Permission.ACCOUNT, answer=OnboardingOut,
    summary="What is done and missing on a company's way in",
)  # fmt: skip
def onboarding(organisation: str) -> OnboardingOut:
    """Only for its members. `note` is what the operator wrote beside a section of a returned company."""
    return _onboarding(_row(organisation))


@api.post(
    "/organisations/{organisation}/submit", permission=Permission.ACCOUNT, answer=OnboardingOut,
    summary="Send a company to the operator",
)  # fmt: skip
def submit(organisation: str) -> OnboardingOut:
    """Only its owner. 422 `onboarding_incomplete` names everything that is missing, 409 when it was sent already."""
    review.submit(access.actor(), given_id(organisation))
    return _onboarding(_row(organisation))


class BankIn(Schema):
    bik: str = Field(max_length=20)
    account: str = Field(max_length=40)
    correspondent_account: str = Field(max_length=40)
    name: str = Field(max_length=200)


class BankOut(Schema):
    """Masked for everybody but owners and accountants. `waiting`: a change that the operator has not confirmed."""

    bik: str
    account: str
    correspondent_account: str
    name: str
    waiting: BankIn | None


def _bank(row: OrganisationRow) -> BankOut:
    holds, waits = BankDetails.of(row.bank).seen_by(row.role), bank.waiting(row.id)
    asked = waits.after.seen_by(row.role) if waits else None
    return BankOut(
        bik=holds.bik, account=holds.account, correspondent_account=holds.correspondent_account, name=holds.name,
        waiting=None if asked is None else BankIn(
            bik=asked.bik, account=asked.account, correspondent_account=asked.correspondent_account, name=asked.name
        ),
    )  # fmt: skip


@api.get(
    "/organisations/{organisation}/bank", permission=Permission.ACCOUNT, answer=BankOut, summary="Where the money goes"
)
def bank_details(organisation: str) -> BankOut:
    """Only for its members."""
    return _bank(_row(organisation))


@api.put(
    "/organisations/{organisation}/bank", permission=Permission.ACCOUNT, body=BankIn, answer=BankOut,
    summary="Enter bank details",
    example={"bik": "049900999", "account": "40702810600000000001", "correspondent_account": "30101810500000000999",
             "name": "Demo Bank"},
)  # fmt: skip
def enter_bank(organisation: str, body: BankIn) -> BankOut:
    """Only its owner. Details of a company that trades wait (`waiting`) until the operator confirms them."""
    bank.save(access.actor(), given_id(organisation), BankDetails(**body.model_dump()))
    return _bank(_row(organisation))


@api.delete(
    "/organisations/{organisation}/bank/waiting", permission=Permission.ACCOUNT, summary="Take a bank change back",
    status=204,
)  # fmt: skip
def withdraw_bank(organisation: str) -> None:
    """Only its owner."""
    bank.withdraw(access.actor(), given_id(organisation))


class DocumentForm(Schema):
    """Fields beside the part `file`."""

    kind: Literal["charter", "registration", "tax_registration", "head", "power_of_attorney", "other"]
    valid_until: date | None = None


class DocumentOut(Schema):
    id: uuid.UUID
    kind: str
    file_name: str
    content: Literal["pdf", "jpeg", "png"]
    size: int
    valid_until: date | None
    expires_soon: bool
    state: Literal["pending", "accepted", "refused"]
    note: str
    created_at: Utc


def _document(one: Document) -> DocumentOut:
    return DocumentOut(
        id=one.public_id, kind=one.kind, file_name=one.file_name, content=one.content_kind, size=one.size,
        valid_until=one.valid_until, expires_soon=one.expires_soon, state=one.state, note=one.note,
        created_at=one.created_at,
    )  # fmt: skip


@api.get(
    "/organisations/{organisation}/documents", permission=Permission.ACCOUNT, query=PageQuery,
    answer=Page[DocumentOut], summary="Documents of a company",
)  # fmt: skip
def list_documents(query: PageQuery, organisation: str) -> Page[DocumentOut]:
    """For its owners, managers and accountants."""
    row = _row(organisation)
    documents.check_may_see(row.role)
    return part_of([_document(one) for one in documents.of(row.id)], query)


@api.post(
    "/organisations/{organisation}/documents", permission=Permission.ACCOUNT, form=DocumentForm, answer=DocumentOut,
    status=201, summary="Send a document",
)  # fmt: skip
def add_document(organisation: str, form: DocumentForm) -> DocumentOut:
    """Only its owner. A PDF, JPEG or PNG of at most 10 MB in the part `file`."""
    limits.hit("upload", str(access.actor().user))
    file, key = request.files.get("file"), given_id(organisation)
    upload = documents.Upload(
        form.kind, file.filename or "" if file else "", file.read() if file else b"", form.valid_until
    )
    made = documents.add(access.actor(), current_app.extensions["storage"], key, upload)
    return next(_document(one) for one in documents.of(_row(organisation).id) if one.public_id == made)


@api.get(
    "/organisations/{organisation}/documents/{document}", permission=Permission.ACCOUNT,
    summary="The file of a document", status=200,
)  # fmt: skip
def get_document(organisation: str, document: str) -> Response:
    """For its owners, managers and accountants."""
    return attachment(documents.file_for_member(access.actor().user, given_id(organisation), given_id(document)))


@api.delete(
    "/organisations/{organisation}/documents/{document}", permission=Permission.ACCOUNT,
    summary="Take a document back", status=204,
)  # fmt: skip
def remove_document(organisation: str, document: str) -> None:
    """Only its owner; 409 `document_accepted` when the operator has accepted it."""
    storage = current_app.extensions["storage"]
    documents.remove(access.actor(), storage, given_id(organisation), given_id(document))


class AgreementIn(Schema):
    version: str = Field(max_length=40)


@api.post(
    "/organisations/{organisation}/agreement", permission=Permission.ACCOUNT, body=AgreementIn, answer=OnboardingOut,
    summary="Accept the agreement", example={"version": "2026_11"},
)  # fmt: skip
def accept_agreement(organisation: str, body: AgreementIn) -> OnboardingOut:
    """Only its owner. 409 `agreement_outdated` when another version holds by now."""
    agreements.accept(access.actor(), given_id(organisation), body.version)
    return _onboarding(_row(organisation))


class HolidayIn(Schema):
    first: date
    last: date


class HolidayOut(Schema):
    """`pause`: why nothing is sold now, or empty. `first` and `last`: its days, also of a coming one."""

    pause: Literal["", "suspended", "holiday", "agreement"]
    first: date | None
    last: date | None


def _holiday() -> Answer:
    now = selling.selling(access.actor().seller_id)
    return Answer(HolidayOut(pause=now.pause, first=now.holiday_from, last=now.holiday_until))


@api.get("/seller/holiday", permission=Permission.SELLER_OFFERS, answer=HolidayOut, summary="Whether the seller sells")
def holiday() -> Answer:
    """And the holiday that is or comes."""
    return _holiday()


@api.put(
    "/seller/holiday", permission=Permission.SELLER_OFFERS, body=HolidayIn, answer=HolidayOut,
    summary="Sell nothing for some days", example={"first": "2027-01-01", "last": "2027-01-08"},
)  # fmt: skip
def set_holiday(body: HolidayIn) -> Answer:
    """Both days included; it ends by itself. Orders already placed go on."""
    selling.set_holiday(access.actor(), body.first, body.last)
    return _holiday()


@api.delete("/seller/holiday", permission=Permission.SELLER_OFFERS, summary="Sell again at once", status=204)
def end_holiday() -> None:
    """Also calls off a holiday that is to come; safe to repeat."""
    selling.end_holiday(access.actor())
