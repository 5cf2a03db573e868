"""Files that people brought, handed out so that no browser runs or shows them as a page of ours."""

from __future__ import annotations

from flask import Response, current_app

from app.accounts.documents import StoredFile
from app.core.storage import Storage


def attachment(found: StoredFile) -> Response:
    """The file as a download."""
    storage: Storage = current_app.extensions["storage"]
    response = Response(storage.get(found.stored_name), mimetype=found.mime)
    response.headers.set("Content-Disposition", "attachment", filename=found.file_name)
    response.headers["Content-Security-Policy"] = "sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
