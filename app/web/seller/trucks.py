"""The truck that carries a seller's own goods: its state, when it comes, and its place while the goods are on it."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template

from app import access
from app.access import Guarded
from app.core.permissions import Permission
from app.logistics import queries, rules, tracking
from app.orders.queries import OrderView
from app.web.htmx import STOP_POLLING, is_part_request, redirect_to
from app.web.reading import key_of
from app.web.tracking import drawing, drawn, shown, tagged, unchanged

pages = Guarded("seller_trucks", __name__, url_prefix="/seller/deliveries")


def _own(key: str) -> queries.SeenDelivery:
    return queries.seen_by(key_of(key), user_id=0, seller_id=access.actor().seller_id)


def trucks_of(order: OrderView) -> dict[int, dict[str, Any]]:
    """What the order's page shows of trucks, by trip; only of deliveries that are on their way. The order is own."""
    found = {}
    for trip in order.trips:
        if trip.delivery is not None and trip.delivery.state in rules.ON_THE_WAY:
            key = trip.delivery.public_id
            row = queries.seen_by(key, user_id=0, seller_id=access.actor().seller_id).row
            found[trip.id] = shown(tracking.of_delivery(row.id), f"/seller/deliveries/{key}/truck")
    return found


@pages.get("/<key>/truck", permission=Permission.SELLER_VIEW)
def truck(key: str) -> Response:
    """The part of the order's page that asks again while the truck is on its way; anybody else goes to the order."""
    seen = _own(key)
    if not is_part_request():
        return redirect_to(f"/seller/orders/{seen.row.number}")
    stamp = tracking.stamp_of(seen.row.id)
    known = unchanged(stamp.text)
    if known is not None:
        return known
    told = shown(tracking.of_delivery(seen.row.id), f"/seller/deliveries/{key}/truck")
    response = tagged(render_template("seller/_truck.html", truck=told), stamp.text)
    if stamp.state in rules.OVER:
        response.status_code = STOP_POLLING
    return response


@pages.get("/<key>/map.json", permission=Permission.SELLER_VIEW)
def truck_map(key: str) -> Response:
    """The truck and the buyer's site."""
    seen = _own(key)
    stamp = tracking.stamp_of(seen.row.id)
    is_over = stamp.state in rules.OVER
    known = None if is_over else unchanged(stamp.map)
    return known or drawing(drawn(tracking.of_delivery(seen.row.id)), stamp.map, STOP_POLLING if is_over else 200)
