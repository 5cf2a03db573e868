"""How the API shows photographs and documents of products."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Literal

from app.api.schemas import Schema
from app.catalog.picture_files import WIDTHS
from app.catalog.queries import Document
from app.web.photos import document_url, photo_url


class ImageFile(Schema):
    """A photograph in one size, as two files; `width` and `height` in pixels."""

    width: int
    height: int
    avif: str
    webp: str


class ImageOut(Schema):
    """A photograph by what it shows (`alt`) and its sizes."""

    alt: str
    sizes: list[ImageFile]


class DocumentOut(Schema):
    """A certificate or paper in date. `url` answers with the file; `size` in bytes."""

    id: uuid.UUID
    kind: Literal["certificate", "declaration", "fire", "passport", "instruction"]
    number: str
    issuer: str
    issued_on: date | None
    valid_until: date | None
    content_type: str
    size: int
    url: str


def image_sizes(name: str, width: int, height: int) -> list[ImageFile]:
    """The files of a photograph whose largest one has these pixels; small ones do not come twice."""
    wanted = {min(most, width): most for most in reversed(WIDTHS)}
    return [
        ImageFile(
            width=wide, height=max(1, round(height * wide / width)), avif=photo_url(name, most, "avif"),
            webp=photo_url(name, most, "webp"),
        )
        for wide, most in sorted(wanted.items())
    ]  # fmt: skip


def document_out(row: Document) -> DocumentOut:
    """A document as clients see it."""
    return DocumentOut(
        id=row.public_id, kind=row.kind, number=row.number, issuer=row.issuer, issued_on=row.issued_on,
        valid_until=row.valid_until, content_type=row.content_type, size=row.size, url=document_url(row.public_id),
    )  # fmt: skip
