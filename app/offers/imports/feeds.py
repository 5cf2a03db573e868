"""Addresses that a seller's price list is fetched from every day."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from app.core import audit, clock, jobs
from app.core.db import session, unit_of_work
from app.core.errors import Conflict, DomainError, FieldError, Invalid, NotFound
from app.core.fetch import FetchRefused, Policy, check_url
from app.core.permissions import Actor
from app.core.storage import Storage, new_name
from app.offers.import_models import MODES, PriceFeed, PriceImport
from app.offers.imports import service
from app.offers.imports.service import Upload
from app.offers.imports.table import MAX_BYTES
from app.offers.models import Warehouse

JOB = "imports.fetch"
MOST_FEEDS = 10
FIELDS = ("url", "hour", "warehouse", "mode", "hide_gone", "active")


def policy(anywhere: bool) -> Policy:
    """How price lists may be fetched."""
    return Policy(most_bytes=MAX_BYTES, anywhere=anywhere)


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed as its seller sees it."""

    id: int
    public_id: uuid.UUID
    url: str
    hour: int
    warehouse: uuid.UUID | None
    mode: str
    hide_gone: bool
    is_active: bool
    next_run_at: datetime
    last_run_at: datetime | None
    last_error: str
    last_error_context: Mapping[str, Any]
    last_import: uuid.UUID | None
    version: int


_LAST = (
    sa.select(PriceImport.public_id)
    .where(PriceImport.feed_id == PriceFeed.id)
    .order_by(PriceImport.id.desc())
    .limit(1)
    .scalar_subquery()
)
_ROWS = sa.select(
    PriceFeed.id, PriceFeed.public_id, PriceFeed.url, PriceFeed.hour, Warehouse.public_id.label("warehouse"),
    PriceFeed.mode, PriceFeed.hide_gone, PriceFeed.is_active, PriceFeed.next_run_at, PriceFeed.last_run_at,
    PriceFeed.last_error, PriceFeed.last_error_context, _LAST.label("last_import"), PriceFeed.version,
).outerjoin(Warehouse, Warehouse.id == PriceFeed.warehouse_id)  # fmt: skip


def _row(row: Any) -> FeedRow:
    return FeedRow(*row)


def feeds(seller_id: int) -> list[FeedRow]:
    """All feeds of a seller."""
    rows = session.execute(_ROWS.where(PriceFeed.seller_id == seller_id).order_by(PriceFeed.id))
    return [_row(row) for row in rows]


def feed(seller_id: int, public_id: uuid.UUID) -> FeedRow:
    """One feed of this seller.

    Raises:
        NotFound: absent or another seller's.
    """
    row = session.execute(_ROWS.where(PriceFeed.seller_id == seller_id, PriceFeed.public_id == public_id)).one_or_none()
    if row is None:
        raise NotFound()
    return _row(row)


@unit_of_work
def add(actor: Actor, given: Mapping[str, Any], anywhere: bool = False) -> uuid.UUID:
    """Fetch a price list from an address every day; `given` holds FIELDS, at least url and hour.

    Raises:
        Invalid: with every wrong field.
        Conflict: `too_many_feeds`.
    """
    values = _values(actor.seller_id, {"url": "", "hour": None} | dict(given), anywhere)
    known = session.scalar(
        sa.select(sa.func.count()).select_from(PriceFeed).where(PriceFeed.seller_id == actor.seller_id)
    )
    if (known or 0) >= MOST_FEEDS:
        raise Conflict("too_many_feeds", maximum=MOST_FEEDS)
    row = PriceFeed(seller_id=actor.seller_id, user_id=actor.user_id, next_run_at=next_run(values["hour"]), **values)
    session.add(row)
    _flush()
    audit.record(actor, "feed.added", "price_feed", row.id, after={"url": row.url, "hour": row.hour})
    return row.public_id


@unit_of_work
def edit(actor: Actor, public_id: uuid.UUID, given: Mapping[str, Any], anywhere: bool = False) -> None:
    """Change fields of an own feed. The next file is read whatever it holds.

    Raises:
        NotFound, Invalid.
    """
    row = _own(actor, public_id)
    for name, value in _values(row.seller_id, given, anywhere).items():
        setattr(row, name, value)
    row.next_run_at, row.digest = next_run(row.hour), ""
    row.version += 1
    _flush()
    audit.record(actor, "feed.edited", "price_feed", row.id, after={"url": row.url, "hour": row.hour})


@unit_of_work
def remove(actor: Actor, public_id: uuid.UUID) -> None:
    """Forget an own feed; its imports stay.

    Raises:
        NotFound.
    """
    row = _own(actor, public_id)
    session.execute(sa.update(PriceImport).where(PriceImport.feed_id == row.id).values(feed_id=None))
    audit.record(actor, "feed.removed", "price_feed", row.id, before={"url": row.url})
    session.delete(row)


@unit_of_work
def run_now(actor: Actor, public_id: uuid.UUID) -> uuid.UUID:
    """Fetch now, once a minute at most; the job.

    Raises:
        NotFound.
    """
    row = _own(actor, public_id)
    key = f"{JOB}:{row.id}:now:{clock.now():%Y%m%d%H%M}"
    return jobs.enqueue(
        JOB, {"feed": row.id, "again": True}, queue=service.QUEUE, user_id=actor.user_id, dedupe_key=key, max_attempts=2
    )


def _own(actor: Actor, public_id: uuid.UUID) -> PriceFeed:
    row = session.scalars(
        sa.select(PriceFeed)
        .where(PriceFeed.seller_id == actor.seller_id, PriceFeed.public_id == public_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _values(seller_id: int, given: Mapping[str, Any], anywhere: bool) -> dict[str, Any]:
    errors: list[FieldError] = []
    values: dict[str, Any] = {name: given[name] for name in ("url", "hour", "mode", "hide_gone") if name in given}
    if "active" in given:
        values["is_active"] = given["active"]
    if "url" in given:
        try:
            check_url(given["url"], policy(anywhere))
        except FetchRefused as refused:
            errors.append(FieldError("/url", refused.code if given["url"] else "required"))
    hour = given.get("hour", 0)
    if hour is None or not 0 <= hour <= 23:
        errors.append(FieldError("/hour", "unknown_option"))
    if given.get("mode", MODES[0]) not in MODES:
        errors.append(FieldError("/mode", "unknown_option"))
    if "warehouse" in given:
        try:
            values["warehouse_id"] = service.warehouse_id(seller_id, given["warehouse"])
        except Invalid as invalid:
            errors += invalid.errors
    if errors:
        raise Invalid(errors)
    return values


def _flush() -> None:
    try:
        session.flush()
    except exc.IntegrityError as error:
        raise Invalid.one("/url", "feed_known") from error


def next_run(hour: int) -> datetime:
    """The next time the market's clocks show this hour."""
    moment = clock.at(clock.today(), hour * 60)
    return moment if moment > clock.now() else clock.at(clock.today() + timedelta(days=1), hour * 60)


@unit_of_work
def queue_due() -> int:
    """Queue the feeds whose hour has come, each once a day whoever asks; how many."""
    due = session.scalars(
        sa.select(PriceFeed)
        .where(PriceFeed.is_active, PriceFeed.next_run_at <= clock.now())
        .order_by(PriceFeed.id)
        .limit(100)
        .with_for_update(skip_locked=True)
    ).all()
    for row in due:
        key = f"{JOB}:{row.id}:{row.next_run_at.isoformat()}"
        jobs.enqueue(JOB, {"feed": row.id}, queue=service.QUEUE, user_id=row.user_id, dedupe_key=key, max_attempts=3)
        row.next_run_at = next_run(row.hour)
    return len(due)


@unit_of_work
def address(feed_id: int) -> str | None:
    """Where to fetch from; None when the feed is gone."""
    return session.scalar(sa.select(PriceFeed.url).where(PriceFeed.id == feed_id))


def take(feed_id: int, content: bytes, storage: Storage, *, again: bool) -> dict[str, Any]:
    """Start the import of what was fetched; the same content as last time is not read again unless asked.

    Rows without questions are written at once; the others wait for the seller.
    """
    digest = hashlib.sha256(content).hexdigest()
    if not again and _is_known(feed_id, digest):
        return {"unchanged": True}
    stored = new_name("imports", "dat")
    storage.put(stored, content, "application/octet-stream")
    try:
        return _open(feed_id, content, stored, digest)
    except DomainError as refused:
        storage.delete(stored)
        note_error(feed_id, refused)
        return {"error": refused.code}


@unit_of_work
def _is_known(feed_id: int, digest: str) -> bool:
    row = session.get_one(PriceFeed, feed_id, with_for_update=True)
    if row.digest != digest:
        return False
    row.last_run_at, row.last_error = clock.now(), ""
    return True


@unit_of_work
def _open(feed_id: int, content: bytes, stored: str, digest: str) -> dict[str, Any]:
    row = session.get_one(PriceFeed, feed_id, with_for_update=True)
    place = session.scalar(sa.select(Warehouse.public_id).where(Warehouse.id == row.warehouse_id))
    name = row.url.partition("?")[0].rstrip("/").rpartition("/")[2] or "feed"
    upload = Upload(name, content, place, row.mode, auto_apply=True, hide_gone=row.hide_gone)
    begun = service.open_import(Actor(user_id=row.user_id), row.seller_id, upload, stored, row.id)
    row.last_run_at, row.last_error, row.digest = clock.now(), "", digest
    return {"import": str(begun.public_id)}


@unit_of_work
def note_error(feed_id: int, refused: DomainError) -> None:
    """Why nothing could be fetched: the seller sees it beside the address."""
    context = {name: value for name, value in refused.context.items() if isinstance(value, int | str)}
    session.execute(
        sa.update(PriceFeed)
        .where(PriceFeed.id == feed_id)
        .values(last_run_at=clock.now(), last_error=refused.code, last_error_context=context)
    )
