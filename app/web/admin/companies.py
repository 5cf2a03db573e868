"""Companies as the operator sees them: the list, one with all its sections, decisions, documents, bank changes."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from flask import Response, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.accounts import agreements, bank, company_queries, documents, invitations, queries, review
from app.accounts.bank import BankDetails
from app.core import operations
from app.core.errors import DomainError
from app.core.permissions import Permission
from app.texts import accounts as words
from app.web import paths
from app.web.account.profile import given
from app.web.admin.operations import PAGE, office_page
from app.web.downloads import attachment

pages = Guarded("admin_companies", __name__, url_prefix="/admin/organisations")
LIST = "/admin/organisations"
STATES = (*company_queries.REVIEW_STATES, "changes")


@pages.get("", permission=Permission.ADMIN_ORGANISATIONS)
def list_organisations() -> ResponseReturnValue:
    """Companies of one state; those that wait come first."""
    state = request.args.get("state", "submitted")
    state = state if state in STATES else "submitted"
    text, after = request.args.get("q", "").strip()[:100], request.args.get("after", "")
    counts = company_queries.organisation_counts()
    start = int(after) if after.isdecimal() and len(after) < 18 else 0
    rows = company_queries.organisations_to_review(state, text, start, PAGE)
    following = {"state": state, "q": text or None, "after": rows[-1].id} if len(rows) == PAGE else None
    return office_page(
        "admin/organisations.html", rows=rows, state=state, counts=counts, kinds=dict(words.KINDS), q=text,
        waiting=counts.get("submitted", 0), next_url=paths.with_query(LIST, following) if following else "",
    )  # fmt: skip


@pages.get("/<organisation>", permission=Permission.ADMIN_ORGANISATIONS)
def show(organisation: str) -> ResponseReturnValue:
    """Everything about one company."""
    row = company_queries.organisation_of_any(given(organisation))
    waits = bank.waiting(row.id)
    return office_page(
        "admin/organisation.html", row=row, url=f"{LIST}/{row.public_id}", words=words, kinds=dict(words.KINDS),
        document_kinds=dict(words.DOCUMENT_KINDS), steps={step.key: step for step in review.steps(row)},
        details=BankDetails.of(row.bank), waits=waits, papers=documents.of(row.id),
        agreement=agreements.current(row.kind), accepted=agreements.acceptance(row.id, row.kind),
        members=queries.members(row.id), invited=invitations.of_company(row.id),
        reviewer=company_queries.person_name(row.reviewer_id), is_mine=row.reviewer_id == access.actor().user_id,
        history=operations.audit_of("organisation", row.id, PAGE), may=_possible(row.status),
    )  # fmt: skip


def _possible(status: str) -> set[str]:
    return {name for name, (begins, _end, _event) in review.TRANSITIONS.items() if status in begins}


def _then(organisation: str, act: Callable[[], None]) -> ResponseReturnValue:
    """Do it and show the company; a refusal is told there."""
    try:
        act()
        flash(_("Decided and written to the audit log."), "ok")
    except DomainError as error:
        if error.status == 404:
            raise
        note = [texts.error_text(f.code, f.context) for f in getattr(error, "errors", [])]
        flash(" ".join(note) or texts.message(error), "bad")
    return redirect(f"{LIST}/{given(organisation)}", code=303)


@pages.post("/<organisation>", permission=Permission.ADMIN_ORGANISATIONS)
def decide(organisation: str) -> ResponseReturnValue:
    """Approve, return with notes, suspend with a reason, or put back."""
    beside = {section: request.form.get(f"note_{section}", "") for section in review.SECTIONS}
    return _then(
        organisation,
        lambda: review.decide(
            access.actor(), given(organisation), request.form.get("decision", ""), request.form.get("note", ""), beside
        ),
    )


@pages.post("/<organisation>/take", permission=Permission.ADMIN_ORGANISATIONS)
def take(organisation: str) -> ResponseReturnValue:
    """Begin to look at it."""
    return _then(organisation, lambda: review.take(access.actor(), given(organisation)))


@pages.get("/<organisation>/documents/<document>", permission=Permission.ADMIN_ORGANISATIONS)
def get_document(organisation: str, document: str) -> Response:
    """The file of a paper."""
    return attachment(documents.file_for_operator(given(organisation), given(document)))


@pages.post("/<organisation>/documents/<document>", permission=Permission.ADMIN_ORGANISATIONS)
def decide_document(organisation: str, document: str) -> ResponseReturnValue:
    """Accept or refuse a paper."""
    key, paper = given(organisation), given(document)
    decision, note = _decision()
    return _then(organisation, lambda: documents.decide(access.actor(), key, paper, decision, note))


@pages.post("/<organisation>/bank/<change>", permission=Permission.ADMIN_ORGANISATIONS)
def decide_bank(organisation: str, change: str) -> ResponseReturnValue:
    """Confirm or refuse other bank details."""
    key: uuid.UUID = given(change)
    decision, note = _decision()
    return _then(organisation, lambda: bank.decide(access.actor(), key, decision, note))


def _decision() -> tuple[str, str]:
    return request.form.get("decision", ""), request.form.get("note", "")
