"""Speaks with the bank of the tests and the demonstration (tools/test_bank.py). Refused in production.

It signs like real ones do: HMAC-SHA256 over `<timestamp>.<body>`, timestamps at most five minutes old.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import urllib.request
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from app.core import clock
from app.payments.providers import SAID, ProviderSilent, Told, Visit, WebhookRefused

TOLERANCE_SECONDS = 300
SECONDS = 5.0
"""A question that takes longer is asked again later."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Hex of the HMAC over time and body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class TestProvider:
    """A provider for tests and demonstrations."""

    name = "test"
    __test__ = False

    def __init__(self, url: str, secret: str, seconds: float = SECONDS) -> None:
        self._url, self._secret, self._seconds = url.rstrip("/"), secret, seconds

    def start(self, visit: Visit) -> str:
        """See `Provider`."""
        asked = {
            "reference": str(visit.reference),
            "amount": str(visit.amount),
            "number": visit.number,
            "expires": str(int(visit.expires_at.timestamp())),
            "return_url": visit.return_url,
        }
        body = urlencode(asked)
        return f"{self._url}/pay?{body}&{urlencode({'signature': signature(self._secret, 'pay', body.encode())})}"

    def verify(self, headers: Mapping[str, str], body: bytes) -> Told:
        """See `Provider`."""
        timestamp = headers.get("X-Timestamp", "")
        expected = signature(self._secret, timestamp, body)
        if not hmac.compare_digest(expected.encode(), headers.get("X-Signature", "").encode()):
            raise WebhookRefused("webhook_signature")
        if not timestamp.isdecimal() or abs(clock.now().timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
            raise WebhookRefused("webhook_old")
        try:
            told = _told(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise WebhookRefused("webhook_malformed") from None
        if not told.event_id:
            raise WebhookRefused("webhook_malformed")
        return told

    def status(self, reference: uuid.UUID) -> Told:
        """See `Provider`."""
        return self._asked("GET", f"/payments/{reference}", b"")

    def refund(self, reference: uuid.UUID, amount: int, key: str) -> None:
        """See `Provider`."""
        self._asked("POST", f"/payments/{reference}/refunds", json.dumps({"amount": amount, "key": key}).encode())

    def _asked(self, method: str, path: str, body: bytes) -> Told:
        timestamp = str(int(clock.now().timestamp()))
        signed = signature(self._secret, timestamp, body or path.encode())
        headers = {"X-Timestamp": timestamp, "X-Signature": signed, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}{path}", body or None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=self._seconds) as answer:
                return _told(json.loads(answer.read(64 * 1024)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, http.client.HTTPException) as error:
            raise ProviderSilent(str(error)) from error


def _told(said: dict[str, Any]) -> Told:
    """The body of a webhook or an answer.

    Raises:
        ValueError, KeyError, TypeError: it is something else.
    """
    amount = said["amount"]
    if said["status"] not in SAID or isinstance(amount, bool) or not isinstance(amount, int):
        raise ValueError("unknown status or amount")
    return Told(
        uuid.UUID(said["reference"]), said["status"], amount, str(said["currency"]), str(said.get("id", ""))[:100],
        str(said.get("event", ""))[:100],
    )  # fmt: skip
