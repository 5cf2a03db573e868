"""The own account: profile, password, devices, sites, organisations."""

from __future__ import annotations

import uuid

from flask import flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext
from wtforms import BooleanField, HiddenField, IntegerField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from app import access
from app.access import Guarded
from app.accounts import queries, service, sites
from app.accounts.service import ProfileChange
from app.core.errors import DomainError, FieldError, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.texts import accounts as words
from app.web import sessions
from app.web.forms import Form, stripped

pages = Guarded("account", __name__)
_needed = InputRequired(lazy_gettext("Fill this in."))


def given(text: str) -> uuid.UUID:
    """A UUID of the path.

    Raises:
        NotFound: it is not one.
    """
    found = parse_uuid(text)
    if found is None:
        raise NotFound()
    return found


class ProfileForm(Form):
    name = StringField(lazy_gettext("Your name"), [_needed, Length(max=100)], filters=[stripped])
    phone = StringField(lazy_gettext("Phone"), [Length(max=40)], filters=[stripped])
    marketing_consent = BooleanField(lazy_gettext("Send me news and offers"))
    version = HiddenField()


class PasswordForm(Form):
    old_password = PasswordField(lazy_gettext("Present password"), [_needed, Length(max=200)])
    new_password = PasswordField(lazy_gettext("New password"), [_needed, Length(max=200)])


class SiteForm(Form):
    title = StringField(lazy_gettext("Name of the site"), [_needed, Length(max=100)], filters=[stripped])
    address = StringField(lazy_gettext("Address"), [_needed, Length(max=300)], filters=[stripped])
    lat = StringField(lazy_gettext("Latitude"), [_needed], filters=[stripped])
    lon = StringField(lazy_gettext("Longitude"), [_needed], filters=[stripped])
    access = StringField(lazy_gettext("How to drive in"), [Length(max=500)], filters=[stripped])
    floor = IntegerField(lazy_gettext("Floor"), [Optional()])
    lift = BooleanField(lazy_gettext("There is a goods lift"))
    unloading = SelectField(lazy_gettext("Unloading"), choices=words.UNLOADING)
    contact_name = StringField(lazy_gettext("Who meets the truck"), [Length(max=100)], filters=[stripped])
    contact_phone = StringField(lazy_gettext("Phone at the site"), [Length(max=40)], filters=[stripped])
    organisation = SelectField(lazy_gettext("Whose site"), choices=[], validate_choice=False)


class CloseForm(Form):
    close_password = PasswordField(lazy_gettext("Present password"), [_needed, Length(max=200)])


@pages.get("/account", permission=Permission.ACCOUNT)
def profile() -> str:
    """Profile and password."""
    row = queries.profile(access.actor().user)
    return _profile_page(ProfileForm(obj=row, formdata=None), PasswordForm(formdata=None))


def _profile_page(form: ProfileForm, password: PasswordForm, closing: CloseForm | None = None) -> str:
    return render_template(
        "account/profile.html", form=form, password=password, closing=closing or CloseForm(formdata=None),
        email=access.actor().email, active="profile",
    )  # fmt: skip


@pages.post("/account", permission=Permission.ACCOUNT)
def save_profile() -> ResponseReturnValue:
    """Change name, phone and consent."""
    form = ProfileForm()
    if form.validate():
        change = ProfileChange(form.name.data, form.phone.data or "", None, form.marketing_consent.data)
        version = int(form.version.data) if (form.version.data or "").isdecimal() else None
        try:
            service.edit_profile(access.actor(), change, version)
            flash(_("Saved."), "ok")
            return redirect("/account", code=303)
        except DomainError as error:
            form.refuse(error)
    return _profile_page(form, PasswordForm(formdata=None)), 422


@pages.post("/account/password", permission=Permission.ACCOUNT)
def save_password() -> ResponseReturnValue:
    """Change the password; other browsers are signed out."""
    form = PasswordForm()
    if form.validate():
        try:
            service.change_password(access.actor(), form.old_password.data, form.new_password.data)
            flash(_("The password is changed; other browsers are signed out."), "ok")
            return redirect("/account", code=303)
        except DomainError as error:
            form.refuse(error)
    row = queries.profile(access.actor().user)
    return _profile_page(ProfileForm(obj=row, formdata=None), form), 422


@pages.post("/account/close", permission=Permission.ACCOUNT)
def close_account() -> ResponseReturnValue:
    """Leave: the account is closed and this browser signed out."""
    form = CloseForm()
    if form.validate():
        try:
            service.close_account(access.actor(), form.close_password.data)
            flash(_("The account is closed."), "ok")
            return sessions.end(make_response(redirect("/", code=303)))
        except DomainError as error:
            form.refuse(error)
    row = queries.profile(access.actor().user)
    return _profile_page(ProfileForm(obj=row, formdata=None), PasswordForm(formdata=None), form), 422


@pages.get("/account/devices", permission=Permission.ACCOUNT)
def devices() -> str:
    """Browsers and apps that are signed in."""
    actor = access.actor()
    return render_template("account/devices.html", devices=queries.devices(actor.user), active="devices")


@pages.post("/account/devices/<device>/name", permission=Permission.ACCOUNT)
def rename_device(device: str) -> ResponseReturnValue:
    """Give a device a name one recognises."""
    service.rename_device(access.actor(), given(device), request.form.get("name", ""))
    return redirect("/account/devices", code=303)


@pages.post("/account/devices/<device>/revoke", permission=Permission.ACCOUNT)
def revoke_device(device: str) -> ResponseReturnValue:
    """Sign a device out."""
    service.revoke_device(access.actor(), given(device))
    flash(_("The device is signed out."), "ok")
    return redirect("/account/devices", code=303)


@pages.get("/account/sites", permission=Permission.BUY)
def list_sites() -> str:
    """Building sites."""
    actor = access.actor()
    companies = {m.organisation_id: m for m in actor.memberships if m.kind == "buyer"}
    return render_template("account/sites.html", sites=queries.sites(actor.user), companies=companies, active="sites")


@pages.get("/account/sites/new", permission=Permission.BUY)
def new_site() -> str:
    """The form of a new site; `next` is where it was asked for."""
    form = SiteForm(formdata=None)
    form.floor.data = 1
    form.organisation.choices = _sharing()
    return render_template("account/site.html", form=form, active="sites", next=request.args.get("next", ""))


def _sharing() -> list[tuple[str, str]]:
    """Who may use a new site: the person, or everybody of an own buying company."""
    own = [m for m in access.actor().memberships if m.kind == "buyer" and m.role == "owner"]
    shared = [(str(m.organisation_public_id), _("everybody of %(name)s", name=m.organisation_name)) for m in own]
    return [("", _("only mine")), *shared]


@pages.post("/account/sites/new", permission=Permission.BUY)
def add_site() -> ResponseReturnValue:
    """Keep a new site."""
    return _save_site(None)


@pages.get("/account/sites/<site>", permission=Permission.BUY)
def show_site(site: str) -> str:
    """The form of a site."""
    row = queries.managed_site(access.actor().user, given(site))
    return render_template(
        "account/site.html", form=SiteForm(obj=row, formdata=None), site=row, active="sites", next=""
    )


@pages.post("/account/sites/<site>", permission=Permission.BUY)
def save_site(site: str) -> ResponseReturnValue:
    """Change a site."""
    queries.managed_site(access.actor().user, given(site))
    return _save_site(given(site))


def _save_site(key: uuid.UUID | None) -> ResponseReturnValue:
    form = SiteForm()
    target = request.form.get("next", "")
    if form.validate():
        try:
            values = site_values(form)
            if key is None:
                sites.add(access.actor(), values, parse_uuid(form.organisation.data or ""))
            else:
                sites.edit(access.actor(), key, values)
            flash(_("The site is saved."), "ok")
            return redirect(target if target in ("/cart", "/checkout", "/site") else "/account/sites", code=303)
        except DomainError as error:
            form.refuse(error)
    site = queries.managed_site(access.actor().user, key) if key else None
    form.organisation.choices = [] if site else _sharing()
    return render_template("account/site.html", form=form, site=site, active="sites", next=target), 422


def site_values(form: SiteForm) -> dict[str, object]:
    """The form's values as the service takes them.

    Raises:
        Invalid: a coordinate is no number.
    """
    values = {name: field.data for name, field in form._fields.items() if name not in ("csrf_token", "organisation")}
    errors = []
    for key in ("lat", "lon"):
        try:
            values[key] = float(parse_decimal(str(values[key])))
        except NotANumber as error:
            errors.append(FieldError(f"/{key}", error.code))
    if errors:
        raise Invalid(errors)
    values["floor"] = values["floor"] if values["floor"] is not None else 1
    return values


@pages.post("/account/sites/<site>/delete", permission=Permission.BUY)
def delete_site(site: str) -> ResponseReturnValue:
    """Remove a site; orders keep it."""
    sites.remove(access.actor(), given(site))
    flash(_("The site is removed."), "ok")
    return redirect("/account/sites", code=303)
