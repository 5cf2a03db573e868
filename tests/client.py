"""Clients that tests speak through."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse


class ApiClient:
    """A plain JSON client of /api/v1 with one device."""

    def __init__(self, app: Flask, token: str = "", device: str = "") -> None:
        self._app = app
        self.token = token
        self.device = device or str(uuid.uuid4())
        self.cart_token = ""

    def as_user(self, email: str, password: str = "correct horse") -> ApiClient:
        """A client signed in through the API."""
        other = ApiClient(self._app)
        answer = other.post("/auth/login", {"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        other.token = answer.json["access_token"]
        return other

    def call(self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None) -> TestResponse:
        """Send one request; `path` is below /api/v1."""
        sent = {"X-Device-Id": self.device} | (headers or {})
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if self.cart_token:
            sent["X-Cart-Token"] = self.cart_token
        answer = self._app.test_client(use_cookies=False).open(f"/api/v1{path}", method=method, json=json, headers=sent)
        self.cart_token = answer.headers.get("X-Cart-Token", self.cart_token)
        return answer

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("POST", path, {} if json is None else json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("PUT", path, json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("PATCH", path, json, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.call("DELETE", path, **options)
