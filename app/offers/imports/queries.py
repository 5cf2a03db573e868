"""Reads of imports: for the worker, for pages and clients. Every read for people starts from their seller."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.catalog.models import Product
from app.core.db import session
from app.core.errors import Invalid, NotFound
from app.core.models import Job
from app.offers.import_models import ImportRow, PriceImport
from app.offers.imports.checking import gone
from app.offers.models import Offer, Warehouse

VIEWS = ("jump", "changed", "new", "doubtful", "unknown", "error", "gone")
MOST_ERRORS = 20_000
"""Rows in a file of errors."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker needs to know first."""

    state: str
    stored_name: str


def work(import_id: int) -> Work:
    """The state and the file of an import."""
    row = session.execute(
        sa.select(PriceImport.state, PriceImport.stored_name).where(PriceImport.id == import_id)
    ).one()
    return Work(*row)


def result(import_id: int) -> dict[str, Any]:
    """What the job of an import tells."""
    row = session.get_one(PriceImport, import_id, populate_existing=True)
    return {"import": str(row.public_id), "state": row.state, "error": row.error or None, "counts": dict(row.counts)}


@dataclass(frozen=True, slots=True)
class ImportHead:
    """An import as its seller sees it."""

    id: int
    public_id: uuid.UUID
    file_name: str
    state: str
    error: str
    error_context: Mapping[str, Any]
    mode: str
    hide_gone: bool
    is_correction: bool
    about: Mapping[str, Any]
    headers: Sequence[Any]
    samples: Sequence[Sequence[Any]]
    mapping: Mapping[str, str]
    counts: Mapping[str, Any]
    rows_total: int
    rows_done: int
    size: int
    has_rows: bool
    from_feed: bool
    warehouse: str | None
    job_id: uuid.UUID | None
    version: int
    created_at: datetime
    finished_at: datetime | None
    job_state: str | None = None
    job_done: int = 0
    job_total: int = 0

    @property
    def is_busy(self) -> bool:
        """A worker has it, or will have it."""
        return self.state in ("checking", "applying") and not self.is_stuck

    @property
    def is_stuck(self) -> bool:
        """Its job has died or was called off: nobody will go on with it."""
        return self.state in ("checking", "applying") and self.job_state in ("dead", "cancelled")

    @property
    def to_write(self) -> int:
        """Rows that would be written without further questions."""
        counts = self.counts
        wanted = sum(int(counts.get(kind, 0)) for kind in ("changed", "new", "unknown"))
        return max(wanted - int(counts.get("jump", 0)) - int(counts.get("applied", 0)), 0)


_HEADS = (
    sa.select(
        PriceImport.id, PriceImport.public_id, PriceImport.file_name, PriceImport.state, PriceImport.error,
        PriceImport.error_context, PriceImport.mode, PriceImport.hide_gone, PriceImport.is_correction,
        PriceImport.about, PriceImport.headers, PriceImport.samples, PriceImport.mapping, PriceImport.counts,
        PriceImport.rows_total, PriceImport.rows_done, PriceImport.size,
        (PriceImport.stored_name != "").label("has_rows"), PriceImport.feed_id.is_not(None).label("from_feed"),
        Warehouse.name.label("warehouse"), PriceImport.job_id, PriceImport.version, PriceImport.created_at,
        PriceImport.finished_at, Job.state.label("job_state"), Job.done.label("job_done"),
        Job.total.label("job_total"),
    )
    .outerjoin(Warehouse, Warehouse.id == PriceImport.warehouse_id)
    .outerjoin(Job, Job.public_id == PriceImport.job_id)
)  # fmt: skip


def _head(row: Any) -> ImportHead:
    return ImportHead(**(dict(row._mapping) | {"job_done": row.job_done or 0, "job_total": row.job_total or 0}))


def imports(seller_id: int, before: int | None = None, limit: int = 24) -> tuple[list[ImportHead], int | None]:
    """The newest first, and where the next page begins."""
    statement = _HEADS.where(PriceImport.seller_id == seller_id).order_by(PriceImport.id.desc()).limit(limit + 1)
    if before is not None:
        statement = statement.where(PriceImport.id < before)
    found = [_head(row) for row in session.execute(statement)]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def head(seller_id: int, public_id: uuid.UUID) -> ImportHead:
    """One import of this seller.

    Raises:
        NotFound: absent or another seller's.
    """
    row = session.execute(
        _HEADS.where(PriceImport.seller_id == seller_id, PriceImport.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return _head(row)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that a row may mean; likeness in percent."""

    public_id: uuid.UUID
    slug: str
    name_ru: str
    name_en: str
    brand: str
    article: str
    likeness: int

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru


@dataclass(frozen=True, slots=True)
class RowView:
    """A row for people. Prices in kopeks for `unit`; stock by warehouse name: base units before and after."""

    number: int
    kind: str
    sku: str
    name: str
    unit: str
    price: int | None
    old_price: int | None
    is_jump: bool
    is_applied: bool
    decision: str
    matched: str
    stock: Sequence[tuple[str, str, str]]
    errors: Sequence[Mapping[str, Any]]
    details: Mapping[str, str]
    product: Candidate | None = None
    candidates: Sequence[Candidate] = field(default_factory=tuple)

    @property
    def percent(self) -> int | None:
        """By how much the price changes."""
        if not self.old_price or self.price is None:
            return None
        return round((self.price - self.old_price) * 100 / self.old_price)


def rows(
    seller_id: int, found: ImportHead, view: str, after: int = 0, limit: int = 50
) -> tuple[list[RowView], int | None]:
    """Rows of an import in one view, by number, and the number after which the next page begins.

    Raises:
        Invalid: unknown view.
    """
    if view not in VIEWS or view == "gone":
        raise Invalid.one("/query/view", "unknown_option")
    conditions = [ImportRow.is_jump, ImportRow.kind == "changed"] if view == "jump" else [ImportRow.kind == view]
    page = session.scalars(
        sa.select(ImportRow)
        .where(ImportRow.import_id == found.id, ImportRow.number > after, *conditions)
        .order_by(ImportRow.number)
        .limit(limit + 1)
    ).all()
    wanted = {row.product_id for row in page if row.product_id} | {c[0] for row in page for c in row.candidates}
    products = _products(wanted)
    names = _place_names(seller_id)
    shown = [_row_view(row, products, names) for row in page[:limit]]
    return shown, shown[-1].number if len(page) > limit else None


def _row_view(row: ImportRow, products: Mapping[int, Any], names: Mapping[str, str]) -> RowView:
    stock = [(names.get(place, ""), before, after) for place, (before, after) in row.stock.items()]
    candidates = [_candidate(products[i], likeness) for i, likeness in row.candidates if i in products]
    product = products.get(row.product_id or 0)
    return RowView(
        row.number, row.kind, row.sku, row.name, row.unit, row.price, row.old_price, row.is_jump, row.is_applied,
        row.decision, row.matched, stock, row.errors, row.details, _candidate(product, 100) if product else None,
        candidates,
    )  # fmt: skip


def _candidate(row: Any, likeness: int) -> Candidate:
    return Candidate(row.public_id, row.slug, row.name_ru, row.name_en, row.brand, row.article, likeness)


def _products(ids: set[int]) -> dict[int, Any]:
    found = session.execute(
        sa.select(
            Product.id, Product.public_id, Product.slug, Product.name_ru, Product.name_en, Product.brand,
            Product.article,
        ).where(Product.id.in_(ids))
    )  # fmt: skip
    return {row.id: row for row in found}


def _place_names(seller_id: int) -> dict[str, str]:
    found = session.execute(sa.select(Warehouse.id, Warehouse.name).where(Warehouse.seller_id == seller_id))
    return {str(row.id): row.name for row in found}


@dataclass(frozen=True, slots=True)
class GoneView:
    """An offer that the file does not name."""

    sku: str
    name_ru: str
    name_en: str
    price: int
    unit: str

    def name(self, locale: str) -> str:
        return self.name_en if locale == "en" else self.name_ru


def gone_offers(
    seller_id: int, found: ImportHead, after: str = "", limit: int = 50
) -> tuple[list[GoneView], str | None]:
    """Offers on sale that no row names, by SKU, and the SKU after which the next page begins."""
    if found.is_correction or not found.has_rows:
        return [], None
    statement = (
        gone(seller_id, found.id, Offer.sku, Product.name_ru, Product.name_en, Offer.price, Offer.unit)
        .join(Product, Product.id == Offer.product_id)
        .where(Offer.sku > after)
        .order_by(Offer.sku)
        .limit(limit + 1)
    )
    page = [GoneView(*row) for row in session.execute(statement)]
    return page[:limit], page[limit - 1].sku if len(page) > limit else None


def error_kinds(found: ImportHead, limit: int = 12) -> list[tuple[str, str, Mapping[str, Any], int]]:
    """(field, code, an example of the context, rows) of the errors, the most frequent first."""
    statement = sa.text(
        "SELECT e ->> 'field' AS field, e ->> 'code' AS code, min((e -> 'context')::text)::jsonb AS context,"
        " count(*) AS rows FROM import_row r CROSS JOIN LATERAL jsonb_array_elements(r.errors) AS e"
        " WHERE r.import_id = :id AND r.kind = 'error' GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2 LIMIT :limit"
    )
    return [tuple(row) for row in session.execute(statement, {"id": found.id, "limit": limit})]


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """A row to be mended, as it came."""

    number: int
    cells: Sequence[Any]
    errors: Sequence[Mapping[str, Any]]


def error_rows(found: ImportHead) -> list[ErrorRow]:
    """Rows with errors, and those whose price waits for a word, in the order of the file."""
    waits = sa.and_(
        ImportRow.kind == "changed", ImportRow.is_jump, ~ImportRow.is_applied, sa.literal(found.state == "done")
    )
    rows_found = session.execute(
        sa.select(ImportRow.number, ImportRow.cells, ImportRow.errors)
        .where(ImportRow.import_id == found.id, sa.or_(ImportRow.kind == "error", waits))
        .order_by(ImportRow.number)
        .limit(MOST_ERRORS)
    )
    jump = [{"field": "price", "code": "price_jump", "context": {}}]
    return [ErrorRow(row.number, row.cells, row.errors or jump) for row in rows_found]
