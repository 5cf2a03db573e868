"""The live board of a day and what a dispatcher does from it."""

from __future__ import annotations

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.core.errors import Conflict, NotFound
from app.core.permissions import Permission
from app.logistics import fleet, trouble
from app.logistics import live_board as boards
from app.texts import dispatch as words
from app.texts import logistics as carrying
from app.web.carrier.frame import asked_day, key_of, office, pages
from app.web.htmx import redirect_to, render_live, render_page

EVERY = 10
"""Seconds between two looks of an open board."""


@pages.get("/board", permission=Permission.CARRIER_VIEW)
def live_board() -> Response:
    """Every truck of the day: progress, next stop, position with its age, lateness; alerts first."""
    asked = request.args.get("state", "")
    state = asked if asked in boards.STATES else ""
    found = boards.board(access.actor().carrier_id, asked_day(), state)
    return render_live(
        "carrier/board.html",
        "carrier/_board.html",
        done=found.is_over or found.head is None,
        board=found,
        state=state,
        states=boards.STATES,
        every=EVERY,
        words=words,
        texts=carrying,
        **office(),
    )


@pages.get("/vehicles/<key>/broken", permission=Permission.CARRIER_PLAN)
def broken_form(key: str) -> Response:
    """Ask before a truck is taken out of the day."""
    return _broken(key)


def _broken(key: str, error: str = "", status: int = 200) -> Response:
    public_id = key_of(key)
    truck = next((v for v in fleet.vehicles(access.actor().carrier_id) if v.public_id == public_id), None)
    if truck is None:
        raise NotFound()
    return render_page("carrier/broken.html", None, truck=truck, error=error, status=status, **office())


@pages.post("/vehicles/<key>/broken", permission=Permission.CARRIER_PLAN)
def mark_broken(key: str) -> Response:
    """The truck cannot go on today."""
    try:
        trouble.mark_broken(access.actor(), key_of(key), request.form.get("note", ""))
    except Conflict as error:
        return _broken(key, texts.message(error), 409)
    flash(_("The truck is out of service for today. Its stops wait for a new plan."), "warn")
    return redirect_to("/carrier/board")


@pages.post("/vehicles/<key>/mended", permission=Permission.CARRIER_PLAN)
def mark_mended(key: str) -> Response:
    """The truck drives again."""
    try:
        trouble.mark_mended(access.actor(), key_of(key))
    except Conflict as error:
        flash(texts.message(error), "bad")
    else:
        flash(_("The truck drives again."), "ok")
    return redirect_to("/carrier/board")
