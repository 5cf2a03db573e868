"""The JSON API, /api/v1: the third face of the same core."""

from __future__ import annotations

from flask import Flask

from app.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Register the API."""
