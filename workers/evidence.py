"""The job of a photograph of a return or claim: one clean picture, without what the camera wrote beside it."""

from __future__ import annotations

from flask import current_app

from app.core.errors import NotFound
from app.core.jobs import RunningJob
from app.core.storage import Storage
from app.orders import evidence
from workers.pictures import LOST, Unmade, encode

WIDTH = 1280


def make(job: RunningJob) -> None:
    """Encode the photograph anew in a child. The name is known beforehand: a second try writes the same file."""
    photo = job.payload["photo"]
    wanted = evidence.order(photo)
    refused = ""
    if wanted is not None:
        original, kind, stored = wanted
        storage: Storage = current_app.extensions["storage"]
        try:
            _, [content] = encode(storage.get(original), kind, None, [(stored, WIDTH, "webp", True)])
            storage.put(stored, content, "image/webp")
        except NotFound:
            refused = LOST
        except Unmade as reason:
            refused = str(reason)
    job.complete(lambda: evidence.finish(photo, refused))
