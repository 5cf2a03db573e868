"""The one clock. Tests move it with time-machine; the database's own now() stamps rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

MARKET_ZONE = ZoneInfo("Europe/Moscow")
"""The zone in which days, shifts and delivery windows are meant."""


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The present day where the market works."""
    return now().astimezone(MARKET_ZONE).date()


def local(moment: datetime) -> datetime:
    """The moment on the clocks of the market."""
    return moment.astimezone(MARKET_ZONE)


def at(day: date, minutes: int) -> datetime:
    """`minutes` after midnight of `day` in the market's zone."""
    return datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=MARKET_ZONE)
