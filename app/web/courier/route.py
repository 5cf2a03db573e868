"""Today's route in order, with the one thing to do next."""

from __future__ import annotations

from datetime import date

from flask import Response, request

from app import access, texts
from app.core.errors import Conflict, NotFound
from app.core.permissions import Permission
from app.logistics import courier_views, shift_day
from app.texts import logistics as words
from app.web.courier.check import day_of
from app.web.courier.frame import pages
from app.web.htmx import redirect_to, render_page

MOST_WAY_POINTS = 20
"""More points than this no map takes in an address."""


@pages.get("", permission=Permission.COURIER_ROUTE)
def route() -> Response:
    """The route of `date`; without it the one under way, else today's, else the next one."""
    return _page(day_of(request.args.get("date", "")))


def _page(day: date | None, error: str = "", status: int = 200) -> Response:
    found = courier_views.route(access.actor().user, day)
    if found is None:
        return render_page("courier/no_route.html", None)
    ahead = [stop for stop in found.stops if not stop.is_over]
    checks = shift_day.checks_of(access.actor(), found.public_id)
    return render_page(
        "courier/route.html",
        None,
        route=found,
        other_days=[d for d in courier_views.days(access.actor().user) if d != found.day],
        next=found.next_stop,
        later=ahead[1:],
        past=[stop for stop in reversed(found.stops) if stop.is_over],
        checks=checks,
        may_start=shift_day.may_start(checks),
        tracking=found.state == "started" and "end" not in checks,
        way=_way(ahead),
        texts=words,
        error=error,
        status=status,
    )


def _way(ahead: list[courier_views.CourierStop]) -> str:
    """The address of the way through all stops ahead, from where the phone is; each place once in a row."""
    points: list[str] = []
    for stop in ahead:
        point = f"{stop.place.get('lat')},{stop.place.get('lon')}"
        if not points or points[-1] != point:
            points.append(point)
    return f"https://yandex.ru/maps/?rtt=auto&rtext=~{'~'.join(points[:MOST_WAY_POINTS])}" if len(points) > 1 else ""


@pages.post("/start", permission=Permission.COURIER_ROUTE)
def start() -> Response:
    """Set out with a truck that was checked."""
    day = day_of(request.form.get("date", ""))
    found = courier_views.route(access.actor().user, day)
    if found is None:
        raise NotFound()
    try:
        shift_day.set_out(access.actor(), found.public_id)
    except Conflict as error:
        return _page(day, texts.message(error), 409)
    return redirect_to(f"/courier?date={found.day.isoformat()}")
