"""Photographs of returns and claims: taking them from forms, and the address that only the parties may open."""

from __future__ import annotations

import uuid

from flask import Response, current_app, request

from app import access
from app.access import Guarded
from app.catalog.picture_files import Upload
from app.core.errors import FieldError, Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.core.storage import Storage
from app.orders import evidence, return_rules
from app.web.photos import SANDBOX
from app.web.reading import key_of

pages = Guarded("evidence", __name__)


@pages.get("/evidence/<photo>", permission=Permission.ACCOUNT)
def show(photo: str) -> Response:
    """The clean picture; nobody else may keep a copy of it on the way."""
    return file_of(key_of(photo))


def file_of(photo: uuid.UUID) -> Response:
    """A photograph for who may see it.

    Raises:
        NotFound: absent, not ready, or of somebody else's case.
    """
    stored = evidence.file_for(access.actor(), photo)
    storage: Storage = current_app.extensions["storage"]
    answer = Response(storage.get(stored), mimetype="image/webp")
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Security-Policy"] = SANDBOX
    return answer


def from_form() -> tuple[list[uuid.UUID], list[FieldError]]:
    """Photographs of this form (`photos`) and of an earlier try of it (`photo`), and what is wrong with them."""
    found = [key for key in map(parse_uuid, request.form.getlist("photo")) if key is not None]
    errors: list[FieldError] = []
    for file in request.files.getlist("photos")[: return_rules.MOST_PHOTOS + 1]:
        if not file.filename:
            continue
        try:
            upload = Upload(file.filename, file.read())
            found.append(evidence.receive(access.actor(), current_app.extensions["storage"], upload))
        except Invalid as refusal:
            errors += [FieldError("/photos", one.code, one.context) for one in refusal.errors]
    return found, errors
