"""The WSGI application, for Granian, Flask's command line and tests of deployment."""

from __future__ import annotations

from app import create_app
from app.settings import Settings

app = create_app(Settings.from_env())
