"""photographs and documents of products

Revision ID: 0006
Revises: 0005

Nothing ever wrote the old table of images, so it is replaced.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _text(name: str, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(), server_default=default, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False)


def _head(table: str) -> list[sa.Column[object] | sa.Constraint]:
    """Columns and keys that both tables begin with."""
    return [
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f(f"fk_{table}_product_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["seller_id"], ["organisation.id"], name=op.f(f"fk_{table}_seller_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f(f"fk_{table}_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{table}_public_id")),
    ]


def upgrade() -> None:
    op.drop_table("product_image")
    op.create_table(
        "product_image",
        *_head("product_image"),
        _text("file_name", None),
        _text("kind"),
        _text("original"),
        _text("state", "waiting"),
        _text("error"),
        _text("name"),
        _text("next_name"),
        _text("whole"),
        _number("width"),
        _number("height"),
        _number("source_width"),
        _number("source_height"),
        sa.Column("crop", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        _text("alt_ru"),
        _text("alt_en"),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'ready', 'refused')", name=op.f("ck_product_image_state_known")),
        sa.CheckConstraint("(state = 'ready') = (name <> '')", name=op.f("ck_product_image_ready_has_files")),
        sa.CheckConstraint(
            "position IS NULL OR (position >= 0 AND state = 'ready')", name=op.f("ck_product_image_shown_is_ready")
        ),
        sa.CheckConstraint("(state = 'refused') = (error <> '')", name=op.f("ck_product_image_refused_has_reason")),
        sa.UniqueConstraint("product_id", "position", name=op.f("uq_product_image_product_id_position")),
    )
    op.create_table(
        "product_document",
        *_head("product_document"),
        _text("kind", None),
        _text("number", None),
        _text("issuer"),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        _text("file_name", None),
        _text("content_type"),
        _text("original"),
        _text("stored"),
        _number("size"),
        _text("state", "pending"),
        _text("note"),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user_account.id"], name=op.f("fk_product_document_decided_by_id")),
        sa.CheckConstraint(
            "state IN ('waiting', 'pending', 'approved', 'declined', 'refused')",
            name=op.f("ck_product_document_state_known"),
        ),
        sa.CheckConstraint(
            "kind IN ('certificate', 'declaration', 'fire', 'passport', 'instruction')",
            name=op.f("ck_product_document_kind_known"),
        ),
        sa.CheckConstraint(
            "issued_on IS NULL OR valid_until IS NULL OR issued_on <= valid_until",
            name=op.f("ck_product_document_days_order"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'refused') OR stored <> ''", name=op.f("ck_product_document_has_file")
        ),
    )
    for table in ("product_image", "product_document"):
        for column in ("product_id", "seller_id", "user_id"):
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.create_index(op.f("ix_product_document_decided_by_id"), "product_document", ["decided_by_id"])
    op.create_index("ix_product_document_state_id", "product_document", ["state", "id"])
    op.create_index(
        "ix_product_image_open", "product_image", ["created_at"], postgresql_where=sa.text("position IS NULL")
    )
    op.add_column("product", sa.Column("picture", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("product", "picture")
    op.drop_table("product_document")
    op.drop_table("product_image")
    op.create_table(
        "product_image",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_product_image_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_image")),
    )
    op.create_index(op.f("ix_product_image_product_id"), "product_image", ["product_id"])
