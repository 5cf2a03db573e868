"""Who calls the API: a bearer token, never a cookie."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask, current_app, g, request

from app.accounts import queries, service
from app.accounts.tokens import Signer
from app.core.errors import NotFound, NotSignedIn
from app.core.ids import parse_uuid
from app.core.permissions import ANONYMOUS, Actor
from app.settings import Settings
from app.web.sessions import client_ip


def init_app(app: Flask, settings: Settings) -> None:
    """Make the signer of this application."""
    app.extensions["token_signer"] = Signer(settings)


def signer() -> Signer:
    """The signer of this application."""
    found: Signer = current_app.extensions["token_signer"]
    return found


def load_actor() -> Actor:
    """The person of the access token.

    Raises:
        NotSignedIn: a token was sent and is not good; without one the caller is anonymous.
    """
    header = request.headers.get("Authorization", "")
    if not header:
        return ANONYMOUS
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn("invalid_token")
    claims = signer().read(token.strip())
    seen = queries.by_token(
        claims.user, claims.epoch, claims.device, ip=client_ip(), request_id=g.get("request_id", "")
    )
    if seen is None:
        raise NotSignedIn("invalid_token")
    if seen.touch:
        service.touch(seen.actor)
    return _working_for(seen.actor, request.headers.get("X-Organisation-Id", ""))


def _working_for(actor: Actor, wanted: str) -> Actor:
    """The actor at work for the organisation of the header; without it for the first one.

    Raises:
        NotFound: the header names an organisation in which the person has no place.
    """
    if not wanted:
        return actor
    key = parse_uuid(wanted)
    place = next((m for m in actor.memberships if m.organisation_public_id == key), None)
    if place is None:
        raise NotFound()
    if place.is_seller:
        return replace(actor, current_seller_id=place.organisation_id)
    return replace(actor, current_carrier_id=place.organisation_id) if place.is_dispatcher else actor
