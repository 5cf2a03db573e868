"""What a seller does with a price list: send it, say what columns mean, answer questions, confirm, stop."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from app.catalog import service as catalog
from app.core import audit, clock, jobs
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor
from app.core.storage import Storage, new_name
from app.offers.import_models import MODES, ImportRow, PriceImport
from app.offers.imports import columns
from app.offers.imports.cells import Said, read_row
from app.offers.imports.checking import count, places_of
from app.offers.imports.compare import Staged, as_new_offer, as_proposal, units_of
from app.offers.imports.files import open_file
from app.offers.imports.table import MAX_BYTES, BadFile, Row
from app.offers.models import Warehouse

JOB = "imports.run"
QUEUE = "imports"
"""A queue of its own: a list of minutes holds up neither route plans nor prices of estimates."""
KEPT = timedelta(days=14)
"""So long a file and its rows can be looked at; the head of an import stays."""
CHOICES = ("new", "skip")
"""Answers to a doubtful row besides one of its candidates."""
MOST_OPEN = 5
"""Imports of a seller that are being read or written at the same time."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file and how it is to be taken. `mapping`: field -> heading of the column, as clients say it."""

    name: str
    content: bytes
    warehouse: uuid.UUID | None = None
    mode: str = "good_rows"
    auto_apply: bool = False
    hide_gone: bool = False
    mapping: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """An import and the job that reads it."""

    public_id: uuid.UUID
    job_id: uuid.UUID


def receive(actor: Actor, storage: Storage, upload: Upload) -> Begun:
    """Keep the file and start the dry run.

    Raises:
        Invalid: no file, too large, unknown warehouse or mode, a mapping that does not fit the headings.
        Conflict: `too_many_imports` are under way.
    """
    if not upload.content:
        raise Invalid.one("/file", "required")
    if len(upload.content) > MAX_BYTES:
        raise Invalid.one("/file", "file_too_large", maximum=MAX_BYTES // 1024 // 1024)
    stored = new_name("imports", "dat")
    storage.put(stored, upload.content, "application/octet-stream")
    try:
        return open_import(actor, actor.seller_id, upload, stored)
    except Exception:
        storage.delete(stored)
        raise


@unit_of_work
def open_import(actor: Actor, seller_id: int, upload: Upload, stored: str, feed_id: int | None = None) -> Begun:
    """Write the import of a stored file and the job that reads it."""
    if upload.mode not in MODES:
        raise Invalid.one("/mode", "unknown_option")
    open_now = session.scalar(
        sa.select(sa.func.count())
        .select_from(PriceImport)
        .where(PriceImport.seller_id == seller_id, PriceImport.state.in_(("checking", "applying")))
    )
    if (open_now or 0) >= MOST_OPEN:
        raise Conflict("too_many_imports", maximum=MOST_OPEN)
    row = PriceImport(
        seller_id=seller_id, user_id=actor.user_id, feed_id=feed_id, file_name=file_name(upload.name),
        warehouse_id=warehouse_id(seller_id, upload.warehouse), stored_name=stored, size=len(upload.content),
        mode=upload.mode, auto_apply=upload.auto_apply, hide_gone=upload.hide_gone, counts={},
        mapping=_asked_mapping(upload),
    )  # fmt: skip
    session.add(row)
    session.flush()
    _enqueue(row, actor)
    assert row.job_id is not None
    return Begun(row.public_id, row.job_id)


def _asked_mapping(upload: Upload) -> dict[str, str]:
    """The client's own mapping; refused now, while the client listens, when the headings do not fit it."""
    if not upload.mapping:
        return {}
    try:
        found = open_file(upload.content)
    except BadFile as bad:
        raise Invalid.one("/file", bad.code, **bad.context) from None
    mapping = columns.by_heading(upload.mapping, found.headings)
    return columns.checked(mapping, len(found.headings), [])


def file_name(given: str) -> str:
    """The last part of the name, without signs that no name needs; it is shown, never opened."""
    bare = given.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in bare if c.isprintable())[:120] or "price"


def warehouse_id(seller_id: int, public_id: uuid.UUID | None) -> int | None:
    """An own open warehouse.

    Raises:
        Invalid: `unknown_warehouse`.
    """
    if public_id is None:
        return None
    found = session.scalar(
        sa.select(Warehouse.id).where(
            Warehouse.seller_id == seller_id, Warehouse.public_id == public_id, Warehouse.is_active
        )
    )
    if found is None:
        raise Invalid.one("/warehouse", "unknown_warehouse")
    return found


def _enqueue(row: PriceImport, actor: Actor) -> None:
    row.job_id = jobs.enqueue(JOB, {"import": row.id}, queue=QUEUE, user_id=actor.user_id)


def _own(actor: Actor, public_id: uuid.UUID, *states: str) -> PriceImport:
    """An own import, locked.

    Raises:
        NotFound: absent or another seller's.
        Conflict: `import_state` when it is in none of the states.
    """
    row = session.scalars(
        sa.select(PriceImport)
        .where(PriceImport.seller_id == actor.seller_id, PriceImport.public_id == public_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    if row.state not in states:
        raise Conflict("import_state", state=row.state)
    return row


@unit_of_work
def set_columns(actor: Actor, public_id: uuid.UUID, mapping: Mapping[str, str]) -> uuid.UUID:
    """Say what the columns mean (column number -> field), remember it, and check the file anew; the job.

    Raises:
        NotFound, Conflict, Invalid.
    """
    row = _own(actor, public_id, "columns", "checked")
    places = session.scalars(
        sa.select(Warehouse.public_id).where(Warehouse.seller_id == row.seller_id, Warehouse.is_active)
    )
    row.mapping = columns.checked(mapping, len(row.headers), [str(place) for place in places])
    columns.remember(row.seller_id, row.headers, row.mapping)
    session.execute(sa.delete(ImportRow).where(ImportRow.import_id == row.id))
    row.state, row.position, row.rows_done, row.counts = "checking", 0, 0, {}
    row.version += 1
    _enqueue(row, actor)
    assert row.job_id is not None
    return row.job_id


@unit_of_work
def decide(actor: Actor, public_id: uuid.UUID, number: int, choice: uuid.UUID | str) -> None:
    """Answer which product a doubtful row means: one of the candidates, a new one, or leave the row out.

    Raises:
        NotFound: the import, the row or the product.
        Conflict: the row is no longer open.
    """
    head = _own(actor, public_id, "checked", "done")
    row = session.get(ImportRow, (head.id, number), with_for_update=True)
    if row is None:
        raise NotFound()
    if row.is_applied or not (row.kind == "doubtful" or (row.candidates and row.kind in ("new", "unknown", "error"))):
        raise Conflict("row_closed")
    if choice == "skip":
        row.kind, row.decision = "doubtful", "no"
    else:
        product = catalog.product_id(choice) if isinstance(choice, uuid.UUID) else None
        if product is not None and product not in {candidate[0] for candidate in row.candidates}:
            raise NotFound()
        _take_answer(head, row, product)
    head.counts = dict(head.counts) | count(head)
    head.version += 1


def _take_answer(head: PriceImport, row: ImportRow, product: int | None) -> None:
    said = _said_again(head, row)
    staged = Staged(row.number, row.cells, "error", row.sku, row.name, unit=said.unit, price=said.price)
    if product is None:
        as_proposal(staged, said, None)
    else:
        as_new_offer(staged, said, product, "chosen", units_of([product]).get(product, {}))
    if said.errors:
        staged.kind = "error"
    row.kind, row.product_id, row.matched = staged.kind, staged.product_id, staged.matched
    row.unit, row.stock, row.changes = staged.unit, staged.stock, staged.changes
    row.errors, row.decision = [error.as_json() for error in said.errors], "yes"


def _said_again(head: PriceImport, row: ImportRow) -> Said:
    """What the row says, read anew from its cells."""
    mapping = [(int(column), name) for column, name in head.mapping.items()]
    said = read_row(Row(row.number, row.cells), mapping, places_of(head.seller_id, head.warehouse_id))
    if said is None:
        raise Conflict("row_closed")
    return said


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the seller agrees to. `jumps`: numbers of rows, or True for all of them."""

    jumps: Sequence[int] | bool = ()
    hide_gone: bool = False
    mode: str | None = None


@unit_of_work
def confirm(actor: Actor, public_id: uuid.UUID, given: Confirmation) -> uuid.UUID:
    """Have the checked rows written; the job. May be done again later for rows that waited.

    Raises:
        NotFound, Conflict: `import_state`, `import_has_errors` when all or nothing was chosen, `nothing_to_write`.
        Invalid: unknown mode.
    """
    row = _own(actor, public_id, "checked", "done")
    if given.mode is not None and given.mode not in MODES:
        raise Invalid.one("/mode", "unknown_option")
    row.mode = given.mode or row.mode
    row.hide_gone = given.hide_gone
    _mark_jumps(row.id, given.jumps)
    session.flush()
    row.counts = dict(row.counts) | count(row)
    if row.mode == "all_or_nothing" and must_wait(row.counts, unconfirmed(row.id)):
        raise Conflict("import_has_errors", errors=row.counts["error"])
    row.state, row.applied_position, row.auto_apply = "applying", 0, False
    row.version += 1
    _enqueue(row, actor)
    audit.record(actor, "prices.confirmed", "price_import", row.id, after={"mode": row.mode, "gone": row.hide_gone})
    assert row.job_id is not None
    return row.job_id


def must_wait(counts: Mapping[str, Any], open_jumps: int) -> bool:
    """Whether something stands in the way of writing everything."""
    return bool(counts["error"] or counts["doubtful"] or open_jumps)


def unconfirmed(import_id: int) -> int:
    """Jumps that nobody has agreed to."""
    return session.scalar(
        sa.select(sa.func.count())
        .select_from(ImportRow)
        .where(
            ImportRow.import_id == import_id, ImportRow.kind == "changed", ImportRow.is_jump,
            ~ImportRow.is_applied, ImportRow.decision != "yes",
        )
    ) or 0  # fmt: skip


def _mark_jumps(import_id: int, jumps: Sequence[int] | bool) -> None:
    statement = sa.update(ImportRow).where(
        ImportRow.import_id == import_id, ImportRow.kind == "changed", ImportRow.is_jump, ~ImportRow.is_applied
    )
    if jumps is True:
        session.execute(statement.values(decision="yes"))
    elif jumps:
        session.execute(statement.where(ImportRow.number.in_(list(jumps))).values(decision="yes"))


@unit_of_work
def cancel(actor: Actor, public_id: uuid.UUID) -> None:
    """Stop. What is written stays written; the rest is not.

    Raises:
        NotFound, Conflict.
    """
    row = _own(actor, public_id, "checking", "columns", "checked", "applying")
    row.state = "cancelled"
    row.finished_at = sa.func.now()
    row.version += 1


@unit_of_work
def stop(import_id: int, job_id: uuid.UUID) -> None:
    """The job was asked to stop: so is its import, unless another job has it now."""
    session.execute(
        sa.update(PriceImport)
        .where(
            PriceImport.id == import_id, PriceImport.job_id == job_id, PriceImport.state.in_(("checking", "applying"))
        )
        .values(state="cancelled", finished_at=sa.func.now(), version=PriceImport.version + 1)
    )  # fmt: skip


@unit_of_work
def forget_old() -> list[str]:
    """Take away rows of imports that are long over; names of their files, which nobody needs any more."""
    old = session.scalars(
        sa.select(PriceImport)
        .where(PriceImport.created_at < clock.now() - KEPT, PriceImport.stored_name != "")
        .limit(100)
        .with_for_update()
    ).all()
    session.execute(sa.delete(ImportRow).where(ImportRow.import_id.in_([row.id for row in old])))
    names = [row.stored_name for row in old]
    for row in old:
        row.stored_name = ""
        if row.state not in ("done", "failed"):
            row.state, row.finished_at = "cancelled", clock.now()
    return names
