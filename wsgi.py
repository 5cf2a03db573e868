"""The WSGI application, for Granian, Flask's command line and tests of deployment."""

from __future__ import annotations

import gc

from app import create_app
from app.settings import Settings

app = create_app(Settings.from_env())
gc.freeze()  # modules and routes live as long as the process: the collector need not walk them again and again
