"""Today's route in order, with the one thing to do next."""

from __future__ import annotations

from datetime import date

from flask import Response, request

from app import access, texts
from app.core.errors import Conflict, NotFound
from app.core.permissions import Permission
from app.logistics import courier_day, courier_views
from app.texts import logistics as words
from app.web.courier.frame import pages
from app.web.htmx import redirect_to, render_page


@pages.get("", permission=Permission.COURIER_ROUTE)
def route() -> Response:
    """The route of `date`; without it the one under way, else today's, else the next one."""
    return _page(_day(request.args.get("date", "")))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _page(day: date | None, error: str = "", status: int = 200) -> Response:
    found = courier_views.route(access.actor().user, day)
    if found is None:
        return render_page("courier/no_route.html", None)
    ahead = [stop for stop in found.stops if not stop.is_over]
    return render_page(
        "courier/route.html",
        None,
        route=found,
        other_days=[d for d in courier_views.days(access.actor().user) if d != found.day],
        next=found.next_stop,
        later=ahead[1:],
        past=[stop for stop in reversed(found.stops) if stop.is_over],
        texts=words,
        error=error,
        status=status,
    )


@pages.post("/start", permission=Permission.COURIER_ROUTE)
def start() -> Response:
    """Set out."""
    day = _day(request.form.get("date", ""))
    found = courier_views.route(access.actor().user, day)
    if found is None:
        raise NotFound()
    try:
        courier_day.start_route(access.actor(), found.public_id)
    except Conflict as error:
        return _page(day, texts.message(error), 409)
    return redirect_to(f"/courier?date={found.day.isoformat()}")
