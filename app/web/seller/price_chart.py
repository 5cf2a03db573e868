"""The chart of an offer's price on its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from flask_babel import ngettext

from app.core import clock
from app.offers import price_history
from app.web.charts import LineChart, line_chart
from app.web.filters import money, percent, short_day

DAYS = 90


@dataclass(frozen=True, slots=True)
class PriceChart:
    """The price by day; `finding` says what the picture shows."""

    finding: str
    days: list[tuple[date, int]]
    picture: LineChart


def of_offer(offer_id: int) -> PriceChart | None:
    """The price of the last 90 days; None while there are no two days to compare."""
    days = price_history.by_day(offer_id, clock.today(), DAYS)
    if len(days) < 2:
        return None
    labels = [short_day(day) if i % (len(days) // 6 + 1) == 0 else "" for i, (day, _price) in enumerate(days)]
    said = [f"{short_day(day)}: {money(price)}" for day, price in days]
    picture = line_chart([price / 100 for _day, price in days], labels, said)
    return PriceChart(_finding(days), days, picture)


def _finding(days: list[tuple[date, int]]) -> str:
    first, last = days[0][1], days[-1][1]
    count = ngettext("%(num)s day", "%(num)s days", len(days) - 1)
    if len({price for _day, price in days}) == 1:
        return str(_("%(price)s for %(days)s without a change", price=money(last), days=count))
    if first == last:
        return str(_("%(price)s, as %(days)s ago; it moved in between", price=money(last), days=count))
    change = percent(abs(Fraction(last, first) - 1), 1)
    if last > first:
        return str(_("%(price)s, %(change)s dearer than %(days)s ago", price=money(last), change=change, days=count))
    return str(_("%(price)s, %(change)s cheaper than %(days)s ago", price=money(last), change=change, days=count))
