"""Shapes of choosing a delivery: what may be chosen for a group of a quote, and what was."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any, Literal

from pydantic import Field

from app.api.schemas import MoneyOut, QuantityText, Schema, Utc, money
from app.orders.choice_views import CarrierView, GroupView
from app.orders.choices import MOST_PARTS, Choice, Part


class Slot(Schema):
    """A day and the code of a window, such as `9-14` or `9:30-14`."""

    day: date
    window: str = Field(default="", max_length=11)


class PartLine(Schema):
    """So many units of sale of a line of the cart."""

    line: uuid.UUID
    quantity: QuantityText = Field(gt=0, le=1_000_000)


class PartIn(Schema):
    """One of several dated deliveries; no slot: the earliest."""

    slot: Slot | None = None
    lines: list[PartLine] = Field(min_length=1, max_length=200)


class DeliveryIn(Schema):
    """How the goods of a group come. `option` is a carrier's (none: the cheapest that is free); `receiver` fetches.

    Without a slot: the earliest, also of `pickup`, where only the day of the slot counts.
    """

    group: uuid.UUID
    method: Literal["courier", "pickup"] = "courier"
    option: uuid.UUID | None = None
    slot: Slot | None = None
    receiver: str = Field(default="", max_length=120)
    parts: list[PartIn] = Field(default=[], max_length=MOST_PARTS)

    def choice(self) -> Choice:
        """As checkout takes it."""
        parts = tuple(Part({line.line: line.quantity for line in part.lines}, *_when(part.slot)) for part in self.parts)
        day, window = _when(self.slot)
        return Choice(self.method, self.option, day, window, self.receiver, parts)


def _when(slot: Slot | None) -> tuple[date | None, str]:
    return (slot.day, slot.window) if slot else (None, "")


class WindowOut(Schema):
    """A window; `left` places, null: no limit; `why` it cannot be had: "", full or heavy."""

    window: str
    left: int | None
    why: str


class ChoiceDay(Schema):
    """A day; `why` nothing is free: "", too_soon, closed, full or heavy."""

    day: date
    why: str
    windows: list[WindowOut]


class CarrierOption(Schema):
    """What a carrier asks for the whole load, and its days."""

    option: uuid.UUID
    carrier: str
    price: MoneyOut
    price_lines: list[dict[str, Any]]
    trips: int
    days: list[ChoiceDay]


class CounterTime(Schema):
    """When goods can be fetched on a day."""

    day: date
    starts_at: Utc
    ends_at: Utc


class PickupOption(Schema):
    """A counter: minutes after midnight, the heaviest vehicle that may drive in."""

    address: str
    lat: float
    lon: float
    opens_at: int
    closes_at: int
    max_vehicle_kg: int | None
    days: list[CounterTime]


class GroupOptions(Schema):
    """What may be chosen for the goods of one warehouse; `no_carrier`: why nobody brings them, or empty."""

    group: uuid.UUID
    seller: str
    warehouse: str
    reason: str
    no_carrier: str
    carriers: list[CarrierOption]
    pickup: PickupOption | None


def options_of(view: GroupView) -> GroupOptions:
    """The choices of a group as the API shows them."""
    place = view.warehouse
    pickup = PickupOption(
        address=place.address, lat=place.lat, lon=place.lon, opens_at=place.opens_at, closes_at=place.closes_at,
        max_vehicle_kg=place.max_vehicle_kg,
        days=[CounterTime(day=one.day, starts_at=one.starts_at, ends_at=one.ends_at) for one in view.counter],
    )  # fmt: skip
    return GroupOptions(
        group=view.key, seller=view.seller_name, warehouse=place.name, reason=view.trip.reason,
        no_carrier=view.trip.no_carrier, carriers=[_carrier(one) for one in view.carriers],
        pickup=pickup if view.counter else None,
    )  # fmt: skip


def _carrier(view: CarrierView) -> CarrierOption:
    option = view.option
    days = [
        ChoiceDay(
            day=d.day, why=d.why, windows=[WindowOut(window=w.window.code, left=w.left, why=w.why) for w in d.windows]
        )
        for d in view.days
    ]
    return CarrierOption(
        option=option.public_id, carrier=option.carrier_name, price=money(option.price),
        price_lines=option.lines_json(), trips=option.trips, days=days,
    )  # fmt: skip


class ShareOut(Schema):
    """Whose part of the common truck is what."""

    group: uuid.UUID
    seller: str
    amount: MoneyOut


class JointOut(Schema):
    """Everything by one truck: `chosen`, or what it would cost instead of `separate`; `refused`: why it cannot be."""

    chosen: bool
    refused: str
    carrier: str
    price: MoneyOut | None
    separate: MoneyOut
    saving: MoneyOut | None
    """Below zero when the truck is dearer."""
    price_lines: list[dict[str, Any]]
    shares: list[ShareOut]


def joint_of(payload: dict[str, Any]) -> JointOut | None:
    """The common truck of a quote; None when fewer than two trips could share one."""
    kept = payload["joint"]
    if kept is None:
        return None
    price = kept.get("price")
    return JointOut(
        chosen=payload["is_joint"], refused=kept["refused"], carrier=kept.get("carrier_name", ""),
        price=None if price is None else money(price), separate=money(kept["separate"]),
        saving=None if price is None else money(kept["separate"] - price), price_lines=kept.get("lines", []),
        shares=[
            ShareOut(group=one["group"], seller=one["seller_name"], amount=money(one["amount"]))
            for one in kept.get("shares", [])
        ],
    )  # fmt: skip
