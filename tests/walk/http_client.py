"""A plain HTTP client of the JSON API, as an outside program would write it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]

    def expect(self, status: int) -> Any:
        """The body, when the status is the expected one."""
        assert self.status == status, f"{self.status}: {self.body}"
        return self.body


@dataclass
class Client:
    """One person with one device."""

    base: str
    token: str = ""
    device: str = field(default_factory=lambda: str(uuid.uuid4()))

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request below /api/v1."""
        sent = {
            "X-Device-Id": self.device,
            "Accept-Language": "en",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(f"{self.base}/api/v1{path}", data=data, method=method, headers=sent)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, _json(answer.read()), _lower(answer.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, _json(error.read()), _lower(error.headers))

    def get(self, path: str) -> Any:
        return self.call("GET", path).expect(200)

    def post(self, path: str, body: Any, status: int = 200, **headers: str) -> Any:
        return self.call("POST", path, body, **headers).expect(status)

    def sign_in(self, email: str, password: str = "tutuu-demo") -> Client:
        """Sign in on this device."""
        self.token = self.post("/auth/login", {"email": email, "password": password})["access_token"]
        return self

    def wait_for_job(self, job: dict[str, Any], seconds: float = 120) -> dict[str, Any]:
        """Poll a job until it ends well."""
        deadline = time.monotonic() + seconds
        while True:
            state = self.get(f"/jobs/{job['id']}")
            if state["state"] in ("done", "failed", "cancelled"):
                assert state["state"] == "done", state
                return dict(state)
            assert time.monotonic() < deadline, f"the job did not end: {state}"
            time.sleep(0.2)


def _json(raw: bytes) -> Any:
    return json.loads(raw) if raw else None


def wait_until(ask: Any, seconds: float = 120) -> Any:
    """Ask again until the answer is true; returns it. Patient, because other tests take the processor meanwhile."""
    deadline = time.monotonic() + seconds
    while True:
        found = ask()
        if found:
            return found
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)


def _lower(headers: Any) -> dict[str, str]:
    """Header names in lower case: servers spell them as they like."""
    return {name.lower(): value for name, value in headers.items()}
