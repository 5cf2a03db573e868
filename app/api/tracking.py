"""Where a delivery is: for its buyer, seller and carrier, and behind the link that works without a login."""

from __future__ import annotations

import uuid
from typing import Any

from app import access
from app.api.carrier_deliveries import delivery_out
from app.api.carrier_shapes import DeliveryOut
from app.api.kernel import Api, given_id
from app.api.schemas import Schema, Utc
from app.core import clock
from app.core.permissions import Actor, Permission
from app.logistics import queries, rules, tracking

api = Api("tracking", tag="Logistics")


class PositionOut(Schema):
    """The last position known, with its age."""

    lat: float
    lon: float
    at: Utc
    age_s: int


class EventOut(Schema):
    """Something that happened."""

    kind: str
    at: Utc


class TrackingOut(Schema):
    """State, expected window and, while the truck is on its way to this buyer, its position."""

    delivery: uuid.UUID
    number: str
    state: str
    window_from: Utc
    window_to: Utc
    eta_from: Utc | None
    eta_to: Utc | None
    stops_before: int | None
    vehicle: str | None
    plate: str | None
    position: PositionOut | None
    events: list[EventOut]


class SeenOut(DeliveryOut):
    """A delivery; `pin` and `tracking` only for its buyer, and only while they serve."""

    pin: str | None
    tracking: str | None


@api.get("/deliveries/{delivery}", permission=Permission.ACCOUNT, answer=SeenOut, summary="A delivery")
def show(delivery: str) -> SeenOut:
    """For its buyer, seller and carrier; 404 for anybody else."""
    actor = access.actor()
    seen = _seen(actor, delivery)
    state = seen.row.state
    over, live = state in rules.OVER, state in rules.ON_THE_WAY
    values: dict[str, Any] = delivery_out(seen.row).model_dump()
    return SeenOut(
        **values,
        pin=seen.pin if seen.as_buyer and not over else None,
        tracking=seen.tracking_token if seen.as_buyer and live else None,
    )


@api.get(
    "/deliveries/{delivery}/tracking", permission=Permission.ACCOUNT, answer=TrackingOut, summary="Where a delivery is"
)
def track(delivery: str) -> TrackingOut:
    """The position only while the truck is on its way to this buyer."""
    return _out(tracking.of_delivery(_seen(access.actor(), delivery).row.id))


@api.get(
    "/tracking/{token}", permission=Permission.PUBLIC, answer=TrackingOut, summary="Where a delivery is, by its link"
)
def by_token(token: str) -> TrackingOut:
    """Works without a login from loading to the buyer's door; 404 before and after."""
    return _out(tracking.by_token(token))


def _seen(actor: Actor, public_id: str) -> queries.SeenDelivery:
    seller, carrier = actor.seller, actor.carrier
    return queries.seen_by(
        given_id(public_id),
        user_id=actor.user,
        seller_id=seller.organisation_id if seller else None,
        carrier_id=carrier.organisation_id if carrier else None,
    )


def _out(view: tracking.TrackingView) -> TrackingOut:
    place, now = view.position, clock.now()
    return TrackingOut(
        delivery=view.delivery,
        number=view.number,
        state=view.state,
        window_from=view.window_from,
        window_to=view.window_to,
        eta_from=view.eta_from,
        eta_to=view.eta_to,
        stops_before=view.stops_before,
        vehicle=view.vehicle_name,
        plate=view.plate,
        position=PositionOut(lat=place.lat, lon=place.lon, at=place.at, age_s=int(place.age(now).total_seconds()))
        if place
        else None,
        events=[EventOut(kind=one.kind, at=one.happened_at) for one in view.history],
    )
