"""One trip of an order: where and when it is fetched, with a map; moving its day while it is not picked."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, flash, jsonify, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types

from app import access, texts
from app.access import Guarded
from app.core.errors import Conflict, DomainError, Invalid, NotFound
from app.core.permissions import Permission
from app.logistics import messages
from app.orders import moving, numbers, queries
from app.orders.queries import GroupRow, OrderView, TripRow
from app.texts import delivery_choice as words
from app.web import limits, paths
from app.web.buyer.cart import name_of
from app.web.htmx import redirect_to, render_page
from app.web.reading import key_of

pages = Guarded("trips", __name__)


def _found(trip: str) -> tuple[moving.Movable, GroupRow, OrderView, TripRow]:
    actor = access.actor()
    found = moving.movable(actor, key_of(trip))
    group, order = queries.order_view(actor.user, found.number)
    return found, group, order, next(t for t in order.trips if t.id == found.trip_id)


@pages.get("/orders/trips/<trip>", permission=Permission.BUY)
def show(trip: str) -> Response:
    """The trip: its time, its goods; of a pickup the code, the hours and the map."""
    return _page(trip)


def _page(key: str, refusal: DomainError | None = None, status: int = 200) -> Response:
    found, group, order, trip = _found(key)
    may_move = trip.is_movable and order.row.status in moving.OPEN
    return render_page(
        "buyer/trip.html", None, status=status, found=found, group=group, order=order, trip=trip, may_move=may_move,
        error=_said(refusal), typed=request.form, words=words, name_of=name_of,
        back=paths.order_path(numbers.group_of(order.row.number)), here=f"/orders/trips/{trip.public_id}",
        may_write=trip.delivery is not None and trip.delivery.state in messages.OPEN, longest=messages.LONGEST,
        written=messages.of_trip(access.actor(), trip.delivery.public_id) if trip.delivery else [],
    )  # fmt: skip


def _said(refusal: DomainError | None) -> str:
    if isinstance(refusal, Invalid):
        return " ".join(texts.error_text(e.code, e.context) for e in refusal.errors)
    return words.refused(refusal) if refusal else ""


@pages.get("/orders/trips/<trip>/map.json", permission=Permission.BUY)
def counter_map(trip: str) -> Response:
    """The counter and the site, for the map."""
    _movable, group, _order, row = _found(trip)
    if row.method != "pickup":
        raise NotFound()
    stops: list[dict[str, Any]] = [
        {"lat": row.counter["lat"], "lon": row.counter["lon"], "label": "1", "title": row.warehouse_address,
         "state": "now", "kind": 2},
        {"lat": group.site["lat"], "lon": group.site["lon"], "label": "2", "title": group.site["address"],
         "state": "next", "kind": 1},
    ]  # fmt: skip
    return jsonify({"routes": [], "stops": stops, "positions": []})


@pages.post("/orders/trips/<trip>/move", permission=Permission.BUY)
def move(trip: str) -> Response:
    """Bring or fetch it on another day."""
    day, _sep, window = request.form.get("slot", "").partition("/")
    try:
        moving.move(access.actor(), key_of(trip), _day(day), window)
    except (Invalid, Conflict) as refusal:
        return _page(trip, refusal, refusal.status)
    flash(_("The day is moved; seller and carrier see it."), "ok")
    return redirect_to(f"/orders/trips/{trip}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid.one("/slot", "unknown_option") from None


@pages.post("/orders/trips/<trip>/message", permission=Permission.BUY)
def message(trip: str) -> Response:
    """A word to the driver of a delivery."""
    _movable, _group, _order, row = _found(trip)
    if row.delivery is None:
        raise NotFound()
    limits.hit("driver_message", str(row.delivery.public_id))
    try:
        messages.of_buyer(access.actor(), row.delivery.public_id, request.form.get("text", ""))
    except (Invalid, Conflict) as refusal:
        return _page(trip, refusal, refusal.status)
    flash(_("The driver and the dispatcher see your message."), "ok")
    return redirect_to(f"/orders/trips/{trip}")


@pages.post("/orders/trips/<trip>/new-code", permission=Permission.BUY)
def new_code(trip: str) -> Response:
    """Another code for the counter."""
    try:
        moving.new_code(access.actor(), key_of(trip))
    except Conflict as refusal:
        return _page(trip, refusal, refusal.status)
    flash(_("The code is new; the old one opens nothing."), "ok")
    return redirect_to(f"/orders/trips/{trip}")
