"""Mail: written to the outbox with the change it tells of, sent by a worker."""

from __future__ import annotations

import smtplib
import ssl
import sys
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import unquote, urlsplit

from app.core import jobs


class MailBackend(Protocol):
    """Something that delivers one message."""

    def send(self, message: EmailMessage) -> None:
        """Deliver, or raise so that the job is tried again."""


class ConsoleMail:
    """Development: prints the message."""

    def send(self, message: EmailMessage) -> None:
        print(f"--- mail to {message['To']}: {message['Subject']}\n{message.get_content()}---", file=sys.stderr)


class SmtpMail:
    """A relay named by `smtp://user:password@host:port`; STARTTLS where the server offers it."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    def send(self, message: EmailMessage) -> None:
        with smtplib.SMTP(self._url.hostname or "localhost", self._url.port or 25, timeout=10) as relay:
            relay.ehlo()
            if relay.has_extn("starttls"):
                relay.starttls(context=ssl.create_default_context())
            if self._url.username:
                relay.login(unquote(self._url.username), unquote(self._url.password or ""))
            relay.send_message(message)


def open_backend(name: str, smtp_url: str) -> MailBackend:
    """The backend that the settings name."""
    return SmtpMail(smtp_url) if name == "smtp" else ConsoleMail()


def queue(to: str, template: str, locale: str, **values: object) -> None:
    """Queue a mail in the present transaction: `template` is a file of templates/mail without `.txt`."""
    jobs.enqueue("mail.send", {"to": to, "template": template, "locale": locale, "values": values})


def message(sender: str, to: str, text: str) -> EmailMessage:
    """A message from a rendered template, whose first line is the subject.

    Line ends in the address or subject are refused by EmailMessage, so nothing can add headers.
    """
    subject, _, body = text.strip().partition("\n")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject.strip()
    mail.set_content(body.strip() + "\n")
    return mail
