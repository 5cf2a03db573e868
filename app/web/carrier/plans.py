"""Route plans: the form of a day, the job that makes one, the plan itself, publishing."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Response, flash, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.core import clock
from app.core.errors import Conflict, Invalid
from app.core.permissions import Permission
from app.logistics import fleet, plan_views, plans, queries
from app.texts import logistics as words
from app.web.carrier import plan_page
from app.web.carrier.forms import number
from app.web.carrier.frame import asked_day, key_of, office, pages
from app.web.htmx import redirect_to, render_live, render_page

SECONDS = (5, 10, 20, 60)
REST_SECONDS = 5
"""Trucks go on meanwhile, so the rest of a day is planned quickly."""


@pages.get("", permission=Permission.CARRIER_VIEW)
def cabinet() -> Response:
    """The door of the cabinet leads to the routes."""
    return redirect_to("/carrier/plans")


@pages.get("/plans", permission=Permission.CARRIER_VIEW)
def day_plans() -> Response:
    """A day: what waits, who works, the form, the versions made so far."""
    return _day(asked_day())


def _day(day: date, error: str = "", status: int = 200) -> Response:
    carrier_id = access.actor().carrier_id
    waiting = plans.to_plan(carrier_id, day)
    return render_page(
        "carrier/plans.html",
        None,
        day=day,
        days=queries.days_with_work(carrier_id, clock.today() - timedelta(days=1)),
        waiting=waiting,
        trucks=fleet.trucks_of_day(carrier_id, day),
        heads=plan_views.heads(carrier_id, day),
        job=plans.open_job(carrier_id, day),
        seconds=SECONDS,
        chosen=request.form.get("seconds", "10"),
        error=error,
        status=status,
        **office(),
    )


@pages.post("/plans", permission=Permission.CARRIER_PLAN)
def ask_plan() -> Response:
    """Hand the day to a worker and follow it."""
    day = asked_day()
    try:
        job = plans.request(access.actor(), day, number(request.form.get("seconds", "10"), "/seconds"))
    except Invalid as error:
        return _day(day, texts.error_text(error.errors[0].code, error.errors[0].context), 422)
    return redirect_to(f"/carrier/plans/jobs/{job}")


@pages.get("/plans/jobs/<key>", permission=Permission.CARRIER_VIEW)
def plan_job(key: str) -> Response:
    """Progress and the best cost so far; the plan when it is there."""
    found = plans.job(access.actor().carrier_id, key_of(key))
    view = found.view
    if view.state == "done" and view.result and "plan" in view.result:
        return redirect_to(f"/carrier/plans/{view.result['plan']}")
    stage, cost, carried, of = words.progress(view.message)
    return render_live(
        "carrier/plan_job.html",
        "carrier/_plan_job.html",
        done=view.is_finished,
        job={"status": view.state, "done": view.done, "total": view.total, "message": stage},
        url=f"/carrier/plans/jobs/{key}",
        day=found.day,
        cost=cost,
        carried=carried,
        of=of,
        **office(),
    )


@pages.post("/plans/jobs/<key>/cancel", permission=Permission.CARRIER_PLAN)
def stop_planning(key: str) -> Response:
    """Enough: the best plan found so far is kept."""
    plans.cancel_planning(access.actor(), key_of(key))
    return redirect_to(f"/carrier/plans/jobs/{key}")


@pages.post("/plans/<key>/reoptimise", permission=Permission.CARRIER_PLAN)
def plan_the_rest(key: str) -> Response:
    """Plan what is open of a day under way, from where its trucks are; nothing changes until it is published."""
    try:
        job = plans.reoptimise(access.actor(), key_of(key), REST_SECONDS)
    except Invalid as error:
        return plan_page.show(key, texts.error_text(error.errors[0].code, error.errors[0].context), 422)
    except Conflict as error:
        return plan_page.show(key, texts.message(error), 409)
    return redirect_to(f"/carrier/plans/jobs/{job}")


@pages.get("/plans/<key>", permission=Permission.CARRIER_VIEW)
def plan(key: str) -> Response:
    """A plan: facts, map, what is left and why, the timeline, the routes with their stops; a draft can be changed."""
    return plan_page.show(key)


@pages.post("/plans/<key>/publish", permission=Permission.CARRIER_PLAN)
def publish(key: str) -> Response:
    """Show the routes to the couriers."""
    try:
        plans.publish(access.actor(), key_of(key))
    except Conflict as error:
        return plan_page.show(key, texts.message(error), 409)
    flash(_("The routes are published: the couriers see them."), "ok")
    return redirect_to(f"/carrier/plans/{key}")
