"""The relay: tells RQ of rows of the job table that are due, and takes back jobs of dead workers."""

from __future__ import annotations

import time

import redis
from flask import Flask, current_app
from rq import Queue
from rq.serializers import JSONSerializer

from app.core import jobs
from workers.process import make_app, repeat

POLL_SECONDS = 0.2
SWEEP_SECONDS = 5.0
_last_sweep = 0.0


def push_due() -> bool:
    """Move due rows to RQ. True when there were any.

    A row is marked first and pushed after; when the push fails it becomes due again after `jobs.LOST_AFTER`.
    """
    _sweep_now_and_then()
    rows = jobs.take_due()
    if not rows:
        return False
    connection = redis.Redis.from_url(current_app.config["REDIS_URL"])
    try:
        for job_id, queue in rows:
            Queue(queue, connection=connection, serializer=JSONSerializer).enqueue_call(
                "workers.worker.run", args=[job_id], result_ttl=0, failure_ttl=60, timeout=900
            )
    except redis.RedisError as error:
        raise OSError(f"Valkey: {error}") from error
    finally:
        connection.close()
    return True


def _sweep_now_and_then() -> None:
    global _last_sweep
    if time.monotonic() - _last_sweep >= SWEEP_SECONDS:
        _last_sweep = time.monotonic()
        jobs.sweep_expired()


def main(app: Flask) -> None:
    """Run until told to stop."""
    repeat(app, push_due, POLL_SECONDS)


if __name__ == "__main__":
    main(make_app())
