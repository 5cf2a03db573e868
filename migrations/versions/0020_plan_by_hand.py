"""plans changed by hand: sheets, steps, locked stops; trucks that broke down

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def whole(name: str, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), server_default=default, nullable=False)


def json(name: str, default: str) -> sa.Column[Any]:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text(f"'{default}'::jsonb"), nullable=False)


def key(table: str, column: str, to: str, **options: Any) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=op.f(f"fk_{table}_{column}_{to.split('.')[0]}"), **options)


def upgrade() -> None:
    op.add_column("stop", sa.Column("locked", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "plan_sheet",
        sa.Column("plan_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("roads", sa.LargeBinary(), nullable=True),
        whole("edit", "0"),
        whole("applied", "0"),
        json("faults", "[]"),
        sa.CheckConstraint("edit >= 0 AND applied >= 0", name=op.f("ck_plan_sheet_counts_not_negative")),
        key("plan_sheet", "plan_id", "route_plan.id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plan_sheet")),
    )
    op.create_table(
        "plan_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        whole("number"),
        sa.Column("kind", sa.String(), nullable=False),
        json("details", "{}"),
        json("before", "{}"),
        json("after", "{}"),
        whole("edit"),
        sa.Column("undone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        key("plan_step", "plan_id", "route_plan.id", ondelete="CASCADE"),
        key("plan_step", "user_id", "user_account.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_step")),
        sa.UniqueConstraint("plan_id", "number", name=op.f("uq_plan_step_plan_id_number")),
    )
    op.create_table(
        "vehicle_trouble",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("vehicle_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        json("shifts", "[]"),
        sa.Column("reported_by_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        key("vehicle_trouble", "carrier_id", "carrier.id"),
        key("vehicle_trouble", "vehicle_id", "vehicle.id"),
        key("vehicle_trouble", "reported_by_id", "user_account.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle_trouble")),
        sa.UniqueConstraint("public_id", name=op.f("uq_vehicle_trouble_public_id")),
    )
    op.create_index(
        "uq_vehicle_trouble_open", "vehicle_trouble", ["vehicle_id"], unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )  # fmt: skip
    op.create_index("ix_vehicle_trouble_carrier_id_day", "vehicle_trouble", ["carrier_id", "day"])


def downgrade() -> None:
    op.drop_table("vehicle_trouble")
    op.drop_table("plan_step")
    op.drop_table("plan_sheet")
    op.drop_column("stop", "locked")
