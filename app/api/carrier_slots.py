"""Windows of delivery of a carrier."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from pydantic import Field

from app import access
from app.api.kernel import Api, given_id
from app.api.schemas import Schema
from app.core import clock
from app.core.permissions import Permission
from app.logistics import slots
from app.logistics.slots import MOST_KG, MOST_PLACES, WindowFacts
from app.logistics.timetable import timetables

api = Api("carrier_slots", tag="Logistics")
SHOWN_DAYS = 14


class WindowIn(Schema):
    """A window: minutes after midnight, deliveries, kilograms in all (null: no limit)."""

    from_minute: int = Field(ge=0, lt=1440)
    to_minute: int = Field(gt=0, lt=1440)
    capacity: int = Field(ge=1, le=MOST_PLACES)
    capacity_kg: int | None = Field(default=None, ge=1, le=MOST_KG)


class DeclareIn(WindowIn):
    """A window on some weekdays, ISO: 1 is Monday."""

    weekdays: list[int] = Field(min_length=1, max_length=7)


class SlotOut(WindowIn):
    """A declared window."""

    id: uuid.UUID
    weekday: int


class ExceptionIn(Schema):
    """A date that differs: without minutes the whole day; capacity 0 closes."""

    day: date
    from_minute: int | None = Field(default=None, ge=0, lt=1440)
    to_minute: int | None = Field(default=None, gt=0, lt=1440)
    capacity: int = Field(ge=0, le=MOST_PLACES)
    capacity_kg: int | None = Field(default=None, ge=1, le=MOST_KG)
    note: str = Field(default="", max_length=200)


class ExceptionOut(ExceptionIn):
    """A date that differs."""

    id: uuid.UUID


class LeftOut(Schema):
    """A window of a coming day; `left` null: no limit; `why` it is not free: "" or full."""

    window: str
    left: int | None
    why: str


class DayOut(Schema):
    """A coming day; `why` nothing is free: "", closed or full."""

    day: date
    windows: list[LeftOut]
    why: str


class SlotsOut(Schema):
    """Everything a carrier declares, and what is left of the coming days."""

    week: list[SlotOut]
    exceptions: list[ExceptionOut]
    coming: list[DayOut]


def _shown() -> SlotsOut:
    carrier, today = access.actor().carrier_id, clock.today()
    table = timetables([carrier], today, today + timedelta(days=SHOWN_DAYS))[carrier]
    days = table.days(0, today, today, SHOWN_DAYS, clock.now())
    return SlotsOut(
        week=[_out(row, SlotOut) for row in slots.declared(carrier)],
        exceptions=[_out(row, ExceptionOut) for row in slots.exceptions(carrier, today)],
        coming=[
            DayOut(
                day=d.day, why=d.why, windows=[LeftOut(window=w.window.code, left=w.left, why=w.why) for w in d.windows]
            )
            for d in days
        ],
    )


def _out(row: Any, model: type[Any]) -> Any:
    return model(id=row.public_id, **{name: getattr(row, name) for name in model.model_fields if name != "id"})


@api.get("/carrier/slots", permission=Permission.CARRIER_VIEW, answer=SlotsOut, summary="Windows of delivery")
def windows() -> SlotsOut:
    """Without any declared window the market's usual ones are sold without limit."""
    return _shown()


@api.post(
    "/carrier/slots", permission=Permission.CARRIER_FLEET, body=DeclareIn, answer=SlotsOut,
    summary="Declare a window of the week",
    example={"weekdays": [1, 2, 3], "from_minute": 540, "to_minute": 720, "capacity": 6, "capacity_kg": 20000},
)  # fmt: skip
def declare(body: DeclareIn) -> SlotsOut:
    """A window that is declared already gets the new capacity; what is sold stays sold."""
    facts = WindowFacts(body.from_minute, body.to_minute, body.capacity, body.capacity_kg)
    slots.declare(access.actor(), body.weekdays, facts)
    return _shown()


@api.delete("/carrier/slots/{slot}", permission=Permission.CARRIER_FLEET, summary="Withdraw a window of the week")
def withdraw(slot: str) -> None:
    """What is sold stays sold."""
    slots.withdraw(access.actor(), given_id(slot))


@api.post(
    "/carrier/slot-exceptions", permission=Permission.CARRIER_FLEET, body=ExceptionIn, answer=SlotsOut,
    summary="Say what differs on a date", example={"day": "2030-01-02", "capacity": 0, "note": "holiday"},
)  # fmt: skip
def except_on(body: ExceptionIn) -> SlotsOut:
    """Said again for the same date and window it is replaced."""
    start, end = body.from_minute, body.to_minute
    span = None if start is None and end is None else (start if start is not None else -1, end or 0)
    slots.except_on(access.actor(), body.day, body.capacity, span=span, capacity_kg=body.capacity_kg, note=body.note)
    return _shown()


@api.delete(
    "/carrier/slot-exceptions/{exception}", permission=Permission.CARRIER_FLEET, summary="Drop what differs on a date"
)
def drop_exception(exception: str) -> None:
    """The date is like any other again."""
    slots.drop_exception(access.actor(), given_id(exception))
