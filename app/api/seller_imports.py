"""A seller's price lists: send, follow, answer, confirm, fetch the errors; addresses fetched every day."""

from __future__ import annotations

import json
import uuid
from typing import Any, Literal

from flask import Response, current_app, request
from pydantic import Field, field_validator

from app import access
from app.api.kernel import Answer, Api, accepted, given_id
from app.api.schemas import JobOut, MoneyOut, Page, PageQuery, QuantityText, Schema, Utc, money
from app.core.errors import Invalid, NotFound
from app.core.permissions import Permission
from app.offers.imports import feeds, queries, service
from app.offers.imports.feeds import FeedRow
from app.offers.imports.queries import ImportHead, RowView
from app.offers.imports.service import Confirmation, Upload
from app.settings import Settings
from app.texts import error_text
from app.web import import_texts
from app.web.filters import language

api = Api("seller_imports", tag="Catalogue")
MODE = Literal["good_rows", "all_or_nothing"]


class ImportForm(Schema):
    """How the file is to be taken. `mapping`: JSON, field -> heading. `dry_run` false: write without a confirmation."""

    mapping: dict[str, str] | None = None
    dry_run: bool = True
    warehouse: uuid.UUID | None = None
    mode: MODE = "good_rows"
    hide_gone: bool = False

    @field_validator("mapping", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except json.JSONDecodeError as error:
            raise ValueError("not JSON") from error


class ImportAccepted(JobOut):
    """The job, and the import it works on."""

    id: uuid.UUID


class ImportOut(Schema):
    """An import. `counts`: rows by kind (same, changed, new, doubtful, unknown, waiting, error), `jump` among the
    changed, `applied`, `gone` (offers that the file does not name), `hidden`."""

    id: uuid.UUID
    file_name: str
    state: Literal["checking", "columns", "checked", "applying", "done", "failed", "cancelled"]
    error: str | None
    message: str | None
    mode: MODE
    rows_done: int
    rows_total: int
    counts: dict[str, int]
    headings: list[str]
    mapping: dict[str, str]
    job: uuid.UUID | None
    created_at: Utc
    finished_at: Utc | None


class ColumnsIn(Schema):
    """Field -> heading of the column in the file."""

    mapping: dict[str, str] = Field(min_length=1, max_length=100)


class ConfirmIn(Schema):
    """What is agreed to: price jumps by row number, or all of them; hiding what the file does not name."""

    jumps: list[int] = Field(default_factory=list, max_length=10_000)
    all_jumps: bool = False
    hide_gone: bool = False
    mode: MODE | None = None


class AnswerIn(Schema):
    """Which product a doubtful row means: one of its candidates, or none of the catalogue (`new`), or leave it out."""

    product: uuid.UUID | None = None
    choice: Literal["product", "new", "skip"] = "product"


class CandidateOut(Schema):
    """A product that a row may mean; likeness in percent."""

    product: uuid.UUID
    name: str
    brand: str
    article: str
    likeness: int


class StockChange(Schema):
    """Base units in a warehouse before and after."""

    warehouse: str
    before: QuantityText
    after: QuantityText


class RowErrorOut(Schema):
    """What is wrong with a field of a row."""

    field: str
    code: str
    message: str


class ImportRowOut(Schema):
    """A row of the file and what it would change."""

    row: int
    kind: str
    sku: str
    name: str
    unit: str
    price: MoneyOut | None
    old_price: MoneyOut | None
    jump: bool
    applied: bool
    matched_by: str
    stock: list[StockChange]
    candidates: list[CandidateOut]
    errors: list[RowErrorOut]


class RowsQuery(PageQuery):
    """Which rows."""

    view: Literal["jump", "changed", "new", "doubtful", "unknown", "error"] = "changed"


def _out(head: ImportHead) -> ImportOut:
    message = error_text(head.error, dict(head.error_context)) if head.error else None
    return ImportOut(
        id=head.public_id, file_name=head.file_name, state=head.state,
        error=head.error or None, message=message, mode=head.mode,
        rows_done=head.rows_done, rows_total=head.rows_total, counts={k: int(v) for k, v in head.counts.items()},
        headings=[str(one) for one in head.headers],
        mapping={name: str(head.headers[int(column)]) for column, name in head.mapping.items()}, job=head.job_id,
        created_at=head.created_at, finished_at=head.finished_at,
    )  # fmt: skip


@api.post(
    "/seller/imports", permission=Permission.SELLER_OFFERS, form=ImportForm, answer=ImportAccepted, status=202,
    summary="Send a price list",
)  # fmt: skip
def send(form: ImportForm) -> Answer:
    """CSV, XLSX or YML in the part `file`. The dry run changes nothing; see the import, then confirm it."""
    file = request.files.get("file")
    upload = Upload(
        name=file.filename or "" if file else "", content=file.read() if file else b"", warehouse=form.warehouse,
        mode=form.mode, auto_apply=not form.dry_run, hide_gone=form.hide_gone, mapping=form.mapping,
    )  # fmt: skip
    begun = service.receive(access.actor(), current_app.extensions["storage"], upload)
    answer = accepted(begun.job_id)
    assert isinstance(answer.body, JobOut)
    return Answer(ImportAccepted(job=answer.body.job, id=begun.public_id), 202, answer.headers)


@api.get(
    "/seller/imports", permission=Permission.SELLER_OFFERS, query=PageQuery, answer=Page[ImportOut],
    summary="Own imports",
)  # fmt: skip
def own_imports(query: PageQuery) -> Page[ImportOut]:
    """The newest first."""
    if query.cursor is not None and not query.cursor.isdecimal():
        raise Invalid.one("/query/cursor", "malformed")
    found, following = queries.imports(
        access.actor().seller_id, int(query.cursor) if query.cursor else None, query.limit
    )
    return Page[ImportOut](items=[_out(head) for head in found], next_cursor=str(following) if following else None)


@api.get("/seller/imports/{key}", permission=Permission.SELLER_OFFERS, answer=ImportOut, summary="An import")
def own_import(key: str) -> ImportOut:
    """Its state and what it would change or has changed."""
    return _out(_head(key))


def _head(key: str) -> ImportHead:
    return queries.head(access.actor().seller_id, given_id(key))


@api.get(
    "/seller/imports/{key}/rows", permission=Permission.SELLER_OFFERS, query=RowsQuery, answer=Page[ImportRowOut],
    summary="Rows of an import",
)  # fmt: skip
def import_rows(key: str, query: RowsQuery) -> Page[ImportRowOut]:
    """By number, one kind at a time; `doubtful` rows carry candidates."""
    if query.cursor is not None and not query.cursor.isdecimal():
        raise Invalid.one("/query/cursor", "malformed")
    found, last = queries.rows(access.actor().seller_id, _head(key), query.view, int(query.cursor or 0), query.limit)
    return Page[ImportRowOut](items=[_row(row) for row in found], next_cursor=str(last) if last is not None else None)


def _row(row: RowView) -> ImportRowOut:
    locale = language()
    return ImportRowOut(
        row=row.number, kind=row.kind, sku=row.sku, name=row.name, unit=row.unit,
        price=money(row.price) if row.price is not None else None,
        old_price=money(row.old_price) if row.old_price is not None else None, jump=row.is_jump, applied=row.is_applied,
        matched_by=row.matched,
        stock=[StockChange.model_validate({"warehouse": w, "before": b, "after": a}) for w, b, a in row.stock],
        candidates=[
            CandidateOut(product=c.public_id, name=c.name(locale), brand=c.brand, article=c.article,
                         likeness=c.likeness)
            for c in row.candidates
        ],
        errors=[
            RowErrorOut(field=one["field"], code=one["code"], message=import_texts.row_error(one))
            for one in row.errors
        ],
    )  # fmt: skip


@api.get("/seller/imports/{key}/errors", permission=Permission.SELLER_OFFERS, summary="Rows to be mended", status=200)
def import_errors(key: str) -> Response:
    """The same kind of file with row number and error in columns of their own: mend it and send it again."""
    return import_texts.errors_file(access.actor(), _head(key))


@api.put(
    "/seller/imports/{key}/columns", permission=Permission.SELLER_OFFERS, body=ColumnsIn, answer=JobOut, status=202,
    summary="Say what columns mean", example={"mapping": {"sku": "Код", "price": "Цена", "stock": "Остаток"}},
)  # fmt: skip
def say_columns(key: str, body: ColumnsIn) -> Answer:
    """Remembered for files with the same headings; the file is checked anew."""
    from app.offers.imports.columns import by_heading

    head = _head(key)
    job = service.set_columns(access.actor(), head.public_id, by_heading(body.mapping, head.headers))
    return accepted(job)


@api.put(
    "/seller/imports/{key}/rows/{number}", permission=Permission.SELLER_OFFERS, body=AnswerIn,
    summary="Answer which product a row means", status=204, example={"choice": "new"},
)  # fmt: skip
def answer_row(key: str, number: str, body: AnswerIn) -> None:
    """One of the candidates, a new product for the operator to decide on, or leave the row out."""
    if body.choice == "product" and body.product is None:
        raise Invalid.one("/product", "required")
    choice: Any = body.product if body.choice == "product" else body.choice
    if not number.isdecimal() or len(number) > 9:
        raise NotFound()
    service.decide(access.actor(), given_id(key), int(number), choice)


@api.post(
    "/seller/imports/{key}/confirm", permission=Permission.SELLER_OFFERS, body=ConfirmIn, answer=JobOut, status=202,
    summary="Have the rows written", example={"all_jumps": True, "hide_gone": False},
)  # fmt: skip
def confirm(key: str, body: ConfirmIn) -> Answer:
    """Price jumps that are not agreed to, errors and open questions stay unwritten."""
    given = Confirmation(body.all_jumps or body.jumps, body.hide_gone, body.mode)
    return accepted(service.confirm(access.actor(), given_id(key), given))


@api.delete("/seller/imports/{key}", permission=Permission.SELLER_OFFERS, summary="Stop an import", status=204)
def cancel(key: str) -> None:
    """What is written stays written."""
    service.cancel(access.actor(), given_id(key))


class FeedIn(Schema):
    """An address (https) and the hour of Moscow at which it is fetched."""

    url: str = Field(min_length=1, max_length=1000)
    hour: int = Field(ge=0, le=23)
    warehouse: uuid.UUID | None = None
    mode: MODE = "good_rows"
    hide_gone: bool = False
    active: bool = True


class FeedPatch(Schema):
    """Fields to change; the others stay."""

    url: str | None = Field(default=None, min_length=1, max_length=1000)
    hour: int | None = Field(default=None, ge=0, le=23)
    warehouse: uuid.UUID | None = None
    mode: MODE | None = None
    hide_gone: bool | None = None
    active: bool | None = None


class FeedOut(FeedIn):
    """A feed; `error` and `message` when the last fetch failed."""

    id: uuid.UUID
    next_run_at: Utc
    last_run_at: Utc | None
    last_import: uuid.UUID | None
    error: str | None
    message: str | None


class FeedsOut(Schema):
    """All of them; a seller has few."""

    items: list[FeedOut]
    next_cursor: None = None


def _feed(row: FeedRow) -> FeedOut:
    return FeedOut(
        id=row.public_id, url=row.url, hour=row.hour, warehouse=row.warehouse,
        mode=row.mode,
        hide_gone=row.hide_gone, active=row.is_active, next_run_at=row.next_run_at, last_run_at=row.last_run_at,
        last_import=row.last_import, error=row.last_error or None,
        message=error_text(row.last_error, dict(row.last_error_context)) if row.last_error else None,
    )  # fmt: skip


def _anywhere() -> bool:
    settings: Settings = current_app.extensions["settings"]
    return settings.fetch_anywhere


@api.get("/seller/feeds", permission=Permission.SELLER_OFFERS, answer=FeedsOut, summary="Price lists by address")
def own_feeds() -> FeedsOut:
    """In the order they were added."""
    return FeedsOut(items=[_feed(row) for row in feeds.feeds(access.actor().seller_id)])


@api.get("/seller/feeds/{feed}", permission=Permission.SELLER_OFFERS, answer=FeedOut, summary="A price list by address")
def own_feed(feed: str) -> FeedOut:
    """With what became of the last fetch."""
    return _feed(feeds.feed(access.actor().seller_id, given_id(feed)))


@api.post(
    "/seller/feeds", permission=Permission.SELLER_OFFERS, body=FeedIn, answer=FeedOut, status=201,
    summary="Fetch a price list every day", example={"url": "https://example.com/price.yml", "hour": 6},
)  # fmt: skip
def add_feed(body: FeedIn) -> Answer:
    """Rows without questions are written at once; the others wait among the imports."""
    made = feeds.add(access.actor(), body.model_dump(), _anywhere())
    location = {"Location": f"/api/v1/seller/feeds/{made}"}
    return Answer(_feed(feeds.feed(access.actor().seller_id, made)), 201, location)


@api.patch(
    "/seller/feeds/{feed}", permission=Permission.SELLER_OFFERS, body=FeedPatch, answer=FeedOut,
    summary="Change a feed", example={"hour": 7},
)  # fmt: skip
def edit_feed(feed: str, body: FeedPatch) -> FeedOut:
    """The next file is read even if it is the same as the last."""
    given = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    feeds.edit(access.actor(), given_id(feed), given, _anywhere())
    return own_feed(feed)


@api.delete("/seller/feeds/{feed}", permission=Permission.SELLER_OFFERS, summary="Forget a feed", status=204)
def remove_feed(feed: str) -> None:
    """Its imports stay."""
    feeds.remove(access.actor(), given_id(feed))


@api.post(
    "/seller/feeds/{feed}/run", permission=Permission.SELLER_OFFERS, answer=JobOut, status=202, summary="Fetch now"
)
def run_feed(feed: str) -> Answer:
    """The job tells the import it started, or why nothing came."""
    return accepted(feeds.run_now(access.actor(), given_id(feed)))
