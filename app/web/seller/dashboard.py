"""A seller's day: what waits, how trade goes against the period before, what runs out."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from flask import Response, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.access import Guarded
from app.accounts import agreements
from app.core import clock
from app.core.permissions import Permission, may
from app.logistics import queries as logistics
from app.offers import table
from app.offers.table import TableFilter
from app.orders import card_scores, seller_figures
from app.orders.seller_figures import Day, Trade
from app.web.charts import BarChart, bar_chart
from app.web.filters import money, percent, short_day
from app.web.htmx import redirect_to, render_page
from app.web.seller import frame

pages = Guarded("seller_dashboard", __name__, url_prefix="/seller")
PERIODS = (7, 30, 90)
TOP = 10


@pages.get("", permission=Permission.SELLER_VIEW)
def cabinet() -> Response:
    """The door of the cabinet leads to what the person may see."""
    return redirect_to("/seller/overview" if may(access.actor(), Permission.SELLER_ORDERS) else "/seller/orders")


@pages.get("/overview", permission=Permission.SELLER_ORDERS)
def show() -> Response:
    """The last 30 days, or 7, or 90."""
    actor, today = access.actor(), clock.today()
    asked = request.args.get("days", "")
    length = int(asked) if asked in map(str, PERIODS) else 30
    trade = seller_figures.trade(actor.seller_id, today, length)
    products = seller_figures.products(actor.seller_id, today, length)
    first = today - timedelta(days=length - 1)
    return render_page(
        "seller/dashboard.html", None, length=length, periods=PERIODS, trade=trade, finding=_finding(trade, length),
        chart=_chart(trade), to_do=seller_figures.to_do(actor.seller_id), today=trade.days[-1],
        top=[one for one in products if one.revenue][:TOP], dying=seller_figures.dying(products, TOP),
        stock=table.counts(actor.seller_id, TableFilter()), change=_change, share=_share,
        punctuality=logistics.punctuality(actor.seller_id, clock.at(first, 0)),
        came_back=seller_figures.came_back(actor.seller_id, first),
        unsigned=agreements.current("seller") if agreements.is_waiting(actor.seller_id, "seller") else None,
        company=f"/account/organisations/{actor.seller.organisation_public_id}" if actor.seller else "",
        cards=card_scores.of_seller(actor.seller_id),
        **frame.context(actor),
    )  # fmt: skip


def _finding(trade: Trade, length: int) -> str:
    """The title of the chart says what it shows."""
    if not trade.revenue and not trade.revenue_before:
        return str(_("No sales in the last %(days)s days", days=2 * length))
    if not trade.revenue_before:
        return str(_("%(sum)s in %(days)s days, nothing in the period before", sum=money(trade.revenue), days=length))
    change = Fraction(trade.revenue, trade.revenue_before) - 1
    facts = {"sum": money(trade.revenue), "days": length, "change": percent(abs(change))}
    if abs(change) < Fraction(1, 200):
        return str(_("%(sum)s in %(days)s days, as much as before", **facts))
    if change > 0:
        return str(_("%(sum)s in %(days)s days, %(change)s more than before", **facts))
    return str(_("%(sum)s in %(days)s days, %(change)s less than before", **facts))


def _change(now: int | Decimal, before: int | Decimal) -> str:
    """Growth as a percentage with its sign; empty when there was nothing to grow from."""
    if not before:
        return ""
    share = Fraction(now) / Fraction(before) - 1
    return ("+" if share > 0 else "") + percent(share)


def _share(part: int, whole: int) -> str:
    return percent(Fraction(part, whole))


def _chart(trade: Trade) -> BarChart:
    step = max(1, len(trade.days) // 10)
    labels = [str(day.day.day) if i % step == 0 else "" for i, day in enumerate(trade.days)]
    said = [_said(now, then) for now, then in zip(trade.days, trade.before, strict=True)]
    return bar_chart(
        [day.revenue / 100 for day in trade.days], labels, said, [day.revenue / 100 for day in trade.before]
    )


def _said(now: Day, then: Day) -> str:
    return f"{short_day(now.day)}: {money(now.revenue)} ({short_day(then.day)}: {money(then.revenue)})"
