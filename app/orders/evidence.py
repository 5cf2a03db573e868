"""Photographs of returns and claims: taken in, made clean by a worker, seen by the parties only."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from app.catalog.picture_files import MAX_BYTES, ORIGINALS, Upload, checked, shown_name
from app.catalog.pictures import KINDS, QUEUE, forget
from app.core import clock, jobs
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.filetypes import MIME
from app.core.permissions import Actor
from app.core.storage import Storage, new_name
from app.orders import return_rules
from app.orders.models import Order, OrderGroup
from app.orders.return_models import Claim, EvidencePhoto, ReturnRequest

MAKE = "evidence.make"
FOLDER = "evidence"
MOST_LOOSE = 40
"""Photographs of one person that belong to nothing yet."""
LOOSE_FOR = timedelta(days=1)


def receive(actor: Actor, storage: Storage, upload: Upload) -> uuid.UUID:
    """Keep a photograph, to be named in a return or a claim within a day. The row comes first, then the file.

    Raises:
        Invalid: not a JPEG, PNG or WebP by content, too large, or named as something else. Conflict: too many.
    """
    kind = checked(upload, KINDS, MAX_BYTES, "picture_kind")
    row_id, public_id, original = _open(actor, upload.name, kind)
    storage.put(original, upload.content, MIME[kind])
    _start(actor, row_id)
    return public_id


@unit_of_work
def _open(actor: Actor, name: str, kind: str) -> tuple[int, uuid.UUID, str]:
    loose = sa.select(sa.func.count()).where(EvidencePhoto.user_id == actor.user, *_loose())
    if (session.scalar(loose) or 0) >= MOST_LOOSE:
        raise Conflict("too_many_pictures", maximum=MOST_LOOSE)
    row = EvidencePhoto(
        user_id=actor.user, file_name=shown_name(name), kind=kind, original=new_name(ORIGINALS, "dat"),
        stored=new_name(FOLDER, "webp"),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id, row.public_id, row.original


def _loose() -> tuple[sa.ColumnElement[bool], ...]:
    return EvidencePhoto.return_id.is_(None), EvidencePhoto.claim_id.is_(None)


@unit_of_work
def _start(actor: Actor, row_id: int) -> None:
    jobs.enqueue(MAKE, {"photo": row_id}, queue=QUEUE, user_id=actor.user)


def check(ids: Sequence[uuid.UUID], *, needed: bool, errors: list[FieldError]) -> None:
    """Find what is wrong with the number of photographs of a case."""
    if needed and not ids:
        errors.append(FieldError("/photos", "photos_required"))
    if len(ids) > return_rules.MOST_PHOTOS:
        errors.append(FieldError("/photos", "too_many", {"maximum": return_rules.MOST_PHOTOS}))


def attach(
    actor: Actor, ids: Sequence[uuid.UUID], *, return_id: int | None = None, claim_id: int | None = None
) -> None:  # fmt: skip
    """Let loose photographs of the actor belong to a return or a claim, in the present transaction.

    Raises:
        Invalid: one is not the actor's, or belongs to something already.
    """
    own = sa.select(EvidencePhoto.id).where(
        EvidencePhoto.public_id.in_(ids), EvidencePhoto.user_id == actor.user, *_loose()
    )
    rows = lock_rows(EvidencePhoto, session.scalars(own)) if ids else []
    if len(rows) < len(set(ids)):
        raise Invalid.one("/photos", "unknown_picture")
    for row in rows:
        row.return_id, row.claim_id = return_id, claim_id
    session.flush()


def order(photo_id: int) -> tuple[str, str, str] | None:
    """(original, kind, name of the clean file) of a photograph that is still to be made."""
    row = session.execute(
        sa.select(EvidencePhoto.original, EvidencePhoto.kind, EvidencePhoto.stored).where(
            EvidencePhoto.id == photo_id, EvidencePhoto.state == "waiting"
        )
    ).one_or_none()
    return None if row is None else (row.original, row.kind, row.stored)


@unit_of_work
def finish(photo_id: int, error: str = "") -> None:
    """The clean file is there, or cannot be made; the original goes. Told twice: nothing changes."""
    for row in lock_rows(EvidencePhoto, [photo_id]):
        if row.state == "waiting":
            row.state, row.error = ("refused", error) if error else ("ready", "")
            forget([row.original])


def sweep() -> None:
    """Forget photographs that were never named; called once a day in the transaction of the day's work."""
    old = sa.select(EvidencePhoto).where(*_loose(), EvidencePhoto.created_at < clock.now() - LOOSE_FOR)
    for row in session.scalars(old.with_for_update(skip_locked=True)).all():
        forget([row.original, row.stored])
        session.delete(row)


def file_for(actor: Actor, public_id: uuid.UUID) -> str:
    """Where the clean file lies, for a party of the case or the operator.

    Raises:
        NotFound: absent, not ready, or nothing of the actor's.
    """
    case_order = sa.func.coalesce(ReturnRequest.order_id, Claim.order_id)
    row = session.execute(
        sa.select(EvidencePhoto.stored, EvidencePhoto.user_id, Order.seller_id, OrderGroup.user_id.label("buyer_id"))
        .outerjoin(ReturnRequest, ReturnRequest.id == EvidencePhoto.return_id)
        .outerjoin(Claim, Claim.id == EvidencePhoto.claim_id)
        .outerjoin(Order, Order.id == case_order)
        .outerjoin(OrderGroup, OrderGroup.id == Order.group_id)
        .where(EvidencePhoto.public_id == public_id, EvidencePhoto.state == "ready")
    ).one_or_none()
    if row is None:
        raise NotFound()
    works_for = actor.seller.organisation_id if actor.seller else None
    is_party = actor.user in (row.user_id, row.buyer_id) or (works_for is not None and works_for == row.seller_id)
    if not is_party and not actor.is_admin:
        raise NotFound()
    stored: str = row.stored
    return stored
