"""Tables of price-list imports: a file on its way, its rows, what a seller's columns mean, scheduled addresses."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Created, Id, Json, JsonList, Moment, PublicId, one_value_enum, ref

STATES = ("checking", "columns", "checked", "applying", "done", "failed", "cancelled")
KINDS = ("same", "changed", "new", "doubtful", "unknown", "waiting", "error")
MODES = ("good_rows", "all_or_nothing")
DECISIONS = ("", "yes", "no")


class PriceImport(Base):
    """One price list from a file to what it changed.

    States: checking -> columns (the seller must say what they mean) -> checking; checking -> checked (nothing is
    changed yet) -> applying -> done; any -> failed, cancelled. `position` is the last row of the file that is staged,
    `applied_position` the last one that is written: a worker that takes over goes on from there.
    """

    __tablename__ = "price_import"
    __table_args__ = (
        one_value_enum("state", STATES),
        one_value_enum("mode", MODES),
        sa.CheckConstraint("position >= 0 AND applied_position >= 0 AND rows_total >= 0", name="positions"),
        sa.Index("ix_price_import_seller_id_id", "seller_id", "id"),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    seller_id: Mapped[int] = ref("seller.id", index=False)
    user_id: Mapped[int | None] = ref("user_account.id")
    feed_id: Mapped[int | None] = ref("price_feed.id")
    warehouse_id: Mapped[int | None] = ref("warehouse.id")
    """Where the stock of a column without a warehouse lies."""
    file_name: Mapped[str]
    stored_name: Mapped[str]
    size: Mapped[int]
    mode: Mapped[str] = mapped_column(server_default="good_rows")
    hide_gone: Mapped[bool] = mapped_column(server_default=sa.false())
    auto_apply: Mapped[bool] = mapped_column(server_default=sa.false())
    """Write without waiting for a confirmation; rows that need one stay unwritten."""
    is_correction: Mapped[bool] = mapped_column(server_default=sa.false())
    """A file of mended errors: what it does not name is not gone."""
    state: Mapped[str] = mapped_column(server_default="checking")
    error: Mapped[str] = mapped_column(server_default="")
    error_context: Mapped[Json]
    about: Mapped[Json]
    """What the file turned out to be: format, encoding, delimiter, sheet, header_row."""
    headers: Mapped[JsonList]
    samples: Mapped[JsonList]
    mapping: Mapped[Json]
    """Column number (as text) -> field."""
    counts: Mapped[Json]
    rows_total: Mapped[int] = mapped_column(server_default="0")
    rows_done: Mapped[int] = mapped_column(server_default="0")
    position: Mapped[int] = mapped_column(server_default="0")
    applied_position: Mapped[int] = mapped_column(server_default="0")
    job_id: Mapped[uuid.UUID | None]
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]
    finished_at: Mapped[Moment | None]


class ImportRow(Base):
    """A row of the file: its cells as they came, what it means, what it would change, what became of it."""

    __tablename__ = "import_row"
    __table_args__ = (
        one_value_enum("kind", KINDS),
        one_value_enum("decision", DECISIONS),
        sa.Index("ix_import_row_import_id_sku", "import_id", "sku"),
        sa.Index("ix_import_row_import_id_kind_number", "import_id", "kind", "number"),
    )

    import_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("price_import.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    cells: Mapped[JsonList]
    sku: Mapped[str] = mapped_column(server_default="")
    name: Mapped[str] = mapped_column(server_default="")
    kind: Mapped[str]
    offer_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    product_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    matched: Mapped[str] = mapped_column(server_default="")
    """By what the product was found: sku, barcode, article, name, chosen."""
    unit: Mapped[str] = mapped_column(server_default="")
    price: Mapped[int | None] = mapped_column(sa.BigInteger)
    old_price: Mapped[int | None] = mapped_column(sa.BigInteger)
    is_jump: Mapped[bool] = mapped_column(server_default=sa.false())
    changes: Mapped[Json]
    """Fields of the offer to set: vat_code, lead_time_days, status."""
    stock: Mapped[Json]
    """Warehouse id -> [base units before, after]; without a product units of the row."""
    details: Mapped[Json]
    """Brand, article, barcode, category, description, unit: for a new card."""
    candidates: Mapped[JsonList]
    """[product id, likeness in percent] of products it may be."""
    errors: Mapped[JsonList]
    """[{"field", "code", "context"}]."""
    decision: Mapped[str] = mapped_column(server_default="")
    is_applied: Mapped[bool] = mapped_column(server_default=sa.false())


class ImportMapping(Base):
    """What the columns of a file with these headings mean, as the seller last said."""

    __tablename__ = "import_mapping"

    seller_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("seller.id"), primary_key=True)
    headings: Mapped[str] = mapped_column(primary_key=True)
    """Digest of the headings."""
    mapping: Mapped[Json]
    updated_at: Mapped[Created]


class GoneOffer(Base):
    """An offer that an import took off sale because the file did not name it; it comes back when a file does."""

    __tablename__ = "gone_offer"

    offer_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("offer.id"), primary_key=True)
    import_id: Mapped[int] = mapped_column(
        sa.BigInteger, sa.ForeignKey("price_import.id", ondelete="CASCADE"), index=True
    )


class PriceFeed(Base):
    """An address that a price list is fetched from once a day, at an hour of the market's clocks."""

    __tablename__ = "price_feed"
    __table_args__ = (
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name="hour_of_day"),
        one_value_enum("mode", MODES),
        sa.UniqueConstraint("seller_id", "url"),
        sa.Index("ix_price_feed_due", "next_run_at", postgresql_where=sa.text("is_active")),
    )

    id: Mapped[Id]
    public_id: Mapped[PublicId]
    seller_id: Mapped[int] = ref("seller.id", index=False)
    user_id: Mapped[int | None] = ref("user_account.id")
    warehouse_id: Mapped[int | None] = ref("warehouse.id")
    url: Mapped[str]
    hour: Mapped[int]
    mode: Mapped[str] = mapped_column(server_default="good_rows")
    hide_gone: Mapped[bool] = mapped_column(server_default=sa.false())
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())
    next_run_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    last_run_at: Mapped[Moment | None]
    last_error: Mapped[str] = mapped_column(server_default="")
    last_error_context: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=sa.text("'{}'::jsonb"))
    digest: Mapped[str] = mapped_column(server_default="")
    """Of the content fetched last: the same content is not read again."""
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[Created]
