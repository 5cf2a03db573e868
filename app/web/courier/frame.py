"""The blueprint of the courier's phone."""

from __future__ import annotations

from typing import Any

from flask import Response

from app import access
from app.access import Guarded
from app.texts import logistics as words

pages = Guarded("courier", __name__, url_prefix="/courier")


@pages.context_processor
def outbox() -> dict[str, Any]:
    """What the bar of waiting taps needs on every page: whose they are, and how they are called."""
    person = access.actor().public_id
    return {"person": str(person) if person else "", "taps": words.TAPS, "tracking": False}


@pages.after_request
def name_person(response: Response) -> Response:
    """Tell the phone whose pages these are: copies of them are kept apart."""
    person = access.actor().public_id
    if person and response.mimetype == "text/html":
        response.headers["Courier-Person"] = str(person)
    return response
