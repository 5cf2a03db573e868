"""price list imports

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_mapping",
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("headings", sa.String(), nullable=False),
        sa.Column(
            "mapping", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_import_mapping_seller_id")),
        sa.PrimaryKeyConstraint("seller_id", "headings", name=op.f("pk_import_mapping")),
    )
    op.create_table(
        "price_feed",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("warehouse_id", sa.BigInteger(), nullable=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(), server_default="good_rows", nullable=False),
        sa.Column("hide_gone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), server_default="", nullable=False),
        sa.Column(
            "last_error_context",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("digest", sa.String(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("mode IN ('good_rows', 'all_or_nothing')", name=op.f("ck_price_feed_mode_known")),
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name=op.f("ck_price_feed_hour_of_day")),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_price_feed_seller_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_price_feed_user_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_price_feed_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_feed")),
        sa.UniqueConstraint("public_id", name=op.f("uq_price_feed_public_id")),
        sa.UniqueConstraint("seller_id", "url", name=op.f("uq_price_feed_seller_id_url")),
    )
    op.create_index(
        "ix_price_feed_due", "price_feed", ["next_run_at"], unique=False, postgresql_where=sa.text("is_active")
    )
    op.create_index(op.f("ix_price_feed_user_id"), "price_feed", ["user_id"], unique=False)
    op.create_index(op.f("ix_price_feed_warehouse_id"), "price_feed", ["warehouse_id"], unique=False)
    op.create_table(
        "price_import",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("feed_id", sa.BigInteger(), nullable=True),
        sa.Column("warehouse_id", sa.BigInteger(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("stored_name", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(), server_default="good_rows", nullable=False),
        sa.Column("hide_gone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("auto_apply", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_correction", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.String(), server_default="checking", nullable=False),
        sa.Column("error", sa.String(), server_default="", nullable=False),
        sa.Column(
            "error_context",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "about", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "headers", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "samples", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "mapping", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "counts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("rows_total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rows_done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("applied_position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("mode IN ('good_rows', 'all_or_nothing')", name=op.f("ck_price_import_mode_known")),
        sa.CheckConstraint(
            "state IN ('checking', 'columns', 'checked', 'applying', 'done', 'failed', 'cancelled')",
            name=op.f("ck_price_import_state_known"),
        ),
        sa.CheckConstraint(
            "position >= 0 AND applied_position >= 0 AND rows_total >= 0", name=op.f("ck_price_import_positions")
        ),
        sa.ForeignKeyConstraint(["feed_id"], ["price_feed.id"], name=op.f("fk_price_import_feed_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name=op.f("fk_price_import_seller_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_price_import_user_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouse.id"], name=op.f("fk_price_import_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_import")),
        sa.UniqueConstraint("public_id", name=op.f("uq_price_import_public_id")),
    )
    op.create_index(op.f("ix_price_import_feed_id"), "price_import", ["feed_id"], unique=False)
    op.create_index("ix_price_import_seller_id_id", "price_import", ["seller_id", "id"], unique=False)
    op.create_index(op.f("ix_price_import_user_id"), "price_import", ["user_id"], unique=False)
    op.create_index(op.f("ix_price_import_warehouse_id"), "price_import", ["warehouse_id"], unique=False)
    op.create_table(
        "gone_offer",
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["price_import.id"], name=op.f("fk_gone_offer_import_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_gone_offer_offer_id")),
        sa.PrimaryKeyConstraint("offer_id", name=op.f("pk_gone_offer")),
    )
    op.create_index(op.f("ix_gone_offer_import_id"), "gone_offer", ["import_id"], unique=False)
    op.create_table(
        "import_row",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "cells", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("sku", sa.String(), server_default="", nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("matched", sa.String(), server_default="", nullable=False),
        sa.Column("unit", sa.String(), server_default="", nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("old_price", sa.BigInteger(), nullable=True),
        sa.Column("is_jump", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "changes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "stock", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "candidates", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "errors", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("decision", sa.String(), server_default="", nullable=False),
        sa.Column("is_applied", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("decision IN ('', 'yes', 'no')", name=op.f("ck_import_row_decision_known")),
        sa.CheckConstraint(
            "kind IN ('same', 'changed', 'new', 'doubtful', 'unknown', 'waiting', 'error')",
            name=op.f("ck_import_row_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["price_import.id"], name=op.f("fk_import_row_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_row")),
    )
    op.create_index("ix_import_row_import_id_kind_number", "import_row", ["import_id", "kind", "number"], unique=False)
    op.create_index("ix_import_row_import_id_sku", "import_row", ["import_id", "sku"], unique=False)


def downgrade() -> None:
    op.drop_table("import_row")
    op.drop_table("gone_offer")
    op.drop_table("price_import")
    op.drop_table("price_feed")
    op.drop_table("import_mapping")
