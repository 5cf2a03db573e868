"""What the phone sends by itself: taps that waited, pictures, positions; and the service worker that keeps its pages.

These calls carry the session's cookie and no token of a form, because a token may be old when a tap is sent; that they
come from our own page is told by `Origin`, which no page can forge. Each names the person whose taps they are, so
that nobody sends those of somebody else who used the phone before.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, Literal

from flask import Response, current_app, request
from flask_babel import gettext as _  # type: ignore[import-untyped]  # the package ships no types
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from app import access, texts
from app.catalog.picture_files import Upload
from app.core.errors import Conflict, DomainError, Invalid
from app.core.permissions import Permission
from app.logistics import courier_outbox, courier_photos, tracking
from app.logistics.courier_outbox import Became, Sent
from app.logistics.courier_photos import Picture
from app.logistics.courier_taps import HandOver
from app.texts import logistics as words
from app.web import csrf
from app.web.assets import asset_url
from app.web.courier.frame import pages
from app.web.courier.reading import Pictures, given_of, look_of

SHELL = ("css/app.css", "js/app.js", "js/courier.js", "js/courier-queue.js", "js/courier-pictures.js",
    "js/courier-positions.js", "js/courier-scan.js", "js/map.js", "vendor/icons.svg",
         "vendor/leaflet.js", "vendor/leaflet.css", "img/favicon.svg", "img/blank.gif", "fonts/golos-cyrillic.woff2",
         "fonts/golos-latin.woff2", "fonts/golos-rouble.woff2")  # fmt: skip
"""What the pages of a courier need besides themselves."""


class _In(BaseModel):
    model_config = ConfigDict(extra="ignore")


class PointIn(_In):
    """Where the phone was."""

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class TapIn(_In):
    """A tap: `stop` is the stop, for check, start and end the route; `payload` are the fields of the form."""

    key: uuid.UUID
    kind: Literal[courier_outbox.KINDS]  # type: ignore[valid-type]  # a constant tuple
    stop: uuid.UUID
    at: AwareDatetime | None = None
    position: PointIn | None = None
    version: int | None = None
    offline: bool = False
    payload: dict[str, str] = Field(default_factory=dict, max_length=2000)
    photos: list[uuid.UUID] = Field(default_factory=list, max_length=100)
    signature: uuid.UUID | None = None

    def sent(self) -> Sent:
        """For the domain.

        Raises:
            Invalid: numbers that cannot be read.
        """
        fields, point = self.payload, self.position
        looks = self.kind in ("check", "end")
        given = given_of({} if looks else fields, Pictures(self.photos, self.signature), offline=self.offline)
        return Sent(
            self.key, self.kind, self.stop, self.at, point.lat if point else None, point.lon if point else None,
            self.version, self.offline, given, fields.get("reason", "") if self.kind == "fail" else "",
            fields.get("comment", "")[:500],
            look_of(fields, self.photos, offline=self.offline) if looks else None,
        )  # fmt: skip


class OutboxIn(_In):
    """Taps of one person in the order they were made."""

    person: uuid.UUID
    actions: list[TapIn] = Field(max_length=courier_outbox.MOST)


class FixIn(PointIn):
    """A position of the phone."""

    at: AwareDatetime
    accuracy_m: float | None = Field(default=None, ge=0, le=100_000)
    speed_mps: float | None = Field(default=None, ge=0, le=200)


class FixesIn(_In):
    """Positions of one person."""

    person: uuid.UUID
    positions: list[FixIn] = Field(max_length=tracking.MAX_BATCH)


@csrf.exempt  # type: ignore[untyped-decorator]  # the package ships no types; `Origin` is checked instead
@pages.post("/outbox", permission=Permission.COURIER_ROUTE)
def outbox() -> Response:
    """Taps in order, each answered by itself: done, repeated, conflict or refused. Sent again, nothing is doubled."""
    try:
        body = _body(OutboxIn)
        _check_sender(body.person)
    except DomainError as refusal:
        return _refused(refusal)
    told = []
    for tap in body.actions:
        try:
            sent = tap.sent()
        except Invalid as refusal:
            told.append(_told(_unreadable(tap, refusal), tap))
            continue
        answers = courier_outbox.take(access.actor(), [sent])
        told += [_told(one, tap) for one in answers]
    return _json({"actions": told})


def _unreadable(tap: TapIn, refusal: Invalid) -> Became:
    """Fields that are no numbers: the phone shows the form again, or the words are kept when it cannot any more."""
    if tap.offline:
        words_of = "; ".join(f"{name}: {text}" for name, text in tap.payload.items() if name != "pin" and text)
        pictures = HandOver(photos=tap.photos, signature=tap.signature, offline=True)
        sent = Sent(tap.key, tap.kind, tap.stop, tap.at, offline=True, given=pictures, comment=words_of[:2000])
        return courier_outbox.keep(access.actor(), sent, refusal)
    errors = [(one.pointer, one.code, one.context) for one in refusal.errors]
    return Became(tap.key, "refused", refusal.code, {}, errors)


@csrf.exempt  # type: ignore[untyped-decorator]  # as above
@pages.post("/outbox/photos", permission=Permission.COURIER_ROUTE)
def photo() -> Response:
    """One picture: person, key, role, line, at, file. The same key again is the same picture."""
    try:
        form, file = request.form, request.files.get("file")
        about = _PhotoIn.model_validate(form.to_dict())
        _check_sender(about.person)
        upload = Upload(file.filename or "" if file else "", file.read() if file else b"")
        picture = Picture(about.key, about.role, about.line, about.at)
        made = courier_photos.receive(access.actor(), current_app.extensions["storage"], upload, picture)
    except ValidationError:
        return _refused(Invalid.one("", "invalid_fields"))
    except DomainError as refusal:
        return _refused(refusal)
    return _json({"id": str(made)})


class _PhotoIn(_In):
    person: uuid.UUID
    key: uuid.UUID
    role: Literal["photo", "signature", "line", "check"] = "photo"
    line: str = Field(default="", max_length=40)
    at: AwareDatetime | None = None


@csrf.exempt  # type: ignore[untyped-decorator]  # as above
@pages.post("/outbox/positions", permission=Permission.COURIER_ROUTE)
def positions() -> Response:
    """Up to 500 positions; kept only while on shift."""
    try:
        body = _body(FixesIn)
        _check_sender(body.person)
        fixes = [tracking.Fix(f.at, f.lat, f.lon, f.accuracy_m, f.speed_mps) for f in body.positions]
        kept = tracking.record_positions(access.actor(), fixes)
    except DomainError as refusal:
        return _refused(refusal)
    return _json({"accepted": kept.accepted, "dropped": kept.dropped})


@pages.get("/sw.js", permission=Permission.PUBLIC)
def service_worker() -> Response:
    """The worker that keeps today's pages in the phone. Its text changes with every file it keeps.

    Open to everybody: it holds nothing of a person, and a browser asks for it again when the session is over.
    """
    shell = json.dumps([asset_url(path) for path in SHELL])
    lines = f"const SHELL = {shell};\n" + "".join(
        f'importScripts("{asset_url(path)}");\n' for path in ("js/courier-queue.js", "js/courier-worker.js")
    )
    answer = Response(lines, mimetype="text/javascript")
    answer.headers["Service-Worker-Allowed"] = "/courier"
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def _body(model: type[Any]) -> Any:
    if not request.is_json:
        raise Invalid.one("", "invalid_fields")
    try:
        return model.model_validate(request.get_json(silent=True))
    except ValidationError:
        raise Invalid.one("", "invalid_fields") from None


def _check_sender(person: uuid.UUID) -> None:
    """Our own page, and the person who is signed in now.

    Raises:
        Conflict: `foreign_origin`, `other_person`.
    """
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    same = origin == request.host_url.rstrip("/") if origin else site == "same-origin"
    if not same:
        raise Conflict("foreign_origin")
    if person != access.actor().public_id:
        raise Conflict("other_person")


def _told(became: Became, tap: TapIn | None = None) -> dict[str, Any]:
    """For the phone, in words: what became of it, which fields are wrong, how the stop stands now."""
    outcome = became.first if became.outcome == "repeated" and became.first else became.outcome
    said: dict[str, Any] = {"key": str(became.key), "outcome": became.outcome, "became": outcome, "code": became.code}
    if outcome in ("conflict", "refused"):
        said["errors"] = [
            [pointer.rpartition("/")[2] or "form", texts.error_text(code, dict(context))]
            for pointer, code, context in became.errors
        ]
        said["text"] = (
            texts.error_text(became.code, dict(became.context)) if not became.errors else said["errors"][0][1]
        )
        now = courier_outbox.now_of(access.actor(), tap.stop) if tap is not None else None
        if now is not None:
            said["now"] = _("Now: %(state)s", state=_now(now))
    elif became.unconfirmed:
        said["text"] = _("The PIN did not match. The delivery is recorded as not confirmed; the dispatcher sees it.")
    return said


def _now(now: courier_outbox.Now) -> str:
    state = words.event(now.delivery_state)
    found = f"{now.number}, {state}"
    return f"{found}, {now.driver}" if now.driver else found


def _refused(refusal: DomainError) -> Response:
    return _json({"code": refusal.code, "text": texts.message(refusal)}, refusal.status)


def _json(value: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status=status, mimetype="application/json")
