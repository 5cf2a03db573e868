"""The courier's phone: today's route and its stops. Targets of 56 px, one main action at the bottom."""

from __future__ import annotations

from app.access import Guarded

pages = Guarded("courier", __name__, url_prefix="/courier")

# These modules add their routes to `pages`, so they come after it.
from app.web.courier import route, stops

__all__ = ["pages", "route", "stops"]
