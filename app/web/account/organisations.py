"""Companies of the own account: requisites, people, which one to work for."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from app import access
from app.access import Guarded
from app.accounts import organisations, queries, service
from app.accounts.organisations import Requisites
from app.core.errors import DomainError
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


class MemberForm(Form):
    email = StringField(lazy_gettext("E-mail of the person"), [_needed, Length(max=254)], filters=[stripped])
    role = SelectField(lazy_gettext("Role"), choices=[])


@pages.get("/account/organisations", permission=Permission.ACCOUNT)
def list_organisations() -> str:
    """Companies one belongs to, and the form of a new one."""
    return _organisations(OrganisationForm(formdata=None))


def _organisations(form: OrganisationForm) -> str:
    rows = queries.organisations(access.actor().user)
    return render_template("account/organisations.html", organisations=rows, form=form, active="organisations")


@pages.post("/account/organisations", permission=Permission.ACCOUNT)
def add_organisation() -> ResponseReturnValue:
    """Register a company."""
    form = OrganisationForm()
    if form.validate():
        try:
            organisations.create(access.actor(), form.kind.data, form.requisites())
            flash(_("The company is registered."), "ok")
            return redirect("/account/organisations", code=303)
        except DomainError as error:
            form.refuse(error)
    return _organisations(form), 422


@pages.get("/account/organisations/<organisation>", permission=Permission.ACCOUNT)
def show_organisation(organisation: str) -> str:
    """A company and its people."""
    return _organisation(given(organisation))


def _organisation(key: uuid.UUID, member: MemberForm | None = None, form: RequisitesForm | None = None) -> str:
    row = queries.organisation(access.actor().user, key)
    member = member or MemberForm(formdata=None)
    member.role.choices = _roles(row.kind)
    return render_template(
        "account/organisation.html", row=row, members=queries.members(row.id), member=member,
        form=form or RequisitesForm(obj=row, formdata=None), roles=words.ROLES, active="organisations",
    )  # fmt: skip


def _roles(kind: str) -> list[tuple[str, object]]:
    return [(role, words.ROLES[role]) for role in organisations.ROLES_OF[kind]]


@pages.post("/account/organisations/<organisation>", permission=Permission.ACCOUNT)
def save_organisation(organisation: str) -> ResponseReturnValue:
    """Change the requisites; a company that was returned goes to the operator again."""
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
    return _organisation(key, form=form), 422


@pages.post("/account/organisations/<organisation>/members", permission=Permission.ACCOUNT)
def add_member(organisation: str) -> ResponseReturnValue:
    """Give a person a place."""
    key, form = given(organisation), MemberForm()
    row = queries.organisation(access.actor().user, key)
    form.role.choices = _roles(row.kind)
    if form.validate():
        try:
            organisations.add_member(access.actor(), key, form.email.data, form.role.data)
            return redirect(f"/account/organisations/{key}", code=303)
        except DomainError as error:
            form.refuse(error)
    return _organisation(key, member=form), 422


@pages.post("/account/organisations/<organisation>/members/<member>/remove", permission=Permission.ACCOUNT)
def remove_member(organisation: str, member: str) -> ResponseReturnValue:
    """Take the place away."""
    key, person, actor = given(organisation), given(member), access.actor()
    organisations.remove_member(actor, key, person)
    flash(_("The person is no longer in the company."), "ok")
    return redirect(
        "/account/organisations" if person == actor.public_id else f"/account/organisations/{key}", code=303
    )


@pages.post("/account/work-for/<organisation>", permission=Permission.ACCOUNT)
def work_for(organisation: str) -> ResponseReturnValue:
    """Choose the seller or carrier to work for."""
    service.work_for(access.actor(), given(organisation))
    wanted = request.form.get("next", "")
    return redirect(
        wanted if wanted in ("/seller/orders", "/carrier/deliveries") else "/account/organisations", code=303
    )
