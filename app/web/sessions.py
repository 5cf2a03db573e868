"""Signed-in browsers: a random token in a cookie, the session as a row. Flask-Login shows the person to templates."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import Flask, Response, current_app, g, request
from flask_login import LoginManager, UserMixin

from app import access
from app.accounts import queries, service
from app.accounts.service import Client, SignedIn
from app.core.ids import parse_uuid
from app.core.permissions import ANONYMOUS, Actor

DEVICE_COOKIE = "device"
CART_COOKIE = "cart"
ESTIMATES_COOKIE = "estimates"
YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class WebUser(UserMixin):  # type: ignore[misc]  # UserMixin is untyped
    """Flask-Login's view of the actor."""

    actor: Actor

    def get_id(self) -> str:
        return str(self.actor.public_id)


def init_app(app: Flask) -> None:
    """Let Flask-Login ask us who is signed in, and write last-seen times after the answer."""
    manager = LoginManager()
    manager.session_protection = None  # our session rows are the protection; Flask's own session holds no identity
    manager.init_app(app, add_context_processor=True)
    manager.request_loader(lambda _request: WebUser(access.actor()) if access.actor().is_signed_in else None)
    app.after_request(touch_session)


def cookie_name() -> str:
    """`__Host-` binds the cookie to this host and https; plain http in development cannot have it."""
    return "__Host-session" if current_app.config["SESSION_COOKIE_SECURE"] else "session"


def load_actor() -> Actor:
    """Who asks for this page."""
    token = request.cookies.get(cookie_name(), "")
    if not token:
        return ANONYMOUS
    seen = queries.by_session(token, ip=client_ip(), request_id=g.get("request_id", ""))
    if seen is None:
        return ANONYMOUS
    g.touch_due = seen.touch
    return seen.actor


def touch_session(response: Response) -> Response:
    """Write the last-seen time at most every few minutes, after the answer is made."""
    if g.get("touch_due") and access.actor().is_signed_in:
        service.touch(access.actor())
    return response


def client_ip() -> str:
    """The address of the client, through as many proxies as the settings trust."""
    return request.remote_addr or ""


def client() -> Client:
    """This browser, by its long-lived device cookie."""
    known = parse_uuid(request.cookies.get(DEVICE_COOKIE, ""))
    return Client(known or uuid.uuid4(), request.headers.get("User-Agent", ""), client_ip())


def start(response: Response, signed: SignedIn, browser: Client) -> Response:
    """Give the browser a fresh session; the one it had before is over on the server too."""
    if access.actor().session_id is not None:
        service.sign_out(access.actor())
    set_cookie(response, cookie_name(), service.open_session(signed), int(service.SESSION_LIFE.total_seconds()))
    set_cookie(response, DEVICE_COOKIE, str(browser.client_id), YEAR)
    return response


def end(response: Response) -> Response:
    """End the session on the server and in the browser."""
    if access.actor().session_id is not None:
        service.sign_out(access.actor())
    response.delete_cookie(cookie_name(), path="/", secure=current_app.config["SESSION_COOKIE_SECURE"], httponly=True)
    return response


def set_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    """A cookie for the server's eyes only."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", httponly=True, samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )  # fmt: skip


def guest_cart_token() -> str:
    """The token of the guest's cart, or an empty string."""
    return request.cookies.get(CART_COOKIE, "")
