"""terms of returns, returns with their counts and money, claims, photographs of both

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

REASONS = ("leftover", "damaged", "wrong")
CLAIM_OPEN = ("opened", "offered", "refused", "escalated")
CLAIM_STATES = (*CLAIM_OPEN, "agreed", "settled", "withdrawn")


def known(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def text(name: str, default: str | None = "") -> sa.Column[Any]:
    return sa.Column(name, sa.String(), server_default=default, nullable=False)


def moment(name: str, *, now: bool = False) -> sa.Column[Any]:
    default = {"server_default": sa.text("now()")} if now else {}
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not now, **default)


def kopeks(name: str, *, empty: bool = False) -> sa.Column[Any]:
    default = {} if empty else {"server_default": "0"}
    return sa.Column(name, sa.BigInteger(), nullable=empty, **default)


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
    terms()
    returns()
    claims()
    photographs()
    kept()


def kept() -> None:
    """What went back of payments; up to now only refunds were counted."""
    op.add_column("payment", kopeks("returned"))
    op.execute(
        "UPDATE payment p SET returned = s.refunded FROM ("
        "SELECT payment_id, sum(refunded) AS refunded FROM payment_split GROUP BY payment_id) s"
        " WHERE s.payment_id = p.id"
    )
    check("payment", "returned_not_negative", "returned >= 0")


def terms() -> None:
    name = "return_terms"
    table(
        name, {"seller_id": ("seller", False), "user_id": ("user_account", True)},
        sa.Column("accepts", sa.Boolean(), nullable=False), sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("whole_packs", sa.Boolean(), nullable=False),
        sa.Column("fee_percent", sa.Numeric(4, 2), nullable=False), text("carried_by", None),
        sa.Column(
            "category_ids", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'::bigint[]"), nullable=False
        ),
        moment("created_at", now=True),
    )  # fmt: skip
    check(name, "days_range", "days BETWEEN 1 AND 365")
    check(name, "fee_range", "fee_percent BETWEEN 0 AND 50")
    check(name, "carried_by_known", known("carried_by", ("buyer", "seller")))
    op.create_index("ix_return_terms_seller_id_id", name, ["seller_id", "id"])
    op.execute(
        f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def returns() -> None:
    name = "return_request"
    op.drop_column(name, "photos")
    for column in (
        text("note"), text("answer"), text("count_note"), text("carried_by", "buyer"),
        sa.Column("fee_percent", sa.Numeric(4, 2), server_default="0", nullable=False), kopeks("goods"), kopeks("fee"),
        kopeks("refund_id", empty=True), kopeks("warehouse_id", empty=True), moment("due_at"), moment("escalated_at"),
        moment("received_at"), moment("closed_at"),
    ):  # fmt: skip
        op.add_column(name, column)
    op.create_foreign_key(op.f(f"fk_{name}_refund_id"), name, "refund", ["refund_id"], ["id"])
    op.create_foreign_key(op.f(f"fk_{name}_warehouse_id"), name, "warehouse", ["warehouse_id"], ["id"])
    op.create_unique_constraint(op.f(f"uq_{name}_refund_id"), name, ["refund_id"])
    op.create_index("ix_return_request_status_id", name, ["status", "id"])
    check(name, "reason_known", known("reason", REASONS))
    check(name, "money", "fee_percent BETWEEN 0 AND 50 AND goods >= 0 AND fee BETWEEN 0 AND goods")
    check(name, "refund_when_refunded", "refund_id IS NULL OR status = 'refunded'")
    check(name, "counted_somewhere", "(warehouse_id IS NOT NULL) = (received_at IS NOT NULL)")
    name = "return_line"
    op.add_column(name, sa.Column("fit", sa.Numeric(18, 6), nullable=True))
    op.add_column(name, sa.Column("paid", sa.Numeric(18, 6), server_default="0", nullable=False))
    op.create_index(op.f("ix_return_line_order_line_id"), name, ["order_line_id"])
    check(name, "received_range", "received IS NULL OR received <= quantity")
    check(name, "fit_range", "(fit IS NULL) = (received IS NULL) AND (fit IS NULL OR fit BETWEEN 0 AND received)")
    check(name, "paid_range", "paid BETWEEN 0 AND coalesce(received, 0)")


def claims() -> None:
    name = "claim"
    table(
        name,
        {
            "order_id": ("seller_order", False), "order_line_id": ("order_line", False),
            "user_id": ("user_account", False), "refund_id": ("refund", True), "decided_by_id": ("user_account", True),
        },
        public_id(), text("status", "opened"), text("kind", None),
        sa.Column("quantity", sa.Numeric(18, 6), nullable=False), text("wish", None), kopeks("wanted"),
        text("note", None), text("answer"), kopeks("offered", empty=True), kopeks("settled", empty=True),
        text("in_favour"), text("decision"), moment("due_at"), moment("closed_at"), moment("created_at", now=True),
        sa.UniqueConstraint("public_id", name=op.f("uq_claim_public_id")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_claim_refund_id")),
    )  # fmt: skip
    check(name, "status_known", known("status", CLAIM_STATES))
    check(name, "kind_known", known("kind", ("damaged", "short", "wrong")))
    check(name, "wish_known", known("wish", ("money", "replacement", "other")))
    check(name, "in_favour_known", known("in_favour", ("", "buyer", "seller", "both")))
    check(name, "quantity_positive", "quantity > 0")
    check(name, "wanted_money", "wanted >= 0 AND (wish = 'money') = (wanted > 0)")
    check(name, "sums", "offered >= 0 AND settled >= 0")
    check(name, "settled_when_decided", "(settled IS NOT NULL) = (status IN ('agreed', 'settled'))")
    check(name, "judged_when_settled", "(in_favour <> '') = (status = 'settled')")
    check(name, "refund_of_a_sum", "refund_id IS NULL OR settled > 0")
    for column in ("order_id", "user_id"):
        op.create_index(op.f(f"ix_claim_{column}"), name, [column])
    op.create_index("ix_claim_status_id", name, ["status", "id"])
    is_open = sa.text(known("status", CLAIM_OPEN))
    op.create_index("uq_claim_open_line", name, ["order_line_id"], unique=True, postgresql_where=is_open)


def photographs() -> None:
    name = "evidence_photo"
    table(
        name,
        {"user_id": ("user_account", False), "return_id": ("return_request", True), "claim_id": ("claim", True)},
        public_id(), text("file_name", None), text("kind", None), text("original", None), text("stored", None),
        text("state", "waiting"), text("error"), moment("created_at", now=True),
        sa.UniqueConstraint("public_id", name=op.f("uq_evidence_photo_public_id")),
    )  # fmt: skip
    check(name, "state_known", known("state", ("waiting", "ready", "refused")))
    check(name, "of_one_thing", "num_nonnulls(return_id, claim_id) <= 1")
    for column in ("user_id", "return_id", "claim_id"):
        op.create_index(op.f(f"ix_{name}_{column}"), name, [column])
    loose = sa.text("return_id IS NULL AND claim_id IS NULL")
    op.create_index("ix_evidence_photo_loose", name, ["created_at"], postgresql_where=loose)


def downgrade() -> None:
    drop("payment", ("returned_not_negative",), ("returned",))
    op.drop_table("evidence_photo")
    op.drop_table("claim")
    op.drop_index(op.f("ix_return_line_order_line_id"), "return_line")
    drop("return_line", ("received_range", "fit_range", "paid_range"), ("fit", "paid"))
    op.drop_index("ix_return_request_status_id", "return_request")
    drop(
        "return_request", ("reason_known", "money", "refund_when_refunded", "counted_somewhere"),
        ("note", "answer", "count_note", "carried_by", "fee_percent", "goods", "fee", "refund_id", "warehouse_id",
         "due_at", "escalated_at", "received_at", "closed_at"),
    )  # fmt: skip
    empty = sa.text("'[]'::jsonb")
    op.add_column("return_request", sa.Column("photos", postgresql.JSONB(), server_default=empty, nullable=False))
    op.drop_table("return_terms")


def drop(name: str, checks: tuple[str, ...], columns: tuple[str, ...]) -> None:
    for constraint in checks:
        op.drop_constraint(op.f(f"ck_{name}_{constraint}"), name)
    for column in columns:
        op.drop_column(name, column)
