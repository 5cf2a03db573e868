"""Deliveries, problems first, as a table and on a map; one delivery with its history."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import Response, flash, make_response, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access
from app.core import clock
from app.core.errors import Invalid
from app.core.ids import parse_uuid
from app.core.permissions import Permission
from app.logistics import carrying_papers, delivery_table, doubts, hand_overs, problems, queries, rules, service
from app.logistics.delivery_table import SORTS, Table, Wanted
from app.logistics.models import DELIVERY_STATES
from app.texts import carrier as words
from app.texts import logistics as texts
from app.web.carrier.frame import asked_day, key_of, office, pages
from app.web.htmx import redirect_to, render_page

LIST = "/carrier/deliveries"
STATES = ("waiting", "ready", "planned", "in_transit", "delivered", "failed", "cancelled")
"""The states that the switch always shows; others only when some delivery is in them."""


def _wanted() -> Wanted:
    """The filters in the address; what is not known is left out."""
    text = request.args.get("q", "").strip()[:100]
    any_day = bool(text) and request.args.get("date", "") in ("", "any")
    state, sort, problem = (request.args.get(name, "") for name in ("state", "sort", "problem"))
    return Wanted(
        None if any_day else asked_day(),
        state if state in DELIVERY_STATES else "",
        parse_uuid(request.args.get("warehouse", "")),
        problem if problem == "any" or problem in words.PROBLEMS else "",
        text,
        sort if sort in SORTS else "problems",
        request.args.get("after", ""),
    )


def _query(wanted: Wanted, day: date | None) -> dict[str, Any]:
    """The filters as they stand in addresses, without the key of a page."""
    return {
        "date": day.isoformat() if day else "any",
        "state": wanted.state,
        "warehouse": str(wanted.warehouse) if wanted.warehouse else "",
        "problem": wanted.problem,
        "q": wanted.text,
        "sort": wanted.sort if wanted.sort != "problems" else "",
    }


def _table(carrier_id: int, wanted: Wanted) -> Table:
    try:
        return delivery_table.page(carrier_id, wanted)
    except Invalid:  # the delivery shown last has left the list: begin anew
        return delivery_table.page(carrier_id, replace(wanted, after=""))


@pages.get("/deliveries", permission=Permission.CARRIER_VIEW)
def deliveries() -> Response:
    """The table with its filters, counts and totals."""
    actor, wanted = access.actor(), _wanted()
    found = _table(actor.carrier_id, wanted)
    day = wanted.day
    return render_page(
        "carrier/deliveries.html",
        None,
        found=found,
        wanted=wanted,
        query=_query(wanted, day),
        day=day or clock.today(),
        any_day=day is None,
        days=queries.days_with_work(actor.carrier_id, clock.today() - timedelta(days=1)),
        states=[state for state in DELIVERY_STATES if state in STATES or found.states[state]],
        to_plan=sum(found.states[state] for state in rules.PLANNABLE),
        doubts=doubts.of_day(actor.carrier_id, day) if day else [],
        texts=texts,
        words=words,
        **office(),
    )


@pages.get("/deliveries/map.json", permission=Permission.CARRIER_VIEW)
def deliveries_map() -> Response:
    """What the table shows, as pins; those with a problem are marked and drawn last, above others."""
    wanted = _wanted()
    whole = Wanted(
        wanted.day, wanted.state, wanted.warehouse, wanted.problem, wanted.text, limit=delivery_table.MOST_OF_A_DAY
    )
    found = delivery_table.page(access.actor().carrier_id, whole)
    stops: list[dict[str, Any]] = []
    yards: dict[tuple[float, float], dict[str, Any]] = {}
    for one in found.items:
        pickup, site = one.row.pickup, one.row.site
        if pickup.get("lat") is not None:
            title = f"{pickup.get('name', '')}, {pickup.get('address', '')}"
            yards[(pickup["lat"], pickup["lon"])] = {
                "lat": pickup["lat"], "lon": pickup["lon"], "label": str(_("Wh")), "title": title, "state": "next",
                "kind": 3,
            }  # fmt: skip
        if site.get("lat") is None or site.get("lon") is None:
            continue
        over = one.row.state in rules.OVER
        state = "lost" if one.problems else "past" if over else "next"
        said = "".join(f", {words.PROBLEMS[p.code]}" for p in one.problems)
        stops.append({"lat": site["lat"], "lon": site["lon"], "label": "!" if one.problems else "", "kind": 1,
                      "title": f"{one.row.number}, {site.get('address', '')}{said}", "state": state})  # fmt: skip
    body = json.dumps(
        {"routes": [], "stops": [*yards.values(), *reversed(stops)]}, ensure_ascii=False, separators=(",", ":")
    )
    response = make_response(body)
    response.mimetype = "application/json"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@pages.get("/deliveries/<key>", permission=Permission.CARRIER_VIEW)
def delivery(key: str) -> Response:
    """One delivery: cargo, both ends, what stands in its way, what happened."""
    return delivery_page(key)


def delivery_page(key: str, error: str = "", status: int = 200) -> Response:
    """The page of a delivery of the actor's carrier."""
    actor = access.actor()
    seen = queries.seen_by(key_of(key), user_id=0, carrier_id=actor.carrier_id)
    offers = hand_overs.of_delivery(actor.carrier_id, seen.row.id)
    may_go = seen.row.state in hand_overs.BEFORE_LOADING and not any(one.state == "offered" for one in offers)
    warehouse = queries.warehouse_of(actor.carrier_id, seen.row.public_id)
    return render_page(
        "carrier/delivery.html",
        None,
        row=seen.row,
        problems=delivery_table.problems_of(actor.carrier_id, seen.row),
        history=queries.history(seen.row.id),
        same_truck=queries.on_the_same_truck(seen.row),
        route_key=carrying_papers.route_of(seen.row.id),
        tries=rules.PIN_TRIES,
        is_over=seen.row.state in rules.OVER,
        offers=offers,
        partners=hand_overs.partners(actor.carrier_id, warehouse) if may_go else [],
        can_plan=seen.row.state in problems.OPEN,
        carrier_id=actor.carrier_id,
        error=error,
        texts=texts,
        words=words,
        status=status,
        **office(),
    )


@pages.post("/deliveries/<key>/release-pin", permission=Permission.CARRIER_PLAN)
def release_pin(key: str) -> Response:
    """Let the courier try the buyer's PIN again."""
    service.release_pin(access.actor(), key_of(key))
    flash(_("The courier can try the PIN again."), "ok")
    return redirect_to("/carrier/board" if request.form.get("back") == "board" else f"{LIST}/{key}")
