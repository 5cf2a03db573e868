"""edits of cards with their base and undo, trusted sellers, old addresses of categories

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATES = ("pending", "approved", "declined", "revision_requested")
OPEN = "product_id IS NOT NULL AND status IN ('pending', 'revision_requested')"


def _states(values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.drop_constraint(op.f("ck_product_change_status_known"), "product_change", type_="check")
    op.create_check_constraint(op.f("ck_product_change_status_known"), "product_change", f"status IN ({listed})")


def upgrade() -> None:
    _states((*STATES, "withdrawn"))
    for name in ("base", "applied", "undo"):
        op.add_column(
            "product_change",
            sa.Column(
                name, postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
            ),
        )
    op.add_column("product_change", sa.Column("base_version", sa.Integer(), server_default="0", nullable=False))
    op.add_column("product_change", sa.Column("comment", sa.String(), server_default="", nullable=False))
    op.add_column("product_change", sa.Column("decided_how", sa.String(), server_default="", nullable=False))
    op.execute("UPDATE product_change SET decided_how = 'person' WHERE decided_by_id IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_product_change_decided_how_known"), "product_change", "decided_how IN ('', 'person', 'rule')"
    )
    op.add_column("product_change", sa.Column("reverts_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_product_change_reverts_id"), "product_change", "product_change", ["reverts_id"], ["id"]
    )
    op.create_unique_constraint(op.f("uq_product_change_reverts_id"), "product_change", ["reverts_id"])
    op.create_index(
        "uq_product_change_open", "product_change", ["seller_id", "product_id"], unique=True,
        postgresql_where=sa.text(OPEN),
    )  # fmt: skip
    op.drop_index("ix_product_change_status", "product_change")
    op.drop_index("ix_product_change_seller_id", "product_change")
    op.create_index("ix_product_change_status_id", "product_change", ["status", "id"])
    op.create_index("ix_product_change_seller_id_status_id", "product_change", ["seller_id", "status", "id"])
    op.add_column("seller", sa.Column("is_trusted", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "category_slug",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("fk_category_slug_category_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_category_slug")),
    )
    op.create_index(op.f("ix_category_slug_category_id"), "category_slug", ["category_id"])


def downgrade() -> None:
    op.drop_table("category_slug")
    op.drop_column("seller", "is_trusted")
    op.drop_index("ix_product_change_seller_id_status_id", "product_change")
    op.drop_index("ix_product_change_status_id", "product_change")
    op.create_index("ix_product_change_seller_id", "product_change", ["seller_id"])
    op.create_index("ix_product_change_status", "product_change", ["status"])
    op.drop_index("uq_product_change_open", "product_change")
    for name in ("reverts_id", "decided_how", "comment", "base_version", "undo", "applied", "base"):
        op.drop_column("product_change", name)
    op.execute("UPDATE product_change SET status = 'declined' WHERE status = 'withdrawn'")
    _states(STATES)
