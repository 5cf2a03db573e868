"""rules of commission with bounds, refunds in parts, corrections, payout runs and what they sweep

Revision ID: 0012
Revises: 0011

Fees frozen before had no bounds: their base is the line as it was ordered.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NEW_LEDGERS = ("refund_line", "payout_transfer")
KINDS = ("sale", "commission", "delivery", "refund", "correction", "payout", "payout_failed")
OLD_KINDS = ("sale", "commission", "refund", "delivery", "payout", "correction")


def known(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def whole(name: str, *, empty: bool = False) -> sa.Column[Any]:
    default = {} if empty else {"server_default": "0"}
    return sa.Column(name, sa.BigInteger(), nullable=empty, **default)


def text(name: str, default: str | None = "") -> sa.Column[Any]:
    return sa.Column(name, sa.String(), server_default=default, nullable=False)


def moment(name: str, *, now: bool = False) -> sa.Column[Any]:
    default = {"server_default": sa.text("now()")} if now else {}
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not now, **default)


def json(name: str, empty: str = "{}") -> sa.Column[Any]:
    default = sa.text(f"'{empty}'::jsonb")
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), server_default=default, nullable=False)


def public_id() -> sa.Column[Any]:
    return sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False)


def check(table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def table(name: str, refs: dict[str, tuple[str, bool]], *parts: Any) -> None:
    """A table with an id and references (column -> table, may be empty); its other parts follow."""
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *(sa.Column(column, sa.BigInteger(), nullable=empty) for column, (_to, empty) in refs.items()),
        *parts,
        *(
            sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{name}_{column}"))
            for column, (to, _empty) in refs.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )


def upgrade() -> None:
    rules()
    refunds()
    ledger()
    payouts()
    for name in NEW_LEDGERS:
        op.execute(
            f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def rules() -> None:
    name = "commission_rule"
    op.drop_constraint(op.f("uq_commission_rule_position"), name)
    for column in (public_id(), whole("amount_from"), whole("amount_to", empty=True), whole("fixed"), whole("floor"),
                   whole("cap", empty=True), moment("ended_at"), moment("created_at", now=True)):  # fmt: skip
        op.add_column(name, column)
    op.create_unique_constraint(op.f("uq_commission_rule_public_id"), name, ["public_id"])
    check(name, "bounds", "fixed >= 0 AND floor >= 0 AND (cap IS NULL OR cap >= floor)")
    check(name, "amounts", "amount_from >= 0 AND (amount_to IS NULL OR amount_to > amount_from)")
    check(name, "days", "valid_to IS NULL OR valid_to >= valid_from")
    live = sa.text("ended_at IS NULL")
    op.create_index("uq_commission_rule_position", name, ["position"], unique=True, postgresql_where=live)
    op.add_column("commission_line", whole("base"))
    op.create_index(op.f("ix_commission_line_rule_id"), "commission_line", ["rule_id"])
    op.execute("ALTER TABLE commission_line DISABLE TRIGGER USER")
    op.execute(
        "UPDATE commission_line c SET base = round(l.price * l.quantity) FROM order_line l WHERE l.id = c.order_line_id"
    )
    op.execute("ALTER TABLE commission_line ENABLE TRIGGER USER")


def refunds() -> None:
    name = "refund"
    for column in (text("kind", "shortage"), whole("goods"), whole("delivery"), text("note"), json("payee"),
                   text("bank_reference"), moment("decided_at"), moment("paid_at")):  # fmt: skip
        op.add_column(name, column)
    op.execute("UPDATE refund SET paid_at = created_at WHERE status = 'paid'")
    op.execute("UPDATE refund SET approved_by_id = NULL WHERE approved_by_id = requested_by_id")
    check(name, "kind_known", known("kind", ("shortage", "refund")))
    check(
        name, "parts_sum",
        "goods >= 0 AND delivery >= 0 AND goods + delivery = CASE kind WHEN 'refund' THEN amount ELSE 0 END",
    )  # fmt: skip
    check(name, "approved_by_another", "approved_by_id <> requested_by_id")
    check(name, "paid_is_dated", "(status = 'paid') = (paid_at IS NOT NULL)")
    waits = sa.text("status IN ('requested', 'approved')")
    op.create_index("ix_refund_open", name, ["id"], postgresql_where=waits)
    table(
        "refund_line", {"refund_id": ("refund", False), "order_line_id": ("order_line", False)},
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refund_line_amount_positive")),
        sa.UniqueConstraint("refund_id", "order_line_id", name=op.f("uq_refund_line_refund_id_order_line_id")),
    )  # fmt: skip
    op.create_index(op.f("ix_refund_line_order_line_id"), "refund_line", ["order_line_id"])


def ledger() -> None:
    name = "seller_transfer"
    op.add_column(name, text("reason"))
    op.drop_constraint(op.f("ck_seller_transfer_kind_known"), name)
    check(name, "kind_known", known("kind", KINDS))
    op.drop_index(op.f("ix_seller_transfer_seller_id"), name)
    op.create_index("ix_seller_transfer_seller_id_id", name, ["seller_id", "id"])
    by_hand = sa.text("kind IN ('correction', 'payout', 'payout_failed')")
    op.create_index(
        "uq_seller_transfer_kind_reference", name, ["kind", "reference"], unique=True, postgresql_where=by_hand
    )
    name = "ledger_correction"
    table(
        name,
        {"seller_id": ("seller", False), "requested_by_id": ("user_account", False),
         "decided_by_id": ("user_account", True)},
        public_id(), sa.Column("amount", sa.BigInteger(), nullable=False), text("reason", None),
        text("status", "requested"), moment("decided_at"), moment("created_at", now=True),
        sa.UniqueConstraint("public_id", name=op.f("uq_ledger_correction_public_id")),
    )  # fmt: skip
    check(name, "amount_not_zero", "amount <> 0")
    check(name, "status_known", known("status", ("requested", "approved", "declined")))
    check(name, "approved_by_another", "status <> 'approved' OR decided_by_id <> requested_by_id")
    check(name, "decided_by_somebody", "(status = 'requested') = (decided_by_id IS NULL)")
    op.create_index(op.f("ix_ledger_correction_seller_id"), name, ["seller_id"])


def payouts() -> None:
    table(
        "payout_run", {"user_id": ("user_account", True)}, public_id(), text("job_key", None), json("skipped", "[]"),
        moment("finished_at"), moment("created_at", now=True),
        sa.UniqueConstraint("public_id", name=op.f("uq_payout_run_public_id")),
        sa.UniqueConstraint("job_key", name=op.f("uq_payout_run_job_key")),
    )  # fmt: skip
    name = "seller_payout"
    for column in (whole("run_id", empty=True), text("status", "prepared"), text("note")):
        op.add_column(name, column)
    op.execute("UPDATE seller_payout SET status = 'paid' WHERE paid_at IS NOT NULL")
    op.create_foreign_key(op.f("fk_seller_payout_run_id"), name, "payout_run", ["run_id"], ["id"])
    op.create_unique_constraint(op.f("uq_seller_payout_run_id_seller_id"), name, ["run_id", "seller_id"])
    check(name, "status_known", known("status", ("prepared", "paid", "failed")))
    check(name, "paid_is_dated", "(status = 'paid') = (paid_at IS NOT NULL)")
    op.create_index(op.f("ix_seller_payout_status"), name, ["status"])
    table(
        "payout_transfer", {"transfer_id": ("seller_transfer", False), "payout_id": ("seller_payout", False)},
        sa.UniqueConstraint("transfer_id", name=op.f("uq_payout_transfer_transfer_id")),
    )  # fmt: skip
    op.create_index(op.f("ix_payout_transfer_payout_id"), "payout_transfer", ["payout_id"])


def downgrade() -> None:
    op.drop_table("payout_transfer")
    drop("seller_payout", ("paid_is_dated", "status_known"), ("run_id", "status", "note"))
    for name in ("payout_run", "ledger_correction", "refund_line"):
        op.drop_table(name)
    op.drop_index("uq_seller_transfer_kind_reference", "seller_transfer")
    op.drop_index("ix_seller_transfer_seller_id_id", "seller_transfer")
    op.create_index(op.f("ix_seller_transfer_seller_id"), "seller_transfer", ["seller_id"])
    op.execute("ALTER TABLE seller_transfer DISABLE TRIGGER USER")
    op.execute(
        "UPDATE seller_transfer SET kind = 'correction', reference = 'payout_failed:' || reference"
        " WHERE kind = 'payout_failed'"
    )
    op.execute("ALTER TABLE seller_transfer ENABLE TRIGGER USER")
    drop("seller_transfer", ("kind_known",), ("reason",))
    check("seller_transfer", "kind_known", known("kind", OLD_KINDS))
    op.drop_index("ix_refund_open", "refund")
    drop(
        "refund", ("paid_is_dated", "approved_by_another", "parts_sum", "kind_known"),
        ("kind", "goods", "delivery", "note", "payee", "bank_reference", "decided_at", "paid_at"),
    )  # fmt: skip
    op.drop_index(op.f("ix_commission_line_rule_id"), "commission_line")
    op.drop_column("commission_line", "base")
    op.drop_index("uq_commission_rule_position", "commission_rule")
    op.execute(
        "UPDATE commission_rule r SET position = n.place FROM ("
        "SELECT id, row_number() OVER (ORDER BY ended_at NULLS FIRST, position, id) AS place FROM commission_rule"
        ") n WHERE n.id = r.id"
    )
    drop(
        "commission_rule", ("days", "amounts", "bounds"),
        ("public_id", "amount_from", "amount_to", "fixed", "floor", "cap", "ended_at", "created_at"),
    )  # fmt: skip
    op.create_unique_constraint(op.f("uq_commission_rule_position"), "commission_rule", ["position"])


def drop(name: str, checks: tuple[str, ...], columns: tuple[str, ...]) -> None:
    for constraint in checks:
        op.drop_constraint(op.f(f"ck_{name}_{constraint}"), name)
    for column in columns:
        op.drop_column(name, column)
