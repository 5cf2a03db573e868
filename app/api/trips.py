"""Trips of the buyer's orders: where they may be moved to; the code for the counter."""

from __future__ import annotations

import uuid
from datetime import date

from app import access
from app.api.delivery_shapes import CounterTime, Slot
from app.api.kernel import Api, given_id
from app.api.orders import FulfilmentOut, trip_out
from app.api.schemas import Schema, Utc
from app.core.permissions import Permission
from app.orders import moving, queries

api = Api("trips", tag="Orders and money")


class FreeWindow(Schema):
    """A window that is free; `left` places, null: no limit."""

    day: date
    window: str
    starts_at: Utc
    ends_at: Utc
    left: int | None


class TripOut(Schema):
    """A trip and where its day may be moved to: windows of its carrier, or days at the counter."""

    id: uuid.UUID
    order: str
    trip: FulfilmentOut
    windows: list[FreeWindow]
    counter: list[CounterTime]


class MoveIn(Schema):
    """Another day; `window` is not needed for what is fetched."""

    slot: Slot


def _shown(trip: str) -> TripOut:
    actor = access.actor()
    found = moving.movable(actor, given_id(trip))
    _group, order = queries.order_view(actor.user, found.number)
    row = next(t for t in order.trips if t.id == found.trip_id)
    windows = [
        FreeWindow(day=day.day, window=one.window.code, starts_at=one.window.starts_at, ends_at=one.window.ends_at,
                   left=one.left)
        for day in found.days for one in day.free
    ]  # fmt: skip
    counter = [CounterTime(day=one.day, starts_at=one.starts_at, ends_at=one.ends_at) for one in found.counter]
    return TripOut(
        id=found.public_id, order=found.number, trip=trip_out(row, for_buyer=True),
        windows=windows if row.is_movable else [], counter=counter if row.is_movable else [],
    )  # fmt: skip


@api.get("/fulfilments/{trip}", permission=Permission.BUY, answer=TripOut, summary="A trip and where it may be moved")
def show(trip: str) -> TripOut:
    """With the code for the counter while it is to be fetched."""
    return _shown(trip)


@api.post(
    "/fulfilments/{trip}/move", permission=Permission.BUY, body=MoveIn, answer=TripOut,
    summary="Move the day of a trip that is not picked", example={"slot": {"day": "2030-01-02", "window": "9-14"}},
)  # fmt: skip
def move(body: MoveIn, trip: str) -> TripOut:
    """The price stays; 409 `too_late_to_move`, `joint_stays`, or `slot_full` with the `next` free windows."""
    moving.move(access.actor(), given_id(trip), body.slot.day, body.slot.window)
    return _shown(trip)


@api.post(
    "/fulfilments/{trip}/pickup-code", permission=Permission.BUY, answer=TripOut, summary="A new code for the counter"
)
def new_code(trip: str) -> TripOut:
    """The old one opens nothing; wrong tries are forgotten."""
    moving.new_code(access.actor(), given_id(trip))
    return _shown(trip)
