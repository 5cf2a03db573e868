"""The worker: runs jobs that RQ hands over. `python -m workers.worker fast slow` serves the queues in that order."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import redis
import structlog
from flask import Flask
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from app.core import jobs
from app.core.db import db, session, unit_of_work
from app.core.metrics import JOBS
from app.core.models import Job
from app.registry import JOB_HANDLERS
from workers.process import make_app

log = structlog.get_logger(__name__)

GENTLE = 10
"""Added to the niceness of jobs: whoever waits for a page gets the processor first."""

Handler = Callable[[jobs.RunningJob], None]
_app: Flask | None = None


def application() -> Flask:
    """The application of this process; made on first use, with a fresh pool after the fork."""
    global _app
    if _app is None:
        _app = make_app()
    return _app


def handler_of(kind: str) -> Handler:
    """The function that does jobs of this kind; imported only here, so solvers never load elsewhere."""
    module, _, name = JOB_HANDLERS[kind].partition(":")
    found: Handler = getattr(importlib.import_module(module), name)
    return found


def run(job_id: int) -> None:
    """What RQ calls in a process of its own: claim the row, do the work, write effect and `done` together."""
    os.nice(GENTLE)
    app = application()
    with app.app_context():
        run_in_context(job_id, app)


def run_in_context(job_id: int, app: Flask) -> None:
    """Claim and do one job inside an application context; a job that is taken or finished is left alone."""
    job = jobs.claim(job_id)
    if job is None:
        return
    structlog.contextvars.bind_contextvars(job=str(job.public_id), kind=job.kind)
    try:
        with _lease_kept(app, job):
            handler_of(job.kind)(job)
        JOBS.labels(job.kind, "done").inc()
    except Exception:  # whatever a handler raises must end as a retry or a dead job that the operator sees
        session.rollback()
        state = job.fail(traceback.format_exc())
        JOBS.labels(job.kind, state).inc()
        log.error("job_failed", state=state, exc_info=True)
    finally:
        structlog.contextvars.unbind_contextvars("job", "kind")


@contextmanager
def _lease_kept(app: Flask, job: jobs.RunningJob) -> Any:
    """Prolong the lease in the background, so that only a dead worker loses it."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(jobs.LEASE.total_seconds() / 3):
            with app.app_context():
                _prolong(job)
                db.session.remove()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=5)


@unit_of_work
def _prolong(job: jobs.RunningJob) -> None:
    session.execute(
        db.update(Job)
        .where(Job.id == job.id, Job.lease_token == job.token)
        .values(lease_until=db.func.now() + jobs.LEASE)
    )


def main(queues: list[str]) -> None:
    """Serve the queues until told to stop; a Valkey that goes away is waited for (RQ's worker would exit)."""
    app = application()
    while True:
        with app.app_context():
            db.engine.dispose()  # children of the fork open their own connections
        try:
            _serve(queues, app.config["REDIS_URL"])
            return
        except redis.RedisError as error:
            log.warning("valkey_down", error=str(error))
            time.sleep(2)


def _serve(queues: list[str], redis_url: str) -> None:
    connection = redis.Redis.from_url(redis_url)
    worker = Worker(
        [Queue(q, connection=connection, serializer=JSONSerializer) for q in queues],
        connection=connection,
        serializer=JSONSerializer,
    )
    worker.work(logging_level="WARNING")


if __name__ == "__main__":
    main(sys.argv[1:] or ["fast", "imports", "slow"])
