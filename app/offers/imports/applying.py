"""Writing a checked list: batches in transactions of their own, each row once, by the rules of the offers' service."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import defer

from app.catalog import changes
from app.core import audit, events
from app.core.db import session, unit_of_work
from app.core.permissions import Actor
from app.core.units import to_api
from app.offers import listing, stock
from app.offers.events import PriceChanged
from app.offers.import_models import GoneOffer, ImportRow, PriceImport
from app.offers.imports.checking import BATCH, Alive, TakenOver, count, gone, locked
from app.offers.imports.compare import payload_of
from app.offers.levels import StockLine
from app.offers.models import Offer, PriceChange

ANALYZE_EVERY = 5
"""Batches after which the planner is told how many offers there are now: without it sums of stock take minutes."""
MOST_GONE = 0.3
"""A fetched list that names so much less than the seller sells is taken for a broken one: nothing is hidden."""

writable = sa.and_(
    ~ImportRow.is_applied,
    ImportRow.decision != "no",
    sa.or_(ImportRow.kind.in_(("new", "unknown")), sa.and_(ImportRow.kind == "changed", ~ImportRow.is_jump),
           sa.and_(ImportRow.kind == "changed", ImportRow.decision == "yes")),
)  # fmt: skip
"""Rows that may be written: jumps only when a person said so."""


def apply(import_id: int, alive: Alive) -> None:
    """Write what may be written, from where the last worker came to. Ends in state done, or checked again.

    Raises:
        TakenOver.
    """
    if not _may_go_on(import_id):
        return
    done, total = _progress(import_id)
    batches = 0
    while (written := _apply_batch(import_id)) is not None:
        done += written
        batches += 1
        if batches % ANALYZE_EVERY == 0:
            _analyze()
        if not alive(done, total):
            raise TakenOver
        session.expunge_all()
    while _hide_batch(import_id):
        if not alive(done, total):
            raise TakenOver
    _finish(import_id)


@unit_of_work
def _may_go_on(import_id: int) -> bool:
    """All or nothing: look once more, right before the first row is written, for promises that grew meanwhile."""
    row = locked(import_id, "applying")
    if row.mode != "all_or_nothing" or row.applied_position:
        return True
    refused = session.execute(_NOW_PROMISED, {"id": row.id}).all()
    for number, promised in refused:
        _note_error(row.id, number, "stock", "below_allocated", {"allocated": to_api(promised)})
    row.counts = count(row)
    if row.counts["error"]:
        row.state = "checked"
        row.version += 1
        return False
    return True


_NOW_PROMISED = sa.text(
    """
    SELECT DISTINCT ON (r.number) r.number, l.allocated AS promised
    FROM import_row r CROSS JOIN LATERAL jsonb_each(r.stock) AS s(place, counts)
    JOIN stock_level l ON l.offer_id = r.offer_id AND l.warehouse_id = s.place::bigint
    WHERE r.import_id = :id AND r.kind = 'changed' AND l.allocated > (s.counts ->> 1)::numeric
    """
)


@unit_of_work
def _progress(import_id: int) -> tuple[int, int]:
    row = session.get_one(PriceImport, import_id)
    left = session.scalar(
        sa.select(sa.func.count()).select_from(ImportRow).where(ImportRow.import_id == import_id, writable)
    )
    done = int(row.counts.get("applied", 0)) if row.counts else 0
    return done, done + (left or 0)


@unit_of_work
def _analyze() -> None:
    session.execute(sa.text("ANALYZE (SKIP_LOCKED) offer, stock_level"))


@unit_of_work
def _apply_batch(import_id: int) -> int | None:
    """Write the next rows; how many, or None when there are no more."""
    head = locked(import_id, "applying")
    rows = list(
        session.scalars(
            sa.select(ImportRow)
            .options(defer(ImportRow.cells))
            .where(ImportRow.import_id == import_id, ImportRow.number > head.applied_position, writable)
            .order_by(ImportRow.number)
            .limit(BATCH)
        )
    )
    if not rows:
        return None
    for row in rows:
        session.expunge(row)  # what becomes of them is written in one statement, by _keep
    actor = Actor(user_id=head.user_id)
    _write_known(head, [row for row in rows if row.kind == "changed"])
    _write_new(head, [row for row in rows if row.kind == "new"])
    _write_stock(head, actor, [row for row in rows if row.is_applied])
    proposals = [row for row in rows if row.kind == "unknown"]
    if head.user_id is not None:
        changes.propose(head.seller_id, head.user_id, [payload_of(row) for row in proposals])
    for row in proposals:
        row.is_applied = True
    _keep(head, rows)
    listing.refresh([row.product_id for row in rows if row.product_id is not None and row.is_applied])
    head.applied_position = rows[-1].number
    head.counts = dict(head.counts) | {"applied": head.counts.get("applied", 0) + sum(r.is_applied for r in rows)}
    return len(rows)


_KEEP = sa.text(
    """
    UPDATE import_row r SET is_applied = v.applied, offer_id = v.offer, kind = v.kind, errors = CAST(v.errors AS jsonb)
    FROM unnest(CAST(:numbers AS int[]), CAST(:applied AS bool[]), CAST(:offers AS bigint[]), CAST(:kinds AS text[]),
        CAST(:errors AS text[])) AS v(number, applied, offer, kind, errors)
    WHERE r.import_id = :id AND r.number = v.number
    """
)


def _keep(head: PriceImport, rows: Sequence[ImportRow]) -> None:
    """What became of the rows."""
    session.execute(
        _KEEP,
        {
            "id": head.id, "numbers": [row.number for row in rows], "applied": [row.is_applied for row in rows],
            "offers": [row.offer_id for row in rows], "kinds": [row.kind for row in rows],
            "errors": [json.dumps(row.errors) for row in rows],
        },
    )  # fmt: skip


_UPDATE = sa.text(
    """
    UPDATE offer o SET price = v.price, vat_code = coalesce(v.vat, o.vat_code),
        lead_time_days = coalesce(v.lead, o.lead_time_days), status = coalesce(v.status, o.status),
        version = o.version + 1, updated_at = now()
    FROM unnest(CAST(:ids AS bigint[]), CAST(:prices AS bigint[]), CAST(:vats AS text[]), CAST(:leads AS int[]),
        CAST(:statuses AS text[])) AS v(id, price, vat, lead, status)
    WHERE o.id = v.id
    """
)


def _write_known(head: PriceImport, rows: Sequence[ImportRow]) -> None:
    """Prices and fields of offers that the seller has. An offer that was changed since the dry run is left."""
    wanted = sorted({row.offer_id for row in rows if row.offer_id is not None})
    present = {
        one.id: one
        for one in session.execute(
            sa.select(Offer.id, Offer.price, Offer.status)
            .where(Offer.seller_id == head.seller_id, Offer.id.in_(wanted))
            .order_by(Offer.id)
            .with_for_update()
        )
    }
    written: dict[int, ImportRow] = {}
    for row in rows:
        offer = present.get(row.offer_id or 0)
        if offer is None or offer.status == "blocked" or offer.price not in (row.old_price, row.price):
            _leave(row, "sku", "changed_meanwhile")
            continue
        row.is_applied = True
        if offer.price != row.price or row.changes:
            written[offer.id] = row
    _update(written)
    _note_prices(head, {i: (present[i].price, row) for i, row in written.items() if present[i].price != row.price})
    shown = [i for i, row in written.items() if row.changes.get("status") == "active"]
    session.execute(sa.delete(GoneOffer).where(GoneOffer.offer_id.in_(shown)))


def _update(written: dict[int, ImportRow]) -> None:
    if written:
        rows = written.values()
        session.execute(
            _UPDATE,
            {
                "ids": list(written), "prices": [row.price for row in rows],
                "vats": [row.changes.get("vat_code") for row in rows],
                "leads": [row.changes.get("lead_time_days") for row in rows],
                "statuses": [row.changes.get("status") for row in rows],
            },
        )  # fmt: skip


def _note_prices(head: PriceImport, changed: dict[int, tuple[int | None, ImportRow]]) -> None:
    """The history of prices, and the events of those that changed."""
    if not changed:
        return
    session.execute(
        sa.insert(PriceChange),
        [
            {"offer_id": offer, "old_price": old, "new_price": row.price, "user_id": head.user_id}
            for offer, (old, row) in changed.items()
        ],
    )
    events.record_many(
        [
            PriceChanged(offer, row.product_id or 0, old, row.price or 0)
            for offer, (old, row) in changed.items()
            if old is not None
        ]
    )


_INSERT = sa.text(
    """
    INSERT INTO offer (seller_id, product_id, sku, unit, price, vat_code, lead_time_days, status)
    SELECT :seller, v.* FROM unnest(CAST(:products AS bigint[]), CAST(:skus AS text[]), CAST(:units AS text[]),
        CAST(:prices AS bigint[]), CAST(:vats AS text[]), CAST(:leads AS int[]), CAST(:statuses AS text[])) AS v
    ON CONFLICT (seller_id, sku) DO NOTHING RETURNING id, sku
    """
)


def _write_new(head: PriceImport, rows: Sequence[ImportRow]) -> None:
    """Offers that the seller has not had. A SKU taken meanwhile is left; one in several rows is one offer."""
    first: dict[str, ImportRow] = {}
    for row in rows:
        first.setdefault(row.sku, row)
    if not first:
        return
    chosen = [first[sku] for sku in sorted(first)]
    made = session.execute(
        _INSERT,
        {
            "seller": head.seller_id, "products": [row.product_id for row in chosen],
            "skus": [row.sku for row in chosen], "units": [row.unit for row in chosen],
            "prices": [row.price for row in chosen],
            "vats": [row.changes.get("vat_code", "general") for row in chosen],
            "leads": [row.changes.get("lead_time_days", 0) for row in chosen],
            "statuses": [row.changes.get("status", "active") for row in chosen],
        },
    ).all()  # fmt: skip
    _note_prices(head, {one.id: (None, first[one.sku]) for one in made})
    known = {one.sku: one.id for one in made} | _made_before(head, [row.sku for row in rows])
    for row in rows:
        row.offer_id = known.get(row.sku)
        if row.offer_id is None:
            _leave(row, "sku", "changed_meanwhile")
        else:
            row.is_applied = True


def _made_before(head: PriceImport, skus: Sequence[str]) -> dict[str, int]:
    """Offers that an earlier batch of this import made: a SKU may have a row for each warehouse."""
    rows = session.execute(
        sa.select(ImportRow.sku, ImportRow.offer_id).where(
            ImportRow.import_id == head.id, ImportRow.sku.in_(skus), ImportRow.kind == "new", ImportRow.is_applied
        )
    )
    return {row.sku: row.offer_id for row in rows if row.offer_id is not None}


def _write_stock(head: PriceImport, actor: Actor, rows: Iterable[ImportRow]) -> None:
    """What lies in the warehouses, as a count: the movement holds the difference."""
    lines: dict[tuple[int, int], tuple[ImportRow, StockLine]] = {}
    for row in rows:
        for place, (_before, after) in row.stock.items():
            line = StockLine(row.offer_id or 0, int(place), Decimal(after))
            lines[line.offer_id, line.warehouse_id] = (row, line)
    cause = stock.Cause("price_import", head.id, actor)
    counted = stock.count_many([line for _, line in lines.values()], cause, relist=False)
    for (row, _), one in zip(lines.values(), counted, strict=True):
        if one.refused:
            _leave(row, "stock", "below_allocated", {"allocated": to_api(one.promised)})


def _leave(row: ImportRow, field: str, code: str, context: dict[str, Any] | None = None) -> None:
    row.kind = "error"
    row.errors = [*row.errors, {"field": field, "code": code, "context": context or {}}]


def _note_error(import_id: int, number: int, field: str, code: str, context: dict[str, Any]) -> None:
    row = session.get_one(ImportRow, (import_id, number))
    _leave(row, field, code, context)


@unit_of_work
def _hide_batch(import_id: int) -> bool:
    """Take offers off sale that the file does not name, if the seller asked for it. True when there may be more."""
    head = locked(import_id, "applying")
    if not head.hide_gone or head.is_correction:
        return False
    if head.auto_apply and not head.counts.get("hidden") and _is_too_much(head):
        head.counts = dict(head.counts) | {"too_many_gone": True}
        return False
    rows = session.execute(
        gone(head.seller_id, head.id, Offer.id, Offer.product_id).order_by(Offer.id).limit(BATCH).with_for_update()
    ).all()
    ids = [row.id for row in rows]
    session.execute(
        sa.update(Offer)
        .where(Offer.id.in_(ids))
        .values(status="hidden", version=Offer.version + 1, updated_at=sa.func.now())
    )
    if ids:
        values = [{"offer_id": one, "import_id": head.id} for one in ids]
        session.execute(insert(GoneOffer).values(values).on_conflict_do_nothing())
    listing.refresh([row.product_id for row in rows])
    head.counts = dict(head.counts) | {"hidden": head.counts.get("hidden", 0) + len(ids)}
    return bool(ids)


def _is_too_much(head: PriceImport) -> bool:
    missing = session.scalar(gone(head.seller_id, head.id, sa.func.count())) or 0
    selling = session.scalar(
        sa.select(sa.func.count()).select_from(Offer).where(Offer.seller_id == head.seller_id, Offer.status == "active")
    )
    return missing > MOST_GONE * (selling or 0)


@unit_of_work
def _finish(import_id: int) -> None:
    head = locked(import_id, "applying")
    head.counts = dict(head.counts) | count(head)
    head.state = "done"
    head.finished_at = sa.func.now()
    head.version += 1
    audit.record(
        Actor(user_id=head.user_id), "prices.imported", "price_import", head.id,
        after={"seller": head.seller_id, "rows": head.counts["applied"], "hidden": head.counts["hidden"]},
    )  # fmt: skip
