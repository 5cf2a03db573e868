"""How the price of one offer went, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from app.core import clock
from app.core.db import session
from app.offers.models import PriceChange


def by_day(offer_id: int, last: date, length: int) -> list[tuple[date, int]]:
    """Kopeks for a unit of sale at the end of each of `length` days up to `last`.

    Days before the first price are left out. The caller has checked whose offer it is.
    """
    first = last - timedelta(days=length - 1)
    earlier = (
        sa.select(PriceChange.id)
        .where(PriceChange.offer_id == offer_id, PriceChange.created_at < clock.at(first, 0))
        .order_by(PriceChange.created_at.desc(), PriceChange.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    changes = session.execute(
        sa.select(PriceChange.created_at, PriceChange.new_price)
        .where(
            PriceChange.offer_id == offer_id,
            sa.or_(PriceChange.id == earlier, PriceChange.created_at >= clock.at(first, 0)),
        )
        .order_by(PriceChange.created_at, PriceChange.id)
    )
    return _filled([(moment, price) for moment, price in changes], first, length)


def _filled(changes: Sequence[tuple[datetime, int]], first: date, length: int) -> list[tuple[date, int]]:
    """The last price of each day; a day without a change keeps the price of the day before."""
    at_end = {max(clock.local(moment).date(), first): price for moment, price in changes}
    found: list[tuple[date, int]] = []
    for day in (first + timedelta(days=i) for i in range(length)):
        price = at_end.get(day, found[-1][1] if found else None)
        if price is not None:
            found.append((day, price))
    return found
