"""windows of carriers with capacity, pickup at the warehouse, one truck for several warehouses

Revision ID: 0015
Revises: 0014

Deliveries of before take no place in a window: their carriers had declared none. The table of windows was empty.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

RATES = (
    "base >= 0 AND per_km >= 0 AND per_tonne >= 0 AND per_m3 >= 0 AND long_piece >= 0 AND per_floor_tonne >= 0"
    " AND crane >= 0 AND tail_lift >= 0 AND hands_tonne >= 0 AND minimum >= 0"
)


def whole(name: str, *, empty: bool = False, default: int | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=empty, server_default=None if default is None else str(default))


def moment() -> sa.Column[Any]:
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def own() -> list[Any]:
    return [
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
    ]


def keys(name: str) -> list[Any]:
    return [
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f(f"fk_{name}_carrier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("public_id", name=op.f(f"uq_{name}_public_id")),
    ]


def check(table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def upgrade() -> None:
    windows()
    joint()
    pickup()


def windows() -> None:
    in_day = "0 <= from_minute AND from_minute < to_minute AND to_minute <= 1440"
    name = "slot_rule"
    op.create_table(
        name, *own(), whole("weekday"), whole("from_minute"), whole("to_minute"), whole("capacity"),
        whole("capacity_kg", empty=True), moment(), *keys(name),
        sa.UniqueConstraint("carrier_id", "weekday", "from_minute", "to_minute",
                            name=op.f("uq_slot_rule_carrier_id_weekday_from_minute_to_minute")),
    )  # fmt: skip
    check(name, "weekday_range", "weekday BETWEEN 1 AND 7")
    check(name, "window_in_day", in_day)
    check(name, "capacity_positive", "capacity > 0 AND (capacity_kg IS NULL OR capacity_kg > 0)")
    name = "slot_exception"
    op.create_table(
        name, *own(), sa.Column("day", sa.Date(), nullable=False), whole("from_minute", empty=True),
        whole("to_minute", empty=True), whole("capacity"), whole("capacity_kg", empty=True),
        sa.Column("note", sa.String(), server_default="", nullable=False), moment(), *keys(name),
        sa.UniqueConstraint("carrier_id", "day", "from_minute", "to_minute", postgresql_nulls_not_distinct=True,
                            name=op.f("uq_slot_exception_carrier_id_day_from_minute_to_minute")),
    )  # fmt: skip
    check(name, "window_whole", "(from_minute IS NULL) = (to_minute IS NULL)")
    check(name, "window_in_day", in_day)
    check(name, "capacity_not_negative", "capacity >= 0 AND (capacity_kg IS NULL OR capacity_kg > 0)")
    name = "delivery_slot"
    op.add_column(name, whole("capacity_kg", empty=True))
    op.add_column(name, whole("taken_kg", default=0))
    op.drop_constraint(op.f("uq_delivery_slot_carrier_id_starts_at"), name, type_="unique")
    op.create_unique_constraint(
        op.f("uq_delivery_slot_carrier_id_starts_at_ends_at"), name, ["carrier_id", "starts_at", "ends_at"]
    )
    check(name, "not_overloaded", "taken_kg >= 0 AND (capacity_kg IS NULL OR taken_kg <= capacity_kg)")


def joint() -> None:
    name = "joint_delivery"
    op.create_table(
        name, *own(), sa.Column("tariff_id", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("price_lines", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"),
                  nullable=False),
        whole("distance_m"), sa.Column("slot_id", sa.BigInteger(), nullable=True), whole("slot_kg", default=0), moment(),
        *keys(name),
        sa.ForeignKeyConstraint(["slot_id"], ["delivery_slot.id"], name=op.f("fk_joint_delivery_slot_id")),
        sa.ForeignKeyConstraint(["tariff_id"], ["tariff.id"], name=op.f("fk_joint_delivery_tariff_id")),
    )  # fmt: skip
    op.create_index(op.f("ix_joint_delivery_carrier_id"), name, ["carrier_id"])
    op.create_index(op.f("ix_joint_delivery_slot_id"), name, ["slot_id"])
    check(name, "price_not_negative", "price >= 0")
    op.add_column("delivery", whole("slot_kg", default=0))
    for column, target in (("slot_id", "delivery_slot"), ("joint_id", name)):
        op.add_column("delivery", sa.Column(column, sa.BigInteger(), nullable=True))
        op.create_foreign_key(op.f(f"fk_delivery_{column}"), "delivery", target, [column], ["id"])
        op.create_index(op.f(f"ix_delivery_{column}"), "delivery", [column])
    op.add_column("tariff", sa.Column("extra_pickup", sa.BigInteger(), server_default="0", nullable=False))
    op.drop_constraint(op.f("ck_tariff_not_negative"), "tariff", type_="check")
    check("tariff", "not_negative", f"{RATES} AND extra_pickup >= 0")


def pickup() -> None:
    op.add_column("warehouse", sa.Column("allows_pickup", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("warehouse", whole("pickup_after_hours", default=4))
    check("warehouse", "pickup_hours_range", "pickup_after_hours BETWEEN 0 AND 240")
    for column in ("pickup_code", "receiver"):
        op.add_column("fulfilment", sa.Column(column, sa.String(), server_default="", nullable=False))
    op.add_column("fulfilment", whole("pickup_failures", default=0))
    free = "method <> 'pickup' OR (delivery_price = 0 AND carrier_id IS NULL AND pickup_code <> '')"
    check("fulfilment", "pickup_free", free)


def downgrade() -> None:
    op.drop_constraint(op.f("ck_fulfilment_pickup_free"), "fulfilment", type_="check")
    for column in ("pickup_failures", "receiver", "pickup_code"):
        op.drop_column("fulfilment", column)
    op.drop_constraint(op.f("ck_warehouse_pickup_hours_range"), "warehouse", type_="check")
    op.drop_column("warehouse", "pickup_after_hours")
    op.drop_column("warehouse", "allows_pickup")
    op.drop_constraint(op.f("ck_tariff_not_negative"), "tariff", type_="check")
    op.drop_column("tariff", "extra_pickup")
    check("tariff", "not_negative", RATES)
    for column in ("joint_id", "slot_id"):
        op.drop_index(op.f(f"ix_delivery_{column}"), "delivery")
        op.drop_constraint(op.f(f"fk_delivery_{column}"), "delivery", type_="foreignkey")
        op.drop_column("delivery", column)
    op.drop_column("delivery", "slot_kg")
    op.drop_table("joint_delivery")
    name = "delivery_slot"
    op.execute("DELETE FROM delivery_slot")  # nothing points at it any more, and two windows may begin at once
    op.drop_constraint(op.f("ck_delivery_slot_not_overloaded"), name, type_="check")
    op.drop_constraint(op.f("uq_delivery_slot_carrier_id_starts_at_ends_at"), name, type_="unique")
    op.create_unique_constraint(op.f("uq_delivery_slot_carrier_id_starts_at"), name, ["carrier_id", "starts_at"])
    op.drop_column(name, "taken_kg")
    op.drop_column(name, "capacity_kg")
    op.drop_table("slot_exception")
    op.drop_table("slot_rule")
