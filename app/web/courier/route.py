"""Today's route in order, with the one thing to do next."""

from __future__ import annotations

from flask import Response

from app import access, texts
from app.core.errors import Conflict, NotFound
from app.core.permissions import Permission
from app.logistics import courier_day, courier_views
from app.texts import logistics as words
from app.web.courier.frame import pages
from app.web.htmx import redirect_to, render_page


@pages.get("", permission=Permission.COURIER_ROUTE)
def route() -> Response:
    """The route under way, else today's, else the next one."""
    return _page()


def _page(error: str = "", status: int = 200) -> Response:
    found = courier_views.route(access.actor().user)
    if found is None:
        return render_page("courier/no_route.html", None)
    ahead = [stop for stop in found.stops if not stop.is_over]
    return render_page(
        "courier/route.html",
        None,
        route=found,
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
    found = courier_views.route(access.actor().user)
    if found is None:
        raise NotFound()
    try:
        courier_day.start_route(access.actor(), found.public_id)
    except Conflict as error:
        return _page(texts.message(error), 409)
    return redirect_to("/courier")
