"""acts of delivery: another kind of document of a trip

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLE = "order_document"
NAME = op.f("ck_order_document_kind_known")


def upgrade() -> None:
    op.drop_constraint(NAME, TABLE)
    op.create_check_constraint(NAME, TABLE, "kind IN ('upd', 'act')")


def downgrade() -> None:
    """Acts go: there was no such document. The ledger's guard is lifted for that alone."""
    op.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER order_document_is_append_only")
    op.execute(f"DELETE FROM {TABLE} WHERE kind = 'act'")
    op.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER order_document_is_append_only")
    op.execute("DELETE FROM document_counter WHERE kind = 'act'")
    op.drop_constraint(NAME, TABLE)
    op.create_check_constraint(NAME, TABLE, "kind IN ('upd')")
