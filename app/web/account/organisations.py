"""Companies of the own account: the list, the way in step by step, the requisites, which one to work for."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from app import access, texts
from app.access import Guarded
from app.accounts import bank, documents, invitations, organisations, queries, review, service
from app.accounts.organisations import Requisites
from app.core.errors import DomainError, Invalid
from app.core.permissions import Permission
from app.texts import accounts as words
from app.web.account.profile import given
from app.web.forms import Form, stripped

pages = Guarded("companies", __name__)
_needed = InputRequired(lazy_gettext("Fill this in."))
FIELDS = ("name", "inn", "kpp", "ogrn", "address")


class RequisitesForm(Form):
    name = StringField(lazy_gettext("Company name"), [_needed, Length(max=200)], filters=[stripped])
    inn = StringField(lazy_gettext("INN"), [_needed, Length(max=12)], filters=[stripped])
    kpp = StringField(lazy_gettext("KPP"), [Length(max=9)], filters=[stripped])
    ogrn = StringField(lazy_gettext("OGRN"), [Length(max=15)], filters=[stripped])
    address = StringField(lazy_gettext("Legal address"), [Length(max=300)], filters=[stripped])
    version = HiddenField()

    def requisites(self) -> Requisites:
        """What was typed."""
        return Requisites(**{key: getattr(self, key).data or "" for key in FIELDS})


class OrganisationForm(RequisitesForm):
    kind = SelectField(lazy_gettext("What the company does"), choices=words.KINDS)


@pages.get("/account/organisations", permission=Permission.ACCOUNT)
def list_organisations() -> str:
    """Companies one belongs to or is invited to, and the form of a new one."""
    return _organisations(OrganisationForm(formdata=None))


def _organisations(form: OrganisationForm) -> str:
    actor = access.actor()
    return render_template(
        "account/organisations.html", organisations=queries.organisations(actor.user), form=form,
        invited=invitations.for_person(actor.email), roles=words.ROLES, active="organisations",
    )  # fmt: skip


@pages.post("/account/organisations", permission=Permission.ACCOUNT)
def add_organisation() -> ResponseReturnValue:
    """Register a company; a seller or carrier goes on with the next step."""
    form = OrganisationForm()
    if form.validate():
        try:
            key = organisations.create(access.actor(), form.kind.data, form.requisites())
            flash(_("The company is registered."), "ok")
            return redirect(f"/account/organisations/{key}", code=303)
        except DomainError as error:
            form.refuse(error)
    return _organisations(form), 422


@pages.get("/account/organisations/<organisation>", permission=Permission.ACCOUNT)
def show_organisation(organisation: str) -> str:
    """A company: its state, and what is done and missing on the way in."""
    return _hub(given(organisation))


def _hub(key: uuid.UUID, missing: list[tuple[str, str]] | None = None, error: str = "") -> str:
    row = queries.organisation(access.actor().user, key)
    papers = documents.of(row.id) if row.role in documents.MAY_SEE else []
    return render_template(
        "account/organisation.html", row=row, url=f"/account/organisations/{key}", steps=review.steps(row),
        words=words, missing=missing or [], error=error, waiting=bank.waiting(row.id),
        expiring=[one for one in papers if one.state != "refused" and (one.expires_soon or one.is_expired)],
        refused=[one for one in papers if one.state == "refused"], active="organisations",
    )  # fmt: skip


@pages.post("/account/organisations/<organisation>/submit", permission=Permission.ACCOUNT)
def submit(organisation: str) -> ResponseReturnValue:
    """Send the company to the operator, or say what is missing and where."""
    key = given(organisation)
    try:
        review.submit(access.actor(), key)
    except Invalid as error:
        url = f"/account/organisations/{key}"
        missing = [(f"{url}{item.pointer}", texts.error_text(item.code, item.context)) for item in error.errors]
        return _hub(key, missing), 422
    except DomainError as error:
        if error.status in (403, 404):
            raise
        return _hub(key, error=texts.message(error)), error.status
    flash(_("The company is sent to the operator. The answer comes by e-mail."), "ok")
    return redirect(f"/account/organisations/{key}", code=303)


@pages.get("/account/organisations/<organisation>/data", permission=Permission.ACCOUNT)
def show_data(organisation: str) -> str:
    """The requisites."""
    return _data(given(organisation))


def _data(key: uuid.UUID, form: RequisitesForm | None = None) -> str:
    row = queries.organisation(access.actor().user, key)
    return render_template(
        "account/organisation_data.html", row=row, url=f"/account/organisations/{key}",
        form=form or RequisitesForm(obj=row, formdata=None), beside=note_of(row, "data"), active="organisations",
    )  # fmt: skip


def note_of(row: queries.OrganisationRow, section: str) -> str:
    """What the operator wrote beside a section of a returned company."""
    return str(row.section_notes.get(section, "")) if row.status == "returned" else ""


@pages.post("/account/organisations/<organisation>", permission=Permission.ACCOUNT)
def save_organisation(organisation: str) -> ResponseReturnValue:
    """Change the requisites."""
    key, form = given(organisation), RequisitesForm()
    queries.organisation(access.actor().user, key)
    if form.validate():
        version = int(form.version.data) if (form.version.data or "").isdecimal() else None
        try:
            organisations.edit(access.actor(), key, form.requisites(), version)
            flash(_("Saved."), "ok")
            return redirect(f"/account/organisations/{key}", code=303)
        except DomainError as error:
            if error.status == 403:
                raise
            form.refuse(error)
    return _data(key, form), 422


@pages.post("/account/work-for/<organisation>", permission=Permission.ACCOUNT)
def work_for(organisation: str) -> ResponseReturnValue:
    """Choose the seller or carrier to work for."""
    service.work_for(access.actor(), given(organisation))
    wanted = request.form.get("next", "")
    return redirect(
        wanted if wanted in ("/seller/orders", "/carrier/deliveries") else "/account/organisations", code=303
    )
