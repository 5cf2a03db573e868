"""Once a day: what has expired goes, what will be needed is made."""

from __future__ import annotations

import sqlalchemy as sa
from flask import current_app

from app.catalog import documents, pictures
from app.core.db import session
from app.core.jobs import RunningJob
from app.core.storage import Storage
from app.feedback import ratings
from app.logistics import courier_photos, eta_samples, position_keeping
from app.offers import picture_changes, selling
from app.offers.imports import service as imports
from app.orders import evidence

_CLEAN = (
    "DELETE FROM idempotency_key WHERE expires_at < now()",
    "DELETE FROM login_session WHERE least(expires_at, revoked_at) < now() - interval '30 days'",
    "DELETE FROM refresh_token WHERE expires_at < now() - interval '30 days'",
    "DELETE FROM invitation"
    " WHERE coalesce(accepted_at, revoked_at, declined_at, expires_at) < now() - interval '90 days'",
    "DELETE FROM password_reset WHERE expires_at < now() - interval '1 day'",
    "DELETE FROM job WHERE state = 'done' AND finished_at < now() - interval '30 days'",
    "DELETE FROM checkout_quote WHERE expires_at < now() - interval '1 day'",
)


def daily(job: RunningJob) -> None:
    """All of it in one transaction with `done`; before that files of old price lists, a few at a time, and positions,
    which take locks of their own.
    """
    storage: Storage = current_app.extensions["storage"]
    while names := imports.forget_old():
        for name in names:
            storage.delete(name)
    position_keeping.keep(lambda: job.progress(0, 1))
    eta_samples.forget_old()
    selling.settle_all()
    ratings.settle()

    def effect() -> None:
        pictures.sweep(picture_changes.wanted())
        documents.sweep()
        evidence.sweep()
        courier_photos.sweep()
        for statement in _CLEAN:
            session.execute(sa.text(statement))

    job.complete(effect)
