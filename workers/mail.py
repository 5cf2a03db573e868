"""Sends queued mails: renders the template in the reader's language, hands it to the backend."""

from __future__ import annotations

from flask import current_app, render_template
from flask_babel import force_locale  # type: ignore[import-untyped]  # the package ships no types

from app.core import mail
from app.core.jobs import RunningJob
from app.settings import Settings
from app.texts.accounts import ROLES
from app.texts.logistics import CHECK_ITEMS


def send(job: RunningJob) -> None:
    """Deliver, then mark done. A crash between the two may send twice: mail has no exactly-once."""
    settings: Settings = current_app.extensions["settings"]
    payload = job.payload
    with current_app.test_request_context(), force_locale(payload["locale"]):
        text = render_template(
            f"mail/{payload['template']}.txt",
            public_url=settings.public_url,
            role_words=ROLES,
            check_words=CHECK_ITEMS,
            **payload["values"],
        )
    backend: mail.MailBackend = current_app.extensions["mail"]
    backend.send(mail.message(settings.mail_from, payload["to"], text))
    job.complete()
