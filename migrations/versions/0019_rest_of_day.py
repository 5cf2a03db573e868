"""plans of the rest of a day: their kind and the plan they come from

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLE = "route_plan"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("kind", sa.String(), server_default="day", nullable=False))
    op.add_column(TABLE, sa.Column("parent_id", sa.BigInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_route_plan_kind_known"), TABLE, "kind IN ('day', 'rest')")
    op.create_foreign_key(op.f("fk_route_plan_parent_id_route_plan"), TABLE, TABLE, ["parent_id"], ["id"])
    op.create_index(op.f("ix_route_plan_parent_id"), TABLE, ["parent_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_route_plan_parent_id"), table_name=TABLE)
    op.drop_constraint(op.f("fk_route_plan_parent_id_route_plan"), TABLE)
    op.drop_constraint(op.f("ck_route_plan_kind_known"), TABLE)
    op.drop_column(TABLE, "parent_id")
    op.drop_column(TABLE, "kind")
