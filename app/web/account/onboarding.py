"""Steps of a company's way in: bank details, documents, the agreement."""

from __future__ import annotations

import uuid
from datetime import date

from flask import Response, current_app, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from app import access
from app.access import Guarded
from app.accounts import agreements, bank, documents, queries
from app.accounts.bank import BankDetails
from app.core.errors import DomainError, Invalid, NotFound
from app.core.permissions import Permission
from app.texts import accounts as words
from app.web import limits
from app.web.account.organisations import note_of
from app.web.account.profile import given
from app.web.downloads import attachment
from app.web.filters import language
from app.web.forms import Form, stripped

pages = Guarded("onboarding", __name__, url_prefix="/account/organisations/<organisation>")
_needed = InputRequired(lazy_gettext("Fill this in."))


class BankForm(Form):
    bik = StringField(lazy_gettext("BIK"), [_needed, Length(max=20)], filters=[stripped])
    name = StringField(lazy_gettext("Bank"), [_needed, Length(max=200)], filters=[stripped])
    account = StringField(lazy_gettext("Settlement account"), [_needed, Length(max=40)], filters=[stripped])
    correspondent_account = StringField(
        lazy_gettext("Correspondent account"), [_needed, Length(max=40)], filters=[stripped]
    )


class DocumentForm(Form):
    kind = SelectField(lazy_gettext("What it is"), choices=words.DOCUMENT_KINDS)
    valid_until = StringField(lazy_gettext("Valid until"), [Length(max=10)], filters=[stripped])


def _back(key: uuid.UUID, section: str = "") -> ResponseReturnValue:
    return redirect(f"/account/organisations/{key}{section}", code=303)


def _row(organisation: str) -> queries.OrganisationRow:
    return queries.organisation(access.actor().user, given(organisation))


@pages.get("/bank", permission=Permission.ACCOUNT)
def show_bank(organisation: str) -> str:
    """Where the money goes; in full for owners and accountants only."""
    return _bank(_row(organisation))


def _bank(row: queries.OrganisationRow, form: BankForm | None = None) -> str:
    waits = bank.waiting(row.id)
    details = BankDetails.of(row.bank)
    return render_template(
        "account/organisation_bank.html", row=row, url=f"/account/organisations/{row.public_id}",
        details=details.seen_by(row.role), waits=waits.after.seen_by(row.role) if waits else None,
        form=form or BankForm(obj=details, formdata=None), trades=row.status in bank.TRADES and row.kind != "buyer",
        beside=note_of(row, "bank"), active="organisations",
    )  # fmt: skip


@pages.post("/bank", permission=Permission.ACCOUNT)
def save_bank(organisation: str) -> ResponseReturnValue:
    """Enter the details; those of a company that trades wait for the operator."""
    row, form = _row(organisation), BankForm()
    if form.validate():
        fields = ("bik", "account", "correspondent_account", "name")
        try:
            holds = bank.save(
                access.actor(), row.public_id, BankDetails(**{name: getattr(form, name).data for name in fields})
            )
            told = (
                _("Saved.")
                if holds
                else _("The operator has to confirm the change. Until then the old account is paid.")
            )
            flash(told, "ok")
            return _back(row.public_id)
        except DomainError as error:
            if error.status == 403:
                raise
            form.refuse(error)
    return _bank(row, form), 422


@pages.post("/bank/withdraw", permission=Permission.ACCOUNT)
def withdraw_bank(organisation: str) -> ResponseReturnValue:
    """Take a waiting change back."""
    bank.withdraw(access.actor(), given(organisation))
    return _back(given(organisation), "/bank")


@pages.get("/documents", permission=Permission.ACCOUNT)
def show_documents(organisation: str) -> str:
    """Papers of the company and what the operator says of them."""
    return _documents(_row(organisation))


def _documents(row: queries.OrganisationRow, form: DocumentForm | None = None) -> str:
    documents.check_may_see(row.role)
    papers = documents.of(row.id)
    there = {one.kind for one in papers if one.counts}
    return render_template(
        "account/organisation_documents.html", row=row, url=f"/account/organisations/{row.public_id}", papers=papers,
        missing=[kind for kind in documents.required(row.inn) if kind not in there] if row.kind != "buyer" else [],
        form=form or DocumentForm(formdata=None), kinds=dict(words.DOCUMENT_KINDS),
        megabytes=documents.MAX_BYTES // 1024 // 1024, beside=note_of(row, "documents"), active="organisations",
    )  # fmt: skip


@pages.post("/documents", permission=Permission.ACCOUNT)
def add_document(organisation: str) -> ResponseReturnValue:
    """Keep a paper."""
    row, form, file = _row(organisation), DocumentForm(), request.files.get("file")
    limits.hit("upload", str(access.actor().user))
    if form.validate():
        try:
            upload = documents.Upload(
                form.kind.data, file.filename or "" if file else "", file.read() if file else b"",
                read_day(form.valid_until.data),
            )  # fmt: skip
            documents.add(access.actor(), current_app.extensions["storage"], row.public_id, upload)
            flash(_("The document is kept."), "ok")
            return _back(row.public_id, "/documents")
        except DomainError as error:
            if error.status == 403:
                raise
            form.refuse(error)
    return _documents(row, form), 422


def read_day(text: str | None, pointer: str = "/valid_until") -> date | None:
    """A day as browsers send it, or nothing.

    Raises:
        Invalid: `not_a_day`.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid.one(pointer, "not_a_day") from None


@pages.get("/documents/<document>", permission=Permission.ACCOUNT)
def get_document(organisation: str, document: str) -> Response:
    """The file of a paper."""
    return attachment(documents.file_for_member(access.actor().user, given(organisation), given(document)))


@pages.post("/documents/<document>/remove", permission=Permission.ACCOUNT)
def remove_document(organisation: str, document: str) -> ResponseReturnValue:
    """Take back a paper that is not accepted."""
    key = given(organisation)
    documents.remove(access.actor(), current_app.extensions["storage"], key, given(document))
    return _back(key, "/documents")


@pages.get("/agreement", permission=Permission.ACCOUNT)
def show_agreement(organisation: str) -> str:
    """The text that holds today, and who accepted it."""
    row = _row(organisation)
    agreement = agreements.current(row.kind)
    if agreement is None:
        raise NotFound()
    return render_template(
        "account/organisation_agreement.html", row=row, url=f"/account/organisations/{row.public_id}",
        agreement=agreement, accepted=agreements.acceptance(row.id, row.kind),
        text=f"agreements/{agreement.kind}_{agreement.version}.{language()}.html",
        beside=note_of(row, "agreement"), active="organisations",
    )  # fmt: skip


@pages.post("/agreement", permission=Permission.ACCOUNT)
def accept_agreement(organisation: str) -> ResponseReturnValue:
    """Agree."""
    key = given(organisation)
    agreements.accept(access.actor(), key, request.form.get("version", ""))
    flash(_("The agreement is accepted."), "ok")
    return _back(key)
