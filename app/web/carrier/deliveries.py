"""Deliveries of a day, problems first; one delivery with its history."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.core import clock
from app.core.permissions import Permission
from app.logistics import carrying_papers, queries, rules, service
from app.texts import logistics as texts
from app.web.carrier.frame import asked_day, key_of, office, pages
from app.web.htmx import redirect_to, render_page

FILTERS = ("", "ready", "planned", "in_transit", "delivered", "failed", "cancelled")


@pages.get("/deliveries", permission=Permission.CARRIER_VIEW)
def deliveries() -> Response:
    """The deliveries of a day with their totals."""
    actor, day = access.actor(), asked_day()
    wanted = request.args.get("state", "")
    state = wanted if wanted in FILTERS else ""
    rows = queries.deliveries(actor.carrier_id, day, state or None)
    days = queries.days_with_work(actor.carrier_id, clock.today() - timedelta(days=1))
    return render_page(
        "carrier/deliveries.html",
        None,
        rows=rows,
        day=day,
        days=days,
        state=state,
        filters=FILTERS,
        problems=sum(bool(row.problems) for row in rows),
        to_plan=sum(row.state in rules.PLANNABLE for row in rows),
        texts=texts,
        **office(),
    )


@pages.get("/deliveries/<key>", permission=Permission.CARRIER_VIEW)
def delivery(key: str) -> Response:
    """One delivery: cargo, both ends, what happened."""
    actor = access.actor()
    seen = queries.seen_by(key_of(key), user_id=0, carrier_id=actor.carrier_id)
    return render_page(
        "carrier/delivery.html",
        None,
        row=seen.row,
        history=queries.history(seen.row.id),
        same_truck=queries.on_the_same_truck(seen.row),
        route_key=carrying_papers.route_of(seen.row.id),
        tries=rules.PIN_TRIES,
        is_over=seen.row.state in rules.OVER,
        texts=texts,
        **office(),
    )


@pages.post("/deliveries/<key>/release-pin", permission=Permission.CARRIER_PLAN)
def release_pin(key: str) -> Response:
    """Let the courier try the buyer's PIN again."""
    service.release_pin(access.actor(), key_of(key))
    flash(_("The courier can try the PIN again."), "ok")
    return redirect_to(f"/carrier/deliveries/{key}")
