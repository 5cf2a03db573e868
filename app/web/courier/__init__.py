"""The courier's phone: today's route and its stops. Targets of 56 px, one main action at the bottom."""

from app.web.courier import route, stops
from app.web.courier.frame import pages

__all__ = ["pages", "route", "stops"]
