"""What a form of the courier says, whether it came from a browser or waited in the phone's outbox: the same fields."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from flask import current_app, g, request

from app import access
from app.catalog.picture_files import Upload
from app.core.errors import FieldError, Invalid
from app.core.ids import parse_uuid, uuid7
from app.logistics import courier_photos
from app.logistics.courier_photos import Picture
from app.logistics.courier_taps import HandOver
from app.logistics.shift_day import CHECK_ITEMS, Look
from app.web.carrier.forms import kopeks


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures that go with a form: ids, or keys of the phone."""

    photos: Sequence[uuid.UUID] = ()
    signature: uuid.UUID | None = None


def number(text: str) -> Decimal | None:
    """A number as people type it, or None."""
    try:
        value = Decimal("".join(text.split()).replace(",", "."))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def given_of(fields: Mapping[str, str], pictures: Pictures = Pictures(), *, offline: bool = False) -> HandOver:
    """Counts (`q<line>`), reasons (`reason_<line>`, `reason`), `pin`, `cash`, `received_by`.

    Raises:
        Invalid: `not_a_number`, or money that cannot be read.
    """
    counted, errors = {}, []
    for name, text in fields.items():
        if not name.startswith("q") or name.endswith("_step") or not text.strip():
            continue
        value = number(text)
        if value is None:
            errors.append(FieldError(f"/lines/{name[1:]}", "not_a_number"))
        else:
            counted[name[1:]] = value
    reasons = {name.removeprefix("reason_"): why for name, why in fields.items() if name.startswith("reason_") and why}
    cash_text = fields.get("cash", "").strip()
    cash = kopeks(cash_text, "/cash") if cash_text else None
    if errors:
        raise Invalid(errors)
    return HandOver(
        counted, fields.get("reason", ""), fields.get("pin", "")[:8], cash, reasons=reasons, photos=pictures.photos,
        signature=pictures.signature, received_by=fields.get("received_by", "").strip()[:120], offline=offline,
    )  # fmt: skip


def look_of(fields: Mapping[str, str], photos: Sequence[uuid.UUID] = (), *, offline: bool = False) -> Look:
    """`odometer`, `<item>` ok or bad with `<item>_note`, `may_drive`, `note`.

    Raises:
        Invalid: the odometer is no whole number.
    """
    text = "".join(fields.get("odometer", "").split())
    if not text:
        raise Invalid.one("/odometer", "required")
    if not text.isdecimal() or len(text) > 9:
        raise Invalid.one("/odometer", "not_a_number")
    defects = {item: fields.get(f"{item}_note", "") for item in CHECK_ITEMS if fields.get(item) == "bad"}
    may_drive = fields.get("may_drive", "yes") != "no"
    return Look(int(text), defects, may_drive, fields.get("note", ""), photos, offline)


def pictures_of_form(general: str = "photos", role: str = "photo") -> list[uuid.UUID]:
    """Photographs of this form, general and of single lines, and those of an earlier try of it.

    Raises:
        Invalid, Conflict: as `courier_photos.receive`.
    """
    found = [key for key in map(parse_uuid, request.form.getlist("photo")) if key is not None]
    g.courier_photos = found  # the same list: what was taken before a refusal is shown again
    for name in request.files:
        line = name.removeprefix("photo_") if name.startswith("photo_") else ""
        if name != general and not line:
            continue
        for file in request.files.getlist(name)[: courier_photos.MOST_AT_A_STOP]:
            if file.filename:
                about = Picture(uuid7(), "line" if line else role, line)
                upload = Upload(file.filename, file.read())
                found.append(
                    courier_photos.receive(access.actor(), current_app.extensions["storage"], upload, about)
                )  # fmt: skip
    return found
