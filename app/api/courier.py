"""The courier's day."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from flask import current_app, request
from pydantic import AwareDatetime, Field, RootModel

from app import access
from app.api.kernel import Answer, Api, given_id
from app.api.schemas import MoneyIn, MoneyOut, QuantityText, Schema, Utc, money
from app.catalog.picture_files import Upload
from app.core.errors import NotFound
from app.core.ids import parse_uuid, uuid7
from app.core.permissions import Permission
from app.logistics import courier_day, courier_photos, courier_views, rules, shift_day, tracking
from app.logistics.courier_photos import Picture
from app.logistics.courier_taps import HandOver, Tap
from app.logistics.shift_day import Look

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
    reason: Literal[rules.SHORT_REASONS] | None = None  # type: ignore[valid-type]  # a constant tuple
    """Why less of this line; left out: the reason of the whole."""


class ProofIn(Schema):
    """What proves the hand-over."""

    pin: str = Field(default="", max_length=8)
    signature: str | None = Field(default=None, max_length=100_000)
    """The id of a picture sent to /courier/photos with role signature; other text is kept as it is."""
    photos: list[uuid.UUID] = Field(default_factory=list, max_length=20)
    """Ids of pictures sent to /courier/photos."""
    received_by: str = Field(default="", max_length=120)
    """Who took the goods; at a warehouse, who gave them out."""


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
    photos: list[uuid.UUID] = Field(default_factory=list, max_length=20)


class DefectIn(Schema):
    """What is not in order."""

    item: Literal[shift_day.CHECK_ITEMS]  # type: ignore[valid-type]  # a constant tuple
    note: str = Field(min_length=1, max_length=300)


class CheckIn(Schema):
    """What the driver saw of the truck."""

    day: date | None = Field(default=None, alias="date")
    odometer_km: int = Field(ge=0, le=shift_day.MOST_KM)
    defects: list[DefectIn] = Field(default_factory=list, max_length=10)
    may_drive: bool = True
    note: str = Field(default="", max_length=500)
    photos: list[uuid.UUID] = Field(default_factory=list, max_length=20)
    at: AwareDatetime | None = None

    def look(self) -> Look:
        """For the domain."""
        defects = {one.item: one.note for one in self.defects}
        return Look(self.odometer_km, defects, self.may_drive, self.note, self.photos)


class CheckOut(Schema):
    """Whether the route may start with this truck."""

    may_start: bool


class CourierPhotoForm(Schema):
    """Fields beside the file."""

    role: Literal["photo", "signature", "line", "check"] = "photo"
    line: str = Field(default="", max_length=40)
    key: uuid.UUID | None = None
    """The sender's name for it: sent again, it is the same picture."""


class CourierPhotoOut(Schema):
    """The id to name in a proof."""

    id: uuid.UUID


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
    """A route started already stays so. 409 `vehicle_forbidden` when the newest check of that day says so; a program
    that does not send POST /courier/check is trusted to look at the truck in its own way.
    """
    shift_day.set_out(access.actor(), _own(body.day).public_id, is_checked_elsewhere=True)
    return _route(body.day)


@api.post(
    "/courier/check",
    permission=Permission.COURIER_ROUTE,
    body=CheckIn,
    answer=CheckOut,
    summary="Check of the truck before the route",
    example={"odometer_km": 120_000},
)
def check(body: CheckIn) -> CheckOut:
    """A defect that forbids driving is told to the dispatchers; the newest check of the day counts."""
    shift_day.check_vehicle(access.actor(), _own(body.day).public_id, body.look(), Tap(body.at))
    return CheckOut(may_start=body.may_drive)


@api.post(
    "/courier/route/end",
    permission=Permission.COURIER_ROUTE,
    body=CheckIn,
    answer=CourierRouteOut,
    summary="End of the shift, with the odometer",
    example={"odometer_km": 120_160},
)
def end(body: CheckIn) -> CourierRouteOut:
    """422 `odometer_back` when it shows less than in the morning. The second time changes nothing."""
    shift_day.end_shift(access.actor(), _own(body.day).public_id, body.look(), Tap(body.at))
    return _route(body.day)


@api.post(
    "/courier/photos",
    permission=Permission.COURIER_ROUTE,
    form=CourierPhotoForm,
    answer=CourierPhotoOut,
    status=201,
    summary="Send a photograph or a signature",
)
def send_photo(form: CourierPhotoForm) -> CourierPhotoOut:
    """JPEG, PNG or WebP, up to 15 MB, in the part `file`. A worker makes it clean of what the camera wrote."""
    file = request.files.get("file")
    upload = Upload(file.filename or "" if file else "", file.read() if file else b"")
    about = Picture(form.key or uuid7(), form.role, form.line)
    return CourierPhotoOut(id=courier_photos.receive(access.actor(), current_app.extensions["storage"], upload, about))


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
    reasons = {line.line: line.reason for line in body.lines if line.reason}
    signature = parse_uuid(body.proof.signature or "")
    proof = {"signature": body.proof.signature} if body.proof.signature and not signature else {}
    cash = body.cash_counted
    given = HandOver(
        counted, body.reason or "", body.proof.pin, cash.amount if cash else None, proof, cash_in_full=cash is None,
        reasons=reasons, photos=body.proof.photos, signature=signature, received_by=body.proof.received_by,
    )  # fmt: skip
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
    pictures = HandOver(photos=body.photos)
    courier_day.fail(access.actor(), given_id(stop), body.reason, body.comment, body.tap(), pictures)
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


def _own(day: date | None) -> courier_views.CourierRoute:
    found = courier_views.route(access.actor().user, day)
    if found is None:
        raise NotFound()
    return found


def _route(day: date | None) -> CourierRouteOut:
    found = _own(day)
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
