"""yards, absences, licences, fuel, zones and steps of tariffs, hand-overs between carriers

Revision ID: 0023
Revises: 0022

Every carrier gets its yard of before as the main one. Drivers keep what they drive: whoever's usual truck needs a
category or a crane operator has it from now on. Tariffs of one name that were valid at once are told apart by a number.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

JSON = postgresql.JSONB(astext_type=sa.Text())


def big(name: str, *, empty: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=empty, server_default=default)


def whole(name: str, *, empty: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=empty, server_default=default)


def text(name: str, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=False, server_default=default)


def made() -> sa.Column[Any]:
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def own(name: str, *, public: bool = True) -> list[Any]:
    found: list[Any] = [
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        made(),
    ]
    if public:
        found += [
            sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
            sa.UniqueConstraint("public_id", name=op.f(f"uq_{name}_public_id")),
        ]
    return found


def key(table: str, column: str, target: str, **options: Any) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), **options)


def check(table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def known(table: str, column: str, values: str) -> None:
    listed = ", ".join(f"'{value}'" for value in values.split())
    check(table, f"{column}_known", f"{column} IN ({listed})")


def upgrade() -> None:
    yards()
    trucks()
    drivers()
    absences()
    tariffs()
    hand_overs()
    op.add_column(
        "carrier_warehouse", sa.Column("is_preferred", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def yards() -> None:
    name = "depot"
    op.create_table(
        name, *own(name), big("carrier_id"), text("name"), text("address", ""),
        sa.Column("lat", sa.Float(), nullable=False), sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("is_main", sa.Boolean(), server_default=sa.false(), nullable=False), whole("version", default="1"),
        key(name, "carrier_id", "carrier"),
        sa.UniqueConstraint("carrier_id", "name", name=op.f("uq_depot_carrier_id_name")),
    )  # fmt: skip
    check(name, "on_earth", "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180")
    op.create_index("uq_depot_main", name, ["carrier_id"], unique=True, postgresql_where=sa.text("is_main"))
    op.execute(
        "INSERT INTO depot (carrier_id, name, address, lat, lon, is_main)"
        " SELECT id, 'Основная площадка', depot_address, depot_lat, depot_lon, true FROM carrier"
    )


def trucks() -> None:
    name = "vehicle"
    for column in (
        whole("axle_load_kg", empty=True), text("body", "tilt"), text("fuel", "diesel"),
        whole("fuel_ml_per_km", default="0"), big("fuel_price", default="0"), big("depot_id", empty=True),
    ):  # fmt: skip
        op.add_column(name, column)
    op.create_foreign_key(op.f("fk_vehicle_depot_id"), name, "depot", ["depot_id"], ["id"])
    op.create_index(op.f("ix_vehicle_depot_id"), name, ["depot_id"])
    op.execute("UPDATE vehicle SET body = 'manipulator' WHERE has_crane")
    check(name, "fuel_not_negative", "fuel_ml_per_km >= 0 AND fuel_price >= 0 AND axle_load_kg > 0")
    known(name, "body", "flatbed tilt van manipulator dump long")
    known(name, "fuel", "diesel petrol gas electric")


def drivers() -> None:
    name = "courier"
    for column, default in (("licences", "{}"), ("skills", "[]"), ("work_days", "[1, 2, 3, 4, 5, 6, 7]")):
        op.add_column(name, sa.Column(column, JSON, server_default=sa.text(f"'{default}'::jsonb"), nullable=False))
    op.add_column(name, whole("break_minutes", default="45"))
    op.add_column(name, whole("break_from", empty=True))
    op.add_column(name, whole("break_to", empty=True))
    check(name, "break_in_day", "break_minutes BETWEEN 0 AND 240 AND break_from <= break_to")
    op.execute(
        "UPDATE courier c SET licence = c.licence || ', B' FROM vehicle v"
        " WHERE v.id = c.vehicle_id AND v.gross_mass_kg <= 3500 AND c.licence !~ '\\mB\\M'"
    )
    op.execute(
        "UPDATE courier c SET skills = '[\"crane_operator\"]' FROM vehicle v WHERE v.id = c.vehicle_id AND v.has_crane"
    )


def absences() -> None:
    name = "absence"
    op.create_table(
        name, *own(name), big("carrier_id"), big("courier_id", empty=True), big("vehicle_id", empty=True), text("kind"),
        sa.Column("from_day", sa.Date(), nullable=False), sa.Column("to_day", sa.Date(), nullable=False),
        text("note", ""),
        *(key(name, f"{target}_id", target) for target in ("carrier", "courier", "vehicle")),
    )  # fmt: skip
    op.create_index(op.f("ix_absence_carrier_id"), name, ["carrier_id"])
    known(name, "kind", "holiday sick other repair inspection")
    check(name, "one_of_two", "(courier_id IS NULL) <> (vehicle_id IS NULL)")
    check(name, "ordered", "from_day <= to_day")
    for who in ("courier", "vehicle"):
        op.execute(
            f"ALTER TABLE {name} ADD CONSTRAINT ex_absence_{who} EXCLUDE USING gist"
            f" ({who}_id WITH =, daterange(from_day, to_day, '[]') WITH &&)"
        )


def tariffs() -> None:
    name = "tariff"
    for column in ("zones", "distance_steps", "mass_steps"):
        op.add_column(name, sa.Column(column, JSON, server_default=sa.text("'[]'::jsonb"), nullable=False))
    op.add_column(name, whole("free_minutes", default="60"))
    op.add_column(name, whole("waiting_step", default="30"))
    op.add_column(name, big("per_waiting_step", default="0"))
    check(name, "waiting_not_negative", "free_minutes >= 0 AND waiting_step > 0 AND per_waiting_step >= 0")
    op.execute("UPDATE tariff SET valid_to = valid_from WHERE valid_to < valid_from")
    check(name, "days_ordered", "valid_to IS NULL OR valid_from <= valid_to")
    op.execute(
        "UPDATE tariff t SET name = t.name || ' ' || t.id FROM tariff o WHERE o.carrier_id = t.carrier_id"
        " AND o.name = t.name AND o.id < t.id"
        " AND daterange(o.valid_from, o.valid_to, '[]') && daterange(t.valid_from, t.valid_to, '[]')"
    )
    op.execute(
        f"ALTER TABLE {name} ADD CONSTRAINT ex_tariff_name EXCLUDE USING gist"
        " (carrier_id WITH =, name WITH =, daterange(valid_from, valid_to, '[]') WITH &&)"
    )


def hand_overs() -> None:
    name = "hand_over"
    op.create_table(
        name, *own(name), big("delivery_id"), big("from_carrier_id"), big("to_carrier_id"), text("state", "offered"),
        text("reason"), text("note", ""), big("price"), text("answer", ""),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False), big("offered_by_id"),
        big("decided_by_id", empty=True), sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        whole("version", default="1"),
        key(name, "delivery_id", "delivery"), key(name, "from_carrier_id", "carrier"),
        key(name, "to_carrier_id", "carrier"), key(name, "offered_by_id", "user_account"),
        key(name, "decided_by_id", "user_account"),
    )  # fmt: skip
    for column in ("delivery_id", "from_carrier_id", "to_carrier_id"):
        op.create_index(op.f(f"ix_hand_over_{column}"), name, [column])
    op.create_index(
        "uq_hand_over_open", name, ["delivery_id"], unique=True, postgresql_where=sa.text("state = 'offered'")
    )
    known(name, "state", "offered accepted declined withdrawn expired")
    known(name, "reason", "no_truck no_driver too_far no_equipment overbooked other")
    check(name, "price_not_negative", "price >= 0")
    check(name, "two_carriers", "from_carrier_id <> to_carrier_id")
    name = "plan_doubt"
    op.create_table(
        name, *own(name, public=False), big("plan_id"), big("delivery_id"), text("reason"),
        key(name, "plan_id", "route_plan", ondelete="CASCADE"), key(name, "delivery_id", "delivery"),
        sa.UniqueConstraint("plan_id", "delivery_id", "reason", name=op.f("uq_plan_doubt_plan_id_delivery_id_reason")),
    )  # fmt: skip
    op.create_index(op.f("ix_plan_doubt_delivery_id"), name, ["delivery_id"])
    known(name, "reason", "pin_moved handed_over")


def downgrade() -> None:
    op.drop_column("carrier_warehouse", "is_preferred")
    op.drop_table("plan_doubt")
    op.drop_table("hand_over")
    op.drop_constraint("ex_tariff_name", "tariff")
    op.drop_constraint(op.f("ck_tariff_days_ordered"), "tariff")
    op.drop_constraint(op.f("ck_tariff_waiting_not_negative"), "tariff")
    for column in ("per_waiting_step", "waiting_step", "free_minutes", "mass_steps", "distance_steps", "zones"):
        op.drop_column("tariff", column)
    op.drop_table("absence")
    op.drop_constraint(op.f("ck_courier_break_in_day"), "courier")
    for column in ("break_to", "break_from", "break_minutes", "work_days", "skills", "licences"):
        op.drop_column("courier", column)
    for constraint in ("fuel_known", "body_known", "fuel_not_negative"):
        op.drop_constraint(op.f(f"ck_vehicle_{constraint}"), "vehicle")
    op.drop_index(op.f("ix_vehicle_depot_id"), "vehicle")
    op.drop_constraint(op.f("fk_vehicle_depot_id"), "vehicle")
    for column in ("depot_id", "fuel_price", "fuel_ml_per_km", "fuel", "body", "axle_load_kg"):
        op.drop_column("vehicle", column)
    op.drop_table("depot")
