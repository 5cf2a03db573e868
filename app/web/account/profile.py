"""The own account: profile, password, devices, sites, organisations."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext
from wtforms import BooleanField, HiddenField, IntegerField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from app import access
from app.access import Guarded
from app.accounts import organisations, queries, service, sites
from app.accounts.service import ProfileChange
from app.core.errors import DomainError, FieldError, Invalid, NotFound
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.core.units import NotANumber, parse_decimal
from app.texts import accounts as words
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


class OrganisationForm(Form):
    kind = SelectField(lazy_gettext("What the company does"), choices=words.KINDS)
    name = StringField(lazy_gettext("Name"), [_needed, Length(max=200)], filters=[stripped])
    inn = StringField(lazy_gettext("INN"), [_needed, Length(max=12)], filters=[stripped])
    kpp = StringField(lazy_gettext("KPP"), [Length(max=9)], filters=[stripped])
    ogrn = StringField(lazy_gettext("OGRN"), [Length(max=15)], filters=[stripped])
    address = StringField(lazy_gettext("Legal address"), [Length(max=300)], filters=[stripped])


class MemberForm(Form):
    email = StringField(lazy_gettext("E-mail of the person"), [_needed, Length(max=254)], filters=[stripped])
    role = SelectField(lazy_gettext("Role"), choices=[])


@pages.get("/account", permission=Permission.ACCOUNT)
def profile() -> str:
    """Profile and password."""
    row = queries.profile(access.actor().user)
    return _profile_page(ProfileForm(obj=row, formdata=None), PasswordForm(formdata=None))


def _profile_page(form: ProfileForm, password: PasswordForm) -> str:
    return render_template(
        "account/profile.html", form=form, password=password, email=access.actor().email, active="profile"
    )


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
    return render_template("account/sites.html", sites=queries.sites(access.actor().user), active="sites")


@pages.get("/account/sites/new", permission=Permission.BUY)
def new_site() -> str:
    """The form of a new site; `next` is where it was asked for."""
    form = SiteForm(formdata=None)
    form.floor.data = 1
    return render_template("account/site.html", form=form, active="sites", next=request.args.get("next", ""))


@pages.post("/account/sites/new", permission=Permission.BUY)
def add_site() -> ResponseReturnValue:
    """Keep a new site."""
    return _save_site(None)


@pages.get("/account/sites/<site>", permission=Permission.BUY)
def show_site(site: str) -> str:
    """The form of a site."""
    row = queries.site(access.actor().user, given(site))
    return render_template(
        "account/site.html", form=SiteForm(obj=row, formdata=None), site=row, active="sites", next=""
    )


@pages.post("/account/sites/<site>", permission=Permission.BUY)
def save_site(site: str) -> ResponseReturnValue:
    """Change a site."""
    queries.site(access.actor().user, given(site))
    return _save_site(given(site))


def _save_site(key: uuid.UUID | None) -> ResponseReturnValue:
    form = SiteForm()
    target = request.form.get("next", "")
    if form.validate():
        try:
            values = site_values(form)
            if key is None:
                sites.add(access.actor(), values)
            else:
                sites.edit(access.actor(), key, values)
            flash(_("The site is saved."), "ok")
            return redirect(target if target in ("/cart", "/checkout") else "/account/sites", code=303)
        except DomainError as error:
            form.refuse(error)
    site = queries.site(access.actor().user, key) if key else None
    return render_template("account/site.html", form=form, site=site, active="sites", next=target), 422


def site_values(form: SiteForm) -> dict[str, object]:
    """The form's values as the service takes them.

    Raises:
        Invalid: a coordinate is no number.
    """
    values = {name: field.data for name, field in form._fields.items() if name != "csrf_token"}
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
        values = {key: getattr(form, key).data or "" for key in ("name", "inn", "kpp", "ogrn", "address")}
        try:
            organisations.create(access.actor(), form.kind.data, organisations.Requisites(**values))
            flash(_("The company is registered."), "ok")
            return redirect("/account/organisations", code=303)
        except DomainError as error:
            form.refuse(error)
    return _organisations(form), 422


@pages.get("/account/organisations/<organisation>", permission=Permission.ACCOUNT)
def show_organisation(organisation: str) -> str:
    """A company and its people."""
    return _organisation(given(organisation), MemberForm(formdata=None))


def _organisation(key: uuid.UUID, form: MemberForm) -> str:
    row = queries.organisation(access.actor().user, key)
    form.role.choices = [(r, words.ROLES[r]) for r in organisations.ROLES_OF[row.kind]]
    return render_template(
        "account/organisation.html", row=row, members=queries.members(row.id), form=form, active="organisations"
    )


@pages.post("/account/organisations/<organisation>/members", permission=Permission.ACCOUNT)
def add_member(organisation: str) -> ResponseReturnValue:
    """Give a person a place."""
    key, form = given(organisation), MemberForm()
    row = queries.organisation(access.actor().user, key)
    form.role.choices = [(r, words.ROLES[r]) for r in organisations.ROLES_OF[row.kind]]
    if form.validate():
        try:
            organisations.add_member(access.actor(), key, form.email.data, form.role.data)
            return redirect(f"/account/organisations/{key}", code=303)
        except DomainError as error:
            form.refuse(error)
    return _organisation(key, form), 422


@pages.post("/account/organisations/<organisation>/members/<member>/remove", permission=Permission.ACCOUNT)
def remove_member(organisation: str, member: str) -> ResponseReturnValue:
    """Take the place away."""
    organisations.remove_member(access.actor(), given(organisation), given(member))
    return redirect(f"/account/organisations/{organisation}", code=303)


@pages.post("/account/work-for/<organisation>", permission=Permission.ACCOUNT)
def work_for(organisation: str) -> ResponseReturnValue:
    """Choose the seller or carrier to work for."""
    service.work_for(access.actor(), given(organisation))
    wanted = request.form.get("next", "")
    return redirect(
        wanted if wanted in ("/seller/orders", "/carrier/deliveries") else "/account/organisations", code=303
    )
