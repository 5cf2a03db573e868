"""deposits for returnable pallets: on offers, lines, orders, refunds; pallets that came back

Revision ID: 0017
Revises: 0016

Orders placed before have none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OLD_KINDS = ("sale", "commission", "delivery", "refund", "correction", "payout", "payout_failed", "promotion")
KINDS = (*OLD_KINDS, "deposit", "deposit_returned")
WHOLE = "pallet_units >= 0 AND pallet_deposit >= 0 AND (pallet_units = 0) = (pallet_deposit = 0)"
OLD_TOTALS = "goods >= 0 AND delivery >= 0 AND total = goods + delivery"
TOTALS = "goods >= 0 AND delivery >= 0 AND deposit >= 0 AND total = goods + delivery + deposit"
OLD_PARTS = "goods >= 0 AND delivery >= 0 AND goods + delivery = CASE kind WHEN 'refund' THEN amount ELSE 0 END"
PARTS = (
    "goods >= 0 AND delivery >= 0 AND deposit >= 0"
    " AND goods + delivery + deposit = CASE kind WHEN 'refund' THEN amount ELSE 0 END"
)


def check(table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def uncheck(table: str, name: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")


def kinds(allowed: tuple[str, ...]) -> None:
    uncheck("seller_transfer", "kind_known")
    check("seller_transfer", "kind_known", f"kind IN ({', '.join(repr(kind) for kind in allowed)})")


def upgrade() -> None:
    for name in ("offer", "order_line"):
        op.add_column(name, sa.Column("pallet_units", sa.Numeric(18, 6), server_default="0", nullable=False))
        op.add_column(name, sa.Column("pallet_deposit", sa.BigInteger(), server_default="0", nullable=False))
        check(name, "pallet_whole", WHOLE)
    op.add_column("fulfilment_line", sa.Column("pallets", sa.Integer(), server_default="0", nullable=False))
    check("fulfilment_line", "pallets_not_negative", "pallets >= 0")
    for name in ("order_group", "seller_order", "refund"):
        op.add_column(name, sa.Column("deposit", sa.BigInteger(), server_default="0", nullable=False))
    for name in ("order_group", "seller_order"):
        uncheck(name, "totals_sum")
        check(name, "totals_sum", TOTALS)
    uncheck("refund", "parts_sum")
    check("refund", "parts_sum", PARTS)
    kinds(KINDS)
    came_back()


def came_back() -> None:
    name = "pallet_return"
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("refund_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("pallets", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("pallets > 0", name=op.f(f"ck_{name}_pallets_positive")),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f(f"fk_{name}_refund_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f(f"fk_{name}_order_line_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f(f"fk_{name}_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("refund_id", "order_line_id", name=op.f(f"uq_{name}_refund_id_order_line_id")),
    )
    op.create_index(op.f(f"ix_{name}_order_line_id"), name, ["order_line_id"])
    op.execute(
        f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Deposits become part of the delivery, so that orders and refunds still sum; the ledger keeps its sums."""
    op.drop_table("pallet_return")
    op.execute("ALTER TABLE seller_transfer DISABLE TRIGGER USER")
    op.execute(
        "UPDATE seller_transfer SET kind = 'correction', reference = kind || ':' || order_id || ':' || reference"
        " WHERE kind IN ('deposit', 'deposit_returned')"
    )
    op.execute("ALTER TABLE seller_transfer ENABLE TRIGGER USER")
    kinds(OLD_KINDS)
    uncheck("refund", "parts_sum")
    for name in ("order_group", "seller_order"):
        uncheck(name, "totals_sum")
    for name in ("order_group", "seller_order", "refund"):
        op.execute(f"UPDATE {name} SET delivery = delivery + deposit WHERE deposit > 0")
        op.drop_column(name, "deposit")
    check("refund", "parts_sum", OLD_PARTS)
    for name in ("order_group", "seller_order"):
        check(name, "totals_sum", OLD_TOTALS)
    uncheck("fulfilment_line", "pallets_not_negative")
    op.drop_column("fulfilment_line", "pallets")
    for name in ("order_line", "offer"):
        uncheck(name, "pallet_whole")
        op.drop_column(name, "pallet_deposit")
        op.drop_column(name, "pallet_units")
