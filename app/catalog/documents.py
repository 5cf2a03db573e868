"""Certificates and papers of products: taking them, the operator's decision, what is valid today."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta

import sqlalchemy as sa

from app.catalog.media_models import DOCUMENT_KINDS, ProductDocument
from app.catalog.picture_files import ORIGINALS, Upload, checked, shown_name
from app.catalog.pictures import QUEUE, forget
from app.core import audit, clock, jobs
from app.core.db import lock_rows, session, unit_of_work
from app.core.errors import Conflict, FieldError, Invalid, NotFound
from app.core.filetypes import MIME, Kind
from app.core.permissions import Actor
from app.core.storage import Storage, new_name

MAKE = "documents.make"
FILES = ("pdf", "jpeg", "png")
MAX_BYTES = 20 * 1024 * 1024
MOST = 50
"""Documents of one party for one card."""
MOST_NOTE = 1000
NUMBERED = ("certificate", "declaration", "fire")
DECISIONS = {"approve": "approved", "decline": "declined"}
KEPT_REFUSED = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class NewDocument:
    """What a document says of itself. `valid_until` is its last day; None when it does not expire."""

    kind: str
    number: str = ""
    issuer: str = ""
    issued_on: date | None = None
    valid_until: date | None = None
    wrong: list[FieldError] = field(default_factory=list)
    """What could not be read of the form."""


@dataclass(frozen=True, slots=True)
class Added:
    """A document, and the job that makes a clean picture of a photographed one."""

    public_id: uuid.UUID
    job_id: uuid.UUID | None


def add(
    actor: Actor, storage: Storage, product_id: int, new: NewDocument, upload: Upload, seller_id: int | None = None
) -> Added:
    """Keep a document: the operator's stands on the card at once, a seller's waits for the operator.

    Raises:
        Invalid: with every wrong field.
        Conflict: `card_documents_full`.
    """
    errors = _errors(new)
    kind: Kind = "pdf"
    try:
        kind = checked(upload, FILES, MAX_BYTES, "document_kind")
        if kind == "pdf" and b"%%EOF" not in upload.content[-2048:]:
            errors.append(FieldError("/file", "document_broken"))
    except Invalid as refusal:
        errors += refusal.errors
    if errors:
        raise Invalid(errors)
    original = new_name(ORIGINALS if kind != "pdf" else "documents", "dat")
    row_id = _open(actor, product_id, new, upload, seller_id, original)
    try:
        storage.put(original, upload.content, MIME[kind])
    except Exception:
        _drop(row_id)
        raise
    return _taken(actor, row_id, kind, len(upload.content))


def _errors(new: NewDocument) -> list[FieldError]:
    errors = list(new.wrong)
    if new.kind not in DOCUMENT_KINDS:
        errors.append(FieldError("/kind", "unknown_option"))
    if new.kind in NUMBERED and not new.number:
        errors.append(FieldError("/number", "required"))
    for name, most in (("number", 100), ("issuer", 200)):
        if len(getattr(new, name)) > most:
            errors.append(FieldError(f"/{name}", "too_long", {"maximum": most}))
    if new.issued_on and new.issued_on > clock.today():
        errors.append(FieldError("/issued_on", "day_ahead"))
    if new.valid_until and new.valid_until < clock.today():
        errors.append(FieldError("/valid_until", "already_expired"))
    elif new.valid_until and new.issued_on and new.valid_until < new.issued_on:
        errors.append(FieldError("/valid_until", "days_order"))
    return errors


@unit_of_work
def _open(
    actor: Actor, product_id: int, new: NewDocument, upload: Upload, seller_id: int | None, original: str
) -> int:  # fmt: skip
    lying = session.scalar(
        sa.select(sa.func.count())
        .select_from(ProductDocument)
        .where(ProductDocument.product_id == product_id, ProductDocument.seller_id.is_not_distinct_from(seller_id))
    )
    if (lying or 0) >= MOST:
        raise Conflict("card_documents_full", maximum=MOST)
    row = ProductDocument(
        product_id=product_id, seller_id=seller_id, user_id=actor.user, kind=new.kind, number=new.number,
        issuer=new.issuer, issued_on=new.issued_on, valid_until=new.valid_until, file_name=shown_name(upload.name),
        original=original, state="waiting",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


@unit_of_work
def _drop(row_id: int) -> None:
    session.execute(sa.delete(ProductDocument).where(ProductDocument.id == row_id))


@unit_of_work
def _taken(actor: Actor, row_id: int, kind: Kind, size: int) -> Added:
    row = session.get_one(ProductDocument, row_id)
    audit.record(actor, "document.added", "product_document", row.id, after={"kind": row.kind, "number": row.number})
    if kind != "pdf":
        payload = {"document": row.id, "kind": kind, "stored": new_name("documents", "jpg")}
        return Added(row.public_id, jobs.enqueue(MAKE, payload, queue=QUEUE, user_id=actor.user_id))
    row.stored, row.original = row.original, ""
    _ready(row, MIME["pdf"], size)
    return Added(row.public_id, None)


def _ready(row: ProductDocument, content_type: str, size: int) -> None:
    row.content_type, row.size = content_type, size
    row.state = "pending" if row.seller_id is not None else "approved"


def original(document_id: int) -> str | None:
    """Storage name of a photographed document that is to be made clean; None when nobody wants it any more."""
    return session.scalar(
        sa.select(ProductDocument.original).where(ProductDocument.id == document_id, ProductDocument.state == "waiting")
    )


@unit_of_work
def finish(document_id: int, stored: str, size: int, refused: str = "") -> None:
    """Take the clean picture into use, or note the code of why there is none."""
    rows = lock_rows(ProductDocument, [document_id])
    if not rows or rows[0].state != "waiting":
        forget([stored] if not rows or rows[0].stored != stored else [])
        return
    row: ProductDocument = rows[0]
    forget([row.original, *([stored] if refused else [])])
    row.original = ""
    if refused:
        row.state, row.note = "refused", refused
        return
    row.stored = stored
    _ready(row, MIME["jpeg"], size)


@unit_of_work
def decide(actor: Actor, public_id: uuid.UUID, decision: str, note: str = "") -> None:
    """Let buyers see a seller's document, or decline it with a note.

    Raises:
        NotFound.
        Conflict: `already_decided`.
        Invalid: an unknown decision, or no note.
    """
    found = session.scalar(sa.select(ProductDocument.id).where(ProductDocument.public_id == public_id))
    rows: list[ProductDocument] = lock_rows(ProductDocument, [found]) if found is not None else []
    if not rows:
        raise NotFound()
    if decision not in DECISIONS:
        raise Invalid.one("/decision", "unknown_option")
    if decision == "decline" and not note.strip():
        raise Invalid.one("/note", "required")
    [row] = rows
    if row.state != "pending":
        raise Conflict("already_decided")
    row.state, row.note = DECISIONS[decision], note.strip()[:MOST_NOTE]
    row.decided_by_id, row.decided_at = actor.user_id, sa.func.now()
    audit.record(actor, "document.decided", "product_document", row.id, after={"state": row.state, "note": row.note})


@unit_of_work
def remove(actor: Actor, product_id: int, public_id: uuid.UUID, seller_id: int | None = None) -> None:
    """Delete a document with its file: any for the operator, for a seller an own one.

    Raises:
        NotFound.
    """
    asked = sa.select(ProductDocument).where(
        ProductDocument.product_id == product_id, ProductDocument.public_id == public_id
    )
    if seller_id is not None:
        asked = asked.where(ProductDocument.seller_id == seller_id)
    row = session.scalars(asked.with_for_update()).one_or_none()
    if row is None:
        raise NotFound()
    audit.record(actor, "document.removed", "product_document", row.id, before={"number": row.number})
    forget([name for name in (row.stored, row.original) if name])
    session.delete(row)


@unit_of_work
def sweep() -> None:
    """Delete refused uploads after two weeks, and those that never got their file."""
    old = ProductDocument.created_at < sa.func.now() - KEPT_REFUSED
    rows = session.scalars(
        sa.select(ProductDocument).where(ProductDocument.state.in_(("waiting", "refused")), old).limit(500)
    ).all()
    for row in rows:
        forget([name for name in (row.stored, row.original) if name])
        session.delete(row)
