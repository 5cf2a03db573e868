"""What a file is, by its first bytes: names and declared types are the sender's to choose."""

from __future__ import annotations

from typing import Literal

Kind = Literal["pdf", "jpeg", "png", "webp"]
MIME: dict[Kind, str] = {"pdf": "application/pdf", "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


def kind_of(content: bytes) -> Kind | None:
    """The kind of the file, or None for anything else."""
    if content.startswith(b"%PDF-"):
        return "pdf"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    return None
