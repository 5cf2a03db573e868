"""Photographs and signatures of couriers: the address that only the parties of a delivery may open."""

from __future__ import annotations

from flask import Response, current_app

from app import access
from app.access import Guarded
from app.core.permissions import Permission
from app.core.storage import Storage
from app.logistics import courier_photos
from app.web.photos import SANDBOX
from app.web.reading import key_of

pages = Guarded("proof", __name__)


@pages.get("/proof/<photo>", permission=Permission.ACCOUNT)
def show(photo: str) -> Response:
    """The clean picture; nobody else may keep a copy of it on the way."""
    stored = courier_photos.file_for(access.actor(), key_of(photo))
    storage: Storage = current_app.extensions["storage"]
    answer = Response(storage.get(stored), mimetype="image/webp")
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Security-Policy"] = SANDBOX
    return answer
