"""The blueprint of the courier's phone."""

from __future__ import annotations

from app.access import Guarded

pages = Guarded("courier", __name__, url_prefix="/courier")
