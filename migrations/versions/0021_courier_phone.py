"""the courier's phone: taps with keys, photographs and signatures, checks of trucks

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

OUTCOMES = ("done", "repeated", "conflict", "refused")
ROLES = ("photo", "signature", "line", "check")
STATES = ("waiting", "ready", "refused")


def known(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(repr(value) for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}_known"))


def text(name: str, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), server_default=default, nullable=False)


def moment(name: str, *, now: bool = False) -> sa.Column[Any]:
    default = {"server_default": sa.text("now()")} if now else {}
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, **default)


def json(name: str, empty: str) -> sa.Column[Any]:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text(f"'{empty}'::jsonb"), nullable=False)


def table(name: str, refs: dict[str, tuple[str, bool]], *parts: Any, public: bool = True) -> None:
    """A table with an id and references (column -> table, may be empty)."""
    own = [sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False)] if public else []
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *own,
        *(sa.Column(column, sa.BigInteger(), nullable=empty) for column, (_to, empty) in refs.items()),
        *parts,
        *(
            sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{name}_{column}"))
            for column, (to, _empty) in refs.items()
        ),
        *([sa.UniqueConstraint("public_id", name=op.f(f"uq_{name}_public_id"))] if public else []),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )


def upgrade() -> None:
    checks()
    photographs()
    actions()


def checks() -> None:
    name = "vehicle_check"
    table(
        name, {"courier_id": ("courier", False), "vehicle_id": ("vehicle", False)},
        sa.Column("day", sa.Date(), nullable=False), text("part"),
        sa.Column("odometer_km", sa.Integer(), nullable=False), json("defects", "[]"), text("note", ""),
        sa.Column("may_drive", sa.Boolean(), server_default=sa.true(), nullable=False),
        moment("checked_at"), moment("created_at", now=True),
        known(name, "part", ("start", "end")),
        sa.CheckConstraint("odometer_km BETWEEN 0 AND 9999999", name=op.f(f"ck_{name}_odometer_range")),
    )  # fmt: skip
    op.create_index("ix_vehicle_check_courier_id_day", name, ["courier_id", "day"])
    op.create_index(op.f("ix_vehicle_check_vehicle_id"), name, ["vehicle_id"])


def photographs() -> None:
    name = "proof_photo"
    table(
        name,
        {
            "user_id": ("user_account", False), "delivery_id": ("delivery", True), "check_id": ("vehicle_check", True),
        },
        sa.Column("key", sa.Uuid(), nullable=False), text("role"), text("line", ""), text("file_name"), text("kind"),
        text("original"), text("stored"), text("state", "waiting"), text("error", ""), moment("taken_at"),
        moment("created_at", now=True),
        known(name, "role", ROLES), known(name, "state", STATES),
        sa.CheckConstraint("num_nonnulls(delivery_id, check_id) <= 1", name=op.f(f"ck_{name}_of_one_thing")),
        sa.UniqueConstraint("user_id", "key", name=op.f(f"uq_{name}_user_id_key")),
    )  # fmt: skip
    op.create_index(op.f("ix_proof_photo_delivery_id"), name, ["delivery_id"])
    op.create_index(op.f("ix_proof_photo_check_id"), name, ["check_id"])
    op.create_index(
        "ix_proof_photo_loose", name, ["created_at"],
        postgresql_where=sa.text("delivery_id IS NULL AND check_id IS NULL"),
    )  # fmt: skip


def actions() -> None:
    name = "courier_action"
    table(
        name, {"user_id": ("user_account", False), "delivery_id": ("delivery", True)},
        sa.Column("key", sa.Uuid(), nullable=False), text("kind"), sa.Column("subject", sa.Uuid(), nullable=True),
        json("payload", "{}"), moment("tapped_at"), moment("received_at", now=True), text("outcome"), text("code", ""),
        json("context", "{}"),
        known(name, "outcome", OUTCOMES),
        sa.UniqueConstraint("user_id", "key", name=op.f(f"uq_{name}_user_id_key")),
        public=False,
    )  # fmt: skip
    op.create_index(op.f("ix_courier_action_delivery_id"), name, ["delivery_id"])
    op.create_index("ix_courier_action_received_at", name, ["received_at"])


def downgrade() -> None:
    for name in ("courier_action", "proof_photo", "vehicle_check"):
        op.drop_table(name)
