"""Where a delivery is: for its buyer, seller and carrier, and behind the link that works without a login."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from flask import request
from pydantic import Field

from app import access
from app.api.carrier_deliveries import delivery_out
from app.api.carrier_shapes import DeliveryOut
from app.api.kernel import Answer, Api, given_id
from app.api.schemas import Schema, Utc
from app.core import clock
from app.core.errors import NotFound
from app.core.permissions import Actor, Permission
from app.logistics import courier_views, lateness, messages, queries, rules, tracking
from app.web import limits

api = Api("tracking", tag="Logistics")
QUIET = {"Cache-Control": "private, no-cache", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


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


class MessageIn(Schema):
    """A word to the driver; plain text."""

    text: str = Field(max_length=messages.LONGEST)


class MessageOut(Schema):
    """A word of the buyer."""

    at: Utc
    text: str


class MessagesOut(Schema):
    """Newest first."""

    items: list[MessageOut]


class DayQuery(Schema):
    """A day; without it today."""

    day: date | None = Field(default=None, alias="date")


class DoorOut(Schema):
    """A door ahead. `risk`: `late` (expected after the buyer's window), `at_risk` (`eta_to` is after it) or empty."""

    delivery: uuid.UUID
    number: str
    route: uuid.UUID
    stop: uuid.UUID
    vehicle: str
    courier: str
    window_from: Utc
    window_to: Utc
    expected_at: Utc
    eta_from: Utc
    eta_to: Utc
    late_s: int
    risk: str


class SilentOut(Schema):
    """A truck under way that has not told its place for a quarter of an hour; `seen_at` null: never on this route."""

    route: uuid.UUID
    vehicle: str
    courier: str
    seen_at: Utc | None


class LatenessOut(Schema):
    """Doors ahead, worst first, and silent trucks."""

    doors: list[DoorOut]
    silent: list[SilentOut]


@api.get("/deliveries/{delivery}", permission=Permission.ACCOUNT, answer=SeenOut, summary="A delivery")
def show(delivery: str) -> SeenOut:
    """For its buyer, seller and carrier; 404 for anybody else."""
    actor = access.actor()
    seen = seen_by(actor, delivery)
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
def track(delivery: str) -> Answer:
    """The position only once the goods are on the truck and it is on its way. ETag; 304 when nothing is new."""
    return _answer(tracking.stamp_of(seen_by(access.actor(), delivery).row.id))


@api.get(
    "/tracking/{token}", permission=Permission.PUBLIC, answer=TrackingOut, summary="Where a delivery is, by its link"
)
def by_token(token: str) -> Answer:
    """Works without a login from loading to the buyer's door; 404 before and after. ETag; 304 when nothing is new."""
    stamp = tracking.stamp_of_link(token)
    if stamp is None:
        limits.hit("tracking_miss", request.remote_addr or "")
        raise NotFound()
    return _answer(stamp)


@api.post(
    "/tracking/{token}/message", permission=Permission.PUBLIC, body=MessageIn, answer=MessageOut, status=201,
    summary="A word to the driver, by the link", example={"text": "Ворота с торца"},
)  # fmt: skip
def write_by_token(token: str, body: MessageIn) -> Answer:
    """404 before and after the link works; 429 after six in ten minutes; 409 `too_many_messages`."""
    if tracking.stamp_of_link(token) is None:
        limits.hit("tracking_miss", request.remote_addr or "")
        raise NotFound()
    limits.hit("driver_message", token)
    messages.by_link(token, body.text)
    return Answer(MessageOut(at=clock.now(), text=messages.plain(body.text)), 201, QUIET)


@api.post(
    "/deliveries/{delivery}/message", permission=Permission.ACCOUNT, body=MessageIn, answer=MessageOut, status=201,
    summary="A word to the driver", example={"text": "Ворота с торца"},
)  # fmt: skip
def write(delivery: str, body: MessageIn) -> Answer:
    """Its buyer, from the day the goods are ready until they are there; 409 `delivery_state` else."""
    key = given_id(delivery)
    limits.hit("driver_message", delivery)
    messages.of_buyer(access.actor(), key, body.text)
    return Answer(MessageOut(at=clock.now(), text=messages.plain(body.text)), 201)


@api.get(
    "/courier/stops/{stop}/messages", permission=Permission.COURIER_ROUTE, answer=MessagesOut,
    summary="What the buyer of a stop wrote",
)  # fmt: skip
def read(stop: str) -> MessagesOut:
    """Of one of the courier's own stops."""
    user, key = access.actor().user, given_id(stop)
    courier_views.stop(user, key)
    return MessagesOut(items=[MessageOut(at=one.at, text=one.text) for one in messages.of_stop(user, key)])


@api.get(
    "/carrier/lateness", permission=Permission.CARRIER_VIEW, query=DayQuery, answer=LatenessOut,
    summary="Which deliveries will be late",
)  # fmt: skip
def late(query: DayQuery) -> LatenessOut:
    """Of the published plan of a day."""
    found = lateness.lateness(access.actor().carrier_id, query.day or clock.today())
    own = {"vehicle", "courier", "late_s"}
    doors = [
        DoorOut(
            **{name: getattr(door, name) for name in DoorOut.model_fields if name not in own},
            vehicle=door.vehicle_name, courier=door.courier_name, late_s=int(door.late_by.total_seconds()),
        )
        for door in found.doors
    ]  # fmt: skip
    silent = [
        SilentOut(route=one.route, vehicle=one.vehicle_name, courier=one.courier_name, seen_at=one.seen_at)
        for one in found.silent
    ]
    return LatenessOut(doors=doors, silent=silent)


def seen_by(actor: Actor, public_id: str) -> queries.SeenDelivery:
    """A delivery that the actor may see as its buyer, seller or carrier.

    Raises:
        NotFound: absent, or none of theirs.
    """
    seller, carrier = actor.seller, actor.carrier
    return queries.seen_by(
        given_id(public_id),
        user_id=actor.user,
        seller_id=seller.organisation_id if seller else None,
        carrier_id=carrier.organisation_id if carrier else None,
    )


def _answer(stamp: tracking.Stamp) -> Answer:
    """The tracking under its stamp; 304 without reading it when the client has it."""
    headers = QUIET | {"ETag": f'"{stamp.map}"'}
    if request.if_none_match.contains_weak(stamp.map):
        return Answer(None, 304, headers)
    return Answer(_out(tracking.of_delivery(stamp.delivery_id)), 200, headers)


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
