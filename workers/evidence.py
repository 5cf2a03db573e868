"""Jobs of photographs of returns, claims and couriers: one clean picture, without what the camera wrote beside it."""

from __future__ import annotations

from collections.abc import Callable

from flask import current_app

from app.core.errors import NotFound
from app.core.jobs import RunningJob
from app.core.storage import Storage
from app.logistics import courier_photos
from app.orders import evidence
from workers.pictures import LOST, Unmade, encode

WIDTH = 1280


def make(job: RunningJob) -> None:
    """A photograph of a return or claim."""
    _make(job, evidence.order, evidence.finish)


def make_proof(job: RunningJob) -> None:
    """A photograph or a signature of a courier."""
    _make(job, courier_photos.order, courier_photos.finish)


def _make(
    job: RunningJob, order: Callable[[int], tuple[str, str, str] | None], finish: Callable[[int, str], None]
) -> None:  # fmt: skip
    """Encode the photograph anew in a child. The name is known beforehand: a second try writes the same file."""
    photo = job.payload["photo"]
    wanted = order(photo)
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
    job.complete(lambda: finish(photo, refused))
