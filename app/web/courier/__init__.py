"""The courier's phone: today's route and its stops, with and without signal. Targets of 56 px, one main action."""

from app.web.courier import check, outbox, route, stops
from app.web.courier.frame import pages

__all__ = ["check", "outbox", "pages", "route", "stops"]
