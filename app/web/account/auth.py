"""Sign-in, registration, passwords, language and theme."""

from __future__ import annotations

from urllib.parse import unquote

from flask import Response, current_app, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import lazy_gettext
from wtforms import BooleanField, EmailField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from app import access
from app.access import Guarded
from app.accounts import service
from app.accounts.service import NewUser, ProfileChange
from app.catalog import lists
from app.core.errors import DomainError, Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Actor, Permission
from app.estimates import service as estimates
from app.orders import carts
from app.web import limits, sessions
from app.web.buyer import marks
from app.web.filters import language
from app.web.forms import Form, stripped
from app.web.reading import sentence

pages = Guarded("auth", __name__)
_needed = InputRequired(lazy_gettext("Fill this in."))


class LoginForm(Form):
    email = EmailField(lazy_gettext("E-mail"), [_needed, Length(max=254)], filters=[stripped])
    password = PasswordField(lazy_gettext("Password"), [_needed, Length(max=200)])


class RegisterForm(Form):
    name = StringField(lazy_gettext("Your name"), [_needed, Length(max=100)], filters=[stripped])
    email = EmailField(lazy_gettext("E-mail"), [_needed, Length(max=254)], filters=[stripped])
    phone = StringField(lazy_gettext("Phone"), [Length(max=40)], filters=[stripped])
    password = PasswordField(lazy_gettext("Password"), [_needed, Length(max=200)])
    agree = BooleanField(
        lazy_gettext("I agree to the processing of my personal data"),
        [InputRequired(lazy_gettext("Without your consent we may not keep the account."))],
    )


class ForgotForm(Form):
    email = EmailField(lazy_gettext("E-mail"), [_needed, Length(max=254)], filters=[stripped])


class ResetForm(Form):
    password = PasswordField(lazy_gettext("New password"), [_needed, Length(max=200)])


def safe_next(target: str) -> str:
    """A path of our own to go to, or the home page: never another site, whatever its spelling."""
    plain = unquote(target)
    odd = "\\" in plain or not plain.isprintable()
    return target if plain.startswith("/") and not plain.startswith("//") and not odd else "/"


@pages.get("/login", permission=Permission.PUBLIC)
def login() -> ResponseReturnValue:
    """The sign-in form."""
    if access.actor().is_signed_in:
        return redirect(safe_next(request.args.get("next", "/")))
    return render_template("account/login.html", form=LoginForm(formdata=None), next=request.args.get("next", ""))


@pages.post("/login", permission=Permission.PUBLIC)
def sign_in() -> ResponseReturnValue:
    """Check the password and start a session."""
    form, target = LoginForm(), request.form.get("next", "")
    browser = sessions.client()
    if form.validate():
        limits.hit_sign_in(browser.ip, form.email.data)
        try:
            signed = service.sign_in(form.email.data, form.password.data, browser)
            return _signed_in(signed, browser, safe_next(target))
        except DomainError as error:
            form.refuse(error)
    return render_template("account/login.html", form=form, next=target), 422


def _signed_in(signed: service.SignedIn, browser: service.Client, target: str) -> Response:
    """Start the session, take the guest's cart along, go where the person wanted."""
    response = make_response(redirect(target, code=303))
    actor = Actor(user_id=signed.user_id, device_id=signed.device_id, ip=browser.ip)
    estimates.adopt(actor, request.cookies.get(sessions.ESTIMATES_COOKIE, ""))
    save_pressed(actor, response)
    token = sessions.guest_cart_token()
    if token:
        for change in carts.merge_guest_cart(actor, token):
            if change.note:
                name = change.name_en if language() == "en" else change.name_ru
                flash(_("The cart has changed: %(name)s", name=name), "warn")
        response.delete_cookie(sessions.CART_COOKIE)
    return sessions.start(response, signed, browser)


def save_pressed(actor: Actor, response: Response) -> None:
    """The product whose heart was pressed before signing in becomes a favourite."""
    pressed = parse_uuid(request.cookies.get(marks.SAVE_COOKIE, ""))
    if pressed is None:
        return
    response.delete_cookie(marks.SAVE_COOKIE, path="/")
    try:
        lists.favour(actor, pressed, on=True)
        flash(_("The product is in your favourites."), "ok")
    except Invalid as error:  # gone meanwhile, or the list is full
        flash(sentence(error), "warn")


@pages.get("/register", permission=Permission.PUBLIC)
def register() -> str:
    """The registration form."""
    return render_template("account/register.html", form=RegisterForm(formdata=None), next=request.args.get("next", ""))


@pages.post("/register", permission=Permission.PUBLIC)
def open_account() -> ResponseReturnValue:
    """Open the account and sign it in."""
    form, target = RegisterForm(), request.form.get("next", "")
    browser = sessions.client()
    if form.validate():
        new = NewUser(form.email.data, form.password.data, form.name.data, form.phone.data or "", language())
        limits.hit("register", browser.ip)
        try:
            return _signed_in(service.register(new, browser), browser, safe_next(target))
        except DomainError as error:
            form.refuse(error)
    return render_template("account/register.html", form=form, next=target), 422


@pages.post("/logout", permission=Permission.PUBLIC)
def logout() -> Response:
    """End the session here and on the server."""
    return sessions.end(make_response(redirect("/", code=303)))


@pages.get("/password/forgot", permission=Permission.PUBLIC)
def forgot() -> str:
    """Ask for a link by mail."""
    return render_template("account/forgot.html", form=ForgotForm(formdata=None), sent=False)


@pages.post("/password/forgot", permission=Permission.PUBLIC)
def send_link() -> ResponseReturnValue:
    """The same words whether or not the address has an account."""
    form = ForgotForm()
    if not form.validate():
        return render_template("account/forgot.html", form=form, sent=False), 422
    limits.hit_forgot(sessions.client_ip(), form.email.data)
    service.ask_password_reset(form.email.data)
    return render_template("account/forgot.html", form=form, sent=True)


@pages.get("/password/reset/<token>", permission=Permission.PUBLIC)
def reset(token: str) -> str:
    """The form behind a mailed link."""
    return render_template("account/reset.html", form=ResetForm(formdata=None), token=token)


@pages.post("/password/reset/<token>", permission=Permission.PUBLIC)
def set_password(token: str) -> ResponseReturnValue:
    """Set the password; every session of the account ends."""
    form = ResetForm()
    if form.validate():
        limits.hit("reset", sessions.client_ip())
        try:
            service.reset_password(token, form.password.data, sessions.client_ip())
            flash(_("The password is set. Sign in with it."), "ok")
            return redirect("/login", code=303)
        except DomainError as error:
            form.refuse(error)
    return render_template("account/reset.html", form=form, token=token), 422


@pages.post("/preferences", permission=Permission.PUBLIC)
def preferences() -> Response:
    """Language and theme, remembered by cookies; the language also by the account."""
    response = make_response(redirect(safe_next(request.form.get("next", "/")), code=303))
    lang, theme = request.form.get("lang"), request.form.get("theme")
    if lang in ("ru", "en"):
        _remember(response, "lang", lang)
        if access.actor().is_signed_in:
            service.edit_profile(access.actor(), ProfileChange(locale=lang))
    if theme in ("light", "dark"):
        _remember(response, "theme", theme)
    elif theme == "":
        response.delete_cookie("theme")
    return response


def _remember(response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name, value, max_age=sessions.YEAR, samesite="Lax", secure=current_app.config["SESSION_COOKIE_SECURE"]
    )
