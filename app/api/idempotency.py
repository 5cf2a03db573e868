"""Idempotency-Key: the first answer to a POST is kept for 24 hours and given again.

The key row is written before the work in its own transaction, so of several requests at once one works and the others
wait for its answer (409 `request_in_progress` when it takes too long). Refusals and 5xx are not kept: the client may
mend the cause and send the same key again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from flask import Response, current_app, request
from sqlalchemy.dialects.postgresql import insert

from app.core.db import session, unit_of_work
from app.core.errors import Conflict, Invalid
from app.core.models import IdempotencyKey
from app.core.permissions import Actor

KEEP = timedelta(hours=24)
WAIT_SECONDS = 8.0
STUCK_AFTER = timedelta(seconds=30)
"""A key without an answer for this long belonged to a process that died; the next request takes it over."""


def once(actor: Actor, required: bool, work: Callable[[], Response]) -> Response:
    """Do the work once per key and scope; without a key just do it.

    Raises:
        Invalid: the key is missing though required, too long, or used before with another body.
        Conflict: the same request is being worked on.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        if required:
            raise Invalid.one("/headers/Idempotency-Key", "required")
        return work()
    if len(key) > 255:
        raise Invalid.one("/headers/Idempotency-Key", "too_long", maximum=255)
    scope = _scope(actor)
    kept = _take_or_wait(scope, key)
    if kept is not None:
        return _replay(kept)
    try:
        response = work()
    except BaseException:
        session.rollback()
        _forget(scope, key)
        raise
    _keep(scope, key, response)
    return response


def _take_or_wait(scope: str, key: str) -> IdempotencyKey | None:
    """None when the key is ours to work under, the kept answer when a twin has finished."""
    fingerprint = _fingerprint()
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        row, mine = _begin(scope, key, fingerprint)
        if mine or row is not None:
            return row
        if time.monotonic() > deadline:
            raise Conflict("request_in_progress", retry_after=1)
        time.sleep(0.1)


def _fingerprint() -> bytes:
    """What the body holds: its bytes, or the fields and files of a form that is parsed already."""
    found = hashlib.sha256(request.get_data())
    for name, text in request.form.items(multi=True):
        found.update(f"{name}={text}\0".encode())
    for name, file in request.files.items(multi=True):
        found.update(f"{name}=".encode() + file.stream.read())
        file.stream.seek(0)
    return found.digest()


def _scope(actor: Actor) -> str:
    who = str(actor.user_id) if actor.is_signed_in else "guest:" + request.headers.get("X-Cart-Token", "")[:64]
    return f"{who}:{request.method}:{request.path}"


@unit_of_work
def _begin(scope: str, key: str, fingerprint: bytes) -> tuple[IdempotencyKey | None, bool]:
    """(None, True): the key is taken by us; (row, False): answered before; (None, False): a twin is working."""
    now = sa.func.clock_timestamp()
    made = session.scalar(
        insert(IdempotencyKey)
        .values(scope=scope, key=key, request_hash=fingerprint, expires_at=now + KEEP, created_at=now)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.id)
    )
    if made is not None:
        return None, True
    row = session.scalars(
        sa.select(IdempotencyKey)
        .where(IdempotencyKey.scope == scope, IdempotencyKey.key == key)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None, False
    if row.request_hash != fingerprint:
        raise Invalid.one("/headers/Idempotency-Key", "key_reused")
    if row.status is not None:
        return row, False
    taken_over = session.execute(
        sa.update(IdempotencyKey)
        .where(
            IdempotencyKey.id == row.id,
            IdempotencyKey.status.is_(None),
            IdempotencyKey.created_at < now - STUCK_AFTER,
        )
        .values(created_at=now)
        .returning(IdempotencyKey.id)
    ).one_or_none()
    return None, taken_over is not None


@unit_of_work
def _keep(scope: str, key: str, response: Response) -> None:
    if response.status_code >= 500 or response.cache_control.no_store:  # tokens must not lie in a table
        session.execute(sa.delete(IdempotencyKey).where(IdempotencyKey.scope == scope, IdempotencyKey.key == key))
        return
    headers = {name: value for name, value in response.headers.items() if name in ("Location", "ETag", "X-Cart-Token")}
    session.execute(
        sa.update(IdempotencyKey)
        .where(IdempotencyKey.scope == scope, IdempotencyKey.key == key)
        .values(status=response.status_code, body=response.get_data(), headers=headers)
    )


@unit_of_work
def _forget(scope: str, key: str) -> None:
    session.execute(
        sa.delete(IdempotencyKey).where(
            IdempotencyKey.scope == scope, IdempotencyKey.key == key, IdempotencyKey.status.is_(None)
        )
    )


def _replay(row: IdempotencyKey) -> Response:
    response = current_app.response_class(row.body or b"", status=row.status, mimetype="application/json")
    response.headers.extend(row.headers)
    response.headers["Idempotency-Replayed"] = "true"
    return response
