"""Jobs of price lists: reading and writing them, fetching them from the addresses of sellers."""

from __future__ import annotations

from typing import Any

from flask import current_app

from app.core.db import session
from app.core.errors import NotFound
from app.core.fetch import FetchRefused, fetch
from app.core.jobs import RunningJob
from app.core.storage import Storage
from app.offers.imports import applying, checking, feeds, queries, service
from app.offers.imports.checking import TakenOver
from app.offers.imports.table import BadFile
from app.settings import Settings


def run(job: RunningJob) -> None:
    """Go on with an import from where it stands; a worker that was killed is followed by one that does the rest."""
    import_id = job.payload["import"]
    storage: Storage = current_app.extensions["storage"]

    def alive(done: int, total: int) -> bool:
        return job.progress(done, total)

    stopped = False
    try:
        work = queries.work(import_id)
        if work.state == "checking":
            checking.check(import_id, storage.get(work.stored_name), alive)
        if queries.work(import_id).state == "applying":
            applying.apply(import_id, alive)
    except TakenOver:
        session.rollback()
        stopped = True
    except NotFound:
        checking.fail(import_id, BadFile("file_lost"))
    session.expire_all()

    def effect() -> dict[str, Any]:
        if stopped:  # and this worker still holds the job: it was asked to stop
            service.stop(import_id, job.public_id)
        return queries.result(import_id)

    job.complete(effect)


def fetch_feed(job: RunningJob) -> None:
    """Read the address of a feed and hand what it gives to an import."""
    feed_id = job.payload["feed"]
    settings: Settings = current_app.extensions["settings"]
    url = feeds.address(feed_id)
    if url is None:
        job.complete()
        return
    try:
        content = fetch(url, feeds.policy(settings.fetch_anywhere))
    except FetchRefused as refused:
        feeds.note_error(feed_id, refused)
        code = refused.code
        job.complete(lambda: {"error": code})
        return
    found = feeds.take(feed_id, content, current_app.extensions["storage"], again=job.payload.get("again", False))
    job.complete(lambda: found)
