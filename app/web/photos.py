"""Addresses of photographs and documents, and the pages that serve them."""

from __future__ import annotations

import re

from flask import Response, current_app, request

from app.access import Guarded
from app.catalog import media_queries
from app.catalog.media_queries import DeskDocument
from app.catalog.picture_files import PUBLIC_FILE, file_name, stored_name
from app.core.errors import NotFound
from app.core.filetypes import MIME
from app.core.permissions import Permission
from app.core.storage import Storage
from app.web.assets import asset_url
from app.web.drawings import file_of
from app.web.headers import ONE_YEAR
from app.web.reading import key_of

pages = Guarded("media", __name__)
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""A file of a stranger that is opened in the browser may do nothing there."""
ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


def photo_url(name: str, width: int = 640, form: str = "webp") -> str:
    """Address of one file of a photograph."""
    return f"/media/{file_name(name, width, form)}"


def image_url(picture: str, drawing: str) -> str:
    """Address of a product's photograph, or of the drawing of its section while it has none."""
    return photo_url(picture) if picture else asset_url(file_of(drawing))


def document_url(public_id: object) -> str:
    """Where buyers fetch a document."""
    return f"/documents/{public_id}"


@pages.get("/media/<name>", permission=Permission.PUBLIC)
def photograph(name: str) -> Response:
    """A file of a photograph. Its name never gets other bytes, so it may be kept for ever."""
    if not PUBLIC_FILE.fullmatch(name):
        raise NotFound()
    storage: Storage = current_app.extensions["storage"]
    response = current_app.response_class(storage.get(stored_name(name)))
    response.mimetype = f"image/{name.rpartition('.')[2]}"
    response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR}, immutable"
    response.set_etag(name)
    response.make_conditional(request)
    return response


@pages.get("/documents/<document>", permission=Permission.PUBLIC)
def document(document: str) -> Response:
    """An approved document that is in date."""
    return document_file(media_queries.public_document(key_of(document)))


def document_file(found: DeskDocument) -> Response:
    """The file, saved rather than opened, and harmless when a browser opens it all the same."""
    storage: Storage = current_app.extensions["storage"]
    response = current_app.response_class(storage.get(found.stored))
    response.mimetype = found.content_type if found.content_type in MIME.values() else "application/octet-stream"
    bare = re.sub(r"[^A-Za-z0-9._]+", "-", f"{found.kind}-{found.number}").strip("-.")[:80]
    ending = ENDINGS.get(found.content_type, "bin")
    response.headers["Content-Disposition"] = f'attachment; filename="{bare or "document"}.{ending}"'
    response.headers["Content-Security-Policy"] = SANDBOX
    return response
