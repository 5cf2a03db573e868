"""People of a company, and places offered by mail."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from app import access, texts
from app.access import Guarded
from app.accounts import invitations, queries, team
from app.core.errors import DomainError
from app.core.permissions import Permission
from app.texts import accounts as words
from app.web import limits, sessions
from app.web.account.profile import given
from app.web.forms import Form, stripped
from app.web.reading import money_or_none, sentence

pages = Guarded("team", __name__)
TEAM = "/account/organisations/<organisation>/team"


class InvitationForm(Form):
    email = StringField(
        lazy_gettext("E-mail of the person"), [InputRequired(lazy_gettext("Fill this in.")), Length(max=254)],
        filters=[stripped],
    )  # fmt: skip
    role = SelectField(lazy_gettext("Role"), choices=[])


@pages.get(TEAM, permission=Permission.ACCOUNT)
def show_team(organisation: str) -> str:
    """Members, their roles, and open invitations."""
    return _team(given(organisation))


def _team(key: uuid.UUID, form: InvitationForm | None = None, error: str = "") -> str:
    row = queries.organisation(access.actor().user, key)
    allowed = team.may_give(row.kind, row.role)
    form = form or InvitationForm(formdata=None)
    form.role.choices = [(role, words.ROLES[role]) for role in reversed(allowed)]
    return render_template(
        "account/organisation_team.html", row=row, url=f"/account/organisations/{key}", members=queries.members(row.id),
        invited=invitations.of_company(row.id) if allowed else [], allowed=allowed, form=form, error=error,
        words=words, active="organisations",
    )  # fmt: skip


def _done(key: uuid.UUID, told: str) -> ResponseReturnValue:
    flash(told, "ok")
    return redirect(f"/account/organisations/{key}/team", code=303)


@pages.post("/account/organisations/<organisation>/invitations", permission=Permission.ACCOUNT)
def invite(organisation: str) -> ResponseReturnValue:
    """Mail a link; whether the address has an account is not told."""
    key, form, actor = given(organisation), InvitationForm(), access.actor()
    row = queries.organisation(actor.user, key)
    form.role.choices = [(role, words.ROLES[role]) for role in team.may_give(row.kind, row.role)]
    if form.validate():
        limits.hit_invitation(actor.user, form.email.data)
        try:
            invitations.invite(actor, key, form.email.data, form.role.data)
            return _done(key, _("The invitation is on its way."))
        except DomainError as error:
            if error.status == 403:
                raise
            form.refuse(error)
    return _team(key, form), 422


@pages.post("/account/organisations/<organisation>/invitations/<invitation>/resend", permission=Permission.ACCOUNT)
def resend(organisation: str, invitation: str) -> ResponseReturnValue:
    """Mail a new link."""
    limits.hit_invitation(access.actor().user, invitation)
    invitations.resend(access.actor(), given(organisation), given(invitation))
    return _done(given(organisation), _("The invitation is on its way."))


@pages.post("/account/organisations/<organisation>/invitations/<invitation>/revoke", permission=Permission.ACCOUNT)
def revoke(organisation: str, invitation: str) -> ResponseReturnValue:
    """Take the offer back."""
    invitations.revoke(access.actor(), given(organisation), given(invitation))
    return _done(given(organisation), _("The invitation is taken back."))


@pages.post("/account/organisations/<organisation>/members/<member>/role", permission=Permission.ACCOUNT)
def change_role(organisation: str, member: str) -> ResponseReturnValue:
    """Give another role."""
    key = given(organisation)
    try:
        team.change_role(access.actor(), key, given(member), request.form.get("role", ""))
    except DomainError as error:
        if error.status in (403, 404):
            raise
        return _team(key, error=texts.message(error)), error.status
    return _done(key, _("Saved."))


@pages.post("/account/organisations/<organisation>/members/<member>/limits", permission=Permission.ACCOUNT)
def set_limits(organisation: str, member: str) -> ResponseReturnValue:
    """How much a member of a buying company spends without asking; nothing typed: as much as it takes."""
    key, person = given(organisation), given(member)
    try:
        limits_of = [money_or_none(request.form.get(name, ""), name) for name in ("per_order", "per_month")]
        team.set_limits(access.actor(), key, person, *limits_of)
    except DomainError as error:
        if error.status in (403, 404):
            raise
        return _team(key, error=sentence(error)), error.status
    return _done(key, _("Saved."))


@pages.post("/account/organisations/<organisation>/members/<member>/remove", permission=Permission.ACCOUNT)
def remove_member(organisation: str, member: str) -> ResponseReturnValue:
    """Take the place away."""
    key, person, actor = given(organisation), given(member), access.actor()
    team.remove_member(actor, key, person)
    if person == actor.public_id:
        flash(_("The person is no longer in the company."), "ok")
        return redirect("/account/organisations", code=303)
    return _done(key, _("The person is no longer in the company."))


@pages.get("/invitations/<token>", permission=Permission.PUBLIC)
def show_invitation(token: str) -> ResponseReturnValue:
    """What a mailed link offers, and to whom."""
    return _invitation(token)


def _invitation(token: str, error: str = "") -> ResponseReturnValue:
    limits.hit("invitation_link", sessions.client_ip())
    try:
        found = invitations.behind(token)
    except DomainError as refusal:
        return render_template("account/invitation.html", found=None, error=texts.message(refusal)), refusal.status
    return render_template(
        "account/invitation.html", found=found, token=token, error=error, roles=words.ROLES,
        is_mine=access.actor().email.casefold() == found.email.casefold(),
    ), 409 if error else 200  # fmt: skip


@pages.post("/invitations/<token>", permission=Permission.ACCOUNT)
def accept(token: str) -> ResponseReturnValue:
    """Take the place."""
    try:
        key = invitations.accept(access.actor(), token)
    except DomainError as error:
        return _invitation(token, texts.message(error))
    flash(_("You are a member of the company now."), "ok")
    return redirect(f"/account/organisations/{key}", code=303)


@pages.post("/account/invitations/<invitation>/decline", permission=Permission.ACCOUNT)
def decline(invitation: str) -> ResponseReturnValue:
    """Refuse a place."""
    invitations.decline(access.actor(), given(invitation))
    return redirect("/account/organisations", code=303)
