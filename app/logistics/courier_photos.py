"""Photographs and signatures of couriers: taken in, made clean by a worker, seen by the parties of a delivery."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from app.catalog.picture_files import MAX_BYTES, ORIGINALS, Upload, checked, shown_name
from app.catalog.pictures import KINDS, QUEUE, forget
from app.core import clock, jobs
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.filetypes import MIME
from app.core.permissions import Actor
from app.core.storage import Storage, new_name
from app.logistics.courier_models import PHOTO_ROLES, ProofPhoto, VehicleCheck
from app.logistics.models import Courier, Delivery

MAKE = "proof.make"
FOLDER = "proof"
MOST_LOOSE = 200
"""Photographs of one courier that belong to nothing yet: a day without signal sends them all at once."""
MOST_AT_A_STOP = 20
LOOSE_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Picture:
    """What the phone says of a picture. `key`: its name in the phone. role: photo, signature, line (of the waybill),
    check (of the truck).
    """

    key: uuid.UUID
    role: str = "photo"
    line: str = ""
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """Pictures that now belong to a delivery or a check, and those that never came."""

    photos: tuple[str, ...] = ()
    signature: str | None = None
    missing: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For the proof and the history; nothing where there is nothing."""
        found: dict[str, Any] = {"photos": list(self.photos)} if self.photos else {}
        if self.signature:
            found["signature"] = self.signature
        if self.missing:
            found["photos_missing"] = list(self.missing)
        return found


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a delivery or check for a page or a paper; `stored` is None until the worker has made it."""

    public_id: uuid.UUID
    role: str
    line: str
    taken_at: datetime
    stored: str | None


def receive(actor: Actor, storage: Storage, upload: Upload, about: Picture) -> uuid.UUID:
    """Keep a picture, to be named by a tap within a week. The same key again answers the same picture.

    Raises:
        Invalid: not a JPEG, PNG or WebP by content, too large, or an unknown role.
        Conflict: `too_many_pictures`.
    """
    if about.role not in PHOTO_ROLES:
        raise Invalid.one("/role", "unknown_option")
    kind = checked(upload, KINDS, MAX_BYTES, "picture_kind")
    public_id, row_id, original, is_new = _open(actor, upload.name, kind, about)
    if is_new:
        storage.put(original, upload.content, MIME[kind])
        _start(actor, row_id)
    return public_id


@unit_of_work
def _open(actor: Actor, name: str, kind: str, about: Picture) -> tuple[uuid.UUID, int, str, bool]:
    loose = sa.select(sa.func.count()).where(ProofPhoto.user_id == actor.user, *_loose())
    if (session.scalar(loose) or 0) >= MOST_LOOSE:
        raise Conflict("too_many_pictures", maximum=MOST_LOOSE)
    now = clock.now()
    made = session.execute(
        insert(ProofPhoto)
        .values(
            user_id=actor.user, key=about.key, role=about.role, line=about.line[:40], file_name=shown_name(name),
            kind=kind, original=new_name(ORIGINALS, "dat"), stored=new_name(FOLDER, "webp"),
            taken_at=min(about.taken_at or now, now),
        )
        .on_conflict_do_nothing(index_elements=["user_id", "key"])
        .returning(ProofPhoto.public_id, ProofPhoto.id, ProofPhoto.original)
    ).one_or_none()  # fmt: skip
    if made is not None:
        return made.public_id, made.id, made.original, True
    known = session.execute(
        sa.select(ProofPhoto.public_id, ProofPhoto.id, ProofPhoto.original, ProofPhoto.state).where(
            ProofPhoto.user_id == actor.user, ProofPhoto.key == about.key
        )
    ).one()
    # the first sending may have died between the row and the file: as long as it is not made, it is sent again whole
    return known.public_id, known.id, known.original, known.state == "waiting"


@unit_of_work
def _start(actor: Actor, row_id: int) -> None:
    jobs.enqueue(MAKE, {"photo": row_id}, queue=QUEUE, user_id=actor.user)


def _loose() -> tuple[sa.ColumnElement[bool], ...]:
    return ProofPhoto.delivery_id.is_(None), ProofPhoto.check_id.is_(None)


def attach(
    actor: Actor,
    photos: Sequence[uuid.UUID],
    signature: uuid.UUID | None = None,
    *,
    delivery_id: int | None = None,
    check_id: int | None = None,
    strict: bool = True,
) -> Attached:
    """Let pictures of the actor (by id or by the phone's key) belong to a delivery or a check, in this transaction.

    Args:
        strict: a picture that is not there refuses the whole; else it is named as missing, because what was done at
            the door stays done.

    Raises:
        Invalid: `unknown_picture`: one is not the actor's or belongs to something else; `too_many`.
    """
    wanted = [*dict.fromkeys([*photos, *([signature] if signature else [])])]
    if not wanted:
        return Attached()
    if strict and len(wanted) > MOST_AT_A_STOP:
        raise Invalid.one("/photos", "too_many", maximum=MOST_AT_A_STOP)
    free = sa.or_(sa.and_(*_loose()), _owner() == (delivery_id or 0, check_id or 0))
    ids = session.scalars(
        sa.select(ProofPhoto.id).where(
            ProofPhoto.user_id == actor.user,
            sa.or_(ProofPhoto.public_id.in_(wanted), ProofPhoto.key.in_(wanted)),
            free,
        )
    )
    rows: list[ProofPhoto] = lock_rows(ProofPhoto, ids)
    named = {name: row for row in rows for name in (row.public_id, row.key)}
    missing = [str(one) for one in wanted if one not in named]
    if missing and strict:
        raise Invalid.one("/photos", "unknown_picture")
    for row in rows:
        row.delivery_id, row.check_id = delivery_id, check_id
    session.flush()
    signed = named.get(signature) if signature else None
    shown = tuple(str(row.public_id) for row in rows if row is not signed)
    return Attached(shown, str(signed.public_id) if signed else None, tuple(missing))


def _owner() -> sa.ColumnElement[Any]:
    return sa.tuple_(sa.func.coalesce(ProofPhoto.delivery_id, 0), sa.func.coalesce(ProofPhoto.check_id, 0))


def order(photo_id: int) -> tuple[str, str, str] | None:
    """(original, kind, name of the clean file) of a picture that is still to be made."""
    row = session.execute(
        sa.select(ProofPhoto.original, ProofPhoto.kind, ProofPhoto.stored).where(
            ProofPhoto.id == photo_id, ProofPhoto.state == "waiting"
        )
    ).one_or_none()
    return None if row is None else (row.original, row.kind, row.stored)


@unit_of_work
def finish(photo_id: int, error: str = "") -> None:
    """The clean file is there, or cannot be made; the original goes. Told twice: nothing changes."""
    for row in lock_rows(ProofPhoto, [photo_id]):
        if row.state == "waiting":
            row.state, row.error = ("refused", error) if error else ("ready", "")
            forget([row.original])


def sweep() -> None:
    """Forget pictures that were never named; called once a day in the transaction of the day's work."""
    old = sa.select(ProofPhoto).where(*_loose(), ProofPhoto.created_at < clock.now() - LOOSE_FOR)
    for row in session.scalars(old.with_for_update(skip_locked=True)).all():
        forget([row.original, row.stored])
        session.delete(row)


def of_delivery(delivery_id: int) -> list[Shown]:
    """The pictures of a delivery whose reader has been checked by the caller, in the order they were taken."""
    return _shown(ProofPhoto.delivery_id == delivery_id)


def _shown(which: sa.ColumnElement[bool]) -> list[Shown]:
    rows = session.execute(
        sa.select(
            ProofPhoto.public_id, ProofPhoto.role, ProofPhoto.line, ProofPhoto.taken_at, ProofPhoto.stored,
            ProofPhoto.state,
        )
        .where(which, ProofPhoto.state != "refused")
        .order_by(ProofPhoto.taken_at, ProofPhoto.id)
    )  # fmt: skip
    return [Shown(r.public_id, r.role, r.line, r.taken_at, r.stored if r.state == "ready" else None) for r in rows]


def file_for(actor: Actor, public_id: uuid.UUID) -> str:
    """Where the clean file lies: for its courier, people of the carrier, the seller, the buyer, and the operator.

    Raises:
        NotFound: absent, not ready, or nothing of the actor's.
    """
    carrier = sa.func.coalesce(Delivery.carrier_id, Courier.carrier_id)
    row = session.execute(
        sa.select(
            ProofPhoto.stored, ProofPhoto.user_id, Delivery.buyer_id, Delivery.seller_id, carrier.label("carrier_id")
        )
        .outerjoin(Delivery, Delivery.id == ProofPhoto.delivery_id)
        .outerjoin(VehicleCheck, VehicleCheck.id == ProofPhoto.check_id)
        .outerjoin(Courier, Courier.id == VehicleCheck.courier_id)
        .where(ProofPhoto.public_id == public_id, ProofPhoto.state == "ready")
    ).one_or_none()
    if row is None:
        raise NotFound()
    sells_for = actor.seller.organisation_id if actor.seller else None
    carries_for = actor.carrier.organisation_id if actor.carrier else None
    is_party = actor.user in (row.user_id, row.buyer_id)
    is_party = is_party or (sells_for is not None and sells_for == row.seller_id)
    is_party = is_party or (carries_for is not None and carries_for == row.carrier_id)
    if not is_party and not actor.is_admin:
        raise NotFound()
    stored: str = row.stored
    return stored
