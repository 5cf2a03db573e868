"""Price lists as sellers send them, and the steps from a file to what it changed."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import sqlalchemy as sa
from flask import Flask

from app.core.db import session, unit_of_work
from app.core.models import Job
from app.core.permissions import Actor
from app.offers.import_models import ImportRow
from app.offers.imports import queries, service
from app.offers.imports.queries import ImportHead
from app.offers.imports.service import Confirmation, Upload
from app.offers.models import Offer, PriceChange, StockLevel, StockMovement
from workers import worker

HEADINGS = ("Код", "Наименование", "Цена", "Остаток")


def csv_file(
    rows: Sequence[Sequence[object]], headings: Sequence[str] = HEADINGS, *, encoding: str = "utf-8",
    delimiter: str = ";",
) -> bytes:  # fmt: skip
    """A CSV as a spreadsheet saves it."""
    import csv

    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([headings, *rows])
    return text.getvalue().encode(encoding)


def xlsx_file(
    rows: Sequence[Sequence[object]], headings: Sequence[str] = HEADINGS, *, merged: Sequence[str] = ()
) -> bytes:
    """A workbook of one sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Склад"
    for row in [headings, *rows]:
        sheet.append(list(row))
    for area in merged:
        sheet.merge_cells(area)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def yml_file(offers: str, encoding: str = "utf-8", head: str = "") -> bytes:
    """A feed as aggregators take it."""
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>\n{head}<yml_catalog date="2026-11-24"><shop>'
        f'<categories><category id="7">Клеи</category></categories><offers>{offers}</offers></shop></yml_catalog>'
    )
    return text.encode(encoding)


def packed(parts: dict[str, bytes]) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def send(app: Flask, actor: Actor, content: bytes, **options: Any) -> uuid.UUID:
    """Upload and let the worker read it; the id of the import."""
    upload = Upload(options.pop("name", "прайс.csv"), content, **options)
    begun = service.receive(actor, app.extensions["storage"], upload)
    work(app, begun.job_id)
    return begun.public_id


def work(app: Flask, job_id: uuid.UUID) -> None:
    """What a worker does with a job, now."""
    number = number_of(job_id)
    worker.run_in_context(number, app)
    row = session.execute(sa.select(Job.state, Job.error).where(Job.id == number)).one()
    assert row.state == "done", (row.error or "")[-1500:]


@unit_of_work
def number_of(job_id: uuid.UUID) -> int:
    """The inner id of a job, made due."""
    job = session.scalars(sa.select(Job).where(Job.public_id == job_id)).one()
    job.run_at = sa.func.now() - timedelta(seconds=1)
    return job.id


def confirm(app: Flask, actor: Actor, import_id: uuid.UUID, **options: Any) -> ImportHead:
    """Agree and let the worker write."""
    work(app, service.confirm(actor, import_id, Confirmation(**options)))
    return look(actor, import_id)


def load(app: Flask, actor: Actor, content: bytes, **options: Any) -> ImportHead:
    """From file to written."""
    return confirm(app, actor, send(app, actor, content, **options))


def look(actor: Actor, import_id: uuid.UUID) -> ImportHead:
    """The import as its seller sees it."""
    session.expire_all()
    return queries.head(actor.seller_id, import_id)


def errors(actor: Actor, import_id: uuid.UUID) -> dict[int, set[tuple[str, str]]]:
    """Row -> what is wrong with it."""
    found = queries.error_rows(look(actor, import_id))
    return {row.number: {(one["field"], one["code"]) for one in row.errors} for row in found}


def kinds(actor: Actor, import_id: uuid.UUID) -> dict[int, str]:
    """Row -> kind."""
    head = look(actor, import_id)
    rows = session.execute(sa.select(ImportRow.number, ImportRow.kind).where(ImportRow.import_id == head.id))
    return {row.number: row.kind for row in rows}


def state_of(seller_id: int) -> dict[str, tuple[Any, ...]]:
    """SKU -> everything that an import may change: two equal states are the same market."""
    session.expire_all()
    offers = session.execute(sa.select(Offer).where(Offer.seller_id == seller_id)).scalars().all()
    found = {}
    for offer in offers:
        levels = session.execute(
            sa.select(StockLevel.warehouse_id, StockLevel.on_hand)
            .where(StockLevel.offer_id == offer.id)
            .order_by(StockLevel.warehouse_id)
        ).all()
        moved = session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(StockMovement.on_hand_delta), Decimal(0))).where(
                StockMovement.offer_id == offer.id
            )
        )
        prices = session.scalars(
            sa.select(PriceChange.new_price).where(PriceChange.offer_id == offer.id).order_by(PriceChange.id)
        ).all()
        found[offer.sku] = (
            offer.product_id, offer.unit, offer.price, offer.vat_code, offer.status, offer.version,
            tuple((row.warehouse_id, str(row.on_hand.normalize())) for row in levels), str(moved), tuple(prices),
        )  # fmt: skip
    return found
