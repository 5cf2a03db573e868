"""The dry run: the file read in batches into `import_row`, each batch its own transaction, nothing else changed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from itertools import islice
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from app.core.db import session, unit_of_work
from app.offers.import_models import ImportRow, PriceImport
from app.offers.imports import columns
from app.offers.imports.cells import Places, read_row
from app.offers.imports.compare import Staged, compare
from app.offers.imports.files import PriceList, open_file
from app.offers.imports.match import Catalogue
from app.offers.imports.table import BadFile, Row
from app.offers.models import Offer, Warehouse

BATCH = 1000
STATEMENT_MS = 60_000
"""A batch of a worker may take longer than a page; nobody waits for it."""
Alive = Callable[[int, int], bool]
"""Shows progress in rows; False: somebody else has the job or the seller stopped it."""

_COLUMNS = tuple(field.name for field in fields(Staged))
_values_of = attrgetter(*_COLUMNS)


class TakenOver(Exception):  # an event, not a fault
    """Another worker went on with this import, or the seller stopped it: leave it alone."""


def check(import_id: int, content: bytes, alive: Alive) -> None:
    """Read the file to its end from where the last worker came to. Ends in state columns, checked, applying or failed.

    Raises:
        TakenOver.
    """
    try:
        price_list = open_file(content)
        if not _begin(import_id, price_list):
            return
        _read_all(import_id, price_list, alive)
    except BadFile as bad:
        fail(import_id, bad)


@unit_of_work
def _begin(import_id: int, price_list: PriceList) -> bool:
    """Settle what the columns mean; False when the seller must say."""
    row = locked(import_id, "checking")
    if not row.headers:
        row.headers = list(price_list.headings)
        row.samples = [list(sample) for sample in price_list.samples[:5]]
        row.about = price_list.grid.about | {"format": price_list.grid.format, "header_row": price_list.header_row}
        row.is_correction = price_list.is_correction
    row.rows_total = max(price_list.grid.expected_rows - price_list.header_row, 1)
    if not row.mapping:
        known = columns.remembered(row.seller_id, row.headers)
        row.mapping = known or columns.guess(price_list.headings, price_list.samples, _names(row.seller_id))
    if columns.missing(row.mapping):
        row.state = "columns"
        row.version += 1
        return False
    return True


def _names(seller_id: int) -> dict[str, str]:
    rows = session.execute(
        sa.select(Warehouse.name, Warehouse.public_id)
        .where(Warehouse.seller_id == seller_id, Warehouse.is_active)
        .order_by(Warehouse.id)
    )
    return {row.name: str(row.public_id) for row in rows}


def places_of(seller_id: int, chosen: int | None) -> Places:
    """The seller's open warehouses; with a single one no choice is needed."""
    rows = session.execute(
        sa.select(Warehouse.id, Warehouse.name, Warehouse.public_id).where(
            Warehouse.seller_id == seller_id, Warehouse.is_active
        )
    ).all()
    only = rows[0].id if len(rows) == 1 else None
    return Places(
        {row.name.lower(): row.id for row in rows}, {str(row.public_id): row.id for row in rows}, chosen or only
    )


def _read_all(import_id: int, price_list: PriceList, alive: Alive) -> None:
    position, done, total = _where(import_id)
    catalogue = Catalogue()
    rows = price_list.rows(after=position)
    while batch := list(islice(rows, BATCH)):
        if not alive(done, total):
            raise TakenOver
        done = _check_batch(import_id, position, batch, catalogue)
        position = batch[-1].number
        session.expunge_all()
    _finish(import_id, position)


@unit_of_work
def _where(import_id: int) -> tuple[int, int, int]:
    row = session.get_one(PriceImport, import_id)
    return row.position, row.rows_done, row.rows_total


@unit_of_work
def _check_batch(import_id: int, position: int, batch: Sequence[Row], catalogue: Catalogue) -> int:
    """Stage the rows, if nobody did meanwhile; the number of rows staged so far."""
    row = locked(import_id, "checking", position=position)
    mapping = [(int(column), name) for column, name in row.mapping.items()]
    places = places_of(row.seller_id, row.warehouse_id)
    said = [one for one in (read_row(line, mapping, places) for line in batch) if one is not None]
    _stage(import_id, compare(row.seller_id, import_id, said, catalogue))
    row.position = batch[-1].number
    row.rows_done += len(said)
    row.rows_total = max(row.rows_total, row.rows_done)
    return row.rows_done


def locked(import_id: int, state: str, *, position: int | None = None) -> PriceImport:
    """The import, locked, if it still is where the worker left it.

    Raises:
        TakenOver.
    """
    session.execute(sa.text(f"SET LOCAL statement_timeout = {STATEMENT_MS}"))
    row = session.scalars(
        sa.select(PriceImport)
        .where(PriceImport.id == import_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if row.state != state or (position is not None and row.position != position):
        raise TakenOver
    return row


def _stage(import_id: int, rows: Iterable[Staged]) -> None:
    """COPY: ten times as fast as INSERT."""
    text = io.StringIO()
    for row in rows:
        text.write("\t".join(_copied(value) for value in (import_id, *_values_of(row))) + "\n")
    text.seek(0)
    cursor = session.connection().connection.cursor()
    cursor.copy_expert(f"COPY import_row (import_id, {', '.join(_COLUMNS)}) FROM STDIN", text)


def _copied(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, dict | list | tuple):
        value = json.dumps(value, ensure_ascii=False)
    text = str(value).replace("\\", "\\\\").replace("\t", "\\t")
    return text.replace("\n", "\\n").replace("\r", "\\r")


@unit_of_work
def _finish(import_id: int, position: int) -> None:
    row = locked(import_id, "checking", position=position)
    row.counts = count(row)
    row.rows_total = row.rows_done
    row.version += 1
    if not row.rows_done:
        raise BadFile("no_rows")
    waits = row.counts["error"] + row.counts["doubtful"] + row.counts["jump"]
    row.state = "applying" if row.auto_apply and not (row.mode == "all_or_nothing" and waits) else "checked"


_COUNT = sa.text(
    """
    SELECT kind, count(*) AS rows,
        count(*) FILTER (WHERE is_jump) AS jumps,
        count(*) FILTER (WHERE is_applied) AS applied,
        count(*) FILTER (WHERE price IS DISTINCT FROM old_price) AS priced
    FROM import_row WHERE import_id = :id GROUP BY kind
    """
)


def count(row: PriceImport) -> dict[str, Any]:
    """Rows by kind, jumps, what is written and what the file does not name."""
    found = {one.kind: one for one in session.execute(_COUNT, {"id": row.id})}
    counts: dict[str, Any] = {kind: one.rows for kind, one in found.items()}
    for kind in ("same", "changed", "new", "doubtful", "unknown", "waiting", "error"):
        counts.setdefault(kind, 0)
    counts["jump"] = found["changed"].jumps if "changed" in found else 0
    counts["price"] = found["changed"].priced if "changed" in found else 0
    counts["applied"] = sum(one.applied for one in found.values())
    counts["gone"] = 0 if row.is_correction else session.scalar(gone(row.seller_id, row.id, sa.func.count())) or 0
    counts["hidden"] = row.counts.get("hidden", 0) if row.counts else 0
    return counts


def gone(seller_id: int, import_id: int, *what: Any) -> sa.Select[Any]:
    """Offers on sale that no row of the file names, not even a wrong one."""
    named = sa.exists().where(ImportRow.import_id == import_id, ImportRow.sku == Offer.sku)
    return sa.select(*what).select_from(Offer).where(Offer.seller_id == seller_id, Offer.status == "active", ~named)


@unit_of_work
def fail(import_id: int, bad: BadFile) -> None:
    """The file cannot be taken; the seller sees why."""
    row = session.get_one(PriceImport, import_id)
    if row.state in ("checking", "applying"):
        row.state, row.error, row.error_context = "failed", bad.code, bad.context
        row.finished_at = sa.func.now()
        row.version += 1
