"""Papers of a company: kept as files, looked at by the operator, shown to those whom they concern."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from app.accounts import organisations
from app.accounts.company_models import DOCUMENT_KINDS, OrganisationDocument
from app.accounts.models import Organisation, OrganisationMember
from app.core import audit, clock
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.filetypes import MIME, kind_of
from app.core.permissions import Actor
from app.core.storage import Storage, new_name

MAX_BYTES = 10 * 1024 * 1024
MOST = 40
"""Documents of one company."""
MAY_SEE = ("owner", "manager", "accountant")
SOON = timedelta(days=30)
DECISIONS = {"accept": "accepted", "refuse": "refused"}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came. `valid_until`: the last day on which the paper holds, None for ever."""

    kind: str
    name: str
    content: bytes
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A paper of a company."""

    public_id: uuid.UUID
    kind: str
    file_name: str
    content_kind: str
    size: int
    valid_until: date | None
    state: str
    note: str
    created_at: datetime

    @property
    def is_expired(self) -> bool:
        return self.valid_until is not None and self.valid_until < clock.today()

    @property
    def expires_soon(self) -> bool:
        """Within 30 days, and not yet expired."""
        return self.valid_until is not None and clock.today() <= self.valid_until < clock.today() + SOON

    @property
    def counts(self) -> bool:
        """Whether it may stand for its kind: not refused, not expired."""
        return self.state != "refused" and not self.is_expired


def required(inn: str) -> tuple[str, ...]:
    """Kinds that a company (10 digits) or a sole trader (12 digits) cannot do without."""
    return ("charter", "registration") if len(inn) == 10 else ("registration",)


def add(actor: Actor, storage: Storage, public_id: uuid.UUID, upload: Upload) -> uuid.UUID:
    """Keep a paper; the operator looks at it later.

    Raises:
        NotFound, Forbidden: only the owner. Conflict: `company_in_review`.
        Invalid: no file, too large, not a PDF, JPEG or PNG, unknown kind, expired already, too many.
    """
    kind = _checked(upload)
    stored = new_name("documents", kind)
    storage.put(stored, upload.content, MIME[kind])  # type: ignore[index]  # one of three kinds of the same names
    try:
        return _written(actor, public_id, upload, kind, stored)
    except Exception:
        storage.delete(stored)
        raise


def _checked(upload: Upload) -> str:
    if upload.kind not in DOCUMENT_KINDS:
        raise Invalid.one("/kind", "unknown_option")
    if not upload.content:
        raise Invalid.one("/file", "required")
    if len(upload.content) > MAX_BYTES:
        raise Invalid.one("/file", "file_too_large", maximum=MAX_BYTES // 1024 // 1024)
    kind = kind_of(upload.content)
    if kind not in ("pdf", "jpeg", "png"):
        raise Invalid.one("/file", "wrong_file_type")
    if upload.valid_until is not None and upload.valid_until < clock.today():
        raise Invalid.one("/valid_until", "document_expired")
    return kind


@unit_of_work
def _written(actor: Actor, public_id: uuid.UUID, upload: Upload, kind: str, stored: str) -> uuid.UUID:
    row = organisations.owned(actor, public_id)
    organisations.check_not_in_review(row)
    count = session.scalar(sa.select(sa.func.count()).where(OrganisationDocument.organisation_id == row.id))
    if (count or 0) >= MOST:
        raise Invalid.one("/file", "too_many_documents", maximum=MOST)
    bare = upload.name.replace("\\", "/").rpartition("/")[2]
    kept = OrganisationDocument(
        organisation_id=row.id, kind=upload.kind, stored_name=stored, content_kind=kind, size=len(upload.content),
        file_name="".join(c for c in bare if c.isprintable())[-120:] or f"document.{kind}",
        valid_until=upload.valid_until, user_id=actor.user,
    )  # fmt: skip
    session.add(kept)
    session.flush()
    audit.record(actor, "document.added", "organisation", row.id, after={"document": kept.id, "kind": kept.kind})
    return kept.public_id


def remove(actor: Actor, storage: Storage, public_id: uuid.UUID, document: uuid.UUID) -> None:
    """Take a paper back that the operator has not accepted.

    Raises:
        NotFound, Forbidden. Conflict: `document_accepted`, `company_in_review`.
    """
    storage.delete(_removed(actor, public_id, document))


@unit_of_work
def _removed(actor: Actor, public_id: uuid.UUID, document: uuid.UUID) -> str:
    row = organisations.owned(actor, public_id)
    organisations.check_not_in_review(row)
    kept = _row(OrganisationDocument.organisation_id == row.id, document)
    if kept.state == "accepted":
        raise Conflict("document_accepted")
    session.delete(kept)
    audit.record(actor, "document.removed", "organisation", row.id, before={"document": kept.id, "kind": kept.kind})
    return kept.stored_name


def _row(scope: sa.ColumnElement[bool], document: uuid.UUID) -> OrganisationDocument:
    found = session.scalars(
        sa.select(OrganisationDocument).where(scope, OrganisationDocument.public_id == document)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


@unit_of_work
def decide(actor: Actor, organisation: uuid.UUID, document: uuid.UUID, decision: str, note: str = "") -> None:
    """The operator accepts a paper, or refuses it with a note; a later look may decide otherwise.

    Raises:
        NotFound. Invalid: unknown decision, or a refusal without a note.
    """
    if decision not in DECISIONS:
        raise Invalid.one("/decision", "unknown_option")
    if decision == "refuse" and not note.strip():
        raise Invalid.one("/note", "required")
    row = session.scalars(
        sa.select(Organisation).where(Organisation.public_id == organisation).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound()
    kept = _row(OrganisationDocument.organisation_id == row.id, document)
    before = kept.state
    kept.state, kept.note = DECISIONS[decision], note.strip()[:1000]
    kept.decided_by_id, kept.decided_at = actor.user, clock.now()
    audit.record(
        actor, f"document.{kept.state}", "organisation", row.id, before={"document": kept.id, "state": before},
        after={"kind": kept.kind, "state": kept.state},
    )  # fmt: skip


_SHOWN = (
    OrganisationDocument.public_id, OrganisationDocument.kind, OrganisationDocument.file_name,
    OrganisationDocument.content_kind, OrganisationDocument.size, OrganisationDocument.valid_until,
    OrganisationDocument.state, OrganisationDocument.note, OrganisationDocument.created_at,
)  # fmt: skip


def of(organisation_id: int) -> list[Document]:
    """Papers of an organisation, in the order of their kinds, the newest of a kind first."""
    rows = session.execute(
        sa.select(*_SHOWN)
        .where(OrganisationDocument.organisation_id == organisation_id)
        .order_by(OrganisationDocument.id.desc())
    )
    return sorted((Document(*row) for row in rows), key=lambda one: DOCUMENT_KINDS.index(one.kind))


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where a paper lies and what it is called."""

    stored_name: str
    file_name: str
    mime: str


def check_may_see(role: str) -> None:
    """Papers are for those who answer for the company.

    Raises:
        Forbidden.
    """
    if role not in MAY_SEE:
        raise Forbidden()


def file_for_member(user_id: int, organisation: uuid.UUID, document: uuid.UUID) -> StoredFile:
    """The file of a paper of one's own company.

    Raises:
        NotFound: absent, or no place there. Forbidden: the role does not see papers.
    """
    found = session.execute(
        sa.select(Organisation.id, OrganisationMember.role)
        .join(OrganisationMember, OrganisationMember.organisation_id == Organisation.id)
        .where(Organisation.public_id == organisation, OrganisationMember.user_id == user_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    check_may_see(found.role)
    return _stored(OrganisationDocument.organisation_id == found.id, document)


def file_for_operator(organisation: uuid.UUID, document: uuid.UUID) -> StoredFile:
    """The file of any company's paper.

    Raises:
        NotFound.
    """
    own = sa.select(Organisation.id).where(Organisation.public_id == organisation).scalar_subquery()
    return _stored(OrganisationDocument.organisation_id == own, document)


def _stored(scope: sa.ColumnElement[bool], document: uuid.UUID) -> StoredFile:
    row = _row(scope, document)
    return StoredFile(row.stored_name, row.file_name, MIME[row.content_kind])  # type: ignore[index]  # checked by the table
