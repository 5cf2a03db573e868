"""The courier's day."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import AwareDatetime, Field, RootModel

from app import access
from app.api.kernel import Answer, Api, given_id
from app.api.schemas import MoneyIn, MoneyOut, QuantityText, Schema, Utc, money
from app.core.errors import NotFound
from app.core.permissions import Permission
from app.logistics import courier_day, courier_views, rules, tracking
from app.logistics.courier_day import HandOver, Tap

api = Api("courier", tag="Logistics")


class RouteQuery(Schema):
    """A day; without it the route under way, else the next one."""

    day: date | None = Field(default=None, alias="date")


class CourierStopOut(Schema):
    """A stop with what is needed there; never the buyer's PIN."""

    id: uuid.UUID
    delivery: uuid.UUID
    number: str
    sequence: int
    kind: Literal["pickup", "drop"]
    state: str
    lot: int
    lots: int
    planned_arrival: Utc
    eta: Utc | None
    window_from: Utc
    window_to: Utc
    place: dict[str, Any]
    cargo: list[dict[str, Any]]
    mass_kg: int
    volume_l: int
    cash_due: MoneyOut
    next_action: Literal["arrive", "unloading", "complete"] | None
    version: int


class CourierRouteOut(Schema):
    """A route of a day."""

    id: uuid.UUID
    date: date
    state: Literal["planned", "started", "finished"]
    vehicle: str
    plate: str
    distance_m: int
    starts_at: Utc
    ends_at: Utc
    stops: list[CourierStopOut]


class StartIn(Schema):
    """Which day's route to start."""

    day: date | None = Field(default=None, alias="date")


class PointIn(Schema):
    """Where the phone was."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class TapIn(Schema):
    """When and where a button was pressed; the time of the tap, not of its sending."""

    at: AwareDatetime | None = None
    position: PointIn | None = None
    version: int | None = None

    def tap(self) -> Tap:
        """For the domain."""
        point = self.position
        return Tap(self.at, point.lat if point else None, point.lon if point else None, self.version)


class LineIn(Schema):
    """What was counted of a line of the waybill, in the unit of sale."""

    line: str = Field(max_length=40)
    delivered: QuantityText


class ProofIn(Schema):
    """What proves the hand-over."""

    pin: str = Field(default="", max_length=8)
    signature: str | None = Field(default=None, max_length=100_000)
    photos: list[uuid.UUID] = Field(default_factory=list, max_length=20)


class CompleteIn(TapIn):
    """Loaded or handed over. Lines that are not named went whole."""

    lines: list[LineIn] = Field(default_factory=list, max_length=500)
    reason: Literal[rules.SHORT_REASONS] | None = None  # type: ignore[valid-type]  # a constant tuple
    proof: ProofIn = ProofIn()
    cash_counted: MoneyIn | None = None
    """Left out: the cash that was due was taken in full."""


class FailIn(TapIn):
    """Why the stop cannot be done."""

    reason: Literal[rules.FAIL_REASONS]  # type: ignore[valid-type]  # a constant tuple
    comment: str = Field(default="", max_length=500)


class FixIn(Schema):
    """A position of the phone."""

    at: AwareDatetime
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    accuracy_m: float | None = Field(default=None, ge=0, le=100_000)
    speed_mps: float | None = Field(default=None, ge=0, le=200)


class FixesIn(RootModel[list[FixIn]]):
    """Up to 500 positions."""

    root: list[FixIn] = Field(max_length=tracking.MAX_BATCH)


class KeptOut(Schema):
    """How many positions were kept; `why` counts the others: again, off_shift, old, future, vague, jump."""

    accepted: int
    dropped: int
    why: dict[str, int]


@api.get(
    "/courier/route",
    permission=Permission.COURIER_ROUTE,
    query=RouteQuery,
    answer=CourierRouteOut,
    summary="The courier's route",
)
def route(query: RouteQuery) -> CourierRouteOut:
    """404 when no published plan has a route for this courier."""
    return _route(query.day)


@api.post(
    "/courier/route/start",
    permission=Permission.COURIER_ROUTE,
    body=StartIn,
    answer=CourierRouteOut,
    summary="Start the route",
    example={},
)
def start(body: StartIn) -> CourierRouteOut:
    """A route started already stays so."""
    found = courier_views.route(access.actor().user, body.day)
    if found is None:
        raise NotFound()
    courier_day.start_route(access.actor(), found.public_id)
    return _route(body.day)


@api.post(
    "/courier/stops/{stop}/arrive",
    permission=Permission.COURIER_ROUTE,
    body=TapIn,
    answer=CourierStopOut,
    summary="On site",
    example={},
)
def arrive(body: TapIn, stop: str) -> CourierStopOut:
    """A repeated tap changes nothing."""
    courier_day.arrive(access.actor(), given_id(stop), body.tap())
    return _stop(stop)


@api.post(
    "/courier/stops/{stop}/unloading",
    permission=Permission.COURIER_ROUTE,
    body=TapIn,
    answer=CourierStopOut,
    summary="Unloading has begun",
    example={},
)
def unloading(body: TapIn, stop: str) -> CourierStopOut:
    """Only at a site."""
    courier_day.start_unloading(access.actor(), given_id(stop), body.tap())
    return _stop(stop)


@api.post(
    "/courier/stops/{stop}/complete",
    permission=Permission.COURIER_ROUTE,
    body=CompleteIn,
    answer=CourierStopOut,
    summary="Loaded, or handed over against the buyer's PIN",
    example={"proof": {"pin": "4815"}},
)
def complete(body: CompleteIn, stop: str) -> CourierStopOut:
    """422 `pin_wrong` with the tries left; 409 `pin_locked` after three."""
    counted: dict[str, Decimal] = {line.line: line.delivered for line in body.lines}
    proof = {
        "signature": body.proof.signature,
        "photos": [str(photo) for photo in body.proof.photos],
    }
    cash = body.cash_counted
    given = HandOver(
        counted, body.reason or "", body.proof.pin, cash.amount if cash else None, proof, cash_in_full=cash is None
    )
    courier_day.complete(access.actor(), given_id(stop), given, body.tap())
    return _stop(stop)


@api.post(
    "/courier/stops/{stop}/fail",
    permission=Permission.COURIER_ROUTE,
    body=FailIn,
    answer=CourierStopOut,
    summary="The stop cannot be done",
    example={"reason": "nobody_there"},
)
def fail(body: FailIn, stop: str) -> CourierStopOut:
    """At a warehouse the delivery goes back to the dispatcher."""
    courier_day.fail(access.actor(), given_id(stop), body.reason, body.comment, body.tap())
    return _stop(stop)


@api.post(
    "/courier/positions",
    permission=Permission.COURIER_ROUTE,
    body=FixesIn,
    answer=KeptOut,
    status=202,
    summary="Positions of the phone, up to 500",
)
def positions(body: FixesIn) -> Answer:
    """Kept only while on shift; what was sent before, is too old or comes from the future is dropped."""
    fixes = [tracking.Fix(f.at, f.lat, f.lon, f.accuracy_m, f.speed_mps) for f in body.root]
    kept = tracking.record_positions(access.actor(), fixes)
    return Answer(KeptOut(accepted=kept.accepted, dropped=kept.dropped, why=dict(kept.why)), 202)


def _route(day: date | None) -> CourierRouteOut:
    found = courier_views.route(access.actor().user, day)
    if found is None:
        raise NotFound()
    return CourierRouteOut(
        id=found.public_id,
        date=found.day,
        state=found.state,
        vehicle=found.vehicle_name,
        plate=found.plate,
        distance_m=found.distance_m,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        stops=[_stop_out(one) for one in found.stops],
    )


def _stop(public_id: str) -> CourierStopOut:
    return _stop_out(courier_views.stop(access.actor().user, given_id(public_id)))


def _stop_out(stop: courier_views.CourierStop) -> CourierStopOut:
    own = {"id", "cash_due"}
    values = {name: getattr(stop, name) for name in CourierStopOut.model_fields if name not in own}
    return CourierStopOut(id=stop.public_id, cash_due=money(stop.cash_due), **values)
