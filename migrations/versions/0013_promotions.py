"""promotions: what they say, who used them, what they took off a line, who bears it

Revision ID: 0013
Revises: 0012

Lines ordered before had no discount.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

OLD_KINDS = ("sale", "commission", "delivery", "refund", "correction", "payout", "payout_failed")
KINDS = (*OLD_KINDS, "promotion")
PROMOTION = {
    "scope_known": "scope IN ('all', 'categories', 'offers')",
    "percent_or_amount": "(percent IS NULL) <> (amount IS NULL)",
    "percent_range": "percent > 0 AND percent <= 99",
    "amounts_positive": "amount > 0 AND minimum >= 0 AND cap > 0",
    "cap_of_percent": "cap IS NULL OR percent IS NOT NULL",
    "share_range": "operator_share BETWEEN 0 AND 100",
    "own_is_own": "NOT by_seller OR (seller_id IS NOT NULL AND operator_share = 0)",
    "offers_of_a_seller": "scope <> 'offers' OR seller_id IS NOT NULL",
    "days": "valid_to IS NULL OR valid_to >= valid_from",
    "limits_positive": "limit_total > 0 AND limit_per_buyer > 0",
    "uses_within_limit": "uses_left BETWEEN 0 AND limit_total",
    "counted_when_limited": "(uses_left IS NULL) = (limit_total IS NULL)",
}
APPLIED = {
    "amounts_positive": "amount > 0 AND by_seller >= 0 AND by_operator >= 0",
    "borne_whole": "amount = by_seller + by_operator",
}


def whole(name: str, default: str | None = None, *, empty: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), server_default=default, nullable=empty)


def flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def text(name: str, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), server_default=default, nullable=False)


def moment(name: str, *, now: bool = False) -> sa.Column[Any]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now)


def key(table: str, column: str, to: str, **options: Any) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"), **options)


def index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def upgrade() -> None:
    op.add_column("cart", text("code", ""))
    op.add_column("order_line", whole("discount", "0"))
    op.create_check_constraint(op.f("ck_order_line_discount_not_negative"), "order_line", "discount >= 0")
    kinds(KINDS)
    promotion()
    pairs()
    applied()


def kinds(allowed: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_seller_transfer_kind_known"), "seller_transfer", type_="check")
    known = f"kind IN ({', '.join(repr(kind) for kind in allowed)})"
    op.create_check_constraint(op.f("ck_seller_transfer_kind_known"), "seller_transfer", known)


def promotion() -> None:
    name = "promotion"
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        text("name_ru"), text("name_en"), flag("by_seller"), whole("seller_id", empty=True), text("scope", "all"),
        sa.Column("percent", sa.Numeric(5, 2)), whole("amount", empty=True), whole("cap", empty=True),
        whole("minimum", "0"), flag("first_order"), text("code", ""), flag("is_stackable"),
        sa.Column("priority", sa.Integer(), server_default="100", nullable=False),
        sa.Column("operator_share", sa.Numeric(5, 2), server_default="0", nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False), sa.Column("valid_to", sa.Date()),
        sa.Column("limit_total", sa.Integer()), sa.Column("limit_per_buyer", sa.Integer()),
        sa.Column("uses_left", sa.Integer()), moment("stopped_at"), whole("created_by_id"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False), moment("created_at", now=True),
        *(sa.CheckConstraint(condition, name=op.f(f"ck_promotion_{check}")) for check, condition in PROMOTION.items()),
        key(name, "seller_id", "seller"), key(name, "created_by_id", "user_account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion")),
        sa.UniqueConstraint("public_id", name=op.f("uq_promotion_public_id")),
    )  # fmt: skip
    live = sa.text("code <> '' AND stopped_at IS NULL")
    op.create_index("uq_promotion_code", name, ["code"], unique=True, postgresql_where=live)
    index(name, "code")
    index(name, "seller_id")


def pairs() -> None:
    for other in ("category", "offer"):
        name = f"promotion_{other}"
        op.create_table(
            name, whole("promotion_id"), whole(f"{other}_id"),
            key(name, "promotion_id", "promotion", ondelete="CASCADE"),
            key(name, f"{other}_id", other, ondelete="CASCADE" if other == "category" else None),
            sa.PrimaryKeyConstraint("promotion_id", f"{other}_id", name=op.f(f"pk_{name}")),
        )  # fmt: skip
        index(name, f"{other}_id")
    name = "promotion_use"
    op.create_table(
        name, whole("promotion_id"), whole("group_id"), moment("given_back_at"), moment("created_at", now=True),
        key(name, "promotion_id", "promotion"), key(name, "group_id", "order_group"),
        sa.PrimaryKeyConstraint("promotion_id", "group_id", name=op.f(f"pk_{name}")),
    )  # fmt: skip
    index(name, "group_id")


def applied() -> None:
    name = "applied_promotion"
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        whole("order_line_id"), whole("promotion_id"), whole("amount"), whole("by_seller"), whole("by_operator"),
        moment("created_at", now=True),
        *(sa.CheckConstraint(condition, name=op.f(f"ck_{name}_{check}")) for check, condition in APPLIED.items()),
        key(name, "order_line_id", "order_line"), key(name, "promotion_id", "promotion"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("order_line_id", "promotion_id", name=op.f(f"uq_{name}_order_line_id_promotion_id")),
    )  # fmt: skip
    index(name, "promotion_id")
    op.execute(
        f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    for name in ("applied_promotion", "promotion_use", "promotion_offer", "promotion_category", "promotion"):
        op.drop_table(name)
    op.execute("ALTER TABLE seller_transfer DISABLE TRIGGER USER")
    op.execute("UPDATE seller_transfer SET kind = 'correction', reference = 'promotion:' || reference"
               " WHERE kind = 'promotion'")  # fmt: skip
    op.execute("ALTER TABLE seller_transfer ENABLE TRIGGER USER")
    kinds(OLD_KINDS)
    op.drop_constraint(op.f("ck_order_line_discount_not_negative"), "order_line", type_="check")
    op.drop_column("order_line", "discount")
    op.drop_column("cart", "code")
