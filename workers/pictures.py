"""Jobs of photographs and documents: making files in a child process that may do little, deleting what is replaced."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import current_app

from app.catalog import documents, pictures
from app.catalog.picture_files import FORMATS, WHOLE, WIDTHS, file_name, stored_name
from app.catalog.pictures import Made
from app.core.errors import NotFound
from app.core.jobs import RunningJob
from app.core.storage import Storage
from app.offers import picture_changes

ROOT = Path(__file__).resolve().parent.parent
WAIT_SECONDS = 120
"""The child has 20 s of the processor; on a busy machine they take longer."""
DOCUMENT_WIDTH = 1800
LOST = "file_lost"
Wanted = Sequence[tuple[str, int, str, bool]]
"""(storage name, width, format, whether cropped) of each file."""


class Unmade(Exception):
    """No files can be made; the text is the code of the reason."""


def encode(content: bytes, kind: str, crop: Sequence[int] | None, wanted: Wanted) -> tuple[dict[str, Any], list[bytes]]:
    """What a picture is and its files, made in a child without secrets, with 512 MiB and 20 s of the processor.

    Raises:
        Unmade: the picture is broken, hostile or too heavy.
        RuntimeError: the child was stopped from outside; worth another try.
    """
    order = json.dumps({"kind": kind, "crop": crop, "files": wanted})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "workers.picture_child", order], cwd=ROOT, input=content, capture_output=True,
            timeout=WAIT_SECONDS, env={"MALLOC_ARENA_MAX": "1", "PATH": os.defpath}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Unmade("picture_heavy") from None
    if done.returncode in (-signal.SIGTERM, -signal.SIGINT):
        raise RuntimeError("the child was stopped")
    head, _, rest = done.stdout.partition(b"\n")
    if done.returncode != 0 or not head:  # out of memory or time, or a decoder that crashed
        raise Unmade("picture_heavy" if done.returncode < 0 else "picture_broken")
    told = json.loads(head)
    if "refused" in told:
        raise Unmade(told["refused"])
    files = []
    for size in told["sizes"]:
        files.append(rest[:size])
        rest = rest[size:]
    return told, files


def make(job: RunningJob) -> None:
    """Make the files of a photograph. Names are known beforehand, so a second try writes the same files again."""
    image, name, whole = job.payload["image"], job.payload["name"], job.payload["whole"]
    wanted = pictures.order(image, name)
    result = _files(wanted, name) if wanted is not None else None

    def effect() -> dict[str, Any]:
        fresh = pictures.finish(image, name, whole, result)
        if fresh is not None:
            (pictures.show_last if fresh.seller_id is None else picture_changes.propose_last)(fresh)
        return {"error": result} if isinstance(result, str) else {}

    job.complete(effect)


def _files(order: pictures.Order, name: str) -> Made | str:
    storage: Storage = current_app.extensions["storage"]
    files = [(stored_name(file_name(name, w, f)), w, f, True) for w in WIDTHS for f in FORMATS]
    if order.needs_whole:
        files.append((stored_name(file_name(order.whole, *WHOLE)), *WHOLE, False))
    try:
        told, contents = encode(storage.get(order.original), order.kind, order.crop, files)
    except NotFound:
        return LOST
    except Unmade as reason:
        return str(reason)
    for (stored, _, form, _), content in zip(files, contents, strict=True):
        storage.put(stored, content, f"image/{form}")
    return Made(told["width"], told["height"], (told["source"][0], told["source"][1]))


def make_document(job: RunningJob) -> None:
    """Encode a photographed document anew: it must not tell where it was photographed."""
    document, stored, kind = job.payload["document"], job.payload["stored"], job.payload["kind"]
    storage: Storage = current_app.extensions["storage"]
    original = documents.original(document)
    size, refused = 0, ""
    try:
        if original:
            _, [content] = encode(storage.get(original), kind, None, [(stored, DOCUMENT_WIDTH, "jpeg", True)])
            storage.put(stored, content, "image/jpeg")
            size = len(content)
    except NotFound:
        refused = LOST
    except Unmade as reason:
        refused = str(reason)
    job.complete(lambda: documents.finish(document, stored, size, refused))


def forget(job: RunningJob) -> None:
    """Delete files that nothing names any more."""
    storage: Storage = current_app.extensions["storage"]
    for name in job.payload["names"]:
        storage.delete(name)
    job.complete()
