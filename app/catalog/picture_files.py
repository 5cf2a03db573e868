"""Names of the files of photographs, and what an upload must be. A photograph has one name and six files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.core.errors import Invalid
from app.core.filetypes import Kind, kind_of
from app.core.ids import uuid7

WIDTHS = (320, 640, 1280)
"""How wide files may be; a narrower original is never enlarged."""
FORMATS = ("avif", "webp")
WHOLE = (640, "webp")
"""The uncropped picture, for the page where the crop is chosen."""
EXTENSIONS: dict[Kind, tuple[str, ...]] = {
    "pdf": ("pdf",),
    "jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "png": ("png",),
    "webp": ("webp",),
}
MAX_BYTES = 15 * 1024 * 1024
FOLDER, ORIGINALS = "media", "originals"
PUBLIC_FILE = re.compile(r"[0-9a-f]{32}-(?:320|640|1280)\.(?:avif|webp)")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came, under the sender's name for it."""

    name: str
    content: bytes


def fresh_name() -> str:
    """A name nobody can guess."""
    return uuid7().hex


def file_name(name: str, width: int, form: str) -> str:
    """The public name of one file of a photograph."""
    return f"{name}-{width}.{form}"


def stored_name(file: str) -> str:
    """Where the storage keeps a public file."""
    return f"{FOLDER}/{file}"


def files_of(name: str) -> list[str]:
    """Storage names of all files a photograph of this name may have; none for an empty name."""
    return [stored_name(file_name(name, width, form)) for width in WIDTHS for form in FORMATS] if name else []


def whole_file(name: str) -> list[str]:
    """Storage name of the uncropped picture."""
    return [stored_name(file_name(name, *WHOLE))] if name else []


def shown_name(given: str) -> str:
    """The last part of the sender's name, without signs that no name needs; it is shown, never opened."""
    bare = given.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in bare if c.isprintable())[:120] or "file"


def _extension_fits(name: str, kind: Kind) -> bool:
    """Whether the name ends as files of this kind do, or has no ending at all."""
    _stem, dot, ending = name.rpartition(".")
    return not dot or ending.lower() in EXTENSIONS[kind]


def checked(upload: Upload, kinds: tuple[str, ...], most: int, wrong_kind: str) -> Kind:
    """What the file is, by its content.

    Raises:
        Invalid: nothing in it, too large, not of these kinds (`wrong_kind`), or a name that says something else.
    """
    if not upload.content:
        raise Invalid.one("/file", "required")
    if len(upload.content) > most:
        raise Invalid.one("/file", "upload_too_large", maximum=most // 1024 // 1024)
    kind = kind_of(upload.content)
    if kind is None or kind not in kinds:
        raise Invalid.one("/file", wrong_kind)
    if not _extension_fits(upload.name, kind):
        raise Invalid.one("/file", "wrong_extension", kind=kind.upper())
    return kind
