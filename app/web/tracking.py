"""The link that shows a buyer the truck on its way, without a login; it dies with the delivery."""

from __future__ import annotations

from flask import Response, render_template

from app.access import Guarded
from app.core import clock
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.logistics import tracking as tracks
from app.texts import logistics as texts
from app.web.htmx import is_part_request, live, render_live

pages = Guarded("tracking", __name__)
OLD_SECONDS = 60
"""A position older than this is shown as old."""


@pages.get("/t/<token>", permission=Permission.PUBLIC)
def tracking(token: str) -> Response:
    """State, expected window, stops before mine, the truck's place with its age; polled until the end."""
    try:
        view = tracks.by_token(token)
    except NotFound:
        if is_part_request() and tracks.has_ended(token):
            return live(render_template("buyer/_tracking_over.html"), done=True)
        raise
    age = int(view.position.age(clock.now()).total_seconds()) if view.position else None
    response = render_live(
        "buyer/tracking.html",
        "buyer/_tracking.html",
        done=False,
        view=view,
        token=token,
        age_minutes=None if age is None else age // 60,
        is_old=age is not None and age > OLD_SECONDS,
        other_day=clock.local(view.window_from).date() != clock.today(),
        texts=texts,
    )
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
