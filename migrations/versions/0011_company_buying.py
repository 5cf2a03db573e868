"""buying as a company: limits, approvals, prices asked of sellers

Revision ID: 0011
Revises: 0010

Nothing wrote price requests before, so their tables are empty.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NOW = sa.text("now()")
ROLES = "'owner', 'manager', 'warehouse', 'accountant', 'dispatcher', 'courier', 'member'"
CARTS = "'open', 'ordered', 'merged'"
QUOTE_STATES = "'requested', 'offered', 'countered', 'accepted', 'declined', 'withdrawn', 'expired'"
CHECKS = {
    "organisation_member": {
        "monthly_limit_positive": "monthly_limit IS NULL OR monthly_limit >= 0",
        "limits_are_of_members": "role = 'member' OR (spending_limit IS NULL AND monthly_limit IS NULL)",
    },
    "site": {"a_shared_site_is_nobodys_choice": "organisation_id IS NULL OR NOT is_chosen"},
    "price_request": {
        "accepted_is_placed": "(status = 'accepted') = (order_group_id IS NOT NULL)",
        "an_offer_is_whole": "status NOT IN ('offered', 'accepted')"
        " OR (valid_until IS NOT NULL AND delivery_included IS NOT NULL)",
    },
    "price_request_line": {
        "quantity_positive": "quantity > 0",
        "prices_positive": "price > 0 AND wished > 0",
        "offered_range": "offered BETWEEN 0 AND quantity",
        "what_is_given_has_a_price": "(coalesce(offered, 0) > 0) = (price IS NOT NULL)",
    },
}
APPROVAL = {
    "status_known": "status IN ('waiting', 'approved', 'declined', 'withdrawn', 'expired')",
    "above_known": "above IN ('order', 'month')",
    "payment_method_known": "payment_method IN ('invoice', 'cash', 'card')",
    "approved_is_placed": "(status = 'approved') = (order_group_id IS NOT NULL)",
    "somebody_decided": "(status IN ('approved', 'declined')) = (decided_by_id IS NOT NULL)",
    "declined_says_why": "status <> 'declined' OR reason <> ''",
    "nobody_decides_for_himself": "decided_by_id <> user_id",
}


def known(table: str, column: str, values: str) -> None:
    name = f"ck_{table}_{column}_known"
    op.drop_constraint(op.f(name), table, type_="check")
    op.create_check_constraint(op.f(name), table, f"{column} IN ({values})")


def moment(name: str, **more: object) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), **more)  # type: ignore[arg-type]


def text(name: str, **more: object) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=False, **more)  # type: ignore[arg-type]


def rules(table: str, checks: dict[str, str], foreign: dict[str, str]) -> list[sa.Constraint]:
    return [
        *(sa.CheckConstraint(sql, name=op.f(f"ck_{table}_{name}")) for name, sql in checks.items()),
        *(
            sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))
            for column, target in foreign.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    known("organisation_member", "role", ROLES.replace("'member'", "'approver', 'member'"))
    known("cart", "status", CARTS + ", 'waiting'")
    op.add_column("organisation_member", sa.Column("monthly_limit", sa.BigInteger(), nullable=True))
    op.execute("UPDATE organisation_member SET spending_limit = NULL WHERE role <> 'member'")
    approvals()
    requests()
    for table, checks in CHECKS.items():
        for name, sql in checks.items():
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, sql)
    rounds()


def approvals() -> None:
    op.create_table(
        "approval_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        text("company"),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("cart_id", sa.BigInteger(), nullable=False),
        text("status", server_default="waiting"),
        text("above"),
        sa.Column("limit_was", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        text("contact_name"),
        text("contact_phone"),
        text("payment_method"),
        text("comment", server_default=""),
        sa.Column("order_group_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        moment("decided_at", nullable=True),
        text("reason", server_default=""),
        moment("expires_at", nullable=False),
        moment("created_at", server_default=NOW, nullable=False),
        *rules("approval_request", APPROVAL, {
            "organisation_id": "organisation.id", "user_id": "user_account.id", "cart_id": "cart.id",
            "order_group_id": "order_group.id", "decided_by_id": "user_account.id",
        }),
        sa.UniqueConstraint("public_id", name=op.f("uq_approval_request_public_id")),
        sa.UniqueConstraint("cart_id", name=op.f("uq_approval_request_cart_id")),
    )  # fmt: skip
    op.create_index("ix_approval_request_organisation_id_status_id", "approval_request",
                    ["organisation_id", "status", "id"])  # fmt: skip
    op.create_index(op.f("ix_approval_request_user_id"), "approval_request", ["user_id"])


def requests() -> None:
    for column in (
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("site", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("wanted_on", sa.Date(), nullable=True),
        sa.Column("delivery_included", sa.Boolean(), nullable=True),
        sa.Column("rounds", sa.Integer(), server_default="0", nullable=False),
    ):
        op.add_column("price_request", column)
    op.create_unique_constraint("uq_price_request_batch_id_seller_id", "price_request", ["batch_id", "seller_id"])
    op.create_index("uq_price_request_order_group_id", "price_request", ["order_group_id"], unique=True)
    op.create_index(op.f("ix_price_request_organisation_id"), "price_request", ["organisation_id"])
    op.drop_constraint(op.f("ck_price_request_line_positive"), "price_request_line", type_="check")
    op.drop_index(op.f("ix_price_request_line_request_id"), "price_request_line")
    for column in (
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("offered", sa.Numeric(18, 6), nullable=True),
        sa.Column("wished", sa.BigInteger(), nullable=True),
    ):
        op.add_column("price_request_line", column)
    op.alter_column("price_request_line", "offer_id", nullable=False)
    for columns in (["public_id"], ["request_id", "position"], ["request_id", "offer_id"]):
        op.create_unique_constraint(f"uq_price_request_line_{'_'.join(columns)}", "price_request_line", columns)


def rounds() -> None:
    op.create_table(
        "price_request_round",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        text("kind"),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("lines", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("delivery_included", sa.Boolean(), nullable=True),
        moment("valid_until", nullable=True),
        text("comment", server_default=""),
        moment("created_at", server_default=NOW, nullable=False),
        *rules("price_request_round", {"kind_known": f"kind IN ({QUOTE_STATES})"}, {
            "request_id": "price_request.id", "user_id": "user_account.id",
        }),
        sa.UniqueConstraint("request_id", "number", name=op.f("uq_price_request_round_request_id_number")),
    )  # fmt: skip
    op.execute(
        "CREATE TRIGGER price_request_round_append_only BEFORE UPDATE OR DELETE ON price_request_round "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("price_request_round")
    op.execute("DELETE FROM price_request")
    for table, checks in CHECKS.items():
        for name in checks:
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    for columns in (["request_id", "offer_id"], ["request_id", "position"], ["public_id"]):
        op.drop_constraint(f"uq_price_request_line_{'_'.join(columns)}", "price_request_line", type_="unique")
    op.alter_column("price_request_line", "offer_id", nullable=True)
    for column in ("wished", "offered", "position", "public_id"):
        op.drop_column("price_request_line", column)
    op.create_index(op.f("ix_price_request_line_request_id"), "price_request_line", ["request_id"])
    op.create_check_constraint(op.f("ck_price_request_line_positive"), "price_request_line",
                               "quantity > 0 AND (price IS NULL OR price > 0)")  # fmt: skip
    op.drop_index(op.f("ix_price_request_organisation_id"), "price_request")
    op.drop_index("uq_price_request_order_group_id", "price_request")
    op.drop_constraint("uq_price_request_batch_id_seller_id", "price_request", type_="unique")
    for column in ("rounds", "delivery_included", "wanted_on", "site", "batch_id"):
        op.drop_column("price_request", column)
    op.drop_table("approval_request")
    op.execute("UPDATE cart SET status = 'merged' WHERE status = 'waiting'")
    known("cart", "status", CARTS)
    op.drop_column("organisation_member", "monthly_limit")
    op.execute("UPDATE organisation_member SET role = 'member' WHERE role = 'approver'")
    known("organisation_member", "role", ROLES)
