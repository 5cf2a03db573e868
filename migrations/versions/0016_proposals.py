"""changes that a seller proposes to a placed order: less of a line, or another product in its place

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STATES = "'offered', 'accepted', 'declined', 'withdrawn', 'expired'"
QUANTITY = sa.Numeric(18, 6)
WHOLE = "num_nulls(offer_id, quantity, price) IN (0, 3)"


def upgrade() -> None:
    op.add_column("order_line", sa.Column("replaces_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_order_line_replaces_id"),
        "order_line",
        "order_line",
        ["replaces_id"],
        ["id"],
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE order_line VALIDATE CONSTRAINT fk_order_line_replaces_id")
    op.create_table(
        "order_proposal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), server_default="offered", nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(f"status IN ({STATES})", name=op.f("ck_order_proposal_status_known")),
        sa.CheckConstraint(
            "(status = 'offered') = (answered_at IS NULL)", name=op.f("ck_order_proposal_answered_once")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["seller_order.id"], name=op.f("fk_order_proposal_order_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_order_proposal_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_proposal")),
        sa.UniqueConstraint("public_id", name=op.f("uq_order_proposal_public_id")),
    )
    op.create_index(op.f("ix_order_proposal_order_id"), "order_proposal", ["order_id"])
    op.create_index(
        "one_open_proposal", "order_proposal", ["order_id"], unique=True, postgresql_where=sa.text("status = 'offered'")
    )
    op.create_table(
        "order_proposal_line",
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("kept", QUANTITY, nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", QUANTITY, nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kept >= 0", name=op.f("ck_order_proposal_line_kept_not_negative")),
        sa.CheckConstraint(WHOLE, name=op.f("ck_order_proposal_line_substitute_is_whole")),
        sa.CheckConstraint("quantity > 0 AND price > 0", name=op.f("ck_order_proposal_line_positive")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["order_proposal.id"], name=op.f("fk_order_proposal_line_proposal_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_order_proposal_line_order_line_id")
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_order_proposal_line_offer_id")),
        sa.PrimaryKeyConstraint("proposal_id", "order_line_id", name=op.f("pk_order_proposal_line")),
    )


def downgrade() -> None:
    op.drop_table("order_proposal_line")
    op.drop_table("order_proposal")
    op.drop_column("order_line", "replaces_id")
